// SPDX-License-Identifier: GPL-3.0-or-later
#include "width_check.hpp"
using namespace width;

// A sample for every day: both ends of each width, and one in between.
TEST(WidthSample, EndsAndMiddle) {
  Total total;
  check("w2a2p16o16", 3, 2, 8, 60, 1, total);
  check("w16a16p48o16", 2, 3, 8, 60, 2, total);
  check("w5a3p23o7", 4, 4, 16, 60, 3, total);
  check("w2a2p16o16", 3, 2, 8, 100, 4, total, ERG_DATAFLOW_OS);
  check("w16a16p48o16", 2, 3, 8, 60, 5, total, ERG_DATAFLOW_OS);
  check("w5a3p23o7", 4, 4, 16, 60, 6, total, ERG_DATAFLOW_OS);
  report(total);
}
