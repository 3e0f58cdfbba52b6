// SPDX-License-Identifier: GPL-3.0-or-later
// Stalls against a walk over every step that is kept apart from the model's: whole numbers of 1/bandwidth cycles, each
// tile and each transfer by its number, no step left out. Also the bounds that spare the search most walks.
#include "bench.hpp"
extern "C" {
#include "../../../sim/dataflow.h"
}
#include <cmath>
#include <map>

namespace {

// A machine whose scratchpads are all filled from one channel.
erg_arch machine(test::Random &r) {
  char text[800];
  std::snprintf(text, sizeof text,
                "name: t\nrows: %d\ncols: %d\nclock_mhz: 100\naccumulator_depth: 1000\nlevels:\n"
                "  - {name: dram, kind: dram, bandwidth_bits_per_cycle: %d, latency_cycles: %d}\n"
                "  - {name: in, kind: sram, capacity_kib: 100000, holds: [input, residual]}\n"
                "  - {name: w, kind: sram, capacity_kib: 100000, holds: [weight, constant]}\n"
                "  - {name: out, kind: sram, capacity_kib: 100000, holds: [output]}\n",
                r.range(2, 9), r.range(2, 9), r.coin() ? 1 << r.range(3, 9) : r.range(9, 300), r.range(0, 60));
  erg_arch arch{};
  test::Error error;
  EXPECT_EQ(erg_arch_parse("a.yaml", text, nullptr, 0, &arch, &error), ERG_OK) << error.message();
  return arch;
}

erg_mapping random_tile(test::Random &r, const erg_arch &arch, const erg_geometry &g) {
  erg_mapping m{};
  const int cols = static_cast<int>(arch.cols);
  const bool split = g.array && g.groups == 1;
  m.out_rows = r.range(0, 3) == 0 ? g.out_h : r.range(1, r.coin() ? 2 : g.out_h);
  m.out_channels = split ? cols * r.range(1, (g.out_c + cols - 1) / cols) : g.out_c;
  const int64_t k = erg_geometry_reduction(&g), folds = (k + arch.rows - 1) / arch.rows;
  m.reduction = split && folds > 1 && r.coin() ? arch.rows * r.range(1, folds - 1) : k;
  m.order = static_cast<erg_loop_order>(r.range(0, 1));
  return m;
}

// Steps of the nest in their order.
struct Step {
  int n, m;
  int64_t k, input = -1, weight = -1, constant = 0, residual = -1, output = -1, work; // bits; -1: none; cycles
};

int64_t padded(int64_t bits) {
  return (bits + 7) / 8 * 8;
}

std::vector<Step> steps_of(const erg_arch &arch, const erg_geometry &g, const erg_mapping &m) {
  std::vector<Step> steps;
  const int per_image = (g.out_h + m.out_rows - 1) / m.out_rows, ms = per_image * g.images;
  const int ns = (g.out_c + m.out_channels - 1) / m.out_channels;
  const int64_t k_all = erg_geometry_reduction(&g), ks = (k_all + m.reduction - 1) / m.reduction;
  const erg_dataflow_rules *rules = erg_dataflow_of(g.dataflow);
  const bool n_outside = m.order == ERG_ORDER_WEIGHTS_STAY;
  for (int outer = 0; outer < (n_outside ? ns : ms); outer++)
    for (int inner = 0; inner < (n_outside ? ms : ns); inner++)
      for (int64_t k = 0; k < ks; k++) {
        Step s{n_outside ? outer : inner, n_outside ? inner : outer, k};
        const int row = s.m % per_image * m.out_rows, rows = std::min(m.out_rows, g.out_h - row);
        const int channels = std::min(m.out_channels, g.out_c - s.n * m.out_channels);
        const int64_t reduction = std::min(m.reduction, k_all - k * m.reduction);
        const bool first = steps.empty(), last_k = k == ks - 1;
        if (first || s.m != steps.back().m) {
          std::vector<bool> seen(static_cast<size_t>(g.in_h));
          for (int p = row; p < row + rows; p++)
            for (int y = p * g.stride_h - g.pad_top; y < p * g.stride_h - g.pad_top + g.kernel_h; y++)
              if (y >= 0 && y < g.in_h) seen[static_cast<size_t>(y)] = true;
          s.input = std::count(seen.begin(), seen.end(), true) * g.in_w * padded(int64_t{1} * g.in_c * g.in_bits);
        }
        if ((g.array || g.constants) && (first || s.n != steps.back().n || ks > 1)) {
          s.weight = g.array ? padded(channels * reduction * g.weight_bits) : 0;
          s.constant = last_k ? padded(int64_t{1} * channels * g.constant_bits) : 0;
        }
        if (last_k && g.residual) s.residual = rows * g.out_w * padded(int64_t{1} * channels * g.residual_bits);
        if (last_k) s.output = rows * g.out_w * padded(int64_t{1} * channels * g.out_bits);
        const erg_dataflow_step it{int64_t{1} * rows * g.out_w, channels, reduction, last_k};
        s.work = g.array ? rules->step_cycles(&arch, &g, &it)
                         : (it.pixels * channels * g.window * g.rounds + arch.cols - 1) / arch.cols;
        if (g.array && first) s.work += rules->begin_cycles(&arch);
        if (g.array && steps.size() + 1 == static_cast<size_t>(ns * ms * ks))
          s.work += rules->end_cycles(&arch, &g, &it);
        steps.push_back(s);
      }
  return steps;
}

struct Walk {
  const std::vector<Step> &steps;
  const int64_t bandwidth, latency; // a unit of time is 1/bandwidth cycles: a bit takes one
  int64_t channel = 0, load_end = 0, store_end = 0, stalls = 0, now = 0;
  size_t loaded = 0, computed = 0;
  std::vector<int64_t> arrives, freed[3], made, stored, output_bits; // freed: by tensor and number of tile
  size_t tiles[3] = {0, 0, 0};                                       // loaded of each tensor

  Walk(const erg_arch &arch, const std::vector<Step> &s)
      : steps(s), bandwidth(llround(arch.levels[0].bandwidth_bits_per_cycle)),
        latency(arch.levels[0].latency_cycles * bandwidth) {
    for (issue(); computed < steps.size(); issue()) compute();
    stalls += std::max<int64_t>(0, store_end - now);
  }
  void transfer(int64_t bits, int64_t when, int64_t *end) {
    if (bits <= 0) return;
    channel = std::max(channel, when) + bits;
    *end = std::max(*end, channel + latency);
  }
  // Two tiles of a tensor have room: the next one takes the room of the one two before.
  bool room(int tensor) const { return tiles[tensor] < freed[tensor].size() + 2; }
  int64_t room_at(int tensor) const { return tiles[tensor] < 2 ? 0 : freed[tensor][tiles[tensor] - 2]; }
  bool can_load() const {
    if (loaded == steps.size() || loaded == computed + 8) return false;
    const Step &s = steps[loaded];
    return (s.input < 0 || room(0)) && (s.weight < 0 || room(1)) && (s.residual < 0 || room(2));
  }
  int64_t asks_load() const { return steps[loaded].input < 0 ? load_end : std::max(load_end, room_at(0)); }
  int64_t asks_store() const { return std::max(made[stored.size()], store_end); }
  void load() {
    const Step &s = steps[loaded++];
    int64_t when = load_end, end = 0;
    const int64_t bits[] = {s.input, s.weight, s.residual};
    for (int tensor = 0; tensor < 3; tensor++) {
      if (bits[tensor] < 0) continue;
      when = std::max(when, room_at(tensor));
      transfer(bits[tensor], when, &end);
      if (tensor == 1) transfer(s.constant, when, &end);
      tiles[tensor]++;
    }
    arrives.push_back(load_end = std::max(when, end));
  }
  void store() {
    int64_t when = asks_store(), end = when;
    transfer(output_bits[stored.size()], when, &end);
    stored.push_back(store_end = end);
  }
  void issue() {
    for (;;) {
      const bool loads = can_load(), stores = stored.size() < made.size();
      if (!loads && !stores) return;
      if (loads && (!stores || asks_load() <= asks_store()))
        load();
      else
        store();
    }
  }
  void wait(int64_t until) {
    stalls += std::max<int64_t>(0, until - now);
    now = std::max(now, until);
  }
  void compute() {
    const Step &s = steps[computed], *next = computed + 1 < steps.size() ? &steps[computed + 1] : nullptr;
    wait(arrives[computed]);
    if (s.output >= 0 && made.size() >= 2) wait(stored[made.size() - 2]);
    now += s.work * bandwidth;
    if (!next || next->input >= 0) freed[0].push_back(now);
    if ((!next || next->weight >= 0) && tiles[1] > freed[1].size()) freed[1].push_back(now);
    if (s.residual >= 0) freed[2].push_back(now);
    if (s.output >= 0) made.push_back(now), output_bits.push_back(s.output);
    computed++;
  }
};

} // namespace

TEST(Walk, EveryStepGivesTheStallsOfTheModel) {
  test::Random random(401);
  std::map<std::string, int> seen;
  for (int round = 0; round < 20000; round++) {
    SCOPED_TRACE("seed 401, round " + std::to_string(round));
    erg_arch arch = machine(random);
    erg_geometry g = random_geometry(random);
    g.dataflow = static_cast<erg_dataflow>(random.range(0, 2));
    if (random.coin()) g.images = 1;
    if (random.coin()) g.out_h = random.range(g.out_h, 40), g.in_h = (g.out_h - 1) * g.stride_h + g.kernel_h;
    erg_mapping m = random_tile(random, arch, g);
    erg_activity counted{};
    if (erg_map_given(&arch, &g, &m, nullptr) == ERG_OK) {
      const std::vector<Step> steps = steps_of(arch, g, m);
      const Walk walk(arch, steps);
      erg_count_cycles(&arch, &g, &m, &counted);
      const double stalls = static_cast<double>(walk.stalls) / static_cast<double>(walk.bandwidth);
      const double half = std::abs(stalls - std::floor(stalls) - 0.5); // rounding there may go either way
      EXPECT_LE(std::abs(static_cast<double>(counted.stall_cycles[0]) - stalls), half < 1e-6 ? 0.5 + 1e-6 : 0.5);
      EXPECT_LE(erg_least_cycles(&arch, &g, &m), counted.cycles);
      double at_ends;
      const bool smooth = erg_stalls_at_ends(&arch, &g, &m, &at_ends);
      if (smooth) EXPECT_NEAR(at_ends, stalls, 1e-6);
      const bool n = m.n_tiles > 1, r = m.m_tiles > 1, k = m.k_chunks > 1;
      seen[std::string(n ? "n" : "") + (r ? "m" : "") + (k ? "k" : "") + (m.order ? " is" : " ws")]++;
      seen["smooth"] += smooth;
      seen["long"] += steps.size() > 40;
      seen["walked and long"] += !smooth && steps.size() > 40;
      seen["bound exact"] += erg_least_cycles(&arch, &g, &m) == counted.cycles;
    }
    erg_arch_free(&arch);
    if (HasFailure()) return;
  }
  for (const char *kind : {"n ws", "n is", "m ws", "m is", "nm ws", "nm is", "nk ws", "mk is", "nmk ws", "nmk is",
                           "smooth", "long", "walked and long", "bound exact"})
    EXPECT_GT(seen[kind], 100) << kind;
  for (const auto &[kind, count] : seen) RecordProperty(kind.c_str(), count);
}
