/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ergon/weights.h"
#include <math.h>
#include <string.h>

#define MOST_ROLES 4

static void inputs_of(const erg_graph *graph, const erg_node *node, erg_shape in[ERG_MAX_INPUTS]) {
  memset(in, 0, ERG_MAX_INPUTS * sizeof in[0]);
  for (int i = 0; i < node->op->inputs; i++) in[i] = graph->nodes[node->inputs[i]].out;
}

static erg_parameter vector(const char *role, int extent, bool trained) {
  return (erg_parameter){.role = role, .trained = trained, .rank = 1, .extents = {extent}, .elements = extent};
}

/* The learned tensors of one node, without name and memory; how many. */
static int parameters_of(const erg_graph *graph, int id, erg_parameter out[MOST_ROLES]) {
  const erg_node *node = &graph->nodes[id];
  erg_shape in[ERG_MAX_INPUTS];
  int count = 0;
  inputs_of(graph, node, in);
  if (node->op->role == ERG_ROLE_ARRAY) {
    erg_conv2d_shape c;
    node->op->conv(&node->attrs, in, &c);
    out[count] = (erg_parameter){.role = "weight",
                                 .trained = true,
                                 .rank = 4,
                                 .extents = {c.filters, c.kernel_h, c.kernel_w, c.in.c / c.groups}};
    out[count++].elements = c.filters * erg_conv2d_reduction(&c);
    if (node->attrs.bias) out[count++] = vector("bias", c.filters, true);
  } else if (node->op->role == ERG_ROLE_BATCH_NORM || node->op->role == ERG_ROLE_NORM) {
    out[count++] = vector("weight", in[0].c, true);
    if (node->op->norm != ERG_NORM_RMS) out[count++] = vector("bias", in[0].c, true);
    if (node->op->role == ERG_ROLE_BATCH_NORM) {
      out[count++] = vector("running_mean", in[0].c, false);
      out[count++] = vector("running_var", in[0].c, false);
    }
  }
  return count;
}

static erg_status fill(const erg_graph *graph, erg_weights *weights) {
  for (int id = 0; id < graph->node_count; id++) {
    erg_parameter found[MOST_ROLES];
    int count = parameters_of(graph, id, found);
    for (int i = 0; i < count; i++) {
      erg_parameter *p = &weights->items[weights->count];
      *p = found[i];
      p->node = id;
      p->name = erg_arena_printf(&weights->arena, "%s.%s", graph->nodes[id].name, p->role);
      p->values = erg_arena_alloc(&weights->arena, sizeof *p->values * (size_t)p->elements);
      if (!p->name || !p->values) return ERG_ERR_INTERNAL;
      bool ones = strcmp(p->role, "running_var") == 0 || (p->rank == 1 && strcmp(p->role, "weight") == 0);
      for (int64_t at = 0; ones && at < p->elements; at++) p->values[at] = 1;
      weights->count++;
    }
  }
  return ERG_OK;
}

erg_status erg_weights_new(const erg_graph *graph, erg_weights *out, erg_error *error) {
  *out = (erg_weights){0};
  erg_parameter unused[MOST_ROLES];
  size_t count = 0;
  for (int id = 0; id < graph->node_count; id++) count += (size_t)parameters_of(graph, id, unused);
  out->items = erg_arena_alloc(&out->arena, sizeof *out->items * count);
  if (out->items && fill(graph, out) == ERG_OK) return ERG_OK;
  erg_weights_free(out);
  return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
}

void erg_weights_initialize(erg_weights *weights, uint64_t seed) {
  for (int i = 0; i < weights->count; i++) {
    erg_parameter *p = &weights->items[i];
    if (p->rank != 4) continue;
    char purpose[256]; /* a stream a tensor: a layer more leaves the others as they are */
    snprintf(purpose, sizeof purpose, "init/%s", p->name);
    erg_random random;
    erg_random_stream(&random, seed, purpose);
    double deviation = sqrt(2.0 * (double)p->extents[0] / (double)p->elements);
    for (int64_t at = 0; at < p->elements; at++) p->values[at] = deviation * erg_random_normal(&random);
  }
}

erg_status erg_weights_copy(const erg_weights *weights, erg_weights *out, erg_error *error) {
  erg_weights copy = {.count = weights->count};
  copy.items = erg_arena_alloc(&copy.arena, sizeof *copy.items * (size_t)weights->count);
  bool good = copy.items != NULL;
  for (int i = 0; good && i < weights->count; i++) {
    const erg_parameter *from = &weights->items[i];
    erg_parameter *to = &copy.items[i];
    *to = *from;
    to->name = erg_arena_strdup(&copy.arena, from->name);
    to->values = erg_arena_alloc(&copy.arena, sizeof *to->values * (size_t)from->elements);
    good = to->name && to->values;
    if (good) memcpy(to->values, from->values, sizeof *to->values * (size_t)from->elements);
  }
  if (!good) {
    erg_weights_free(&copy);
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  *out = copy;
  return ERG_OK;
}

erg_parameter *erg_weights_find(const erg_weights *weights, int node, const char *role) {
  for (int i = 0; i < weights->count; i++)
    if (weights->items[i].node == node && strcmp(weights->items[i].role, role) == 0) return &weights->items[i];
  return NULL;
}

void erg_weights_free(erg_weights *weights) {
  erg_arena_free(&weights->arena);
  *weights = (erg_weights){0};
}
