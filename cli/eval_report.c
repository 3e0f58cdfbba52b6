/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "eval_report.h"
#include <math.h>

static const char *const kernels[] = {"golden kernels (fast path)", "golden kernels (plain loops)",
                                      "the Verilated array, each output compared with the golden kernel"};

static void print_header(const erg_eval *e, FILE *stream) {
  const erg_cli *cli = e->cli;
  fprintf(stream, "%s on %s: %d test examples, seed %llu, weights %s\n", e->graph->name, e->test->name, e->test->count,
          (unsigned long long)cli->seed, cli->weights);
  fprintf(stream, "Activations: ranges by %s%s over %d calibration examples. Weights: a scale a %s, least squares%s.\n",
          erg_calibration_names[cli->calibration], cli->calibration == ERG_CALIBRATE_PERCENTILE ? " (99.9 %)" : "",
          e->calibration_examples, cli->per_tensor ? "layer" : "channel",
          e->equalized >= 0 ? "; channels equalized" : "");
  fprintf(stream, "Integers by %s; a tie of n logits with the label among them scores 1/n.\n",
          kernels[cli->integer_model]);
  erg_print_overrides(cli, stream);
  fputc('\n', stream);
}

static void print_figure(erg_table *table, const char *format, double value) {
  if (isfinite(value))
    erg_table_cell(table, format, value);
  else
    erg_table_cell(table, "-");
}

static void print_rows(const erg_eval *e, FILE *stream) {
  bool rtl = e->cli->integer_model == ERG_INTEGER_RTL;
  static const char *const headings[] = {"precision", "accuracy [%]",     "change [points]", "loss [nat]",
                                         "ties",      "output SQNR [dB]", "checked outputs", "mismatches"};
  erg_table *table = erg_table_new();
  for (size_t i = 0; i < ERG_COUNT_OF(headings) - (rtl ? 0 : 2); i++) erg_table_column(table, headings[i], i > 0);
  for (int i = -1; i < e->row_count; i++) {
    const erg_eval_row *row = i < 0 ? NULL : &e->rows[i];
    const erg_evaluation *v = row ? &row->evaluation : &e->reference;
    erg_table_cell(table, "%s", row ? row->name : "float");
    if (row && row->skipped) {
      erg_table_cell(table, "skipped");
      for (int k = 0; k < (rtl ? 6 : 4); k++) erg_table_cell(table, "-");
      continue;
    }
    erg_table_cell(table, "%.2f", 100 * v->accuracy);
    print_figure(table, "%+.2f", row ? 100 * (v->accuracy - e->reference.accuracy) : NAN);
    erg_table_cell(table, "%.4f", v->loss);
    erg_table_cell(table, "%lld", (long long)v->tied);
    print_figure(table, "%.1f", row ? v->sqnr_db[e->graph->node_count - 1] : NAN);
    if (rtl && row) {
      erg_table_cell(table, "%llu", (unsigned long long)v->checked_outputs);
      erg_table_cell(table, "%llu", (unsigned long long)v->mismatches);
    } else if (rtl) {
      erg_table_cell(table, "-");
      erg_table_cell(table, "-");
    }
  }
  erg_table_print(table, stream);
  erg_table_free(table);
  for (int i = 0; i < e->row_count; i++)
    if (e->rows[i].widths)
      fprintf(stream, "%s: precision plan %s, sha256 %.12s\n", e->rows[i].name, e->rows[i].widths->plan.file,
              e->rows[i].widths->plan.sha256);
  for (int i = 0; i < e->row_count; i++)
    if (e->rows[i].skipped) fprintf(stream, "%s: skipped, because %s\n", e->rows[i].name, e->rows[i].reason);
}

/* The tensors that exist in memory are the same at every precision. */
static void print_tensors(const erg_eval *e, FILE *stream) {
  const erg_eval_row *first = NULL;
  for (int i = 0; i < e->row_count && !first; i++)
    if (!e->rows[i].skipped) first = &e->rows[i];
  if (!first) return;
  fprintf(stream,
          "\nSQNR of every tensor in memory against float [dB], all layers before it quantized too; %d examples\n",
          first->evaluation.sqnr_examples);
  erg_table *table = erg_table_new();
  erg_table_column(table, "tensor", false);
  for (int i = 0; i < e->row_count; i++)
    if (!e->rows[i].skipped) erg_table_column(table, e->rows[i].name, true);
  for (int id = 0; id < e->graph->node_count; id++) {
    if (!first->quantized.stored[id]) continue;
    erg_table_cell(table, "%s", e->graph->nodes[id].name);
    for (int i = 0; i < e->row_count; i++)
      if (!e->rows[i].skipped) print_figure(table, "%.1f", e->rows[i].evaluation.sqnr_db[id]);
  }
  erg_table_print(table, stream);
  erg_table_free(table);
}

void erg_eval_print(const erg_eval *eval, FILE *stream) {
  print_header(eval, stream);
  if (eval->equalized >= 0) fprintf(stream, "Equalized %d pairs of layers.\n\n", eval->equalized);
  print_rows(eval, stream);
  print_tensors(eval, stream);
}

static json_t *number(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

static json_t *tensors_json(const erg_eval *e, const erg_eval_row *row) {
  json_t *list = json_array();
  for (int id = 0; !row->skipped && id < e->graph->node_count; id++) {
    if (!row->quantized.stored[id]) continue;
    const erg_grid *grid = &row->quantized.grids[id];
    json_array_append_new(list, json_pack("{s:s, s:i, s:f, s:i, s:o}", "node", e->graph->nodes[id].name, "bits",
                                          grid->bits, "scale", grid->scale, "zero_point", grid->zero_point, "sqnr_db",
                                          number(row->evaluation.sqnr_db[id])));
  }
  return list;
}

static json_t *row_json(const erg_eval *e, const erg_eval_row *row) {
  const erg_evaluation *v = &row->evaluation;
  bool rtl = e->cli->integer_model == ERG_INTEGER_RTL && !row->skipped;
  double sqnr = row->skipped ? NAN : v->sqnr_db[e->graph->node_count - 1];
  return json_pack("{s:s, s:o, s:s, s:s?, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "precision", row->name,
                   "precision_plan", erg_plan_json(row->widths), "status", row->skipped ? "skipped" : "ok", "reason",
                   row->reason, "accuracy", row->skipped ? json_null() : number(v->accuracy), "loss",
                   row->skipped ? json_null() : number(v->loss), "tied",
                   row->skipped ? json_null() : json_integer(v->tied), "output_sqnr_db", number(sqnr), "sqnr_examples",
                   row->skipped ? json_null() : json_integer(v->sqnr_examples), "checked_outputs",
                   rtl ? json_integer((json_int_t)v->checked_outputs) : json_null(), "mismatches",
                   rtl ? json_integer((json_int_t)v->mismatches) : json_null(), "tensors", tensors_json(e, row));
}

json_t *erg_eval_json(const erg_eval *e) {
  const erg_cli *cli = e->cli;
  json_t *envelope = erg_envelope_json("ergon.eval", cli->command_line, e->machine), *results = json_array();
  bool percentile = cli->calibration == ERG_CALIBRATE_PERCENTILE;
  for (int i = 0; i < e->row_count; i++) json_array_append_new(results, row_json(e, &e->rows[i]));
  json_object_set_new(envelope, "workload", json_string(e->graph->name));
  json_object_set_new(envelope, "weights", json_string(cli->weights));
  json_object_set_new(envelope, "data",
                      json_pack("{s:s, s:i, s:I, s:I}", "name", e->test->name, "examples", e->test->count, "labels",
                                (json_int_t)e->reference.labels, "seed", (json_int_t)cli->seed));
  json_object_set_new(envelope, "calibration",
                      json_pack("{s:s, s:o, s:i}", "method", erg_calibration_names[cli->calibration], "percent",
                                percentile ? json_real(99.9) : json_null(), "examples", e->calibration_examples));
  json_object_set_new(envelope, "per_tensor", json_boolean(cli->per_tensor));
  json_object_set_new(envelope, "equalized_pairs", e->equalized >= 0 ? json_integer(e->equalized) : json_null());
  json_object_set_new(envelope, "kernels",
                      json_string(cli->integer_model == ERG_INTEGER_RTL      ? "rtl"
                                  : cli->integer_model == ERG_INTEGER_GOLDEN ? "plain"
                                                                             : "golden"));
  json_object_set_new(envelope, "float",
                      json_pack("{s:o, s:o, s:I}", "accuracy", number(e->reference.accuracy), "loss",
                                number(e->reference.loss), "tied", (json_int_t)e->reference.tied));
  json_object_set_new(envelope, "results", results);
  return envelope;
}
