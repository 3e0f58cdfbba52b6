// SPDX-License-Identifier: GPL-3.0-or-later
// Every test program sees the build tree's data, its own cache of built arrays and its own runtime library.
#include <cstdlib>
#include <gtest/gtest.h>

int main(int argc, char **argv) {
  setenv("ERGON_DATA", ERGON_TEST_BINARY_DIR "/share/ergon", 1);
  setenv("ERGON_CACHE", ERGON_TEST_BINARY_DIR "/cache", 1);
  setenv("ERGON_LIB", ERGON_TEST_BINARY_DIR "/lib", 1);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
