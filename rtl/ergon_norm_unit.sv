// SPDX-License-Identifier: Apache-2.0
// The unit behind the array's epilogue: statistics of the rows that leave it, 1 / sigma, the second pass of a dynamic
// norm, a pointwise table. With norm_i low a row goes to the table as it comes.
module ergon_norm_unit #(
    parameter int COLS = 16,
    parameter int CODE_BITS = 8,
    parameter int COUNT_BITS = 20,
    parameter int DEPTH = 1024
) (
    input  logic                                     clk_i,
    input  logic                                     rst_ni,
    input  logic                                     per_row_i,
    input  logic                                     centred_i,
    input  logic [62:0]                              epsilon_i,
    input  logic [COUNT_BITS:0]                      count_i,
    input  logic signed [CODE_BITS-1:0]              in_zero_point_i,
    input  logic [5:0]                               t_i,
    input  logic signed [16:0]                       zero_point_i,
    input  logic signed [16:0]                       low_i,
    input  logic signed [16:0]                       high_i,
    // first pass
    input  logic                                     gather_valid_i,
    input  logic                                     gather_first_i,
    input  logic [$clog2(DEPTH)-1:0]                 gather_row_i,
    input  logic [$clog2(COLS+1)-1:0]                gather_cols_i,
    input  logic [COLS*CODE_BITS-1:0]                gather_code_i,
    input  logic [$clog2(DEPTH)-1:0]                 read_i,
    output logic signed [CODE_BITS+COUNT_BITS:0]     gathered_sum_o,
    output logic [2*CODE_BITS+COUNT_BITS-1:0]        gathered_squares_o,
    // 1 / sigma
    input  logic                                     start_i,
    output logic                                     done_o,
    output logic signed [CODE_BITS+COUNT_BITS:0]     sum_o,
    output logic [31:0]                              inverse_o,
    output logic [5:0]                               shift_o,
    // second pass
    input  logic                                     norm_i,
    input  logic                                     valid_i,
    input  logic [COLS*CODE_BITS-1:0]                code_i,
    input  logic                                     fresh_i,
    input  logic [COLS*(CODE_BITS+COUNT_BITS+1)-1:0] sum_i,
    input  logic [COLS*32-1:0]                       inverse_i,
    input  logic [COLS*6-1:0]                        shift_i,
    input  logic [COLS*32-1:0]                       mult_i,
    input  logic [COLS*64-1:0]                       bias_i,
    // table
    input  logic                                     gate_i,
    input  logic                                     write_i,
    input  logic [CODE_BITS-1:0]                     write_row_i,
    input  logic [CODE_BITS-1:0]                     write_data_i,
    output logic                                     y_valid_o,
    output logic [COLS*CODE_BITS-1:0]                y_o
);
  ergon_norm_gather #(
      .COLS(COLS), .CODE_BITS(CODE_BITS), .COUNT_BITS(COUNT_BITS), .DEPTH(DEPTH)
  ) u_gather (
      .clk_i, .rst_ni, .per_row_i, .zero_point_i(in_zero_point_i), .valid_i(gather_valid_i), .first_i(gather_first_i),
      .row_i(gather_row_i), .cols_i(gather_cols_i), .code_i(gather_code_i), .read_i, .sum_o(gathered_sum_o),
      .squares_o(gathered_squares_o)
  );
  ergon_norm_scale #(
      .CODE_BITS(CODE_BITS), .COUNT_BITS(COUNT_BITS)
  ) u_scale (
      .clk_i, .rst_ni, .start_i, .centred_i, .epsilon_i, .count_i, .sum_i(gathered_sum_o),
      .squares_i(gathered_squares_o), .done_o, .sum_o, .inverse_o, .shift_o
  );
  logic valid;
  logic [COLS*CODE_BITS-1:0] code;
  ergon_norm #(
      .COLS(COLS), .CODE_BITS(CODE_BITS), .COUNT_BITS(COUNT_BITS), .OUTPUT_BITS(CODE_BITS)
  ) u_norm (
      .clk_i, .rst_ni, .per_row_i, .count_i, .in_zero_point_i, .t_i, .zero_point_i, .low_i, .high_i, .valid_i(valid_i & norm_i),
      .code_i, .fresh_i, .sum_i, .inverse_i, .shift_i, .mult_i, .bias_i, .y_valid_o(valid), .y_o(code)
  );
  ergon_gate #(
      .COLS(COLS), .CODE_BITS(CODE_BITS)
  ) u_gate (
      .clk_i, .rst_ni, .on_i(gate_i), .write_i, .write_row_i, .write_data_i, .valid_i(norm_i ? valid : valid_i),
      .code_i(norm_i ? code : code_i), .y_valid_o, .y_o
  );
endmodule
