// SPDX-License-Identifier: GPL-3.0-or-later
// Networks written out in a test, and their weights.
#pragma once
#include "ergon/quant.h"
#include "support.hpp"
#include <string>

namespace test {

// One line a node: "{name: fc, op: fc, K: 2, bias: yes}".
struct SmallNet : erg_graph {
  SmallNet(int height, int width, int channels, const std::vector<std::string> &nodes, int batch = 1) : erg_graph{} {
    std::string text = "name: small\ninput: {height: " + std::to_string(height) + ", width: " + std::to_string(width) +
                       ", channels: " + std::to_string(channels) + "}\nnodes:\n";
    for (const std::string &node : nodes) text += "  - " + node + "\n";
    Error error;
    EXPECT_EQ(erg_graph_parse("small.yaml", text.c_str(), batch, nullptr, 0, this, &error), ERG_OK) << error.message();
  }
  ~SmallNet() { erg_graph_free(this); }
};

struct Weights : erg_weights {
  Weights() : erg_weights{} {}
  explicit Weights(const erg_graph &graph) : erg_weights{} {
    Error error;
    EXPECT_EQ(erg_weights_new(&graph, this, &error), ERG_OK) << error.message();
  }
  ~Weights() { erg_weights_free(this); }
  erg_parameter *named(const std::string &name) const {
    for (int i = 0; i < count; i++)
      if (name == items[i].name) return &items[i];
    return nullptr;
  }
};

struct Dataset : erg_dataset {
  Dataset() : erg_dataset{} {}
  Dataset(const char *name, uint64_t seed, erg_split split, int count = 0) : erg_dataset{} {
    Error error;
    EXPECT_EQ(erg_dataset_load(name, seed, split, count, this, &error), ERG_OK) << error.message();
  }
  ~Dataset() { erg_dataset_free(this); }
};

} // namespace test
