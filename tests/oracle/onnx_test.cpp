// SPDX-License-Identifier: GPL-3.0-or-later
// ONNX's own node tests, and its tests converted from PyTorch, for every operator of ours.
#include "ledger.hpp"
#include "onnx_case.hpp"
#include "support.hpp"
#include <cmath>
#include <set>

using namespace oracle;

namespace {

void check(Ledger &ledger, const OnnxCase &test, const Result &result, std::map<std::string, double> &worst) {
  const Tensor &expected = test.outputs[0];
  ASSERT_EQ(result.got.size(), expected.values.size()) << test.name;
  int64_t wrong = 0;
  for (size_t i = 0; i < result.got.size(); i++) {
    const double difference = std::fabs(result.got[i] - expected.values[i]),
                 allowed = result.allowed.empty() ? 0 : result.allowed[i];
    if (allowed > 0) worst[test.op] = std::max(worst[test.op], difference / allowed);
    if (difference <= allowed) continue; // a NaN is not
    if (wrong++ == 0)
      ADD_FAILURE() << test.name << " element " << i << ": ONNX " << expected.values[i] << ", Ergon " << result.got[i]
                    << ", allowed " << allowed;
  }
  ledger.add(expected.count(), wrong);
}

} // namespace

TEST(Onnx, NodeTests) {
  Ledger ledger("onnx");
  std::map<std::string, int> cases;
  std::map<std::string, double> worst;
  std::set<std::filesystem::path> folders;
  for (const char *kind : {"node", "pytorch-converted"})
    for (const auto &entry : std::filesystem::directory_iterator(std::string(ERGON_ONNX_DATA) + "/" + kind))
      if (std::filesystem::exists(entry.path() / "model.onnx") &&
          entry.path().string().find("_expanded") == std::string::npos)
        folders.insert(entry.path());
  for (const auto &folder : folders) {
    OnnxCase test;
    test.name = folder.parent_path().filename().string() + "/" + folder.filename().string().substr(5);
    std::string why;
    ASSERT_TRUE(onnx_read_model(folder, test, why)) << test.name << ": " << why;
    if (!onnx_is_ours(test)) continue;
    if (test.nodes != 1) {
      ledger.skip(test.name, "a graph of " + std::to_string(test.nodes) + " nodes");
      continue;
    }
    if (!onnx_read_case(folder, test, why)) {
      ADD_FAILURE() << test.name << ": " << why;
      continue;
    }
    const Result result = onnx_evaluate(test);
    if (!result.skip.empty()) {
      ledger.skip(test.name, result.skip);
      continue;
    }
    cases[test.op]++;
    check(ledger, test, result, worst);
  }
  for (const auto &[op, count] : cases) {
    std::printf("  %s: %d cases", op.c_str(), count);
    if (worst.count(op)) std::printf(", worst difference %.2g of what is allowed", worst[op]);
    std::printf("\n");
  }
  ledger.close();
}
