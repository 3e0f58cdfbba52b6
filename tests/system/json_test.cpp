// SPDX-License-Identifier: GPL-3.0-or-later
// docs/json.md against real output, both ways: what it names is emitted, what is emitted it names.
#include "ergon/quant.h"
#include "support.hpp"
#include <jansson.h>
#include <set>

namespace {

using Paths = std::set<std::string>;

bool names_levels(const std::string &key) {
  return key == "stall_cycles" || key == "traffic_bytes" || key == "levels" || key == "tensor_bits";
}

// Paths of all leaves; names of levels and tensors become <level> and <tensor>.
void collect(const json_t *value, const std::string &path, Paths &out) {
  const char *key;
  json_t *part;
  if (json_is_object(value)) {
    std::string last = path.substr(path.rfind('.') + 1);
    json_object_foreach(const_cast<json_t *>(value), key, part) {
      std::string name = names_levels(last) ? "<level>" : key;
      if (last == "<level>") name = "<tensor>";
      collect(part, path.empty() ? name : path + "." + name, out);
    }
  } else if (json_is_array(value)) {
    for (size_t i = 0; i < json_array_size(value); i++) collect(json_array_get(value, i), path + "[]", out);
    if (json_array_size(value) == 0) out.insert(path);
  } else {
    out.insert(path);
  }
}

Paths emitted(const std::string &arguments, int exit_code) {
  test::Output o = test::ergon(arguments + " --json");
  EXPECT_EQ(o.exit_code, exit_code) << o.err;
  json_error_t fault;
  json_t *document = json_loads(o.out.c_str(), 0, &fault);
  EXPECT_TRUE(document) << fault.text;
  Paths paths;
  collect(document, "", paths);
  json_decref(document);
  return paths;
}

// Paths that the table under `## heading` names: a token that begins with a dot stands beside the line's first one.
Paths documented(const std::string &heading) {
  std::string text = test::read_file(ERGON_TEST_SOURCE_DIR "/docs/json.md");
  size_t begin = text.find("## `" + heading + "`");
  EXPECT_NE(begin, std::string::npos);
  std::istringstream lines(text.substr(begin, text.find("\n## ", begin + 1) - begin));
  Paths paths;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("| `", 0) != 0) continue;
    std::string cell = line.substr(0, line.find(" | ", 2)), parent;
    for (size_t at = cell.find('`'); at != std::string::npos; at = cell.find('`', at)) {
      size_t end = cell.find('`', at + 1);
      std::string token = cell.substr(at + 1, end - at - 1);
      at = end + 1;
      if (token[0] == '.') {
        paths.insert(parent + token);
        continue;
      }
      parent = token.substr(0, token.rfind('.'));
      paths.insert(token);
    }
  }
  return paths;
}

bool begins(const std::string &path, const std::string &prefix) {
  return path.rfind(prefix, 0) == 0 &&
         (path.size() == prefix.size() || path[prefix.size()] == '.' || path[prefix.size()] == '[');
}

void hold(const Paths &document, const Paths &output) {
  EXPECT_GE(document.size(), 11u);
  for (const std::string &path : document) {
    bool found = false;
    for (const std::string &leaf : output)
      found |= begins(leaf, path) || (begins(path, leaf) && path.rfind("skipped", 0) == 0);
    EXPECT_TRUE(found) << "documented, not emitted: " << path;
  }
  for (const std::string &leaf : output) {
    bool found = document.count(leaf) > 0;
    for (const std::string &path : document) found |= path != leaf && begins(path, leaf); // null or empty containers
    EXPECT_TRUE(found) << "emitted, not documented: " << leaf;
  }
}

} // namespace

TEST(Json, RunIsAsDocumented) {
  Paths output = emitted("run resnet18 --precision int8,fp8e4m3 --fusion epilogue,depth", 0);
  output.merge(emitted("run hand-worked --arch tiny --model rtl --activity", 0));
  test::Folder f;
  test::write_file(f / "p.yaml", "name: p\ndefault: int8\nlayers: {conv1: w4a8}\n");
  output.merge(emitted("run resnet18 --precision '" + f / "p.yaml'", 0));
  hold(documented("ergon.run"), output);
}

TEST(Json, ExplainAndPriceAreAsDocumented) {
  test::Folder f;
  ASSERT_EQ(test::ergon("run resnet18 -q --precision int8,fp16 --out '" + f / "r'").exit_code, 0);
  hold(documented("ergon.explain"), emitted("explain '" + f / "r'", 0));
  hold(documented("ergon.price"), emitted("price '" + f / "r' --tech horowitz-45nm,bitfusion-45nm", 0));
}

TEST(Json, FitIsAsDocumented) {
  hold(documented("ergon.fit"), emitted("fit eyeriss --terms a,b,p0 --prior b=8:2", 0));
}

TEST(Json, CompareAndValidateAreAsDocumented) {
  test::Folder f;
  ASSERT_EQ(test::ergon("run resnet18 -q --out '" + f / "r'").exit_code, 0);
  test::write_file(f / "o.csv", "layer,cycles\nconv1,1\nelsewhere,2\n");
  Paths output = emitted("compare '" + f / "r' '" + f / "o.csv'", 1);
  output.merge(emitted("compare '" + f / "r' '" + f / "r'", 0));
  hold(documented("ergon.compare"), output);
  hold(documented("ergon.validate"), emitted("validate", 0));
}

TEST(Json, SweepsAreAsDocumented) {
  test::Folder f;
  const std::string spec = f / "s.yaml", store = " --store '" + f / "a.db'", quiet = " -q '" + spec + "'" + store;
  test::write_file(spec, "name: t\nworkloads: [hand-worked]\narchs: [tiny]\nprecisions: [int8, w7a7]\n"
                         "techs: [horowitz-45nm, jouppi-7nm]\n");
  hold(documented("ergon.sweep.plan"), emitted("sweep plan '" + spec + "'", 0));
  Paths submit = emitted("sweep submit --dry-run" + quiet, 0);
  hold(documented("ergon.sweep.submit"), submit);
  hold(documented("ergon.sweep.run"), emitted("sweep run" + quiet, 0));
  hold(documented("ergon.sweep"), emitted("sweep query --interval" + store, 0));
  hold(documented("ergon.sweep"), emitted("sweep export --interval" + store, 0));
  hold(documented("ergon.sweep.price"), emitted("sweep price --tech horowitz-45nm,jouppi-7nm" + store, 0));
  Paths status = emitted("sweep status" + store, 0);
  EXPECT_TRUE(status.count("farm")) << "null";
  // A queue that takes everything and runs nothing.
  for (const char *tool : {"sbatch", "squeue"}) {
    test::write_file(f / tool, "#!/bin/sh\necho 7\n");
    std::filesystem::permissions(f / tool, std::filesystem::perms::owner_all);
  }
  test::write_file(spec, test::read_file(spec) + "batches: [1, 2]\n");
  setenv("PATH", (f.path.string() + ":" + getenv("PATH")).c_str(), 1);
  submit.merge(emitted("sweep submit" + quiet, 0));
  hold(documented("ergon.sweep.submit"), submit);
  status.merge(emitted("sweep status" + store, 0));
  hold(documented("ergon.sweep.status"), status);
}

TEST(Json, VerifyIsAsDocumented) {
  Paths output = emitted("verify hand-worked --arch tiny", 0);
  output.merge(emitted("verify hand-worked --arch tiny --mutant ROUNDING", 1));
  test::Folder f;
  output.merge(emitted("verify --arch tiny --set arch.rows=2 --set arch.cols=2 --coverage '" + f / "c.dat'", 0));
  hold(documented("ergon.verify"), output);
}

// The depthwise layer's weights fit no tile of `tiny`: its row says why, and holds no cycle or mismatch that nobody
// took.
TEST(Json, AVerifyRowThatWasNotFinishedIsNullWhereNothingWasMeasured) {
  test::Folder f;
  test::write_file(f / "net.yaml", "name: t\ninput: {height: 10, width: 1, channels: 6}\nnodes:\n"
                                   "  - {name: a, op: conv2d, K: 400, kernel: 1}\n"
                                   "  - {name: b, op: conv2d, K: 400, kernel: [3, 1], groups: 400}\n");
  test::Output o = test::ergon("verify '" + f / "net.yaml" + "' --arch tiny --json");
  EXPECT_EQ(o.exit_code, 65) << o.err;
  json_error_t fault;
  json_t *document = json_loads(o.out.c_str(), 0, &fault);
  ASSERT_TRUE(document) << fault.text;
  json_t *good = json_array_get(json_object_get(document, "layers"), 0),
         *bad = json_array_get(json_object_get(document, "layers"), 1),
         *skipped = json_array_get(json_object_get(document, "skipped"), 0);
  EXPECT_TRUE(json_is_null(json_object_get(good, "reason")));
  EXPECT_TRUE(json_is_integer(json_object_get(good, "cycles_rtl")));
  EXPECT_STREQ(json_string_value(json_object_get(bad, "status")), "skipped");
  EXPECT_STREQ(json_string_value(json_object_get(skipped, "name")), "b");
  EXPECT_TRUE(json_is_string(json_object_get(skipped, "reason")));
  for (const char *key : {"mismatches", "distinct_codes", "rail_share", "low_rail_share", "cycles_formula",
                          "cycles_systemc", "cycles_rtl", "gap_cycles", "first_difference"})
    EXPECT_TRUE(json_is_null(json_object_get(bad, key))) << key;
  json_decref(document);
}

TEST(Json, EvalIsAsDocumented) {
  test::Folder f;
  erg_graph graph{};
  erg_weights weights{};
  test::Error error;
  ASSERT_EQ(erg_graph_load("manifold-mlp-relu", 1, nullptr, 0, &graph, &error), ERG_OK) << error.message();
  ASSERT_EQ(erg_weights_new(&graph, &weights, &error), ERG_OK);
  erg_weights_initialize(&weights, 1);
  ASSERT_EQ(erg_weights_write((f / "w.safetensors").c_str(), &weights, nullptr, &error), ERG_OK) << error.message();
  test::write_file(f / "plan.yaml", "name: plan\ndefault: int8\nlayers: {fc1: w4a8}\n");
  std::string line = "eval manifold-mlp-relu --data manifold --examples 20 --weights '" + f / "w.safetensors" +
                     "' --precision int8,fp16,'" + f / "plan.yaml'";
  hold(documented("ergon.eval"), emitted(line, 0));
  Paths percentile = emitted(line + " --calibration percentile --equalize", 0);
  EXPECT_TRUE(percentile.count("equalized_pairs") && percentile.count("calibration.percent"));
  erg_weights_free(&weights);
  erg_graph_free(&graph);
}

TEST(Json, TrainIsAsDocumented) {
  test::Folder f;
  std::string line = "train manifold-mlp --data manifold --examples 100 --epochs 2 --quiet --out '" + (f / "w") + "'";
  hold(documented("ergon.train"), emitted(line + " --qat ste --precision w4a8 --qat-epochs 1", 0));
  Paths held = emitted(line + " --patience 1 --from '" + (f / "w") + "'", 0);
  EXPECT_EQ(held, emitted(line, 0)); // nulls have their place
}

TEST(Json, StudyIsAsDocumented) {
  hold(documented("ergon.study"), emitted("study folding --seeds 2 --quiet", 0));
}

TEST(Json, MemoryIsAsDocumented) {
  Paths output = emitted("memory shapes-cnn --batch 2 --activation-bits 8", 0);
  output.merge(emitted("memory shapes-cnn --batch 2 --activation-bits 8,32 --budget 1MB", 0));
  hold(documented("ergon.memory"), output);
}

TEST(Json, TrainingStepIsAsDocumented) {
  hold(documented("ergon.training"), emitted("run shapes-cnn --training --precision fp32,fp8e4m3", 0));
}

TEST(Json, SensAndAssignAreAsDocumented) {
  test::Folder f;
  ASSERT_EQ(
      test::ergon("train manifold-mlp-relu --data manifold -q --epochs 2 --examples 200 --out '" + f / "w.safetensors'")
          .exit_code,
      0);
  const std::string line =
      " manifold-mlp-relu --data manifold --bits 3,8 --examples 40 --probes 2 --weights '" + f / "w.safetensors'";
  hold(documented("ergon.sens"), emitted("sens" + line, 0));
  hold(documented("ergon.assign"), emitted("assign" + line + " --energy-budget 99%", 0));
}
