// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "support.hpp"

// A graph from text, freed at the end.
struct Net : erg_graph {
  test::Error error;
  erg_status status;
  explicit Net(const std::string &text, const char *file = "net.yaml", int batch = 1) : erg_graph{} {
    status = erg_graph_parse(file, text.c_str(), batch, nullptr, 0, this, &error);
  }
  ~Net() { if (status == ERG_OK) erg_graph_free(this); }
  int id(const std::string &name) const {
    for (int i = 0; i < node_count; i++)
      if (nodes[i].name == name) return i;
    return -1;
  }
};

inline std::string net(const std::string &nodes, int h = 8, int w = 8, int c = 4) {
  return "name: t\ninput: {height: " + std::to_string(h) + ", width: " + std::to_string(w) + ", channels: " + std::to_string(c) + "}\nnodes:\n" + nodes;
}
