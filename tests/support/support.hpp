// SPDX-License-Identifier: GPL-3.0-or-later
// What tests share: an error that cleans up, seeded random numbers whose seed every failure prints, shell commands.
#pragma once
#include "ergon/base.h"
#include "ergon/energy.h"
#include "ergon/kernels.h"
#include "ergon/rtl.h"
#include "ergon/sim.h"
#include "ergon/workloads.h"
#include <gtest/gtest.h>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <vector>

namespace test {

struct Error : erg_error {
  Error() : erg_error{} {}
  ~Error() { erg_error_clear(this); }
  std::string message() const { return text ? text : ""; }
};

struct Arena : erg_arena {
  Arena() : erg_arena{} {}
  ~Arena() { erg_arena_free(this); }
};

// A seeded source of random shapes and values; the seed is fixed, so that a failure comes again.
struct Random : erg_random {
  explicit Random(uint64_t seed) { erg_random_seed(this, seed); }
  int range(int64_t low, int64_t high) { return static_cast<int>(erg_random_range(this, low, high)); }
  bool coin() { return erg_random_range(this, 0, 1) != 0; }
  double unit() { return erg_random_unit(this); }
};

inline std::string read_file(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

inline void write_file(const std::string &path, const std::string &text) { std::ofstream(path, std::ios::binary) << text; }

std::string binary_dir(); // the build tree; main.cpp alone knows it, so that trees share the objects of tests

struct Output { int exit_code; std::string out, err; };

// A scratch folder of the test's own, removed at the end.
struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "ergon-test-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string &name) const { return (path / name).string(); }
};

// Runs a shell command, keeping both streams apart.
inline Output shell(const std::string &command) {
  Folder folder;
  int status = std::system((command + " >'" + folder / "out" + "' 2>'" + folder / "err" + "'").c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_file(folder / "out"), read_file(folder / "err")};
}

inline Output ergon(const std::string &arguments) { return shell("'" + binary_dir() + "/bin/ergon' " + arguments); }

inline erg_precision precision(const char *text) {
  erg_precision p{};
  Error error;
  EXPECT_EQ(erg_precision_parse(text, &p, &error), ERG_OK) << error.message();
  return p;
}

} // namespace test
