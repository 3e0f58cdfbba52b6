/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network in integers, pass by pass. Whatever runs an array pass, what it gives is the golden kernel's result. */
#include "integer_run.h"
#include "ergon/fast.h"
#include "find.h"
#include "vector_pass.h"
#include <stdlib.h>

const char *const erg_integer_names[] = {"fast", "golden", "rtl", NULL};

struct erg_integer_run {
  const erg_quantized *q;
  erg_integer_model model;
  erg_arena arena;
  int input;
  int16_t **tensors;            /* by node, the stored ones */
  erg_fast_conv2d **convs;      /* by pass: FAST */
  int16_t *golden;              /* RTL: room for the largest output */
  erg_quant_array array;        /* RTL */
  uint64_t checked, mismatches; /* RTL */
};

static erg_status make_tensors(erg_integer_run *run, erg_error *error) {
  const erg_graph *graph = run->q->graph;
  int64_t most = 0;
  run->tensors = erg_arena_alloc(&run->arena, sizeof *run->tensors * (size_t)graph->node_count);
  if (!run->tensors) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int id = 0; id < graph->node_count; id++) {
    int64_t count = erg_shape_elements(graph->nodes[id].out);
    if (count > most) most = count;
    if (!run->q->stored[id]) continue;
    run->tensors[id] = erg_arena_alloc(&run->arena, sizeof(int16_t) * (size_t)count);
    if (!run->tensors[id]) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  if (run->model != ERG_INTEGER_RTL) return ERG_OK;
  run->golden = erg_arena_alloc(&run->arena, sizeof(int16_t) * (size_t)most);
  return run->golden ? ERG_OK : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
}

/* A small layer is done before oneDNN's threads have woken up. */
#define SMALL_MACS (1 << 23)

static erg_status prepare_conv(const erg_pass *pass, const erg_quantized_layer *l, erg_fast_conv2d **out,
                               erg_error *error) {
  int top = (1 << (l->input.bits - 1)) - 1;
  bool small = erg_conv2d_macs(&pass->conv) < SMALL_MACS;
  if (small && erg_fast_conv2d_prepare(&pass->conv, l->input.zero_point, -top - 1, top, l->codes.weight,
                                       l->precision.accumulator_bits, ERG_FAST_BLOCKED, out, NULL) == ERG_OK)
    return ERG_OK; /* else: whatever can */
  return erg_fast_conv2d_prepare(&pass->conv, l->input.zero_point, -top - 1, top, l->codes.weight,
                                 l->precision.accumulator_bits, ERG_FAST_AUTO, out, error);
}

static erg_status prepare_convs(erg_integer_run *run, erg_error *error) {
  const erg_plan *plan = &run->q->plan;
  run->convs = erg_arena_alloc(&run->arena, sizeof(void *) * (size_t)plan->pass_count);
  if (!run->convs) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  erg_status status = ERG_OK;
  for (int i = 0; i < plan->pass_count && status == ERG_OK; i++)
    if (plan->passes[i].kind == ERG_PASS_ARRAY)
      status = prepare_conv(&plan->passes[i], &run->q->layers[i], &run->convs[i], error);
  return status;
}

static erg_status prepare(erg_integer_run *run, const erg_integer_machine *machine, erg_error *error) {
  run->input = erg_input_node(run->q->graph, error);
  if (run->input < 0) return ERG_ERR_DATA;
  erg_status status = make_tensors(run, error);
  if (status == ERG_OK && run->model == ERG_INTEGER_FAST) status = prepare_convs(run, error);
  if (status == ERG_OK && run->model == ERG_INTEGER_RTL)
    status = machine ? erg_quant_array_open(run->q, machine, &run->array, error)
                     : erg_fail(error, ERG_ERR_INTERNAL, "model rtl needs a machine");
  return status;
}

erg_status erg_integer_open(const erg_quantized *quantized, erg_integer_model model, const erg_integer_machine *machine,
                            erg_integer_run **out, erg_error *error) {
  *out = NULL;
  erg_integer_run *run = calloc(1, sizeof *run);
  if (!run) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  run->q = quantized;
  run->model = model;
  erg_status status = prepare(run, machine, error);
  if (status == ERG_OK)
    *out = run;
  else
    erg_integer_close(run);
  return status;
}

static erg_status check_array(erg_integer_run *run, const erg_quantized_layer *l, const int16_t *input,
                              const int16_t *residual, const int16_t *golden, int16_t *output, erg_error *error) {
  erg_status status = erg_quant_array_run(&run->array, run->q, l, input, residual, output, error);
  if (status != ERG_OK) return status;
  int64_t count = erg_shape_elements(run->q->plan.passes[l->pass].out_shape);
  for (int64_t i = 0; i < count; i++) run->mismatches += golden[i] != output[i];
  run->checked += (uint64_t)count;
  return ERG_OK;
}

static erg_status run_array(erg_integer_run *run, const erg_quantized_layer *l, erg_error *error) {
  const erg_pass *pass = &run->q->plan.passes[l->pass];
  const int16_t *input = run->tensors[pass->inputs[0]];
  const int16_t *residual = pass->residual >= 0 ? run->tensors[pass->residual] : NULL;
  int16_t *output = run->tensors[pass->output];
  const erg_epilogue epilogue = {.bias = l->codes.bias,
                                 .scale = l->codes.scale,
                                 .zero_point = l->codes.zero_point,
                                 .low = l->codes.low,
                                 .high = l->codes.high,
                                 .residual = residual,
                                 .residual_zero_point = l->codes.residual_zero_point,
                                 .residual_scale = l->codes.residual_scale};
  erg_status status;
  if (run->model == ERG_INTEGER_FAST)
    status = erg_fast_conv2d_run(run->convs[l->pass], input, &epilogue, output, error);
  else
    status = erg_conv2d_s16(&pass->conv, input, l->input.zero_point, l->codes.weight, l->precision.accumulator_bits,
                            &epilogue, run->golden ? run->golden : output, error);
  if (status == ERG_OK && run->golden) status = check_array(run, l, input, residual, run->golden, output, error);
  if (status == ERG_OK && pass->gate)
    status = erg_gate_s16(erg_shape_elements(pass->out_shape), output, l->table_bits, l->table, output, error);
  return status;
}

erg_status erg_integer_forward(erg_integer_run *run, const double *input, erg_error *error) {
  const erg_quantized *q = run->q;
  int64_t count = erg_shape_elements(q->graph->nodes[run->input].out);
  for (int64_t i = 0; i < count; i++)
    run->tensors[run->input][i] = erg_quantization_round(q->grids[run->input], (long double)input[i]);
  erg_status status = ERG_OK;
  for (int i = 0; i < q->plan.pass_count && status == ERG_OK; i++) {
    const erg_pass *pass = &q->plan.passes[i];
    const int16_t *b = pass->input_count > 1 ? run->tensors[pass->inputs[1]] : NULL;
    status = pass->kind == ERG_PASS_ARRAY ? run_array(run, &q->layers[i], error)
                                          : erg_vector_run(q, &q->layers[i], run->tensors[pass->inputs[0]], b,
                                                           run->tensors[pass->output], error);
  }
  return status;
}

const int16_t *erg_integer_tensor(const erg_integer_run *run, int node) {
  return run->tensors[node];
}

void erg_integer_checked(const erg_integer_run *run, uint64_t *outputs, uint64_t *mismatches) {
  *outputs = run->checked;
  *mismatches = run->mismatches;
}

void erg_integer_close(erg_integer_run *run) {
  if (!run) return;
  for (int i = 0; run->convs && i < run->q->plan.pass_count; i++) erg_fast_conv2d_free(run->convs[i]);
  if (run->array.rtl) erg_quant_array_close(&run->array);
  erg_arena_free(&run->arena);
  free(run);
}
