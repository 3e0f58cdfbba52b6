// SPDX-License-Identifier: GPL-3.0-or-later
// The commands of docs/verify.md, run as printed, one after the other; `# exit N` behind a command is what it gives.
#include "support.hpp"

TEST(VerifyDoc, CommandsRunAsPrinted) {
  std::string page = test::read_file(ERGON_TEST_SOURCE_DIR "/docs/verify.md");
  test::Folder f;
  std::filesystem::create_directory_symlink(ERGON_TEST_SOURCE_DIR "/examples", f.path / "examples");
  int commands = 0;
  for (size_t at = 0; (at = page.find("```sh\n", at)) != std::string::npos;) {
    size_t end = page.find("```", at + 6);
    std::istringstream lines(page.substr(at + 6, end - at - 6));
    for (std::string line; std::getline(lines, line); commands++) {
      size_t note = line.find("# exit ");
      int expected = note == std::string::npos ? 0 : std::stoi(line.substr(note + 7));
      test::Output o = test::shell("cd '" + f.path.string() + "' && PATH='" + test::binary_dir() + "/bin':$PATH; " +
                                   line.substr(0, line.find('#')));
      EXPECT_EQ(o.exit_code, expected) << line << "\n" << o.err;
    }
    at = end + 3;
  }
  EXPECT_GE(commands, 4);
}
