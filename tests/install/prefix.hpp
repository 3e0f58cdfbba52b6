// SPDX-License-Identifier: GPL-3.0-or-later
// An installation of its own, in a folder that is removed again.
#pragma once
#include "support.hpp"

namespace test {

struct Prefix : Folder {
  std::string environment; // before a command
  Prefix() {
    Output o = shell(std::string("'") + ERGON_TEST_CMAKE + "' --install '" + ERGON_TEST_BINARY_DIR + "' --prefix '" +
                     path.string() + "'");
    EXPECT_EQ(o.exit_code, 0) << o.err;
    std::string lib = *this / ERGON_TEST_LIBDIR;
    environment = "export PKG_CONFIG_PATH='" + lib + "/pkgconfig' LD_LIBRARY_PATH='" + lib + "'; ";
  }
  Output run(const std::string &command) const { return shell(environment + "cd / && { " + command + "; }"); }
};

} // namespace test
