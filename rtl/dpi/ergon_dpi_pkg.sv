// SPDX-License-Identifier: Apache-2.0
// Golden kernels of Ergon for a testbench, over DPI-C (IEEE 1800-2017, clause 35). Compile ergon_dpi.c beside this file and
// link libergon_kernels. Codes of 2..16 bits are shortint whatever their width, accumulators are longint.
//
// A scale is three ints: multiplier and shift (M = multiplier * 2^(shift-31)), and the bits of M as a float32, which only
// rule F reads. A scale table holds them one after another: [3*k] multiplier, [3*k+1] shift, [3*k+2] float32 bits.
package ergon_dpi_pkg;

  // Requantization rules: S single rounding, D double rounding, F in float32 half to even, A away from zero.
  typedef enum int {
    RULE_S = 0,
    RULE_D = 1,
    RULE_F = 2,
    RULE_A = 3
  } rule_e;

  // Words of a description given to conv2d and matmul; words that a function does not name are not read by it.
  localparam int WORDS = 32;
  typedef enum int {
    W_N = 0,  // images (matmul: batch)
    W_H,  // input rows (matmul: M)
    W_W,  // input columns (matmul: columns N of b)
    W_C,  // input channels (matmul: K)
    W_FILTERS,
    W_KERNEL_H,
    W_KERNEL_W,
    W_STRIDE_H,
    W_STRIDE_W,
    W_PAD_TOP,
    W_PAD_LEFT,
    W_GROUPS,
    W_OUT_H,
    W_OUT_W,
    W_DILATION_H,  // 0 is read as 1
    W_DILATION_W,
    W_ACCUMULATOR_BITS,
    W_INPUT_ZERO_POINT,  // matmul: of a
    W_B_ZERO_POINT,  // matmul only
    W_ZERO_POINT,  // of the output
    W_LOW,
    W_HIGH,
    W_HAS_RESIDUAL,
    W_RESIDUAL_ZERO_POINT,
    W_RESIDUAL_MULTIPLIER,
    W_RESIDUAL_SHIFT,
    W_RESIDUAL_REAL,
    W_RULE,
    W_INPUT_BITS,  // for $readmemh of what `ergon vectors` writes; the kernels do not read them
    W_WEIGHT_BITS,
    W_OUTPUT_BITS
  } word_e;

  // Real multiplier to a scale.
  import "DPI-C" function void erg_dpi_scale(
    input real m,
    output int multiplier,
    output int shift,
    output int real_bits
  );

  // rq(x): no zero point, no clamp.
  import "DPI-C" function longint erg_dpi_requantize(
    input longint x,
    input int multiplier,
    input int shift,
    input int real_bits,
    input int accumulator_bits,
    input int rule
  );

  // clamp(zero_point + rq(accumulator + bias), low, high), accumulator + bias wrapped to accumulator_bits.
  import "DPI-C" function int erg_dpi_epilogue(
    input longint accumulator,
    input longint bias,
    input int multiplier,
    input int shift,
    input int real_bits,
    input int zero_point,
    input int low,
    input int high,
    input int accumulator_bits,
    input int rule
  );

  // The same with rq(residual - residual_zero_point) added before the clamp.
  import "DPI-C" function int erg_dpi_epilogue_residual(
    input longint accumulator,
    input longint bias,
    input int multiplier,
    input int shift,
    input int real_bits,
    input int residual,
    input int residual_zero_point,
    input int residual_multiplier,
    input int residual_shift,
    input int residual_real_bits,
    input int zero_point,
    input int low,
    input int high,
    input int accumulator_bits,
    input int rule
  );

  // One step of a dot product: accumulator + (x - zero_point) * w, wrapped to accumulator_bits.
  import "DPI-C" function longint erg_dpi_mac(
    input longint accumulator,
    input int x,
    input int zero_point,
    input int w,
    input int accumulator_bits
  );

  // Dot product of the first `count` elements. Scalar functions and this one return 0, with a text in erg_dpi_error,
  // where a width, a scale or a rule is not legal or an array is too short.
  import "DPI-C" function longint erg_dpi_dot(
    input int count,
    input shortint x[],
    input int zero_point,
    input shortint w[],
    input int accumulator_bits
  );

  // Layouts: input [N, H, W, C], weight [K, R, S, C/groups], output and residual [N, P, Q, K]; matmul: a [batch, M, K],
  // b [batch, K, N], output and residual [batch, M, N]; bias one a channel, scale three ints a channel. Arrays may be
  // longer than needed; residual is not read unless d[W_HAS_RESIDUAL]. Returns 0, or a status (65: a shape that is not
  // legal, an array too short) with its text in erg_dpi_error, and then output is untouched.
  import "DPI-C" function int erg_dpi_conv2d(
    input int d[],
    input shortint x[],
    input shortint weight[],
    input longint bias[],
    input int scale[],
    input shortint residual[],
    inout shortint y[]
  );
  import "DPI-C" function int erg_dpi_conv2d_accumulate(
    input int d[],
    input shortint x[],
    input shortint weight[],
    inout longint accumulator[]
  );
  import "DPI-C" function int erg_dpi_matmul(
    input int d[],
    input shortint a[],
    input shortint b[],
    input longint bias[],
    input int scale[],
    input shortint residual[],
    inout shortint y[]
  );

  // Text of the last fault, "" when there was none.
  import "DPI-C" function string erg_dpi_error();

endpackage
