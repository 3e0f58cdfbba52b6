// SPDX-License-Identifier: GPL-3.0-or-later
// The sources of the output-stationary array and the gates made of them, side by side: same random stimulus, gaps on all
// ports, same outputs. K is longer than the array in one half of the run and shorter in the other.
module os_lockstep_tb;
  localparam int Rows = 2, Cols = 2, MostCycles = 3000;
  logic clk = 0, rst_n = 0;
  always #5 clk = ~clk;

  logic w_valid, a_valid, c_valid, r_valid;
  logic [16:0] m_rows;
  logic [23:0] k_steps;
  logic [Cols*8-1:0] w_data, r_data;
  logic [Rows*8-1:0] a_data;
  logic [Cols*32-1:0] bias, mult;
  logic [Cols*6-1:0] t;

  logic w_req[2], a_req[2], c_req[2], r_req[2], y_valid[2], done[2];
  logic [Cols*8-1:0] y[2];
  logic [63:0] cycles[2], frozen[2];

`define PORTS(i) \
    .clk_i(clk), .rst_ni(rst_n), .zero_point_i(-17'sd3), .low_i(-17'sd112), .high_i(17'sd117), .res_en_i(1'b1), \
    .res_zero_point_i(17'sd5), .res_mult_i(32'h5000_0001), .res_t_i(6'd33), .w_req_o(w_req[i]), .w_valid_i(w_valid), \
    .w_data_i(w_data), .m_rows_i(m_rows), .k_first_i(1'b0), .k_last_i(1'b0), .last_i(1'b0), .k_steps_i(k_steps), \
    .a_req_o(a_req[i]), .a_valid_i(a_valid), .a_data_i(a_data), .c_req_o(c_req[i]), .c_valid_i(c_valid), \
    .bias_i(bias), .mult_i(mult), .t_i(t), .r_req_o(r_req[i]), .r_valid_i(r_valid), .r_data_i(r_data), \
    .y_valid_o(y_valid[i]), .y_o(y[i]), .done_o(done[i]), .cycles_o(cycles[i]), .frozen_o(frozen[i])

  ergon_top_os #(.ROWS(Rows), .COLS(Cols), .ACC_DEPTH(8)) u_source (`PORTS(0));
  ergon_gates u_gates (`PORTS(1));

  int compared = 0, differing = 0;
  int seed = 7;

  function automatic logic [31:0] spread(int bits);  // a signed value of at most `bits` bits
    spread = $signed($random(seed)) >>> (32 - bits);
  endfunction

  initial begin
    {w_valid, a_valid, c_valid, r_valid} = '0;
    m_rows = 1;
    k_steps = 5;
    {w_data, r_data, a_data, bias, mult, t} = '0;
    repeat (3) @(negedge clk);
    rst_n = 1;
    for (int cycle = 0; cycle < MostCycles; cycle++) begin
      if (cycle == MostCycles / 2) begin  // another layer
        rst_n = 0;
        repeat (3) @(negedge clk);
        rst_n = 1;
        k_steps = 1;
      end
      m_rows = 17'(1 + ($random(seed) & 1));
      w_valid = ($random(seed) & 7) != 0;
      a_valid = ($random(seed) & 7) != 0;
      c_valid = ($random(seed) & 7) != 0;
      r_valid = ($random(seed) & 7) != 0;
      w_data = 16'($random(seed));
      a_data = 16'($random(seed));
      r_data = 16'($random(seed));
      bias = {spread(16), spread(16)};
      mult = {2'b01, 30'($random(seed)), 2'b01, 30'($random(seed))};
      t = {6'(36 + ($random(seed) & 7)), 6'(36 + ($random(seed) & 7))};
      @(negedge clk);
      if (y_valid[0] === 1'b1) compared++;
      if ({w_req[0], a_req[0], c_req[0], r_req[0], y_valid[0], done[0], cycles[0], frozen[0]} !==
          {w_req[1], a_req[1], c_req[1], r_req[1], y_valid[1], done[1], cycles[1], frozen[1]} ||
          (y_valid[0] === 1'b1 && y[0] !== y[1])) begin
        differing++;
        if (differing == 1) $display("cycle %0d: source %b %h, gates %b %h", cycle, y_valid[0], y[0], y_valid[1], y[1]);
      end
    end
    $display("%0d output rows compared, %0d cycles differ", compared, differing);
    $finish;
  end
endmodule
