// SPDX-License-Identifier: Apache-2.0
// A pointwise table of 2^CODE_BITS codes behind a row of outputs (sigmoid, GELU, any gate): y = table[code + half], one
// cycle later; switched off, the code itself, one cycle later too. Entry `write_row_i` belongs to code
// write_row_i - 2^(CODE_BITS-1). Written a word a cycle, while no row comes.
module ergon_gate #(
    parameter int COLS = 16,
    parameter int CODE_BITS = 8  // 2..16
) (
    input  logic                      clk_i,
    input  logic                      rst_ni,
    input  logic                      on_i,
    input  logic                      write_i,
    input  logic [CODE_BITS-1:0]      write_row_i,
    input  logic [CODE_BITS-1:0]      write_data_i,
    input  logic                      valid_i,
    input  logic [COLS*CODE_BITS-1:0] code_i,
    output logic                      y_valid_o,
    output logic [COLS*CODE_BITS-1:0] y_o
);
  localparam logic [CODE_BITS-1:0] Half = {1'b1, (CODE_BITS - 1)'(0)};
  logic [CODE_BITS-1:0] table_q[2**CODE_BITS];

  always_ff @(posedge clk_i) begin
    if (write_i) table_q[write_row_i] <= write_data_i;
    if (valid_i)
      for (int c = 0; c < COLS; c++)
        y_o[c*CODE_BITS+:CODE_BITS] <= on_i ? table_q[code_i[c*CODE_BITS+:CODE_BITS]^Half] : code_i[c*CODE_BITS+:CODE_BITS];
    y_valid_o <= rst_ni & valid_i;
  end
endmodule
