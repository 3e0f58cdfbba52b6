// SPDX-License-Identifier: GPL-3.0-or-later
// Results: parts sum to the total; dynamic energy is recomputed from the JSON's counts and the technology's text
// without the energy code; a corrupted count is caught by the conservation check; skipped points say why.
#include "bench.hpp"
#include <cmath>
#include <map>

namespace {

// A reader of its own for the constants used below: pj of (op, format) and the memory lines, straight from the text.
struct Constants {
  std::map<std::string, double> value;
  explicit Constants(const std::string &name) {
    std::istringstream text(test::read_file(std::string(ERGON_TEST_SOURCE_DIR) + "/energy/tech/" + name + ".yaml"));
    std::string line, op, format, kind, width;
    while (std::getline(text, line)) {
      auto field = [&](const char *key) {
        size_t at = line.find(std::string(key) + ": ");
        if (at == std::string::npos) return std::string();
        at += strlen(key) + 2;
        return line.substr(at, line.find_first_of(",}", at) - at);
      };
      if (!field("op").empty()) op = field("op"), width.clear();
      if (!field("weight_bits").empty()) width = field("weight_bits");
      if (!field("format").empty()) format = field("format");
      if (!field("kind").empty()) kind = field("kind");
      for (const char *key : {"reference_bytes", "exponent"})
        if (!field(key).empty()) value[kind + "." + key] = std::stod(field(key));
      if (!field("pj_per_bit").empty()) value[kind] = std::stod(field("pj_per_bit"));
      size_t pj = line.find(" pj: ");
      if (pj != std::string::npos && (width.empty() || width == "8"))
        value[op + "." + format] = std::stod(line.substr(pj + 5));
    }
  }
};

double level_bits(const json_t *level) {
  double bits = 0;
  const char *name;
  json_t *tensor;
  json_object_foreach((json_t *)level, name, tensor) bits += json_number_value(json_object_get(tensor, "read_bits")) +
                                                             json_number_value(json_object_get(tensor, "write_bits"));
  return bits;
}

} // namespace

TEST(Result, EnergyIsCountsTimesTheFilesConstants) {
  Constants c("horowitz-45nm");
  Bench bench("edge", "resnet50");
  for (auto [precision, format, a] : {std::tuple{"int8", "int", 32.0}, {"fp32", "fp32", 32.0}, {"fp16", "fp16", 32.0}})
    for (erg_fusion fusion : {ERG_FUSION_NONE, ERG_FUSION_EPILOGUE}) {
      Result r(bench.point(precision, fusion));
      ASSERT_EQ(r.status, ERG_OK);
      json_t *json = erg_result_json(&r), *layer;
      size_t index;
      double all = 0;
      json_array_foreach(json_object_get(json, "layers"), index, layer) {
        double pj = 0;
        const char *name;
        json_t *count, *level;
        json_object_foreach(json_object_get(layer, "ops"), name, count) if (json_number_value(count) > 0) pj +=
            json_number_value(count) * c.value.at(std::string(name) + "." + format);
        json_object_foreach(json_object_get(layer, "tensor_bits"), name, level) {
          std::string n = name;
          double bank = n == "accumulator" ? 1024 * 16 * a / 8 / 4 : 32768; // edge: every scratchpad bank is 32 KiB
          double price = n == "dram"        ? c.value.at("dram")
                         : n == "registers" ? c.value.at("register")
                                            : c.value.at("sram") * std::pow(bank / c.value.at("sram.reference_bytes"),
                                                                            c.value.at("sram.exponent"));
          pj += price * level_bits(level);
        }
        double total = json_number_value(json_object_get(json_object_get(layer, "energy_pj"), "total"));
        EXPECT_NEAR(pj / total, 1, 1e-9) << json_string_value(json_object_get(layer, "name"));
        all += pj;
      }
      EXPECT_NEAR(all / r.energy.total_pj, 1, 1e-9);
      json_decref(json);
    }
}

TEST(Result, PartsOfLayersSumToTotals) {
  Bench bench("edge", "mobilenetv2");
  for (const char *precision : {"fp32", "fp16", "bf16", "int16", "int8", "int4", "w2a8"}) {
    Result r(bench.point(precision));
    ASSERT_EQ(r.status, ERG_OK) << r.error.message();
    ASSERT_FALSE(r.skipped) << precision << ": " << r.reason;
    double parts = r.energy.mac_pj + r.energy.other_ops_pj, layers = 0;
    for (int l = 0; l < bench.arch.level_count + 2; l++) parts += r.energy.level_pj[l];
    uint64_t cycles = 0;
    for (int i = 0; i < r.layer_count; i++) {
      layers += r.layers[i].energy.total_pj;
      cycles += r.layers[i].activity.cycles;
    }
    EXPECT_NEAR(parts / r.energy.total_pj, 1, 1e-12) << precision;
    EXPECT_NEAR(layers / r.energy.total_pj, 1, 1e-12) << precision;
    EXPECT_EQ(cycles, r.activity.cycles);
    EXPECT_NEAR(r.law.a_effective_pj_per_flop * 2 * static_cast<double>(r.macs) +
                    r.law.b_effective_pj_per_byte * static_cast<double>(erg_activity_level_bits(&r.activity, 0)) / 8,
                r.energy.total_pj, 1e-9 * r.energy.total_pj);
  }
}

TEST(Result, SkippedPointsSayWhy) {
  Bench bench("edge", "resnet18", "bitfusion-45nm");
  Result r(bench.point("fp32"));
  ASSERT_EQ(r.status, ERG_OK);
  ASSERT_TRUE(r.skipped);
  EXPECT_NE(std::string(r.reason).find("has no constant for mac in fp32"), std::string::npos) << r.reason;
  json_t *json = erg_result_json(&r);
  EXPECT_STREQ(json_string_value(json_object_get(json, "status")), "skipped");
  EXPECT_TRUE(json_is_null(json_object_get(json, "totals")));
  json_decref(json);
  erg_point chains = bench.point("int8", ERG_FUSION_DEPTH);
  chains.dataflow = ERG_DATAFLOW_OS;
  EXPECT_TRUE(Result(chains).skipped);
  erg_point no_rtl = bench.point("int8", ERG_FUSION_EPILOGUE, ERG_MODEL_RTL);
  no_rtl.dataflow = ERG_DATAFLOW_IS;
  Result is(no_rtl);
  ASSERT_EQ(is.status, ERG_OK) << is.error.message();
  ASSERT_TRUE(is.skipped);
  EXPECT_NE(std::string(is.reason).find("dataflow is has no RTL"), std::string::npos) << is.reason;
}

class Conserve : public testing::TestWithParam<erg_dataflow> {};
INSTANTIATE_TEST_SUITE_P(Dataflows, Conserve, testing::Values(ERG_DATAFLOW_WS, ERG_DATAFLOW_OS, ERG_DATAFLOW_IS),
                         [](const auto &info) { return erg_dataflow_names[info.param]; });

TEST_P(Conserve, CatchesEveryCorruptedCount) {
  Bench bench("cloud", "resnet18");
  erg_point point = bench.point("int8");
  point.dataflow = GetParam();
  Result r(point);
  ASSERT_EQ(r.status, ERG_OK);
  int caught = 0, changed = 0;
  for (int i = 0; i < r.layer_count; i++) {
    const erg_layer_result &layer = r.layers[i];
    test::Error clean;
    EXPECT_EQ(erg_conserve(&bench.arch, &layer.geometry, &layer.activity, &clean), ERG_OK) << clean.message();
    for (int level = 0; level <= ERG_LEVEL_ACCUMULATOR(bench.arch.level_count); level++)
      for (int tensor = 0; tensor < ERG_TENSOR_COUNT; tensor++)
        for (int write = 0; write < 2; write++) {
          erg_activity a = layer.activity;
          uint64_t &bits = write ? a.write_bits[level][tensor] : a.read_bits[level][tensor];
          if (bits == 0) continue;
          /* Array-side reads of inputs, weights and constants may exceed what is distinct: they are bounds, not laws.
           */
          bool bound = level == erg_arch_scratchpad(&bench.arch, static_cast<erg_tensor>(tensor)) && !write &&
                       (tensor == ERG_TENSOR_INPUT || tensor == ERG_TENSOR_WEIGHT || tensor == ERG_TENSOR_CONSTANT);
          if (bound) continue;
          bits += 8;
          test::Error error;
          changed++;
          caught += erg_conserve(&bench.arch, &layer.geometry, &a, &error) == ERG_ERR_MISMATCH;
        }
    erg_activity a = layer.activity;
    a.cycles++;
    test::Error cycles;
    EXPECT_EQ(erg_conserve(&bench.arch, &layer.geometry, &a, &cycles), ERG_ERR_MISMATCH);
  }
  EXPECT_GT(changed, 300);
  EXPECT_EQ(caught, changed);
}
