/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A schedule run node by node over the buffers that live. */
#include "ergon/training_memory.h"
#include <stdlib.h>

typedef struct {
  const erg_training_stages *s;
  const erg_training_step *training;
  int bits;
  bool *full, *stored, *mask, *gradient; /* [node_count] buffers that live */
  bool *tape, *checkpoint;               /* [stages]: who wants stored copies */
  bool *done;                            /* [stages]: its forward has run before */
  bool loss;                             /* has been taken */
  int64_t live_bytes;
  erg_training_execution out;
  erg_error *error;
} run;

static bool shares(const run *r) { /* a copy in the width of the step is the buffer itself */
  return r->bits >= r->s->full_bits;
}

static bool has_mask(const run *r, int id) {
  return erg_training_has_mask(r->s->graph->nodes[id].op, r->bits, r->s->full_bits);
}

static int64_t bytes_of(const run *r, int id, bool stored) {
  return erg_stored_bytes(erg_shape_elements(r->s->graph->nodes[id].out), stored ? r->bits : r->s->full_bits,
                          r->s->full_bits);
}

/* Bytes of the values of a node: its buffer, its copy, or both where they are not one. */
static int64_t values_bytes(const run *r, int id) {
  if (shares(r)) return r->full[id] || r->stored[id] ? bytes_of(r, id, false) : 0;
  return (r->full[id] ? bytes_of(r, id, false) : 0) + (r->stored[id] ? bytes_of(r, id, true) : 0);
}

static int64_t node_bytes(const run *r, int id) {
  return values_bytes(r, id) + (r->mask[id] ? erg_mask_bytes(erg_shape_elements(r->s->graph->nodes[id].out)) : 0) +
         (r->gradient[id] ? bytes_of(r, id, false) : 0);
}

static void set(run *r, bool *buffer, int id, bool lives) {
  const int64_t before = node_bytes(r, id);
  buffer[id] = lives;
  r->live_bytes += node_bytes(r, id) - before;
  if (r->live_bytes > r->out.peak_bytes) r->out.peak_bytes = r->live_bytes;
}

static bool there(const run *r, int id) {
  return r->s->graph->nodes[id].op->role == ERG_ROLE_INPUT || r->full[id] || r->stored[id];
}

static erg_status missing(const run *r, int id, const char *what, int of) {
  return erg_fail(r->error, ERG_ERR_MISMATCH, "node %s: %s of %s is not there", r->s->graph->nodes[id].name, what,
                  r->s->graph->nodes[of].name);
}

/* Nothing but x[stage], and that in full, outlasts a step of forward; `next` is the stage that the next step runs. */
static void drop_running(run *r, int next) {
  for (int i = 0; i < r->s->count; i++)
    if (r->full[r->s->stages[i].last] && i != next - 1) set(r, r->full, r->s->stages[i].last, false);
}

static erg_status forward(run *r, erg_step step) {
  const int index = step.stage - 1;
  const erg_training_stage *g = &r->s->stages[index];
  const int before = index ? r->s->stages[index - 1].last : -1;
  const bool tape = step.kind == ERG_STEP_FORWARD_TAPE;
  drop_running(r, index);
  for (int id = g->first; id <= g->last; id++) {
    const erg_node *node = &r->s->graph->nodes[id];
    for (int i = 0; i < node->op->inputs; i++)
      if (!there(r, node->inputs[i])) return missing(r, id, "the value", node->inputs[i]);
    set(r, r->full, id, true);
    if ((tape && r->s->kept[id]) || (step.kind == ERG_STEP_FORWARD_KEEP && id == g->last)) {
      set(r, r->stored, id, true);
      if (tape) set(r, r->mask, id, has_mask(r, id));
      erg_training_add(tape ? &r->out.step : &r->out.recompute, &r->training->nodes[id][ERG_TRAINING_STORE]);
    }
    for (int from = g->first; from < id; from++)
      if (r->full[from] && r->s->last_reader[from] <= id) set(r, r->full, from, false);
    if (before >= 0 && r->full[before] && r->s->last_reader[before] <= id) set(r, r->full, before, false);
    erg_training_add(r->done[index] ? &r->out.recompute : &r->out.step, &r->training->nodes[id][ERG_TRAINING_FORWARD]);
  }
  r->done[index] = true;
  if (tape) r->tape[index] = true;
  if (step.kind == ERG_STEP_FORWARD_KEEP) r->checkpoint[index] = true;
  return ERG_OK;
}

/* A copy goes when neither its tape nor a checkpoint wants it. */
static void drop_stored(run *r, int index, int id) {
  const bool wanted = (r->tape[index] && r->s->kept[id]) || (r->checkpoint[index] && id == r->s->stages[index].last);
  if (r->stored[id] && !wanted) set(r, r->stored, id, false);
}

static erg_status node_backward(run *r, int id) {
  const erg_node *node = &r->s->graph->nodes[id];
  if (!r->s->learns[id]) return ERG_OK;
  if (!r->gradient[id]) return missing(r, id, "the gradient", id);
  if (has_mask(r, id) && !r->mask[id]) return missing(r, id, "the mask", id);
  if (erg_training_reads_output(node->op) && !has_mask(r, id) && !r->stored[id]) return missing(r, id, "the copy", id);
  for (int i = 0; i < node->op->inputs; i++) {
    const int from = node->inputs[i];
    const bool batch = r->s->graph->nodes[from].op->role == ERG_ROLE_INPUT;
    if (erg_training_reads_inputs(node->op) && !batch && !r->stored[from]) return missing(r, id, "the copy", from);
    if (r->s->learns[from] && !r->gradient[from]) set(r, r->gradient, from, true);
  }
  set(r, r->gradient, id, false);
  for (int part = ERG_TRAINING_INPUTS; part <= ERG_TRAINING_UPDATE; part++)
    erg_training_add(&r->out.step, &r->training->nodes[id][part]);
  return ERG_OK;
}

static erg_status backward(run *r, int stage) {
  const int index = stage - 1;
  const erg_training_stage *g = &r->s->stages[index];
  erg_status status = ERG_OK;
  if (!r->loss) { /* its gradient takes the place of the last output */
    if (stage != r->s->count || !r->full[g->last])
      return erg_fail(r->error, ERG_ERR_MISMATCH, "the loss cannot be taken: the last output is not there");
    set(r, r->full, g->last, false);
    set(r, r->gradient, g->last, true);
    r->loss = true;
  }
  drop_running(r, -1);
  if (!r->tape[index]) return erg_fail(r->error, ERG_ERR_MISMATCH, "stage %s: its tape is not kept", g->name);
  for (int id = g->last; id >= g->first && status == ERG_OK; id--) status = node_backward(r, id);
  r->tape[index] = r->checkpoint[index] = false;
  for (int id = g->first; id <= g->last; id++) {
    drop_stored(r, index, id);
    set(r, r->mask, id, false);
  }
  if (index) {
    r->checkpoint[index - 1] = false;
    drop_stored(r, index - 1, r->s->stages[index - 1].last);
  }
  return status;
}

static erg_status run_steps(run *r, const erg_schedule *schedule) {
  erg_status status = ERG_OK;
  for (int i = 0; i < schedule->count && status == ERG_OK; i++) {
    const erg_step step = schedule->steps[i];
    if (step.stage < 1 || step.stage > r->s->count)
      return erg_fail(r->error, ERG_ERR_MISMATCH, "step %d: there is no stage %d", i + 1, step.stage);
    status = step.kind == ERG_STEP_BACKWARD ? backward(r, step.stage) : forward(r, step);
  }
  if (status == ERG_OK && (!r->loss || r->live_bytes != 0))
    status =
        erg_fail(r->error, ERG_ERR_MISMATCH, "the schedule ends with %lld bytes that live", (long long)r->live_bytes);
  return status;
}

erg_status erg_training_execute(const erg_training_stages *s, const erg_training_step *training, int bits,
                                const erg_schedule *schedule, erg_training_execution *out, erg_error *error) {
  erg_arena arena = {0};
  const size_t nodes = (size_t)s->graph->node_count, stages = (size_t)s->count;
  run r = {.s = s, .training = training, .bits = bits, .error = error};
  r.full = erg_arena_alloc(&arena, nodes * sizeof(bool));
  r.stored = erg_arena_alloc(&arena, nodes * sizeof(bool));
  r.mask = erg_arena_alloc(&arena, nodes * sizeof(bool));
  r.gradient = erg_arena_alloc(&arena, nodes * sizeof(bool));
  r.tape = erg_arena_alloc(&arena, stages * sizeof(bool));
  r.checkpoint = erg_arena_alloc(&arena, stages * sizeof(bool));
  r.done = erg_arena_alloc(&arena, stages * sizeof(bool));
  erg_status status = r.full && r.stored && r.mask && r.gradient && r.tape && r.checkpoint && r.done
                          ? run_steps(&r, schedule)
                          : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  if (status == ERG_OK) *out = r.out;
  erg_arena_free(&arena);
  return status;
}
