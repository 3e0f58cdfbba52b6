// SPDX-License-Identifier: Apache-2.0
// Statistics of a dynamic norm, taken of the output rows of the epilogue as they leave it: of q' = code - zero point
// S = sum q' and Q = sum q'^2, exact. By column (instance norm: a column's group begins with first_i), or by row (layer
// and RMS norm: an adder tree across the columns, added up over the tiles of columns in a memory of DEPTH rows; first_i
// with all rows of the first tile). Columns from cols_i on are beyond the layer's edge and do not count.
// S and Q of column or row read_i stand at the outputs in the cycle after it is given, from three cycles after the last
// row on; reading waits while rows come.
module ergon_norm_gather #(
    parameter int COLS = 16,
    parameter int CODE_BITS = 8,
    parameter int COUNT_BITS = 16,  // a group has at most 2^COUNT_BITS elements
    parameter int DEPTH = 1024,     // rows; at least COLS
    parameter int ROW_BITS = $clog2(DEPTH)
) (
    input  logic                                   clk_i,
    input  logic                                   rst_ni,
    input  logic                                   per_row_i,
    input  logic signed [CODE_BITS-1:0]            zero_point_i,
    input  logic                                   valid_i,
    input  logic                                   first_i,
    input  logic [ROW_BITS-1:0]                    row_i,
    input  logic [$clog2(COLS+1)-1:0]              cols_i,
    input  logic [COLS*CODE_BITS-1:0]              code_i,
    input  logic [ROW_BITS-1:0]                    read_i,
    output logic signed [CODE_BITS+COUNT_BITS:0]   sum_o,
    output logic [2*CODE_BITS+COUNT_BITS-1:0]      squares_o
);
  localparam int S = CODE_BITS + COUNT_BITS + 1;
  localparam int Q = 2 * CODE_BITS + COUNT_BITS;
  localparam int CountBits = $clog2(COLS + 1);
  localparam int ColumnBits = $clog2(COLS);

  logic v1_q, v2_q, first1_q, first2_q, same_q;
  logic [ROW_BITS-1:0] row1_q, row2_q;
  logic signed [CODE_BITS:0] d_q[COLS];
  logic signed [S-1:0] sum_q[COLS];
  logic [Q-1:0] squares_q[COLS];
  logic signed [S-1:0] tree_sum, tree_sum_q;
  logic [Q-1:0] tree_squares, tree_squares_q;
  logic [S+Q-1:0] memory_q[DEPTH];
  logic [S+Q-1:0] old_q, written_q, old, next;
  logic [ColumnBits-1:0] column_q;

  always_comb begin
    tree_sum = '0;
    tree_squares = '0;
    for (int c = 0; c < COLS; c++) begin
      tree_sum = tree_sum + S'(d_q[c]);
      tree_squares = tree_squares + Q'(Q'(d_q[c]) * Q'(d_q[c]));
    end
  end

  // A row that follows itself reads its memory word in the very cycle in which it is written.
  assign old = first2_q ? '0 : same_q ? written_q : old_q;
  assign next = {old[S+Q-1:Q] + tree_sum_q, old[Q-1:0] + tree_squares_q};

  always_ff @(posedge clk_i) begin
    if (valid_i)
      for (int c = 0; c < COLS; c++)
        d_q[c] <= CountBits'(c) < cols_i ?
            (CODE_BITS + 1)'($signed(code_i[c*CODE_BITS+:CODE_BITS])) - (CODE_BITS + 1)'(zero_point_i) : '0;
    if (v1_q & ~per_row_i)
      for (int c = 0; c < COLS; c++) begin
        sum_q[c] <= (first1_q ? '0 : sum_q[c]) + S'(d_q[c]);
        squares_q[c] <= (first1_q ? '0 : squares_q[c]) + Q'(Q'(d_q[c]) * Q'(d_q[c]));
      end
    tree_sum_q <= tree_sum;
    tree_squares_q <= tree_squares;
    old_q <= memory_q[v1_q ? row1_q : read_i];
    column_q <= read_i[ColumnBits-1:0];
    if (v2_q & per_row_i) memory_q[row2_q] <= next;
    written_q <= next;
    same_q <= v2_q & (row1_q == row2_q);
    {row1_q, row2_q} <= {row_i, row1_q};
    {first1_q, first2_q} <= {first_i, first1_q};
    {v1_q, v2_q} <= rst_ni ? {valid_i, v1_q} : 2'b00;
  end

  assign sum_o = per_row_i ? old_q[S+Q-1:Q] : sum_q[column_q];
  assign squares_o = per_row_i ? old_q[Q-1:0] : squares_q[column_q];
endmodule
