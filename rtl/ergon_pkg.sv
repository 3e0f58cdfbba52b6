// SPDX-License-Identifier: Apache-2.0
// Constants that all modules share. docs/model.md defines the machine to the bit and the cycle.
package ergon_pkg;
  // Register stages from the array's deskewed last row to the output row.
  parameter int EpilogueDepth = 5;
  // Widths of the requantization constants: multiplier in [2^30, 2^31), t = 31 - shift in 1..62.
  parameter int MultiplierBits = 32;
  parameter int ShiftBits = 6;
  // Zero points and clamp limits.
  parameter int LevelBits = 17;
endpackage
