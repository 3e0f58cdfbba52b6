// SPDX-License-Identifier: Apache-2.0
// ROWS x COLS multiply-accumulate cells, output-stationary: a cell keeps the sum of one output while K goes by.
// Activations move right, weights move down; element r of an activation column enters r cycles late, element c of a
// weight row c cycles late, so that cell (r, c) meets step k of a fold r + c cycles after it was given. capture_i comes
// one cycle behind the last step: the wave it starts moves each sum into the cell's drain register and clears it, in
// time for the next fold's first step. When a column's bottom cell has its sum, the column moves down, a row a cycle.
//
// A cell takes what the one above drains only while an older sum is still up there (row > slot): from then on it may
// hold the next fold's. That needs R cycles between captures, which the sequencer keeps.
module ergon_array_os #(
    parameter int ROWS = 16,
    parameter int COLS = 16,
    parameter int WEIGHT_BITS = 8,
    parameter int ACTIVATION_BITS = 8,
    parameter int ACC_BITS = 32,
    parameter int SLOT_BITS = 4
) (
    input  logic                            clk_i,
    input  logic                            rst_ni,
    input  logic                            en_i,
    input  logic                            take_i,     // a step is given; else zeros pass
    input  logic [COLS*WEIGHT_BITS-1:0]     w_data_i,
    input  logic [ROWS*ACTIVATION_BITS-1:0] a_data_i,
    input  logic                            capture_i,
    // what column c drains in the next cycle: slot s, the cell that stood in row ROWS - 1 - s
    input  logic [COLS-1:0]                 drain_i,
    input  logic [COLS*SLOT_BITS-1:0]       slot_i,
    // a slot stands aligned below the cells, R + C - 1 cycles behind its number; one cycle later it is at sum_o
    input  logic                            valid_i,
    output logic [COLS*ACC_BITS-1:0]        sum_o
);
  localparam int Cells = ROWS * COLS;
  localparam int Wave = ROWS + COLS - 1;

  logic signed [31:0] w_q[Cells];
  logic signed [31:0] a_q[Cells];
  logic signed [ACC_BITS-1:0] p_q[Cells];
  logic signed [ACC_BITS-1:0] shadow_q[Cells];    // draining
  logic signed [ACC_BITS-1:0] wait_q[COLS*COLS];  // column c, age s at c*COLS + s
  logic [Wave-2:0] wave_q;

  logic [ROWS*ACTIVATION_BITS-1:0] a_line_q[ROWS];
  logic [COLS*WEIGHT_BITS-1:0] w_line_q[COLS];

`ifdef ERGON_MUTANT_SKEW
  localparam int LateRow = 1;  // this row enters a cycle late
`else
  localparam int LateRow = -1;
`endif
`ifdef ERGON_MUTANT_WEIGHT_ORDER
  localparam bit Turned = 1'b1;  // columns exchanged end for end
`else
  localparam bit Turned = 1'b0;
`endif

  // Operands as they enter the left column and the top row in this cycle.
  logic [ROWS*ACTIVATION_BITS-1:0] a_given;
  logic [COLS*WEIGHT_BITS-1:0] w_given;
  assign a_given = take_i ? a_data_i : '0;
  assign w_given = take_i ? w_data_i : '0;
  logic signed [31:0] enter[ROWS];
  logic signed [31:0] top[COLS];
  always_comb begin
    enter[0] = 32'($signed(a_given[0+:ACTIVATION_BITS]));
    for (int r = 1; r < ROWS; r++)
      enter[r] = 32'($signed(a_line_q[r == LateRow ? r : r-1][r*ACTIVATION_BITS+:ACTIVATION_BITS]));
    top[0] = 32'($signed(w_given[(Turned ? COLS-1 : 0)*WEIGHT_BITS+:WEIGHT_BITS]));
    for (int c = 1; c < COLS; c++)
      top[c] = 32'($signed(w_line_q[c-1][(Turned ? COLS-1-c : c)*WEIGHT_BITS+:WEIGHT_BITS]));
  end

  logic [Wave-1:0] wave;
  assign wave = {wave_q, capture_i};

  always_ff @(posedge clk_i)
    if (en_i) begin
      // First, and in this block: here alone is it sure that the cells still hold their old values.
      if (valid_i)
        for (int c = 0; c < COLS; c++)
          sum_o[c*ACC_BITS+:ACC_BITS] <=
              c == COLS - 1 ? shadow_q[(ROWS-1)*COLS+c] : wait_q[c*COLS+(c == COLS-1 ? 0 : COLS-2-c)];

      for (int c = 0; c < COLS - 1; c++) begin
        for (int s = COLS - 2 - c; s > 0; s--) wait_q[c*COLS+s] = wait_q[c*COLS+s-1];
        wait_q[c*COLS] = shadow_q[(ROWS-1)*COLS+c];
      end

      for (int c = 0; c < COLS; c++)
        if (drain_i[c])
          for (int r = ROWS - 1; r > 0; r--)
            shadow_q[r*COLS+c] = r > 32'(slot_i[c*SLOT_BITS+:SLOT_BITS]) ? shadow_q[(r-1)*COLS+c] : shadow_q[r*COLS+c];

      for (int d = 0; d < Wave; d++)
        if (wave[d])
          for (int r = 0; r < ROWS; r++)
            if (d - r >= 0 && d - r < COLS) begin
              shadow_q[r*COLS+d-r] = p_q[r*COLS+d-r];
              p_q[r*COLS+d-r] = '0;
            end

      for (int r = 0; r < ROWS; r++)
        for (int c = COLS - 1; c >= 0; c--) a_q[r*COLS+c] = c == 0 ? enter[r] : a_q[r*COLS+(c == 0 ? 0 : c-1)];
      for (int i = Cells - 1; i >= COLS; i--) w_q[i] = w_q[i-COLS];
      for (int c = 0; c < COLS; c++) w_q[c] = top[c];
      for (int i = 0; i < Cells; i++) p_q[i] = p_q[i] + ACC_BITS'(a_q[i] * w_q[i]);

      for (int s = ROWS - 1; s > 0; s--) a_line_q[s] = a_line_q[s-1];
      a_line_q[0] = a_given;
      for (int s = COLS - 1; s > 0; s--) w_line_q[s] = w_line_q[s-1];
      w_line_q[0] = w_given;
    end

  always_ff @(posedge clk_i)
    if (!rst_ni) wave_q <= '0;
    else if (en_i) wave_q <= wave[Wave-2:0];
endmodule
