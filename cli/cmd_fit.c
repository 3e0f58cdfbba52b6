/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Coefficients out of measurements, and a technology file that says where they come from. */
#include "command.h"
#include "ergon/fit.h"
#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

static erg_status run(int argc, char **argv, erg_error *error);
static const erg_command command = {"fit", "DATA.csv", "a, b and P0 out of measurements, with intervals", 8, run};
ERG_REGISTER(erg_command, command);

static erg_status take_priors(const erg_cli *cli, erg_measured *m, erg_error *error) {
  for (int i = 0; i < cli->prior_count; i++) {
    char text[128], *equals, *colon;
    snprintf(text, sizeof text, "%s", cli->priors[i]);
    equals = strchr(text, '=');
    colon = equals ? strchr(equals, ':') : NULL;
    double value, sigma;
    if (equals) *equals++ = 0;
    if (colon) *colon++ = 0;
    if (!colon || !erg_parse_real(equals, &value) || !erg_parse_real(colon, &sigma) || value < 0 || sigma <= 0)
      return erg_fail(error, ERG_ERR_USAGE, "--prior: found '%s'; allowed: TERM=VALUE:SIGMA, as in b=8:2",
                      cli->priors[i]);
    int k = 0;
    while (k < m->input.terms && strcmp(m->input.names[k], text) != 0) k++;
    if (k == m->input.terms)
      return erg_fail(error, ERG_ERR_USAGE, "--prior: '%s' is not among the terms of this fit", text);
    m->input.prior[k] = value;
    m->input.prior_sigma[k] = sigma;
  }
  m->input.relative_error = cli->relative_error;
  return ERG_OK;
}

static const char *verdict(const erg_coefficient *c, bool prior) {
  if (c->held)
    return prior ? "came out negative, held at its prior: not identified"
                 : "came out negative, held at 0: not identified";
  if (c->rests_on_prior) return "not identified by these data: rests on its prior";
  if (!c->identified) return "not identified: the interval holds 0";
  return prior ? "identified, with a prior" : "identified";
}

static void print(const erg_cli *cli, const erg_measured *m, const erg_fit_result *r, FILE *stream) {
  fprintf(stream, "%s: %d rows, %d coefficients, each row weighted 1/energy^2%s\n", cli->arguments[0], r->rows,
          r->terms, m->zeros ? ", MACs without a zero operand" : "");
  erg_table *table = erg_table_new();
  static const char *const headings[] = {"coefficient", "value", "+- 95 %", "unit", "prior", "free", "verdict"};
  for (size_t i = 0; i < ERG_COUNT_OF(headings); i++) erg_table_column(table, headings[i], i == 1 || i == 2);
  for (int k = 0; k < r->terms; k++) {
    const erg_coefficient *c = &r->coefficients[k];
    erg_table_cell(table, "%s", m->terms[k]->name);
    erg_table_cell(table, "%.4g", c->value);
    erg_table_cell(table, "%.3g", c->half_width);
    erg_table_cell(table, "%s", m->terms[k]->unit);
    if (m->input.prior_sigma[k] > 0)
      erg_table_cell(table, "%g +- %g (sigma)", m->input.prior[k], m->input.prior_sigma[k]);
    else
      erg_table_cell(table, "-");
    if (c->held)
      erg_table_cell(table, "%.3g +- %.2g", c->raw, c->raw_half_width);
    else
      erg_table_cell(table, "-");
    erg_table_cell(table, "%s", verdict(c, m->input.prior_sigma[k] > 0));
  }
  erg_table_print(table, stream);
  erg_table_free(table);
  fprintf(stream,
          "relative error: rms %.1f %%, worst %+.1f %% (%s), worst left out %+.1f %% (%s); condition number %.1f\n",
          100 * r->rms_relative_error, 100 * r->worst_relative_error, m->row_names[r->worst_row],
          100 * r->worst_left_out, m->row_names[r->worst_left_out_row], r->condition);
  if (!cli->layers) return;
  table = erg_table_new();
  erg_table_column(table, "row", false);
  erg_table_column(table, "energy [pJ]", true);
  erg_table_column(table, "fitted [%]", true);
  erg_table_column(table, "left out [%]", true);
  for (int i = 0; i < r->rows; i++) {
    erg_table_cell(table, "%s", m->row_names[i]);
    erg_table_cell(table, "%.4g", m->input.y[i]);
    erg_table_cell(table, "%+.1f", 100 * r->fitted[i]);
    erg_table_cell(table, "%+.1f", 100 * r->left_out[i]);
  }
  erg_table_print(table, stream);
  erg_table_free(table);
}

static json_t *to_json(const erg_cli *cli, const erg_measured *m, const erg_fit_result *r) {
  json_t *document = erg_envelope_json("ergon.fit", cli->command_line, NULL), *list = json_array(),
         *rows = json_array();
  for (int k = 0; k < r->terms; k++) {
    const erg_coefficient *c = &r->coefficients[k];
    bool prior = m->input.prior_sigma[k] > 0;
    json_array_append_new(list, json_pack("{s:s, s:s, s:f, s:f, s:f, s:o, s:o, s:b, s:b, s:f, s:f, s:s}", "name",
                                          m->terms[k]->name, "unit", m->terms[k]->unit, "value", c->value, "low",
                                          c->value - c->half_width, "high", c->value + c->half_width, "prior",
                                          prior ? json_real(m->input.prior[k]) : json_null(), "prior_sigma",
                                          prior ? json_real(m->input.prior_sigma[k]) : json_null(), "identified",
                                          c->identified, "held", c->held, "free_value", c->raw, "free_half_width",
                                          c->raw_half_width, "verdict", verdict(c, prior)));
  }
  for (int i = 0; i < r->rows; i++)
    json_array_append_new(rows, json_pack("{s:s, s:f, s:f, s:f}", "name", m->row_names[i], "energy_pj", m->input.y[i],
                                          "relative_error", r->fitted[i], "left_out_relative_error", r->left_out[i]));
  json_object_set_new(document, "coefficients", list);
  json_object_set_new(document, "rms_relative_error", json_real(r->rms_relative_error));
  json_object_set_new(document, "worst_relative_error", json_real(r->worst_relative_error));
  json_object_set_new(document, "worst_left_out", json_real(r->worst_left_out));
  json_object_set_new(document, "condition", json_real(r->condition));
  json_object_set_new(document, "rows", rows);
  return document;
}

static int year(void) {
  time_t now = time(NULL);
  struct tm parts;
  return gmtime_r(&now, &parts) ? parts.tm_year + 1900 : 1970;
}

/* The constants of a coefficient's record: all say the same of where they come from. */
static void provenance(FILE *f, const erg_cli *cli, const erg_measured *m, const erg_fit_result *r, int k,
                       const char *indent) {
  const erg_coefficient *c = &r->coefficients[k];
  fprintf(
      f,
      "%ssource: \"fit of %s with ergon\"\n%stable: \"%d rows, term %s\"\n%syear: %d\n%sconfirmed: %s\n%sderived: yes\n"
      "%snote: \"%.6g +- %.3g %s (95 %%); fit rms %.1f %%, worst left out %.1f %%%s\"\n",
      indent, cli->arguments[0], indent, r->rows, m->terms[k]->name, indent, year(), indent,
      c->identified ? "yes" : "no", indent, indent, c->value, c->half_width, m->terms[k]->unit,
      100 * r->rms_relative_error, 100 * fabs(r->worst_left_out), m->zeros ? "; a MAC without a zero operand" : "");
}

static int term_index(const erg_measured *m, const char *name) {
  for (int k = 0; k < m->input.terms; k++)
    if (strcmp(m->terms[k]->name, name) == 0) return k;
  return -1;
}

/* Only identified coefficients become constants: a run that needs another is skipped with the reason. */
static erg_status write_technology(const erg_cli *cli, const erg_measured *m, const erg_fit_result *r,
                                   erg_error *error) {
  int a = term_index(m, "a"), b = term_index(m, "b"), d = term_index(m, "d"), p0 = term_index(m, "p0");
  if (a < 0 || !r->coefficients[a].identified)
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "no technology was written: a, the energy of a MAC, is not identified");
  if (p0 >= 0 && r->coefficients[p0].identified && cli->pes <= 0)
    return erg_fail(error, ERG_ERR_USAGE, "--pes: the number of PEs is needed to share P0 among them");
  char path[4096], name[32];
  const erg_precision *p = &cli->precisions[0];
  erg_status status = erg_make_folder(cli->out, error);
  if (status != ERG_OK) return status;
  snprintf(path, sizeof path, "%s/%s.yaml", cli->out, cli->name);
  FILE *f = fopen(path, "w");
  if (!f) return erg_fail(error, ERG_ERR_CREATE, "%s: %s", path, strerror(errno));
  fprintf(f, "# Written by `%s`.\n", cli->command_line);
  for (int k = 0; k < r->terms; k++)
    if (!r->coefficients[k].identified)
      fprintf(f, "# Not here: %s, %s.\n", m->terms[k]->name, verdict(&r->coefficients[k], m->input.prior_sigma[k] > 0));
  fprintf(f, "name: %s\nhelp: \"fit of %s\"\nnode_nm: %g\nmac_includes_registers: yes\n", cli->name, cli->arguments[0],
          cli->node_nm);
  if (cli->tech_given) fprintf(f, "extends: %s   # whatever is not stated here\n", cli->tech);
  if (p0 >= 0 && r->coefficients[p0].identified)
    fprintf(f, "static_pw_per_pe: %.10g   # %.6g +- %.3g mW / %lld PEs\nstatic_source: \"fit of %s with ergon\"\n",
            r->coefficients[p0].value * 1e9 / (double)cli->pes, r->coefficients[p0].value,
            r->coefficients[p0].half_width, (long long)cli->pes, cli->arguments[0]);
  fprintf(f, "\noperations:\n  - op: mac\n    format: %s\n", erg_format_name(p->format));
  if (erg_precision_is_int(p))
    fprintf(f, "    weight_bits: %d\n    activation_bits: %d\n", p->weight_bits, p->activation_bits);
  fprintf(f, "    pj: %.10g   # %s\n", r->coefficients[a].value, erg_precision_name(p, name));
  provenance(f, cli, m, r, a, "    ");
  bool any = false;
  const struct {
    int k;
    const char *kind;
  } memories[] = {{d, "dram"}, {b, cli->memory}};
  for (size_t i = 0; i < ERG_COUNT_OF(memories); i++) {
    int k = memories[i].k;
    if (k < 0 || !r->coefficients[k].identified) continue;
    if (!any) fputs("\nmemories:\n", f);
    any = true;
    fprintf(f, "  - kind: %s\n    pj_per_bit: %.10g\n", memories[i].kind, r->coefficients[k].value / 8);
    if (strcmp(memories[i].kind, "sram") == 0)
      fprintf(f, "    reference_bytes: %.0f\n    exponent: 0\n    min_bytes: %.0f\n    max_bytes: %.0f\n",
              cli->bank_bytes, cli->bank_bytes, cli->bank_bytes);
    provenance(f, cli, m, r, k, "    ");
  }
  if (!any) fputs("\nmemories: []\n", f);
  bool failed = ferror(f) != 0;
  failed |= fclose(f) != 0;
  if (failed) return erg_fail(error, ERG_ERR_IO, "%s: %s", path, strerror(errno));
  fprintf(stderr, "wrote %s\n", path);
  return ERG_OK;
}

static erg_status run(int argc, char **argv, erg_error *error) {
  erg_cli cli;
  erg_csv csv = {0};
  erg_measured measured = {0};
  erg_fit_result result = {0};
  erg_cli_parse(&command, ERG_OPTION_FIT | ERG_OPTION_REPORT, 1, 1, argc, argv, &cli);
  erg_status status = ERG_OK;
  if (cli.precision_files[0])
    status = erg_fail(error, ERG_ERR_USAGE, "fit: --precision: found a plan; a MAC has one precision, such as int8");
  if (status == ERG_OK) status = erg_csv_load(cli.arguments[0], &csv, error);
  if (status != ERG_OK) goto out;
  char *column = cli.rows ? erg_arena_strdup(&cli.arena, cli.rows) : NULL, *value = column ? strchr(column, '=') : NULL;
  if (value) *value++ = 0;
  if (column && !value) {
    erg_fail(error, ERG_ERR_USAGE, "--rows: found '%s'; allowed: COLUMN=VALUE", cli.rows);
    status = ERG_ERR_USAGE;
  } else {
    status = erg_measured_of(&csv, cli.terms, column, value, &measured, error);
  }
  if (status == ERG_OK) {
    status = take_priors(&cli, &measured, error);
    if (status == ERG_OK) status = erg_fit(&measured.input, &result, error);
    if (status == ERG_OK) {
      if (cli.json) {
        json_t *document = to_json(&cli, &measured, &result);
        json_dumpf(document, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
        fputc('\n', stdout);
        json_decref(document);
      } else {
        print(&cli, &measured, &result, stdout);
      }
      if (cli.out) status = write_technology(&cli, &measured, &result, error);
      erg_fit_free(&result);
    }
    erg_measured_free(&measured);
  }
  erg_csv_free(&csv);
out:
  erg_cli_free(&cli);
  return status;
}
