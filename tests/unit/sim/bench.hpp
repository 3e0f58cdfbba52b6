// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "support.hpp"

// Loaded inputs and points over them.
struct Bench {
  erg_arch arch{};
  erg_technology tech{};
  erg_graph graph{};
  test::Error error;
  Bench(const char *arch_name, const char *workload, const char *tech_name = "horowitz-45nm", int batch = 1) {
    EXPECT_EQ(erg_arch_load(arch_name, nullptr, 0, &arch, &error), ERG_OK) << error.message();
    EXPECT_EQ(erg_technology_load(tech_name, nullptr, 0, &tech, &error), ERG_OK) << error.message();
    EXPECT_EQ(erg_graph_load(workload, batch, nullptr, 0, &graph, &error), ERG_OK) << error.message();
  }
  ~Bench() {
    erg_arch_free(&arch);
    erg_technology_free(&tech);
    erg_graph_free(&graph);
  }
  erg_point point(const char *precision, erg_fusion fusion = ERG_FUSION_EPILOGUE, erg_model model = ERG_MODEL_ANALYTIC, int batch = 1) {
    return {&arch, &tech, &graph, test::precision(precision), fusion, ERG_DATAFLOW_WS, model, batch, 1};
  }
};

struct Result : erg_result {
  test::Error error;
  erg_status status;
  explicit Result(const erg_point &point) : erg_result{} { status = erg_run(&point, nullptr, this, &error); }
  ~Result() { if (status == ERG_OK) erg_result_free(this); }
};

// A random array pass in the shapes that break things: K = 1, odd extents, strides over the kernel, groups, narrow codes.
inline erg_geometry random_geometry(test::Random &r) {
  erg_geometry g{};
  g.array = r.range(0, 5) != 0;
  g.images = r.range(1, 3);
  g.kernel_h = r.range(1, 4);
  g.kernel_w = r.range(1, 4);
  g.stride_h = r.range(1, 5);
  g.stride_w = r.range(1, 5);
  g.pad_top = r.range(0, g.kernel_h - 1);
  g.pad_left = r.range(0, g.kernel_w - 1);
  g.groups = g.array && r.range(0, 3) == 0 ? r.range(2, 5) : 1;
  g.in_h = r.range(g.kernel_h, 14);
  g.in_w = r.range(g.kernel_w, 14);
  g.in_c = g.groups * r.range(1, 20);
  g.out_h = (g.in_h + g.pad_top + r.range(0, g.kernel_h - 1) - g.kernel_h) / g.stride_h + 1;
  g.out_w = (g.in_w + g.pad_left + r.range(0, g.kernel_w - 1) - g.kernel_w) / g.stride_w + 1;
  g.out_c = g.array ? g.groups * r.range(1, 24) : g.in_c;
  g.operands = 1;
  g.residual = g.array && r.coin();
  g.in_bits = r.range(2, 16);
  g.out_bits = r.range(2, 32);
  g.weight_bits = r.range(2, 16);
  g.residual_bits = g.in_bits;
  g.psum_bits = r.coin() ? 32 : 48;
  g.constant_bits = g.array ? g.psum_bits + 40 : 0;
  g.constants = g.array;
  g.window = g.array ? 0 : g.kernel_h * g.kernel_w;
  g.rounds = g.array ? 1 : r.range(1, 2);
  return g;
}

inline uint64_t macs_of(const erg_geometry &g) {
  return g.array ? static_cast<uint64_t>(g.images) * g.out_h * g.out_w * g.out_c * static_cast<uint64_t>(erg_geometry_reduction(&g)) : 0;
}
