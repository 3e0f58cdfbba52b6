/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of accumulator certificates. */
#include "ergon/certify.h"
#include "command.h"
#include <inttypes.h>

static void heading(erg_table *table) {
  const char *const headings[] = {
      "layer",   "K",      "worst case [bit]", "by weights [bit]", "raw codes [bit]", "accumulator [bit]",
      "verdict", "because"};
  for (size_t i = 0; i < ERG_COUNT_OF(headings); i++) erg_table_column(table, headings[i], i >= 1 && i <= 5);
}

static const char *verdict(const erg_certify_row *row, int bits) {
  if (row->golden.bits > bits || row->array.bits > bits) return "can overflow";
  return row->worst.bits <= bits ? "any weights safe" : "these weights safe"; /* biases: those of the row */
}

erg_status erg_print_certificates(const erg_result *result, FILE *stream, erg_error *error) {
  char name[32];
  fprintf(stream, "\naccumulator certificates, %s, %s\n", erg_point_precision_name(&result->point, name),
          erg_fusion_names[result->point.fusion]);
  if (!erg_precision_is_int(&result->point.precision)) {
    fprintf(stream, "skipped, because a floating-point sum has no integer width\n");
    return ERG_OK;
  }
  if (result->skipped) {
    fprintf(stream, "skipped, because %s\n", result->reason);
    return ERG_OK;
  }
  fprintf(
      stream,
      "Narrowest accumulator that no input can overflow. Worst case: any codes, zero point and weights, no bias. By\n"
      "weights and raw codes (zero point folded into the bias): synthetic weights and bias, seed %" PRIu64
      ", not trained.\n",
      result->point.seed);
  erg_table *table = erg_table_new();
  erg_status status = ERG_OK;
  heading(table);
  for (int i = 0; i < result->layer_count && status == ERG_OK; i++) {
    const erg_pass *pass = result->layers[i].pass;
    erg_certify_row row;
    if (pass->kind != ERG_PASS_ARRAY) continue;
    const erg_precision precision = erg_precision_at(&result->point, pass);
    status = erg_certify(pass, &precision, result->point.seed, &row, error);
    if (status != ERG_OK) break;
    erg_table_cell(table, "%s", pass->name);
    erg_table_cell(table, "%" PRId64, row.reduction);
    erg_table_cell(table, "%d", row.worst.bits);
    erg_table_cell(table, "%d", row.golden.bits);
    erg_table_cell(table, "%d", row.array.bits);
    erg_table_cell(table, "%d", precision.accumulator_bits);
    erg_table_cell(table, "%s", verdict(&row, precision.accumulator_bits));
    erg_table_cell(table, "%s", row.golden.reason);
  }
  if (status == ERG_OK) erg_table_print(table, stream);
  erg_table_free(table);
  return status;
}
