// SPDX-License-Identifier: Apache-2.0
// The core array with precision-scalable cells: the ports, contract and cycles of ergon_top. Operands come in words of 32
// bits, each with the codes of 1, 2, 4, 8 or 16 neighbours in K, the first in the lowest bits; codes of 3, 5, 6, 7 bits are
// sign-extended to 4 or 8. Residuals come in codes of ACTIVATION_BITS.
module ergon_top_scalable #(
    parameter int ROWS = 16,
    parameter int COLS = 16,
    parameter int WEIGHT_BITS = 8,      // at most; not used
    parameter int ACTIVATION_BITS = 8,
    parameter int ACC_BITS = 32,
    parameter int ACC_DEPTH = 1024,
    parameter int OUTPUT_BITS = ACTIVATION_BITS,
    parameter int RULE = 0
) (
    input  logic                                        clk_i,
    input  logic                                        rst_ni,
    // constant while a layer runs
    input  logic [1:0]                                  w_log_i,  // log2 of two-bit slices: 2, 4, 8 bits
    input  logic [1:0]                                  a_log_i,
    input  logic signed [ergon_pkg::LevelBits-1:0]      zero_point_i,
    input  logic signed [ergon_pkg::LevelBits-1:0]      low_i,
    input  logic signed [ergon_pkg::LevelBits-1:0]      high_i,
    input  logic                                        res_en_i,
    input  logic signed [ergon_pkg::LevelBits-1:0]      res_zero_point_i,
    input  logic signed [ergon_pkg::MultiplierBits-1:0] res_mult_i,
    input  logic [ergon_pkg::ShiftBits-1:0]             res_t_i,
    // weights: element c of a row meets column c; the fold's command comes with row 0
    output logic                                        w_req_o,
    output logic [15:0]                                 w_row_o,
    input  logic                                        w_valid_i,
    input  logic [COLS*32-1:0]                          w_data_i,
    input  logic [16:0]                                 m_rows_i,
    input  logic                                        k_first_i,
    input  logic                                        k_last_i,
    input  logic                                        last_i,
    // activations: element r of a row meets weight row r
    output logic                                        a_req_o,
    input  logic                                        a_valid_i,
    input  logic [ROWS*32-1:0]                          a_data_i,
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

  localparam int LoadBits = $clog2(ROWS);
  localparam int RowBits = 17;
  localparam int Latency = ROWS + COLS - 1;  // from an activation row given to its sums aligned

  logic en, w_take, a_take, started_q;
`ifdef ERGON_MUTANT_FREEZE
  assign en = ~((w_req_o & ~w_valid_i) | (c_req_o & ~c_valid_i) | (r_req_o & ~r_valid_i));  // goes on without a row
`else
  assign en = ~((w_req_o & ~w_valid_i) | (a_req_o & ~a_valid_i) | (c_req_o & ~c_valid_i) | (r_req_o & ~r_valid_i));
`endif
  assign w_take = w_req_o & en;
  assign a_take = a_req_o & en;

  logic [LoadBits-1:0] w_row;
  logic a_first, a_k_first, a_k_last, a_final;
  logic [RowBits-1:0] a_row;
  ergon_sequencer #(
      .ROWS(ROWS),
      .ROW_BITS(RowBits),
      .LOAD_BITS(LoadBits)
  ) u_sequencer (
      .clk_i, .rst_ni, .en_i(en), .m_rows_i, .k_first_i, .k_last_i, .last_i, .w_req_o, .w_row_o(w_row), .a_req_o,
      .a_first_o(a_first), .a_row_o(a_row), .a_k_first_o(a_k_first), .a_k_last_o(a_k_last), .a_final_o(a_final)
  );
  assign w_row_o = 16'(w_row);

  logic [LoadBits-1:0] w_address;
`ifdef ERGON_MUTANT_WEIGHT_ORDER
  assign w_address = LoadBits'(ROWS - 1) - w_row;
`else
  assign w_address = w_row;
`endif

  logic [COLS*ACC_BITS-1:0] psum, sum;
  ergon_array_scalable #(
      .ROWS(ROWS),
      .COLS(COLS),
      .ACC_BITS(ACC_BITS),
      .LOAD_BITS(LoadBits)
  ) u_array (
      .clk_i, .rst_ni, .en_i(en), .w_log_i, .a_log_i, .w_valid_i(w_take), .w_row_i(w_address), .w_data_i, .a_first_i(a_take & a_first),
      .a_data_i, .psum_o(psum)
  );

  // What each row under way is: {valid, first, final, k_first, k_last, row}, one entry a cycle of latency.
  localparam int TagBits = 5 + RowBits;
  logic [Latency*TagBits-1:0] tags_q;
  always_ff @(posedge clk_i)
    if (!rst_ni) tags_q <= '0;
    else if (en)
      tags_q <= {tags_q[(Latency-1)*TagBits-1:0], a_req_o, a_first, a_final, a_k_first, a_k_last, a_row};

  logic valid, first, final_row, k_first, k_last, next_valid;
  logic [RowBits-1:0] row, next_row;
  assign {valid, first, final_row, k_first, k_last, row} = tags_q[(Latency-1)*TagBits+:TagBits];
  assign next_valid = tags_q[(Latency-1)*TagBits-1];
  assign next_row = tags_q[(Latency-2)*TagBits+:RowBits];

  ergon_accumulator #(
      .COLS(COLS),
      .ACC_BITS(ACC_BITS),
      .DEPTH(ACC_DEPTH),
      .ROW_BITS(RowBits)
  ) u_accumulator (
      .clk_i, .en_i(en), .read_i(next_valid), .read_row_i(next_row), .valid_i(valid), .k_first_i(k_first),
      .k_last_i(k_last), .row_i(row), .psum_i(psum), .sum_o(sum)
  );

  ergon_epilogue #(
      .COLS(COLS),
      .ACTIVATION_BITS(ACTIVATION_BITS),
      .ACC_BITS(ACC_BITS),
      .OUTPUT_BITS(OUTPUT_BITS),
      .RULE(RULE)
  ) u_epilogue (
      .clk_i, .rst_ni, .en_i(en), .zero_point_i, .low_i, .high_i, .res_en_i, .res_zero_point_i, .res_mult_i, .res_t_i,
      .coming_i(valid & k_last), .coming_first_i(first), .coming_final_i(final_row), .sum_i(sum), .c_req_o, .bias_i,
      .mult_i, .t_i, .r_req_o, .r_data_i, .y_valid_o, .y_o, .done_o
  );

  always_ff @(posedge clk_i)
    if (!rst_ni) begin
      started_q <= 1'b0;
      cycles_o <= '0;
      frozen_o <= '0;
    end else if (~done_o) begin
      started_q <= started_q | w_take;
      if (started_q | w_take) cycles_o <= cycles_o + 64'd1;
      if (started_q & ~en) frozen_o <= frozen_o + 64'd1;
    end
endmodule
