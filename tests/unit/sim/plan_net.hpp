// SPDX-License-Identifier: GPL-3.0-or-later
// Random small networks and precision plans for them, with what the plan means worked out anew.
#pragma once
#include "bench.hpp"
#include <map>
#include <sstream>

namespace plan {

struct Widths { int w, a, out, acc; };

// A chain of convolutions with batch norms, ReLUs, residual adds, pools, a depthwise layer, an FC at the end.
struct Net {
  std::string text;
  std::vector<std::string> layers; // with weights
  explicit Net(test::Random &r) {
    const int c = 2 * r.range(2, 6), size = r.range(5, 9), blocks = r.range(1, 3);
    std::ostringstream s;
    s << "name: n\ninput: {height: " << size << ", width: " << size << ", channels: " << c << "}\nnodes:\n";
    std::string last = "input";
    for (int b = 0; b < blocks; b++) {
      const std::string n = std::to_string(b), from = last;
      auto conv = [&](const std::string &name, const std::string &input, int groups) {
        s << "  - {name: " << name << ", op: conv2d, K: " << c << ", kernel: 3, pad: 1, groups: " << groups << ", inputs: [" << input
          << "], bias: yes}\n";
        layers.push_back(name);
        last = name;
      };
      auto add = [&](const std::string &name, const std::string &op, const std::string &more) {
        s << "  - {name: " << name << ", op: " << op << more << "}\n";
        last = name;
      };
      conv("a" + n, from, 1);
      if (r.coin()) add("bn" + n, "batch_norm", "");
      if (r.coin()) add("relu" + n, "relu", "");
      conv("b" + n, last, r.coin() ? c : 1);
      if (r.coin()) add("sum" + n, "add", ", inputs: [b" + n + ", " + from + "]");
      if (r.coin()) add("tail" + n, "relu", "");
    }
    if (r.coin()) s << "  - {name: pool, op: max_pool, kernel: 2, stride: 2}\n";
    s << "  - {name: gap, op: global_avg_pool}\n  - {name: fc, op: fc, K: 10, bias: yes}\n";
    layers.push_back("fc");
    text = s.str();
  }
};

inline erg_fusion any_fusion(test::Random &r) { return static_cast<erg_fusion>(r.range(0, ERG_FUSION_COUNT - 1)); }

// Loaded: a network on an architecture of random kind of MAC, roomy enough for one tile a layer when asked for.
struct Machine {
  erg_arch arch{};
  erg_technology tech{};
  erg_graph graph{};
  erg_widths widths{};
  test::Error error;
  explicit Machine(const std::string &net, const std::string &mac = "native", int kib = 8, const char *technology = "horowitz-45nm") {
    const std::string k = std::to_string(kib);
    const std::string text = "name: a\nclock_mhz: 100\nmac: " + mac + (mac == "fixed" ? "\nmac_weight_bits: 8\nmac_activation_bits: 8" : "") +
                             "\nrows: 4\ncols: 8\naccumulator_depth: 128\nlevels:\n"
                             "  - {name: dram, kind: dram, bandwidth_bits_per_cycle: 64, latency_cycles: 7}\n"
                             "  - {name: in, kind: sram, capacity_kib: " + k + ", holds: [input, residual, output]}\n"
                             "  - {name: w, kind: sram, capacity_kib: " + k + ", holds: [weight, constant]}\n";
    EXPECT_EQ(erg_arch_parse("a.yaml", text.c_str(), nullptr, 0, &arch, &error), ERG_OK) << error.message();
    EXPECT_EQ(erg_technology_load(technology, nullptr, 0, &tech, &error), ERG_OK) << error.message();
    EXPECT_EQ(erg_graph_parse("n.yaml", net.c_str(), 1, nullptr, 0, &graph, &error), ERG_OK) << error.message() << net;
  }
  ~Machine() {
    erg_arch_free(&arch);
    erg_technology_free(&tech);
    erg_graph_free(&graph);
    erg_widths_free(&widths);
  }
  erg_point point(const char *precision, erg_fusion fusion = ERG_FUSION_EPILOGUE, erg_model model = ERG_MODEL_ANALYTIC) {
    return {&arch, &tech, &graph, test::precision(precision), fusion, ERG_DATAFLOW_WS, model, 1, 1};
  }
  erg_point planned(const std::string &text, erg_fusion fusion = ERG_FUSION_EPILOGUE, erg_model model = ERG_MODEL_ANALYTIC) {
    erg_point p = point("int8", fusion, model);
    erg_widths_free(&widths);
    EXPECT_EQ(erg_widths_parse("p.yaml", text.c_str(), &graph, &widths, &error), ERG_OK) << error.message() << text;
    erg_point_widths(&p, &widths);
    return p;
  }
};

} // namespace plan
