// SPDX-License-Identifier: Apache-2.0
// 1 / sigma of one group in integers: V = (N Q - S^2) 2^16 + epsilon, W = V 4^j with 2^62 <= W < 2^64,
// inverse = floor(2^62 / floor(sqrt W)), shift = 34 - j; V = 0 gives inverse 0, shift 1. RMS norm: S counts as 0.
// A bit of the root and a bit of the quotient a cycle: done_o comes |j| + 66 cycles after start_i is taken (V = 0: 2),
// and results stay until the next start.
module ergon_norm_scale #(
    parameter int CODE_BITS = 8,
    parameter int COUNT_BITS = 16
) (
    input  logic                                   clk_i,
    input  logic                                   rst_ni,
    input  logic                                   start_i,
    input  logic                                   centred_i,   // low: RMS
    input  logic [62:0]                            epsilon_i,
    input  logic [COUNT_BITS:0]                    count_i,
    input  logic signed [CODE_BITS+COUNT_BITS:0]   sum_i,
    input  logic [2*CODE_BITS+COUNT_BITS-1:0]      squares_i,
    output logic                                   done_o,
    output logic signed [CODE_BITS+COUNT_BITS:0]   sum_o,
    output logic [31:0]                            inverse_o,
    output logic [5:0]                             shift_o
);
  localparam int Spread = 2 * CODE_BITS + 2 * COUNT_BITS + 1;  // N Q <= 2^(Spread-1)
  localparam int V = Spread + 17 > 66 ? Spread + 17 : 66;

  typedef enum logic [1:0] {Idle, Normalize, Root, Divide} state_e;
  state_e state_q;
  logic [4:0] step_q;
  logic [V-1:0] v_q;
  logic [32:0] rest_q, rest_next;  // of the root, then of the division
  logic [34:0] rest, trial;
  logic [31:0] root_q;
  logic bit_next;

  logic signed [CODE_BITS+COUNT_BITS:0] sum;
  logic [V-1:0] spread;
  assign sum = centred_i ? sum_i : '0;
  assign spread = V'(count_i) * V'(squares_i) - V'(sum) * V'(sum);

  assign rest = state_q == Root ? {rest_q, v_q[63:62]} : {1'b0, rest_q, 1'b0};
  assign trial = state_q == Root ? {1'b0, root_q, 2'b01} : {3'b000, root_q};
  assign bit_next = rest >= trial;
  assign rest_next = bit_next ? 33'(rest - trial) : rest[32:0];

  always_ff @(posedge clk_i)
    if (!rst_ni) begin
      state_q <= Idle;
      done_o <= 1'b0;
      step_q <= '0;
    end else begin
      done_o <= 1'b0;
      case (state_q)
        Idle:
        if (start_i) begin
          v_q <= (spread << 16) + V'(epsilon_i);
          sum_o <= sum;
          shift_o <= 6'd34;
          state_q <= Normalize;
        end
        Normalize: begin
          rest_q <= '0;
          root_q <= '0;
          if (v_q == '0) begin
            inverse_o <= '0;
            shift_o <= 6'd1;
            done_o <= 1'b1;
            state_q <= Idle;
          end else if (v_q[V-1:64] != '0) begin
            v_q <= v_q >> 2;
            shift_o <= shift_o + 6'd1;
          end else if (v_q[63:62] == 2'b00) begin
            v_q <= v_q << 2;
            shift_o <= shift_o - 6'd1;
          end else state_q <= Root;
        end
        Root: begin
          v_q <= v_q << 2;
          rest_q <= rest_next;
          root_q <= {root_q[30:0], bit_next};
          step_q <= step_q + 5'd1;
          if (step_q == 5'd31) begin
            rest_q <= 33'd1 << 30;  // 2^62 without its 32 low zeros, below any root
            state_q <= Divide;
          end
        end
        Divide: begin
          rest_q <= rest_next;
          inverse_o <= {inverse_o[30:0], bit_next};
          step_q <= step_q + 5'd1;
          if (step_q == 5'd31) begin
            done_o <= 1'b1;
            state_q <= Idle;
          end
        end
      endcase
    end
endmodule
