// SPDX-License-Identifier: Apache-2.0
// The contract between `ergon verify --dut` and an array of yours. Keep parameters and ports, put your array below them.
//
// The work comes as folds: a tile of ROWS x COLS weights and m_rows_i rows of ROWS activations that meet it.
//
//   sum[m][c]  = (k_first ? 0 : sum of the fold before[m][c]) + sum over r of a[m][r] * w[r][c],  modulo 2^ACC_BITS
//   if k_last:   acc = sum[m][c] + bias[c],  modulo 2^ACC_BITS
//                y[m][c] = clamp(zero_point + rq(acc, mult[c], t[c])
//                                + (res_en ? rq(res[m][c] - res_zero_point, res_mult, res_t) : 0), low, high)
//   rq(x, m, t) = (x*m + 2^(t-1)) >> t,  exact, arithmetic shift;  t is 1 to 62
//
// Folds of one sum follow each other: k_first with the first, k_last with the last (one fold alone has both), the same
// m_rows, at most ACC_DEPTH. Between them sums stay in the array. A fold with k_last gives m_rows output rows, in
// order; others give none. Rows or columns beyond the layer's edge come as zeros, and what y_o shows there is not read.
//
// Handshake: four input ports, each valid/ready. A beat moves at a rising edge with both high; valid does not wait for
// ready, stays up with the same data until the beat has moved, and ready may depend on valid. Ports are independent:
//   w   ROWS beats a fold, row 0 first. Up to one fold ahead: those of the next come once the last activation row of
//       the fold before this one has been taken.
//   a   m_rows beats a fold; offered from the first weight row of that fold on. Take them when you can use them.
//   c   one beat for every fold with k_last, offered once its first activation row has been taken.
//   r   one beat for every output row while res_en_i, offered once its activation row has been taken.
// Output rows have no ready: y_valid_o high at a rising edge is one row, at most one a cycle. How many cycles any of
// this takes is the array's own affair; 1,048,576 without a beat on any port count as hung.
//
// Vectors: element 0 in the lowest bits, all numbers two's complement unless said otherwise, no gaps between elements.
// Reset is synchronous, two cycles, before every layer. Registers and memories start with random bits.
module my_array #(
    parameter int ROWS = 16,             // activations a row, weight rows a fold
    parameter int COLS = 16,             // output channels side by side
    parameter int WEIGHT_BITS = 8,       // 2..16
    parameter int ACTIVATION_BITS = 8,   // 2..16, also of outputs and residuals
    parameter int ACC_BITS = 32,         // 16..32
    parameter int ACC_DEPTH = 1024       // most rows of a fold
) (
    input  logic                            clk_i,
    input  logic                            rst_ni,            // low: reset
    // constant while a layer runs
    input  logic signed [16:0]              zero_point_i,      // of the output
    input  logic signed [16:0]              low_i,             // clamp, both inclusive
    input  logic signed [16:0]              high_i,
    input  logic                            res_en_i,          // a residual is added
    input  logic signed [16:0]              res_zero_point_i,
    input  logic signed [31:0]              res_mult_i,        // 0 or 2^30..2^31-1
    input  logic [5:0]                      res_t_i,           // unsigned
    // weights: element c of beat r is w[r][c]
    input  logic                            w_valid_i,
    output logic                            w_ready_o,
    input  logic [COLS*WEIGHT_BITS-1:0]     w_data_i,
    input  logic [16:0]                     m_rows_i,          // of this fold, the same with all its weight rows
    input  logic                            k_first_i,
    input  logic                            k_last_i,
    input  logic                            last_i,            // no further fold comes in this layer
    // activations: element r of a beat is a[m][r]
    input  logic                            a_valid_i,
    output logic                            a_ready_o,
    input  logic [ROWS*ACTIVATION_BITS-1:0] a_data_i,
    // constants of the COLS channels
    input  logic                            c_valid_i,
    output logic                            c_ready_o,
    input  logic [COLS*ACC_BITS-1:0]        bias_i,
    input  logic [COLS*32-1:0]              mult_i,            // each 0 or 2^30..2^31-1
    input  logic [COLS*6-1:0]               t_i,               // unsigned
    // residual: element c of a beat is res[m][c]
    input  logic                            r_valid_i,
    output logic                            r_ready_o,
    input  logic [COLS*ACTIVATION_BITS-1:0] r_data_i,
    // output rows: element c is y[m][c]
    output logic                            y_valid_o,
    output logic [COLS*ACTIVATION_BITS-1:0] y_o,
    // optional (remove it, or tie it low, if your array cannot show it): acc[m][c] of the row at y_o. A difference is
    // then reported with the accumulators of both sides.
    output logic [COLS*ACC_BITS-1:0]        acc_o
);
  // ------------------------------------------------------------------------------------------------ your array
  // As it stands nothing is taken and nothing comes out: `ergon verify --dut` says that it hangs.
  assign w_ready_o = 1'b0;
  assign a_ready_o = 1'b0;
  assign c_ready_o = 1'b0;
  assign r_ready_o = 1'b0;
  assign y_valid_o = 1'b0;
  assign y_o = '0;
  assign acc_o = '0;
endmodule
