// SPDX-License-Identifier: Apache-2.0
// Second pass of a dynamic norm on rows of COLS codes: 1 / sigma and the static affine in one requantization,
//   X = ((N q' - S) inverse + 2^(shift-1)) >> shift                                        Q11.20
//   y = clamp(zero_point + ((X mult[c] + bias[c] + 2^(t-1)) >> t), low, high)
// S, inverse and shift come from ergon_norm_scale, for each column (instance norm) or, per_row_i, from column 0 for all
// (layer, RMS norm). Six register stages; y_o holds the row given six cycles before. Constants come with the row that
// first needs them (fresh_i) and move down the stages behind it, so that groups and tiles may follow without a gap.
module ergon_norm #(
    parameter int COLS = 16,
    parameter int CODE_BITS = 8,
    parameter int COUNT_BITS = 16,
    parameter int OUTPUT_BITS = 8
) (
    input  logic                                           clk_i,
    input  logic                                           rst_ni,
    // constant while a layer runs
    input  logic                                           per_row_i,
    input  logic [COUNT_BITS:0]                            count_i,
    input  logic signed [CODE_BITS-1:0]                    in_zero_point_i,
    input  logic [ergon_pkg::ShiftBits-1:0]                t_i,         // 33..46
    input  logic signed [ergon_pkg::LevelBits-1:0]         zero_point_i,
    input  logic signed [ergon_pkg::LevelBits-1:0]         low_i,
    input  logic signed [ergon_pkg::LevelBits-1:0]         high_i,
    // a row, and with fresh_i the constants from here on
    input  logic                                           valid_i,
    input  logic [COLS*CODE_BITS-1:0]                      code_i,
    input  logic                                           fresh_i,
    input  logic [COLS*(CODE_BITS+COUNT_BITS+1)-1:0]       sum_i,
    input  logic [COLS*32-1:0]                             inverse_i,   // unsigned, at most 2^31
    input  logic [COLS*ergon_pkg::ShiftBits-1:0]           shift_i,
    input  logic [COLS*ergon_pkg::MultiplierBits-1:0]      mult_i,      // signed
    input  logic [COLS*64-1:0]                             bias_i,
    output logic                                           y_valid_o,
    output logic [COLS*OUTPUT_BITS-1:0]                    y_o
);
  localparam int T = ergon_pkg::ShiftBits;
  localparam int M = ergon_pkg::MultiplierBits;
  localparam int S = CODE_BITS + COUNT_BITS + 1;
  // N q' - S = N (q' - mean) spans no more than N codes do, so S bits hold it; the inverse adds 32, the sign one.
  localparam int W = S + 33 > 64 ? S + 33 : 64;

  logic [5:1] v_q;
  logic [3:1] fresh_q;
  logic signed [CODE_BITS:0] q1_q[COLS];
  logic signed [S-1:0] sum1_q[COLS];
  logic [31:0] inverse1_q[COLS], inverse2_q[COLS];
  logic [T-1:0] shift1_q[COLS], shift2_q[COLS], shift3_q[COLS];
  logic signed [M-1:0] mult1_q[COLS], mult2_q[COLS], mult3_q[COLS], mult4_q[COLS];
  logic signed [63:0] bias1_q[COLS], bias2_q[COLS], bias3_q[COLS], bias4_q[COLS];
  logic signed [S-1:0] d2_q[COLS];
  logic signed [W-1:0] p3_q[COLS];
  logic signed [31:0] x4_q[COLS];
  logic signed [63:0] z5_q[COLS];

  function automatic logic signed [W-1:0] round_shift(logic signed [W-1:0] x, logic [T-1:0] t);
`ifdef ERGON_MUTANT_ROUNDING
    round_shift = x >>> t;  // the rounding constant left out
`else
    round_shift = (x + (W'(64'sd1) <<< (t - 1'b1))) >>> t;
`endif
  endfunction

  function automatic logic signed [W-1:0] clamp(logic signed [W-1:0] y, logic signed [W-1:0] low,
                                                logic signed [W-1:0] high);
    clamp = y < low ? low : y > high ? high : y;
  endfunction

  always_ff @(posedge clk_i)
    for (int c = 0; c < COLS; c++) begin
      if (valid_i)
        q1_q[c] <= (CODE_BITS + 1)'($signed(code_i[c*CODE_BITS+:CODE_BITS])) - (CODE_BITS + 1)'(in_zero_point_i);
      if (valid_i & fresh_i) begin
        sum1_q[c] <= per_row_i ? sum_i[0+:S] : sum_i[c*S+:S];
        inverse1_q[c] <= per_row_i ? inverse_i[0+:32] : inverse_i[c*32+:32];
        shift1_q[c] <= per_row_i ? shift_i[0+:T] : shift_i[c*T+:T];
        mult1_q[c] <= mult_i[c*M+:M];
        bias1_q[c] <= bias_i[c*64+:64];
      end
      if (v_q[1]) d2_q[c] <= S'(q1_q[c]) * S'($signed({1'b0, count_i})) - sum1_q[c];
      if (v_q[2]) p3_q[c] <= W'(d2_q[c]) * W'($signed({1'b0, inverse2_q[c]}));
      if (v_q[3]) x4_q[c] <= 32'(round_shift(p3_q[c], shift3_q[c]));
      if (v_q[4]) z5_q[c] <= 64'(x4_q[c]) * 64'(mult4_q[c]) + bias4_q[c];
      if (v_q[1] & fresh_q[1]) begin
        inverse2_q[c] <= inverse1_q[c];
        shift2_q[c] <= shift1_q[c];
        mult2_q[c] <= mult1_q[c];
        bias2_q[c] <= bias1_q[c];
      end
      if (v_q[2] & fresh_q[2]) begin
        shift3_q[c] <= shift2_q[c];
        mult3_q[c] <= mult2_q[c];
        bias3_q[c] <= bias2_q[c];
      end
      if (v_q[3] & fresh_q[3]) begin
        mult4_q[c] <= mult3_q[c];
        bias4_q[c] <= bias3_q[c];
      end
      if (v_q[5])
        y_o[c*OUTPUT_BITS+:OUTPUT_BITS] <= OUTPUT_BITS'(
            clamp(W'(zero_point_i) + round_shift(W'(z5_q[c]), t_i), W'(low_i), W'(high_i)));
    end

  always_ff @(posedge clk_i)
    if (!rst_ni) {v_q, fresh_q, y_valid_o} <= '0;
    else begin
      {y_valid_o, v_q} <= {v_q, valid_i};
      fresh_q <= {fresh_q[2:1], fresh_i};
    end
endmodule
