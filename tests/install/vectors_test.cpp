// SPDX-License-Identifier: GPL-3.0-or-later
// `ergon vectors`: the files are read back by a reader of their own, and the golden kernel run on what they hold gives
// the files of accumulators and results.
#include "support.hpp"
#include "vector_reader.hpp"
#include <cstring>
#include <jansson.h>
#include <map>
#include <set>

namespace {

struct Vectors {
  json_t *manifest = nullptr;
  std::map<std::string, test::Tensor> tensors;
  std::map<std::string, std::vector<int64_t>> from_hex;
  ~Vectors() { json_decref(manifest); }
  int number(const char *object, const char *key) const {
    return static_cast<int>(json_integer_value(json_object_get(json_object_get(manifest, object), key)));
  }
};

// All files that the manifest lists: hash, hex and npy agree.
void read_all(const test::Folder &folder, Vectors *v) {
  json_error_t fault;
  v->manifest = json_loads(test::read_file(folder / "manifest.json").c_str(), 0, &fault);
  ASSERT_TRUE(v->manifest) << fault.text;
  EXPECT_STREQ(json_string_value(json_object_get(v->manifest, "schema")), "ergon.vectors");
  EXPECT_STREQ(json_string_value(json_object_get(v->manifest, "parameters")),
               "synthetic: seeded and calibrated, not trained");
  std::set<std::string> listed = {"manifest.json"};
  size_t i;
  json_t *entry;
  json_array_foreach(json_object_get(v->manifest, "files"), i, entry) {
    std::string name = json_string_value(json_object_get(entry, "name")), text[2];
    int bits = static_cast<int>(json_integer_value(json_object_get(entry, "bits"))), k = 0;
    for (const char *kind : {"hex", "npy"}) {
      json_t *file = json_object_get(entry, kind);
      text[k] = test::read_file(folder / json_string_value(json_object_get(file, "file")));
      listed.insert(json_string_value(json_object_get(file, "file")));
      char hex[65];
      erg_sha256_hex(text[k].data(), text[k].size(), hex);
      EXPECT_STREQ(hex, json_string_value(json_object_get(file, "sha256"))) << name;
      k++;
    }
    v->from_hex[name] = test::parse_hex(text[0], bits);
    v->tensors[name] = test::parse_npy(text[1]);
    EXPECT_EQ(v->from_hex[name], v->tensors[name].values) << name;
    EXPECT_EQ(v->tensors[name].descr, bits <= 8 ? "|i1" : bits <= 16 ? "<i2" : bits <= 32 ? "<i4" : "<i8") << name;
    json_t *shape = json_object_get(entry, "shape");
    ASSERT_EQ(json_array_size(shape), v->tensors[name].shape.size());
    for (size_t d = 0; d < json_array_size(shape); d++)
      EXPECT_EQ(json_integer_value(json_array_get(shape, d)), v->tensors[name].shape[d]);
  }
  for (const auto &file : std::filesystem::directory_iterator(folder.path))
    EXPECT_TRUE(listed.count(file.path().filename().string())) << file.path() << " is not in the manifest";
}

float real_of(int64_t bits) {
  int32_t word = static_cast<int32_t>(bits);
  float real;
  std::memcpy(&real, &word, sizeof real);
  return real;
}

erg_conv2d_shape shape_of(const Vectors &v) {
  auto n = [&](const char *key) { return v.number("shape", key); };
  return {{n("n"), n("h"), n("w"), n("c")},
          n("filters"),
          n("kernel_h"),
          n("kernel_w"),
          n("stride_h"),
          n("stride_w"),
          n("pad_top"),
          n("pad_left"),
          n("groups"),
          n("out_h"),
          n("out_w"),
          n("dilation_h"),
          n("dilation_w")};
}

// The golden kernel on the hex files; the description from the manifest, the residual's scale from shape.hex.
void run_again(Vectors &v) {
  erg_conv2d_shape s = shape_of(v);
  auto codes = [&](const char *name) { return std::vector<int16_t>(v.from_hex[name].begin(), v.from_hex[name].end()); };
  std::vector<int16_t> input = codes("input"), weight = codes("weight"), residual = codes("residual");
  const std::vector<int64_t> &bias = v.from_hex["bias"], &words = v.from_hex["scale"], &shape = v.from_hex["shape"];
  std::vector<erg_requant> scale;
  for (size_t k = 0; k < bias.size(); k++)
    scale.push_back(
        {static_cast<int32_t>(words[3 * k]), static_cast<int32_t>(words[3 * k + 1]), real_of(words[3 * k + 2])});
  bool has_residual = v.from_hex.count("residual") && !residual.empty();
  ASSERT_EQ(shape.size(), 32u);
  EXPECT_EQ(shape[22], has_residual);
  int bits = v.number("precision", "accumulator_bits");
  std::string rule = json_string_value(json_object_get(v.manifest, "rule"));
  erg_epilogue e = {bias.data(),
                    scale.data(),
                    v.number("zero_points", "output"),
                    v.number("clamp", "low"),
                    v.number("clamp", "high"),
                    has_residual ? residual.data() : nullptr,
                    v.number("residual", "zero_point"),
                    {v.number("residual", "multiplier"), v.number("residual", "shift"), real_of(shape[26])},
                    static_cast<erg_rule>(std::string("SDFA").find(rule))};
  std::vector<int64_t> sums(v.from_hex["accumulator"].size());
  std::vector<int16_t> output(sums.size());
  test::Error error;
  ASSERT_EQ(erg_conv2d_accumulate_s16(&s, input.data(), v.number("zero_points", "input"), weight.data(), bits,
                                      sums.data(), &error),
            ERG_OK)
      << error.message();
  ASSERT_EQ(erg_conv2d_s16(&s, input.data(), v.number("zero_points", "input"), weight.data(), bits, &e, output.data(),
                           &error),
            ERG_OK)
      << error.message();
  EXPECT_EQ(sums, v.from_hex["accumulator"]);
  EXPECT_EQ(output, codes("expected"));
  std::set<int16_t> distinct(output.begin(), output.end());
  EXPECT_GE(distinct.size(), std::min<size_t>(3, output.size() / 2)) << "expected results that say nothing";
}

void hold(const std::string &arguments, bool *residual = nullptr) {
  SCOPED_TRACE(arguments);
  test::Folder folder;
  Vectors v;
  test::Output o = test::ergon("vectors " + arguments + " --out '" + folder.path.string() + "'");
  ASSERT_EQ(o.exit_code, 0) << o.err;
  read_all(folder, &v);
  if (!testing::Test::HasFatalFailure()) run_again(v);
  if (residual) *residual = v.from_hex.count("residual") != 0 && !v.from_hex["residual"].empty();
}

} // namespace

TEST(Vectors, RandomShapesGiveThemselvesBack) {
  const char *const precisions[] = {"int8", "w4a8", "int16", "w2a3", "w5a7p24o8", "w8a8p48o16"};
  const char *const rules[] = {"S", "D", "F", "A"};
  int residuals = 0;
  for (int seed = 0; seed < 24; seed++) {
    bool residual = false;
    hold("--random --seed " + std::to_string(seed) + " --precision " + precisions[seed % 6] + " --rule " +
             rules[seed / 6],
         &residual);
    residuals += residual;
  }
  EXPECT_GT(residuals, 4);
  EXPECT_LT(residuals, 20);
}

TEST(Vectors, LayersOfANetworkGiveThemselvesBack) {
  hold("resnet18 --layer conv1 --set workload.input.height=32 --set workload.input.width=32");
  bool residual = false;
  hold("resnet18 --layer s2b1_conv2 --set workload.input.height=32 --set workload.input.width=32 --precision w4a8",
       &residual);
  EXPECT_TRUE(residual);
  hold("hand-worked --layer " + std::string("conv") + " --arch tiny --rule A");
}

TEST(Vectors, SameSeedSameFilesAnotherSeedOthers) {
  test::Folder a, b, c;
  for (const auto &[folder, seed] : {std::pair{&a, "5"}, std::pair{&b, "5"}, std::pair{&c, "6"}})
    ASSERT_EQ(test::ergon(std::string("vectors --random --seed ") + seed + " --out '" + folder->path.string() + "'")
                  .exit_code,
              0);
  for (const char *name : {"input.hex", "weight.npy", "expected.hex"}) {
    EXPECT_EQ(test::read_file(a / name), test::read_file(b / name));
    EXPECT_NE(test::read_file(a / name), test::read_file(c / name));
  }
}

TEST(Vectors, NothingIsWrittenUnasked) {
  test::Folder folder;
  test::Output o =
      test::shell("cd '" + folder.path.string() + "' && '" + test::binary_dir() + "/bin/ergon' vectors --random");
  EXPECT_EQ(o.exit_code, 0) << o.err;
  EXPECT_NE(o.out.find("nothing written"), std::string::npos) << o.out;
  EXPECT_TRUE(std::filesystem::is_empty(folder.path));
}

TEST(Vectors, ExitCodes) {
  test::Folder f;
  test::write_file(f / "bad.yaml",
                   "name: t\ninput: {height: 8, width: 8, channels: 4}\nnodes:\n  - {name: a, op: conf}\n");
  const struct {
    std::string arguments;
    int code;
    const char *message;
  } cases[] = {
      {"", 64, "give a workload and --layer NAME, or --random"},
      {"resnet18", 64, "layers of the array in resnet18: conv1"},
      {"resnet18 --layer conv2", 64, "did you mean conv1?"},
      {"resnet18 --random", 64, "--random takes no workload"},
      {"--random --rule B", 64, "--rule: found 'B'; allowed: S, D, F, A"},
      {"--random --precision int8,int4", 64, "one precision"},
      {"--random --precision fp32", 1, "golden vectors exist for integers"},
      {f / "bad.yaml" + " --layer a", 65, "found op conf"},
      {"resnet5 --layer conv1", 66, "did you mean resnet50?"},
      {"--random --out /proc/none", 73, "cannot be made a folder"},
      {"--random --out /proc", 73, "/proc/shape.hex"},
  };
  for (const auto &c : cases) {
    test::Output o = test::ergon("vectors " + c.arguments);
    EXPECT_EQ(o.exit_code, c.code) << c.arguments << "\n" << o.err;
    EXPECT_NE(o.err.find(c.message), std::string::npos) << c.arguments << "\n" << o.err;
  }
}
