/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "graph.h"
#include <string.h>
#include <strings.h>

void erg_graph_free(erg_graph *graph) {
  erg_arena_free(&graph->arena);
}

void erg_graph_note(erg_graph *graph, const char *text) {
  for (int i = 0; i < graph->note_count; i++)
    if (strcmp(graph->notes[i], text) == 0) return;
  const char **notes = erg_arena_alloc(&graph->arena, sizeof *notes * (size_t)(graph->note_count + 1));
  if (!notes) return;
  if (graph->note_count) memcpy(notes, graph->notes, sizeof *notes * (size_t)graph->note_count);
  notes[graph->note_count++] = erg_arena_strdup(&graph->arena, text);
  graph->notes = notes;
}

static void input_shapes(const erg_graph *graph, const erg_node *node, erg_shape in[ERG_MAX_INPUTS]) {
  memset(in, 0, ERG_MAX_INPUTS * sizeof in[0]);
  for (int i = 0; i < node->op->inputs; i++) in[i] = graph->nodes[node->inputs[i]].out;
}

/* Sixty-four bits hold every count of a network of ten thousand nodes as large as this. */
#define MOST_MACS ((int64_t)1 << 48)
#define MOST_ELEMENTS ((int64_t)1 << 40)
#define MOST_IMAGE ((int64_t)1 << 30)

static bool above(int64_t most, const int *extents, int count) {
  int64_t product = 1;
  for (int i = 0; i < count; i++) {
    if (extents[i] > 0 && product > most / extents[i]) return true;
    product *= extents[i];
  }
  return false;
}

static erg_status check_size(const erg_node *node, const erg_shape *in, erg_shape map, erg_error *error) {
  const int extents[] = {map.h, map.w, map.c, map.n};
  if (above(MOST_IMAGE, extents, 3))
    return erg_fail(error, ERG_ERR_DATA, "found a map of %d x %d x %d; allowed: 2^30 elements", map.h, map.w, map.c);
  if (above(MOST_ELEMENTS, extents, 4))
    return erg_fail(error, ERG_ERR_DATA, "found %d maps of %d x %d x %d; allowed: 2^40 elements", map.n, map.h, map.w,
                    map.c);
  if (node->op->role != ERG_ROLE_ARRAY) return ERG_OK;
  erg_conv2d_shape c;
  node->op->conv(&node->attrs, in, &c);
  const int loops[] = {c.in.n, c.out_h, c.out_w, c.filters, c.kernel_h, c.kernel_w, c.in.c / c.groups};
  if (!above(MOST_MACS, loops, 7)) return ERG_OK;
  return erg_fail(error, ERG_ERR_DATA, "found N P Q K R S C = %d %d %d %d %d %d %d; allowed: 2^48 MACs", loops[0],
                  loops[1], loops[2], loops[3], loops[4], loops[5], loops[6]);
}

erg_status erg_graph_infer(const char *file, erg_graph *graph, int id, erg_error *error) {
  erg_node *node = &graph->nodes[id];
  erg_shape in[ERG_MAX_INPUTS], out = node->out;
  erg_error faults = {0};
  erg_status status = ERG_OK;
  input_shapes(graph, node, in);
  if (node->op->role != ERG_ROLE_INPUT) status = node->op->infer(&node->attrs, in, &out, &faults);
  if (status == ERG_OK) status = check_size(node, in, out, &faults);
  if (status == ERG_OK) node->out = out;
  for (char *rest = faults.text, *line; (line = strsep(&rest, "\n"));)
    erg_fail(error, ERG_ERR_DATA, "%s:%d:%d: node %s: %s", file, node->position.line, node->position.column, node->name,
             line);
  erg_error_clear(&faults);
  return status;
}

static bool ends_with(const char *text, const char *suffix) {
  size_t length = strlen(text), tail = strlen(suffix);
  return length >= tail && strcasecmp(text + length - tail, suffix) == 0;
}

erg_status erg_graph_parse(const char *file, const char *text, int batch, const erg_override *overrides,
                           int override_count, erg_graph *out, erg_error *error) {
  erg_graph graph = {0};
  if (batch < 1 || batch > 65536) return erg_fail(error, ERG_ERR_USAGE, "batch: found %d; allowed: 1 to 65536", batch);
  erg_status status;
  if (ends_with(file, ".csv"))
    status = override_count ? erg_fail(error, ERG_ERR_USAGE, "--set workload.%s: a CSV workload has no keys to set",
                                       overrides[0].path)
                            : erg_graph_read_csv(file, text, batch, &graph, error);
  else
    status = erg_graph_read_yaml(file, text, batch, overrides, override_count, &graph, error);
  if (status != ERG_OK) {
    erg_graph_free(&graph);
    return status;
  }
  for (int id = 0; id < graph.node_count; id++)
    for (int i = 0; i < graph.nodes[id].op->inputs; i++) graph.nodes[graph.nodes[id].inputs[i]].consumers++;
  graph.file = erg_arena_strdup(&graph.arena, file);
  graph.text = erg_arena_strdup(&graph.arena, text);
  erg_sha256_hex(text, strlen(text), graph.sha256);
  *out = graph;
  return ERG_OK;
}

erg_status erg_graph_load(const char *name, int batch, const erg_override *overrides, int override_count,
                          erg_graph *out, erg_error *error) {
  erg_arena arena = {0};
  char *path, *text;
  erg_status status = erg_data_find(&arena, "nets", name, ends_with(name, ".csv") ? ".csv" : ".yaml", &path, error);
  if (status == ERG_OK) status = erg_file_read(&arena, path, &text, NULL, error);
  if (status == ERG_OK) status = erg_graph_parse(path, text, batch, overrides, override_count, out, error);
  erg_arena_free(&arena);
  return status;
}

int64_t erg_graph_macs(const erg_graph *graph) {
  int64_t macs = 0;
  for (int id = 0; id < graph->node_count; id++) {
    const erg_node *node = &graph->nodes[id];
    if (node->op->role != ERG_ROLE_ARRAY) continue;
    erg_shape in[ERG_MAX_INPUTS];
    erg_conv2d_shape conv;
    input_shapes(graph, node, in);
    node->op->conv(&node->attrs, in, &conv);
    macs += erg_conv2d_macs(&conv);
  }
  return macs;
}

int64_t erg_graph_parameters(const erg_graph *graph) {
  int64_t parameters = 0;
  for (int id = 0; id < graph->node_count; id++) {
    const erg_node *node = &graph->nodes[id];
    erg_shape in[ERG_MAX_INPUTS];
    input_shapes(graph, node, in);
    parameters += node->op->parameters(&node->attrs, in);
  }
  return parameters;
}
