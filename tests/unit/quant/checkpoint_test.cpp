// SPDX-License-Identifier: GPL-3.0-or-later
// Checkpoint schedules: the search against an exhaustive one that shares no code with it, against the binomial closed
// form, against figures worked out before, and always against its own execution.
#include "support.hpp"
#include <cmath>
#include <map>
#include <queue>
#include <set>
extern "C" {
#include "ergon/checkpoint.h"
}

namespace {

struct Chain : erg_chain {
  std::vector<erg_stage> list;
  Chain(int64_t input, std::vector<erg_stage> of) : erg_chain{}, list(std::move(of)) {
    input_bytes = input, stages = list.data(), count = static_cast<int>(list.size());
  }
};

struct Found {
  test::Arena arena;
  test::Error error;
  erg_schedule schedule{};
  erg_status status;
  int64_t peak = 0;
  double cost = 0;
  Found(const erg_chain &chain, int64_t budget, int slots = 0) {
    status = erg_checkpoint(&chain, budget, slots, &arena, &schedule, &error);
    if (status != ERG_OK) return;
    EXPECT_EQ(erg_checkpoint_execute(&chain, &schedule, &peak, &cost, &error), ERG_OK) << error.message();
    EXPECT_LE(peak, budget);
    EXPECT_NEAR(cost, schedule.cost, 1e-9 * (1 + cost));
  }
};

// Dijkstra over everything that can be in memory. What is kept stays until its backward step, as the header says.
double exhaustive(const erg_chain &c, int64_t budget) {
  struct State {
    unsigned tapes, outputs;
    int running, gradient;
    bool operator<(const State &o) const {
      return std::tie(tapes, outputs, running, gradient) < std::tie(o.tapes, o.outputs, o.running, o.gradient);
    }
  };
  const int n = c.count;
  auto full = [&](int s) { return s == 0 ? c.input_bytes : c.stages[s - 1].output_bytes; };
  auto kept = [&](const State &x) {
    int64_t bytes = 0;
    for (int s = 1; s <= n; s++) {
      if (x.tapes >> s & 1) bytes += c.stages[s - 1].kept_tape_bytes;
      if (x.outputs >> s & 1) bytes += c.stages[s - 1].kept_output_bytes;
    }
    return bytes;
  };
  auto in = [](const State &x, int s) { return s == 0 || ((x.outputs | x.tapes) >> s & 1); };
  std::map<State, double> best;
  std::set<std::pair<double, State>> open;
  auto reach = [&](const State &x, double cost) {
    auto [at, fresh] = best.emplace(x, cost);
    if (!fresh && at->second <= cost) return;
    open.erase({at->second, x});
    at->second = cost;
    open.insert({cost, x});
  };
  reach({0, 0, 0, n + 1}, 0);
  while (!open.empty()) {
    auto [cost, x] = *open.begin();
    open.erase(open.begin());
    if (x.gradient == 0) return cost;
    const int64_t waiting = x.gradient <= n ? full(x.gradient) : 0;
    for (int s = 1; s <= n && s <= x.gradient; s++) {
      if (x.running != s - 1 && (!in(x, s - 1) || (c.coded && x.running > 0))) continue;
      for (int keep = 0; keep < 3; keep++) {
        State y = x;
        y.running = s;
        if (keep == 1) y.outputs |= 1u << s;
        if (keep == 2 && !in(x, s - 1)) continue;
        if (keep == 2) y.tapes |= 1u << s;
        const bool in_full = s > 1 && x.running == s - 1 && (c.coded || !in(x, s - 1));
        if (kept(y) + (in_full ? full(s - 1) : 0) + full(s) + c.stages[s - 1].forward_extra_bytes + waiting <= budget)
          reach(y, cost + c.stages[s - 1].forward_cost + (keep == 1 ? c.stages[s - 1].keep_cost : 0));
      }
    }
    const int s = x.gradient > n ? n : x.gradient;
    if (c.coded && x.running != -1 && x.running != s) continue; // a run forward goes on to the stage it is for
    if ((x.gradient <= n || x.running == n) && (x.tapes >> s & 1) && in(x, s - 1) &&
        kept(x) + full(s) + full(s - 1) + c.stages[s - 1].backward_extra_bytes <= budget) {
      State y = x;
      y.tapes &= ~(1u << s);
      y.outputs &= ~(1u << s) & ~(1u << (s - 1));
      y.running = -1, y.gradient = s - 1;
      reach(y, cost + c.stages[s - 1].backward_cost);
    }
  }
  return INFINITY;
}

Chain random_chain(test::Random &random, int n) {
  std::vector<erg_stage> stages;
  for (int s = 0; s < n; s++) {
    int64_t output = random.range(1, 6);
    stages.push_back({static_cast<double>(random.range(1, 9)), static_cast<double>(random.range(1, 9)), output,
                      random.range(1, static_cast<int>(output)), random.range(1, 12), 0, 0, 0});
    stages.back().kept_tape_bytes = std::max(stages.back().kept_tape_bytes, stages.back().kept_output_bytes);
    if (random.coin()) continue;
    stages.back().keep_cost = random.range(0, 3);
    stages.back().forward_extra_bytes = random.range(0, 4);
    stages.back().backward_extra_bytes = random.range(0, 4);
  }
  Chain chain(random.range(1, 6), stages);
  chain.coded = random.coin();
  return chain;
}

// n stages whose checkpoints take 1, with nothing else in memory: the setting of the closed form.
double binomial(int l, int c) { // least forward steps of reversing l stages with c checkpoints: Griewank and Walther
  auto choose = [](int n, int k) {
    double r = 1;
    for (int i = 1; i <= k; i++) r = r * (n - k + i) / i;
    return r;
  };
  int r = 0;
  while (choose(c + r, c) < l) r++;
  return r * l - choose(c + r, c + 1);
}

// 16 stages as of a residual network: maps of 16, 8, 4, 2, four stages each, tapes three times as large.
Chain sixteen(double bits, bool coded = false) {
  const double ratio = bits == 32 ? 1 : (bits + 2 * 16.0 / 256) / 32; // a scale and an offset of 16 bits for 256 codes
  std::vector<erg_stage> stages;
  for (int s = 0; s < 16; s++) {
    const int64_t size = (16 >> (s / 4)) * 10000;
    stages.push_back({4, 8, size, std::llround(ratio * static_cast<double>(size)),
                      std::llround(3 * ratio * static_cast<double>(size)), 0, 0, 0});
  }
  Chain chain(160000, stages);
  chain.coded = coded;
  return chain;
}

// Least peak, in shares of keeping all in 32 bits, with at most this much recomputation.
double least_peak(double bits, double overhead, bool coded = false) {
  Chain chain = sixteen(bits, coded);
  const double all = static_cast<double>(erg_checkpoint_all_bytes(&(const erg_chain &)sixteen(32))), once = 16 * 12;
  double low = 0, high = 1.01;
  while (high - low > 5e-4) {
    double middle = (low + high) / 2;
    Found found(chain, static_cast<int64_t>(middle * all));
    if (found.status == ERG_OK && found.schedule.recompute_cost <= overhead * once + 1e-9)
      high = static_cast<double>(found.peak) / all < middle ? static_cast<double>(found.peak) / all : middle;
    else
      low = middle;
  }
  return high;
}

} // namespace

TEST(Checkpoint, EqualsExhaustiveSearchOnRandomChains) {
  test::Random random(41);
  int feasible = 0, recomputing = 0;
  for (int trial = 0; trial < 1000; trial++) {
    Chain chain = random_chain(random, 1 + trial % 5);
    const int64_t all = erg_checkpoint_all_bytes(&chain),
                  budget = std::max<int64_t>(1, random.range(static_cast<int>(all / 3), static_cast<int>(all) + 1));
    Found found(chain, budget);
    const double truth = exhaustive(chain, budget);
    ASSERT_EQ(found.status == ERG_OK, std::isfinite(truth))
        << "trial " << trial << " budget " << budget << " of " << all;
    if (found.status != ERG_OK) continue;
    feasible++;
    recomputing += found.schedule.recompute_cost > 0;
    ASSERT_DOUBLE_EQ(found.schedule.cost, truth) << "trial " << trial << " budget " << budget << " of " << all;
  }
  std::printf("1000 chains: %d fit, %d of them recompute\n", feasible, recomputing);
  EXPECT_GT(recomputing, 40);
}

// No working memory, tapes so large that there is room for one: checkpoints are what is left, and a reversal costs
// forward steps.
TEST(Checkpoint, EqualsTheBinomialClosedFormOnUniformChains) {
  int cases = 0;
  for (int l = 1; l < 24; l++)
    for (int c = 1; c < 8; c++) {
      Chain chain(0, std::vector<erg_stage>(static_cast<size_t>(l), {1, 0, 0, 1, 1000, 0, 0, 0}));
      Found found(chain, 1000 + c);
      ASSERT_EQ(found.status, ERG_OK);
      EXPECT_DOUBLE_EQ(found.schedule.cost, l + binomial(l, c)) << l << " stages, " << c;
      cases++;
    }
  std::printf("%d cases\n", cases);
}

TEST(Checkpoint, KeepingAllCostsNothingMoreAndOneByteLessDoes) {
  test::Random random(42);
  for (int trial = 0; trial < 50; trial++) {
    Chain chain = random_chain(random, 8);
    const int64_t all = erg_checkpoint_all_bytes(&chain);
    Found found(chain, all);
    ASSERT_EQ(found.status, ERG_OK);
    EXPECT_DOUBLE_EQ(found.schedule.recompute_cost, 0);
    EXPECT_EQ(found.peak, all);
    Found less(chain, all - 1);
    if (less.status == ERG_OK) EXPECT_GT(less.schedule.recompute_cost, 0);
  }
}

TEST(Checkpoint, SharesOfTheSixteenStageChain) {
  const struct { double bits, overhead, share; } stated[] = {{32, 0, 1}, {8, 0, 0.265}, {8, 0.1, 0.164}, {4, 0, 0.157}};
  for (const auto &s : stated) {
    const double share = least_peak(s.bits, s.overhead);
    std::printf("%2.0f bits, at most %2.0f %% recomputed: %.3f of all in 32 bits\n", s.bits, 100 * s.overhead, share);
    EXPECT_NEAR(share, s.share, 0.02 * s.share);
  }
  // Those figures read what is kept from its copy at once. Where a value at hand is read in full it lives beside it.
  const double strict = least_peak(8, 0.1, true);
  std::printf(" 8 bits, at most 10 %% recomputed, values at hand in full: %.3f\n", strict);
  EXPECT_NEAR(least_peak(8, 0, true), 0.265, 0.02 * 0.265);
  EXPECT_NEAR(strict, 0.173, 0.02 * 0.173);
  // Below 4 bits the gradients in full are what is left: a floor.
  const double four = least_peak(4, 0.3), two = least_peak(2, 0.3);
  std::printf("at most 30 %% recomputed: 4 bits %.3f, 2 bits %.3f\n", four, two);
  EXPECT_GT(two, 0.85 * four);
}

// Whatever the slots round up, the least budget that is named has a schedule; with slots of a byte none below it has.
TEST(Checkpoint, TheLeastBudgetHasASchedule) {
  test::Random random(43);
  for (int trial = 0; trial < 300; trial++) {
    Chain chain = random_chain(random, random.range(1, 12));
    test::Error error;
    int64_t coarse = 0, exact = 0;
    const int slots = random.range(30, 60);
    ASSERT_EQ(erg_checkpoint_least(&chain, slots, &coarse, &error), ERG_OK) << error.message();
    ASSERT_EQ(erg_checkpoint_least(&chain, 0, &exact, &error), ERG_OK) << error.message();
    EXPECT_LE(exact, coarse);
    EXPECT_EQ(Found(chain, coarse, slots).status, ERG_OK) << trial << ": " << coarse << " in " << slots;
    EXPECT_EQ(Found(chain, exact).status, ERG_OK);
    if (exact > 1) EXPECT_NE(Found(chain, exact - 1).status, ERG_OK) << trial;
  }
}

TEST(Checkpoint, TooFewSlotsAreAMessage) {
  Chain chain(1, std::vector<erg_stage>(12, {1, 1, 1, 1, 2, 0, 0, 0}));
  test::Error error;
  int64_t bytes;
  EXPECT_EQ(erg_checkpoint_least(&chain, 2, &bytes, &error), ERG_ERR_DATA);
  EXPECT_NE(std::string(error.message()).find("2 slots are too few for 12 stages"), std::string::npos);
}

TEST(Checkpoint, WhatCannotBeIsAMessage) {
  test::Arena arena;
  erg_schedule s{};
  Chain chain(4, {{1, 1, 4, 4, 12, 0, 0, 0}, {1, 1, 4, 4, 12, 0, 0, 0}});
  const struct {
    erg_chain chain;
    int64_t budget;
    const char *message;
  } cases[] = {
      {chain, 3,
       "no schedule fits in 3 bytes; the least that one was found for is 24, with every tape kept it takes 32"},
      {chain, 0, "budget of 0 bytes"},
      {{4, chain.stages, 0, false}, 9, "found 0 stages"}};
  for (const auto &c : cases) {
    test::Error error;
    EXPECT_EQ(erg_checkpoint(&c.chain, c.budget, 0, &arena, &s, &error), ERG_ERR_DATA);
    EXPECT_NE(std::string(error.message()).find(c.message), std::string::npos) << error.message();
  }
}

TEST(Checkpoint, ExecutionRefusesWrongSchedules) {
  Chain chain(4, {{1, 1, 4, 4, 12, 0, 0, 0}, {1, 1, 4, 4, 12, 0, 0, 0}});
  using Steps = std::vector<erg_step>;
  const struct {
    Steps steps;
    const char *message;
  } cases[] = {{{{ERG_STEP_FORWARD, 2}}, "step 1, stage 2: its input"},
               {{{ERG_STEP_FORWARD_TAPE, 1}, {ERG_STEP_BACKWARD, 1}}, "the loss cannot be taken"},
               {{{ERG_STEP_FORWARD, 1}, {ERG_STEP_FORWARD, 2}, {ERG_STEP_BACKWARD, 2}}, "its tape is not kept"},
               {{{ERG_STEP_FORWARD_TAPE, 1}, {ERG_STEP_FORWARD_TAPE, 2}, {ERG_STEP_BACKWARD, 2}}, "ends at x[1]"},
               {{{ERG_STEP_FORWARD, 3}}, "no such stage"}};
  for (const auto &c : cases) {
    test::Error error;
    Steps steps = c.steps;
    erg_schedule s{steps.data(), static_cast<int>(steps.size()), 0, 0};
    int64_t peak;
    double cost;
    EXPECT_EQ(erg_checkpoint_execute(&chain, &s, &peak, &cost, &error), ERG_ERR_MISMATCH);
    EXPECT_NE(std::string(error.message()).find(c.message), std::string::npos) << error.message();
  }
}
