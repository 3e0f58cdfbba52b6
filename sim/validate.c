/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate.h"
#include "ergon/fit.h"
#include <string.h>

void erg_check_add(erg_validation *v, erg_check check) {
  if (v->count < ERG_MOST_CHECKS) v->checks[v->count++] = check;
}

bool erg_check_holds(const erg_check *c) {
  return !c->skipped && c->measured >= c->low && c->measured <= c->high; /* NaN does not hold */
}

bool erg_check_regressed(const erg_check *c) {
  return !c->skipped && c->recorded_holds && !erg_check_holds(c);
}

erg_status erg_published(const char *name, double *value, erg_error *error) {
  erg_csv csv = {0};
  erg_status status = erg_csv_load("published", &csv, error);
  if (status != ERG_OK) return status;
  int names = erg_csv_column(&csv, "name"), values = erg_csv_column(&csv, "value"), row = 0;
  if (names < 0 || values < 0) {
    status = erg_fail(error, ERG_ERR_DATA, "%s: no columns name, value", csv.file);
  } else {
    while (row < csv.rows && strcmp(csv.cells[row][names], name) != 0) row++;
    status = row < csv.rows ? erg_csv_number(&csv, row, values, 0, value, error)
                            : erg_fail(error, ERG_ERR_DATA, "%s: no row %s", csv.file, name);
  }
  erg_csv_free(&csv);
  return status;
}

erg_status erg_validate(erg_validation *out, erg_error *error) {
  erg_validation v = {0};
  erg_status status = erg_validate_published(&v, error);
  if (status == ERG_OK) status = erg_validate_model(&v, error);
  if (status == ERG_OK) status = erg_validate_fusion(&v, error);
  if (status == ERG_OK) status = erg_validate_chip(&v, error);
  if (status == ERG_OK) status = erg_validate_coverage(&v, error);
  if (status == ERG_OK) {
    *out = v;
    for (int i = 0; i < out->count; i++)
      if (out->checks[i].claim == v.coverage_claim) out->checks[i].claim = out->coverage_claim;
  }
  return status;
}
