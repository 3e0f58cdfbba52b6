// SPDX-License-Identifier: GPL-3.0-or-later
// Energies by layer add up to what the machine model says of the plan, to rounding, whatever the hardware; and the plan
// that is chosen is the best of all that can be run.
#include "../sim/plan_net.hpp"
#include "ergon/energy_table.h"
#include <cmath>

namespace {

using plan::Machine;
using plan::Net;

const char *const macs[] = {"native", "fixed", "scalable"};

struct Table : erg_energy_table {
  test::Error error;
  erg_status status;
  Table(const erg_point &p, std::vector<int> bits, int hardware) : erg_energy_table{} {
    status = erg_energy_table_make(&p, bits.data(), static_cast<int>(bits.size()), hardware, this, &error);
  }
  ~Table() {
    if (status == ERG_OK) erg_energy_table_free(this);
  }
};

} // namespace

TEST(EnergyTable, AddsUpToTheRunOfAPlan) {
  test::Random r(611);
  double worst = 0;
  int compared = 0;
  for (int trial = 0; trial < 120; trial++) {
    Net net(r);
    const char *mac = macs[r.range(0, 2)];
    const std::vector<int> bits = *mac == 'n' ? std::vector<int>{2, 4, 8, 12} : std::vector<int>{2, 3, 4, 6, 8};
    const char *base = r.coin() ? "int8" : r.coin() ? "w8a5" : "w8a8p24";
    Machine m(net.text, mac);
    erg_point point = m.point(base, static_cast<erg_fusion>(r.range(0, ERG_FUSION_EPILOGUE)));
    Table t(point, bits, bits.back());
    SCOPED_TRACE(std::to_string(trial) + " " + mac + " " + base + " " + erg_fusion_names[point.fusion] + "\n" +
                 net.text);
    ASSERT_EQ(t.status, ERG_OK) << t.error.message();
    ASSERT_EQ(t.layers, static_cast<int>(net.layers.size()));
    for (int k = 0; k < 5; k++) {
      std::vector<int> weights(static_cast<size_t>(m.graph.node_count), 0);
      double sum = t.base_pj;
      for (int l = 0; l < t.layers; l++) {
        // a native array is as wide as its plan: the first layer has the widest, so that it is the table's
        int o = l == 0 ? t.options - 1 : r.range(0, t.options - 1);
        weights[static_cast<size_t>(t.nodes[l])] = bits[static_cast<size_t>(o)];
        sum += t.energy_pj[l * t.options + o];
      }
      double pj = 0;
      test::Error error;
      ASSERT_EQ(erg_bits_run(&point, weights.data(), &pj, &error), ERG_OK) << error.message();
      ASSERT_NEAR(sum / pj, 1, 1e-12);
      worst = std::max(worst, std::fabs(sum / pj - 1));
      compared++;
    }
  }
  EXPECT_EQ(compared, 600);
  RecordProperty("worst_relative_difference", std::to_string(worst));
}

// What a plan needs less than the table's hardware makes it cheaper than the sum, never dearer.
TEST(EnergyTable, NarrowerNativeHardwareIsCheaper) {
  test::Random r(612);
  for (int trial = 0; trial < 20; trial++) {
    Net net(r);
    Machine m(net.text);
    erg_point point = m.point("int8");
    Table wide(point, {4, 8}, 8), narrow(point, {4}, 4);
    ASSERT_EQ(wide.status, ERG_OK) << wide.error.message();
    ASSERT_EQ(narrow.status, ERG_OK) << narrow.error.message();
    for (int l = 0; l < wide.layers; l++) EXPECT_LT(narrow.energy_pj[l], wide.energy_pj[l * 2]) << l;
  }
}

TEST(EnergyTable, WhatIsNotCoveredIsNoOption) {
  test::Random r(613);
  Net net(r);
  Machine fixed(net.text, "fixed"), native(net.text);
  erg_point point = fixed.point("int8");
  const int bits[] = {4, 8, 12};
  std::vector<double> loss; // 12 bits would be best
  for (size_t l = 0; l < net.layers.size(); l++)
    for (double x : {3.0, 2.0, 1.0}) loss.push_back(x);
  test::Arena arena;
  test::Error fault;
  erg_bit_choice c{};
  ASSERT_EQ(erg_assign_bits(&point, bits, 3, loss.data(), {false, 1e18}, &arena, &c, &fault), ERG_OK)
      << fault.message();
  EXPECT_EQ(c.loss, 2.0 * static_cast<double>(net.layers.size())) << "8 bits everywhere";
  EXPECT_EQ(c.hardware_weight_bits, 8);
  Table none(point, {12, 16}, 16);
  EXPECT_EQ(none.status, ERG_ERR_UNSUPPORTED);
  EXPECT_NE(none.error.message().find("wider than the fixed 8 x 8"), std::string::npos) << none.error.message();
  erg_point depth = native.point("int8", ERG_FUSION_DEPTH), real = native.point("fp16");
  EXPECT_EQ(Table(depth, {4, 8}, 8).status, ERG_ERR_UNSUPPORTED);
  EXPECT_EQ(Table(real, {4, 8}, 8).status, ERG_ERR_UNSUPPORTED);
  EXPECT_EQ(Table(native.point("int8"), {8, 4}, 8).status, ERG_ERR_USAGE);
  EXPECT_EQ(Table(native.point("int8"), {1, 4}, 8).status, ERG_ERR_USAGE);
}

// Against every plan, each run by the machine model: the hardware's own width is part of the choice.
TEST(AssignBits, IsTheBestOfAllRuns) {
  test::Random r(614);
  const std::vector<int> bits = {2, 4, 8};
  int trials = 0;
  for (int trial = 0; trial < 40; trial++) {
    Net net(r);
    if (net.layers.size() > 5) continue;
    const char *mac = macs[r.range(0, 2)];
    Machine m(net.text, mac);
    erg_point point = m.point("int8");
    std::vector<double> loss;
    for (size_t l = 0; l < net.layers.size(); l++) {
      double h = std::exp(4 * r.unit());
      for (int b : bits) loss.push_back(h * std::pow(4, -b));
    }
    std::vector<size_t> nodes;
    for (int id = 0; id < m.graph.node_count; id++)
      if (m.graph.nodes[id].op->role == ERG_ROLE_ARRAY) nodes.push_back(static_cast<size_t>(id));
    struct Plan {
      double pj, loss;
    };
    std::vector<Plan> plans;
    std::vector<size_t> option(nodes.size(), 0);
    for (bool more = true; more;) {
      std::vector<int> weights(static_cast<size_t>(m.graph.node_count), 0);
      Plan p{0, 0};
      for (size_t l = 0; l < nodes.size(); l++)
        weights[nodes[l]] = bits[option[l]], p.loss += loss[l * bits.size() + option[l]];
      test::Error error;
      ASSERT_EQ(erg_bits_run(&point, weights.data(), &p.pj, &error), ERG_OK) << error.message();
      plans.push_back(p);
      more = false;
      for (size_t l = 0; l < option.size(); l++) {
        if (++option[l] < bits.size()) {
          more = true;
          break;
        }
        option[l] = 0;
      }
    }
    for (double share : {0.3, 0.6, 0.9}) {
      double low = INFINITY, high = 0, best = INFINITY;
      for (const Plan &p : plans) low = std::min(low, p.pj), high = std::max(high, p.pj);
      double budget = low + share * (high - low);
      for (const Plan &p : plans)
        if (p.pj <= budget) best = std::min(best, p.loss);
      test::Arena arena;
      test::Error error;
      erg_bit_choice c{};
      ASSERT_EQ(erg_assign_bits(&point, bits.data(), 3, loss.data(), {false, budget}, &arena, &c, &error), ERG_OK)
          << error.message();
      EXPECT_EQ(c.loss, best) << mac << " " << share;
      EXPECT_LE(c.run_pj, budget * (1 + 1e-12));
      EXPECT_LE(c.run_pj, c.energy_pj * (1 + 1e-12)) << "less hardware than the table's is cheaper";
      erg_bit_choice dual{};
      ASSERT_EQ(erg_assign_bits(&point, bits.data(), 3, loss.data(), {true, c.loss}, &arena, &dual, &error), ERG_OK)
          << error.message();
      double cheapest = INFINITY;
      for (const Plan &p : plans)
        if (p.loss <= c.loss) cheapest = std::min(cheapest, p.pj);
      EXPECT_NEAR(dual.run_pj / cheapest, 1, 1e-12);
      trials++;
    }
    test::Arena arena;
    test::Error error;
    erg_bit_choice c{};
    EXPECT_EQ(erg_assign_bits(&point, bits.data(), 3, loss.data(), {false, 1}, &arena, &c, &error), ERG_ERR_DATA);
    EXPECT_NE(error.message().find("nearest budget"), std::string::npos) << error.message();
  }
  EXPECT_GT(trials, 30);
}

TEST(PlanText, IsReadAsItIsMeant) {
  test::Random r(615);
  for (int trial = 0; trial < 30; trial++) {
    Net net(r);
    Machine m(net.text);
    test::Arena arena;
    std::vector<int> weights(static_cast<size_t>(m.graph.node_count), 0);
    for (auto &w : weights) w = r.range(2, 16);
    erg_precision base = test::precision(r.coin() ? "w8a6" : "w8a6p20");
    char *text = erg_plan_text(&arena, &m.graph, "x", "a line", &base, weights.data());
    ASSERT_EQ(erg_widths_parse("p", text, &m.graph, &m.widths, &m.error), ERG_OK) << m.error.message() << text;
    for (int id = 0; id < m.graph.node_count; id++) {
      if (m.graph.nodes[id].op->role != ERG_ROLE_ARRAY) continue;
      const int w = weights[static_cast<size_t>(id)], a = base.accumulator_bits;
      EXPECT_EQ(m.widths.nodes[id].weight_bits, w);
      EXPECT_EQ(m.widths.nodes[id].activation_bits, 6);
      EXPECT_EQ(m.widths.nodes[id].accumulator_bits, a == 20 ? 20 : w + 6 <= 16 ? 32 : 48);
    }
    erg_widths_free(&m.widths);
  }
}
