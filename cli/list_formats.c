/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of `ergon list formats`: each figure is asked of the format's own functions. */
#include "list_formats.h"
#include "command.h"
#include <math.h>

static void row(erg_table *table, const erg_float_format *f) {
  double one = (double)f->round(1), epsilon = (double)f->decode(f->encode(1) + 1) - one, least = (double)f->decode(1);
  int fraction = -ilogb(epsilon);
  bool infinity = isinf(f->round(INFINITY));
  erg_table_cell(table, "%s", f->name);
  erg_table_cell(table, "%d", f->bits);
  erg_table_cell(table, "%d", f->bits - 1 - fraction);
  erg_table_cell(table, "%d", fraction);
  erg_table_cell(table, "%.9g", (double)f->max);
  erg_table_cell(table, "%.9g", ldexp(least, fraction));
  erg_table_cell(table, "%.9g", least);
  erg_table_cell(table, "2^%d", ilogb(epsilon));
  erg_table_cell(table, infinity ? "infinity" : "NaN");
}

void erg_list_formats(FILE *stream) {
  static const char *const names[] = {
      "format",  "bits",       "exponent", "fraction", "largest", "smallest normal", "smallest subnormal",
      "epsilon", "overflow to"};
  erg_table *table = erg_table_new();
  for (size_t i = 0; i < ERG_COUNT_OF(names); i++) erg_table_column(table, names[i], i > 0 && i < 8);
  ERG_EACH(erg_float_format, item) row(table, *item);
  erg_table_print(table, stream);
  erg_table_free(table);
}
