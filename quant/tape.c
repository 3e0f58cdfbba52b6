/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ergon/tape.h"
#include <stdlib.h>
#include <string.h>

/* Memory of a step: blocks that are filled from the front and kept when the step is over. */
typedef struct block {
  struct block *next;
  int64_t size, used;
  double data[];
} block;

#define LEAST_BLOCK ((int64_t)1 << 17) /* 1 MB */
#define MOST_VARIABLES 65536

typedef struct {
  erg_shape shape;
  int64_t elements;
  const double *value;
  double *gradient;      /* NULL: not needed, or not yet */
  bool needed;           /* some parameter is among what it was made of */
  const erg_tape_op *op; /* NULL: a constant or a parameter */
  int inputs[ERG_TAPE_INPUTS];
  erg_tape_step step;
  int64_t scratch;
} variable;

struct erg_tape {
  block *first, *current;
  variable *variables;
  int count, room;
};

const erg_tape_op *erg_tape_op_find(const char *name) {
  ERG_EACH(erg_tape_op, item) if (strcmp((*item)->name, name) == 0) return *item;
  return NULL;
}

erg_tape *erg_tape_new(void) {
  return calloc(1, sizeof(erg_tape));
}

void erg_tape_free(erg_tape *tape) {
  if (!tape) return;
  for (block *b = tape->first, *next; b; b = next) {
    next = b->next;
    free(b);
  }
  free(tape->variables);
  free(tape);
}

void erg_tape_reset(erg_tape *tape) {
  for (block *b = tape->first; b; b = b->next) b->used = 0;
  tape->current = tape->first;
  tape->count = 0;
}

static double *reserve(erg_tape *tape, int64_t elements) {
  elements = (elements + 7) & ~(int64_t)7; /* cache lines */
  block *b = tape->current;
  while (b && b->size - b->used < elements) b = b->next;
  if (!b) {
    int64_t size = elements > LEAST_BLOCK ? elements : LEAST_BLOCK;
    b = malloc(sizeof *b + sizeof *b->data * (size_t)size);
    if (!b) return NULL;
    *b = (block){.size = size};
    block **end = &tape->first;
    while (*end) end = &(*end)->next;
    *end = b;
  }
  tape->current = b;
  b->used += elements;
  return b->data + b->used - elements;
}

static int no_memory(erg_error *error) {
  erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  return -1;
}

static variable *add(erg_tape *tape, erg_shape shape) {
  if (tape->count == tape->room) {
    int room = tape->room ? 2 * tape->room : 64;
    variable *more = room > MOST_VARIABLES ? NULL : realloc(tape->variables, sizeof *more * (size_t)room);
    if (!more) return NULL;
    tape->variables = more;
    tape->room = room;
  }
  variable *v = &tape->variables[tape->count++];
  *v = (variable){.shape = shape, .elements = erg_shape_elements(shape)};
  return v;
}

int erg_tape_constant(erg_tape *tape, erg_shape shape, const double *values, erg_error *error) {
  variable *v = add(tape, shape);
  if (!v) return no_memory(error);
  v->value = values;
  return tape->count - 1;
}

int erg_tape_parameter(erg_tape *tape, erg_shape shape, const double *values, double *gradient, erg_error *error) {
  int id = erg_tape_constant(tape, shape, values, error);
  if (id < 0) return id;
  tape->variables[id].gradient = gradient;
  tape->variables[id].needed = gradient != NULL;
  return id;
}

int erg_tape_apply(erg_tape *tape, const erg_tape_op *op, const erg_tape_attrs *attrs, const int *inputs,
                   erg_error *error) {
  erg_tape_step step = {0};
  int64_t saved = 0, scratch = 0;
  bool needed = false;
  if (attrs) step.attrs = *attrs;
  for (int i = 0; i < op->inputs; i++) {
    if (inputs[i] < 0 || inputs[i] >= tape->count) return -1;
    const variable *from = &tape->variables[inputs[i]];
    step.in[i] = from->shape;
    step.x[i] = from->value;
    needed |= from->needed;
  }
  if (op->infer(&step.attrs, step.in, &step.out, &saved, &scratch, error) != ERG_OK) return -1;
  variable *v = add(tape, step.out);
  if (!v) return no_memory(error);
  step.y = reserve(tape, v->elements);
  step.saved = reserve(tape, saved);
  block *before = tape->current;
  int64_t used = before ? before->used : 0;
  step.scratch = reserve(tape, scratch);
  if (!step.y || !step.saved || !step.scratch) {
    tape->count--;
    return no_memory(error);
  }
  op->forward(&step);
  if (tape->current == before && before) before->used = used; /* scratch is free again */
  v->value = step.y;
  v->needed = needed;
  v->op = op;
  memcpy(v->inputs, inputs, sizeof *inputs * (size_t)op->inputs);
  v->step = step;
  v->scratch = scratch;
  return tape->count - 1;
}

erg_shape erg_tape_shape(const erg_tape *tape, int id) {
  return tape->variables[id].shape;
}

const double *erg_tape_value(const erg_tape *tape, int id) {
  return tape->variables[id].value;
}

double *erg_tape_overwrite(erg_tape *tape, int variable) {
  return tape->variables[variable].op ? tape->variables[variable].step.y : NULL;
}

const double *erg_tape_gradient(const erg_tape *tape, int id) {
  return tape->variables[id].gradient;
}

static bool own_gradient(erg_tape *tape, variable *v) {
  v->gradient = reserve(tape, v->elements);
  if (v->gradient) memset(v->gradient, 0, sizeof *v->gradient * (size_t)v->elements);
  return v->gradient != NULL;
}

erg_status erg_tape_backward(erg_tape *tape, int id, erg_error *error) {
  if (id < 0 || id >= tape->count || tape->variables[id].elements != 1)
    return erg_fail(error, ERG_ERR_DATA, "backward: allowed: a variable of one element");
  for (int i = 0; i <= id; i++) {
    variable *v = &tape->variables[i];
    if (v->op && v->needed && !own_gradient(tape, v)) return no_memory(error), ERG_ERR_INTERNAL;
  }
  if (!tape->variables[id].gradient) return ERG_OK; /* nothing to learn */
  tape->variables[id].gradient[0] = 1;
  for (int i = id; i >= 0; i--) {
    variable *v = &tape->variables[i];
    if (!v->op || !v->needed) continue;
    block *before = tape->current;
    int64_t used = before->used;
    v->step.scratch = reserve(tape, v->scratch);
    if (!v->step.scratch) return no_memory(error), ERG_ERR_INTERNAL;
    for (int k = 0; k < v->op->inputs; k++) v->step.dx[k] = tape->variables[v->inputs[k]].gradient;
    v->step.dy = v->gradient;
    v->op->backward(&v->step);
    if (tape->current == before) before->used = used;
  }
  return ERG_OK;
}
