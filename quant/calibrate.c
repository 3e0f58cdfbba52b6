/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What tensors were over calibration examples. The methods that make ranges of it are calibrate_range.c's. */
#include "examples.h"
#include <math.h>
#include <stdlib.h>

#define MOST_VALUES 65536

/* Values of a tensor over all examples, one of `every` on average. A fixed stride would see some channels only; steps
 * of the golden ratio meet all. */
typedef struct {
  int64_t every, seen, room;
} sampler;

static bool taken(const sampler *s) {
  return s->every == 1 || (uint64_t)s->seen * 0x9E3779B97F4A7C15u < UINT64_MAX / (uint64_t)s->every;
}

static void take(erg_calibration *c, sampler *s, int node, const double *values, int64_t count) {
  for (int64_t i = 0; i < count; i++, s->seen++) {
    c->low[node] = fmin(c->low[node], values[i]);
    c->high[node] = fmax(c->high[node], values[i]);
    if (c->sample_count[node] < s->room && taken(s)) c->sample[node][c->sample_count[node]++] = values[i];
  }
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static erg_status make_room(const erg_graph *graph, int examples, erg_calibration *c, sampler **samplers,
                            erg_error *error) {
  size_t nodes = (size_t)graph->node_count;
  c->node_count = graph->node_count;
  c->examples = examples;
  c->low = erg_arena_alloc(&c->arena, nodes * sizeof *c->low);
  c->high = erg_arena_alloc(&c->arena, nodes * sizeof *c->high);
  c->sample = erg_arena_alloc(&c->arena, nodes * sizeof *c->sample);
  c->sample_count = erg_arena_alloc(&c->arena, nodes * sizeof *c->sample_count);
  *samplers = erg_arena_alloc(&c->arena, nodes * sizeof **samplers);
  if (!c->low || !c->high || !c->sample || !c->sample_count || !*samplers)
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int id = 0; id < graph->node_count; id++) {
    erg_shape out = graph->nodes[id].out;
    int64_t all = erg_shape_elements(out) / out.n * examples;
    sampler *s = &(*samplers)[id];
    s->every = (all + MOST_VALUES - 1) / MOST_VALUES;
    s->room = s->every == 1 ? all : all / s->every + 64; /* their number strays by the logarithm of `all` at most */
    c->low[id] = INFINITY, c->high[id] = -INFINITY;
    c->sample[id] = erg_arena_alloc(&c->arena, sizeof(double) * (size_t)s->room);
    if (!c->sample[id]) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  return ERG_OK;
}

static void run_all(const erg_graph *graph, erg_float_run *run, erg_examples *examples, erg_calibration *c,
                    sampler *samplers) {
  while (erg_examples_next(examples)) {
    erg_float_forward(run, examples->input);
    for (int id = 0; id < graph->node_count; id++) {
      erg_shape out = graph->nodes[id].out;
      take(c, &samplers[id], id, erg_float_tensor(run, id), erg_shape_elements(out) / out.n * examples->count);
    }
  }
  for (int id = 0; id < graph->node_count; id++)
    qsort(c->sample[id], (size_t)c->sample_count[id], sizeof(double), ascending);
}

static erg_status check(const erg_graph *graph, const erg_calibration *c, erg_error *error) {
  for (int id = 0; id < graph->node_count; id++)
    if (!isfinite(c->low[id]) || !isfinite(c->high[id]))
      return erg_fail(error, ERG_ERR_DATA, "calibration: %s takes values that are not finite", graph->nodes[id].name);
  return ERG_OK;
}

erg_status erg_calibrate(const erg_graph *graph, const erg_weights *weights, const erg_dataset *data,
                         erg_calibration *out, erg_error *error) {
  erg_calibration made = {0};
  erg_examples examples;
  sampler *samplers;
  erg_float_run *run = NULL;
  erg_status status = erg_examples_open(graph, data, &examples, error);
  if (status == ERG_OK) status = erg_float_open(graph, weights, &run, error);
  if (status == ERG_OK) status = make_room(graph, data->count, &made, &samplers, error);
  if (status == ERG_OK) {
    run_all(graph, run, &examples, &made, samplers);
    status = check(graph, &made, error);
  }
  erg_float_close(run);
  erg_examples_close(&examples);
  if (status == ERG_OK)
    *out = made;
  else
    erg_calibration_free(&made);
  return status;
}

void erg_calibration_free(erg_calibration *calibration) {
  erg_arena_free(&calibration->arena);
  *calibration = (erg_calibration){0};
}
