// SPDX-License-Identifier: Apache-2.0
// The core array, output-stationary: the ports, the contract and the epilogue of ergon_top. A fold is ROWS pixels by
// COLS channels with all of K. Weights and activations of a step are asked for together: w_data_i is step k of the COLS
// channels, a_data_i step k of ROWS pixels, the first of them in the last element. Sums go from the cells to the
// epilogue; there is no accumulator memory.
module ergon_top_os #(
    parameter int ROWS = 16,
    parameter int COLS = 16,
    parameter int WEIGHT_BITS = 8,
    parameter int ACTIVATION_BITS = 8,
    parameter int ACC_BITS = 32,
    parameter int ACC_DEPTH = 1024,
    parameter int OUTPUT_BITS = ACTIVATION_BITS,
    parameter int RULE = 0
) (
    input  logic                                        clk_i,
    input  logic                                        rst_ni,
    // constant while a layer runs
    input  logic signed [ergon_pkg::LevelBits-1:0]      zero_point_i,
    input  logic signed [ergon_pkg::LevelBits-1:0]      low_i,
    input  logic signed [ergon_pkg::LevelBits-1:0]      high_i,
    input  logic                                        res_en_i,
    input  logic signed [ergon_pkg::LevelBits-1:0]      res_zero_point_i,
    input  logic signed [ergon_pkg::MultiplierBits-1:0] res_mult_i,
    input  logic [ergon_pkg::ShiftBits-1:0]             res_t_i,
    // weights; the fold's command comes with step 0: pixels, and K
    output logic                                        w_req_o,
    output logic [15:0]                                 w_row_o,
    input  logic                                        w_valid_i,
    input  logic [COLS*WEIGHT_BITS-1:0]                 w_data_i,
    input  logic [16:0]                                 m_rows_i,
    input  logic                                        k_first_i,
    input  logic                                        k_last_i,
    input  logic                                        last_i,
    input  logic [23:0]                                 k_steps_i,
    // activations
    output logic                                        a_req_o,
    input  logic                                        a_valid_i,
    input  logic [ROWS*ACTIVATION_BITS-1:0]             a_data_i,
    // constants of the COLS channels whose sums now leave the array
    output logic                                        c_req_o,
    input  logic                                        c_valid_i,
    input  logic [COLS*ACC_BITS-1:0]                    bias_i,
    input  logic [COLS*ergon_pkg::MultiplierBits-1:0]   mult_i,
    input  logic [COLS*ergon_pkg::ShiftBits-1:0]        t_i,
    // residual
    output logic                                        r_req_o,
    input  logic                                        r_valid_i,
    input  logic [COLS*ACTIVATION_BITS-1:0]             r_data_i,
    // output rows
    output logic                                        y_valid_o,
    output logic [COLS*OUTPUT_BITS-1:0]                 y_o,
    output logic                                        done_o,
    // edges from the first operand accepted to done_o, and those of them that were frozen
    output logic [63:0]                                 cycles_o,
    output logic [63:0]                                 frozen_o,
    output logic [7:0]                                  epilogue_depth_o
);
  assign epilogue_depth_o = 8'(ergon_pkg::EpilogueDepth);
  assign w_row_o = '0;  // every weight row comes with its command

  localparam int SlotBits = $clog2(ROWS);
  localparam int Latency = ROWS + COLS - 1;  // from a slot's number to its sums aligned

  logic en, step_req, take, started_q;
`ifdef ERGON_MUTANT_FREEZE
  assign en = ~((w_req_o & ~w_valid_i) | (c_req_o & ~c_valid_i) | (r_req_o & ~r_valid_i));  // goes on without a row
`else
  assign en = ~((w_req_o & ~w_valid_i) | (a_req_o & ~a_valid_i) | (c_req_o & ~c_valid_i) | (r_req_o & ~r_valid_i));
`endif
  assign {w_req_o, a_req_o} = {2{step_req}};
  assign take = step_req & en;

  logic capture, slot, slot_valid, slot_final;
  logic [SlotBits-1:0] slot_number;
  ergon_sequencer_os #(
      .ROWS(ROWS),
      .SLOT_BITS(SlotBits)
  ) u_sequencer (
      .clk_i, .rst_ni, .en_i(en), .k_steps_i, .m_rows_i, .last_i, .step_req_o(step_req), .capture_o(capture),
      .slot_o(slot), .slot_number_o(slot_number), .slot_valid_o(slot_valid), .slot_final_o(slot_final)
  );

  // What each slot under way is: {draining, number, valid, first, final}, one entry a cycle of latency.
  localparam int TagBits = 4 + SlotBits;
  logic [Latency*TagBits-1:0] tags_q;
  always_ff @(posedge clk_i)
    if (!rst_ni) tags_q <= '0;
    else if (en)
      tags_q <= {tags_q[(Latency-1)*TagBits-1:0], slot, slot_number, slot_valid, slot_number == '0, slot_final};

  logic [COLS-1:0] drain;
  logic [COLS*SlotBits-1:0] drain_slot;
  always_comb
    for (int c = 0; c < COLS; c++) begin  // column c drains R + c cycles behind the number
      drain[c] = tags_q[(ROWS+c-1)*TagBits+TagBits-1];
      drain_slot[c*SlotBits+:SlotBits] = tags_q[(ROWS+c-1)*TagBits+3+:SlotBits];
    end

  logic valid, first, final_slot;
  assign {valid, first, final_slot} = tags_q[(Latency-1)*TagBits+:3];

  logic [COLS*ACC_BITS-1:0] sum;
  ergon_array_os #(
      .ROWS(ROWS),
      .COLS(COLS),
      .WEIGHT_BITS(WEIGHT_BITS),
      .ACTIVATION_BITS(ACTIVATION_BITS),
      .ACC_BITS(ACC_BITS),
      .SLOT_BITS(SlotBits)
  ) u_array (
      .clk_i, .rst_ni, .en_i(en), .take_i(take), .w_data_i, .a_data_i, .capture_i(capture), .drain_i(drain),
      .slot_i(drain_slot), .valid_i(valid), .sum_o(sum)
  );

  // The last slot need not hold outputs, so the end is followed down the stages by itself.
  logic [3:0] final_q;
  logic done;
  always_ff @(posedge clk_i)
    if (!rst_ni) {final_q, done} <= '0;
    else if (en) {done, final_q} <= {done | final_q[3], final_q[2:0], final_slot};

`ifdef ERGON_MUTANT_EXTRA_REGISTER
  logic done_q;
  always_ff @(posedge clk_i) done_q <= rst_ni & done;
  assign done_o = done_q;
`else
  assign done_o = done;
`endif

  logic unused_done;
  ergon_epilogue #(
      .COLS(COLS),
      .ACTIVATION_BITS(ACTIVATION_BITS),
      .ACC_BITS(ACC_BITS),
      .OUTPUT_BITS(OUTPUT_BITS),
      .RULE(RULE)
  ) u_epilogue (
      .clk_i, .rst_ni, .en_i(en), .zero_point_i, .low_i, .high_i, .res_en_i, .res_zero_point_i, .res_mult_i, .res_t_i,
      .coming_i(valid), .coming_first_i(first), .coming_final_i(1'b0), .sum_i(sum), .c_req_o, .bias_i, .mult_i, .t_i,
      .r_req_o, .r_data_i, .y_valid_o, .y_o, .done_o(unused_done)
  );

  always_ff @(posedge clk_i)
    if (!rst_ni) begin
      started_q <= 1'b0;
      cycles_o <= '0;
      frozen_o <= '0;
    end else if (~done_o) begin
      started_q <= started_q | take;
      if (started_q | take) cycles_o <= cycles_o + 64'd1;
      if (started_q & ~en) frozen_o <= frozen_o + 64'd1;
    end
endmodule
