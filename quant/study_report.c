/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A study as JSON, as CSV, and as a page. */
#include "ergon/study.h"
#include <math.h>

static json_t *number(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

static json_t *claims_json(const erg_study_result *r) {
  json_t *list = json_array();
  for (int i = 0; i < r->claim_count; i++) {
    const erg_study_claim *c = &r->claims[i];
    json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?}", "claim", c->claim, "setting", c->setting,
                                          "measured", c->measured, "control", c->control, "verdict",
                                          erg_verdict_names[c->verdict], "about", c->about));
  }
  return list;
}

json_t *erg_study_json(const erg_study_result *r) {
  const erg_study_columns *columns = &r->study->columns;
  json_t *names = json_pack("[s]", "seed"), *points = json_array();
  for (int i = 0; columns->texts[i]; i++) json_array_append_new(names, json_string(columns->texts[i]));
  for (int i = 0; columns->numbers[i]; i++) json_array_append_new(names, json_string(columns->numbers[i]));
  for (int p = 0; p < r->point_count; p++) {
    json_t *row = json_pack("[I]", (json_int_t)r->points[p].seed);
    for (int i = 0; columns->texts[i]; i++) json_array_append_new(row, json_string(r->points[p].texts[i]));
    for (int i = 0; columns->numbers[i]; i++) json_array_append_new(row, number(r->points[p].numbers[i]));
    json_array_append_new(points, row);
  }
  return json_pack("{s:s, s:s, s:I, s:i, s:o, s:o, s:o}", "name", r->study->name, "help", r->study->help, "first_seed",
                   (json_int_t)r->first_seed, "seeds", r->seeds, "claims", claims_json(r), "columns", names, "points",
                   points);
}

void erg_study_csv(const erg_study_result *r, FILE *out) {
  const erg_study_columns *columns = &r->study->columns;
  erg_csv_text(out, "seed", true);
  for (int i = 0; columns->texts[i]; i++) erg_csv_text(out, columns->texts[i], false);
  for (int i = 0; columns->numbers[i]; i++) erg_csv_text(out, columns->numbers[i], false);
  fputc('\n', out);
  for (int p = 0; p < r->point_count; p++) {
    fprintf(out, "%llu", (unsigned long long)r->points[p].seed);
    for (int i = 0; columns->texts[i]; i++) erg_csv_text(out, r->points[p].texts[i], false);
    for (int i = 0; columns->numbers[i]; i++)
      if (isfinite(r->points[p].numbers[i]))
        fprintf(out, ",%.10g", r->points[p].numbers[i]);
      else
        fputc(',', out);
    fputc('\n', out);
  }
}

/* A cell of a table: a bar would end it. */
static void cell(FILE *out, const char *text) {
  fputs("| ", out);
  for (; *text; text++) fprintf(out, *text == '|' ? "\\|" : "%c", *text);
  fputc(' ', out);
}

erg_status erg_study_markdown(const json_t *study, FILE *out, erg_error *error) {
  static const char *const keys[] = {"claim", "setting", "measured", "control", "verdict"};
  const char *name = json_string_value(json_object_get(study, "name")),
             *help = json_string_value(json_object_get(study, "help"));
  const json_t *claims = json_object_get(study, "claims"), *first = json_object_get(study, "first_seed"),
               *seeds = json_object_get(study, "seeds");
  if (!name || !help || !json_is_array(claims) || !json_is_integer(first) || !json_is_integer(seeds))
    return erg_fail(
        error, ERG_ERR_DATA,
        "study: found no name, help, claims, first_seed and seeds; allowed: what `ergon study --out` writes");
  for (size_t i = 0; i < json_array_size(claims); i++)
    for (size_t k = 0; k < ERG_COUNT_OF(keys); k++)
      if (!json_string_value(json_object_get(json_array_get(claims, i), keys[k])))
        return erg_fail(error, ERG_ERR_DATA, "study %s: claims[%zu] has no %s", name, i, keys[k]);
  fprintf(
      out,
      "## %s\n\n%s. Seeds %lld to %lld.\n\n| claim | setting | measured | control | verdict |\n|---|---|---|---|---|\n",
      name, help, (long long)json_integer_value(first),
      (long long)(json_integer_value(first) + json_integer_value(seeds) - 1));
  for (size_t i = 0; i < json_array_size(claims); i++) {
    for (size_t k = 0; k < ERG_COUNT_OF(keys); k++)
      cell(out, json_string_value(json_object_get(json_array_get(claims, i), keys[k])));
    fputs("|\n", out);
  }
  fputc('\n', out);
  return ERG_OK;
}
