/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks as users write them: one line a node, shapes inferred (docs/workloads.md). */
#include "graph.h"
#include <string.h>

#define MOST_NODES 10000

typedef struct {
  char *name, *op;
  erg_texts inputs;
  int64_t filters, groups;
  erg_ints kernel, stride, pad;
  bool bias;
  erg_position position;
} node_text;

typedef struct {
  int64_t height, width, channels;
  erg_position position;
} input_text;

typedef struct {
  char *name, *help;
  input_text input;
  erg_records nodes;
  erg_position position;
} net_text;

#define AT(type, member) .offset = offsetof(type, member)

static const erg_field input_fields[] = {
    {.key = "height",
     AT(input_text, height),
     .type = ERG_FIELD_INT,
     .min = 1,
     .max = 65536,
     .unit = "pixel",
     .help = "H"},
    {.key = "width",
     AT(input_text, width),
     .type = ERG_FIELD_INT,
     .min = 1,
     .max = 65536,
     .unit = "pixel",
     .help = "W"},
    {.key = "channels", AT(input_text, channels), .type = ERG_FIELD_INT, .min = 1, .max = 1 << 20, .help = "C"},
};
static const erg_record input_record = {"input", sizeof(input_text), input_fields, ERG_COUNT_OF(input_fields),
                                        offsetof(input_text, position)};

static const erg_field node_fields[] = {
    {.key = "name", AT(node_text, name), .type = ERG_FIELD_TEXT, .help = "unique name"},
    {.key = "op", AT(node_text, op), .type = ERG_FIELD_TEXT, .help = "operator (ergon list ops)"},
    {.key = "inputs",
     AT(node_text, inputs),
     .type = ERG_FIELD_TEXTS,
     .optional = true,
     .max_items = ERG_MAX_INPUTS,
     .help = "names of earlier nodes; absent: the node before"},
    {.key = "K",
     AT(node_text, filters),
     .type = ERG_FIELD_INT,
     .min = 1,
     .max = 1 << 20,
     .optional = true,
     .help = "output channels"},
    {.key = "kernel",
     AT(node_text, kernel),
     .type = ERG_FIELD_INTS,
     .min = 1,
     .max = 65536,
     .optional = true,
     .max_items = 2,
     .help = "R, or [R, S]"},
    {.key = "stride",
     AT(node_text, stride),
     .type = ERG_FIELD_INTS,
     .min = 1,
     .max = 65536,
     .optional = true,
     .max_items = 2,
     .help = "one number, or [vertical, horizontal]; default 1"},
    {.key = "pad",
     AT(node_text, pad),
     .type = ERG_FIELD_INTS,
     .max = 65536,
     .optional = true,
     .max_items = 4,
     .help = "one number, [vertical, horizontal] or [top, left, bottom, right]; default 0"},
    {.key = "groups",
     AT(node_text, groups),
     .type = ERG_FIELD_INT,
     .min = 1,
     .max = 1 << 20,
     .optional = true,
     .help = "default 1; C makes a depthwise convolution"},
    {.key = "bias", AT(node_text, bias), .type = ERG_FIELD_BOOL, .optional = true, .help = "default no"},
};
static const erg_record node_record = {"node", sizeof(node_text), node_fields, ERG_COUNT_OF(node_fields),
                                       offsetof(node_text, position)};

static const erg_field net_fields[] = {
    {.key = "name", AT(net_text, name), .type = ERG_FIELD_TEXT, .help = "name in tables"},
    {.key = "help",
     AT(net_text, help),
     .type = ERG_FIELD_TEXT,
     .optional = true,
     .help = "one line for `ergon list workloads`"},
    {.key = "input", AT(net_text, input), .type = ERG_FIELD_RECORD, .record = &input_record, .help = "the input map"},
    {.key = "nodes",
     AT(net_text, nodes),
     .type = ERG_FIELD_RECORDS,
     .record = &node_record,
     .max_items = MOST_NODES,
     .help = "in order of execution"},
};
static const erg_record net_record = {"workload", sizeof(net_text), net_fields, ERG_COUNT_OF(net_fields),
                                      offsetof(net_text, position)};

typedef struct {
  const char *file;
  erg_graph *graph;
  const node_text *texts; /* all nodes of the file, those still to be read too */
  int text_count;
  const char **names;     /* of the nodes so far, NULL-terminated */
  const char *const *ops; /* of all operators but the input */
  bool *broken;           /* by node: faulty, or fed by a faulty one, so that its shape means nothing */
  erg_error *error;
} reader;

#define FAULT(r, node, format, ...)                                                                                    \
  (erg_fail((r)->error, ERG_ERR_DATA, "%s:%d:%d: node %s: " format, (r)->file, (node)->position.line,                  \
            (node)->position.column, (node)->name, __VA_ARGS__),                                                       \
   false)

static int find_node(const erg_graph *graph, const char *name) {
  for (int id = 0; id < graph->node_count; id++)
    if (strcmp(graph->nodes[id].name, name) == 0) return id;
  return -1;
}

/* " (did you mean x?)", or nothing. */
static const char *suggestion(reader *r, const char *word, const char *const *names) {
  const char *nearest = erg_nearest(word, names);
  const char *text = nearest ? erg_arena_printf(&r->graph->arena, " (did you mean %s?)", nearest) : NULL;
  return text ? text : "";
}

/* One number stands for both axes. */
static void both(const erg_ints *given, int fallback, int *vertical, int *horizontal) {
  *vertical = given->count ? (int)given->items[0] : fallback;
  *horizontal = given->count > 1 ? (int)given->items[1] : *vertical;
}

static bool read_attrs(reader *r, const node_text *text, const erg_op *op, erg_attrs *attrs) {
  /* A list that was given, be it empty, has items; one that was not has none. */
  const struct {
    unsigned bit;
    const char *key;
    bool given, empty;
  } keys[] = {
      {ERG_ATTR_K, "K", text->filters > 0, false},
      {ERG_ATTR_KERNEL, "kernel", text->kernel.items, text->kernel.count == 0},
      {ERG_ATTR_STRIDE, "stride", text->stride.items, text->stride.count == 0},
      {ERG_ATTR_PAD, "pad", text->pad.items, text->pad.count == 0},
      {ERG_ATTR_GROUPS, "groups", text->groups > 0, false},
      {ERG_ATTR_BIAS, "bias", text->bias, false},
  };
  bool good = true;
  for (size_t i = 0; i < ERG_COUNT_OF(keys); i++) {
    if (keys[i].given && !(op->attributes & keys[i].bit))
      good = FAULT(r, text, "found %s; %s takes no %s", keys[i].key, op->name, keys[i].key);
    else if (keys[i].given && keys[i].empty)
      good = FAULT(r, text, "%s: found an empty list; allowed: a number, or one an axis", keys[i].key);
    else if (!keys[i].given && (op->required & keys[i].bit))
      good = FAULT(r, text, "%s needs %s", op->name, keys[i].key);
  }
  if (text->pad.count == 3) good = FAULT(r, text, "found %d pads; allowed: one, two or four", text->pad.count);
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

static bool unknown_input(reader *r, const node_text *text, const char *name) {
  for (int i = 0; i < r->text_count; i++)
    if (strcmp(r->texts[i].name, name) == 0)
      return FAULT(r, text, "found input %s, which is %s line %d; allowed: input or the name of an earlier node", name,
                   &r->texts[i] == text ? "this node, on" : "only computed on", r->texts[i].position.line);
  return FAULT(r, text, "found input %s%s; allowed: input or the name of an earlier node", name,
               suggestion(r, name, r->names));
}

static bool read_inputs(reader *r, const node_text *text, erg_node *node) {
  erg_graph *graph = r->graph;
  if (!text->inputs.items && node->op->inputs == 1) {
    node->inputs[0] = graph->node_count - 1;
    return true;
  }
  if (text->inputs.count != node->op->inputs)
    return FAULT(r, text, "found %d inputs; %s takes %d", text->inputs.count, node->op->name, node->op->inputs);
  bool good = true;
  for (int i = 0; text->inputs.items && i < text->inputs.count; i++) {
    node->inputs[i] = find_node(graph, text->inputs.items[i]);
    if (node->inputs[i] < 0) good = unknown_input(r, text, text->inputs.items[i]);
  }
  return good;
}

static bool unknown_op(reader *r, const node_text *text) {
  char allowed[512] = "";
  for (const char *const *op = r->ops; *op; op++)
    snprintf(allowed + strlen(allowed), sizeof allowed - strlen(allowed), "%s%s", *allowed ? ", " : "", *op);
  return FAULT(r, text, "found op %s%s; allowed: %s", text->op, suggestion(r, text->op, r->ops), allowed);
}

static void read_node(reader *r, const node_text *text) {
  erg_graph *graph = r->graph;
  int id = graph->node_count, twin = find_node(graph, text->name);
  erg_node node = {.name = text->name, .op = erg_op_find(text->op), .position = text->position};
  bool good = true;
  if (twin == 0)
    good = FAULT(r, text, "the name is taken by the network's %s", "input");
  else if (twin > 0)
    good = FAULT(r, text, "the name is taken by the node on line %d", graph->nodes[twin].position.line);
  if (!node.op || node.op->role == ERG_ROLE_INPUT) {
    good = unknown_op(r, text);
    node.op = graph->nodes[0].op; /* reads nothing */
  } else {
    good = read_attrs(r, text, node.op, &node.attrs) && good;
    good = read_inputs(r, text, &node) && good;
  }
  for (int i = 0; good && i < node.op->inputs; i++) good = !r->broken[node.inputs[i]];
  graph->nodes[id] = node;
  graph->node_count++;
  r->names[id] = node.name;
  r->broken[id] = !good || erg_graph_infer(r->file, graph, id, r->error) != ERG_OK;
}

/* Names of the operators a node may have. */
static const char *const *op_names(erg_arena *arena) {
  const char *const *all = erg_op_names(arena);
  size_t count = 0, used = 0;
  while (all && all[count]) count++;
  const char **names = erg_arena_alloc(arena, (count + 1) * sizeof *names);
  for (size_t i = 0; names && i < count; i++)
    if (erg_op_find(all[i])->role != ERG_ROLE_INPUT) names[used++] = all[i];
  return names;
}

erg_status erg_graph_read_yaml(const char *file, const char *text, int batch, const erg_override *overrides,
                               int override_count, erg_graph *graph, erg_error *error) {
  net_text net = {0};
  erg_status status = erg_yaml_decode(&graph->arena, file, text, &net_record, overrides, override_count, &net, error);
  if (status != ERG_OK) return status;
  graph->name = net.name;
  if (net.nodes.count == 0)
    return erg_fail(error, ERG_ERR_DATA, "%s:%d:%d: nodes: found none; allowed: at least one node", file,
                    net.position.line, net.position.column);
  size_t count = (size_t)net.nodes.count + 1;
  erg_error faults = {0};
  reader r = {.file = file, .graph = graph, .texts = net.nodes.items, .text_count = net.nodes.count, .error = &faults};
  graph->nodes = erg_arena_alloc(&graph->arena, sizeof *graph->nodes * count);
  r.names = erg_arena_alloc(&graph->arena, sizeof *r.names * (count + 1));
  r.broken = erg_arena_alloc(&graph->arena, sizeof *r.broken * count);
  r.ops = op_names(&graph->arena);
  if (!graph->nodes || !r.names || !r.broken || !r.ops) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  graph->nodes[0] = (erg_node){.name = "input",
                               .op = erg_op_find("input"),
                               .position = net.input.position,
                               .out = {batch, (int)net.input.height, (int)net.input.width, (int)net.input.channels}};
  graph->node_count = 1;
  r.names[0] = "input";
  r.broken[0] = erg_graph_infer(file, graph, 0, &faults) != ERG_OK;
  for (int i = 0; i < net.nodes.count; i++) read_node(&r, &r.texts[i]);
  if (faults.status != ERG_OK)
    status = erg_fail(error, faults.status, "%s", faults.text ? faults.text : "out of memory");
  erg_error_clear(&faults);
  return status;
}
