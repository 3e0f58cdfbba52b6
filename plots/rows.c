/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of a sweep, as every picture of one reads them. */
#include "plot.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_FAULTS 10 /* told one by one; a broken document has thousands of the same */

typedef struct {
  const char *key;
  size_t offset;
  bool positive;
} member;
#define MEMBER(name, positive)                                                                                         \
  { #name, offsetof(plot_row, name), positive }
static const member texts[] = {MEMBER(workload, false),  MEMBER(arch, false),   MEMBER(technology, false),
                               MEMBER(precision, false), MEMBER(format, false), MEMBER(fusion, false),
                               MEMBER(dataflow, false),  MEMBER(model, false),  MEMBER(mac, false)};
static const member numbers[] = {MEMBER(weight_bits, true),
                                 MEMBER(activation_bits, true),
                                 MEMBER(batch, true),
                                 MEMBER(rows, true),
                                 MEMBER(cols, true),
                                 MEMBER(macs, true),
                                 MEMBER(latency_s, true),
                                 MEMBER(energy_pj, true),
                                 MEMBER(edp_pj_s, true),
                                 MEMBER(mac_pj, false),
                                 MEMBER(partial_sums_pj, false),
                                 MEMBER(dram_bytes, false),
                                 MEMBER(peak_macs_per_s, true),
                                 MEMBER(dram_bytes_per_s, false)};

typedef struct {
  const char *plot;
  erg_error *error;
  int faults;
} reading;

static void fault(reading *r, size_t index, const char *key, const json_t *found, const char *allowed) {
  if (r->faults++ >= MOST_FAULTS) return;
  char *text = found ? json_dumps(found, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
  erg_fail(r->error, ERG_ERR_DATA, "plot %s: rows[%zu].%s: found %.60s; allowed: %s", r->plot, index, key,
           text ? text : "none", allowed);
  free(text);
}

static bool among(const char *key, const char *const *list) {
  for (; *list; list++)
    if (strcmp(key, *list) == 0) return true;
  return false;
}

static void read_row(reading *r, const json_t *json, size_t index, const char *const *needed, plot_row *row) {
  for (size_t i = 0; i < ERG_COUNT_OF(texts); i++) {
    const char *text = json_string_value(json_object_get(json, texts[i].key));
    if (!text) fault(r, index, texts[i].key, json_object_get(json, texts[i].key), "a text");
    memcpy((char *)row + texts[i].offset, &(const char *){text ? text : "?"}, sizeof text);
  }
  const char *equal = json_string_value(json_object_get(json, "equal"));
  row->equal = equal ? equal : "PE count";
  const json_t *accuracy = json_object_get(json, "accuracy");
  row->accuracy = json_is_number(accuracy) ? json_number_value(accuracy) : -1;
  for (size_t i = 0; i < ERG_COUNT_OF(numbers); i++) {
    const json_t *json_number = json_object_get(json, numbers[i].key);
    double value = json_is_number(json_number) ? json_number_value(json_number) : NAN;
    bool good = isfinite(value) && (numbers[i].positive ? value > 0 : value >= 0);
    if (!good && among(numbers[i].key, needed))
      fault(r, index, numbers[i].key, json_number,
            numbers[i].positive ? "a number above 0 in a row that is ok" : "a number from 0 in a row that is ok");
    memcpy((char *)row + numbers[i].offset, &(double){good ? value : 0}, sizeof(double));
  }
}

erg_status plot_rows_read(const json_t *document, const char *plot, const char *const *needed, erg_arena *arena,
                          plot_rows *out, erg_error *error) {
  const json_t *rows = json_object_get(document, "rows");
  memset(out, 0, sizeof *out);
  out->document = document;
  if (!json_is_array(rows) || json_array_size(rows) == 0)
    return erg_fail(error, ERG_ERR_DATA, "plot %s: the sweep holds no rows: nothing to draw", plot);
  out->rows = erg_arena_alloc(arena, json_array_size(rows) * sizeof *out->rows);
  if (!out->rows) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  reading r = {plot, error, 0};
  size_t index;
  json_t *json;
  const char *reason = NULL;
  json_array_foreach((json_t *)rows, index, json) {
    const char *status = json_string_value(json_object_get(json, "status"));
    if (!status) {
      fault(&r, index, "status", json_object_get(json, "status"), "ok, skipped, failed");
    } else if (strcmp(status, "ok") != 0) {
      out->left_out++;
      if (!reason) reason = json_string_value(json_object_get(json, "reason"));
    } else {
      read_row(&r, json, index, needed, &out->rows[out->count++]);
    }
  }
  if (r.faults > MOST_FAULTS)
    erg_fail(error, ERG_ERR_DATA, "plot %s: and %d more such faults", plot, r.faults - MOST_FAULTS);
  if (r.faults) return ERG_ERR_DATA;
  if (out->count == 0)
    return erg_fail(error, ERG_ERR_DATA,
                    "plot %s: all %d rows were skipped or failed: nothing to draw; the first, because %s", plot,
                    out->left_out, reason ? reason : "no reason was given");
  return ERG_OK;
}
