// SPDX-License-Identifier: GPL-3.0-or-later
// `ergon study`: what it writes, and the page of the committed runs.
#include "support.hpp"
#include <filesystem>
#include <set>

TEST(StudyCli, FilesAndPageHoldTheSameRun) {
  test::Folder f;
  test::Output o = test::ergon("study folding --seeds 2 --quiet --out '" + (f / "s") + "'");
  ASSERT_EQ(o.exit_code, 0) << o.err;
  EXPECT_NE(o.out.find("verdict   shows"), std::string::npos) << o.out;
  EXPECT_EQ(test::read_file(f / "s/folding.csv"), test::ergon("study folding --seeds 2 --quiet --csv").out);
  test::Output page = test::ergon("study --markdown '" + (f / "s/folding.json") + "'");
  EXPECT_EQ(page.exit_code, 0) << page.err;
  EXPECT_NE(page.out.find("## folding\n"), std::string::npos) << page.out;
}

TEST(StudyCli, OneSeedHasNoSpread) {
  test::Output o = test::ergon("study folding --seeds 1 --quiet");
  EXPECT_NE(o.out.find("(sd n/a)"), std::string::npos) << o.out;
  EXPECT_EQ(o.out.find("nan"), std::string::npos) << o.out;
}

TEST(StudyCli, MistakesAreMessages) {
  test::Folder f;
  test::write_file(f / "not.json", "{\"studies\": [{}]}");
  const struct {
    std::string arguments;
    int exit_code;
    const char *message;
  } cases[] = {{"foldin", 64, "did you mean folding?"},
               {"--markdown", 64, "takes FILE.json"},
               {"--markdown folding", 64, "found 'folding'"},
               {"--markdown '" + f / "nowhere.json'", 66, "nowhere.json"},
               {"--markdown '" + f / "not.json'", 65, "found no name"},
               {"folding --seeds 0", 64, "seeds"},
               {"folding --for fixed", 64, "found 'fixed'; allowed: nothing"},
               {"confidence --for fxed", 64, "found 'fxed'; allowed: range, percentile, fixed"}};
  for (const auto &c : cases) {
    test::Output o = test::ergon("study " + c.arguments);
    EXPECT_EQ(o.exit_code, c.exit_code) << c.arguments << o.err;
    EXPECT_NE(o.err.find(c.message), std::string::npos) << c.arguments << o.err;
  }
}

// docs/studies.md is what the program makes of the committed runs, and every study has one.
TEST(StudyCli, ThePageIsThatOfTheCommittedRuns) {
  const std::string folder = std::string(ERGON_TEST_SOURCE_DIR) + "/docs/studies";
  std::set<std::string> files;
  for (const auto &entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".json") files.insert(entry.path().string());
  std::string line = "study --markdown";
  for (const std::string &file : files) line += " '" + file + "'";
  test::Output page = test::ergon(line);
  ASSERT_EQ(page.exit_code, 0) << page.err;
  EXPECT_EQ(page.out, test::read_file(std::string(ERGON_TEST_SOURCE_DIR) + "/docs/studies.md"));
  std::istringstream list(test::ergon("study").out);
  int studies = -2; // heading and rule
  for (std::string row; std::getline(list, row);) studies++;
  EXPECT_EQ(studies, static_cast<int>(files.size()));
}
