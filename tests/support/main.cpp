// SPDX-License-Identifier: GPL-3.0-or-later
// Every test program sees the build tree's data, and its own cache of built arrays and runtime library or those of the
// tree that ERGON_TEST_ARRAYS names: arrays are not instrumented, so a tree with sanitizers may take another's.
#include "support.hpp"

std::string test::binary_dir() {
  return ERGON_TEST_BINARY_DIR;
}

int main(int argc, char **argv) {
  const char *given = std::getenv("ERGON_TEST_ARRAYS");
  const std::string arrays = given ? given : test::binary_dir();
  setenv("ERGON_DATA", (test::binary_dir() + "/share/ergon").c_str(), 1);
  setenv("ERGON_CACHE", (arrays + "/cache").c_str(), 1);
  setenv("ERGON_LIB", (arrays + "/lib").c_str(), 1);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
