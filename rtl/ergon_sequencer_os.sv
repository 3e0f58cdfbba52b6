// SPDX-License-Identifier: Apache-2.0
// Orders the folds of the output-stationary array: K steps of a fold, then those of the next, at least ROWS cycles
// behind the start before, for as long a fold drains. A cycle behind a fold's last step its sums are captured; from
// then on its ROWS slots leave, one a cycle, of which the first m_rows hold outputs.
module ergon_sequencer_os #(
    parameter int ROWS = 16,
    parameter int STEP_BITS = 24,
    parameter int ROW_BITS = 17,
    parameter int SLOT_BITS = 4
) (
    input  logic                 clk_i,
    input  logic                 rst_ni,
    input  logic                 en_i,
    // command of a fold, with its step 0
    input  logic [STEP_BITS-1:0] k_steps_i,   // the same for all folds of a layer
    input  logic [ROW_BITS-1:0]  m_rows_i,
    input  logic                 last_i,
    output logic                 step_req_o,
    output logic                 capture_o,
    // what leaves the bottom row R cycles later in column 0
    output logic                 slot_o,
    output logic [SLOT_BITS-1:0] slot_number_o,
    output logic                 slot_valid_o,  // it holds outputs
    output logic                 slot_final_o   // the last slot of the last fold
);
  logic more_q, capture_q, draining_q;
  logic [STEP_BITS-1:0] step_q, steps_q, steps;
  logic [ROW_BITS-1:0] m_q, slot_m_q;
  logic last_q, slot_last_q, last;
  logic [SLOT_BITS-1:0] slot_q;

  logic first, ends, turns;
  assign first = step_q == '0;
  assign steps = first ? k_steps_i : steps_q;
  assign last = first ? last_i : last_q;
  assign step_req_o = more_q & (first | (step_q < steps_q));
  assign ends = step_req_o & (step_q == steps - 1'b1);
  assign turns = step_q == (steps < STEP_BITS'(ROWS) ? STEP_BITS'(ROWS) : steps) - 1'b1;

  assign capture_o = capture_q;
  assign slot_o = capture_q | draining_q;
  assign slot_number_o = capture_q ? '0 : slot_q;
  assign slot_valid_o = slot_o & (ROW_BITS'(slot_number_o) < slot_m_q);
  assign slot_final_o = slot_o & slot_last_q & (slot_number_o == SLOT_BITS'(ROWS - 1));

  always_ff @(posedge clk_i)
    if (!rst_ni) begin
      more_q <= 1'b1;
      {capture_q, draining_q, last_q, slot_last_q} <= '0;
      {step_q, steps_q} <= '0;
      {m_q, slot_m_q} <= '0;
      slot_q <= '0;
    end else if (en_i) begin
      if (more_q) begin
        if (first) begin
          steps_q <= k_steps_i;
          m_q <= m_rows_i;
          last_q <= last_i;
        end
        step_q <= turns ? '0 : step_q + 1'b1;
        if (ends & last) more_q <= 1'b0;
      end
      capture_q <= ends;
      if (ends) begin
        slot_m_q <= first ? m_rows_i : m_q;
        slot_last_q <= last;
      end
      if (slot_o) begin
        slot_q <= slot_number_o + 1'b1;
        draining_q <= slot_number_o != SLOT_BITS'(ROWS - 1);
      end
    end
endmodule
