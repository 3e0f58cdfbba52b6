// SPDX-License-Identifier: GPL-3.0-or-later
// An installation of its own in $HOME/ergon of a scratch home, as docs/rtl-kernels.md has it; removed again.
#pragma once
#include "support.hpp"

namespace test {

struct Prefix {
  Folder home;
  std::string root = home / "ergon", environment; // environment: before a command
  Prefix() {
    Output o = shell(std::string("'") + ERGON_TEST_CMAKE + "' --install '" + binary_dir() + "' --prefix '" +
                     root + "'");
    EXPECT_EQ(o.exit_code, 0) << o.err;
    std::string lib = *this / ERGON_TEST_LIBDIR;
    environment = "export HOME='" + home.path.string() + "' PKG_CONFIG_PATH='" + lib + "/pkgconfig'; ";
  }
  std::string operator/(const std::string &name) const { return root + "/" + name; }
  // In the scratch home.
  Output run(const std::string &command) const { return shell(environment + "cd \"$HOME\" && { " + command + "; }"); }
};

// Command lines of docs/rtl-kernels.md that hold `part`.
inline std::vector<std::string> printed(const std::string &part) {
  std::stringstream text(read_file(ERGON_TEST_SOURCE_DIR "/docs/rtl-kernels.md"));
  std::vector<std::string> found;
  bool inside = false;
  for (std::string line; std::getline(text, line);) {
    if (line.rfind("```", 0) == 0) inside = line == "```sh";
    else if (inside && line.find(part) != std::string::npos) found.push_back(line);
  }
  return found;
}

} // namespace test
