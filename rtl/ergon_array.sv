// SPDX-License-Identifier: Apache-2.0
// ROWS x COLS multiply-accumulate cells, weight-stationary. Activations move right, partial sums move down; element r
// of an activation row enters r cycles late, column c leaves C-1-c cycles early and waits, so that a row given in cycle
// T stands aligned at psum_o in cycle T + R + C - 1. Every cell has a working weight and a shadow one: the coming
// fold's weights are written by row address into the shadows, column c being c cycles late, and the wave of the fold's
// first activation row turns shadows into working weights as it passes.
//
// Written as loops over flat arrays with in-place updates, bottom row and right column first, so that every cell reads
// its neighbours' old values; operands are kept sign-extended to 32 bits. Simulators turn this into straight code, one
// kind of statement after the other so that a compiler finds vectors in it, and synthesis drops the doubled sign bits.
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
    input  logic                            a_first_i,  // this row is the first of its fold
    input  logic [ROWS*ACTIVATION_BITS-1:0] a_data_i,
    output logic [COLS*ACC_BITS-1:0]        psum_o
);
  localparam int Cells = ROWS * COLS;
  localparam int Wave = ROWS + COLS - 1;

  logic signed [31:0] w_q[Cells];          // working weights
  logic signed [31:0] shadow_q[Cells];
  logic signed [31:0] a_q[Cells];
  logic signed [ACC_BITS-1:0] p_q[Cells];
  logic signed [ACC_BITS-1:0] wait_q[COLS*COLS];  // column c, age s at c*COLS + s
  logic [Wave-2:0] wave_q;                 // the first row of a fold, d + 1 cycles ago

  // Delay lines hold whole rows; element i is taken from age i, so bits beyond are never read and vanish.
  logic [ROWS*ACTIVATION_BITS-1:0] a_line_q[ROWS];
  logic [COLS*WEIGHT_BITS-1:0] w_line_q[COLS];
  logic [LOAD_BITS-1:0] row_line_q[COLS];
  logic [COLS-1:0] w_valid_q;

`ifdef ERGON_MUTANT_SKEW
  localparam int LateRow = 1;  // this row enters a cycle late
`else
  localparam int LateRow = -1;
`endif

  // Activations as they enter the left column in this cycle.
  logic signed [31:0] enter[ROWS];
  always_comb begin
    enter[0] = 32'($signed(a_data_i[0+:ACTIVATION_BITS]));
    for (int r = 1; r < ROWS; r++)
      enter[r] = 32'($signed(a_line_q[r == LateRow ? r : r-1][r*ACTIVATION_BITS+:ACTIVATION_BITS]));
  end

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
      for (int i = Cells - 1; i >= COLS; i--) p_q[i] = p_q[i-COLS] + ACC_BITS'(a_q[i] * w_q[i]);
      for (int i = COLS - 1; i >= 0; i--) p_q[i] = ACC_BITS'(a_q[i] * w_q[i]);

      // What leaves is assigned without blocking: whoever reads it at this very edge reads the old row in any simulator.
      for (int c = 0; c < COLS; c++)
        psum_o[c*ACC_BITS+:ACC_BITS] <=
            c == COLS - 1 ? p_q[(ROWS-1)*COLS+c] : wait_q[c*COLS+(c == COLS-1 ? 0 : COLS-2-c)];

      for (int s = ROWS - 1; s > 0; s--) a_line_q[s] = a_line_q[s-1];
      a_line_q[0] = a_data_i;

      // Shadows last: a cell may hand its old shadow over in the very cycle its new one arrives.
      if (w_valid_i | (|w_valid_q)) begin
        if (w_valid_i) shadow_q[32'(w_row_i)*COLS] = 32'($signed(w_data_i[0+:WEIGHT_BITS]));
        for (int c = 1; c < COLS; c++)
          if (w_valid_q[c-1])
            shadow_q[32'(row_line_q[c-1])*COLS+c] = 32'($signed(w_line_q[c-1][c*WEIGHT_BITS+:WEIGHT_BITS]));
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
