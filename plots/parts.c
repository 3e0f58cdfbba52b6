/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plot.h"
#include <string.h>

static void add(plot_parts *parts, const char *name) {
  for (int i = 0; i < parts->count; i++)
    if (strcmp(parts->names[i], name) == 0) return;
  if (parts->count < PLOT_MOST_PARTS) parts->names[parts->count++] = name;
}

void plot_parts_find(plot_parts *parts, const json_t *energy) {
  static const char *const inner[] = {"mac", "other_ops", "registers", "accumulator"};
  const char *name;
  json_t *value;
  for (size_t i = 0; i < ERG_COUNT_OF(inner); i++) add(parts, inner[i]);
  json_object_foreach((json_t *)json_object_get(energy, "levels"), name, value) if (strcmp(name, "dram") != 0)
      add(parts, name);
  add(parts, "dram");
  add(parts, "static");
}

double plot_part_pj(const json_t *energy, const char *part) {
  const json_t *value = json_object_get(energy, part);
  if (!value) value = json_object_get(json_object_get(energy, "levels"), part);
  return json_is_number(value) ? json_number_value(value) : 0;
}

/* Okabe and Ito's colours. Scratchpads take the yellows, the outermost the lightest. */
static const struct {
  const char *part, *colour, *label;
} fixed[] = {{"mac", "#0072B2", "MAC"},
             {"other_ops", "#56B4E9", "other operations"},
             {"registers", "#CC79A7", "array registers"},
             {"accumulator", "#009E73", "partial sums"},
             {"dram", "#D55E00", "DRAM"},
             {"static", "#999999", "clock and leakage"}};

static int fixed_part(const char *part) {
  for (int i = 0; i < (int)ERG_COUNT_OF(fixed); i++)
    if (strcmp(part, fixed[i].part) == 0) return i;
  return -1;
}

const char *plot_part_colour(const plot_parts *parts, int part) {
  static const char *const onchip[] = {"#F0E442", "#E69F00", "#B8860B", "#8B6914", "#5C4710", "#3B2E0A"};
  int known = fixed_part(parts->names[part]), above = 0;
  if (known >= 0) return fixed[known].colour;
  for (int i = part + 1; i < parts->count; i++) above += fixed_part(parts->names[i]) < 0;
  return onchip[above % (int)ERG_COUNT_OF(onchip)];
}

const char *plot_part_label(const char *part, char buffer[64]) {
  int known = fixed_part(part);
  if (known >= 0) return fixed[known].label;
  snprintf(buffer, 64, "%s", part);
  for (char *c = buffer; *c; c++)
    if (*c == '_') *c = ' ';
  return buffer;
}
