/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points of a study, by what their texts say. */
#include "plot.h"
#include <math.h>
#include <string.h>

const json_t *plot_study(const json_t *document, const char *name) {
  const json_t *studies = json_object_get(document, "studies");
  for (size_t s = 0; s < json_array_size(studies); s++) {
    const json_t *study = json_array_get(studies, s);
    if (strcmp(plot_text(study, "name"), name) == 0 && json_array_size(json_object_get(study, "points"))) return study;
  }
  return NULL;
}

static int column_of(const json_t *study, const char *name) {
  const json_t *columns = json_object_get(study, "columns");
  for (size_t i = 0; i < json_array_size(columns); i++) {
    const char *own = json_string_value(json_array_get(columns, i));
    if (own && strcmp(own, name) == 0) return (int)i;
  }
  return -1;
}

static bool matches(const json_t *point, const char *const *texts) {
  for (size_t i = 0; texts[i]; i++) {
    const char *own = json_string_value(json_array_get(point, i + 1));
    if (!own || strcmp(own, texts[i]) != 0) return false;
  }
  return true;
}

/* The next match with a number at or behind `index`; its value, or NAN at the end. */
static double next(const json_t *points, size_t *index, int column, const char *const *texts) {
  for (; *index < json_array_size(points); (*index)++) {
    const json_t *point = json_array_get(points, *index), *value = json_array_get(point, (size_t)column);
    if (!matches(point, texts) || !json_is_number(value)) continue;
    (*index)++;
    return json_number_value(value);
  }
  return NAN;
}

plot_mean plot_study_mean(const json_t *study, const char *column, const char *const *texts, const char *const *base) {
  const json_t *points = json_object_get(study, "points");
  int number = column_of(study, column);
  size_t at = 0, base_at = 0;
  double sum = 0, squares = 0;
  plot_mean m = {0};
  while (number >= 0) {
    double value = next(points, &at, number, texts);
    if (isfinite(value) && base) value -= next(points, &base_at, number, base);
    if (!isfinite(value)) break;
    sum += value, squares += value * value, m.count++;
  }
  if (!m.count) return m;
  m.mean = sum / m.count;
  if (m.count > 1) m.deviation = sqrt(fmax(squares - m.count * m.mean * m.mean, 0) / (m.count - 1));
  return m;
}
