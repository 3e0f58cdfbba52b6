// SPDX-License-Identifier: GPL-3.0-or-later
// Every function of the package against values worked out by hand from the definitions in ergon/requant.h.
module package_tb;
  import ergon_dpi_pkg::*;
  int compared = 0, failed = 0;

  task automatic check(input string what, input longint got, input longint expected);
    compared++;
    if (got != expected) begin
      failed++;
      $display("FAIL: %s: expected %0d, got %0d", what, expected, got);
    end
  endtask

  int m, s, r, mq, sq, rq, d[WORDS], scale[6];
  shortint a[4], b[4], none[1], y[4], y_short[3], x[9], w[18], out[2];
  longint bias[2], sums[2];

  initial begin
    erg_dpi_scale(0.5, m, s, r);
    erg_dpi_scale(0.25, mq, sq, rq);
    check("multiplier", longint'(m), 64'd1 << 30);
    check("shift of 0.25", longint'(sq), -1);
    check("float32 bits of 0.5", longint'(r), 64'h3f000000);
    check("S 2.5", erg_dpi_requantize(5, m, s, r, 32, RULE_S), 3);
    check("S -1.5", erg_dpi_requantize(-3, m, s, r, 32, RULE_S), -1);
    check("A -1.5", erg_dpi_requantize(-3, m, s, r, 32, RULE_A), -2);
    check("F 2.5", erg_dpi_requantize(5, m, s, r, 32, RULE_F), 2);
    check("D -0.5", erg_dpi_requantize(-2, mq, sq, rq, 32, RULE_D), -1);
    check("S -0.5", erg_dpi_requantize(-2, mq, sq, rq, 32, RULE_S), 0);
    check("an illegal multiplier", erg_dpi_requantize(5, 3, 0, 0, 32, RULE_S), 0);
    if (erg_dpi_error() == "") check("its text", 0, 1);
    check("epilogue", longint'(erg_dpi_epilogue(10, 3, m, s, r, 2, -128, 127, 32, RULE_S)), 9);
    check("residual", longint'(erg_dpi_epilogue_residual(10, 3, m, s, r, 5, 1, mq, sq, rq, 2, -128, 127, 32, RULE_S)), 10);
    check("clamp", longint'(erg_dpi_epilogue_residual(10, 3, m, s, r, 5, 1, mq, sq, rq, 2, -128, 9, 32, RULE_S)), 9);
    check("mac wraps", erg_dpi_mac(127, 2, 1, 1, 8), -128);

    // a - 1 = [0 1; 2 3], b - 5 = [0 1; 2 3]: sums [2 3; 6 11], bias [0 1], halved.
    a = '{1, 2, 3, 4};
    b = '{5, 6, 7, 8};
    bias = '{0, 1};
    scale = '{m, s, r, m, s, r};
    check("dot", erg_dpi_dot(4, a, 1, b, 32), 64'd0 * 5 + 1 * 6 + 2 * 7 + 3 * 8);
    check("dot beyond the array", erg_dpi_dot(5, a, 1, b, 32), 0);
    d[W_N] = 1; d[W_H] = 2; d[W_W] = 2; d[W_C] = 2; d[W_ACCUMULATOR_BITS] = 32;
    d[W_INPUT_ZERO_POINT] = 1; d[W_B_ZERO_POINT] = 5; d[W_LOW] = -128; d[W_HIGH] = 127; d[W_RULE] = RULE_S;
    check("matmul", longint'(erg_dpi_matmul(d, a, b, bias, scale, none, y)), 0);
    check("y[0]", longint'(y[0]), 1);
    check("y[1]", longint'(y[1]), 2);
    check("y[2]", longint'(y[2]), 3);
    check("y[3]", longint'(y[3]), 6);
    y_short = '{7, 7, 7};
    check("matmul into too few", longint'(erg_dpi_matmul(d, a, b, bias, scale, none, y_short)), 65);
    check("untouched", longint'(y_short[0]), 7);
    if (erg_dpi_error() == "") check("its text", 0, 1);
    d[W_RULE] = 9;
    check("an illegal rule", longint'(erg_dpi_matmul(d, a, b, bias, scale, none, y)), 65);

    // 1..9 under nine ones and nine minus ones: sums 45 and -45, bias [0 1], halved: 22.5 and -22.
    for (int i = 0; i < WORDS; i++) d[i] = 0;
    for (int i = 0; i < 9; i++) begin
      x[i] = 16'(i + 1);
      w[i] = 1;
      w[9+i] = -1;
    end
    d[W_N] = 1; d[W_H] = 3; d[W_W] = 3; d[W_C] = 1; d[W_FILTERS] = 2; d[W_KERNEL_H] = 3; d[W_KERNEL_W] = 3;
    d[W_STRIDE_H] = 1; d[W_STRIDE_W] = 1; d[W_GROUPS] = 1; d[W_OUT_H] = 1; d[W_OUT_W] = 1;
    d[W_ACCUMULATOR_BITS] = 32; d[W_LOW] = -128; d[W_HIGH] = 127;
    check("accumulate", longint'(erg_dpi_conv2d_accumulate(d, x, w, sums)), 0);
    check("sums[0]", sums[0], 45);
    check("sums[1]", sums[1], -45);
    check("conv2d", longint'(erg_dpi_conv2d(d, x, w, bias, scale, none, out)), 0);
    check("out[0]", longint'(out[0]), 23);
    check("out[1]", longint'(out[1]), -22);
    d[W_GROUPS] = 2;
    check("groups that do not divide", longint'(erg_dpi_conv2d(d, x, w, bias, scale, none, out)), 65);

    if (failed == 0) $display("PASS: %0d values as worked out by hand", compared);
    else $display("FAIL: %0d of %0d values", failed, compared);
    $finish;
  end
endmodule
