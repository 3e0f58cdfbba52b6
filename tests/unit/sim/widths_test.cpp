// SPDX-License-Identifier: GPL-3.0-or-later
// A precision of its own for each layer: equal ones are the plain precision to the last bit, one narrowed layer moves
// nothing but itself, tensors are as wide as who makes them, and the models agree on all of it.
#include "plan_net.hpp"
#include <jansson.h>

namespace {

using plan::Machine;
using plan::Net;

std::string without_names(const erg_result &r) {
  json_t *json = erg_result_json(&r);
  json_object_del(json, "precision");
  json_object_del(json, "precision_plan");
  char *text = json_dumps(json, JSON_REAL_PRECISION(17) | JSON_INDENT(1));
  std::string out = text;
  free(text);
  json_decref(json);
  return out;
}

const char *const macs[] = {"native", "fixed", "scalable"};

// Widths by hand: a layer's own w, the producer's a; operators without weights pass the widest on.
std::map<std::string, plan::Widths> by_hand(const erg_graph &graph,
                                            const std::map<std::string, std::pair<int, int>> &entries,
                                            std::pair<int, int> fallback) {
  std::map<std::string, plan::Widths> all;
  for (int i = 0; i < graph.node_count; i++) {
    const erg_node &n = graph.nodes[i];
    const std::string op = n.op->name;
    plan::Widths x{0, 0, 0, 0};
    int read = 0;
    for (int k = 0; k < n.op->inputs; k++) read = std::max(read, all[graph.nodes[n.inputs[k]].name].out);
    auto found = entries.find(n.name);
    auto own = found == entries.end() ? fallback : found->second;
    if (op == "input")
      x = {0, 0, fallback.second, 0};
    else if (op == "conv2d" || op == "fc") {
      x = {own.first, all[graph.nodes[n.inputs[0]].name].out, own.second, 0};
      x.acc = x.w + x.a <= 16 ? 32 : 48;
    } else
      x = {0, all[graph.nodes[n.inputs[0]].name].out, read, 0};
    all[n.name] = x;
  }
  return all;
}

struct Mixed {
  std::map<std::string, std::pair<int, int>> entries;
  std::string text;
  Mixed(test::Random &r, const Net &net, int least, int most) {
    text = "name: mixed\ndefault: w8a8\nlayers:\n  " + net.layers[0] + ": w8a8\n";
    entries[net.layers[0]] = {8, 8};
    for (size_t i = 1; i < net.layers.size(); i++) {
      if (r.range(0, 3) == 0) continue;
      int w = r.range(least, most), a = r.range(least, most);
      entries[net.layers[i]] = {w, a};
      text += "  " + net.layers[i] + ": w" + std::to_string(w) + "a" + std::to_string(a) + "\n";
    }
  }
};

} // namespace

TEST(Widths, EqualLayersAreThePlainPrecision) {
  test::Random r(501);
  std::map<std::string, int> compared;
  for (int trial = 0; trial < 120; trial++) {
    Net net(r);
    const char *const precisions[] = {"int8", "w4a8", "w3a5", "w8a8p24", "int16", "w16a4p48"};
    const char *mac = macs[r.range(0, 2)], *p = precisions[r.range(0, *mac == 'n' ? 5 : 3)];
    erg_fusion fusion = plan::any_fusion(r);
    Machine b(net.text, mac);
    std::string text = std::string("name: all\ndefault: ") + p + "\n";
    if (r.coin()) {
      text += "layers:\n";
      for (auto &l : net.layers) text += "  " + l + ": " + p + "\n";
    }
    Result plain(b.point(p, fusion)), planned(b.planned(text, fusion));
    SCOPED_TRACE(std::to_string(trial) + " " + mac + " " + p + " " + erg_fusion_names[fusion] + "\n" + net.text + text);
    ASSERT_EQ(plain.status, ERG_OK) << plain.error.message();
    ASSERT_EQ(planned.status, ERG_OK) << planned.error.message();
    ASSERT_EQ(without_names(plain), without_names(planned));
    if (plain.skipped) continue; // what the technology or depth does not cover is skipped alike
    EXPECT_EQ(plain.energy.total_pj, planned.energy.total_pj);
    EXPECT_EQ(plain.area_um2, planned.area_um2);
    compared[mac]++;
  }
  for (const char *mac : macs) EXPECT_GT(compared[mac], 15) << mac;
}

TEST(Widths, TensorsAreAsWideAsWhoMakesThem) {
  test::Random r(502);
  int looked = 0;
  for (int trial = 0; trial < 60; trial++) {
    Net net(r);
    Mixed m(r, net, 2, 16);
    erg_fusion fusion = plan::any_fusion(r);
    Machine b(net.text);
    erg_point point = b.planned(m.text, fusion);
    Result result(point);
    SCOPED_TRACE(std::to_string(trial) + " " + erg_fusion_names[fusion] + "\n" + net.text + m.text);
    ASSERT_EQ(result.status, ERG_OK) << result.error.message();
    auto widths = by_hand(b.graph, m.entries, {8, 8});
    if (result.skipped) continue;
    for (int i = 0; i < result.layer_count; i++) {
      const erg_layer_result &l = result.layers[i];
      auto name = [&](int node) { return std::string(b.graph.nodes[node].name); };
      const bool narrow_in = l.pass->input_width == ERG_WIDTH_NARROW,
                 narrow_out = l.pass->output_width == ERG_WIDTH_NARROW;
      if (narrow_in) ASSERT_EQ(l.geometry.in_bits, widths[name(l.pass->inputs[0])].out) << l.pass->name;
      if (narrow_out) ASSERT_EQ(l.geometry.out_bits, widths[name(l.pass->output)].out) << l.pass->name;
      if (l.pass->residual >= 0)
        ASSERT_EQ(l.geometry.residual_bits, widths[name(l.pass->residual)].out) << l.pass->name;
      if (l.pass->input_count == 2)
        ASSERT_EQ(l.geometry.residual_bits, widths[name(l.pass->inputs[1])].out) << l.pass->name;
      if (!l.geometry.array) continue;
      ASSERT_EQ(l.geometry.weight_bits, widths[l.pass->name].w);
      ASSERT_EQ(l.geometry.psum_bits, widths[l.pass->name].acc);
      if (!narrow_out) ASSERT_EQ(l.geometry.out_bits, widths[l.pass->name].acc);
      looked++;
    }
  }
  EXPECT_GT(looked, 100);
}

// On scratchpads that hold every layer at once tiles stay, so bits follow the width in proportion.
TEST(Widths, OneNarrowedLayerMovesItsWeightsAlone) {
  test::Random r(503);
  for (int trial = 0; trial < 60; trial++) {
    Net net(r);
    const std::string who = net.layers[static_cast<size_t>(r.range(0, static_cast<int>(net.layers.size()) - 1))];
    int w = r.range(2, 7);
    const char *mac = macs[r.range(0, 2)];
    if (*mac == 's') w = 5 + w % 3; // 8, 7, 6, 5 bits all take a whole cell: the array is the same
    Machine b(net.text, mac, 512);
    Result wide(b.point("int8"));
    Result narrow(b.planned("name: one\ndefault: int8\nlayers: {" + who + ": w" + std::to_string(w) + "a8}\n"));
    SCOPED_TRACE(std::to_string(trial) + " " + mac + " " + who + " " + std::to_string(w) + "\n" + net.text);
    ASSERT_EQ(wide.status, ERG_OK) << wide.error.message();
    ASSERT_EQ(narrow.status, ERG_OK) << narrow.error.message();
    ASSERT_FALSE(narrow.skipped) << narrow.reason;
    ASSERT_EQ(wide.layer_count, narrow.layer_count);
    bool met = false;
    for (int i = 0; i < wide.layer_count; i++) {
      const erg_activity &x = wide.layers[i].activity, &y = narrow.layers[i].activity;
      const bool it = who == wide.layers[i].pass->name;
      met |= it;
      SCOPED_TRACE(wide.layers[i].pass->name);
      for (int op = 0; op < ERG_OP_COUNT; op++) ASSERT_EQ(x.ops[op], y.ops[op]);
      ASSERT_EQ(x.array_cycles, y.array_cycles);
      ASSERT_EQ(x.vector_cycles, y.vector_cycles);
      for (int level = 0; level < b.arch.level_count + 2; level++)
        for (int t = 0; t < ERG_TENSOR_COUNT; t++) {
          if (!it || t != ERG_TENSOR_WEIGHT) {
            ASSERT_EQ(x.read_bits[level][t], y.read_bits[level][t]) << level << erg_tensor_names[t];
            ASSERT_EQ(x.write_bits[level][t], y.write_bits[level][t]) << level << erg_tensor_names[t];
            continue;
          }
          // into the array by code; from outside in runs padded to a byte
          const auto wu = static_cast<uint64_t>(w);
          if (level == 2) ASSERT_EQ(x.read_bits[level][t] * wu, y.read_bits[level][t] * 8);
          if (level > 2) ASSERT_EQ(x.write_bits[level][t] * wu, y.write_bits[level][t] * 8) << level;
          if (level == 0) ASSERT_EQ((x.read_bits[level][t] / 8 * wu + 7) / 8 * 8, y.read_bits[level][t]);
        }
      if (it)
        ASSERT_LT(narrow.layers[i].energy.total_pj, wide.layers[i].energy.total_pj);
      else
        ASSERT_EQ(narrow.layers[i].energy.total_pj, wide.layers[i].energy.total_pj);
      if (*mac != 's')
        ASSERT_EQ(narrow.layers[i].energy.mac_pj, wide.layers[i].energy.mac_pj) << "the hardware is as wide as before";
    }
    ASSERT_TRUE(met);
  }
}

// A layer of a scalable array takes the cycles and products of its own widths.
TEST(Widths, AScalableArrayRunsEachLayerAtItsOwnWidth) {
  test::Random r(504);
  int faster = 0;
  for (int trial = 0; trial < 40; trial++) {
    Net net(r);
    Machine b(net.text, "scalable", 512);
    const std::string who = net.layers[static_cast<size_t>(r.range(0, static_cast<int>(net.layers.size()) - 1))];
    int w = r.coin() ? 2 : 4;
    Result wide(b.point("int8")), all(b.point(("w" + std::to_string(w) + "a8").c_str()));
    Result one(b.planned("name: one\ndefault: int8\nlayers: {" + who + ": w" + std::to_string(w) + "a8}\n"));
    ASSERT_EQ(one.status, ERG_OK) << one.error.message();
    for (int i = 0; i < one.layer_count; i++) {
      const Result &like = who == one.layers[i].pass->name ? all : wide;
      SCOPED_TRACE(std::string(one.layers[i].pass->name) + " of " + who);
      ASSERT_EQ(one.layers[i].activity.array_cycles, like.layers[i].activity.array_cycles);
      ASSERT_EQ(one.layers[i].energy.total_pj, like.layers[i].energy.total_pj);
    }
    faster += one.activity.array_cycles < wide.activity.array_cycles;
    EXPECT_LE(one.utilization, 1);
  }
  EXPECT_GT(faster, 10);
}

TEST(Widths, TheModelsAgreeOnMixedPlans) {
  test::Random r(505);
  int compared = 0;
  for (int trial = 0; trial < 40; trial++) {
    Net net(r);
    const char *mac = macs[r.range(0, 2)];
    Mixed m(r, net, 2, *mac == 'n' ? 16 : 8);
    auto fusion = static_cast<erg_fusion>(r.range(0, ERG_FUSION_EPILOGUE));
    Machine b(net.text, mac), c(net.text, mac);
    Result formula(b.planned(m.text, fusion)), events(c.planned(m.text, fusion, ERG_MODEL_SYSTEMC));
    SCOPED_TRACE(std::to_string(trial) + " " + mac + " " + erg_fusion_names[fusion] + "\n" + net.text + m.text);
    ASSERT_EQ(formula.status, ERG_OK) << formula.error.message();
    ASSERT_EQ(events.status, ERG_OK) << events.error.message();
    ASSERT_EQ(formula.skipped, events.skipped);
    ASSERT_EQ(formula.layer_count, events.layer_count);
    for (int i = 0; i < formula.layer_count; i++) {
      const erg_activity &x = formula.layers[i].activity, &y = events.layers[i].activity;
      SCOPED_TRACE(formula.layers[i].pass->name);
      for (int level = 0; level < b.arch.level_count + 2; level++)
        for (int t = 0; t < ERG_TENSOR_COUNT; t++) {
          ASSERT_EQ(x.read_bits[level][t], y.read_bits[level][t]) << level << " " << erg_tensor_names[t];
          ASSERT_EQ(x.write_bits[level][t], y.write_bits[level][t]) << level << " " << erg_tensor_names[t];
        }
      ASSERT_EQ(x.ops[ERG_OP_MAC], y.ops[ERG_OP_MAC]);
      ASSERT_EQ(x.array_cycles, y.array_cycles);
      compared++;
    }
  }
  EXPECT_GT(compared, 100);
}

TEST(Widths, AStoredRunCostsTheSameToTheLastBit) {
  test::Random r(506);
  for (int trial = 0; trial < 20; trial++) {
    Net net(r);
    const char *mac = macs[r.range(0, 2)];
    Mixed m(r, net, 2, 8);
    Machine b(net.text, mac);
    Result result(b.planned(m.text, plan::any_fusion(r)));
    ASSERT_EQ(result.status, ERG_OK) << result.error.message();
    if (result.skipped) continue;
    json_t *json = erg_result_json(&result);
    char *text = json_dumps(json, JSON_REAL_PRECISION(17));
    erg_stored_run stored{};
    test::Error error;
    ASSERT_EQ(erg_stored_parse(text, "t", &stored, &error), ERG_OK) << error.message();
    erg_energy energy{};
    ASSERT_EQ(erg_stored_price(&b.tech, &stored.results[0], nullptr, nullptr, &energy, &error), ERG_OK)
        << error.message();
    EXPECT_EQ(energy.total_pj, result.energy.total_pj) << mac << "\n" << m.text;
    erg_stored_free(&stored);
    free(text);
    json_decref(json);
  }
}

TEST(Widths, WhatTheMacCannotDoIsSaidLayerByLayer) {
  const char *net =
      "name: n\ninput: {height: 4, width: 4, channels: 4}\nnodes:\n  - {name: a, op: conv2d, K: 4, kernel: 1}\n"
      "  - {name: b, op: conv2d, K: 4, kernel: 1}\n  - {name: c, op: conv2d, K: 4, kernel: 1}\n";
  const char *text = "name: wide\ndefault: int8\nlayers:\n  a: w9a8\n  b: w8a12\n";
  for (const char *mac : {"fixed", "scalable"}) {
    Machine b(net, mac);
    Result result(b.planned(text));
    ASSERT_EQ(result.status, ERG_OK) << result.error.message();
    ASSERT_TRUE(result.skipped);
    const std::string reason = result.reason;
    EXPECT_NE(reason.find("p.yaml:4:6: layer a:"), std::string::npos) << reason;
    EXPECT_NE(reason.find("layer c:"), std::string::npos) << "it reads 12 bits: " << reason;
    EXPECT_EQ(reason.find("layer b:"), std::string::npos) << "it only writes them: " << reason;
  }
  Machine native(net, "native");
  Result result(native.planned(text));
  ASSERT_FALSE(result.skipped) << result.reason;
  EXPECT_EQ(result.point.precision.weight_bits, 9);
  EXPECT_EQ(result.point.precision.activation_bits, 12) << "native hardware is built for the widest";
}
