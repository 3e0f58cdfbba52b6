// SPDX-License-Identifier: GPL-3.0-or-later
// The chosen tile against a search of every tile, and the messages when none fits.
#include "bench.hpp"
#include <tuple>

namespace {

erg_arch small_arch(double in_kib, double w_kib, double out_kib, int depth = 64) {
  std::string text = "name: t\nrows: 4\ncols: 4\nclock_mhz: 100\naccumulator_depth: " + std::to_string(depth) +
                     "\nlevels:\n"
                     "  - {name: dram, kind: dram, bandwidth_bits_per_cycle: 64, latency_cycles: 5}\n"
                     "  - {name: in, kind: sram, capacity_kib: " +
                     std::to_string(in_kib) +
                     ", holds: [input, residual]}\n"
                     "  - {name: w, kind: sram, capacity_kib: " +
                     std::to_string(w_kib) +
                     ", holds: [weight, constant]}\n"
                     "  - {name: out, kind: sram, capacity_kib: " +
                     std::to_string(out_kib) + ", holds: [output]}\n";
  erg_arch arch{};
  test::Error error;
  EXPECT_EQ(erg_arch_parse("a.yaml", text.c_str(), nullptr, 0, &arch, &error), ERG_OK) << error.message();
  return arch;
}

uint64_t cycles_of(const erg_arch &arch, const erg_geometry &g, const erg_mapping &m) {
  erg_activity counted{};
  const erg_op_counts none{};
  erg_analytic(&arch, &g, &m, &none, &counted);
  return counted.cycles;
}

} // namespace

TEST(Map, NoTileMovesFewerOffChipBitsAndNoneOfTheseIsFaster) {
  test::Random random(101);
  int found = 0, ties = 0;
  for (int round = 0; round < 5000; round++) {
    SCOPED_TRACE("seed 101, round " + std::to_string(round));
    erg_geometry g = random_geometry(random);
    const double maps = random.coin() ? 10 : 1; // room for them whole, not for the weights
    erg_arch arch = small_arch(maps * random.unit() * 6 + 0.1, random.unit() * 6 + 0.1, maps * random.unit() * 3 + 0.1,
                               random.range(4, 200));
    erg_mapping chosen{};
    test::Error error;
    erg_status status = erg_map(&arch, &g, &chosen, &error);
    uint64_t least = UINT64_MAX;
    std::vector<erg_mapping> smallest; // of all that are cut into as many tiles
    bool split = g.array && g.groups == 1;
    for (int channels = split ? 4 : g.out_c; channels <= (split ? (g.out_c + 3) / 4 * 4 : g.out_c); channels += 4) {
      bool fits = channels >= g.out_c ||
                  (channels * g.out_bits % 8 == 0 && (!g.residual || channels * g.residual_bits % 8 == 0));
      for (int rows = 1; rows <= g.out_h && fits; rows++) // up to the first that do not fit (docs/model.md, "Tiles")
        for (int order = 0; order < 2 && fits; order++) {
          erg_mapping m{};
          m.out_channels = channels, m.out_rows = rows, m.reduction = erg_geometry_reduction(&g),
          m.order = static_cast<erg_loop_order>(order);
          fits = erg_map_given(&arch, &g, &m, nullptr) == ERG_OK;
          if (!fits) continue;
          least = std::min(least, m.offchip_bits);
          const bool fewer_channels = split && channels > 4 && (g.out_c + channels - 5) / (channels - 4) == m.n_tiles;
          const bool fewer_rows = rows > 1 && (g.out_h + rows - 2) / (rows - 1) * g.images == m.m_tiles;
          if (!fewer_channels && !fewer_rows) smallest.push_back(m);
        }
    }
    if (status != ERG_OK) {
      EXPECT_EQ(least, UINT64_MAX) << "a tile fits, yet none was found: " << error.message();
    } else {
      EXPECT_LE(chosen.offchip_bits, least);
      found++;
      for (const erg_mapping &m : smallest) {
        if (m.offchip_bits > chosen.offchip_bits) continue;
        const uint64_t mine = cycles_of(arch, g, chosen), other = cycles_of(arch, g, m);
        EXPECT_LE(mine, other) << m.out_channels << " channels, " << m.out_rows << " rows, order " << m.order;
        const auto place = [](const erg_mapping &t) {
          return std::tuple(t.out_channels, t.out_rows, t.reduction, t.order);
        };
        if (mine == other) EXPECT_LE(place(chosen), place(m));
        ties++;
      }
    }
    erg_arch_free(&arch);
  }
  EXPECT_GT(found, 3000);
  EXPECT_GT(ties, 10000);
}

TEST(Map, SaysWhatDoesNotFit) {
  erg_geometry g{};
  test::Random random(102);
  g = {true, 1, 32, 32, 64, 32, 32, 16, 3, 3, 1, 1, 1, 1, 1, 1, false, true, 8, 8, 8, 8, 32, 72, 0};
  erg_mapping m;
  test::Error input, weight, output, accumulator;
  erg_arch arch = small_arch(8, 64, 64);
  EXPECT_EQ(erg_map(&arch, &g, &m, &input), ERG_ERR_DATA);
  EXPECT_NE(input.message().find("needs 6.0 KiB in in, most of it for input; half of it holds 4.0 KiB"),
            std::string::npos)
      << input.message();
  erg_arch_free(&arch);
  arch = small_arch(64, 0.05, 64);
  EXPECT_EQ(erg_map(&arch, &g, &m, &weight), ERG_ERR_DATA);
  EXPECT_NE(weight.message().find("most of it for constant"), std::string::npos) << weight.message();
  erg_arch_free(&arch);
  arch = small_arch(64, 64, 0.1);
  EXPECT_EQ(erg_map(&arch, &g, &m, &output), ERG_ERR_DATA);
  EXPECT_NE(output.message().find("most of it for output"), std::string::npos) << output.message();
  erg_arch_free(&arch);
  arch = small_arch(64, 64, 64, 31);
  EXPECT_EQ(erg_map(&arch, &g, &m, &accumulator), ERG_ERR_DATA);
  EXPECT_NE(accumulator.message().find("one output row has 32 pixels, the accumulator memory of t has 31 rows"),
            std::string::npos)
      << accumulator.message();
  erg_arch_free(&arch);
}
