// SPDX-License-Identifier: GPL-3.0-or-later
// Specifications: what they span, and what is refused.
#include "sweep.hpp"
#include <set>

using sweep::Sweep;

TEST(SweepSpec, ThePointsAreTheProduct) {
  Sweep s(sweep::small(3));
  ASSERT_EQ(s.status, ERG_OK) << s.error.message();
  EXPECT_EQ(s.precision_count, 11) << "two floats and a grid of nine";
  EXPECT_EQ(erg_sweep_size(&s), 3 * 11 * 2 * 2);
  std::set<std::string> keys, points;
  erg_sweep_inputs inputs{};
  for (int64_t i = 0; i < erg_sweep_size(&s); i++) {
    test::Arena arena;
    erg_point point;
    erg_sweep_row row;
    ASSERT_EQ(erg_sweep_point(&s, i, &inputs, &arena, &point, &row, &s.error), ERG_OK) << s.error.message();
    keys.insert(row.key);
    points.insert(row.cells[ERG_SWEEP_POINT].text);
    EXPECT_EQ(point.arch->levels[0].bandwidth_bits_per_cycle, 8 + i / (11 * 2 * 2));
  }
  EXPECT_EQ(keys.size(), static_cast<size_t>(erg_sweep_size(&s)));
  EXPECT_EQ(points.size(), keys.size());
  erg_sweep_inputs_free(&inputs);
}

TEST(SweepSpec, AKeyDependsOnThePointAlone) {
  // The same point in two sweeps of different size, under different numbers.
  Sweep one(sweep::small(1)), more(sweep::small(2));
  std::set<std::string> keys;
  erg_sweep_inputs inputs{};
  for (Sweep *s : {&one, &more})
    for (int64_t i = 0; i < erg_sweep_size(s); i++) {
      test::Arena arena;
      erg_point point;
      erg_sweep_row row;
      ASSERT_EQ(erg_sweep_point(s, i, &inputs, &arena, &point, &row, &s->error), ERG_OK);
      if (s == &one)
        keys.insert(row.key);
      else if (i < erg_sweep_size(&one))
        EXPECT_TRUE(keys.count(row.key)) << i;
      else
        EXPECT_FALSE(keys.count(row.key)) << i;
    }
  erg_sweep_inputs_free(&inputs);
}

TEST(SweepSpec, FaultsAreSaidAllAtOnceAndWhatIsAllowed) {
  const struct {
    const char *text;
    std::vector<const char *> says;
  } cases[] = {
      {"name: x\n", {"workloads"}},
      {"name: x\nworkloads: [resnet51, hand-worked]\narchs: [edgy]\n", {"resnet50", "edge"}},
      {"name: x\nworkloads: [hand-worked]\nfusions: [fused]\ndataflows: [rs]\n",
       {"fusions: found fused", "dataflows: found rs", "epilogue", "ws, os, is"}},
      {"name: x\nworkloads: [hand-worked]\nprecisions: [int99]\n", {"int99"}},
      {"name: x\nworkloads: [hand-worked]\nwidths: {weight: [8]}\n", {"needs both weight and activation"}},
      {"name: x\nworkloads: [hand-worked]\nwidths: {weight: [1], activation: [8]}\n", {"t.yaml:3:", "2"}},
      {"name: x\nworkloads: [hand-worked]\naxes:\n  - {set: [array.rows], values: [8]}\n", {"t.yaml:4:", "arch.KEY"}},
      {"name: x\nworkloads: [hand-worked]\naxes:\n  - {set: [arch.rows, arch.cols], values: [8 8, 16]}\n",
       {"t.yaml:4:", "2 words"}},
      {"name: x\nworkloads: [hand-worked]\naxes:\n  - {set: [arch.rowz], values: [8]}\n", {"rowz", "rows"}},
      {"name: x\nworkloads: [hand-worked]\naxes:\n  - {set: [arch.rows], values: [8, 1]}\n", {"rows", "1"}},
      {"name: x\nworkloads: []\n", {"workloads"}},
      {"name: x\nworkloads: [hand-worked]\nlimits: {equal_area: inf8}\n", {"equal_area", "inf8"}},
      {"name: x\nworkloads: [hand-worked]\nlimits: {max_power: 3}\n", {"max_power", "max_power_mw"}},
      {"", {"t.yaml"}},
  };
  for (const auto &c : cases) {
    Sweep s(c.text);
    EXPECT_NE(s.status, ERG_OK) << c.text;
    for (const char *word : c.says)
      EXPECT_NE(s.error.message().find(word), std::string::npos) << c.text << "\n  " << s.error.message();
  }
}

TEST(SweepSpec, ADashLeavesAFieldAlone) {
  Sweep s("name: x\nworkloads: [hand-worked]\narchs: [tiny]\naxes:\n  - {set: [arch.rows, arch.cols], values: [\"- "
          "8\", \"6 -\"]}\n");
  ASSERT_EQ(s.status, ERG_OK) << s.error.message();
  erg_sweep_inputs inputs{};
  for (int i = 0; i < 2; i++) {
    test::Arena arena;
    erg_point point;
    erg_sweep_row row;
    ASSERT_EQ(erg_sweep_point(&s, i, &inputs, &arena, &point, &row, &s.error), ERG_OK);
    EXPECT_EQ(point.arch->rows, i ? 6 : 4);
    EXPECT_EQ(point.arch->cols, i ? 4 : 8);
  }
  erg_sweep_inputs_free(&inputs);
}

TEST(SweepSpec, TheShippedOnesLoad) {
  for (const char *name : {"bitwidths", "arrays"}) {
    erg_sweep s;
    test::Error error;
    ASSERT_EQ(erg_sweep_load(name, &s, &error), ERG_OK) << error.message();
    EXPECT_GE(erg_sweep_size(&s), 10);
    erg_sweep_free(&s);
  }
}

TEST(SweepSpec, APlanIsAPrecisionWhoseContentCounts) {
  test::Folder f;
  const std::string plan = f / "p.yaml";
  auto spec = [&] {
    return "name: s\nworkloads: [resnet18]\nfusions: [none, epilogue]\nprecisions: [int8, " + plan + ", " + plan +
           "]\n";
  };
  auto rows = [&](std::vector<std::string> &keys, std::vector<double> &energies) {
    Sweep s(spec());
    ASSERT_EQ(s.status, ERG_OK) << s.error.message();
    ASSERT_EQ(erg_sweep_size(&s), 4) << "twice the same plan is one";
    erg_sweep_inputs inputs{};
    for (int64_t i = 0; i < 4; i++) {
      test::Arena arena;
      erg_sweep_row row;
      erg_sweep_evaluate(&s, i, &inputs, &arena, &row);
      ASSERT_STREQ(row.cells[ERG_SWEEP_STATUS].text, "ok") << row.cells[ERG_SWEEP_REASON].text;
      keys.push_back(row.key);
      energies.push_back(row.cells[ERG_SWEEP_ENERGY_PJ].real);
      const bool planned = std::string(row.cells[ERG_SWEEP_PRECISION].text) == "p";
      EXPECT_EQ(planned, i % 2 == 1);
      EXPECT_EQ(row.cells[ERG_SWEEP_WEIGHT_BITS].known, !planned);
      // what is stored prices to what was computed
      erg_stored_run stored{};
      test::Error error;
      ASSERT_EQ(erg_stored_parse(row.cells[ERG_SWEEP_COUNTS].text, "t", &stored, &error), ERG_OK) << error.message();
      erg_energy energy{};
      ASSERT_EQ(erg_stored_price(&inputs.technology, &stored.results[0], nullptr, nullptr, &energy, &error), ERG_OK)
          << error.message();
      EXPECT_NEAR(energy.total_pj / energies.back(), 1, 1e-12);
      erg_stored_free(&stored);
    }
    erg_sweep_inputs_free(&inputs);
  };
  std::vector<std::string> keys[3];
  std::vector<double> energies[3];
  test::write_file(plan, "name: p\ndefault: int8\nlayers: {conv1: w4a8}\n");
  rows(keys[0], energies[0]);
  rows(keys[1], energies[1]);
  test::write_file(plan, "name: p\ndefault: int8\nlayers: {conv1: w2a8}\n");
  rows(keys[2], energies[2]);
  EXPECT_EQ(keys[0], keys[1]);
  for (int i = 0; i < 4; i++) EXPECT_EQ(keys[0][i] == keys[2][i], i % 2 == 0) << i;
  for (int i = 1; i < 4; i += 2) {
    EXPECT_LT(energies[0][i], energies[0][i - 1]);
    EXPECT_LT(energies[2][i], energies[0][i]);
  }
  test::write_file(plan, "name: p\ndefault: int8\nlayers: {conv9: w2a8}\n");
  Sweep s(spec());
  EXPECT_EQ(s.status, ERG_ERR_DATA);
  EXPECT_NE(s.error.message().find("conv9"), std::string::npos) << s.error.message();
}
