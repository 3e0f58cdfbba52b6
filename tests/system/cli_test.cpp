// SPDX-License-Identifier: GPL-3.0-or-later
// The program as a user meets it: exit codes and messages, JSON that holds what docs/json.md says, nothing
// written that was not asked for.
#include "support.hpp"
#include <jansson.h>

namespace {

using test::ergon;

json_t *parse(const std::string &text) {
  json_error_t fault;
  json_t *json = json_loads(text.c_str(), JSON_REJECT_DUPLICATES, &fault);
  EXPECT_TRUE(json) << fault.text << "\n" << text.substr(0, 300);
  return json;
}

bool has(const std::string &text, const char *part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST(Cli, ExitCodesAndMessages) {
  test::Folder f;
  test::write_file(
      f / "bad.yaml",
      "name: t\ninput: {height: 8, width: 8, channels: 4}\nnodes:\n  - {name: a, op: conf, K: 4, kernel: 3}\n");
  test::write_file(f / "broken.yaml", "name: [t\n");
  test::write_file(f / "bad.csv", "Layer, H, W, R, S, C, F, s,\nA, 8, 8, 3, 3, four, 8, 1,\n");
  test::write_file(
      f / "wide.yaml",
      "name: t\ninput: {height: 4, width: 5000, channels: 4}\nnodes:\n  - {name: a, op: conv2d, K: 4, kernel: 3}\n");
  test::write_file(
      f / "deep.yaml",
      "name: t\ninput: {height: 4, width: 900, channels: 900}\nnodes:\n  - {name: a, op: conv2d, K: 4, kernel: 3}\n");
  test::write_file(f / "bad-arch.yaml", "name: t\nrows: 4\ncols: four\n");
  const struct {
    std::string arguments;
    int code;
    const char *message;
  } cases[] = {
      {"", 64, "Usage: ergon COMMAND"},
      {"rum resnet18", 64, "no such command (did you mean run?)"},
      {"run", 64, "an argument is missing"},
      {"run resnet18 --colour", 64, "unrecognized option"},
      {"run resnet18 --precision int99", 64, "found 'int99'"},
      {"run resnet18 --fusion epilog", 64,
       "found 'epilog' (did you mean epilogue?); allowed: wide, none, fold, epilogue"},
      {"run resnet18 --batch 0", 64, "--batch: found '0'; allowed: a whole number from 1 to 65536"},
      {"run resnet18 --batch 1x", 64, "found '1x'"},
      {"run resnet18 --set rows=3", 64, "--set: found 'rows=3'"},
      {"run resnet18 --set arch.row=3", 64, "--set row=3: unknown key (did you mean rows?)"},
      {"run resnet18 --json --csv", 64, "--json and --csv"},
      {"run resnet18 --certify --json", 64, "--certify prints a table"},
      {"run resnet5", 66, "did you mean resnet50?"},
      {"run " + f / "none.yaml", 66, "No such file"},
      {"run resnet18 --arch edgy", 66, "did you mean edge?"},
      {"run resnet18 --tech horowitz", 66, "built in: bitfusion-45nm, book, horowitz-45nm"},
      {"run " + f / "bad.yaml", 65, "bad.yaml:4:5: node a: found op conf"},
      {"run " + f / "broken.yaml", 65, "malformed YAML"},
      {"run " + f / "bad.csv", 65, "bad.csv:2:16: channels: found four"},
      {"run resnet18 --arch " + f / "bad-arch.yaml", 65, "bad-arch.yaml:3:7: cols: found four"},
      {"run " + f / "wide.yaml", 65, "one output row has 4998 pixels, the accumulator memory of edge has 1024 rows"},
      {"run " + f / "deep.yaml", 65, "layer a: no tile fits"},
      {"run resnet18 --out /proc/none", 73, "/proc/none: cannot be made a folder"},
      {"plot energie resnet18", 64, "found 'energie'"},
      {"plot energy " + f / "none.json", 66, "none.json"},
      {"plot energy " + f / "bad.yaml", 65, "bad.yaml:4:5"},
      {"show arch edgy", 66, "did you mean edge?"},
      {"show thing edge", 64, "allowed: arch, tech, workload"},
      {"list everything", 64, "allowed: archs, techs"},
      {"verify resnet18 --precision int8,int4", 64, "one precision"},
      {"run resnet18 --certify --json", 64, "--certify prints a table"},
      {"run resnet18 --set arch.levels.0.bandwidth_bits_per_cycle=1e-12", 65, "found 1e-12; allowed: 0 (none) or at"},
      {"verify hand-worked --model systemc", 64, "--model: found systemc; allowed: rtl"},
      {"verify hand-worked --mutant ROUND", 64, "mutant: found ROUND; allowed: ROUNDING, SKEW"},
      {"verify hand-worked --out /proc/none", 73, "/proc/none: cannot be made a folder"},
      {"verify hand-worked --precision fp32", 1, "integers with accumulators of 16 to 48 bits"},
      {"verify hand-worked --set arch.rows=128", 78, "rtl: rows: found 128; allowed: 2 to 64"},
  };
  for (const auto &c : cases) {
    test::Output o = ergon(c.arguments);
    EXPECT_EQ(o.exit_code, c.code) << c.arguments << "\n" << o.err;
    EXPECT_TRUE(has(o.err, c.message)) << c.arguments << "\n  expected: " << c.message << "\n  got: " << o.err;
  }
}

// Two tables with different numbers must not have the same header; nor may a comparison hide what it compares.
TEST(Cli, HeadersTellWhatWasSetAndWhyCyclesStay) {
  test::Output plain = ergon("run hand-worked --arch tiny --precision int8,int4"),
               narrow = ergon(
                   "run hand-worked --arch tiny --precision int8,int4 --set arch.levels.0.bandwidth_bits_per_cycle=8"
                   " --set tech.node_nm=40 --set arch.mac=fixed");
  EXPECT_TRUE(has(plain.out, "Equal PE count (4 x 4, built for each precision), not equal area")) << plain.out;
  EXPECT_TRUE(has(plain.out, "Cycles do not follow the operand width")) << plain.out;
  EXPECT_FALSE(has(plain.out, "--set")) << plain.out;
  EXPECT_TRUE(
      has(narrow.out, "Set by --set: arch.levels.0.bandwidth_bits_per_cycle=8, arch.mac=fixed, tech.node_nm=40\n"))
      << narrow.out;
  EXPECT_TRUE(has(narrow.out, "fixed at 8 x 8 bits")) << narrow.out;
  test::Output verify = ergon("verify hand-worked --arch tiny -q --gaps 0.25 --set arch.clock_mhz=50");
  EXPECT_TRUE(has(verify.out, "model rtl")) << verify.out;
  EXPECT_TRUE(has(verify.out, "withheld with probability 0.25")) << verify.out;
  EXPECT_TRUE(has(verify.out, "Set by --set: arch.clock_mhz=50\n")) << verify.out;
}

// The worked layer's 65 cycles and 160 bytes must be readable, not rounded to 0.00 M.
TEST(Cli, SmallRunsKeepTheirDigits) {
  test::Output o = ergon("run hand-worked --arch tiny");
  EXPECT_TRUE(has(o.out, "int8       epilogue      65 ")) << o.out;
  EXPECT_TRUE(has(o.out, " 160.0 ")) << o.out;
}

// `run resnet18 --out resnet18` twice: the folder of the first run must not hide the network.
TEST(Cli, AFolderDoesNotHideABuiltInName) {
  test::Folder f;
  const std::string command =
      "cd '" + f.path.string() + "' && '" + test::binary_dir() + "/bin/ergon' run hand-worked --arch tiny";
  for (int run = 0; run < 2; run++) {
    test::Output o = test::shell(command + " --out hand-worked");
    EXPECT_EQ(o.exit_code, 0) << run << o.err;
  }
  std::filesystem::create_directory(f.path / "tiny");
  test::Output o = test::shell(command);
  EXPECT_EQ(o.exit_code, 0) << o.err;
}

// Nothing to check is no pass, and a script still gets its JSON.
TEST(Cli, WhatTheArrayCannotRunIsSkippedBecause) {
  test::Output o = ergon("verify hand-worked --precision fp16 --json");
  EXPECT_EQ(o.exit_code, 1);
  EXPECT_TRUE(has(o.err, "skipped, because")) << o.err;
  json_t *json = parse(o.out), *skipped = json_array_get(json_object_get(json, "skipped"), 0);
  EXPECT_EQ(json_integer_value(json_object_get(json, "checked_outputs")), 0);
  EXPECT_STREQ(json_string_value(json_object_get(skipped, "name")), "hand-worked");
  EXPECT_TRUE(has(json_string_value(json_object_get(skipped, "reason")), "accumulators of 16 to 48 bits"));
  json_decref(json);
  o = ergon("run hand-worked --precision fp8e4m3 --json");
  json = parse(o.out);
  json_t *result = json_array_get(json_object_get(json, "results"), 0);
  EXPECT_TRUE(json_is_null(json_object_get(result, "layers"))) << o.out;
  EXPECT_TRUE(json_is_null(json_object_get(result, "totals"))) << o.out;
  json_decref(json);
}

TEST(Cli, AFullDiskIs74) {
  test::Folder f;
  int status = std::system(
      ("'" + test::binary_dir() + "/bin/ergon' run resnet18 --csv >/dev/full 2>'" + f / "err" + "'").c_str());
  EXPECT_EQ(WEXITSTATUS(status), 74);
  EXPECT_TRUE(has(test::read_file(f / "err"), "stdout: No space left on device"));
}

TEST(Cli, FaultsOfAllInputsComeAtOnce) {
  test::Output o = ergon("run resnet5 --arch edgy --tech horowits-45nm");
  EXPECT_EQ(o.exit_code, 66);
  EXPECT_TRUE(has(o.err, "edgy") && has(o.err, "horowits-45nm") && has(o.err, "resnet5")) << o.err;
}

TEST(Cli, MissingGnuplotIs69AndLeavesTheScript) {
  test::Folder f;
  test::Output o = test::shell("PATH=/nonexistent '" + test::binary_dir() +
                               "/bin/ergon' plot energy hand-worked --arch tiny --out '" + f.path.string() + "'");
  EXPECT_EQ(o.exit_code, 69) << o.err;
  EXPECT_TRUE(has(o.err, "gnuplot is not installed: apt-get install gnuplot-nox")) << o.err;
  EXPECT_TRUE(std::filesystem::exists(f / "energy.gp"));
}

TEST(Cli, MissingVerilatorIs69) {
  test::Output o =
      test::shell("PATH=/nonexistent '" + test::binary_dir() + "/bin/ergon' verify hand-worked --arch tiny");
  EXPECT_EQ(o.exit_code, 69) << o.err;
  EXPECT_TRUE(has(o.err, "verilator is not installed")) << o.err;
}

TEST(Cli, MissingDataIs78) {
  test::Output o = test::shell("ERGON_DATA=/nonexistent '" + test::binary_dir() + "/bin/ergon' run resnet18");
  EXPECT_EQ(o.exit_code, 78) << o.err;
  EXPECT_TRUE(has(o.err, "set ERGON_DATA")) << o.err;
}

TEST(Cli, HelpAndVersion) {
  for (const char *command : {"--help", "run --help", "verify --help", "plot --help", "show --help", "list --help",
                              "demo --help", "--version"}) {
    test::Output o = ergon(command);
    EXPECT_EQ(o.exit_code, 0) << command;
    EXPECT_GT(o.out.size(), 10u) << command;
  }
}

TEST(Cli, RunJsonHoldsTheSchema) {
  test::Output o = ergon("run resnet50 --precision fp32,int8,fp8e4m3 --fusion none,epilogue --json");
  ASSERT_EQ(o.exit_code, 0) << o.err;
  json_t *run = parse(o.out), *result;
  EXPECT_STREQ(json_string_value(json_object_get(run, "schema")), "ergon.run");
  EXPECT_EQ(json_integer_value(json_object_get(run, "version")), 1);
  json_t *provenance = json_object_get(run, "provenance");
  for (const char *key : {"ergon_version", "commit", "model_version", "command"})
    EXPECT_TRUE(json_object_get(provenance, key)) << key;
  for (const char *key : {"workload", "arch", "tech"})
    EXPECT_EQ(strlen(json_string_value(json_object_get(json_object_get(provenance, "sha256"), key))), 64u);
  ASSERT_EQ(json_array_size(json_object_get(run, "results")), 6u);
  size_t index;
  json_array_foreach(json_object_get(run, "results"), index, result) {
    for (const char *key : {"workload", "arch", "technology", "precision", "fusion", "dataflow", "model", "batch",
                            "seed", "status", "reason", "evidence", "totals", "layers"})
      EXPECT_TRUE(json_object_get(result, key)) << key;
    bool skipped = index >= 4;
    EXPECT_STREQ(json_string_value(json_object_get(result, "status")), skipped ? "skipped" : "ok");
    json_t *totals = json_object_get(result, "totals");
    if (skipped) {
      EXPECT_TRUE(has(json_string_value(json_object_get(result, "reason")), "fp8e4m3"));
      continue;
    }
    EXPECT_STREQ(json_string_value(json_object_get(result, "evidence")), "formula");
    for (const char *key : {"macs",          "flops",        "params",        "cycles",        "array_cycles",
                            "vector_cycles", "stall_cycles", "latency_s",     "utilization",   "area_um2",
                            "traffic_bytes", "energy_pj",    "energy_pj_p05", "energy_pj_p95", "a_pj_per_flop",
                            "b_pj_per_byte", "power_mw",     "tops_per_w",    "edp_pj_s",      "inferences_per_s"})
      EXPECT_TRUE(json_object_get(totals, key)) << key;
    EXPECT_EQ(json_integer_value(json_object_get(totals, "macs")), 4089184256);
    EXPECT_EQ(json_integer_value(json_object_get(totals, "params")), 25557032);
    EXPECT_TRUE(json_object_get(json_object_get(totals, "traffic_bytes"), "dram"));
    json_t *layer = json_array_get(json_object_get(result, "layers"), 0);
    for (const char *key :
         {"name", "nodes", "pass", "macs", "cycles", "array_cycles", "utilization", "traffic_bytes", "energy_pj"})
      EXPECT_TRUE(json_object_get(layer, key)) << key;
  }
  json_decref(run);
}

TEST(Cli, RunIsDeterministic) {
  test::Output a = ergon("run mobilenetv2 --precision int8,w4a8 --csv"),
               b = ergon("run mobilenetv2 --precision int8,w4a8 --csv");
  EXPECT_EQ(a.out, b.out);
  EXPECT_TRUE(has(a.out, "workload,arch,technology,precision,fusion")) << a.out.substr(0, 200);
}

TEST(Cli, CsvHasARowALayerAndEqualColumns) {
  test::Output o = ergon("run resnet18 --precision int8,fp8e5m2 --csv");
  std::istringstream lines(o.out);
  std::string line;
  std::getline(lines, line);
  auto columns = [](const std::string &text) { // quoted commas do not count
    int count = 1;
    bool quoted = false;
    for (char c : text) {
      quoted ^= c == '"';
      count += c == ',' && !quoted;
    }
    return count;
  };
  int expected = columns(line), rows = 0;
  while (std::getline(lines, line)) {
    EXPECT_EQ(columns(line), expected) << line;
    rows++;
  }
  EXPECT_EQ(rows, 23 + 1); // 21 array passes, two pools, one skipped point
}

TEST(Cli, NothingIsWrittenWithoutOut) {
  test::Folder f;
  test::shell("cd '" + f.path.string() + "' && '" + test::binary_dir() + "/bin/ergon' run resnet18 && '" +
              test::binary_dir() + "/bin/ergon' run resnet18 --json");
  EXPECT_TRUE(std::filesystem::is_empty(f.path));
  test::Output o = ergon("run resnet18 --out '" + f / "results" + "'");
  EXPECT_EQ(o.exit_code, 0);
  EXPECT_TRUE(has(o.err, "wrote ")) << o.err;
  EXPECT_GT(std::filesystem::file_size(f / "results/run.json"), 1000u);
  EXPECT_GT(std::filesystem::file_size(f / "results/layers.csv"), 1000u);
}

TEST(Cli, PlotTakesARunFromFileStdinOrWorkload) {
  test::Folder f;
  std::string ergon_path = test::binary_dir() + "/bin/ergon", out = f.path.string();
  ASSERT_EQ(test::shell("'" + ergon_path + "' run resnet18 --precision fp32,int8 --out '" + out + "'").exit_code, 0);
  for (const std::string &command :
       {"'" + ergon_path + "' plot energy '" + out + "/run.json' --out '" + out + "/a'",
        "'" + ergon_path + "' plot energy - --out '" + out + "/b' < '" + out + "/run.json'",
        "'" + ergon_path + "' plot energy resnet18 --precision fp32,int8 --out '" + out + "/c'"}) {
    test::Output o = test::shell(command);
    EXPECT_EQ(o.exit_code, 0) << command << o.err;
    EXPECT_TRUE(has(o.out, "wrote ")) << o.out;
  }
  EXPECT_EQ(test::read_file(out + "/a/energy.svg"), test::read_file(out + "/b/energy.svg"));
  EXPECT_EQ(test::read_file(out + "/a/energy.dat"), test::read_file(out + "/c/energy.dat"));
}

TEST(Cli, VerifyIsGreenThenRedWithTheLedger) {
  test::Output good = ergon("verify hand-worked --arch tiny --json");
  ASSERT_EQ(good.exit_code, 0) << good.err;
  json_t *json = parse(good.out);
  EXPECT_STREQ(json_string_value(json_object_get(json, "schema")), "ergon.verify");
  for (const char *key : {"checked_outputs", "mismatches", "macs_checked", "macs_total", "skipped", "layers"})
    EXPECT_TRUE(json_object_get(json, key)) << key;
  json_t *layer = json_array_get(json_object_get(json, "layers"), 0);
  for (const char *key : {"cycles_formula", "cycles_systemc", "cycles_rtl"})
    EXPECT_EQ(json_integer_value(json_object_get(layer, key)), 37) << key;
  json_decref(json);
  test::Output bad = ergon("verify hand-worked --arch tiny --mutant ROUNDING");
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_TRUE(has(bad.out, "mismatch")) << bad.out;
  EXPECT_TRUE(has(bad.err, "layer conv: mismatch") && has(bad.err, "expected") && has(bad.err, "got") &&
              has(bad.err, "channel"))
      << bad.err;
}

TEST(Cli, TheRatioTableNamesWhatHoldsASavingBack) {
  test::Output o = ergon("run resnet50 --precision fp32,int8");
  ASSERT_EQ(o.exit_code, 0);
  EXPECT_TRUE(has(o.out, "held back most by"));
  EXPECT_TRUE(has(o.out, "15.33"));
  EXPECT_TRUE(has(o.out, "partial sums"));
}

TEST(Cli, ExplainFusionSaysWhatAndWhy) {
  test::Output o = ergon("run resnet18 --explain-fusion");
  EXPECT_TRUE(has(o.out, "folded into conv1: its statistics are constants")) << o.out.substr(0, 600);
  EXPECT_TRUE(has(o.out, "residual of s1b1_conv2's epilogue, read from pool1"));
}

TEST(Cli, ListsTheRoundingRules) {
  test::Output o = ergon("list rules");
  EXPECT_EQ(o.exit_code, 0) << o.err;
  for (const char *part : {"S ", "D ", "F ", "A ", "gemmlowp", "XNNPACK"}) EXPECT_TRUE(has(o.out, part)) << o.out;
}

TEST(Cli, CertifyTellsWhichAccumulatorsAreSafe) {
  test::Output o = ergon("run resnet18 --certify --precision int8,w8a8p20,fp32");
  ASSERT_EQ(o.exit_code, 0) << o.err;
  EXPECT_TRUE(has(o.out, "accumulator certificates, int8, epilogue")) << o.out;
  EXPECT_TRUE(has(o.out, "synthetic weights and bias, seed 1, not trained"));
  EXPECT_TRUE(has(o.out, "any weights safe"));
  EXPECT_TRUE(has(o.out, "can overflow")) << "20 bits hold no sum of 576 products";
  EXPECT_TRUE(has(o.out, "weights sum to"));
  EXPECT_TRUE(has(o.out, "skipped, because a floating-point sum has no integer width"));
  EXPECT_FALSE(has(ergon("run resnet18").out, "certificates"));
}

TEST(Cli, ScaleSimFilesRun) {
  test::Folder f;
  test::write_file(f / "net.csv", "Layer,H,W,R,S,C,F,s,\nc,30,30,3,3,8,16,1,\n,,,\nDP,14,14,3,3,8,1,1,\n");
  test::write_file(f / "gemm.csv", "L,M,N,K\na,128,64,256\n");
  for (const char *name : {"net.csv", "gemm.csv"}) {
    EXPECT_EQ(ergon("run '" + f / name + "'").exit_code, 0) << name;
    test::Output v = ergon("verify '" + f / name +
                           "' --arch tiny --set arch.accumulator_depth=64 --set arch.levels.1.capacity_kib=64 --set "
                           "arch.levels.2.capacity_kib=64 --set arch.levels.3.capacity_kib=64");
    EXPECT_EQ(v.exit_code, 0) << name << v.err;
  }
}

// A check or a search that walks pairs of rows would not come back.
TEST(Cli, LongMapsComeBack) {
  test::Folder f;
  test::write_file(f / "long.csv", "Layer, M, N, K,\nA, 200000, 64, 64,\n");
  test::Output o = test::shell("timeout 60 '" + test::binary_dir() + "/bin/ergon' run '" + f / "long.csv" + "' --json");
  ASSERT_EQ(o.exit_code, 0) << o.err;
  json_t *run = parse(o.out);
  json_t *totals = json_object_get(json_array_get(json_object_get(run, "results"), 0), "totals");
  EXPECT_EQ(json_integer_value(json_object_get(totals, "macs")), 200000LL * 64 * 64);
  json_decref(run);
}

// DRAM starts with every input and constant: a CSV workload has an input a layer. Small layers fetch all of it once.
TEST(Cli, InitialWriteHoldsEveryInput) {
  test::Folder f;
  test::write_file(f / "two.csv", "Layer, M, N, K,\nA, 4, 8, 16,\nB, 2, 8, 32,\n");
  test::Output o = ergon("run " + f / "two.csv" + " --json");
  json_t *json = parse(o.out), *result = json_array_get(json_object_get(json, "results"), 0), *layer;
  size_t index;
  json_int_t bits = 0;
  json_array_foreach(json_object_get(result, "layers"), index, layer) {
    json_t *dram = json_object_get(json_object_get(layer, "tensor_bits"), "dram");
    for (const char *tensor : {"input", "weight", "constant"})
      bits += json_integer_value(json_object_get(json_object_get(dram, tensor), "read_bits"));
  }
  EXPECT_EQ(json_number_value(json_object_get(json_object_get(result, "totals"), "initial_write_bytes")) * 8,
            static_cast<double>(bits));
  json_decref(json);
}
