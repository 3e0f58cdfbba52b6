// SPDX-License-Identifier: GPL-3.0-or-later
// Ergon's own array behind the ports of a foreign one. It takes nothing unless all it asks for is there, which these
// handshakes allow: ready may depend on valid.
module house_array #(
    parameter int ROWS = 16,
    parameter int COLS = 16,
    parameter int WEIGHT_BITS = 8,
    parameter int ACTIVATION_BITS = 8,
    parameter int ACC_BITS = 32,
    parameter int ACC_DEPTH = 1024
) (
    input  logic                            clk_i,
    input  logic                            rst_ni,
    input  logic signed [16:0]              zero_point_i,
    input  logic signed [16:0]              low_i,
    input  logic signed [16:0]              high_i,
    input  logic                            res_en_i,
    input  logic signed [16:0]              res_zero_point_i,
    input  logic signed [31:0]              res_mult_i,
    input  logic [5:0]                      res_t_i,
    input  logic                            w_valid_i,
    output logic                            w_ready_o,
    input  logic [COLS*WEIGHT_BITS-1:0]     w_data_i,
    input  logic [16:0]                     m_rows_i,
    input  logic                            k_first_i,
    input  logic                            k_last_i,
    input  logic                            last_i,
    input  logic                            a_valid_i,
    output logic                            a_ready_o,
    input  logic [ROWS*ACTIVATION_BITS-1:0] a_data_i,
    input  logic                            c_valid_i,
    output logic                            c_ready_o,
    input  logic [COLS*ACC_BITS-1:0]        bias_i,
    input  logic [COLS*32-1:0]              mult_i,
    input  logic [COLS*6-1:0]               t_i,
    input  logic                            r_valid_i,
    output logic                            r_ready_o,
    input  logic [COLS*ACTIVATION_BITS-1:0] r_data_i,
    output logic                            y_valid_o,
    output logic [COLS*ACTIVATION_BITS-1:0] y_o
);
  logic w_req, a_req, c_req, r_req, all;
  assign all = ~((w_req & ~w_valid_i) | (a_req & ~a_valid_i) | (c_req & ~c_valid_i) | (r_req & ~r_valid_i));
  assign w_ready_o = w_req & all;
  assign a_ready_o = a_req & all;
  assign c_ready_o = c_req & all;
  assign r_ready_o = r_req & all;
  ergon_top #(
      .ROWS(ROWS),
      .COLS(COLS),
      .WEIGHT_BITS(WEIGHT_BITS),
      .ACTIVATION_BITS(ACTIVATION_BITS),
      .ACC_BITS(ACC_BITS),
      .ACC_DEPTH(ACC_DEPTH)
  ) u_top (
      .w_req_o(w_req), .a_req_o(a_req), .c_req_o(c_req), .r_req_o(r_req), .w_row_o(), .done_o(), .cycles_o(),
      .frozen_o(), .epilogue_depth_o(), .*
  );
endmodule
