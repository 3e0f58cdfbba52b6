// SPDX-License-Identifier: GPL-3.0-or-later
// The weight-stationary array as textbooks write it: a module a cell, nonblocking registers, wires between instances. It has
// the ports, bits and cycles of rtl/ergon_array.sv and stands in its place in the bench.
module textbook_cell #(
    parameter int WEIGHT_BITS = 8,
    parameter int ACTIVATION_BITS = 8,
    parameter int ACC_BITS = 32
) (
    input  logic                              clk_i,
    input  logic                              rst_ni,
    input  logic                              en_i,
    input  logic                              load_i,   // the shadow takes w_i
    input  logic signed [WEIGHT_BITS-1:0]     w_i,
    input  logic                              first_i,  // the shadow becomes the working weight
    input  logic signed [ACTIVATION_BITS-1:0] a_i,
    input  logic signed [ACC_BITS-1:0]        p_i,
    output logic                              first_o,
    output logic signed [ACTIVATION_BITS-1:0] a_o,
    output logic signed [ACC_BITS-1:0]        p_o
);
  logic signed [WEIGHT_BITS-1:0] w_q, shadow_q, w;
  assign w = first_i ? shadow_q : w_q;
  always_ff @(posedge clk_i)
    if (en_i) begin
      w_q <= w;
      a_o <= a_i;
      p_o <= p_i + ACC_BITS'(a_i * w);
      if (load_i) shadow_q <= w_i;
    end
  always_ff @(posedge clk_i)
    if (!rst_ni) first_o <= 1'b0;
    else if (en_i) first_o <= first_i;
endmodule

module ergon_array #(
    parameter int ROWS = 16,
    parameter int COLS = 16,
    parameter int WEIGHT_BITS = 8,
    parameter int ACTIVATION_BITS = 8,
    parameter int ACC_BITS = 32,
    parameter int LOAD_BITS = 4
) (
    input  logic                            clk_i,
    input  logic                            rst_ni,
    input  logic                            en_i,
    input  logic                            w_valid_i,
    input  logic [LOAD_BITS-1:0]            w_row_i,
    input  logic [COLS*WEIGHT_BITS-1:0]     w_data_i,
    input  logic                            a_first_i,
    input  logic [ROWS*ACTIVATION_BITS-1:0] a_data_i,
    output logic [COLS*ACC_BITS-1:0]        psum_o
);
  // packed, which simulates faster than unpacked wires
  logic [ROWS-1:0][COLS:0][ACTIVATION_BITS-1:0] a;
  logic [ROWS:0][COLS-1:0][ACC_BITS-1:0] p;
  logic [ROWS-1:0][COLS:0] first;

  for (genvar r = 0; r < ROWS; r++) begin : gen_row
    // element r enters r cycles late; so does the flag that comes with it
    logic signed [ACTIVATION_BITS-1:0] line_q[r+1];
    logic flag_q[r+1];
    assign line_q[0] = a_data_i[r*ACTIVATION_BITS+:ACTIVATION_BITS];
    assign flag_q[0] = a_first_i;
    for (genvar s = 1; s <= r; s++) begin : gen_late
      always_ff @(posedge clk_i) if (en_i) line_q[s] <= line_q[s-1];
      always_ff @(posedge clk_i)
        if (!rst_ni) flag_q[s] <= 1'b0;
        else if (en_i) flag_q[s] <= flag_q[s-1];
    end
    assign a[r][0] = line_q[r];
    assign first[r][0] = flag_q[r];
  end

  for (genvar c = 0; c < COLS; c++) begin : gen_column
    // column c takes its weights c cycles late
    logic signed [WEIGHT_BITS-1:0] w_line_q[c+1];
    logic [LOAD_BITS-1:0] row_q[c+1];
    logic valid_q[c+1];
    assign w_line_q[0] = w_data_i[c*WEIGHT_BITS+:WEIGHT_BITS];
    assign row_q[0] = w_row_i;
    assign valid_q[0] = w_valid_i;
    for (genvar s = 1; s <= c; s++) begin : gen_late
      always_ff @(posedge clk_i)
        if (en_i) begin
          w_line_q[s] <= w_line_q[s-1];
          row_q[s] <= row_q[s-1];
        end
      always_ff @(posedge clk_i)
        if (!rst_ni) valid_q[s] <= 1'b0;
        else if (en_i) valid_q[s] <= valid_q[s-1];
    end
    assign p[0][c] = '0;
    for (genvar r = 0; r < ROWS; r++) begin : gen_cell
      textbook_cell #(
          .WEIGHT_BITS(WEIGHT_BITS),
          .ACTIVATION_BITS(ACTIVATION_BITS),
          .ACC_BITS(ACC_BITS)
      ) u_cell (
          .clk_i, .rst_ni, .en_i, .load_i(valid_q[c] & (row_q[c] == LOAD_BITS'(r))), .w_i(w_line_q[c]),
          .first_i(first[r][c]), .a_i(a[r][c]), .p_i(p[r][c]), .first_o(first[r][c+1]),
          .a_o(a[r][c+1]), .p_o(p[r+1][c])
      );
    end
    // and waits below for the last one
    logic signed [ACC_BITS-1:0] wait_q[COLS-c];
    assign wait_q[0] = p[ROWS][c];
    for (genvar s = 1; s < COLS - c; s++) begin : gen_wait
      always_ff @(posedge clk_i) if (en_i) wait_q[s] <= wait_q[s-1];
    end
    assign psum_o[c*ACC_BITS+:ACC_BITS] = wait_q[COLS-1-c];
  end
endmodule
