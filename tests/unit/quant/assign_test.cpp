// SPDX-License-Identifier: GPL-3.0-or-later
// The assignment solver against enumeration of every plan, on tables that break things: ties, equal energies, budgets
// that are met exactly, missing options, negative losses; its hull and its controls.
#include "ergon/assign.h"
#include "support.hpp"
#include <cmath>
#include <set>

namespace {

struct Table {
  int layers, options;
  std::vector<double> energy, loss;
  Table(test::Random &r, int most_plans) {
    do {
      layers = r.range(1, 7);
      options = r.range(1, 5);
    } while (std::pow(options, layers) > most_plans);
    const int kind = r.range(
        0, 4); // 0: reals; 1: few integers, so many ties; 2: equal energies; 3: with gaps; 4: orders of magnitude
    for (int i = 0; i < layers * options; i++) {
      energy.push_back(kind == 1 ? r.range(0, 3) : kind == 2 ? 1 : kind == 4 ? std::exp(20 * r.unit()) : r.unit());
      loss.push_back(kind == 1 ? r.range(-1, 3) : kind == 4 ? std::exp(-20 * r.unit()) : r.unit() - 0.1);
    }
    for (int l = 0; kind == 3 && l < layers; l++)
      for (int o = 1; o < options; o++)
        if (r.coin()) energy[static_cast<size_t>(l * options + o)] = INFINITY;
  }
  erg_assign_table c() const { return {layers, options, energy.data(), loss.data()}; }
  template <typename Use> void each(Use use) const { // every plan: sums in the order of the layers
    std::vector<int> plan(static_cast<size_t>(layers), 0);
    for (;;) {
      double e = 0, x = 0;
      for (int l = 0; l < layers; l++) {
        e += energy[static_cast<size_t>(l * options + plan[static_cast<size_t>(l)])];
        x += loss[static_cast<size_t>(l * options + plan[static_cast<size_t>(l)])];
      }
      if (std::isfinite(e)) use(e, x);
      size_t l = 0;
      while (l < plan.size() && ++plan[l] == options) plan[l++] = 0;
      if (l == plan.size()) return;
    }
  }
};

} // namespace

TEST(Assign, IsTheBestOfAllPlans) {
  test::Random r(601);
  int feasible = 0, infeasible = 0;
  for (int trial = 0; trial < 3000; trial++) {
    Table t(r, 4000);
    std::vector<double> energies;
    t.each([&](double e, double) { energies.push_back(e); });
    // budgets between plans, exactly at one, below all
    double budget = energies[static_cast<size_t>(r.range(0, static_cast<int>(energies.size()) - 1))];
    if (r.range(0, 2) == 0) budget *= 0.3 + r.unit();
    double best = INFINITY, cheapest = INFINITY;
    t.each([&](double e, double x) {
      if (e > budget) return;
      if (x < best || (x == best && e < cheapest)) best = x, cheapest = e;
    });
    test::Arena arena;
    test::Error error;
    erg_assignment a{};
    erg_assign_table c = t.c();
    erg_status status = erg_assign_energy(&c, budget, &arena, &a, &error);
    SCOPED_TRACE(std::to_string(trial) + ": " + std::to_string(t.layers) + " x " + std::to_string(t.options));
    if (!std::isfinite(best)) {
      ASSERT_EQ(status, ERG_ERR_DATA);
      infeasible++;
      EXPECT_NE(error.message().find("nearest budget"), std::string::npos) << error.message();
      continue;
    }
    ASSERT_EQ(status, ERG_OK) << error.message();
    ASSERT_EQ(a.loss, best);
    ASSERT_EQ(a.energy, cheapest);
    feasible++;
  }
  EXPECT_GT(feasible, 2000);
  EXPECT_GT(infeasible, 50);
}

TEST(Assign, ItsDualIsTheCheapestOfAllPlans) {
  test::Random r(602);
  for (int trial = 0; trial < 1500; trial++) {
    Table t(r, 2000);
    std::vector<double> losses;
    t.each([&](double, double x) { losses.push_back(x); });
    double budget = losses[static_cast<size_t>(r.range(0, static_cast<int>(losses.size()) - 1))], best = INFINITY,
           least = INFINITY;
    t.each([&](double e, double x) {
      if (x > budget) return;
      if (e < best || (e == best && x < least)) best = e, least = x;
    });
    test::Arena arena;
    test::Error error;
    erg_assignment a{};
    erg_assign_table c = t.c();
    ASSERT_EQ(erg_assign_loss(&c, budget, &arena, &a, &error), ERG_OK) << error.message();
    ASSERT_EQ(a.energy, best) << trial;
    ASSERT_EQ(a.loss, least) << trial;
  }
}

// The budget that an infeasible one is answered with can be kept.
TEST(Assign, NamesTheNearestFeasibleBudget) {
  test::Random r(603);
  for (int trial = 0; trial < 200; trial++) {
    Table t(r, 2000);
    erg_assign_table c = t.c();
    test::Arena arena;
    test::Error error, again;
    erg_assignment a{};
    if (erg_assign_energy(&c, -1, &arena, &a, &error) != ERG_ERR_DATA) FAIL() << "nothing costs less than nothing";
    const std::string text = error.message(), key = "least of any plan is ";
    const double named = std::stod(text.substr(text.find(key) + key.size()));
    ASSERT_EQ(erg_assign_energy(&c, named, &arena, &a, &again), ERG_OK) << text << again.message();
    EXPECT_LE(a.energy, named);
  }
}

TEST(Assign, RefusesTablesThatAreNone) {
  const double energy[] = {1, 2, INFINITY, INFINITY}, negative[] = {1, -2, 1, 1}, loss[] = {0, 0, 0, 0},
               bad[] = {0, NAN, 0, 0};
  test::Arena arena;
  erg_assignment a{};
  for (erg_assign_table t :
       {erg_assign_table{2, 2, energy, loss}, erg_assign_table{2, 2, negative, loss}, erg_assign_table{2, 2, loss, bad},
        erg_assign_table{0, 2, loss, loss}, erg_assign_table{2, 0, loss, loss}}) {
    test::Error error;
    EXPECT_EQ(erg_assign_energy(&t, 10, &arena, &a, &error), ERG_ERR_DATA) << error.message();
  }
}

// A network of many layers: no plan of the hull or of chance is better, and it does not take long.
TEST(Assign, SolvesDeepNetworks) {
  test::Random r(604);
  const int layers = 60, options = 6;
  std::vector<double> energy, loss;
  for (int l = 0; l < layers; l++) {
    double size = std::exp(3 * r.unit()), h = std::exp(6 * r.unit());
    for (int bits = 3; bits < 3 + options; bits++)
      energy.push_back(size * (0.3 + bits)), loss.push_back(h * std::pow(4, -bits));
  }
  erg_assign_table t{layers, options, energy.data(), loss.data()};
  test::Arena arena;
  test::Error error;
  erg_assign_vertex *v = nullptr;
  int count = 0;
  ASSERT_EQ(erg_assign_hull(&t, &arena, &v, &count, &error), ERG_OK);
  for (double share : {0.2, 0.5, 0.8}) {
    double budget = v[0].energy + share * (v[count - 1].energy - v[0].energy);
    erg_assignment best{}, other{};
    ASSERT_EQ(erg_assign_energy(&t, budget, &arena, &best, &error), ERG_OK) << error.message();
    EXPECT_LE(best.energy, budget);
    int i = 0;
    while (i + 1 < count && v[i + 1].energy <= budget) i++;
    EXPECT_LE(best.loss, v[i].loss * (1 + 1e-12)) << "the hull's own plan";
    double line = v[i].loss + (budget - v[i].energy) / (v[i + 1].energy - v[i].energy) * (v[i + 1].loss - v[i].loss);
    EXPECT_GE(best.loss, line * (1 - 1e-9)) << "no plan is below the hull";
    for (int k = 0; k < 50; k++) {
      ASSERT_EQ(erg_assign_random(&t, budget, &r, &arena, &other, &error), ERG_OK);
      EXPECT_GE(other.loss, best.loss);
    }
  }
}

TEST(Assign, TheHullIsConvexAndOfPlans) {
  test::Random r(605);
  for (int trial = 0; trial < 300; trial++) {
    Table t(r, 2000);
    erg_assign_table c = t.c();
    test::Arena arena;
    test::Error error;
    erg_assign_vertex *v = nullptr;
    int count = 0;
    ASSERT_EQ(erg_assign_hull(&c, &arena, &v, &count, &error), ERG_OK) << error.message();
    double scale_e = std::fabs(v[count - 1].energy) + 1, scale_l = std::fabs(v[0].loss) + 1;
    for (int i = 1; i < count; i++) {
      EXPECT_GT(v[i].energy, v[i - 1].energy);
      EXPECT_LT(v[i].loss, v[i - 1].loss);
    }
    t.each([&](double e, double x) { // no plan below any edge
      for (int i = 1; i < count; i++) {
        double cross =
            (v[i].energy - v[i - 1].energy) * (x - v[i - 1].loss) - (v[i].loss - v[i - 1].loss) * (e - v[i - 1].energy);
        ASSERT_GE(cross, -1e-9 * scale_e * scale_l);
      }
    });
  }
}

// A quadratic bowl: loss h 4^-b at one joule a bit a layer. A factor 4 of sensitivity is worth exactly one bit.
TEST(Assign, FourTimesTheSensitivityIsOneBit) {
  const double h[] = {1, 4, 16, 64};
  std::vector<double> energy, loss;
  for (double x : h)
    for (int bits = 2; bits <= 9; bits++) energy.push_back(bits), loss.push_back(x * std::pow(4, -bits));
  erg_assign_table t{4, 8, energy.data(), loss.data()};
  test::Arena arena;
  test::Error error;
  erg_assignment a{};
  ASSERT_EQ(erg_assign_energy(&t, 4 + 5 + 6 + 7, &arena, &a, &error), ERG_OK) << error.message();
  for (int l = 0; l < 4; l++) EXPECT_EQ(a.option[l] + 2, 4 + l) << l;
}

TEST(Assign, RandomPlansCannotBeRaised) {
  test::Random r(606);
  std::set<std::vector<int>> seen;
  for (int trial = 0; trial < 400; trial++) {
    Table t(r, 4000);
    erg_assign_table c = t.c();
    test::Arena arena;
    test::Error error;
    std::vector<double> energies;
    t.each([&](double e, double) { energies.push_back(e); });
    double budget = energies[static_cast<size_t>(r.range(0, static_cast<int>(energies.size()) - 1))];
    erg_assignment a{};
    erg_status status = erg_assign_random(&c, budget, &r, &arena, &a, &error);
    ASSERT_EQ(status, ERG_OK) << error.message();
    EXPECT_LE(a.energy, budget);
    for (int l = 0; l < t.layers; l++) {
      const int kept = a.option[l];
      for (int o = 0; o < t.options; o++) {
        if (!(t.energy[static_cast<size_t>(l * t.options + o)] > t.energy[static_cast<size_t>(l * t.options + kept)]))
          continue;
        erg_assignment raised{};
        a.option[l] = o;
        erg_assign_sum(&c, a.option, &raised);
        EXPECT_GT(raised.energy, budget);
      }
      a.option[l] = kept;
    }
    seen.insert(std::vector<int>(a.option, a.option + t.layers));
  }
  EXPECT_GT(seen.size(), 50u);
}

TEST(Assign, ControlsTurnSensitivityRound) {
  const double energy[] = {1, 2, 1, 2, 1, 2}, loss[] = {1, 0.25, 16, 4, 64, 16};
  erg_assign_table t{3, 2, energy, loss};
  test::Arena arena;
  test::Error error;
  test::Random r(607);
  double *anti = nullptr, *shuffled = nullptr;
  ASSERT_EQ(erg_assign_control_loss(&t, ERG_CONTROL_ANTI, 0, &r, &arena, &anti, &error), ERG_OK);
  EXPECT_EQ(anti[0], 1);
  EXPECT_EQ(anti[2], 1.0 / 16);
  EXPECT_EQ(anti[4], 1.0 / 64);
  EXPECT_EQ(anti[5], anti[4] / 4) << "the shape over widths stays";
  erg_assign_table turned{3, 2, energy, anti};
  erg_assignment good{}, bad{};
  ASSERT_EQ(erg_assign_energy(&t, 4, &arena, &good, &error), ERG_OK);
  ASSERT_EQ(erg_assign_energy(&turned, 4, &arena, &bad, &error), ERG_OK);
  EXPECT_EQ(good.option[2], 1);
  EXPECT_EQ(bad.option[0], 1);
  ASSERT_EQ(erg_assign_control_loss(&t, ERG_CONTROL_SHUFFLED, 0, &r, &arena, &shuffled, &error), ERG_OK);
  std::multiset<double> before{1, 16, 64}, after{shuffled[0], shuffled[2], shuffled[4]};
  EXPECT_EQ(before, after);
  const double none[] = {0, 0, 0, 0, -1, 0};
  erg_assign_table flat{3, 2, energy, none};
  EXPECT_EQ(erg_assign_control_loss(&flat, ERG_CONTROL_ANTI, 0, &r, &arena, &anti, &error), ERG_ERR_DATA);
}
