/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks as users write them: one line a node, shapes inferred (docs/workloads.md). */
#include "graph.h"
#include <string.h>

typedef struct {
  char *name, *op;
  erg_texts inputs;
  int64_t filters, groups;
  erg_ints kernel, stride, pad;
  bool bias;
  erg_position position;
} node_text;

typedef struct {
  char *name, *help;
  struct {
    int64_t height, width, channels;
  } input;
  erg_records nodes;
} net_text;

static const erg_field input_fields[] = {
    {.key = "height",
     .offset = offsetof(net_text, input.height) - offsetof(net_text, input),
     .type = ERG_FIELD_INT,
     .min = 1,
     .max = 65536,
     .unit = "pixel",
     .help = "H"},
    {.key = "width",
     .offset = offsetof(net_text, input.width) - offsetof(net_text, input),
     .type = ERG_FIELD_INT,
     .min = 1,
     .max = 65536,
     .unit = "pixel",
     .help = "W"},
    {.key = "channels",
     .offset = offsetof(net_text, input.channels) - offsetof(net_text, input),
     .type = ERG_FIELD_INT,
     .min = 1,
     .max = 1 << 20,
     .help = "C"},
};
static const erg_record input_record = {"input", sizeof(((net_text *)0)->input), input_fields,
                                        ERG_COUNT_OF(input_fields), ERG_NO_POSITION};

static const erg_field node_fields[] = {
    {.key = "name", .offset = offsetof(node_text, name), .type = ERG_FIELD_TEXT, .help = "unique name"},
    {.key = "op", .offset = offsetof(node_text, op), .type = ERG_FIELD_TEXT, .help = "operator (ergon list ops)"},
    {.key = "inputs",
     .offset = offsetof(node_text, inputs),
     .type = ERG_FIELD_TEXTS,
     .optional = true,
     .max_items = ERG_MAX_INPUTS,
     .help = "names of earlier nodes; absent: the node before"},
    {.key = "K",
     .offset = offsetof(node_text, filters),
     .type = ERG_FIELD_INT,
     .min = 1,
     .max = 1 << 20,
     .optional = true,
     .help = "output channels"},
    {.key = "kernel",
     .offset = offsetof(node_text, kernel),
     .type = ERG_FIELD_INTS,
     .min = 1,
     .max = 65536,
     .optional = true,
     .max_items = 2,
     .help = "R, or [R, S]"},
    {.key = "stride",
     .offset = offsetof(node_text, stride),
     .type = ERG_FIELD_INTS,
     .min = 1,
     .max = 65536,
     .optional = true,
     .max_items = 2,
     .help = "one number, or [vertical, horizontal]; default 1"},
    {.key = "pad",
     .offset = offsetof(node_text, pad),
     .type = ERG_FIELD_INTS,
     .max = 65536,
     .optional = true,
     .max_items = 4,
     .help = "one number, [vertical, horizontal] or [top, left, bottom, right]; default 0"},
    {.key = "groups",
     .offset = offsetof(node_text, groups),
     .type = ERG_FIELD_INT,
     .min = 1,
     .max = 1 << 20,
     .optional = true,
     .help = "default 1; C makes a depthwise convolution"},
    {.key = "bias",
     .offset = offsetof(node_text, bias),
     .type = ERG_FIELD_BOOL,
     .optional = true,
     .help = "default no"},
};
static const erg_record node_record = {"node", sizeof(node_text), node_fields, ERG_COUNT_OF(node_fields),
                                       offsetof(node_text, position)};

static const erg_field net_fields[] = {
    {.key = "name", .offset = offsetof(net_text, name), .type = ERG_FIELD_TEXT, .help = "name in tables"},
    {.key = "help",
     .offset = offsetof(net_text, help),
     .type = ERG_FIELD_TEXT,
     .optional = true,
     .help = "one line for `ergon list workloads`"},
    {.key = "input",
     .offset = offsetof(net_text, input),
     .type = ERG_FIELD_RECORD,
     .record = &input_record,
     .help = "the input map"},
    {.key = "nodes",
     .offset = offsetof(net_text, nodes),
     .type = ERG_FIELD_RECORDS,
     .record = &node_record,
     .help = "in order of execution"},
};
static const erg_record net_record = {"workload", sizeof(net_text), net_fields, ERG_COUNT_OF(net_fields),
                                      ERG_NO_POSITION};

typedef struct {
  const char *file;
  erg_graph *graph;
  erg_error *error;
} reader;

#define FAULT(r, node, format, ...)                                                                                    \
  erg_fail((r)->error, ERG_ERR_DATA, "%s:%d:%d: node %s: " format, (r)->file, (node)->position.line,                   \
           (node)->position.column, (node)->name, __VA_ARGS__)

static int find_node(const erg_graph *graph, const char *name) {
  for (int id = 0; id < graph->node_count; id++)
    if (strcmp(graph->nodes[id].name, name) == 0) return id;
  return -1;
}

/* One number stands for both axes. */
static void both(const erg_ints *given, int fallback, int *vertical, int *horizontal) {
  *vertical = given->count ? (int)given->items[0] : fallback;
  *horizontal = given->count > 1 ? (int)given->items[1] : *vertical;
}

static bool read_attrs(reader *r, const node_text *text, const erg_op *op, erg_attrs *attrs) {
  const struct {
    unsigned bit;
    const char *key;
    bool given;
  } keys[] = {
      {ERG_ATTR_K, "K", text->filters > 0},
      {ERG_ATTR_KERNEL, "kernel", text->kernel.count > 0},
      {ERG_ATTR_STRIDE, "stride", text->stride.count > 0},
      {ERG_ATTR_PAD, "pad", text->pad.count > 0},
      {ERG_ATTR_GROUPS, "groups", text->groups > 0},
      {ERG_ATTR_BIAS, "bias", text->bias},
  };
  bool good = true;
  for (size_t i = 0; i < ERG_COUNT_OF(keys); i++) {
    if (keys[i].given && !(op->attributes & keys[i].bit)) {
      FAULT(r, text, "found %s; %s takes no %s", keys[i].key, op->name, keys[i].key);
      good = false;
    }
    if (!keys[i].given && (op->required & keys[i].bit)) {
      FAULT(r, text, "%s needs %s", op->name, keys[i].key);
      good = false;
    }
  }
  if (text->pad.count == 3) {
    FAULT(r, text, "found %d pads; allowed: one, two or four", text->pad.count);
    good = false;
  }
  attrs->filters = (int)text->filters;
  both(&text->kernel, 0, &attrs->kernel_h, &attrs->kernel_w);
  both(&text->stride, 1, &attrs->stride_h, &attrs->stride_w);
  both(&text->pad, 0, &attrs->pad_top, &attrs->pad_left);
  attrs->pad_bottom = text->pad.count == 4 ? (int)text->pad.items[2] : attrs->pad_top;
  attrs->pad_right = text->pad.count == 4 ? (int)text->pad.items[3] : attrs->pad_left;
  attrs->groups = text->groups ? (int)text->groups : 1;
  attrs->bias = text->bias;
  return good;
}

static bool read_inputs(reader *r, const node_text *text, erg_node *node) {
  erg_graph *graph = r->graph;
  if (text->inputs.count == 0 && node->op->inputs == 1) {
    node->inputs[0] = graph->node_count - 1;
    return true;
  }
  if (text->inputs.count != node->op->inputs) {
    FAULT(r, text, "found %d inputs; %s takes %d", text->inputs.count, node->op->name, node->op->inputs);
    return false;
  }
  bool good = true;
  for (int i = 0; i < text->inputs.count; i++) {
    node->inputs[i] = find_node(graph, text->inputs.items[i]);
    if (node->inputs[i] < 0) {
      FAULT(r, text, "found input %s; allowed: input or the name of an earlier node", text->inputs.items[i]);
      good = false;
    }
  }
  return good;
}

static void read_node(reader *r, const node_text *text, const char *const *op_names) {
  erg_graph *graph = r->graph;
  erg_node node = {.name = text->name, .op = erg_op_find(text->op), .position = text->position};
  bool good = true;
  if (!node.op || node.op->role == ERG_ROLE_INPUT) {
    const char *nearest = erg_nearest(text->op, op_names);
    FAULT(r, text, "found op %s%s%s%s; allowed: the operators of `ergon list ops`", text->op,
          nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "");
    return;
  }
  int twin = find_node(graph, text->name);
  if (twin >= 0) {
    FAULT(r, text, "the name is taken by the node on line %d", graph->nodes[twin].position.line);
    good = false;
  }
  good = read_attrs(r, text, node.op, &node.attrs) && good;
  good = read_inputs(r, text, &node) && good;
  graph->nodes[graph->node_count] = node;
  /* A node that is wrong keeps a shape, so that what follows is checked too; nodes behind it may repeat its fault. */
  graph->nodes[graph->node_count].out = graph->nodes[graph->node_count - 1].out;
  if (good) erg_graph_infer(r->file, graph, graph->node_count, r->error);
  graph->node_count++;
}

erg_status erg_graph_read_yaml(const char *file, const char *text, int batch, const erg_override *overrides,
                               int override_count, erg_graph *graph, erg_error *error) {
  net_text net = {0};
  erg_error faults = {0};
  reader r = {file, graph, &faults};
  erg_status status = erg_yaml_decode(&graph->arena, file, text, &net_record, overrides, override_count, &net, error);
  if (status != ERG_OK) return status;
  graph->name = net.name;
  if (net.nodes.count == 0)
    return erg_fail(error, ERG_ERR_DATA, "%s:1:1: nodes: found none; at least one is needed", file);
  graph->nodes = erg_arena_alloc(&graph->arena, sizeof *graph->nodes * (size_t)(net.nodes.count + 1));
  const char *const *op_names = erg_op_names(&graph->arena);
  if (!graph->nodes || !op_names) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  graph->nodes[0] = (erg_node){.name = "input",
                               .op = erg_op_find("input"),
                               .out = {batch, (int)net.input.height, (int)net.input.width, (int)net.input.channels}};
  graph->node_count = 1;
  const node_text *nodes = net.nodes.items;
  for (int i = 0; i < net.nodes.count; i++) read_node(&r, &nodes[i], op_names);
  if (faults.status != ERG_OK) status = erg_fail(error, faults.status, "%s", faults.text);
  erg_error_clear(&faults);
  return status;
}
