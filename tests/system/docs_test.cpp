// SPDX-License-Identifier: GPL-3.0-or-later
// Files and pages that the documents name are there: a map that shows streets of last year is worse than none.
#include "support.hpp"
#include <filesystem>

namespace {

const std::string root = std::string(ERGON_TEST_SOURCE_DIR) + "/";

// Calls `use` with every text between `open` and `close` that holds no blank.
template <typename Use> void each(const std::string &page, const char *open, const char *close, Use use) {
  for (size_t at = page.find(open); at != std::string::npos; at = page.find(open, at)) {
    at += strlen(open);
    size_t end = page.find(close, at);
    if (end == std::string::npos) return;
    std::string text = page.substr(at, end - at);
    if (text.find_first_of(" \n") == std::string::npos) use(text);
    at = end + 1;
  }
}

bool names_a_file(const std::string &token) { // a path of this tree, without placeholders
  for (const char *room :
       {"base/", "kernels/", "workloads/", "energy/", "rtl/", "sim/", "quant/", "plots/", "cli/", "tests/", "docs/"})
    if (token.rfind(room, 0) == 0) return token.find_first_of("<*{") == std::string::npos;
  return false;
}

} // namespace

TEST(Docs, FilesThatTheMapNamesExist) {
  int checked = 0;
  for (const char *name : {"docs/overview.md", "docs/model.md", "docs/json.md", "docs/training.md"})
    each(test::read_file(root + name), "`", "`", [&](const std::string &token) {
      if (!names_a_file(token)) return;
      checked++;
      EXPECT_TRUE(std::filesystem::exists(root + token)) << name << " names " << token;
    });
  EXPECT_GT(checked, 40);
}

TEST(Docs, LinksBetweenPagesLead) {
  int checked = 0;
  for (const auto &entry : std::filesystem::directory_iterator(root + "docs")) {
    if (entry.path().extension() != ".md") continue;
    each(test::read_file(entry.path().string()), "](", ")", [&](const std::string &link) {
      if (link.rfind("http", 0) == 0 || link[0] == '#') return;
      checked++;
      EXPECT_TRUE(std::filesystem::exists(root + "docs/" + link.substr(0, link.find('#'))))
          << entry.path() << ": " << link;
    });
  }
  EXPECT_GT(checked, 5);
}
