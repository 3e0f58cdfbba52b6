// SPDX-License-Identifier: Apache-2.0
// An array unlike Ergon's behind the ports of `ergon verify --dut-template`: one dot-product unit, ROWS multipliers
// and an adder tree, that visits the columns one after the other. One epilogue serves them all, in the same cycle. An
// activation row takes COLS cycles; the next weights come when a fold is over.
module dot_product #(
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
    output logic [COLS*ACTIVATION_BITS-1:0] y_o,
    output logic [COLS*ACC_BITS-1:0]        acc_o
);
  localparam int MemoryBits = $clog2(ACC_DEPTH * COLS);

  // A fold: its weights, and how far it has come.
  logic [COLS*WEIGHT_BITS-1:0] w_q[ROWS];
  logic [$clog2(ROWS):0] load_q;  // weight rows taken; ROWS: all
  logic [16:0] m_rows_q, row_q;
  logic k_first_q, k_last_q;
  // The activation row at work, the column it has come to, and what its outputs need.
  logic busy_q, constants_q, residual_q;
  logic [$clog2(COLS)-1:0] col_q;
  logic [ROWS*ACTIVATION_BITS-1:0] a_q;
  logic [COLS*ACC_BITS-1:0] bias_q;
  logic [COLS*32-1:0] mult_q;
  logic [COLS*6-1:0] t_q;
  logic [COLS*ACTIVATION_BITS-1:0] r_q;
  logic [ACC_BITS-1:0] sums_q[ACC_DEPTH*COLS];  // between folds

  logic loaded, go, last_col, last_row;
  assign loaded = load_q == ($clog2(ROWS)+1)'(ROWS);
  assign w_ready_o = ~loaded;
  assign a_ready_o = loaded & ~busy_q;
  assign c_ready_o = busy_q & k_last_q & ~constants_q;
  assign r_ready_o = busy_q & k_last_q & res_en_i & ~residual_q;
  assign go = busy_q & (~k_last_q | (constants_q & (residual_q | ~res_en_i)));
  assign last_col = col_q == ($clog2(COLS))'(COLS - 1);
  assign last_row = row_q == m_rows_q - 1'b1;

  logic [MemoryBits-1:0] address;
  assign address = MemoryBits'(row_q) * MemoryBits'(COLS) + MemoryBits'(col_q);

  logic signed [ACC_BITS-1:0] dot, sum, acc;
  always_comb begin
    dot = '0;
    for (int r = 0; r < ROWS; r++)
      dot = dot + ACC_BITS'($signed(a_q[r*ACTIVATION_BITS+:ACTIVATION_BITS])) *
                  ACC_BITS'($signed(w_q[r][32'(col_q)*WEIGHT_BITS+:WEIGHT_BITS]));
    sum = dot + (k_first_q ? '0 : sums_q[address]);
    acc = sum + bias_q[32'(col_q)*ACC_BITS+:ACC_BITS];
  end

  function automatic logic signed [63:0] requantize(logic signed [63:0] x, logic signed [63:0] m, logic [5:0] t);
    return (x * m + (64'sd1 <<< (t - 6'd1))) >>> t;
  endfunction

  logic signed [31:0] residual;
  logic signed [63:0] y;
  always_comb begin
    residual = 32'($signed(r_q[32'(col_q)*ACTIVATION_BITS+:ACTIVATION_BITS])) - 32'(res_zero_point_i);
    y = 64'(zero_point_i) + requantize(64'(acc), 64'($signed(mult_q[32'(col_q)*32+:32])), t_q[32'(col_q)*6+:6]);
    if (res_en_i) y = y + requantize(64'(residual), 64'(res_mult_i), res_t_i);
    if (y < 64'(low_i)) y = 64'(low_i);
    if (y > 64'(high_i)) y = 64'(high_i);
  end

  always_ff @(posedge clk_i)
    if (!rst_ni) begin
      load_q <= '0;
      row_q <= '0;
      col_q <= '0;
      {busy_q, constants_q, residual_q, y_valid_o} <= '0;
    end else begin
      y_valid_o <= 1'b0;
      if (w_valid_i & w_ready_o) begin
        w_q[load_q[$clog2(ROWS)-1:0]] <= w_data_i;
        load_q <= load_q + 1'b1;
        {m_rows_q, k_first_q, k_last_q} <= {m_rows_i, k_first_i, k_last_i};
      end
      if (a_valid_i & a_ready_o) {a_q, busy_q} <= {a_data_i, 1'b1};
      if (c_valid_i & c_ready_o) {bias_q, mult_q, t_q, constants_q} <= {bias_i, mult_i, t_i, 1'b1};
      if (r_valid_i & r_ready_o) {r_q, residual_q} <= {r_data_i, 1'b1};
      if (go) begin
        if (k_last_q) begin
          y_o[32'(col_q)*ACTIVATION_BITS+:ACTIVATION_BITS] <= ACTIVATION_BITS'(y);
          acc_o[32'(col_q)*ACC_BITS+:ACC_BITS] <= acc;
        end else begin
          sums_q[address] <= sum;
        end
        col_q <= last_col ? '0 : col_q + 1'b1;
        if (last_col) begin
          {busy_q, residual_q} <= '0;
          y_valid_o <= k_last_q;
          row_q <= last_row ? '0 : row_q + 1'b1;
          if (last_row) {load_q, constants_q} <= '0;
        end
      end
    end

  logic unused;  // the array need not know when a layer ends: it gives a row as soon as it can
  assign unused = last_i;
endmodule
