// SPDX-License-Identifier: Apache-2.0
// A device under test to copy from: one weight and one activation a cycle into a 32-bit accumulator; after the last
// pair of a dot product bias, requantization by rule S, zero point and clamp, in one cycle.
module dot_unit (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               valid_i,
  input  logic               last_i,
  input  logic signed [ 7:0] x_i,
  input  logic signed [ 7:0] w_i,
  input  logic signed [ 7:0] x_zero_point_i,
  input  logic signed [31:0] bias_i,
  input  logic signed [31:0] multiplier_i,
  input  logic signed [ 5:0] shift_i,
  input  logic signed [ 7:0] zero_point_i,
  output logic               valid_o,
  output logic signed [ 7:0] y_o
);
  logic signed [31:0] sum_q, sum_d;
  logic signed [63:0] product, rounded, scaled, shifted;
  logic [5:0] right;

  always_comb begin
    sum_d   = sum_q + (32'(x_i) - 32'(x_zero_point_i)) * 32'(w_i);
    right   = 6'(6'sd31 - shift_i);
    product = 64'(32'(sum_d + bias_i)) * 64'(multiplier_i);
`ifdef DOT_UNIT_BUG  // truncates where rule S rounds: what a first version often does
    rounded = 64'sd0;
`else
    rounded = (right == 6'd0) ? 64'sd0 : 64'sd1 <<< (right - 6'd1);
`endif
    scaled  = (product + rounded) >>> right;
    shifted = scaled + 64'(zero_point_i);
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      sum_q   <= '0;
      valid_o <= 1'b0;
      y_o     <= '0;
    end else begin
      valid_o <= valid_i && last_i;
      if (valid_i) sum_q <= last_i ? '0 : sum_d;
      if (valid_i && last_i) y_o <= (shifted > 127) ? 8'sd127 : (shifted < -128) ? -8'sd128 : 8'(shifted);
    end
  end
endmodule
