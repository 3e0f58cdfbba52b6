/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ledger: every array pass through SystemC with the Verilated array, against the golden kernel and the formula. The
 * two sides share their inputs (codes and parameters) and nothing else. */
#include "dataflow.h"
#include "vector_golden.h"
#include "verify_look.h"
#include "verify_row.h"
#include "verify_unit.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A tensor of the running network: codes and their zero point. */
typedef struct {
  int16_t *codes;
  int32_t zero_point;
} tensor;

struct variant {
  struct variant *next;
  erg_precision precision;
  erg_rtl *rtl, *other;
};

typedef struct {
  const erg_point *point;
  const erg_verify_options *options;
  erg_plan plan;
  erg_arena arena;          /* tensors and parameters */
  tensor *tensors;          /* by node */
  int *last_use;            /* by node: last pass that reads it */
  erg_rtl *rtl, *other;     /* of the pass at hand; other: the same foreign array, begun from other random bits */
  struct variant *variants; /* every array that was opened: with a precision plan, one a set of widths */
  erg_rtl_norm *units[17];  /* by bits; opened when a norm or a table comes */
  erg_progress progress;
  double macs_done;
  erg_verify_result *result;
} session;

static void on_progress(void *context, double macs_done) {
  session *s = context;
  erg_progress_update(&s->progress, s->macs_done + macs_done, NULL);
}

static erg_status make_tensor(session *s, int node, erg_shape shape, erg_error *error) {
  s->tensors[node].codes = malloc(sizeof(int16_t) * (size_t)erg_shape_elements(shape));
  return s->tensors[node].codes ? ERG_OK : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
}

/* Maps that no later pass reads are given back: VGG's would fill gigabytes over a batch. */
static void release_tensors(session *s, int pass) {
  for (int node = 0; node < s->point->graph->node_count; node++)
    if (s->last_use[node] == pass) {
      free(s->tensors[node].codes);
      s->tensors[node].codes = NULL;
    }
}

static erg_status run_golden(const session *s, const erg_pass *pass, const erg_synth_layer *layer, int16_t *output,
                             erg_error *error) {
  const erg_precision p = erg_precision_at(s->point, pass);
  const tensor *input = &s->tensors[pass->inputs[0]];
  erg_epilogue epilogue = {.bias = layer->bias,
                           .scale = layer->scale,
                           .zero_point = layer->zero_point,
                           .low = layer->low,
                           .high = layer->high,
                           .residual = pass->residual >= 0 ? s->tensors[pass->residual].codes : NULL,
                           .residual_zero_point = layer->residual_zero_point,
                           .residual_scale = layer->residual_scale,
                           .rule = s->options->rule};
  return erg_conv2d_s16(&pass->conv, input->codes, input->zero_point, layer->weight, p.accumulator_bits, &epilogue,
                        output, error);
}

/* The layer on the array; a foreign one also from other random bits. What a foreign array does wrong is a finding. */
static erg_status run_array(session *s, const erg_geometry *g, const erg_mapping *driven, const erg_pass *pass,
                            erg_rtl_run *run, erg_verify_row *row, erg_error *error) {
  erg_error fault = {0};
  if (s->other) erg_rtl_gaps(s->rtl, run->gap_probability, run->gap_seed);
  erg_status status = erg_systemc(s->point->arch, g, driven, &pass->int_counts, run, &row->activity, &fault);
  if (status == ERG_OK && s->other) {
    erg_activity again;
    erg_rtl_run second = *run;
    second.rtl = s->other;
    second.progress = NULL;
    second.output = malloc(sizeof(int16_t) * row->outputs);
    if (!second.output) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    status = erg_systemc(s->point->arch, g, driven, &pass->int_counts, &second, &again, &fault);
    if (status == ERG_OK) erg_row_compare_starts(pass->out_shape, run->output, second.output, row);
    free(second.output);
  }
  if (status == ERG_ERR_INTERNAL && s->other) {
    status = ERG_ERR_MISMATCH;
    row->status = "fault";
    const char *text = fault.text ? fault.text : "failed", *colon = strstr(text, ": "); /* behind "SystemC model" */
    snprintf(row->reason, sizeof row->reason, "%s", colon ? colon + 2 : text);
  } else if (status != ERG_OK) {
    erg_fail(error, status, "%s", fault.text ? fault.text : "failed");
  }
  erg_error_clear(&fault);
  return status;
}

/* A point whose precision is the pass's own: what its array is built for and its parameters are made of. */
static erg_point array_point(const erg_point *point, const erg_pass *pass) {
  erg_point own = *point;
  own.precision = erg_precision_at(point, pass);
  return own;
}

/* The array of these widths, opened if none is yet. */
static erg_status use_array(session *s, const erg_point *point, erg_error *error) {
  struct variant *v = s->variants;
  erg_status status = ERG_OK;
  while (v && memcmp(&v->precision, &point->precision, sizeof v->precision) != 0) v = v->next;
  if (!v) {
    v = erg_arena_alloc(&s->arena, sizeof *v);
    if (!v) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    *v = (struct variant){.next = s->variants, .precision = point->precision};
    s->variants = v;
    status = erg_verify_open(point, s->options, 0, &v->rtl, error);
    if (status == ERG_OK && s->options->dut_top) status = erg_verify_open(point, s->options, 1, &v->other, error);
  }
  s->rtl = v->rtl;
  s->other = v->other;
  return status;
}

/* The array that runs the pass. Residual codes come through ports as wide as the
 * activations': where they are wider, so is the array. */
static erg_status pick_array(session *s, const erg_pass *pass, erg_error *error) {
  erg_point point = array_point(s->point, pass);
  int residual_bits = pass->residual >= 0 ? erg_tensor_bits(s->point, pass->residual) : 0;
  if (s->point->widths && residual_bits > point.precision.activation_bits) {
    if (point.arch->mac == ERG_MAC_SCALABLE && residual_bits > 8)
      return erg_fail(error, ERG_ERR_UNSUPPORTED,
                      "layer %s: a residual of %d bits is wider than the scalable array's 8", pass->name,
                      residual_bits);
    point.precision.activation_bits = residual_bits;
  }
  return use_array(s, &point, error);
}

/* The tile that holds the first difference, by itself. */
static erg_status look_closer(const session *s, const erg_tile_source *source, erg_verify_row *row, erg_error *error) {
  erg_arena arena = {0};
  erg_gemm g;
  erg_tile_origin o;
  int tile = erg_tile_of(source, row->first_image, row->first_row, row->first_channel);
  erg_status status = erg_tile_make(&arena, source, tile, &g, &o, error);
  g.rule = s->options->rule;
  const erg_point point = array_point(s->point, source->pass);
  erg_gemm_array(&point, &g);
  int64_t m = (int64_t)(row->first_row - o.row) * source->pass->conv.out_w + row->first_col;
  if (status == ERG_OK)
    status = erg_verify_look(&point, s->options, &g, m * g.n + row->first_channel - o.channel,
                             s->options->gap_probability, s->point->seed, s->result, row, error);
  row->detail.tile = tile;
  char what[300] = "";
  if (!s->options->only_layer)
    snprintf(what, sizeof what, " --layer %s --tile %d", source->pass->name, tile);
  else if (!s->options->only_tile)
    snprintf(what, sizeof what, " --tile %d", tile);
  erg_verify_replay(s->options, what, row);
  erg_arena_free(&arena);
  return status;
}

/* One tile on the array alone. */
static erg_status check_tile(session *s, const erg_tile_source *source, erg_verify_row *row, erg_error *error) {
  erg_arena arena = {0};
  erg_gemm g;
  erg_tile_origin o;
  int folds = 0;
  erg_status status = erg_tile_make(&arena, source, *s->options->only_tile, &g, &o, error);
  if (status != ERG_OK) goto out;
  g.rule = s->options->rule;
  const erg_point point = array_point(s->point, source->pass);
  erg_gemm_array(&point, &g);
  row->outputs = (uint64_t)g.m * (uint64_t)g.n;
  row->macs = row->outputs * (uint64_t)g.k;
  erg_gemm_run run = {.gap_probability = s->options->gap_probability,
                      .gap_seed = s->point->seed,
                      .accumulator_bits = source->accumulator_bits,
                      .watch = -1};
  int16_t *golden = erg_arena_alloc(&arena, sizeof *golden * row->outputs);
  run.output = erg_arena_alloc(&arena, sizeof *run.output * row->outputs);
  const erg_arch *arch = s->point->arch;
  int *m_rows = erg_gemm_folds(&arena, (int)arch->rows, (int)arch->cols, &g, &folds);
  if (!golden || !run.output || !m_rows) {
    status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    goto out;
  }
  status = erg_gemm_golden(&g, source->accumulator_bits, golden, NULL, error);
  if (status == ERG_OK) status = erg_gemm_drive(s->rtl, (int)arch->rows, (int)arch->cols, &g, &run, error);
  if (status != ERG_OK) goto out;
  row->cycles_formula = erg_fold_cycles(arch, m_rows, folds);
  row->cycles_systemc = erg_systemc_fold_cycles(arch, s->point->dataflow, m_rows, folds);
  row->cycles_rtl = run.cycles - run.gap_cycles;
  row->gap_cycles = run.gap_cycles;
  for (uint64_t i = 0; i < row->outputs; i++) {
    if (golden[i] == run.output[i] || row->mismatches++) continue;
    int m = (int)(i / (uint64_t)g.n), out_w = source->pass->conv.out_w;
    row->first_image = o.image, row->first_row = o.row + m / out_w, row->first_col = m % out_w;
    row->first_channel = o.channel + (int)(i % (uint64_t)g.n);
    row->first_expected = golden[i], row->first_got = run.output[i];
  }
  erg_row_measure(source->pass->clamp, source->layer->low, source->layer->high, golden, row);
  erg_row_judge(source->pass->clamp, &point.precision, !s->other || s->options->strict_cycles, row);
  if (strcmp(row->status, "uninformative") == 0)
    row->status = "ok", row->reason[0] = 0; /* of a tile nobody asks that */
out:
  erg_arena_free(&arena);
  return status;
}

static erg_status check_array_pass(session *s, const erg_pass *pass, erg_verify_row *row, erg_error *error) {
  const erg_point *point = s->point;
  const erg_arch *arch = point->arch;
  const tensor *input = &s->tensors[pass->inputs[0]];
  const tensor *residual = pass->residual >= 0 ? &s->tensors[pass->residual] : NULL;
  erg_geometry g;
  erg_mapping formula, driven;
  erg_synth_layer layer;
  erg_activity systemc, *rtl = &row->activity;
  erg_arena arena = {0};
  int16_t *golden = NULL;
  row->outputs = (uint64_t)erg_shape_elements(pass->out_shape);
  row->macs = pass->int_counts.mac;
  const erg_precision precision = erg_precision_at(point, pass);
  erg_geometry_at(point, pass, &g);
  erg_status status = pick_array(s, pass, error);
  if (status == ERG_OK) status = erg_map(arch, &g, &formula, error);
  if (status != ERG_OK) return status;
  driven = formula;
  if (s->options->fault_tile && driven.out_rows > 1) { /* a driver that cuts tiles of its own size */
    driven.out_rows = driven.out_rows / 2;
    status = erg_map_given(arch, &g, &driven, error);
  }
  if (status == ERG_OK)
    status = erg_synth_make(&arena, pass, &precision, point->seed, input->codes, input->zero_point,
                            residual ? residual->codes : NULL, residual ? residual->zero_point : 0, &layer, error);
  if (status == ERG_OK) status = make_tensor(s, pass->output, pass->out_shape, error);
  if (status != ERG_OK) goto out;
  tensor *output = &s->tensors[pass->output];
  output->zero_point = layer.zero_point;

  erg_tile_source source = {arch,
                            pass,
                            &layer,
                            input->codes,
                            residual ? residual->codes : NULL,
                            input->zero_point,
                            formula.out_rows,
                            precision.accumulator_bits};
  if (s->options->only_tile) {
    status = check_tile(s, &source, row, error);
    if (status == ERG_OK && row->mismatches) status = look_closer(s, &source, row, error);
    goto out;
  }
  row->cycles_formula = erg_array_cycles(arch, &g, &formula);
  status = erg_systemc(arch, &g, &driven, &pass->int_counts, NULL, &systemc, error);
  if (status != ERG_OK) goto out;
  row->cycles_systemc = systemc.array_cycles;
  erg_rtl_run run = {.input = input->codes,
                     .input_zero_point = input->zero_point,
                     .residual = residual ? residual->codes : NULL,
                     .layer = &layer,
                     .output = output->codes,
                     .rtl = s->rtl,
                     .gap_probability = s->options->gap_probability,
                     .gap_seed = point->seed,
                     .fault_packing = s->options->fault_packing,
                     .progress = on_progress,
                     .progress_context = s};
  status = run_array(s, &g, &driven, pass, &run, row, error);
  if (status != ERG_OK) goto out;
  row->cycles_rtl = run.rtl_cycles - run.rtl_gap_cycles;
  row->gap_cycles = run.rtl_gap_cycles;
  status = erg_conserve(arch, &g, rtl, error);
  if (status != ERG_OK) goto out;

  golden = malloc(sizeof *golden * row->outputs);
  if (!golden) {
    status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    goto out;
  }
  status = run_golden(s, pass, &layer, golden, error);
  if (status != ERG_OK) goto out;
  erg_row_compare(pass->out_shape, golden, output->codes, row);
  erg_row_measure(pass->clamp, layer.low, layer.high, golden, row);
  erg_row_judge(pass->clamp, &precision, !s->other || s->options->strict_cycles, row);
  if (row->mismatches) status = look_closer(s, &source, row, error);
out:
  free(golden);
  erg_arena_free(&arena);
  return status;
}

/* Of what runs behind the epilogue: a table of an array pass reads codes as wide as it writes. */
static erg_precision unit_precision(const erg_point *point, const erg_pass *pass) {
  erg_precision p = erg_precision_at(point, pass);
  if (point->widths && pass->kind == ERG_PASS_ARRAY) p.activation_bits = p.output_bits;
  return p;
}

/* An array pass before the one that is asked for. */
static erg_status pass_by(session *s, const erg_pass *pass, erg_error *error) {
  const erg_point *point = s->point;
  const tensor *input = &s->tensors[pass->inputs[0]];
  const tensor *residual = pass->residual >= 0 ? &s->tensors[pass->residual] : NULL;
  erg_arena arena = {0};
  erg_synth_layer layer;
  const erg_precision precision = erg_precision_at(point, pass), behind = unit_precision(point, pass);
  erg_status status =
      erg_synth_make(&arena, pass, &precision, point->seed, input->codes, input->zero_point,
                     residual ? residual->codes : NULL, residual ? residual->zero_point : 0, &layer, error);
  if (status == ERG_OK) status = make_tensor(s, pass->output, pass->out_shape, error);
  if (status == ERG_OK) {
    s->tensors[pass->output].zero_point = layer.zero_point;
    status = run_golden(s, pass, &layer, s->tensors[pass->output].codes, error);
  }
  if (status == ERG_OK)
    status =
        erg_table_golden(pass, &behind, s->tensors[pass->output].codes, &s->tensors[pass->output].zero_point, error);
  erg_arena_free(&arena);
  return status;
}

/* A vector pass that only carries the network on: its golden kernel computes it, nothing is compared. */
static erg_status run_vector_pass(session *s, const erg_pass *pass, erg_error *error) {
  const tensor *a = &s->tensors[pass->inputs[0]], *b = pass->input_count > 1 ? &s->tensors[pass->inputs[1]] : NULL;
  tensor *output = &s->tensors[pass->output];
  erg_status status = make_tensor(s, pass->output, pass->out_shape, error);
  if (status != ERG_OK) return status;
  erg_vector_data data = {a->codes, b ? b->codes : NULL, a->zero_point, b ? b->zero_point : 0, output->codes, 0};
  const erg_precision precision = erg_precision_at(s->point, pass);
  status = erg_vector_golden(s->point->graph, pass, &precision, s->point->seed, &data, error);
  output->zero_point = data.output_zero_point;
  return status;
}

/* What runs behind the epilogue: a norm, or a table (of an array pass: on its codes, in place). A foreign array has no
 * such unit, and a layer asked for alone needs no other's. */
static bool in_unit(const session *s, const erg_pass *pass) {
  return (pass->norm || pass->gate) && !s->options->dut_top;
}

static erg_status check_unit_pass(session *s, const erg_pass *pass, erg_error *error) {
  const erg_point *point = s->point;
  bool behind = pass->kind == ERG_PASS_ARRAY;
  const tensor *input = &s->tensors[behind ? pass->output : pass->inputs[0]];
  erg_verify_row *row = &s->result->rows[s->result->row_count++];
  erg_status status = ERG_OK;
  if (s->options->only_tile)
    return erg_fail(error, ERG_ERR_USAGE, "verify: --tile: %s runs behind the array's epilogue and has no tiles",
                    pass->name);
  row->name = behind ? erg_arena_printf(&s->result->arena, "%s/%s", pass->name, pass->gate)
                     : erg_arena_strdup(&s->result->arena, pass->name);
  const erg_precision precision = unit_precision(point, pass);
  erg_rtl_norm **unit = &s->units[precision.activation_bits];
  if (!*unit) {
    bool faulty = s->options->mutant && strcmp(s->options->mutant, "ROUNDING") == 0;
    status = erg_rtl_norm_open((int)point->arch->cols, precision.activation_bits, (int)point->arch->accumulator_depth,
                               faulty ? s->options->mutant : NULL, s->options->quiet ? NULL : stderr, unit, error);
  }
  if (status == ERG_OK && !behind) status = make_tensor(s, pass->output, pass->out_shape, error);
  if (status != ERG_OK) return status;
  tensor *output = &s->tensors[pass->output];
  const erg_unit_data data = {pass,         &precision,        point->seed,
                              input->codes, input->zero_point, s->options->gap_probability};
  status = erg_verify_unit(*unit, &data, output->codes, &output->zero_point, row, error);
  s->result->checked_outputs += row->outputs;
  s->result->mismatches += row->mismatches;
  return status;
}

static void note_last_uses(session *s) {
  for (int node = 0; node < s->point->graph->node_count; node++) s->last_use[node] = -1;
  for (int i = 0; i < s->plan.pass_count; i++) {
    const erg_pass *pass = &s->plan.passes[i];
    for (int k = 0; k < pass->input_count; k++) s->last_use[pass->inputs[k]] = i;
    if (pass->residual >= 0) s->last_use[pass->residual] = i;
  }
}

erg_status erg_verify_open(const erg_point *point, const erg_verify_options *options, int seed, erg_rtl **out,
                           erg_error *error) {
  const erg_precision *p = &point->precision;
  char name[32];
  bool foreign = options->dut_top != NULL;
  if (!erg_precision_is_int(p) || p->accumulator_bits < 16)
    return erg_fail(error, ERG_ERR_UNSUPPORTED,
                    "%s: the Verilated array takes integers with accumulators of 16 to 48 bits",
                    erg_precision_name(p, name));
  if (foreign && (p->output_bits != p->activation_bits || p->accumulator_bits > 32))
    return erg_fail(error, ERG_ERR_UNSUPPORTED,
                    "%s: the contract of --dut has accumulators of up to 32 bits and outputs as wide as activations",
                    erg_precision_name(p, name));
  if (options->rule == ERG_RULE_F)
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "rule F multiplies in float32; the Verilated array has S, D and A");
  if (foreign && options->rule != ERG_RULE_S)
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "rule %s: the contract of --dut is rule S",
                    erg_rule_names[options->rule]);
  if (point->graph && !point->widths && p->output_bits > p->activation_bits)
    return erg_fail(
        error, ERG_ERR_UNSUPPORTED,
        "%s: outputs are the next layer's activations, and wider than those (without a workload any width goes)",
        erg_precision_name(p, name));
  if (point->fusion != ERG_FUSION_EPILOGUE)
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "the Verilated array has the fused epilogue; found fusion %s",
                    erg_fusion_names[point->fusion]);
  const erg_dataflow_rules *rules = erg_dataflow_of(point->dataflow);
  if (!rules->rtl_top)
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "dataflow %s has no RTL: %s", erg_dataflow_names[point->dataflow],
                    rules->no_rtl);
  if (foreign && point->arch->mac == ERG_MAC_SCALABLE)
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "mac: scalable: the contract of --dut has fixed widths");
  if (foreign && point->dataflow != ERG_DATAFLOW_WS)
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "dataflow %s: the contract of --dut is weight-stationary",
                    erg_dataflow_names[point->dataflow]);
  erg_rtl_config config = {(int)point->arch->rows, (int)point->arch->cols, p->weight_bits,
                           p->activation_bits,     p->accumulator_bits,    (int)point->arch->accumulator_depth,
                           options->mutant};
  config.dut_files = options->dut_files;
  config.dut_top = options->dut_top;
  config.seed = seed;
  config.look = options->look;
  config.output_bits = p->output_bits;
  config.rule = (int)options->rule;
  config.coverage = options->coverage != NULL;
  if (foreign && config.coverage)
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "--coverage is of Ergon's array; it does not go with --dut");
  config.top = rules->rtl_top;
  if (point->arch->mac == ERG_MAC_SCALABLE) {
    erg_precision hardware;
    erg_status status = erg_arch_hardware(point->arch, p, &hardware, error);
    if (status == ERG_OK && point->dataflow != ERG_DATAFLOW_WS)
      status = erg_fail(error, ERG_ERR_UNSUPPORTED, "mac: scalable is weight-stationary; found dataflow %s",
                        erg_dataflow_names[point->dataflow]);
    if (status != ERG_OK) return status;
    config.top = "ergon_top_scalable";
    config.weight_bits = config.activation_bits = 8;
  }
  return erg_rtl_open(&config, options->quiet ? NULL : stderr, out, error);
}

static bool wanted(const session *s, const erg_pass *pass) {
  return !s->options->only_layer || strcmp(s->options->only_layer, pass->name) == 0;
}

/* Whether the layer that is asked for alone is there; the names of those that are. */
static erg_status find_layer(const session *s, erg_error *error) {
  if (!s->options->only_layer) return ERG_OK;
  char names[600] = "";
  for (int i = 0; i < s->plan.pass_count; i++) {
    const erg_pass *pass = &s->plan.passes[i];
    if (pass->kind != ERG_PASS_ARRAY && !in_unit(s, pass)) continue;
    if (strcmp(pass->name, s->options->only_layer) == 0) return ERG_OK;
    size_t used = strlen(names);
    snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", pass->name);
  }
  return erg_fail(error, ERG_ERR_USAGE, "verify: --layer: found %s; layers that can be verified are: %s%s",
                  s->options->only_layer, names, strlen(names) + 1 >= sizeof names ? " ..." : "");
}

static erg_status open_session(session *s, erg_error *error) {
  const erg_point *point = s->point;
  erg_precision hardware;
  erg_status status = point->widths ? erg_point_hardware(point, &hardware, error) : use_array(s, point, error);
  if (status == ERG_OK && point->widths && s->options->coverage)
    status = erg_fail(error, ERG_ERR_UNSUPPORTED, "--coverage is of one array; a precision plan has several");
  if (status != ERG_OK) return status;
  status = erg_plan_build(point->graph, point->fusion, erg_judge_fusion, (void *)point, &s->plan, error);
  if (status != ERG_OK) return status;
  size_t nodes = (size_t)point->graph->node_count;
  s->tensors = erg_arena_alloc(&s->arena, nodes * sizeof *s->tensors);
  s->last_use = erg_arena_alloc(&s->arena, nodes * sizeof *s->last_use);
  /* an array pass with a table at its end has two rows */
  s->result->rows = erg_arena_alloc(&s->result->arena, 2 * (size_t)s->plan.pass_count * sizeof *s->result->rows);
  if (!s->tensors || !s->last_use || !s->result->rows) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  note_last_uses(s);
  status = find_layer(s, error);
  for (int i = 0; i < s->plan.pass_count && status == ERG_OK; i++) /* what cannot run is told before anything does */
    if (s->plan.passes[i].kind == ERG_PASS_ARRAY && wanted(s, &s->plan.passes[i]))
      status = pick_array(s, &s->plan.passes[i], error);
  return status;
}

/* Input nodes (a CSV workload has one a layer) get codes when first read. */
static erg_status need_input(session *s, int node_id, erg_error *error) {
  const erg_node *node = &s->point->graph->nodes[node_id];
  if (s->tensors[node_id].codes || node->op->role != ERG_ROLE_INPUT) return ERG_OK;
  erg_arena arena = {0};
  int16_t *codes;
  erg_status status =
      erg_synth_input(&arena, node->out, erg_tensor_bits(s->point, node_id), s->point->seed + (uint64_t)node_id, &codes,
                      &s->tensors[node_id].zero_point, error);
  if (status == ERG_OK) status = make_tensor(s, node_id, node->out, error);
  if (status == ERG_OK) memcpy(s->tensors[node_id].codes, codes, sizeof *codes * (size_t)erg_shape_elements(node->out));
  erg_arena_free(&arena);
  return status;
}

static erg_status run_passes(session *s, erg_error *error) {
  erg_verify_result *result = s->result;
  erg_status status = ERG_OK;
  for (int i = 0; i < s->plan.pass_count && status == ERG_OK; i++) {
    const erg_pass *pass = &s->plan.passes[i];
    for (int k = 0; k < pass->input_count && status == ERG_OK; k++) status = need_input(s, pass->inputs[k], error);
    if (status != ERG_OK) break;
    const char *only = s->options->only_layer;
    bool asked = wanted(s, pass);
    if (pass->kind != ERG_PASS_ARRAY) {
      status = asked && in_unit(s, pass) ? check_unit_pass(s, pass, error) : run_vector_pass(s, pass, error);
    } else if (!asked) {
      status = pass_by(s, pass, error);
      s->macs_done += (double)pass->int_counts.mac;
      erg_progress_update(&s->progress, s->macs_done, NULL);
    } else {
      erg_verify_row *row = &result->rows[result->row_count++];
      row->name = erg_arena_strdup(&result->arena, pass->name);
      status = check_array_pass(s, pass, row, error);
      if (status == ERG_ERR_MISMATCH && row->status) {
        /* A fault of a foreign array: the row says what, and what follows would be run on a broken machine. */
      } else if (status != ERG_OK) {
        row->status = "skipped";
        snprintf(row->reason, sizeof row->reason, "not finished: %s", error && error->text ? error->text : "failed");
      } else {
        result->checked_outputs += row->outputs;
        result->mismatches += row->mismatches;
        result->macs_checked += row->macs;
      }
      s->macs_done += (double)row->macs;
      if (status == ERG_OK && !s->options->only_tile && in_unit(s, pass)) status = check_unit_pass(s, pass, error);
    }
    release_tensors(s, i);
    if (only && asked && (pass->kind == ERG_PASS_ARRAY || in_unit(s, pass))) break;
  }
  return status;
}

static erg_status verdict(const erg_verify_result *result, erg_error *error) {
  for (int i = 0; i < result->row_count; i++) {
    const erg_verify_row *row = &result->rows[i];
    if (strcmp(row->status, "ok") != 0)
      erg_fail(error, ERG_ERR_MISMATCH, "verify: layer %s: %s: %s", row->name, row->status, row->reason);
  }
  if (result->checked_outputs == 0 && error->status == ERG_OK)
    return erg_fail(error, ERG_ERR_MISMATCH, "verify: no output was checked");
  return error->status;
}

/* A network that the array cannot run at all: one row says so, and nothing counts as checked. */
static void note_skipped(const erg_graph *graph, const char *reason, erg_verify_result *result) {
  if (!result->rows) result->rows = erg_arena_alloc(&result->arena, sizeof *result->rows);
  if (!result->rows) return;
  erg_verify_row *row = &result->rows[result->row_count++];
  row->name = erg_arena_strdup(&result->arena, graph->name);
  row->status = "skipped";
  snprintf(row->reason, sizeof row->reason, "%s", reason ? reason : "not supported");
}

static double cpu_s(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

erg_status erg_verify(const erg_point *point, const erg_verify_options *options, erg_verify_result *out,
                      erg_error *error) {
  erg_error faults = {0};
  erg_verify_result result = {.macs_total = (uint64_t)erg_graph_macs(point->graph),
                              .foreign = options->dut_top != NULL};
  session s = {.point = point, .options = options, .result = &result};
  double started_s = cpu_s();
  erg_status status = open_session(&s, &faults);
  if (status == ERG_OK) {
    erg_progress_start(&s.progress, "verify", "MAC", (double)result.macs_total, options->quiet);
    status = run_passes(&s, &faults);
    erg_progress_end(&s.progress);
  }
  if (status == ERG_OK || (status == ERG_ERR_MISMATCH && !faults.text)) status = verdict(&result, &faults);
  if (status == ERG_ERR_UNSUPPORTED && result.row_count == 0) note_skipped(point->graph, faults.text, &result);
  result.cpu_s = cpu_s() - started_s;
  if (status != ERG_OK) erg_fail(error, status, "%s", faults.text ? faults.text : "verify failed");
  erg_error_clear(&faults);
  for (int node = 0; s.tensors && node < point->graph->node_count; node++) free(s.tensors[node].codes);
  if (s.rtl && options->coverage) status = erg_verify_cover(s.rtl, options->coverage, &result, status, error);
  for (struct variant *v = s.variants; v; v = v->next) {
    erg_rtl_close(v->rtl);
    erg_rtl_close(v->other);
  }
  for (size_t bits = 0; bits < ERG_COUNT_OF(s.units); bits++) erg_rtl_norm_close(s.units[bits]);
  erg_plan_free(&s.plan);
  erg_arena_free(&s.arena);
  *out = result;
  return status;
}

void erg_verify_result_free(erg_verify_result *result) {
  erg_arena_free(&result->arena);
}

static json_t *first_difference_json(const erg_verify_row *row) {
  if (row->mismatches == 0 && strcmp(row->status, "uninitialised") != 0) return json_null();
  return json_pack("{s:o, s:i, s:i, s:i, s:i, s:i, s:i}", "case",
                   row->cases && row->first_case >= 0 ? json_integer(row->first_case) : json_null(), "image",
                   row->first_image, "row", row->first_row, "column", row->first_col, "channel", row->first_channel,
                   "expected", row->first_expected, "got", row->first_got);
}

static json_t *detail_json(const erg_verify_row *row) {
  const erg_verify_detail *d = &row->detail;
  if (!d->present) return json_null();
  return json_pack("{s:o, s:i, s:i, s:b, s:I, s:I, s:o, s:s?, s:s?}", "tile",
                   d->tile < 0 ? json_null() : json_integer(d->tile), "tile_row", d->tile_row, "array_column",
                   d->array_column, "replayed", d->replayed, "cycle", (json_int_t)d->cycle, "sum_expected",
                   (json_int_t)d->sum_expected, "sum_got",
                   d->sum_shown ? json_integer((json_int_t)d->sum_got) : json_null(), "waves",
                   d->waves[0] ? d->waves : NULL, "command", d->replay[0] ? d->replay : NULL);
}

/* What was not measured is null: a row that was not finished has neither mismatches nor cycles. */
static json_t *row_json(const erg_verify_row *row) {
  const struct {
    const char *name;
    uint64_t value;
  } counts[] = {{"mismatches", row->mismatches},         {"distinct_codes", (uint64_t)row->distinct_codes},
                {"cycles_formula", row->cycles_formula}, {"cycles_systemc", row->cycles_systemc},
                {"cycles_rtl", row->cycles_rtl},         {"gap_cycles", row->gap_cycles}};
  bool measured = strcmp(row->status, "skipped") != 0 && strcmp(row->status, "fault") != 0;
  size_t unit_counts = 2; /* cycles are the array's */
  json_t *layer = json_pack("{s:s, s:s, s:s?, s:I, s:I}", "name", row->name, "status", row->status, "reason",
                            row->reason[0] ? row->reason : NULL, "macs", (json_int_t)row->macs, "outputs",
                            (json_int_t)row->outputs);
  for (size_t i = 0; i < ERG_COUNT_OF(counts); i++)
    json_object_set_new(layer, counts[i].name,
                        measured && (!row->unit || i < unit_counts) ? json_integer((json_int_t)counts[i].value)
                                                                    : json_null());
  json_object_set_new(layer, "rail_share", measured ? json_real(row->rail_share) : json_null());
  json_object_set_new(layer, "low_rail_share", measured ? json_real(row->low_rail_share) : json_null());
  json_object_set_new(layer, "cases", row->cases ? json_integer(row->cases) : json_null());
  json_object_set_new(layer, "first_difference", first_difference_json(row));
  json_object_set_new(layer, "closer", detail_json(row));
  return layer;
}

static json_t *coverage_json(const erg_verify_result *result) {
  if (!result->coverage) return json_null();
  json_t *sources = json_array();
  for (int i = 0; i < result->coverage_count; i++) {
    const erg_verify_coverage *c = &result->coverage[i];
    json_t *missed = json_array();
    for (int k = 0; k < c->lines - c->lines_hit; k++) json_array_append_new(missed, json_integer(c->missed[k]));
    json_array_append_new(sources, json_pack("{s:s, s:i, s:i, s:i, s:i, s:o}", "source", c->source, "lines", c->lines,
                                             "lines_hit", c->lines_hit, "toggles", c->toggles, "toggles_hit",
                                             c->toggles_hit, "missed_lines", missed));
  }
  return sources;
}

void erg_verify_json(const erg_verify_result *result, json_t *envelope) {
  json_t *layers = json_array(), *skipped = json_array();
  for (int i = 0; i < result->row_count; i++) {
    const erg_verify_row *row = &result->rows[i];
    if (strcmp(row->status, "skipped") == 0)
      json_array_append_new(skipped, json_pack("{s:s, s:s}", "name", row->name, "reason", row->reason));
    json_array_append_new(layers, row_json(row));
  }
  json_object_set_new(envelope, "checked_outputs", json_integer((json_int_t)result->checked_outputs));
  json_object_set_new(envelope, "mismatches", json_integer((json_int_t)result->mismatches));
  json_object_set_new(envelope, "macs_checked", json_integer((json_int_t)result->macs_checked));
  json_object_set_new(envelope, "macs_total", json_integer((json_int_t)result->macs_total));
  json_object_set_new(envelope, "array", json_string(result->foreign ? "foreign" : "ergon"));
  json_object_set_new(envelope, "cpu_s", json_real(result->cpu_s));
  json_object_set_new(envelope, "parameters",
                      json_string(result->own      ? "given: codes from files, one calibrated scale"
                                  : result->random ? "random"
                                                   : "synthetic: seeded and calibrated, not trained"));
  json_object_set_new(envelope, "coverage", coverage_json(result));
  json_object_set_new(envelope, "skipped", skipped);
  json_object_set_new(envelope, "layers", layers);
}
