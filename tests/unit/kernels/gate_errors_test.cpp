// SPDX-License-Identifier: GPL-3.0-or-later
// Measured errors of the forms: the largest error over the reals, found analytically or published, within the figures'
// printed precision; and the same on a grid of step 1, which is what coarse surveys print and why theirs are smaller.
#include "support.hpp"
#include <cmath>

namespace {

struct Figure {
  const char *gate, *form;
  double low, high;
  double most, at, rms; // on a fine grid: to `unit`
  double coarse_most;   // on a grid of step 1; negative: not stated
  double unit;          // last printed place of `most` and `rms`
};

// most, at: sigmoid'(x) = slope at the extremum: hard 1/6 -> x = 1.317, s - (x+3)/6 = 0.0692; hard-onnx at its
// knee 2.5: 1 - s(2.5) = 0.0759; shift at 2: 1 - s(2) = 0.1192; plan at 1: 0.75 - s(1) = 0.0189; chords: h^2 max|f''|
// / 8. gelu: i-gelu 0.018 and rms 0.0082, sigmoid 0.020 and 0.012, hard 0.031 rms are I-BERT's table (L-inf and L2).
const Figure figures[] = {
    {"sigmoid", "hard", -8, 8, 0.0692, 1.317, 0.0311, 0.0644, 1e-4},
    {"sigmoid", "hard-onnx", -8, 8, 0.0759, 2.5, 0.0253, 0.0474, 1e-4},
    {"sigmoid", "shift", -8, 8, 0.1192, 2, 0.0394, 0.1192, 1e-4},
    {"sigmoid", "plan", -8, 8, 0.0189, 1, 0.0081, 0.0189, 1e-4},
    {"sigmoid", "pwl-8", -8, 8, 0.01165, 1.49, 0.00410, -1, 1e-5},
    {"sigmoid", "pwl-16", -8, 8, 0.0030, 1.25, 0.0010, -1, 1e-4},
    {"sigmoid", "pwl-32", -8, 8, 0.00075, 1.375, 0.00026, -1, 1e-5},
    {"sigmoid", "pwl-64", -8, 8, 0.00019, 1.313, 0.00007, -1, 1e-5},
    {"silu", "hard-swish", -8, 8, 0.1423, 3, 0.0606, 0.1423, 1e-4},
    {"gelu", "sigmoid-1.702", -4, 4, 0.0203, 2.27, 0.0118, 0.0188, 1e-4},
    {"gelu", "tanh", -4, 4, 0.00047, 2.699, 0.00025, 0.00041, 1e-5},
    {"gelu", "i-gelu", -4, 4, 0.0182, 2.352, 0.0082, 0.0091, 1e-4},
    {"gelu", "hard", -4, 4, 0.0687, 1.763, 0.0306, 0.0577, 1e-4},
    {"exp", "i-exp", -0.69314, 0, 0.0021, 0.137, 0.0014, -1, 1e-4},
    {"exp", "i-exp-code", -0.69314, 0, 0.0019, 0.141, 0.0014, -1, 1e-4},
    {"exp", "shift-exp", -10, 0, 0.0439, 0.330, 0.0100, 0.0227, 1e-4},
};

erg_gate_error measure(const Figure &f, bool integer, double step) {
  const erg_gate *gate = erg_gate_find(f.gate);
  erg_gate_error e{};
  test::Error error;
  EXPECT_EQ(erg_gate_measure(gate, erg_gate_form_find(gate, f.form), integer, f.low, f.high, step, &e, &error), ERG_OK)
      << f.gate << " " << f.form << ": " << error.message();
  return e;
}

} // namespace

TEST(GateErrors, FormulasEqualTheFigures) {
  for (const Figure &f : figures) {
    SCOPED_TRACE(std::string(f.gate) + " " + f.form);
    erg_gate_error e = measure(f, false, 1 / 4096.0);
    EXPECT_NEAR(e.max_error, f.most, 0.5001 * f.unit + 1e-5 * f.most);
    EXPECT_NEAR(e.rms, f.rms, 0.5001 * f.unit + 1e-5 * f.most);
    EXPECT_NEAR(std::fabs(e.at), f.at, 0.01);
    if (f.coarse_most >= 0) EXPECT_NEAR(measure(f, false, 1).max_error, f.coarse_most, 0.5001 * f.unit);
  }
}

// Integer forms add no more than their constants' and their chords' rounding.
TEST(GateErrors, IntegerFormsEqualTheirFormulas) {
  for (const Figure &f : figures) {
    bool inner_chords =
        std::string(f.gate) == "gelu" && (std::string(f.form) == "tanh" || std::string(f.form)[0] == 's');
    erg_gate_error real = measure(f, false, 1 / 4096.0), integer = measure(f, true, 1 / 4096.0);
    EXPECT_NEAR(integer.max_error, real.max_error, inner_chords ? 1.2e-3 : 3e-5) << f.gate << " " << f.form;
  }
}

// A table is within half a step of its output at its own codes, except where the output's last code is too low:
// 255/256 stands for every value up to sigmoid(8).
TEST(GateErrors, TablesAreHalfAStepUnlessCapped) {
  const erg_gate *sigmoid = erg_gate_find("sigmoid");
  test::Error error;
  erg_gate_error e;
  ASSERT_EQ(erg_gate_measure_table(sigmoid, {6.0 / 128, 0, 8}, {1 / 256.0, -128, 8}, &e, &error), ERG_OK);
  EXPECT_LE(e.max_error, 0.5 / 256);
  EXPECT_GT(e.max_error, 0.00190);
  ASSERT_EQ(erg_gate_measure_table(sigmoid, {8.0 / 127, 0, 8}, {1 / 256.0, -128, 8}, &e, &error), ERG_OK);
  EXPECT_NEAR(e.max_error, 0.0036, 0.00005);
  ERG_EACH(erg_gate, item) {
    erg_quantization in, out;
    erg_gate_default_codes(*item, 8, &in, &out);
    ASSERT_EQ(erg_gate_measure_table(*item, in, out, &e, &error), ERG_OK);
    EXPECT_LE(e.max_error, 1.0001 * out.scale) << (*item)->name; // 1.0 itself is a whole step above 255/256
  }
}

// The table of docs/gates.md shows what is measured, for every form there is.
TEST(GateErrors, TheDocumentedTableIsMeasured) {
  std::string doc = test::read_file(std::string(ERGON_TEST_SOURCE_DIR) + "/docs/gates.md");
  ERG_EACH(erg_gate, item)
  for (int f = 0; f < (*item)->form_count; f++) {
    const erg_gate_form *form = &(*item)->forms[f];
    double low = -(*item)->limit, high = (*item)->symmetry == ERG_GATE_NEGATIVE ? 0 : (*item)->limit;
    erg_gate_error formula, integer;
    test::Error error;
    ASSERT_EQ(erg_gate_measure(*item, form, false, low, high, 1 / 1024.0, &formula, &error), ERG_OK);
    ASSERT_EQ(erg_gate_measure(*item, form, true, low, high, 1 / 1024.0, &integer, &error), ERG_OK);
    char row[200];
    std::snprintf(row, sizeof row, "| %s | %s | %g to %g | %.2e | %.2e | %.2e |", (*item)->name, form->name, low, high,
                  formula.max_error, integer.max_error, integer.rms);
    EXPECT_NE(doc.find(row), std::string::npos) << row;
  }
}
