/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `ergon run --model rtl --activity`: exact toggles of the array's registers, a PE and array cycle. */
#include "command.h"

static void row(erg_table *table, const char *name, const erg_activity *a, double pes) {
  double sum = 0, pe_cycles = pes * (double)a->array_cycles;
  erg_table_cell(table, "%s", name);
  for (int i = 0; i < ERG_TOGGLES; i++) {
    erg_table_cell(table, "%.3f", (double)a->register_toggles[i] / pe_cycles);
    sum += (double)a->register_toggles[i];
  }
  erg_table_cell(table, "%.3f", sum / pe_cycles);
  erg_table_cell(table, "%.1f", sum * 1e-6);
}

void erg_print_toggles(const erg_result *r, FILE *stream) {
  const double pes = (double)(r->point.arch->rows * r->point.arch->cols);
  if (r->skipped || !r->point.count_toggles) return;
  fprintf(stream, "\nToggles of the cells' registers, bits a PE and array cycle (%s), counted in the Verilated array\n",
          r->point.dataflow == ERG_DATAFLOW_OS ? "shadow: draining sums" : "shadow: the coming fold's weights");
  erg_table *table = erg_table_new();
  erg_table_column(table, "layer", false);
  for (int i = 0; i < ERG_TOGGLES; i++) erg_table_column(table, erg_toggle_names[i], true);
  erg_table_column(table, "all", true);
  erg_table_column(table, "[Mbit]", true);
  erg_activity sum = {0};
  for (int i = 0; i < r->layer_count; i++) {
    if (r->layers[i].activity.array_cycles == 0) continue;
    row(table, r->layers[i].pass->name, &r->layers[i].activity, pes);
    erg_activity_add(&sum, &r->layers[i].activity);
  }
  erg_table_rule(table);
  row(table, "all", &sum, pes);
  erg_table_print(table, stream);
  erg_table_free(table);
}
