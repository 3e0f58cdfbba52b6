// SPDX-License-Identifier: GPL-3.0-or-later
// Exact tables of gates, code by code, against other identities in long double; fixed-point forms against their
// formulas and hand-worked values; measured errors against published figures.
#include "gates_oracle.hpp"
#include "support.hpp"

namespace {

const erg_gate *gate(const char *name) {
  const erg_gate *found = erg_gate_find(name);
  EXPECT_TRUE(found) << name;
  return found;
}

erg_gate_unit unit(const char *gate_name, const char *form) {
  test::Error error;
  erg_gate_unit made{};
  const erg_gate *g = gate(gate_name);
  EXPECT_EQ(erg_gate_unit_init(g, erg_gate_form_find(g, form), &made, &error), ERG_OK) << gate_name << " " << form;
  return made;
}

constexpr int32_t q20(double x) {
  return static_cast<int32_t>(x * 1048576);
}

// Every code, and how near the nearest tie was: a table is only known to be right away from ties, or on them.
void expect_table(const erg_gate *g, erg_quantization in, erg_quantization out) {
  SCOPED_TRACE(std::string(g->name) + " in " + std::to_string(in.scale) + " zp " + std::to_string(in.zero_point) +
               " out " + std::to_string(out.scale) + " zp " + std::to_string(out.zero_point));
  std::vector<int16_t> table(static_cast<size_t>(1) << in.bits);
  test::Error error;
  ASSERT_EQ(erg_gate_table_build(g, in, out, table.data(), &error), ERG_OK) << error.message();
  int half = 1 << (in.bits - 1);
  for (int q = -half; q < half; q++) {
    oracle::Code want = oracle::code(g->name, in, out, q);
    ASSERT_TRUE(want.judged) << "code " << q << " is too near a tie to be judged";
    ASSERT_EQ(table[static_cast<size_t>(q + half)], want.value) << "code " << q;
  }
}

} // namespace

TEST(Gates, EveryNamedGateIsThere) {
  for (const char *name : {"sigmoid", "silu", "hard_sigmoid", "hard_sigmoid_onnx", "hard_swish", "tanh", "gelu", "exp"})
    gate(name);
  EXPECT_FALSE(erg_gate_find("sigmoidal"));
  EXPECT_FALSE(erg_gate_find(nullptr));
}

TEST(Gates, TablesAreCorrectlyRoundedAtEveryCode) {
  const double in_scales[] = {1 / 16.0, 1 / 32.0, 1 / 128.0, 0.05, 0.1, 0.023529411764705882, 3 / 1024.0, 0.375};
  const int zero_points[] = {-128, -3, 0, 127};
  ERG_EACH(erg_gate, item) {
    erg_quantization in, out;
    erg_gate_default_codes(*item, 8, &in, &out);
    expect_table(*item, in, out);
    for (double scale : in_scales)
      for (int zp : zero_points) {
        expect_table(*item, {scale, zp, 8}, out);
        expect_table(*item, {scale, zp, 8}, {1 / 256.0, -128, 8});
        expect_table(*item, {scale, zp, 8}, {0.0371, 11, 8});
        expect_table(*item, {scale, zp, 8}, {1 / 8.0, 0, 4}); // rails
      }
  }
}

TEST(Gates, TablesOfEveryWidth) {
  test::Random random(71);
  SCOPED_TRACE("seed 71");
  ERG_EACH(erg_gate, item)
  for (int bits = 2; bits <= 16; bits++) {
    erg_quantization in, out;
    erg_gate_default_codes(*item, bits, &in, &out);
    in.zero_point += random.range(0, 1) * (in.zero_point < (1 << (bits - 1)) - 1);
    expect_table(*item, in, out);
  }
}

// 3/1024 * 128 / 6 = 1/16: HardSigmoid meets exact ties there, which must go to even.
TEST(Gates, RationalTiesGoToEven) {
  int ties = 0;
  for (int q = -128; q < 128; q++)
    ties += oracle::code("hard_sigmoid", {3 / 1024.0, 0, 8}, {1 / 256.0, -128, 8}, q).tie;
  EXPECT_GT(ties, 10);
  expect_table(gate("hard_sigmoid"), {3 / 1024.0, 0, 8}, {1 / 256.0, -128, 8});
  int16_t table[256];
  test::Error error;
  ASSERT_EQ(erg_gate_table_build(gate("hard_sigmoid"), {3 / 1024.0, 0, 8}, {1 / 256.0, -128, 8}, table, &error),
            ERG_OK);
  EXPECT_EQ(table[128 + 4], 0);  // 0.5 above 128/256: 128.5 -> 128
  EXPECT_EQ(table[128 + 12], 2); // 129.5 -> 130
  EXPECT_EQ(table[128 - 4], 0);  // 127.5 -> 128
}

// gelu(9.5) is 9.5 less 1e-20: half a step of 1, so 9 and not 10; h-swish(9.5) is 9.5, a tie, so 10.
TEST(Gates, AValueBelowATieByLessThanALongDoubleShowsGoesDown) {
  int16_t table[256];
  test::Error error;
  for (const char *name : {"gelu", "silu"}) {
    double x = std::string(name) == "gelu" ? 9.5 : 59.5;
    ASSERT_EQ(erg_gate_table_build(gate(name), {0.5, 0, 8}, {1, 0, 8}, table, &error), ERG_OK);
    EXPECT_EQ(table[128 + static_cast<int>(2 * x)], static_cast<int>(x)) << name;
    expect_table(gate(name), {0.5, 0, 8}, {1, 0, 8});
  }
  ASSERT_EQ(erg_gate_table_build(gate("hard_swish"), {0.5, 0, 8}, {1, 0, 8}, table, &error), ERG_OK);
  EXPECT_EQ(table[128 + 19], 10);
}

TEST(Gates, TheTwoHardSigmoidsAreNotTheSameFunction) {
  const erg_quantization in = {1 / 16.0, 0, 8}, out = {1 / 256.0, -128, 8};
  int16_t v3[256], onnx[256];
  test::Error error;
  ASSERT_EQ(erg_gate_table_build(gate("hard_sigmoid"), in, out, v3, &error), ERG_OK);
  ASSERT_EQ(erg_gate_table_build(gate("hard_sigmoid_onnx"), in, out, onnx, &error), ERG_OK);
  int different = 0;
  for (int i = 0; i < 256; i++) different += v3[i] != onnx[i];
  EXPECT_GT(different, 80);
  EXPECT_EQ(v3[128 + 44], 117);   // x = 2.75: 5.75/6 = 245.33/256
  EXPECT_EQ(onnx[128 + 44], 127); // saturated from 2.5 on
}

TEST(Gates, AppliesTheTableAndRefusesOtherCodes) {
  int16_t table[16], x[16], y[16];
  test::Error error;
  ASSERT_EQ(erg_gate_table_build(gate("tanh"), {0.25, 0, 4}, {0.125, 0, 4}, table, &error), ERG_OK);
  for (int i = 0; i < 16; i++) x[i] = static_cast<int16_t>(7 - i);
  ASSERT_EQ(erg_gate_s16(16, x, 4, table, y, &error), ERG_OK);
  for (int i = 0; i < 16; i++) EXPECT_EQ(y[i], table[15 - i]);
  for (int16_t bad : {8, -9}) {
    std::fill(y, y + 16, int16_t{99});
    x[15] = bad;
    EXPECT_EQ(erg_gate_s16(16, x, 4, table, y, &error), ERG_ERR_DATA);
    EXPECT_EQ(y[0], 99) << "output touched before the fault was found";
  }
  EXPECT_EQ(erg_gate_s16(0, x, 4, table, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_gate_s16(1, x, 4, nullptr, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_gate_s16(1, x, 17, table, y, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_gate_table_build(nullptr, {1, 0, 4}, {1, 0, 4}, table, &error), ERG_ERR_DATA);
  const erg_quantization bad_codes[] = {{0, 0, 4}, {-1, 0, 4}, {NAN, 0, 4}, {INFINITY, 0, 4},
                                        {1, 8, 4}, {1, 0, 1},  {1, 0, 17}};
  for (erg_quantization c : bad_codes) {
    EXPECT_EQ(erg_gate_table_build(gate("tanh"), c, {1, 0, 4}, table, &error), ERG_ERR_DATA);
    EXPECT_EQ(erg_gate_table_build(gate("tanh"), {1, 0, 4}, c, table, &error), ERG_ERR_DATA);
  }
}

TEST(Gates, FloatReferenceIsTheExactFunction) {
  test::Random random(72);
  ERG_EACH(erg_gate, item)
  for (int i = 0; i < 2000; i++) {
    float x = static_cast<float>(random.unit() * 20 - 10), y;
    test::Error error;
    ASSERT_EQ(erg_gate_f32(*item, 1, &x, &y, &error), ERG_OK);
    long double want = oracle::value((*item)->name, x);
    ASSERT_NEAR(y, static_cast<double>(want), 6e-8 * std::max(1.0L, std::fabs(want))) << (*item)->name << " " << x;
  }
}

// The fixed-point definition is the formula, rounded: a slip in a constant, a shift or a sign shows here. Forms that
// take their sigmoid or tanh from chords carry those chords' error, times |x|.
TEST(GateForms, FixedPointFollowsTheFormula) {
  test::Random random(73);
  SCOPED_TRACE("seed 73");
  ERG_EACH(erg_gate, item)
  for (int f = 0; f < (*item)->form_count; f++) {
    const erg_gate_form *form = &(*item)->forms[f];
    erg_gate_unit u = unit((*item)->name, form->name);
    bool inner_chords = form->build && std::string((*item)->name) == "gelu";
    for (int i = 0; i < 20000; i++) {
      int32_t x = static_cast<int32_t>(erg_random_range(&random, q20(-20), q20(20)));
      if (i % 8 == 0) x &= ~0x1ffff; // kinks and nodes
      if (std::string(form->name) == "shift-exp" || std::string(form->name).find("i-exp") == 0) {
        // At an octave's seam the polynomial forms jump; which side of it is rounding, not a fault.
        double per_octave = std::string(form->name) == "shift-exp" ? 1.4375 : 1.4426950408889634;
        double t = -std::min(x, 0) / 1048576.0 * per_octave;
        if (std::fabs(t - std::nearbyint(t)) < 1e-4) continue;
      }
      double real = x / 1048576.0, scale = std::max(1.0, std::fabs(real));
      double want = static_cast<double>(erg_gate_form_real(*item, form, real));
      double got = erg_gate_unit_q20(&u, x) / 1048576.0;
      ASSERT_NEAR(got, want, inner_chords ? 4e-4 * scale + 1e-5 : 1e-5 * scale)
          << (*item)->name << " " << form->name << " at " << real;
    }
  }
}

TEST(GateForms, HandWorkedValues) {
  erg_gate_unit plan = unit("sigmoid", "plan");
  EXPECT_EQ(erg_gate_unit_q20(&plan, 0), q20(0.5));
  EXPECT_EQ(erg_gate_unit_q20(&plan, q20(0.5)), q20(0.625));
  EXPECT_EQ(erg_gate_unit_q20(&plan, q20(1)), q20(0.75));
  EXPECT_EQ(erg_gate_unit_q20(&plan, q20(2)), q20(0.875));
  EXPECT_EQ(erg_gate_unit_q20(&plan, q20(4)), q20(0.96875));
  EXPECT_EQ(erg_gate_unit_q20(&plan, q20(5)), q20(1));
  EXPECT_EQ(erg_gate_unit_q20(&plan, q20(-4)), q20(0.03125));
  EXPECT_EQ(erg_gate_unit_q20(&plan, q20(-5)), 0);
  erg_gate_unit shift = unit("sigmoid", "shift");
  EXPECT_EQ(erg_gate_unit_q20(&shift, q20(1.5)), q20(0.875));
  EXPECT_EQ(erg_gate_unit_q20(&shift, q20(2.5)), q20(1));
  EXPECT_EQ(erg_gate_unit_q20(&shift, q20(-2.5)), 0);
  erg_gate_unit shift_exp = unit("exp", "shift-exp");
  EXPECT_EQ(erg_gate_unit_q20(&shift_exp, 0), q20(1));
  EXPECT_EQ(erg_gate_unit_q20(&shift_exp, q20(-1)), q20(0.390625));      // 1.4375: (1 - 0.4375/2)/2
  EXPECT_EQ(erg_gate_unit_q20(&shift_exp, q20(-16)), q20(1 / 8388608.)); // 23 octaves
  EXPECT_EQ(erg_gate_unit_q20(&shift_exp, q20(3)), q20(1));
  erg_gate_unit hard = unit("hard_swish", "fixed");
  EXPECT_EQ(erg_gate_unit_q20(&hard, q20(-3)), 0);
  EXPECT_EQ(erg_gate_unit_q20(&hard, q20(-100)), 0);
  erg_gate_unit chords = unit("tanh", "pwl-8"); // nodes 0, 0.5, 1, ...; half way between the first two
  int32_t node = static_cast<int32_t>(std::lrint(1048576 * std::tanh(0.5)));
  EXPECT_EQ(erg_gate_unit_q20(&chords, q20(0.5)), node);
  EXPECT_EQ(erg_gate_unit_q20(&chords, q20(0.25)), (node + 1) / 2);
  EXPECT_EQ(erg_gate_unit_q20(&chords, q20(-0.5)), -node);
}

// No argument overflows: the rails of int32_t and what lies beside them (run under the sanitizers too).
TEST(GateForms, HoldsAtTheRails) {
  test::Random random(74);
  ERG_EACH(erg_gate, item)
  for (int f = 0; f < (*item)->form_count; f++) {
    erg_gate_unit u = unit((*item)->name, (*item)->forms[f].name);
    bool ramp = (*item)->symmetry == ERG_GATE_RAMP;
    std::vector<int32_t> all = {INT32_MIN, INT32_MIN + 1, INT32_MAX - 1, INT32_MAX};
    for (int i = 0; i < 1000; i++) all.push_back(static_cast<int32_t>(erg_random_range(&random, INT32_MIN, INT32_MAX)));
    for (int32_t x : all) {
      double real = x / 1048576.0, y = erg_gate_unit_q20(&u, x) / 1048576.0;
      double want = static_cast<double>(oracle::value((*item)->name, real));
      ASSERT_NEAR(y, want, ramp ? 0.15 + 1e-5 * std::fabs(real) : 0.25)
          << (*item)->name << " " << (*item)->forms[f].name << " at " << real;
    }
  }
}

// The datapath on codes stays as near to the exact table as the form's own error allows.
TEST(GateForms, CodesStayWithinTheFormsError) {
  ERG_EACH(erg_gate, item)
  for (int f = 0; f < (*item)->form_count; f++) {
    const erg_gate_form *form = &(*item)->forms[f];
    erg_gate_unit u = unit((*item)->name, form->name);
    erg_quantization in, out;
    erg_gate_default_codes(*item, 8, &in, &out);
    int16_t table[256], x[256], y[256];
    for (int i = 0; i < 256; i++) x[i] = static_cast<int16_t>(i - 128);
    test::Error error;
    erg_gate_error e;
    ASSERT_EQ(erg_gate_table_build(*item, in, out, table, &error), ERG_OK);
    ASSERT_EQ(erg_gate_unit_s16(&u, 256, x, in, out, y, &error), ERG_OK);
    ASSERT_EQ(erg_gate_measure(*item, form, true, -(*item)->limit, (*item)->limit, 1 / 1024.0, &e, &error), ERG_OK);
    int most = 0;
    for (int i = 0; i < 256; i++) most = std::max(most, std::abs(y[i] - table[i]));
    EXPECT_LE(most, std::ceil(e.max_error / out.scale) + 1) << (*item)->name << " " << form->name;
  }
}

TEST(GateForms, RefusesIllegalArguments) {
  test::Error error;
  erg_gate_unit u{};
  erg_gate_error e;
  const erg_gate *g = gate("sigmoid");
  const erg_gate_form *form = erg_gate_form_find(g, "plan");
  EXPECT_EQ(erg_gate_form_find(g, "i-gelu"), nullptr);
  EXPECT_EQ(erg_gate_unit_init(g, nullptr, &u, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_gate_unit_init(nullptr, form, &u, &error), ERG_ERR_DATA);
  erg_gate_form odd{};
  odd.name = "odd", odd.segments = 12;
  EXPECT_EQ(erg_gate_unit_init(g, &odd, &u, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_gate_measure(g, form, true, 1, 1, 0.1, &e, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_gate_measure(g, form, true, 0, 1, 0, &e, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_gate_measure(g, form, true, -2000, 1, 1, &e, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_gate_measure(g, form, true, NAN, 1, 1, &e, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_gate_measure(g, form, true, 0, 1, 0.1, nullptr, &error), ERG_ERR_DATA);
}
