// SPDX-License-Identifier: GPL-3.0-or-later
// The whole matrix of widths in both dataflows: over two hundred arrays, each built for itself.
#include "width_check.hpp"
using namespace width;

class WidthMatrix : public testing::TestWithParam<erg_dataflow> {};
INSTANTIATE_TEST_SUITE_P(Dataflows, WidthMatrix, testing::Values(ERG_DATAFLOW_WS, ERG_DATAFLOW_OS),
                         [](const auto &info) { return erg_dataflow_names[info.param]; });

TEST_P(WidthMatrix, AllPairsOfTwoToEight) {
  Total total;
  for (int w = 2; w <= 8; w++)
    for (int a = 2; a <= 8; a++)
      check(widths(w, a, 32, a), 4, 4, 16, 100, static_cast<uint64_t>(100 * w + a), total, GetParam());
  report(total);
}

TEST_P(WidthMatrix, EightAndSixteen) {
  Total total;
  for (int w : {8, 16})
    for (int a : {8, 16})
      check(widths(w, a, w + a > 24 ? 48 : 32, a), 4, 4, 16, 100, static_cast<uint64_t>(100 * w + a), total,
            GetParam());
  report(total);
}

// Accumulators and outputs of every width, each with other operands.
TEST_P(WidthMatrix, AccumulatorsAndOutputs) {
  Total total;
  for (int p = 16; p <= 48; p++)
    check(widths(2 + p % 7, 2 + p % 6, p, 2 + p % 15), 4, 4, 16, 60, static_cast<uint64_t>(p), total, GetParam());
  report(total);
}

TEST_P(WidthMatrix, LargerArrays) {
  Total total;
  for (int bits : {2, 4, 8, 16})
    for (auto [rows, cols] : {std::pair{8, 16}, {16, 16}, {32, 32}})
      check(widths(bits == 4 ? 4 : bits, bits == 4 ? 8 : bits, bits == 16 ? 48 : 32, bits == 4 ? 8 : bits), rows, cols,
            64, 25, static_cast<uint64_t>(bits + rows), total, GetParam());
  report(total);
}
