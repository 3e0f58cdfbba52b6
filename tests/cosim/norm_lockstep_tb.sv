// SPDX-License-Identifier: GPL-3.0-or-later
// The norm modules' sources and the netlist made of them, side by side under the same random stimulus.
module norm_lockstep_tb;
  localparam int Cols = 2, Bits = 4, CountBits = 4, Depth = 4, Cycles = 3000;
  localparam int Sum = Bits + CountBits + 1;
  logic clk = 0, rst_n = 0;
  always #5 clk = ~clk;

  logic per_row, centred, gather_valid, gather_first, start, valid, fresh, norm, gate, write;
  logic [62:0] epsilon;
  logic [CountBits:0] count;
  logic signed [Bits-1:0] in_zero_point;
  logic [5:0] t;
  logic signed [16:0] zero_point, low, high;
  logic [1:0] row, cols, read;
  logic [Cols*Bits-1:0] gather_code, code;
  logic [Cols*Sum-1:0] sum;
  logic [Cols*32-1:0] inverse, mult;
  logic [Cols*6-1:0] shift;
  logic [Cols*64-1:0] bias;
  logic [Bits-1:0] write_row, write_data;

  logic signed [Sum-1:0] gathered_sum[2], scaled_sum[2];
  logic [2*Bits+CountBits-1:0] gathered_squares[2];
  logic done[2], y_valid[2];
  logic [31:0] root_inverse[2];
  logic [5:0] root_shift[2];
  logic [Cols*Bits-1:0] y[2];

`define PORTS(i) \
    .clk_i(clk), .rst_ni(rst_n), .per_row_i(per_row), .centred_i(centred), .epsilon_i(epsilon), .count_i(count), \
    .in_zero_point_i(in_zero_point), .t_i(t), .zero_point_i(zero_point), .low_i(low), .high_i(high), \
    .gather_valid_i(gather_valid), .gather_first_i(gather_first), .gather_row_i(row), .gather_cols_i(cols), \
    .gather_code_i(gather_code), .read_i(read), .gathered_sum_o(gathered_sum[i]), \
    .gathered_squares_o(gathered_squares[i]), .start_i(start), .done_o(done[i]), .sum_o(scaled_sum[i]), \
    .inverse_o(root_inverse[i]), .shift_o(root_shift[i]), .norm_i(norm), .valid_i(valid), .code_i(code), \
    .fresh_i(fresh), \
    .sum_i(sum), .inverse_i(inverse), .shift_i(shift), .mult_i(mult), .bias_i(bias), .gate_i(gate), \
    .write_i(write), .write_row_i(write_row), .write_data_i(write_data), .y_valid_o(y_valid[i]), .y_o(y[i])

  ergon_norm_unit #(.COLS(Cols), .CODE_BITS(Bits), .COUNT_BITS(CountBits), .DEPTH(Depth)) u_source (`PORTS(0));
  norm_gates u_gates (`PORTS(1));

  int seed = 9, rows = 0, roots = 0, sums = 0, differing = 0;
  initial begin
    {zero_point, low, high, t} = {-17'sd1, -17'sd8, 17'sd7, 6'd40};
    {gather_valid, start, valid, write} = '0;
    repeat (3) @(negedge clk);
    rst_n = 1;
    for (int cycle = 0; cycle < Cycles; cycle++) begin
      // the table and the sums are filled first, so that nothing stays unknown
      if (cycle % 500 == 0) {per_row, centred, gate, in_zero_point} = $random(seed);
      norm = cycle % 500 < 400;
      if (cycle % 500 == 0) count = 5'd1 + 5'($random(seed) & 15);
      if (cycle % 200 == 0) epsilon = 63'({$random(seed), $random(seed)}) >> ($random(seed) & 63);
      gather_valid = $random(seed);
      gather_first = cycle < 32 || cycle % 500 < 32 || ($random(seed) & 7) == 0;
      {row, cols, read} = $random(seed);
      start = cycle > 40 && ($random(seed) & 31) == 0;
      valid = cycle > 40 && ($random(seed) & 3) != 0;
      fresh = cycle < 60 || ($random(seed) & 3) == 0;
      write = cycle < 16;
      write_row = 4'(cycle);
      {write_data, code, gather_code} = $random(seed);
      sum = 18'($random(seed));
      inverse = {2'b01, 30'($random(seed)), 2'b01, 30'($random(seed))};
      shift = {6'd32 + 6'($random(seed) & 7), 6'd32 + 6'($random(seed) & 7)};
      mult = {$random(seed), $random(seed)};
      bias = {{24{seed[3]}}, 40'($random(seed)), {24{seed[5]}}, 40'($random(seed))};
      @(negedge clk);
      if (y_valid[0] === 1'b1 && ^y[0] !== 1'bx) rows++;
      if (done[0] === 1'b1 && ^root_inverse[0] !== 1'bx) roots++;
      if (^gathered_squares[0] !== 1'bx) sums++;
      if (y_valid[0] !== y_valid[1] || done[0] !== done[1] ||
          (y_valid[0] === 1'b1 && ^y[0] !== 1'bx && y[0] !== y[1]) ||
          (done[0] === 1'b1 && ^root_inverse[0] !== 1'bx &&
           {root_inverse[0], root_shift[0], scaled_sum[0]} !== {root_inverse[1], root_shift[1], scaled_sum[1]}) ||
          (^gathered_squares[0] !== 1'bx && {gathered_sum[0], gathered_squares[0]} !== {gathered_sum[1], gathered_squares[1]}))
        differing++;
    end
    $display("%0d rows, %0d roots, %0d sums compared, %0d cycles differ", rows, roots, sums, differing);
    $finish;
  end
endmodule
