// SPDX-License-Identifier: Apache-2.0
// y = clamp(zero_point + rq(acc + bias, m, t) + rq(res - res_zero_point, m_r, t_r), low, high); by rule S
// rq(x, m, t) = (x*m + 2^(t-1)) >> t. Each term rounded by itself, no clamp between. Four register stages behind the
// accumulator's: bias and residual, products, rounded shifts, sum and clamp. The constants of a tile of columns come
// with its first row and move down the stages behind it, so that tiles may follow each other without a gap.
module ergon_epilogue #(
    parameter int COLS = 16,
    parameter int ACTIVATION_BITS = 8,
    parameter int ACC_BITS = 32,
    parameter int OUTPUT_BITS = 8,
    parameter int RULE = 0  // of requantization: 0 S, 1 D, 3 A (docs/numerics.md)
) (
    input  logic                                        clk_i,
    input  logic                                        rst_ni,
    input  logic                                        en_i,
    input  logic signed [ergon_pkg::LevelBits-1:0]      zero_point_i,
    input  logic signed [ergon_pkg::LevelBits-1:0]      low_i,
    input  logic signed [ergon_pkg::LevelBits-1:0]      high_i,
    input  logic                                        res_en_i,
    input  logic signed [ergon_pkg::LevelBits-1:0]      res_zero_point_i,
    input  logic signed [ergon_pkg::MultiplierBits-1:0] res_mult_i,
    input  logic [ergon_pkg::ShiftBits-1:0]             res_t_i,
    // a row of sums stands at sum_i in the next cycle; `first` of its tile of columns, `final` of the layer
    input  logic                                        coming_i,
    input  logic                                        coming_first_i,
    input  logic                                        coming_final_i,
    input  logic [COLS*ACC_BITS-1:0]                    sum_i,
    output logic                                        c_req_o,
    input  logic [COLS*ACC_BITS-1:0]                    bias_i,
    input  logic [COLS*ergon_pkg::MultiplierBits-1:0]   mult_i,
    input  logic [COLS*ergon_pkg::ShiftBits-1:0]        t_i,
    output logic                                        r_req_o,
    input  logic [COLS*ACTIVATION_BITS-1:0]             r_data_i,
    output logic                                        y_valid_o,
    output logic [COLS*OUTPUT_BITS-1:0]                 y_o,
    output logic                                        done_o
);
  // Products: 64 bits hold a sum of 32 times a multiplier of 31; a sum of 48 needs 79.
  localparam int W = ACC_BITS > 32 ? 96 : 64;
  localparam int T = ergon_pkg::ShiftBits;
  localparam int M = ergon_pkg::MultiplierBits;

  logic v1_q, v2_q, v3_q, v4_q, first1_q, first2_q, final1_q, final2_q, final3_q, final4_q;
  logic signed [ACC_BITS-1:0] bias_q[COLS];
  logic signed [M-1:0] mult1_q[COLS], mult2_q[COLS];
  logic [T-1:0] t1_q[COLS], t2_q[COLS], t3_q[COLS];
  logic signed [ACC_BITS-1:0] x2_q[COLS];
  logic signed [31:0] res2_q[COLS];
  logic signed [W-1:0] x3_q[COLS], res3_q[COLS], x4_q[COLS], res4_q[COLS];

  assign c_req_o = coming_i & coming_first_i;
  assign r_req_o = v1_q & res_en_i;

  function automatic logic signed [W-1:0] nearest_up(logic signed [W-1:0] x, logic [T-1:0] t);
`ifdef ERGON_MUTANT_ROUNDING
    nearest_up = x >>> t;  // the rounding constant left out
`else
    nearest_up = (x + (W'(64'sd1) <<< (t - 1'b1))) >>> t;
`endif
  endfunction

  function automatic logic signed [W-1:0] nearest_away(logic signed [W-1:0] x, logic [T-1:0] t);
    nearest_away = x < 0 ? -nearest_up(-x, t) : nearest_up(x, t);
  endfunction

  // Rule D is a multiply that keeps the upper half, then a shift: t = 31 - shift, and a shift to the left comes first,
  // saturated to 32 bits. Sums above 32 bits take rule S instead; a residual never is one.
  localparam bit DoubleSum = RULE == 1 && ACC_BITS <= 32;
  localparam bit DoubleResidual = RULE == 1;
  localparam logic [T-1:0] High = 6'd31;

  function automatic logic signed [W-1:0] before_product(logic signed [W-1:0] x, logic [T-1:0] t, bit twice);
    logic signed [W-1:0] left;
    left = x <<< (High - t);
    if (!twice || t >= High) before_product = x;
    else before_product = left > W'(64'sd2147483647) ? W'(64'sd2147483647) :
                          left < -W'(64'sd2147483648) ? -W'(64'sd2147483648) : left;
  endfunction

  function automatic logic signed [W-1:0] round_shift(logic signed [W-1:0] x, logic [T-1:0] t, bit twice);
    if (twice) round_shift = t > High ? nearest_away(nearest_up(x, High), t - High) : nearest_up(x, High);
    else if (RULE == 3) round_shift = nearest_away(x, t);
    else round_shift = nearest_up(x, t);
  endfunction

  function automatic logic signed [W-1:0] clamp(logic signed [W-1:0] y, logic signed [W-1:0] low,
                                                logic signed [W-1:0] high);
`ifdef ERGON_MUTANT_CLAMP
    clamp = y < low ? low : y >= high ? high - W'(64'sd1) : y;  // the upper limit off by one
`else
    clamp = y < low ? low : y > high ? high : y;
`endif
  endfunction

  always_ff @(posedge clk_i)
    if (en_i) begin
      if (c_req_o)
        for (int c = 0; c < COLS; c++) begin
          bias_q[c] <= bias_i[c*ACC_BITS+:ACC_BITS];
          mult1_q[c] <= mult_i[c*M+:M];
          t1_q[c] <= t_i[c*T+:T];
        end
      if (v1_q) begin
        for (int c = 0; c < COLS; c++) x2_q[c] <= sum_i[c*ACC_BITS+:ACC_BITS] + bias_q[c];
        if (res_en_i)
          for (int c = 0; c < COLS; c++)
            res2_q[c] <= 32'($signed(r_data_i[c*ACTIVATION_BITS+:ACTIVATION_BITS])) - 32'(res_zero_point_i);
        if (first1_q)
          for (int c = 0; c < COLS; c++) begin
            mult2_q[c] <= mult1_q[c];
            t2_q[c] <= t1_q[c];
          end
      end
      if (v2_q) begin
        for (int c = 0; c < COLS; c++) x3_q[c] <= before_product(W'(x2_q[c]), t2_q[c], DoubleSum) * W'(mult2_q[c]);
        if (res_en_i) for (int c = 0; c < COLS; c++) res3_q[c] <= before_product(W'(res2_q[c]), res_t_i, DoubleResidual) * W'(res_mult_i);
        if (first2_q) for (int c = 0; c < COLS; c++) t3_q[c] <= t2_q[c];
      end
      if (v3_q) begin
        for (int c = 0; c < COLS; c++) x4_q[c] <= round_shift(x3_q[c], t3_q[c], DoubleSum);
        for (int c = 0; c < COLS; c++) res4_q[c] <= res_en_i ? round_shift(res3_q[c], res_t_i, DoubleResidual) : '0;
      end
    end

  logic [COLS*OUTPUT_BITS-1:0] y;
  always_comb
    for (int c = 0; c < COLS; c++)
      y[c*OUTPUT_BITS+:OUTPUT_BITS] = OUTPUT_BITS'(
          clamp(W'(zero_point_i) + x4_q[c] + res4_q[c], W'(low_i), W'(high_i)));

  logic y_valid_d, done_d;
  assign y_valid_d = en_i & v4_q;  // a frozen cycle must not show a row twice
  assign done_d = en_i & v4_q & final4_q;

  always_ff @(posedge clk_i)
    if (!rst_ni) begin
      {v1_q, v2_q, v3_q, v4_q, first1_q, first2_q, final1_q, final2_q, final3_q, final4_q} <= '0;
    end else if (en_i) begin
      {v1_q, v2_q, v3_q, v4_q} <= {coming_i, v1_q, v2_q, v3_q};
      {first1_q, first2_q} <= {coming_first_i, first1_q};
      {final1_q, final2_q, final3_q, final4_q} <= {coming_final_i, final1_q, final2_q, final3_q};
    end

`ifdef ERGON_MUTANT_EXTRA_REGISTER
  logic y_valid_q, done_q;
  logic [COLS*OUTPUT_BITS-1:0] y_q;
  always_ff @(posedge clk_i) begin
    y_valid_q <= rst_ni & y_valid_d;
    done_q <= rst_ni & (done_q | done_d);
    if (y_valid_d) y_q <= y;
    y_valid_o <= rst_ni & y_valid_q;
    done_o <= rst_ni & (done_o | done_q);
    if (y_valid_q) y_o <= y_q;
  end
`else
  always_ff @(posedge clk_i) begin
    y_valid_o <= rst_ni & y_valid_d;
    done_o <= rst_ni & (done_o | done_d);
    if (y_valid_d) y_o <= y;
  end
`endif
endmodule
