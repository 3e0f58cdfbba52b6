// SPDX-License-Identifier: GPL-3.0-or-later
// docs/precision.md: its commands run as printed, and a plan is named where its numbers stand.
#include "support.hpp"

namespace {

std::string commands() {
  std::string page = test::read_file(std::string(ERGON_TEST_SOURCE_DIR) + "/docs/precision.md"), script = "set -eu\n";
  for (size_t at = 0; (at = page.find("```sh\n", at)) != std::string::npos;) {
    size_t end = page.find("```", at + 6);
    script += page.substr(at + 6, end - at - 6);
    at = end + 3;
  }
  return script;
}

} // namespace

TEST(PrecisionPlans, TheDocumentedCommandsRunAsPrinted) {
  test::Folder f;
  test::write_file(f / "script.sh", commands());
  test::Output o =
      test::shell("cd '" + f.path.string() + "' && PATH='" + test::binary_dir() + "/bin':$PATH sh script.sh");
  EXPECT_EQ(o.exit_code, 0) << o.err;
  for (const char *part : {"my-plan.yaml, sha256 ", "built for its widest operands (w4a8)", "w4a8", "w2a8", "w4a8o6"})
    EXPECT_NE(o.out.find(part), std::string::npos) << part << "\n" << o.out;
}

TEST(PrecisionPlans, FaultsEndTheProgram) {
  test::Folder f;
  test::write_file(f / "p.yaml", "name: p\ndefault: int8\nlayers:\n  convl: w4a8\n  fc: fp16\n");
  test::Output o = test::ergon("run resnet18 --precision '" + f / "p.yaml'");
  EXPECT_EQ(o.exit_code, 65);
  EXPECT_NE(o.err.find("p.yaml:4:3: layers.convl: unknown key (did you mean conv1?)"), std::string::npos) << o.err;
  EXPECT_NE(o.err.find("p.yaml:5:7: layers.fc: found fp16"), std::string::npos) << o.err;
  EXPECT_EQ(test::ergon("run resnet18 --precision '" + f / "none.yaml'").exit_code, 66);
  EXPECT_EQ(test::ergon("verify --arch tiny --precision '" + f / "p.yaml'").exit_code, 64)
      << "random cases have no layers";
  EXPECT_EQ(test::ergon("vectors resnet18 --layer conv1 --precision '" + f / "p.yaml' --out '" + f / "v'").exit_code,
            64);
}
