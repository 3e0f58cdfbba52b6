// SPDX-License-Identifier: Apache-2.0
// A memory of DEPTH rows of COLS partial sums below the array, read a cycle ahead. Sums of a fold that is not the last
// of K go back into it; those of the last go on to the epilogue and are not written. A row comes again after at least
// ROWS >= 2 cycles, so a read never meets its own write.
module ergon_accumulator #(
    parameter int COLS = 16,
    parameter int ACC_BITS = 32,
    parameter int DEPTH = 1024,
    parameter int ROW_BITS = 16
) (
    input  logic                     clk_i,
    input  logic                     en_i,
    input  logic                     read_i,     // the row that stands at psum_i in the next cycle
    input  logic [ROW_BITS-1:0]      read_row_i,
    input  logic                     valid_i,    // psum_i holds a row
    input  logic                     k_first_i,
    input  logic                     k_last_i,
    input  logic [ROW_BITS-1:0]      row_i,
    input  logic [COLS*ACC_BITS-1:0] psum_i,
    output logic [COLS*ACC_BITS-1:0] sum_o       // registered
);
  localparam int AddressBits = $clog2(DEPTH);
  logic [COLS*ACC_BITS-1:0] memory_q[DEPTH];
  logic [COLS*ACC_BITS-1:0] old_q, sum;

  always_comb
    for (int c = 0; c < COLS; c++)
      sum[c*ACC_BITS+:ACC_BITS] = psum_i[c*ACC_BITS+:ACC_BITS] + (k_first_i ? '0 : old_q[c*ACC_BITS+:ACC_BITS]);

  always_ff @(posedge clk_i)
    if (en_i) begin
      if (read_i) old_q <= memory_q[read_row_i[AddressBits-1:0]];
      if (valid_i & ~k_last_i) memory_q[row_i[AddressBits-1:0]] <= sum;
      if (valid_i & k_last_i) sum_o <= sum;
    end
endmodule
