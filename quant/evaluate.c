/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Examples through a network, and what came out against labels and against the float reference. */
#include "ergon/confidence.h"
#include "examples.h"
#include "score.h"
#include <math.h>
#include <stdlib.h>

#define SQNR_EXAMPLES 128

/* Signal and noise of the tensors. */
typedef struct {
  double *signal, *noise; /* by node */
} powers;

static void add_logits(const double *logits, const erg_examples *e, erg_evaluation *out) {
  const erg_dataset *data = e->data;
  for (int64_t i = 0; i < (int64_t)e->count * data->labels_each; i++)
    erg_score_add(logits + i * data->classes, data->classes, data->labels[(int64_t)e->first * data->labels_each + i],
                  out);
}

erg_status erg_data_fits(const erg_graph *graph, const erg_dataset *data, erg_error *error) {
  erg_examples examples;
  int logits;
  erg_status status = erg_examples_open(graph, data, &examples, error);
  if (status == ERG_OK) status = erg_score_check(graph, data, &logits, error);
  erg_examples_close(&examples);
  return status;
}

erg_status erg_evaluate_float(const erg_graph *graph, const erg_weights *weights, const erg_dataset *data,
                              erg_evaluation *out, erg_error *error) {
  *out = (erg_evaluation){.examples = data->count, .node_count = graph->node_count};
  erg_status status = erg_data_fits(graph, data, error); /* before memory is asked for by its counts */
  if (status != ERG_OK) return status;
  const int64_t labels = (int64_t)data->count * data->labels_each;
  double *logits = malloc(sizeof *logits * (size_t)(labels * data->classes));
  if (!logits) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  status = erg_logits_float(graph, weights, data, logits, error);
  for (int64_t i = 0; i < labels && status == ERG_OK; i++)
    erg_score_add(logits + i * data->classes, data->classes, data->labels[i], out);
  if (status == ERG_OK) erg_score_end(out);
  free(logits);
  return status;
}

static void add_powers(const erg_quantized *q, const erg_integer_run *integer, const erg_float_run *reference,
                       const erg_examples *e, powers *p) {
  for (int id = 0; id < q->graph->node_count; id++) {
    if (!q->stored[id]) continue;
    erg_shape out = q->graph->nodes[id].out;
    const double *x = erg_float_tensor(reference, id);
    const int16_t *codes = erg_integer_tensor(integer, id);
    double signal = 0, noise = 0;
    for (int64_t i = 0; i < erg_shape_elements(out) / out.n * e->count; i++) {
      double d = x[i] - erg_grid_real(q->grids[id], codes[i]);
      signal += x[i] * x[i];
      noise += d * d;
    }
    p->signal[id] += signal;
    p->noise[id] += noise;
  }
}

typedef struct {
  const erg_quantized *q;
  erg_integer_run *integer;
  erg_float_run *reference; /* or NULL */
  erg_examples examples;
  int node; /* of the logits */
  double *logits;
  powers powers;
} session;

static erg_status open_session(session *s, const erg_weights *weights, const erg_dataset *data, erg_integer_model model,
                               const erg_integer_machine *machine, erg_evaluation *out, erg_error *error) {
  const erg_graph *graph = s->q->graph;
  size_t nodes = (size_t)graph->node_count;
  erg_status status = erg_examples_open(graph, data, &s->examples, error);
  if (status == ERG_OK) status = erg_score_check(graph, data, &s->node, error);
  if (status == ERG_OK && weights) status = erg_float_open(graph, weights, &s->reference, error);
  if (status == ERG_OK) status = erg_integer_open(s->q, model, machine, &s->integer, error);
  if (status != ERG_OK) return status;
  out->sqnr_db = erg_arena_alloc(&out->arena, nodes * sizeof *out->sqnr_db);
  s->powers.signal = erg_arena_alloc(&out->arena, nodes * sizeof(double));
  s->powers.noise = erg_arena_alloc(&out->arena, nodes * sizeof(double));
  s->logits = erg_arena_alloc(&out->arena, sizeof(double) * (size_t)erg_shape_elements(graph->nodes[s->node].out));
  if (!out->sqnr_db || !s->powers.signal || !s->powers.noise || !s->logits)
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  return ERG_OK;
}

static erg_status run_batch(session *s, erg_evaluation *out, erg_error *error) {
  const erg_quantized *q = s->q;
  erg_status status = erg_integer_forward(s->integer, s->examples.input, error);
  if (status != ERG_OK) return status;
  const int16_t *codes = erg_integer_tensor(s->integer, s->node);
  for (int64_t i = 0; i < erg_shape_elements(q->graph->nodes[s->node].out); i++)
    s->logits[i] = erg_grid_real(q->grids[s->node], codes[i]);
  add_logits(s->logits, &s->examples, out);
  if (!s->reference || s->examples.first >= SQNR_EXAMPLES) return ERG_OK;
  out->sqnr_examples += s->examples.count;
  erg_float_forward(s->reference, s->examples.input);
  add_powers(q, s->integer, s->reference, &s->examples, &s->powers);
  return ERG_OK;
}

erg_status erg_evaluate(const erg_quantized *quantized, const erg_weights *weights, const erg_dataset *data,
                        erg_integer_model model, const erg_integer_machine *machine, erg_evaluation *out,
                        erg_error *error) {
  session s = {.q = quantized};
  *out = (erg_evaluation){.examples = data->count, .node_count = quantized->graph->node_count};
  erg_status status = open_session(&s, weights, data, model, machine, out, error);
  while (status == ERG_OK && erg_examples_next(&s.examples)) {
    status = run_batch(&s, out, error);
    if (machine && machine->progress) erg_progress_update(machine->progress, s.examples.first + s.examples.count, "");
  }
  if (status == ERG_OK) {
    erg_score_end(out);
    erg_integer_checked(s.integer, &out->checked_outputs, &out->mismatches);
    for (int id = 0; id < out->node_count; id++)
      out->sqnr_db[id] = weights && quantized->stored[id] ? 10 * log10(s.powers.signal[id] / s.powers.noise[id]) : NAN;
  } else {
    erg_evaluation_free(out);
  }
  erg_integer_close(s.integer);
  erg_float_close(s.reference);
  erg_examples_close(&s.examples);
  return status;
}

void erg_evaluation_free(erg_evaluation *evaluation) {
  erg_arena_free(&evaluation->arena);
  *evaluation = (erg_evaluation){0};
}
