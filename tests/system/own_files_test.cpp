// SPDX-License-Identifier: GPL-3.0-or-later
// An own network, architecture and technology, each a copy of what `ergon show` prints with a few lines changed, run as
// docs/own-files.md says. The commands are taken from that page and run as printed.
#include "support.hpp"

TEST(OwnFiles, TheDocumentedCommandsRunAsPrinted) {
  std::string page = test::read_file(std::string(ERGON_TEST_SOURCE_DIR) + "/docs/own-files.md"), script = "set -eu\n";
  int blocks = 0;
  for (size_t at = 0; (at = page.find("```sh\n", at)) != std::string::npos; blocks++) {
    size_t end = page.find("```", at + 6);
    script += page.substr(at + 6, end - at - 6);
    at = end + 3;
  }
  ASSERT_GE(blocks, 3) << "docs/own-files.md holds no commands";
  test::Folder f;
  test::write_file(f / "script.sh", script);
  test::Output o =
      test::shell("cd '" + f.path.string() + "' && PATH='" + test::binary_dir() + "/bin':$PATH sh script.sh");
  EXPECT_EQ(o.exit_code, 0) << o.err;
  for (const char *part : {"my-net", "my-arch", "my-tech", "0 mismatches"})
    EXPECT_NE(o.out.find(part), std::string::npos) << part << "\n" << o.out;
}
