// SPDX-License-Identifier: Apache-2.0
// The weight-stationary array of ergon_array with precision-scalable cells (structure: H. Sharma et al., Bit Fusion, ISCA
// 2018). A cell is sixteen blocks, each a product of two bits by two. They are summed together into one product of 8 x 8
// bits, two of 8 x 4, four of 4 x 4 or 8 x 2, eight of 4 x 2, sixteen of 2 x 2: a word of 32 bits at each side holds that
// many codes, neighbours in K, and their products go into one sum. The widths are an input.
module ergon_array_scalable #(
    parameter int ROWS = 16,
    parameter int COLS = 16,
    parameter int ACC_BITS = 32,
    parameter int LOAD_BITS = 4
) (
    input  logic                            clk_i,
    input  logic                            rst_ni,
    input  logic                            en_i,
    // log2 of two-bit slices a code: 0, 1, 2 for 2, 4, 8 bits
    input  logic [1:0]                      w_log_i,
    input  logic [1:0]                      a_log_i,
    input  logic                            w_valid_i,
    input  logic [LOAD_BITS-1:0]            w_row_i,
    input  logic [COLS*32-1:0]              w_data_i,
    input  logic                            a_first_i,  // this row is the first of its fold
    input  logic [ROWS*32-1:0]              a_data_i,
    output logic [COLS*ACC_BITS-1:0]        psum_o
);
  localparam int Word = 32;
  localparam int Blocks = 16;
  localparam int Cells = ROWS * COLS;
  localparam int Wave = ROWS + COLS - 1;

  logic [31:0] w_q[Cells];          // working weights
  logic [31:0] shadow_q[Cells];
  logic [31:0] a_q[Cells];
  logic signed [ACC_BITS-1:0] p_q[Cells];
  logic signed [ACC_BITS-1:0] wait_q[COLS*COLS];  // column c, age s at c*COLS + s
  logic [Wave-2:0] wave_q;                 // the first row of a fold, d + 1 cycles ago

  // Delay lines hold whole rows; element i is taken from age i, so bits beyond are never read and vanish.
  logic [ROWS*Word-1:0] a_line_q[ROWS];
  logic [COLS*Word-1:0] w_line_q[COLS];
  logic [LOAD_BITS-1:0] row_line_q[COLS];
  logic [COLS-1:0] w_valid_q;

`ifdef ERGON_MUTANT_SKEW
  localparam int LateRow = 1;  // this row enters a cycle late
`else
  localparam int LateRow = -1;
`endif

  // Activations as they enter the left column in this cycle.
  logic [31:0] enter[ROWS];
  always_comb begin
    enter[0] = a_data_i[0+:Word];
    for (int r = 1; r < ROWS; r++)
      enter[r] = a_line_q[r == LateRow ? r : r-1][r*Word+:Word];
  end

  // Block b is slice j of the activation by slice i of the weight of product p, b = (p * slices of w + i) * slices of a + j.
  // A code's highest slice is signed.
  function automatic logic signed [31:0] fuse(input logic [31:0] w, input logic [31:0] a, input logic [1:0] w_log,
                                              input logic [1:0] a_log);
    /* verilator no_inline_task */
    logic signed [31:0] sum;
    logic signed [2:0] x, y;
    logic signed [5:0] product;
    logic [3:0] i, j, p;
    logic [4:0] w_at, a_at;
    sum = '0;
    for (int b = 0; b < Blocks; b++) begin
      j = 4'(b) & ~(4'd15 << a_log);
      i = (4'(b) >> a_log) & ~(4'd15 << w_log);
      p = (4'(b) >> a_log) >> w_log;
      w_at = {(p << w_log) | i, 1'b0};
      a_at = {(p << a_log) | j, 1'b0};
`ifdef ERGON_MUTANT_SIGN
      x = $signed({w[w_at+5'd1], w[w_at+:2]});  // every slice signed
`else
      x = $signed({w[w_at+5'd1] & (i == ~(4'd15 << w_log)), w[w_at+:2]});
`endif
      y = $signed({a[a_at+5'd1] & (j == ~(4'd15 << a_log)), a[a_at+:2]});
      product = 6'(x) * 6'(y);
      sum = sum + (32'(product) <<< {i + j, 1'b0});
    end
    fuse = sum;
  endfunction

  logic [Wave-1:0] wave;
  assign wave = {wave_q, a_first_i};

  always_ff @(posedge clk_i) begin
    if (en_i) begin
      for (int d = 0; d < Wave; d++)
        if (wave[d])
          for (int r = 0; r < ROWS; r++)
            if (d - r >= 0 && d - r < COLS) w_q[r*COLS+d-r] = shadow_q[r*COLS+d-r];

      for (int c = 0; c < COLS - 1; c++) begin
        for (int s = COLS - 2 - c; s > 0; s--) wait_q[c*COLS+s] = wait_q[c*COLS+s-1];
        wait_q[c*COLS] = p_q[(ROWS-1)*COLS+c];
      end

      for (int r = 0; r < ROWS; r++)
        for (int c = COLS - 1; c >= 0; c--) a_q[r*COLS+c] = c == 0 ? enter[r] : a_q[r*COLS+(c == 0 ? 0 : c-1)];
      for (int i = Cells - 1; i >= COLS; i--) p_q[i] = p_q[i-COLS] + ACC_BITS'(fuse(w_q[i], a_q[i], w_log_i, a_log_i));
      for (int i = COLS - 1; i >= 0; i--) p_q[i] = ACC_BITS'(fuse(w_q[i], a_q[i], w_log_i, a_log_i));

      // What leaves is assigned without blocking: whoever reads it at this very edge reads the old row in any simulator.
      for (int c = 0; c < COLS; c++)
        psum_o[c*ACC_BITS+:ACC_BITS] <=
            c == COLS - 1 ? p_q[(ROWS-1)*COLS+c] : wait_q[c*COLS+(c == COLS-1 ? 0 : COLS-2-c)];

      for (int s = ROWS - 1; s > 0; s--) a_line_q[s] = a_line_q[s-1];
      a_line_q[0] = a_data_i;

      // Shadows last: a cell may hand its old shadow over in the very cycle its new one arrives.
      if (w_valid_i | (|w_valid_q)) begin
        if (w_valid_i) shadow_q[32'(w_row_i)*COLS] = w_data_i[0+:Word];
        for (int c = 1; c < COLS; c++)
          if (w_valid_q[c-1])
            shadow_q[32'(row_line_q[c-1])*COLS+c] = w_line_q[c-1][c*Word+:Word];
        for (int s = COLS - 1; s > 0; s--) begin
          w_line_q[s] = w_line_q[s-1];
          row_line_q[s] = row_line_q[s-1];
        end
        w_line_q[0] = w_data_i;
        row_line_q[0] = w_row_i;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      wave_q <= '0;
      w_valid_q <= '0;
    end else if (en_i) begin
      wave_q <= wave[Wave-2:0];
      w_valid_q <= {w_valid_q[COLS-2:0], w_valid_i};
    end
  end
endmodule
