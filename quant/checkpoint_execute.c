/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A schedule run over what lives in memory. */
#include "ergon/checkpoint.h"
#include <stdlib.h>

typedef struct {
  const erg_chain *chain;
  bool *tapes, *outputs; /* [count + 1]: kept */
  int running;           /* x that is there in full, or -1 */
  int gradient;          /* of x[gradient]; count + 1: the loss has not been taken */
  int64_t kept_bytes, peak_bytes;
  double cost;
} memory;

static int64_t full_bytes(const erg_chain *chain, int s) {
  return s == 0 ? chain->input_bytes : chain->stages[s - 1].output_bytes;
}

static void touch(memory *m, int64_t working_bytes) {
  if (m->kept_bytes + working_bytes > m->peak_bytes) m->peak_bytes = m->kept_bytes + working_bytes;
}

/* Whether x[s] is kept: the batch, a checkpoint, or in a tape. */
static bool is_kept(const memory *m, int s) {
  return s == 0 || m->outputs[s] || m->tapes[s];
}

static const char *forward(memory *m, erg_step step) {
  int s = step.stage;
  const erg_stage *g = &m->chain->stages[s - 1];
  bool from_kept = is_kept(m, s - 1);
  if (!from_kept && m->running != s - 1) return "its input is neither kept nor just computed";
  if (step.kind == ERG_STEP_FORWARD_TAPE && !from_kept) return "a tape is written, but its input is not kept";
  if (s > m->gradient) return "its backward is done";
  bool waits = m->gradient <= m->chain->count;
  if (step.kind == ERG_STEP_FORWARD_KEEP && !m->outputs[s]) m->outputs[s] = true, m->kept_bytes += g->kept_output_bytes;
  if (step.kind == ERG_STEP_FORWARD_TAPE && !m->tapes[s]) m->tapes[s] = true, m->kept_bytes += g->kept_tape_bytes;
  if (step.kind == ERG_STEP_FORWARD_KEEP) m->cost += g->keep_cost;
  const bool read_in_full = s > 1 && m->running == s - 1 && (m->chain->coded || !from_kept);
  touch(m, (read_in_full ? full_bytes(m->chain, s - 1) : 0) + full_bytes(m->chain, s) + g->forward_extra_bytes +
               (waits ? full_bytes(m->chain, m->gradient) : 0));
  m->running = s;
  m->cost += g->forward_cost;
  return NULL;
}

static const char *backward(memory *m, int s) {
  const erg_stage *g = &m->chain->stages[s - 1];
  if (m->gradient == m->chain->count + 1) {
    if (m->running != m->chain->count) return "the loss cannot be taken: the last output is not there";
    m->gradient = m->chain->count;
  }
  if (m->gradient != s) return "the gradient of its output is not there";
  if (!m->tapes[s]) return "its tape is not kept";
  if (!is_kept(m, s - 1)) return "its input is not kept";
  touch(m, full_bytes(m->chain, s) + full_bytes(m->chain, s - 1) + g->backward_extra_bytes);
  m->tapes[s] = false, m->kept_bytes -= g->kept_tape_bytes;
  if (m->outputs[s]) m->outputs[s] = false, m->kept_bytes -= g->kept_output_bytes;
  /* The checkpoint it began from serves nobody else once its own stage comes next. */
  m->running = -1;
  m->gradient = s - 1;
  if (s > 1 && m->outputs[s - 1]) m->outputs[s - 1] = false, m->kept_bytes -= m->chain->stages[s - 2].kept_output_bytes;
  m->cost += g->backward_cost;
  return NULL;
}

erg_status erg_checkpoint_execute(const erg_chain *chain, const erg_schedule *schedule, int64_t *peak_bytes,
                                  double *cost, erg_error *error) {
  memory m = {.chain = chain, .running = 0, .gradient = chain->count + 1};
  erg_status status = ERG_OK;
  m.tapes = calloc((size_t)chain->count + 1, sizeof *m.tapes);
  m.outputs = calloc((size_t)chain->count + 1, sizeof *m.outputs);
  if (!m.tapes || !m.outputs) {
    status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    goto out;
  }
  for (int i = 0; i < schedule->count && status == ERG_OK; i++) {
    erg_step step = schedule->steps[i];
    const char *why = step.stage < 1 || step.stage > chain->count ? "there is no such stage"
                      : step.kind == ERG_STEP_BACKWARD            ? backward(&m, step.stage)
                                                                  : forward(&m, step);
    if (why) status = erg_fail(error, ERG_ERR_MISMATCH, "step %d, stage %d: %s", i + 1, step.stage, why);
  }
  if (status == ERG_OK && (m.gradient != 0 || m.kept_bytes != 0))
    status = erg_fail(error, ERG_ERR_MISMATCH, "the schedule ends at x[%d] with %lld bytes kept", m.gradient,
                      (long long)m.kept_bytes);
  if (status == ERG_OK) *peak_bytes = m.peak_bytes, *cost = m.cost;
out:
  free(m.outputs);
  free(m.tapes);
  return status;
}

int64_t erg_checkpoint_all_bytes(const erg_chain *chain) {
  int64_t kept = 0, peak = 0;
  for (int s = 1; s <= chain->count; s++) { /* forward, then the backward steps with what is kept up to their stage */
    const erg_stage *g = &chain->stages[s - 1];
    kept += g->kept_tape_bytes;
    int64_t forward = kept + g->output_bytes + g->forward_extra_bytes +
                      (chain->coded && s > 1 ? full_bytes(chain, s - 1) : 0),
            backward = kept + g->output_bytes + full_bytes(chain, s - 1) + g->backward_extra_bytes;
    if (forward > peak) peak = forward;
    if (backward > peak) peak = backward;
  }
  return peak;
}
