/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One array pass made ready for a testbench: reached through a network with the golden kernels, or drawn at random. */
#include "ergon/vectors.h"
#include "vector_golden.h"
#include <math.h>
#include <string.h>

typedef struct {
  int16_t *codes;
  int32_t zero_point;
} tensor;

static erg_status out_of_memory(erg_error *error) {
  return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
}

static erg_status check_precision(const erg_precision *p, erg_error *error) {
  char name[32];
  if (erg_precision_is_int(p)) return ERG_OK;
  return erg_fail(error, ERG_ERR_UNSUPPORTED, "vectors: found precision %s; golden vectors exist for integers",
                  erg_precision_name(p, name));
}

/* Parameters for the pass on the input that `v` holds; then the golden kernel, accumulators apart when they are asked
 * for. */
static erg_status complete(erg_vectors *v, const erg_pass *pass, int32_t residual_zero_point, bool accumulators,
                           erg_error *error) {
  const erg_conv2d_shape *s = &pass->conv;
  size_t outputs = (size_t)erg_shape_elements(pass->out_shape);
  erg_status status = erg_synth_make(&v->arena, pass, &v->precision, v->seed, v->input, v->input_zero_point,
                                     v->residual, residual_zero_point, &v->layer, error);
  if (status != ERG_OK) return status;
  v->conv = *s;
  v->name = erg_arena_strdup(&v->arena, pass->name);
  for (int k = 0; k < s->filters; k++) v->layer.bias[k] = erg_wrap(v->layer.bias[k], v->precision.accumulator_bits);
  v->expected = erg_arena_alloc(&v->arena, outputs * sizeof *v->expected);
  if (accumulators) v->accumulator = erg_arena_alloc(&v->arena, outputs * sizeof *v->accumulator);
  if (!v->name || !v->expected || (accumulators && !v->accumulator)) return out_of_memory(error);
  erg_epilogue epilogue = {.bias = v->layer.bias,
                           .scale = v->layer.scale,
                           .zero_point = v->layer.zero_point,
                           .low = v->layer.low,
                           .high = v->layer.high,
                           .residual = v->residual,
                           .residual_zero_point = v->layer.residual_zero_point,
                           .residual_scale = v->layer.residual_scale,
                           .rule = v->rule};
  if (accumulators)
    status = erg_conv2d_accumulate_s16(s, v->input, v->input_zero_point, v->layer.weight, v->precision.accumulator_bits,
                                       v->accumulator, error);
  if (status != ERG_OK) return status;
  return erg_conv2d_s16(s, v->input, v->input_zero_point, v->layer.weight, v->precision.accumulator_bits, &epilogue,
                        v->expected, error);
}

/* ---------------------------------------------------------------- through a network */

static int find_pass(const erg_plan *plan, const char *name, erg_error *error) {
  const char *names[1024] = {NULL};
  int count = 0;
  for (int i = 0; i < plan->pass_count; i++) {
    const erg_pass *pass = &plan->passes[i];
    if (pass->kind == ERG_PASS_ARRAY && strcmp(pass->name, name) == 0) return i;
    if (pass->kind == ERG_PASS_ARRAY && count < 1023) names[count++] = pass->name;
  }
  char list[512] = "";
  for (int i = 0; i < count && strlen(list) + strlen(names[i]) + 8 < sizeof list; i++)
    snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", names[i]);
  const char *nearest = erg_nearest(name, names);
  erg_fail(error, ERG_ERR_USAGE, "--layer: found '%s'%s%s%s; layers of the array in %s: %s%s", name,
           nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "", plan->graph->name, list,
           count && !strstr(list, names[count - 1]) ? ", ..." : "");
  return -1;
}

static erg_status need_input(const erg_point *point, erg_arena *arena, tensor *tensors, int id, erg_error *error) {
  const erg_node *node = &point->graph->nodes[id];
  if (tensors[id].codes || node->op->role != ERG_ROLE_INPUT) return ERG_OK;
  return erg_synth_input(arena, node->out, point->precision.activation_bits, point->seed + (uint64_t)id,
                         &tensors[id].codes, &tensors[id].zero_point, error);
}

static erg_status run_vector(const erg_point *point, erg_arena *arena, const erg_pass *pass, tensor *tensors,
                             erg_error *error) {
  const tensor *a = &tensors[pass->inputs[0]], *b = pass->input_count > 1 ? &tensors[pass->inputs[1]] : NULL;
  tensor *output = &tensors[pass->output];
  output->codes = erg_arena_alloc(arena, sizeof *output->codes * (size_t)erg_shape_elements(pass->out_shape));
  if (!output->codes) return out_of_memory(error);
  erg_vector_data data = {a->codes, b ? b->codes : NULL, a->zero_point, b ? b->zero_point : 0, output->codes, 0};
  erg_status status = erg_vector_golden(point->graph, pass, &point->precision, point->seed, &data, error);
  output->zero_point = data.output_zero_point;
  return status;
}

static erg_status copy_codes(erg_arena *arena, const tensor *from, erg_shape shape, int16_t **out, erg_error *error) {
  size_t bytes = sizeof **out * (size_t)erg_shape_elements(shape);
  *out = erg_arena_alloc(arena, bytes);
  if (!*out) return out_of_memory(error);
  memcpy(*out, from->codes, bytes);
  return ERG_OK;
}

/* The pass with its input and residual copied into `v`, which outlives the network's tensors. */
static erg_status run_array(const erg_pass *pass, const tensor *tensors, const erg_graph *graph, bool accumulators,
                            erg_vectors *v, erg_error *error) {
  const tensor *input = &tensors[pass->inputs[0]], *residual = pass->residual >= 0 ? &tensors[pass->residual] : NULL;
  erg_status status = copy_codes(&v->arena, input, graph->nodes[pass->inputs[0]].out, &v->input, error);
  v->input_zero_point = input->zero_point;
  if (status == ERG_OK && residual) status = copy_codes(&v->arena, residual, pass->out_shape, &v->residual, error);
  if (status != ERG_OK) return status;
  return complete(v, pass, residual ? residual->zero_point : 0, accumulators, error);
}

static erg_status run_network(const erg_point *point, const erg_plan *plan, int target, const erg_vectors *start,
                              erg_vectors *v, erg_error *error) {
  erg_arena arena = {0};
  tensor *tensors = erg_arena_alloc(&arena, sizeof *tensors * (size_t)point->graph->node_count);
  if (!tensors) return out_of_memory(error);
  erg_status status = ERG_OK;
  for (int i = 0; i <= target && status == ERG_OK; i++) {
    const erg_pass *pass = &plan->passes[i];
    for (int k = 0; k < pass->input_count && status == ERG_OK; k++)
      status = need_input(point, &arena, tensors, pass->inputs[k], error);
    if (status != ERG_OK) break;
    if (pass->kind != ERG_PASS_ARRAY) {
      status = run_vector(point, &arena, pass, tensors, error);
      continue;
    }
    erg_vectors here = *start;
    status = run_array(pass, tensors, point->graph, i == target, &here, error);
    if (i == target) {
      *v = here;
      break;
    }
    if (status == ERG_OK) {
      const tensor output = {here.expected, here.layer.zero_point};
      tensors[pass->output].zero_point = output.zero_point;
      status = copy_codes(&arena, &output, pass->out_shape, &tensors[pass->output].codes, error);
      if (status == ERG_OK)
        status = erg_table_golden(pass, &point->precision, tensors[pass->output].codes,
                                  &tensors[pass->output].zero_point, error);
    }
    erg_arena_free(&here.arena);
  }
  erg_arena_free(&arena);
  return status;
}

erg_status erg_vectors_layer(const erg_point *point, const char *name, erg_rule rule, erg_vectors *out,
                             erg_error *error) {
  erg_plan plan;
  erg_vectors start = {.precision = point->precision, .rule = rule, .seed = point->seed}, v = start;
  erg_status status = check_precision(&point->precision, error);
  if (status != ERG_OK) return status;
  if (point->precision.output_bits != point->precision.activation_bits)
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "vectors: outputs of %d bits do not feed inputs of %d bits",
                    point->precision.output_bits, point->precision.activation_bits);
  if (point->fusion != ERG_FUSION_EPILOGUE)
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "vectors: expected results are those of the fused epilogue; found %s",
                    erg_fusion_names[point->fusion]);
  status = erg_plan_build(point->graph, point->fusion, erg_judge_fusion, (void *)point, &plan, error);
  if (status != ERG_OK) return status;
  int target = find_pass(&plan, name, error);
  status = target < 0 ? ERG_ERR_USAGE : run_network(point, &plan, target, &start, &v, error);
  erg_plan_free(&plan);
  if (status == ERG_OK)
    *out = v;
  else
    erg_arena_free(&v.arena);
  return status;
}

/* ---------------------------------------------------------------- at random */

static int draw(erg_random *random, int low, int high) {
  return (int)erg_random_range(random, low, high);
}

static void draw_axis(erg_random *random, int *extent, int *kernel, int *stride, int *pad, int *dilation, int *out) {
  *kernel = draw(random, 1, 4);
  *dilation = draw(random, 1, 2);
  int span = (*kernel - 1) * *dilation + 1;
  *stride = draw(random, 1, 3);
  *pad = draw(random, 0, (span - 1) / 2);
  *extent = draw(random, span, span + 9);
  *out = (*extent + 2 * *pad - span) / *stride + 1;
}

static void draw_pass(erg_random *random, erg_pass *pass) {
  erg_conv2d_shape *s = &pass->conv;
  *pass = (erg_pass){.name = "random", .kind_name = "array", .kind = ERG_PASS_ARRAY, .residual = -1};
  s->in.n = draw(random, 1, 2);
  s->groups = draw(random, 1, 3);
  s->in.c = s->groups * draw(random, 1, 12);
  s->filters = s->groups * draw(random, 1, 10);
  draw_axis(random, &s->in.h, &s->kernel_h, &s->stride_h, &s->pad_top, &s->dilation_h, &s->out_h);
  draw_axis(random, &s->in.w, &s->kernel_w, &s->stride_w, &s->pad_left, &s->dilation_w, &s->out_w);
  pass->clamp = draw(random, 0, 1);
  pass->clamp_high = draw(random, 0, 1) ? (double)INFINITY : 6.0;
  pass->residual = draw(random, 0, 1) ? 0 : -1;
  pass->in_shape = s->in;
  pass->out_shape = (erg_shape){s->in.n, s->out_h, s->out_w, s->filters};
}

erg_status erg_vectors_random(const erg_precision *precision, uint64_t seed, erg_rule rule, erg_vectors *out,
                              erg_error *error) {
  erg_vectors v = {.precision = *precision, .rule = rule, .seed = seed};
  erg_random random;
  erg_pass pass;
  int32_t residual_zero_point = 0;
  erg_status status = check_precision(precision, error);
  if (status != ERG_OK) return status;
  erg_random_stream(&random, seed, "vectors");
  draw_pass(&random, &pass);
  /* The synthetic maker samples undilated windows, so it calibrates on the neighbouring map: only the spread of the
   * outputs feels that. */
  status =
      erg_synth_input(&v.arena, pass.in_shape, precision->activation_bits, seed, &v.input, &v.input_zero_point, error);
  if (status == ERG_OK && pass.residual >= 0)
    status = erg_synth_input(&v.arena, pass.out_shape, precision->activation_bits, seed + 1, &v.residual,
                             &residual_zero_point, error);
  if (status == ERG_OK) status = complete(&v, &pass, residual_zero_point, true, error);
  if (status == ERG_OK)
    *out = v;
  else
    erg_arena_free(&v.arena);
  return status;
}

void erg_vectors_free(erg_vectors *vectors) {
  erg_arena_free(&vectors->arena);
}
