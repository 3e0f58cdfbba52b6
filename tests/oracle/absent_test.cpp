// SPDX-License-Identifier: GPL-3.0-or-later
// Stands in for an oracle whose package was not found when the build was configured: fails unless the skip is listed.
#include "ledger.hpp"

TEST(Absent, PackageIsInstalled) {
  oracle::Ledger ledger(ERGON_ORACLE);
  if (ledger.skip("absent", "install " ERGON_ORACLE_PACKAGES " (scripts/setup --test), then configure again"))
    GTEST_SKIP();
}
