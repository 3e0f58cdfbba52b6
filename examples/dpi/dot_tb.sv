// SPDX-License-Identifier: Apache-2.0
// Drives dot_unit with random dot products and compares every result with the golden kernel, called twice over: pair by
// pair (mac, epilogue) and as an array (dot).
module dot_tb;
  import ergon_dpi_pkg::*;

  localparam int TRIALS = 2000;
  localparam int MOST = 64;

  logic clk = 0, rst_n = 0, valid = 0, last = 0, valid_out;
  logic signed [7:0] x = 0, w = 0, x_zero_point = 0, zero_point = 0, y;
  logic signed [31:0] bias = 0, multiplier = 0;
  logic signed [5:0] shift = 0;
  int compared = 0, failed = 0;
  int expected_queue[$];

  dot_unit dut (
    .clk_i(clk), .rst_ni(rst_n), .valid_i(valid), .last_i(last), .x_i(x), .w_i(w), .x_zero_point_i(x_zero_point),
    .bias_i(bias), .multiplier_i(multiplier), .shift_i(shift), .zero_point_i(zero_point), .valid_o(valid_out), .y_o(y)
  );

  always #5 clk = !clk;

  always @(negedge clk) begin
    if (valid_out) begin
      int expected;
      expected = expected_queue.pop_front();
      compared++;
      if (int'(y) != expected) begin
        failed++;
        if (failed <= 3) $display("FAIL: result %0d: expected %0d, got %0d", compared - 1, expected, y);
      end
    end
  end

  shortint xs[MOST], ws[MOST];

  task automatic run_one();
    int count, m, s, real_bits;
    longint sum, whole;
    count = $urandom_range(1, MOST);
    erg_dpi_scale(real'($urandom_range(1, 4000)) / 1.0e6, m, s, real_bits);
    x_zero_point = 8'($urandom);
    zero_point = 8'($urandom_range(0, 20)) - 8'sd10;
    bias = 32'($urandom_range(0, 20000)) - 32'sd10000;
    multiplier = m;
    shift = 6'(s);
    sum = 0;
    for (int i = 0; i < count; i++) begin
      x = 8'($urandom);
      w = 8'($urandom);
      xs[i] = 16'(x);
      ws[i] = 16'(w);
      valid = 1;
      last = (i == count - 1);
      sum = erg_dpi_mac(sum, int'(x), int'(x_zero_point), int'(w), 32);
      if (last) expected_queue.push_back(erg_dpi_epilogue(sum, longint'(bias), m, s, real_bits, int'(zero_point), -128, 127, 32, RULE_S));
      @(posedge clk);
      #1;
    end
    valid = 0;
    whole = erg_dpi_dot(count, xs, int'(x_zero_point), ws, 32);
    if (whole != sum) begin
      failed++;
      $display("FAIL: dot of the array: expected %0d, got %0d", sum, whole);
    end
  endtask

  initial begin
    repeat (2) @(posedge clk);
    #1 rst_n = 1;
    for (int t = 0; t < TRIALS; t++) run_one();
    repeat (2) @(posedge clk);
    if (failed == 0 && compared == TRIALS) $display("PASS: %0d results compared with the golden kernel", compared);
    else $display("FAIL: %0d of %0d results differ, %0d were driven", failed, compared, TRIALS);
    $finish;
  end
endmodule
