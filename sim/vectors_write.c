/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files of a layer and their manifest. shape.hex holds the description in the words of rtl/dpi/ergon_dpi_pkg.sv, so
 * that a testbench needs no JSON. */
#include "ergon/vectors.h"
#include <string.h>

static int32_t float_bits(float value) {
  int32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

#define WORDS 32

/* word_e of the package, in its order. */
static void describe(const erg_vectors *v, int32_t words[WORDS]) {
  const erg_conv2d_shape *s = &v->conv;
  const erg_synth_layer *l = &v->layer;
  const erg_precision *p = &v->precision;
  const int32_t all[WORDS] = {s->in.n,
                              s->in.h,
                              s->in.w,
                              s->in.c,
                              s->filters,
                              s->kernel_h,
                              s->kernel_w,
                              s->stride_h,
                              s->stride_w,
                              s->pad_top,
                              s->pad_left,
                              s->groups,
                              s->out_h,
                              s->out_w,
                              s->dilation_h,
                              s->dilation_w,
                              p->accumulator_bits,
                              v->input_zero_point,
                              0,
                              l->zero_point,
                              l->low,
                              l->high,
                              v->residual != NULL,
                              l->residual_zero_point,
                              l->residual_scale.multiplier,
                              l->residual_scale.shift,
                              float_bits(l->residual_scale.real),
                              (int32_t)v->rule,
                              p->activation_bits,
                              p->weight_bits,
                              p->output_bits};
  memcpy(words, all, sizeof all);
}

static json_t *shape_json(const erg_conv2d_shape *s) {
  return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "n", s->in.n,
                   "h", s->in.h, "w", s->in.w, "c", s->in.c, "filters", s->filters, "kernel_h", s->kernel_h, "kernel_w",
                   s->kernel_w, "stride_h", s->stride_h, "stride_w", s->stride_w, "pad_top", s->pad_top, "pad_left",
                   s->pad_left, "groups", s->groups, "out_h", s->out_h, "out_w", s->out_w, "dilation_h",
                   s->dilation_h > 1 ? s->dilation_h : 1, "dilation_w", s->dilation_w > 1 ? s->dilation_w : 1);
}

static void fill_manifest(const erg_vectors *v, json_t *files, json_t *envelope) {
  const erg_synth_layer *l = &v->layer;
  const erg_precision *p = &v->precision;
  char name[32];
  json_object_set_new(envelope, "layer", json_string(v->name));
  json_object_set_new(envelope, "seed", json_integer((json_int_t)v->seed));
  json_object_set_new(envelope, "parameters", json_string("synthetic: seeded and calibrated, not trained"));
  json_object_set_new(envelope, "rule", json_string(erg_rule_names[v->rule]));
  json_object_set_new(envelope, "precision",
                      json_pack("{s:s, s:i, s:i, s:i, s:i}", "name", erg_precision_name(p, name), "weight_bits",
                                p->weight_bits, "activation_bits", p->activation_bits, "accumulator_bits",
                                p->accumulator_bits, "output_bits", p->output_bits));
  json_object_set_new(envelope, "shape", shape_json(&v->conv));
  json_object_set_new(envelope, "zero_points",
                      json_pack("{s:i, s:i, s:i}", "input", v->input_zero_point, "weight", 0, "output", l->zero_point));
  json_object_set_new(envelope, "clamp", json_pack("{s:i, s:i}", "low", l->low, "high", l->high));
  json_object_set_new(envelope, "residual",
                      v->residual ? json_pack("{s:i, s:i, s:i}", "zero_point", l->residual_zero_point, "multiplier",
                                              l->residual_scale.multiplier, "shift", l->residual_scale.shift)
                                  : json_null());
  json_object_set_new(envelope, "files", files);
}

erg_status erg_vectors_write(const erg_vectors *v, const char *folder, json_t *envelope, erg_error *error) {
  const erg_conv2d_shape *s = &v->conv;
  const erg_precision *p = &v->precision;
  int32_t words[WORDS];
  erg_arena arena = {0};
  int32_t *scale = erg_arena_alloc(&arena, 3 * sizeof *scale * (size_t)s->filters);
  if (!scale) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int k = 0; k < s->filters; k++) {
    scale[3 * k] = v->layer.scale[k].multiplier;
    scale[3 * k + 1] = v->layer.scale[k].shift;
    scale[3 * k + 2] = float_bits(v->layer.scale[k].real);
  }
  describe(v, words);
  const erg_vector_file files[] = {
      {"shape", "words of ergon_dpi_pkg::word_e", words, 4, 32, 1, {WORDS}},
      {"input", "N, H, W, C", v->input, 2, p->activation_bits, 4, {s->in.n, s->in.h, s->in.w, s->in.c}},
      {"weight",
       "K, R, S, C/groups",
       v->layer.weight,
       2,
       p->weight_bits,
       4,
       {s->filters, s->kernel_h, s->kernel_w, s->in.c / s->groups}},
      {"bias", "K", v->layer.bias, 8, p->accumulator_bits, 1, {s->filters}},
      {"scale", "K, (multiplier, shift, bits of the float32 multiplier)", scale, 4, 32, 2, {s->filters, 3}},
      {"accumulator",
       "N, P, Q, K: before the bias, wrapped",
       v->accumulator,
       8,
       p->accumulator_bits,
       4,
       {s->in.n, s->out_h, s->out_w, s->filters}},
      {"expected", "N, P, Q, K", v->expected, 2, p->output_bits, 4, {s->in.n, s->out_h, s->out_w, s->filters}},
      {"residual", "N, P, Q, K", v->residual, 2, p->activation_bits, 4, {s->in.n, s->out_h, s->out_w, s->filters}},
  };
  json_t *list = json_array();
  erg_status status = ERG_OK;
  for (size_t i = 0; i < ERG_COUNT_OF(files) && status == ERG_OK; i++) {
    json_t *entry = NULL;
    if (!files[i].elements) continue;
    status = erg_vector_write(folder, &files[i], &entry, error);
    if (entry) json_array_append_new(list, entry);
  }
  if (status == ERG_OK)
    fill_manifest(v, list, envelope);
  else
    json_decref(list);
  erg_arena_free(&arena);
  return status;
}
