// SPDX-License-Identifier: GPL-3.0-or-later
// The integer network against arithmetic of its own: codes, biases and multipliers recomputed from the real weights and
// the grids, sums of integers, and every requantization as an exact rational rounded once. Nothing of the kernels.
#include "integer_net.hpp"

namespace {

using Wide = __int128;

// M as the fraction m / 2^t that 31 bits hold.
struct Fraction {
  int64_t m;
  int t;
  explicit Fraction(double real) {
    int exponent;
    m = std::llround(std::ldexp(std::frexp(real, &exponent), 31));
    if (m == (int64_t{1} << 31)) m /= 2, exponent++;
    t = 31 - exponent;
  }
  // x * m / 2^t to the nearest integer, ties up.
  int64_t of(int64_t x) const {
    if (t > 62) return 0; /* below 2^-31: not held */
    Wide twice = static_cast<Wide>(x) * m * 2 + (static_cast<Wide>(1) << t), whole = static_cast<Wide>(1) << (t + 1);
    Wide q = twice / whole;
    return static_cast<int64_t>(twice % whole < 0 ? q - 1 : q);
  }
};

int64_t bounded(double v, int64_t low, int64_t high) {
  return v < static_cast<double>(low) ? low : v > static_cast<double>(high) ? high : std::llrint(v);
}
int64_t bounded(int64_t v, int64_t low, int64_t high) {
  return v < low ? low : v > high ? high : v;
}

struct Checker {
  const erg_graph &graph;
  const erg_weights &weights;
  const erg_quantized &q;
  const erg_integer_run *run;
  const double *input;

  const double *value(int node, const char *role) const {
    const erg_parameter *p = erg_weights_find(&weights, node, role);
    return p ? p->values : nullptr;
  }
  const int16_t *codes(int node) const { return erg_integer_tensor(run, node); }

  void check_input() const {
    erg_grid g = q.grids[0];
    int64_t top = (1 << (g.bits - 1)) - 1;
    for (int64_t i = 0; i < erg_shape_elements(graph.nodes[0].out); i++)
      ASSERT_EQ(codes(0)[i], bounded(std::rint(input[i] / g.scale) + g.zero_point, -top - 1, top)) << i;
  }

  // Real weights and bias of a filter, with a folded batch norm in them.
  double gain(const erg_pass &pass, int k) const {
    if (pass.node_count < 2 || std::string(graph.nodes[pass.nodes[1]].op->name) != "batch_norm") return 1;
    int bn = pass.nodes[1];
    return value(bn, "weight")[k] / std::sqrt(value(bn, "running_var")[k] + 1e-5);
  }
  double bias(const erg_pass &pass, int k) const {
    const double *own = value(pass.nodes[0], "bias");
    double b = own ? own[k] : 0;
    if (pass.node_count < 2 || std::string(graph.nodes[pass.nodes[1]].op->name) != "batch_norm") return b;
    int bn = pass.nodes[1];
    return value(bn, "bias")[k] + (b - value(bn, "running_mean")[k]) * gain(pass, k);
  }

  void check_parameters(const erg_pass &pass, const erg_quantized_layer &l) const {
    const double *w = value(pass.nodes[0], "weight");
    int64_t top = (1 << (l.precision.weight_bits - 1)) - 1;
    for (int k = 0; k < pass.conv.filters; k++) {
      double step = l.input.scale * l.weight_scale[k];
      EXPECT_NEAR(static_cast<double>(l.codes.bias[k]), bias(pass, k) / step,
                  0.5 + 1e-6 * std::fabs(bias(pass, k) / step));
      for (int64_t i = k * l.reduction; i < (k + 1) * l.reduction; i++) {
        double want = w[i] * gain(pass, k) / l.weight_scale[k];
        if (std::fabs(want) < static_cast<double>(top))
          EXPECT_NEAR(l.codes.weight[i], want, 0.5 + 1e-9);
        else
          EXPECT_EQ(l.codes.weight[i], want > 0 ? top : -top);
      }
    }
  }

  int64_t sum(const erg_pass &pass, const erg_quantized_layer &l, int n, int p, int r, int k) const {
    const erg_conv2d_shape &s = pass.conv;
    int channels = s.in.c / s.groups, group = k / (s.filters / s.groups);
    int64_t total = l.codes.bias[k];
    for (int64_t i = 0; i < l.reduction; i++) {
      int c = static_cast<int>(i % channels), t = static_cast<int>(i / channels % s.kernel_w),
          u = static_cast<int>(i / channels / s.kernel_w);
      int y = p * s.stride_h - s.pad_top + u, x = r * s.stride_w - s.pad_left + t;
      if (y < 0 || y >= s.in.h || x < 0 || x >= s.in.w) continue;
      int64_t at = ((static_cast<int64_t>(n) * s.in.h + y) * s.in.w + x) * s.in.c + group * channels + c;
      total +=
          static_cast<int64_t>(codes(pass.inputs[0])[at] - l.input.zero_point) * l.codes.weight[k * l.reduction + i];
    }
    return total;
  }

  void check_array(const erg_pass &pass, const erg_quantized_layer &l) const {
    check_parameters(pass, l);
    int64_t top = (1 << (l.output.bits - 1)) - 1, low = -top - 1, high = top;
    if (pass.clamp) {
      low = l.output.zero_point;
      if (std::isfinite(pass.clamp_high))
        high = bounded(l.output.zero_point + std::rint(6 / l.output.scale), -top - 1, top);
    }
    erg_grid after = q.grids[pass.output];
    for (int64_t i = 0; i < erg_shape_elements(pass.out_shape); i++) {
      erg_shape o = pass.out_shape;
      int k = static_cast<int>(i % o.c), c = static_cast<int>(i / o.c % o.w), p = static_cast<int>(i / o.c / o.w % o.h),
          n = static_cast<int>(i / o.c / o.w / o.h);
      int64_t y = l.output.zero_point +
                  Fraction(l.input.scale * l.weight_scale[k] / l.output.scale).of(sum(pass, l, n, p, c, k));
      if (pass.residual >= 0)
        y += Fraction(q.grids[pass.residual].scale / l.output.scale)
                 .of(codes(pass.residual)[i] - q.grids[pass.residual].zero_point);
      y = bounded(y, low, high);
      if (pass.gate) {
        int64_t end = (1 << (after.bits - 1)) - 1;
        long double x = static_cast<long double>(y - l.output.zero_point) * l.output.scale, f = 1 / (1 + expl(-x));
        y = bounded(int64_t{std::llrint(f / after.scale) + after.zero_point}, -end - 1, end);
      }
      ASSERT_EQ(codes(pass.output)[i], y) << pass.name << " element " << i;
    }
  }

  void check_pool(const erg_pass &pass) const {
    const erg_pool_shape &s = pass.pool;
    bool max = std::string(pass.kind_name) == "max_pool";
    int zp = q.grids[pass.inputs[0]].zero_point;
    for (int64_t i = 0; i < erg_shape_elements(pass.out_shape); i++) {
      erg_shape o = pass.out_shape;
      int k = static_cast<int>(i % o.c), c = static_cast<int>(i / o.c % o.w), p = static_cast<int>(i / o.c / o.w % o.h),
          n = static_cast<int>(i / o.c / o.w / o.h);
      int64_t most = INT16_MIN, total = 0, count = 0;
      for (int y = p * s.stride_h; y < p * s.stride_h + s.kernel_h; y++)
        for (int x = c * s.stride_w; x < c * s.stride_w + s.kernel_w; x++, count++) {
          int64_t v = codes(pass.inputs[0])[((static_cast<int64_t>(n) * s.in.h + y) * s.in.w + x) * s.in.c + k];
          most = std::max(most, v);
          total += v - zp;
        }
      if (std::string(pass.kind_name) == "global_avg_pool") { /* a grid of its own, one rounding */
        erg_grid a = q.grids[pass.inputs[0]], y = q.grids[pass.output];
        int64_t top = (1 << (y.bits - 1)) - 1;
        int64_t want = y.zero_point + Fraction(a.scale / (y.scale * static_cast<double>(count))).of(total);
        ASSERT_EQ(codes(pass.output)[i], bounded(want, -top - 1, top)) << pass.name << " element " << i;
        continue;
      }
      int64_t mean = (2 * std::llabs(total) + count) / (2 * count) * (total < 0 ? -1 : 1);
      ASSERT_EQ(codes(pass.output)[i], max ? most : mean + zp) << pass.name << " element " << i;
    }
  }

  // The other passes: adds and clamps that did not join an array, batch norms that did not fold, gates.
  void check_vector(const erg_pass &pass, const erg_quantized_layer &l) const {
    std::string kind = pass.kind_name;
    erg_grid a = q.grids[pass.inputs[0]], y = q.grids[pass.output];
    int64_t top = (1 << (y.bits - 1)) - 1;
    if (pass.pool_window) return check_pool(pass);
    for (int64_t i = 0; i < erg_shape_elements(pass.out_shape); i++) {
      int64_t x = codes(pass.inputs[0])[i] - a.zero_point, want;
      if (kind == "add") {
        erg_grid b = q.grids[pass.inputs[1]];
        want = bounded(y.zero_point + Fraction(a.scale / y.scale).of(x) +
                           Fraction(b.scale / y.scale).of(codes(pass.inputs[1])[i] - b.zero_point),
                       -top - 1, top);
      } else if (kind == "relu" || kind == "relu6") {
        ASSERT_TRUE(a.scale == y.scale && a.zero_point == y.zero_point && a.bits == y.bits);
        int64_t high = kind == "relu" ? top : std::min<int64_t>(top, y.zero_point + std::llrint(6 / y.scale));
        want = bounded(x + y.zero_point, y.zero_point, high);
      } else if (kind == "sigmoid") {
        long double f = 1 / (1 + expl(-static_cast<long double>(x) * a.scale));
        want = bounded(int64_t{std::llrint(f / y.scale) + y.zero_point}, -top - 1, top);
      } else {
        ASSERT_EQ(kind,
                  "batch_norm"); /* its multiplier and bias are the kernel's own test; here one code of rounding */
        int c = static_cast<int>(i % pass.out_shape.c), node = pass.nodes[0];
        double g = value(node, "weight")[c] / std::sqrt(value(node, "running_var")[c] + 1e-5);
        double real = g * (static_cast<double>(x) * a.scale - value(node, "running_mean")[c]) + value(node, "bias")[c];
        double code =
            std::min(std::max(real / y.scale + y.zero_point, static_cast<double>(-top - 1)), static_cast<double>(top));
        ASSERT_NEAR(codes(pass.output)[i], code, 0.51) << pass.name;
        continue;
      }
      ASSERT_EQ(codes(pass.output)[i], want) << pass.name << " element " << i;
    }
    (void)l;
  }

  void check() const {
    check_input();
    for (int i = 0; i < q.plan.pass_count; i++) {
      const erg_pass &pass = q.plan.passes[i];
      pass.kind == ERG_PASS_ARRAY ? check_array(pass, q.layers[i]) : check_vector(pass, q.layers[i]);
    }
  }
};

struct Seen {
  int arrays = 0, vectors = 0, residuals = 0, clamps = 0, gates = 0, folded = 0;
};

void run_case(uint64_t seed, Seen *seen) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  test::Random random(seed);
  int h = random.range(1, 7), w = random.range(1, 7), c = random.range(1, 4), batch = random.range(1, 2);
  test::SmallNet net(h, w, c, test::random_nodes(random, h, w, c), batch);
  test::Weights weights(net);
  test::fill(net, &weights, seed + 1);
  test::Examples data(net, 2 * batch, seed + 2);
  test::Calibration calibration(net, weights, data);
  std::vector<erg_precision> layers;
  for (int i = 0; i < net.node_count; i++) {
    std::string name = "w" + std::to_string(random.range(2, 8)) + "a" + std::to_string(random.range(2, 8));
    layers.push_back(test::precision(name.c_str()));
  }
  erg_quantize_options o = test::options(layers[0].weight_bits < 5 ? "int8" : "w4a6");
  if (random.coin()) o.layers = layers.data();
  o.calibration = static_cast<erg_calibration_method>(random.range(0, 2));
  o.weight_grid.per_tensor = random.coin();
  o.weight_grid.min_max = random.coin();
  o.unfolded = random.range(0, 3) == 0;
  test::Quantized q(net, weights, calibration, o);
  ASSERT_NE(q.layers, nullptr);
  for (erg_integer_model model : {ERG_INTEGER_FAST, ERG_INTEGER_GOLDEN}) {
    test::IntegerRun run(q, model);
    run.forward(data.values.data());
    Checker{net, weights, q, run.run, data.values.data()}.check();
  }
  for (int i = 0; i < q.plan.pass_count; i++) {
    const erg_pass &pass = q.plan.passes[i];
    (pass.kind == ERG_PASS_ARRAY ? seen->arrays : seen->vectors)++;
    seen->residuals += pass.residual >= 0;
    seen->clamps += pass.clamp;
    seen->gates += pass.gate != nullptr;
    seen->folded += pass.kind == ERG_PASS_ARRAY && pass.node_count > 1 &&
                    std::string(net.nodes[pass.nodes[1]].op->name) == "batch_norm";
  }
}

TEST(QuantInteger, EqualsExactArithmeticOnRandomNetworks) {
  Seen seen;
  for (uint64_t seed = 1; seed <= 150 && !::testing::Test::HasFailure(); seed++) run_case(seed, &seen);
  EXPECT_GT(seen.arrays, 300);
  EXPECT_GT(seen.vectors, 60);
  EXPECT_GT(seen.residuals, 15);
  EXPECT_GT(seen.clamps, 60);
  EXPECT_GT(seen.gates, 10);
  EXPECT_GT(seen.folded, 60);
}

// One tap, one channel, one filter, at every width: the smallest network there is.
TEST(QuantInteger, OnePixelOneChannelAtEveryWidth) {
  for (int bits = 2; bits <= 16; bits++) {
    test::SmallNet net(1, 1, 1, {"{name: fc, op: fc, K: 1, bias: yes}"});
    test::Weights weights(net);
    weights.named("fc.weight")->values[0] = -0.75;
    weights.named("fc.bias")->values[0] = 0.125;
    test::Examples data(net, 9, 3);
    test::Calibration calibration(net, weights, data);
    test::Quantized q(net, weights, calibration, test::options(("int" + std::to_string(bits)).c_str()));
    test::IntegerRun run(q, ERG_INTEGER_FAST);
    for (double x : data.values) {
      run.forward(&x);
      double got = erg_grid_real(q.grids[1], run.at(1)[0]), want = -0.75 * x + 0.125;
      /* half a step in and out, and the zero points' */
      EXPECT_NEAR(got, want, 0.75 * q.grids[0].scale + q.grids[1].scale + 1e-9) << bits << " bits, x " << x;
    }
  }
}

// Passes whose kernels have oracles of their own: given the codes that they read, they write the code nearest to the
// real function of what those stand for. So grids, affines, epsilon and multipliers are the right ones.
struct Passes {
  test::SmallNet net{5,
                     4,
                     6,
                     {"{name: c, op: conv2d, K: 6, kernel: 1, bias: yes}", "{name: in, op: instance_norm}",
                      "{name: r, op: relu}", "{name: ln, op: layer_norm}", "{name: rms, op: rms_norm}",
                      "{name: m, op: mul, inputs: [ln, rms]}", "{name: a, op: add, inputs: [m, rms]}",
                      "{name: p, op: avg_pool, kernel: 2}", "{name: t, op: tanh}", "{name: fc, op: fc, K: 3}"}};
  test::Weights weights{net};
  test::Examples data{net, 20, 12};
  std::vector<double> real(const erg_quantized &q, const test::IntegerRun &run, int node) const {
    std::vector<double> x;
    for (int64_t i = 0; i < erg_shape_elements(net.nodes[node].out); i++)
      x.push_back(erg_grid_real(q.grids[node], run.at(node)[i]));
    return x;
  }
};

std::vector<double> normalized(const std::vector<double> &x, int channels, bool instance, bool centred) {
  std::vector<double> y(x.size());
  size_t c = static_cast<size_t>(channels), count = instance ? x.size() / c : c, groups = x.size() / count;
  for (size_t g = 0; g < groups; g++) {
    auto at = [&](size_t i) { return instance ? i * c + g : g * c + i; };
    double mean = 0, squares = 0;
    for (size_t i = 0; i < count && centred; i++) mean += x[at(i)] / static_cast<double>(count);
    for (size_t i = 0; i < count; i++) squares += std::pow(x[at(i)] - mean, 2) / static_cast<double>(count);
    for (size_t i = 0; i < count; i++) y[at(i)] = (x[at(i)] - mean) / std::sqrt(squares + 1e-5);
  }
  return y;
}

TEST(QuantInteger, NormsProductsSumsAndTablesAreRoundedOnce) {
  Passes n;
  test::fill(n.net, &n.weights, 5);
  test::Calibration calibration(n.net, n.weights, n.data);
  for (const char *p : {"int8", "w8a4", "int12"}) {
    test::Quantized q(n.net, n.weights, calibration, test::options(p));
    ASSERT_EQ(q.plan.pass_count, 9);
    test::IntegerRun run(q, ERG_INTEGER_FAST);
    for (int image = 0; image < n.data.count; image++) {
      run.forward(n.data.values.data() + image * 120);
      auto check = [&](int node, const std::vector<double> &want) {
        double top = std::ldexp(1, q.grids[node].bits - 1) - 1;
        for (size_t i = 0; i < want.size(); i++) {
          double code = want[i] / q.grids[node].scale + q.grids[node].zero_point;
          ASSERT_NEAR(run.at(node)[i], std::min(std::max(code, -top - 1), top), 0.51)
              << p << " " << n.net.nodes[node].name << " element " << i << " image " << image;
        }
      };
      auto affine = [&](std::vector<double> x, int node) {
        const erg_parameter *w = erg_weights_find(&n.weights, node, "weight"),
                            *b = erg_weights_find(&n.weights, node, "bias");
        for (size_t i = 0; i < x.size(); i++) x[i] = x[i] * w->values[i % 6] + (b ? b->values[i % 6] : 0);
        return x;
      };
      std::vector<double> in = affine(normalized(n.real(q, run, 1), 6, true, true), 2), mul, sum, tanh;
      for (double &x : in) x = std::max(x, 0.0); /* the ReLU is the norm's clamp */
      check(3, in);
      check(4, affine(normalized(n.real(q, run, 3), 6, false, true), 4));
      check(5, affine(normalized(n.real(q, run, 4), 6, false, false), 5));
      std::vector<double> ln = n.real(q, run, 4), rms = n.real(q, run, 5), m = n.real(q, run, 6),
                          pooled = n.real(q, run, 8);
      for (size_t i = 0; i < ln.size(); i++) mul.push_back(ln[i] * rms[i]);
      check(6, mul);
      for (double x : pooled) tanh.push_back(std::tanh(x));
      check(9, tanh);
      std::vector<double> a = n.real(q, run, 7); /* an add rounds each term */
      for (size_t i = 0; i < a.size(); i++) {
        double top = std::ldexp(1, q.grids[7].bits - 1) - 1;
        double code = (m[i] + rms[i]) / q.grids[7].scale + q.grids[7].zero_point;
        ASSERT_NEAR(run.at(7)[i], std::min(std::max(code, -top - 1), top), 1.01) << p << " element " << i;
      }
    }
  }
}

// A squeeze-and-excitation: each code is that of the real product of what its operands stand for, and float and tape
// agree on what is meant. A gate's circuit gives the codes that its unit gives.
TEST(QuantInteger, MapsTimesNumbersAChannelAreRoundedOnce) {
  test::SmallNet net(5, 4, 6,
                     {"{name: c, op: conv2d, K: 6, kernel: 1, bias: yes}", "{name: p, op: global_avg_pool}",
                      "{name: e, op: fc, K: 6, bias: yes}", "{name: g, op: sigmoid}",
                      "{name: y, op: channel_mul, inputs: [c, g]}"},
                     2);
  test::Weights weights(net);
  test::fill(net, &weights, 5);
  test::SmallNet one(5, 4, 6,
                     {"{name: c, op: conv2d, K: 6, kernel: 1, bias: yes}", "{name: p, op: global_avg_pool}",
                      "{name: e, op: fc, K: 6, bias: yes}", "{name: g, op: sigmoid}",
                      "{name: y, op: channel_mul, inputs: [c, g]}"});
  test::Examples data(one, 20, 12);
  test::Calibration calibration(net, weights, data);
  const erg_gate *sigmoid = erg_gate_find("sigmoid");
  for (const char *form : {"", "shift", "plan"})
    for (const char *p : {"int8", "w8a4", "int12"}) {
      erg_quantize_options options = test::options(p);
      if (*form) options.gate_form = form;
      test::Quantized q(net, weights, calibration, options);
      test::IntegerRun run(q, ERG_INTEGER_FAST), golden(q, ERG_INTEGER_GOLDEN);
      for (int at = 0; at < data.count; at += 2) {
        run.forward(data.values.data() + at * 120);
        golden.forward(data.values.data() + at * 120);
        for (int i = 0; i < 240; i++) {
          const int gate = i / 120 * 6 + i % 6; // of its image
          double top = std::ldexp(1, q.grids[5].bits - 1) - 1;
          double want = erg_grid_real(q.grids[1], run.at(1)[i]) * erg_grid_real(q.grids[4], run.at(4)[gate]);
          double code = want / q.grids[5].scale + q.grids[5].zero_point;
          ASSERT_NEAR(run.at(5)[i], std::min(std::max(code, -top - 1), top), 0.51) << p << " " << form << " at " << i;
          ASSERT_EQ(run.at(5)[i], golden.at(5)[i]);
        }
      }
      if (!*form) continue;
      const erg_quantized_layer *table = nullptr;
      for (int i = 0; i < q.plan.pass_count; i++)
        if (q.layers[i].table) table = &q.layers[i];
      ASSERT_NE(table, nullptr);
      erg_gate_unit unit;
      ASSERT_EQ(erg_gate_unit_init(sigmoid, erg_gate_form_find(sigmoid, form), &unit, nullptr), ERG_OK);
      for (int code = -(1 << (table->table_bits - 1)); code < 1 << (table->table_bits - 1); code++) {
        int16_t x = static_cast<int16_t>(code), y = 0;
        ASSERT_EQ(erg_gate_unit_s16(&unit, 1, &x, table->output, q.grids[4], &y, nullptr), ERG_OK);
        ASSERT_EQ(table->table[code + (1 << (table->table_bits - 1))], y) << form << " of " << code;
      }
    }
}

} // namespace
