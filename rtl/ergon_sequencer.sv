// SPDX-License-Identifier: Apache-2.0
// Orders the operands. Two ports work side by side: one loads the weights of the coming fold, a row a cycle, the other
// streams the activations of the present fold. A fold starts to stream when its weights are in and the fold before it
// has been streamed; loading of the next fold starts in that same cycle. Nothing advances while en_i is low.
module ergon_sequencer #(
    parameter int ROWS = 16,
    parameter int ROW_BITS = 16,  // of a row number within a fold
    parameter int LOAD_BITS = 4   // of a weight row number
) (
    input  logic                 clk_i,
    input  logic                 rst_ni,
    input  logic                 en_i,
    // command of a fold, with its weight row 0
    input  logic [ROW_BITS-1:0]  m_rows_i,
    input  logic                 k_first_i,
    input  logic                 k_last_i,
    input  logic                 last_i,
    output logic                 w_req_o,
    output logic [LOAD_BITS-1:0] w_row_o,
    output logic                 a_req_o,
    // what the activation row of this cycle is
    output logic                 a_first_o,   // first row of its fold
    output logic [ROW_BITS-1:0]  a_row_o,
    output logic                 a_k_first_o,
    output logic                 a_k_last_o,
    output logic                 a_final_o    // last row of the last fold
);
  logic more_q, full_q, active_q;
  logic [LOAD_BITS-1:0] load_row_q;
  logic [ROW_BITS-1:0] row_q;
  // the fold being loaded, and the one being streamed
  logic [ROW_BITS-1:0] load_m_q, m_q;
  logic load_k_first_q, load_k_last_q, load_last_q, k_first_q, k_last_q, last_q;

  logic load_done, stream_ends, start;
  assign w_req_o = more_q & ~full_q;
  assign w_row_o = load_row_q;
  assign load_done = w_req_o & (load_row_q == LOAD_BITS'(ROWS - 1));
  assign stream_ends = active_q & (row_q == m_q - 1'b1);
  assign start = (full_q | load_done) & (~active_q | stream_ends);

  assign a_req_o = active_q;
  assign a_first_o = row_q == '0;
  assign a_row_o = row_q;
  assign a_k_first_o = k_first_q;
  assign a_k_last_o = k_last_q;
  assign a_final_o = last_q & (row_q == m_q - 1'b1);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      more_q <= 1'b1;
      full_q <= 1'b0;
      active_q <= 1'b0;
      load_row_q <= '0;
      row_q <= '0;
      load_m_q <= '0;
      m_q <= '0;
      {load_k_first_q, load_k_last_q, load_last_q, k_first_q, k_last_q, last_q} <= '0;
    end else if (en_i) begin
      if (w_req_o) begin
        load_row_q <= load_done ? '0 : load_row_q + 1'b1;
        if (load_row_q == '0) begin
          load_m_q <= m_rows_i;
          load_k_first_q <= k_first_i;
          load_k_last_q <= k_last_i;
          load_last_q <= last_i;
        end
        if (load_done & load_last_q) more_q <= 1'b0;
      end
      if (start) begin
        active_q <= 1'b1;
        full_q <= 1'b0;
        row_q <= '0;
        m_q <= load_m_q;
        k_first_q <= load_k_first_q;
        k_last_q <= load_k_last_q;
        last_q <= load_last_q;
      end else begin
        if (stream_ends) active_q <= 1'b0;
        if (active_q) row_q <= row_q + 1'b1;
        if (load_done) full_q <= 1'b1;
      end
    end
  end
endmodule
