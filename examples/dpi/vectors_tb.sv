// SPDX-License-Identifier: Apache-2.0
// Reads what `ergon vectors` wrote with $readmemh, runs the golden kernel on it through the package, and compares the
// accumulators and the outputs with the files. Put your own design in the place of the two calls.
//   +vectors=DIR
module vectors_tb;
  import ergon_dpi_pkg::*;

  localparam int MOST = 1 << 20;  // elements of the largest tensor

  string folder;
  logic [31:0] shape_words[WORDS];
  logic [15:0] input_words[MOST], weight_words[MOST], residual_words[MOST], expected_words[MOST];
  logic [47:0] bias_words[MOST], accumulator_words[MOST];
  logic [31:0] scale_words[MOST];
  int d[WORDS], scale[MOST];
  shortint x[MOST], weight[MOST], residual[MOST], y[MOST];
  longint bias[MOST], accumulator[MOST];

  // Two's complement of `bits` bits to a signed number.
  function automatic longint extend(input longint word, input int bits);
    return longint'(word << (64 - bits)) >>> (64 - bits);
  endfunction

  function automatic bit exists(input string name);
    int file;
    file = $fopen({folder, "/", name}, "r");
    if (file == 0) return 0;
    $fclose(file);
    return 1;
  endfunction

  int failed = 0, inputs, weights, outputs, status;

  initial begin
    if (!$value$plusargs("vectors=%s", folder)) $fatal(1, "+vectors=DIR is missing");
    if (!exists("shape.hex")) $fatal(1, "%s holds no shape.hex", folder);
    $readmemh({folder, "/shape.hex"}, shape_words);
    for (int i = 0; i < WORDS; i++) d[i] = int'(shape_words[i]);
    inputs  = d[W_N] * d[W_H] * d[W_W] * d[W_C];
    weights = d[W_FILTERS] * d[W_KERNEL_H] * d[W_KERNEL_W] * d[W_C] / d[W_GROUPS];
    outputs = d[W_N] * d[W_OUT_H] * d[W_OUT_W] * d[W_FILTERS];
    if (inputs > MOST || weights > MOST || outputs > MOST) $fatal(1, "a tensor holds more than %0d elements", MOST);
    $readmemh({folder, "/input.hex"}, input_words, 0, inputs - 1);
    $readmemh({folder, "/weight.hex"}, weight_words, 0, weights - 1);
    $readmemh({folder, "/bias.hex"}, bias_words, 0, d[W_FILTERS] - 1);
    $readmemh({folder, "/scale.hex"}, scale_words, 0, 3 * d[W_FILTERS] - 1);
    $readmemh({folder, "/accumulator.hex"}, accumulator_words, 0, outputs - 1);
    $readmemh({folder, "/expected.hex"}, expected_words, 0, outputs - 1);
    if (d[W_HAS_RESIDUAL] != 0) $readmemh({folder, "/residual.hex"}, residual_words, 0, outputs - 1);
    for (int i = 0; i < inputs; i++) x[i] = shortint'(extend(longint'(input_words[i]), d[W_INPUT_BITS]));
    for (int i = 0; i < weights; i++) weight[i] = shortint'(extend(longint'(weight_words[i]), d[W_WEIGHT_BITS]));
    for (int i = 0; i < outputs; i++) residual[i] = shortint'(extend(longint'(residual_words[i]), d[W_INPUT_BITS]));
    for (int i = 0; i < d[W_FILTERS]; i++) bias[i] = extend(longint'(bias_words[i]), d[W_ACCUMULATOR_BITS]);
    for (int i = 0; i < 3 * d[W_FILTERS]; i++) scale[i] = int'(scale_words[i]);

    status = erg_dpi_conv2d_accumulate(d, x, weight, accumulator);
    if (status == 0) status = erg_dpi_conv2d(d, x, weight, bias, scale, residual, y);
    if (status != 0) $fatal(1, "the golden kernel refused: %s", erg_dpi_error());
    for (int i = 0; i < outputs; i++) begin
      longint sum, code;
      sum  = extend(longint'(accumulator_words[i]), d[W_ACCUMULATOR_BITS]);
      code = extend(longint'(expected_words[i]), d[W_OUTPUT_BITS]);
      if (accumulator[i] != sum || longint'(y[i]) != code) begin
        failed++;
        if (failed <= 3)
          $display("FAIL: element %0d: expected %0d (sum %0d), got %0d (sum %0d)", i, code, sum, y[i], accumulator[i]);
      end
    end
    if (failed == 0) $display("PASS: %0d outputs and accumulators as in %s", outputs, folder);
    else $display("FAIL: %0d of %0d elements differ", failed, outputs);
    $finish;
  end
endmodule
