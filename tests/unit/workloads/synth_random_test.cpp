// SPDX-License-Identifier: GPL-3.0-or-later
// Calibration where it is hard: random layers, and a whole network whose inputs are its own outputs.
#include "net.hpp"
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace {

struct Map {
  std::vector<int16_t> codes;
  int32_t zero_point = 0;
};
struct Spread {
  int distinct = 0;
  double low = 0, high = 0;
  size_t shifts = 0, multipliers = 0;
};

struct Runner {
  const Net &graph;
  erg_precision precision;
  uint64_t seed;
  test::Arena arena;
  test::Error error;
  erg_plan plan{};
  std::map<int, Map> maps;

  Runner(const Net &g, const char *p, uint64_t s) : graph(g), precision(test::precision(p)), seed(s) {
    EXPECT_EQ(erg_plan_build(&g, ERG_FUSION_EPILOGUE, nullptr, nullptr, &plan, &error), ERG_OK) << error.message();
    maps[0] = input(g.nodes[0].out, s);
  }
  ~Runner() { erg_plan_free(&plan); }

  Map input(erg_shape shape, uint64_t from) {
    int16_t *codes;
    Map map;
    EXPECT_EQ(erg_synth_input(&arena, shape, precision.activation_bits, from, &codes, &map.zero_point, &error), ERG_OK);
    map.codes.assign(codes, codes + erg_shape_elements(shape));
    return map;
  }

  Spread array(const erg_pass &pass) {
    const Map &in = maps[pass.inputs[0]];
    const Map *residual = pass.residual >= 0 ? &maps[pass.residual] : nullptr;
    test::Arena scratch;
    erg_synth_layer layer{};
    EXPECT_EQ(erg_synth_make(&scratch, &pass, &precision, seed, in.codes.data(), in.zero_point,
                             residual ? residual->codes.data() : nullptr, residual ? residual->zero_point : 0, &layer,
                             &error),
              ERG_OK)
        << error.message();
    erg_epilogue e{layer.bias,
                   layer.scale,
                   layer.zero_point,
                   layer.low,
                   layer.high,
                   residual ? residual->codes.data() : nullptr,
                   layer.residual_zero_point,
                   layer.residual_scale};
    Map out;
    out.zero_point = layer.zero_point;
    out.codes.resize(static_cast<size_t>(erg_shape_elements(pass.out_shape)));
    EXPECT_EQ(erg_conv2d_s16(&pass.conv, in.codes.data(), in.zero_point, layer.weight, precision.accumulator_bits, &e,
                             out.codes.data(), &error),
              ERG_OK)
        << error.message();
    Spread s;
    std::set<int32_t> shifts, multipliers;
    for (int k = 0; k < pass.conv.filters; k++) {
      shifts.insert(layer.scale[k].shift);
      multipliers.insert(layer.scale[k].multiplier);
    }
    s.shifts = shifts.size();
    s.multipliers = multipliers.size();
    std::vector<bool> seen(65536);
    for (int16_t code : out.codes) {
      seen[static_cast<size_t>(code + 32768)] = true;
      s.low += code == layer.low;
      s.high += code == layer.high;
    }
    s.low /= static_cast<double>(out.codes.size());
    s.high /= static_cast<double>(out.codes.size());
    s.distinct = static_cast<int>(std::count(seen.begin(), seen.end(), true));
    maps[pass.output] = std::move(out);
    return s;
  }
};

// At least 32 codes, at most 25 % on a rail, 75 % on a ReLU's lower one. A map of n outputs of which three quarters may
// be equal cannot hold more than n / 4 + 1 codes, so a small clamped map owes n / 4; a small unclamped one n / 2.
void expect_informative(const erg_pass &pass, const Spread &s) {
  EXPECT_GE(s.distinct, std::min<int64_t>(32, erg_shape_elements(pass.out_shape) / (pass.clamp ? 4 : 2)));
  EXPECT_LE(s.high, 0.25);
  EXPECT_LE(s.low, pass.clamp ? 0.75 : 0.25);
}

std::string random_layer(test::Random &random, int &h, int &w, int &c) {
  h = random.range(1, 16), w = random.range(1, 16), c = random.range(1, 24);
  int r = random.range(1, std::min(h, 5)), s = random.range(1, std::min(w, 5)), kind = random.range(0, 3);
  int filters = kind == 0 ? c * random.range(1, 2) : random.range(1, 40), groups = kind == 0 ? c : 1;
  if (kind == 1) r = s = 1; // 1 x 1
  bool residual = kind == 3;
  std::string text = "  - {name: c, op: conv2d, K: " + std::to_string(filters) + ", kernel: [" + std::to_string(r) +
                     ", " + std::to_string(s) + "], stride: " + std::to_string(random.range(1, 2)) +
                     ", groups: " + std::to_string(groups) + ", pad: [" + std::to_string(random.range(0, r - 1)) +
                     ", " + std::to_string(random.range(0, s - 1)) + "], bias: " + (random.coin() ? "yes" : "no") +
                     "}\n";
  if (residual) // the shortcut of another width comes from a layer of its own
    text += text, text.replace(text.find("name: c"), 7, "name: z"),
        text += "  - {name: sum, op: add, inputs: [z, c]}\n";
  if (residual) text.insert(text.rfind("bias:"), "inputs: [input], ");
  int clamp = random.range(0, 2);
  if (clamp) text += clamp == 1 ? "  - {name: r, op: relu}\n" : "  - {name: r, op: relu6}\n";
  return text;
}

} // namespace

TEST(SynthRandom, EveryLayerIsInformative) {
  test::Random random(61);
  for (int round = 0; round < 600; round++) {
    int h, w, c;
    std::string text = random_layer(random, h, w, c);
    SCOPED_TRACE("seed 61, round " + std::to_string(round) + ", input " + std::to_string(h) + " x " +
                 std::to_string(w) + " x " + std::to_string(c) + "\n" + text);
    Net g(net(text, h, w, c));
    ASSERT_EQ(g.status, ERG_OK) << g.error.message();
    Runner run(g, round % 4 == 0 ? "w4a8" : "int8", static_cast<uint64_t>(round));
    for (int i = 0; i < run.plan.pass_count; i++) {
      const erg_pass &pass = run.plan.passes[i];
      Spread s = run.array(pass);
      expect_informative(pass, s);
    }
    if (HasFailure()) return;
  }
}

TEST(SynthRandom, ANetworkStaysInformativeToItsEnd) {
  test::Error error;
  test::Arena arena;
  char *path, *text;
  ASSERT_EQ(erg_data_find(&arena, "nets", "mobilenetv2", ".yaml", &path, &error), ERG_OK) << error.message();
  ASSERT_EQ(erg_file_read(&arena, path, &text, nullptr, &error), ERG_OK);
  std::string smaller = text; // a quarter of the size: all layers, a sixteenth of the work
  smaller.replace(smaller.find("{height: 224, width: 224"), 24, "{height: 64, width: 64");
  for (const char *precision : {"int8", "w4a8"}) {
    Net g(smaller);
    ASSERT_EQ(g.status, ERG_OK) << g.error.message();
    Runner run(g, precision, 1);
    double upper = 0;
    for (int i = 0; i < run.plan.pass_count; i++) {
      const erg_pass &pass = run.plan.passes[i];
      SCOPED_TRACE(std::string(precision) + " " + pass.name);
      if (pass.kind == ERG_PASS_ARRAY) {
        Spread s = run.array(pass);
        expect_informative(pass, s);
        if (std::isfinite(pass.clamp_high) && pass.clamp) upper += s.high;
      } else {
        const erg_node &node = g.nodes[pass.output];
        const Map &in = run.maps[pass.inputs[0]];
        Map out;
        out.zero_point = in.zero_point;
        out.codes.resize(static_cast<size_t>(erg_shape_elements(pass.out_shape)));
        ASSERT_EQ(
            node.op->run_s16(&node.attrs, &pass.in_shape, in.codes.data(), in.zero_point, out.codes.data(), &run.error),
            ERG_OK);
        run.maps[pass.output] = std::move(out);
      }
    }
    EXPECT_GT(upper, 0) << "no ReLU6 ever reached its upper limit";
  }
}

// One scale for all channels would hide a mix-up of channels; one shift, a mix-up of shifts.
TEST(SynthRandom, ChannelsDifferInMultiplierAndShift) {
  for (uint64_t seed = 1; seed <= 40; seed++) {
    Net g(net("  - {name: c, op: conv2d, K: 8, kernel: 3}\n  - {name: r, op: relu6}\n", 12, 12, 8));
    Runner run(g, "int8", seed);
    Spread s = run.array(run.plan.passes[0]);
    EXPECT_GE(s.multipliers, 6u) << "seed " << seed;
    EXPECT_GE(s.shifts, 2u) << "seed " << seed;
    EXPECT_GT(s.high, 0) << "seed " << seed << ": the upper limit is never reached";
  }
}

TEST(SynthRandom, ClampLimitsAndZeroPoints) {
  const struct {
    const char *clamp, *precision;
    int zero_point_is_low, high_is_top;
  } cases[] = {{"relu", "int8", 1, 1}, {"relu6", "int8", 1, 0}, {"relu6", "int4", 1, 0},
               {"", "int8", 0, 1},     {"", "int4", 0, 1},      {"relu", "w8a8o4", 1, 1}};
  for (const auto &k : cases) {
    std::string text = "  - {name: c, op: conv2d, K: 4, kernel: 3}\n";
    if (*k.clamp) text += std::string("  - {name: r, op: ") + k.clamp + "}\n";
    Net g(net(text));
    Runner run(g, k.precision, 3);
    erg_synth_layer layer{};
    const Map &in = run.maps[0];
    ASSERT_EQ(erg_synth_make(&run.arena, &run.plan.passes[0], &run.precision, 3, in.codes.data(), in.zero_point,
                             nullptr, 0, &layer, &run.error),
              ERG_OK);
    int top = (1 << (run.precision.output_bits - 1)) - 1;
    SCOPED_TRACE(text + k.precision);
    EXPECT_EQ(layer.low, -top - 1);
    EXPECT_EQ(layer.zero_point == layer.low, k.zero_point_is_low == 1);
    EXPECT_EQ(layer.high == top, k.high_is_top == 1);
    if (!k.zero_point_is_low) EXPECT_NE(layer.zero_point, 0);
    EXPECT_LE(std::abs(layer.zero_point), top + 1);
  }
}

// A residual far from its zero point (as behind a ReLU) must not push the sum onto a rail.
TEST(SynthRandom, TheResidualsMeanIsTakenAway) {
  Net g(net("  - {name: c, op: conv2d, K: 8, kernel: 1}\n  - {name: s, op: add, inputs: [c, input]}\n", 12, 12, 8));
  Runner run(g, "int8", 1);
  Map shifted = run.maps[0];
  for (int16_t &code : shifted.codes) code = static_cast<int16_t>(90 + code / 4);
  shifted.zero_point = -128;
  run.maps[0] = shifted;
  expect_informative(run.plan.passes[0], run.array(run.plan.passes[0]));
}

// A map without any spread divides by nothing.
TEST(SynthRandom, ConstantInputsAreHarmless) {
  Net g(
      net("  - {name: c, op: conv2d, K: 8, kernel: 3, pad: 1}\n  - {name: s, op: add, inputs: [c, input]}\n", 6, 6, 8));
  Runner run(g, "int8", 1);
  for (int16_t value : {-128, 0, 127}) {
    std::fill(run.maps[0].codes.begin(), run.maps[0].codes.end(), value);
    run.maps[0].zero_point = value == 0 ? 0 : 5;
    run.array(run.plan.passes[0]);
    run.maps[0].zero_point = value;
    run.array(run.plan.passes[0]);
  }
}

TEST(SynthRandom, RefusesWhatItCannotMake) {
  Net g(net("  - {name: c, op: conv2d, K: 8, kernel: 3}\n  - {name: p, op: max_pool, kernel: 2}\n"));
  Runner run(g, "int8", 1);
  erg_synth_layer layer{};
  const Map &in = run.maps[0];
  erg_precision fp32 = test::precision("fp32");
  EXPECT_EQ(erg_synth_make(&run.arena, &run.plan.passes[1], &run.precision, 1, in.codes.data(), 0, nullptr, 0, &layer,
                           &run.error),
            ERG_ERR_UNSUPPORTED);
  EXPECT_EQ(
      erg_synth_make(&run.arena, &run.plan.passes[0], &fp32, 1, in.codes.data(), 0, nullptr, 0, &layer, &run.error),
      ERG_ERR_UNSUPPORTED);
}
