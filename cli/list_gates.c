/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of `ergon list gates`: every figure is measured while it is printed. */
#include "list_gates.h"
#include "command.h"

#define STEP 0x1p-10 /* of the argument, while measuring */

static void columns(erg_table *table) {
  static const char *const names[] = {"gate",  "form",    "adds",    "shifts", "multiplies", "compares", "table bits",
                                      "range", "formula", "integer", "at x",   "rms",        "anywhere"};
  for (size_t i = 0; i < ERG_COUNT_OF(names); i++) erg_table_column(table, names[i], i > 1);
}

static double low_of(const erg_gate *gate) {
  return -gate->limit;
}
static double high_of(const erg_gate *gate) {
  return gate->symmetry == ERG_GATE_NEGATIVE ? 0 : gate->limit;
}

/* Words of the form's table, each as wide as the largest. */
static int table_bits(const erg_gate_unit *unit) {
  int32_t most = 0;
  for (int i = 0; i < unit->form->cost.words; i++)
    if (unit->nodes[i] > most) most = unit->nodes[i];
  int bits = 0;
  for (; most >> bits; bits++) {
  }
  return unit->form->cost.words * bits;
}

static erg_status form_row(erg_table *table, const erg_gate *gate, const erg_gate_form *form, erg_error *error) {
  erg_gate_error formula, integer, anywhere;
  erg_status status = erg_gate_measure(gate, form, false, low_of(gate), high_of(gate), STEP, &formula, error);
  if (status == ERG_OK) status = erg_gate_measure(gate, form, true, low_of(gate), high_of(gate), STEP, &integer, error);
  if (status == ERG_OK) status = erg_gate_measure(gate, form, true, -32, 32, STEP, &anywhere, error);
  erg_gate_unit unit;
  if (status == ERG_OK) status = erg_gate_unit_init(gate, form, &unit, error);
  if (status != ERG_OK) return status;
  erg_table_cell(table, "%s", gate->name);
  erg_table_cell(table, "%s", form->name);
  const int cost[] = {form->cost.adds, form->cost.shifts, form->cost.multiplies, form->cost.compares,
                      table_bits(&unit)};
  for (size_t i = 0; i < ERG_COUNT_OF(cost); i++) erg_table_cell(table, "%d", cost[i]);
  erg_table_cell(table, "%g..%g", low_of(gate), high_of(gate));
  erg_table_cell(table, "%.2e", formula.max_error);
  erg_table_cell(table, "%.2e", integer.max_error);
  erg_table_cell(table, "%.3f", integer.at);
  erg_table_cell(table, "%.2e", integer.rms);
  erg_table_cell(table, "%.2e", anywhere.max_error);
  return ERG_OK;
}

static erg_status table_row(erg_table *table, const erg_gate *gate, erg_error *error) {
  erg_quantization in, out;
  erg_gate_error measured;
  erg_gate_default_codes(gate, 8, &in, &out);
  erg_status status = erg_gate_measure_table(gate, in, out, &measured, error);
  if (status != ERG_OK) return status;
  erg_table_cell(table, "%s", gate->name);
  erg_table_cell(table, "table, 8 bits");
  for (int i = 0; i < 4; i++) erg_table_cell(table, "0");
  erg_table_cell(table, "%d", 256 * out.bits);
  erg_table_cell(table, "%g..%g", low_of(gate), high_of(gate));
  erg_table_cell(table, "-");
  erg_table_cell(table, "%.2e", measured.max_error);
  erg_table_cell(table, "%.3f", measured.at);
  erg_table_cell(table, "%.2e", measured.rms);
  erg_table_cell(table, "-");
  return ERG_OK;
}

erg_status erg_list_gates(FILE *stream, erg_error *error) {
  erg_table *table = erg_table_new();
  columns(table);
  erg_status status = ERG_OK;
  bool first = true;
  ERG_EACH(erg_gate, item) {
    if (!first) erg_table_rule(table);
    first = false;
    for (int i = 0; i < (*item)->form_count && status == ERG_OK; i++)
      status = form_row(table, *item, &(*item)->forms[i], error);
    if (status == ERG_OK) status = table_row(table, *item, error);
    if (status != ERG_OK) break;
  }
  if (status == ERG_OK) {
    erg_table_print(table, stream);
    fputs(
        "\nErrors are absolute, against the exact function, measured now at steps of 2^-10 (a table: at its 256 input\n"
        "codes, 8 bits in and out). formula: over the reals; integer: the fixed-point definition (Q11.20), also `at "
        "x`\n"
        "and rms; anywhere: -32..32. Costs: the longest path of one evaluation.\n",
        stream);
  }
  erg_table_free(table);
  return status;
}
