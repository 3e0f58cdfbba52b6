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

} // namespace
