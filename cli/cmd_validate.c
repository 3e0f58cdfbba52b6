/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The model against published numbers. Fails only where a check that held does no longer. */
#include "command.h"
#include "ergon/validate.h"
#include <math.h>
#include <string.h>

static erg_status run(int argc, char **argv, erg_error *error);
static const erg_command command = {"validate", "", "the model against published silicon (verify: RTL against golden)",
                                    10, run};
ERG_REGISTER(erg_command, command);

static const char *verdict(const erg_check *c) {
  return c->skipped ? "skipped" : erg_check_holds(c) ? "holds" : "falls short";
}

static char *bound(const erg_check *c, char text[64]) {
  if (isinf(c->high))
    snprintf(text, 64, "at least %g %s", c->low, c->unit);
  else if (c->low == 0 && c->high > 0)
    snprintf(text, 64, "at most %g %s", c->high, c->unit);
  else if (c->low == c->high)
    snprintf(text, 64, "%g %s", c->low, c->unit);
  else
    snprintf(text, 64, "%g to %g %s", c->low, c->high, c->unit);
  for (size_t end = strlen(text); end && text[end - 1] == ' ';) text[--end] = 0;
  return text;
}

static char *measured(const erg_check *c, char text[64]) {
  if (c->skipped)
    snprintf(text, 64, "-");
  else
    snprintf(text, 64, "%.4g%s%s", c->measured, *c->unit ? " " : "", c->unit);
  return text;
}

/* Layer by layer beside the chip: time [ms], off-chip [MB], energy without DRAM [mJ]. */
static void print_chip(const erg_validation *v, FILE *stream, bool markdown) {
  static const char *const headings[] = {"layer",    "time [ms]", "measured",    "ratio",    "off-chip [MB]",
                                         "measured", "ratio",     "energy [mJ]", "measured", "ratio"};
  erg_table *table = erg_table_new();
  for (size_t i = 0; i < ERG_COUNT_OF(headings); i++) erg_table_column(table, headings[i], i > 0);
  if (markdown)
    fputs(
        "| layer | time [ms] | measured | ratio | off-chip [MB] | measured | ratio | energy [mJ] | measured | ratio |\n"
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
        stream);
  for (int i = 0; i <= ERG_CHIP_LAYERS; i++) {
    const erg_chip_layer *l = &v->chip[i];
    const double cells[][2] = {{l->time_ms, l->published_time_ms},
                               {l->offchip_mb, l->published_offchip_mb},
                               {l->energy_mj, l->published_energy_mj}};
    erg_table_cell(table, "%s", l->name);
    if (markdown) fprintf(stream, "| %s |", l->name);
    for (size_t c = 0; c < ERG_COUNT_OF(cells); c++) {
      erg_table_cell(table, "%.2f", cells[c][0]);
      erg_table_cell(table, "%.2f", cells[c][1]);
      erg_table_cell(table, "%.2f", cells[c][0] / cells[c][1]);
      if (markdown) fprintf(stream, " %.2f | %.2f | %.2f |", cells[c][0], cells[c][1], cells[c][0] / cells[c][1]);
    }
    if (markdown) fputc('\n', stream);
  }
  if (!markdown) erg_table_print(table, stream);
  erg_table_free(table);
}

static const char chip_text[] =
    "AlexNet's convolutions, batch 4, on arch `eyeriss` at int16 with `horowitz-45nm` scaled to 65 nm, and the chip";

static void print_table(const erg_validation *v, FILE *stream) {
  static const char *const headings[] = {"check", "claim", "measured", "bound", "inputs", "calibrated", "verdict"};
  char a[64], b[64];
  erg_table *table = erg_table_new();
  for (size_t i = 0; i < ERG_COUNT_OF(headings); i++) erg_table_column(table, headings[i], false);
  for (int i = 0; i < v->count; i++) {
    const erg_check *c = &v->checks[i];
    erg_table_cell(table, "%s", c->name);
    erg_table_cell(table, "%s", c->claim);
    erg_table_cell(table, "%s", measured(c, a));
    erg_table_cell(table, "%s", bound(c, b));
    erg_table_cell(table, "%s", c->inputs);
    erg_table_cell(table, "%s", c->calibrated ? "yes" : "no");
    erg_table_cell(table, "%s%s", verdict(c), erg_check_regressed(c) ? ", and held before" : "");
  }
  erg_table_print(table, stream);
  erg_table_free(table);
  for (int i = 0; i < v->count; i++)
    if (v->checks[i].skipped) fprintf(stream, "%s: skipped, because %s\n", v->checks[i].name, v->checks[i].skipped);
  fprintf(stream, "\n%s:\n\n", chip_text);
  print_chip(v, stream, false);
}

static void print_markdown(const erg_validation *v, FILE *stream) {
  char a[64], b[64];
  fputs("# Accuracy\n\n"
        "Written by `ergon validate --markdown`; a test holds it against the program.\n\n"
        "What the energy model was held against, and how it did. *Calibrated: yes* means that coefficients were fitted "
        "to the\n"
        "very data of the check, so it speaks for the form of the model and not for its constants. *Inputs: published* "
        "uses\n"
        "numbers of others only; *ergon* uses constants or counts of this program. The one check of absolute level "
        "without\n"
        "calibration is `eyeriss-bottom-up`, and it claims a factor of two.\n\n"
        "| check | claim | measured | bound | inputs | calibrated | verdict | source "
        "|\n|---|---|---|---|---|---|---|---|\n",
        stream);
  for (int i = 0; i < v->count; i++) {
    const erg_check *c = &v->checks[i];
    fprintf(stream, "| `%s` | %s | %s | %s | %s | %s | %s%s%s | %s |\n", c->name, c->claim, measured(c, a), bound(c, b),
            c->inputs, c->calibrated ? "yes" : "no", verdict(c), c->skipped ? ", because " : "",
            c->skipped ? c->skipped : "", c->source);
  }
  fprintf(stream,
          "\n## One chip from end to end\n\n%s. Nothing is fitted. The\nchip is row-stationary, keeps partial sums and "
          "maps where "
          "this weight-stationary machine fetches them again, compresses its maps and\ngates zero operands; its power "
          "has a clock "
          "tree and leakage in it, ours has not.\n\n",
          chip_text);
  print_chip(v, stream, true);
}

static json_t *to_json(const erg_cli *cli, const erg_validation *v) {
  json_t *document = erg_envelope_json("ergon.validate", cli->command_line, NULL), *list = json_array();
  char text[64];
  for (int i = 0; i < v->count; i++) {
    const erg_check *c = &v->checks[i];
    json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:b, s:o, s:s, s:s, s:s, s:s?, s:b}", "name", c->name,
                                          "claim", c->claim, "source", c->source, "inputs", c->inputs, "calibrated",
                                          c->calibrated, "measured", c->skipped ? json_null() : json_real(c->measured),
                                          "unit", c->unit, "bound", bound(c, text), "verdict", verdict(c), "reason",
                                          c->skipped, "regressed", erg_check_regressed(c)));
  }
  json_object_set_new(document, "checks", list);
  json_t *layers = json_array();
  for (int i = 0; i <= ERG_CHIP_LAYERS; i++) {
    const erg_chip_layer *l = &v->chip[i];
    json_array_append_new(layers, json_pack("{s:s, s:f, s:f, s:f, s:f, s:f, s:f}", "name", l->name, "time_ms",
                                            l->time_ms, "measured_time_ms", l->published_time_ms, "offchip_mb",
                                            l->offchip_mb, "measured_offchip_mb", l->published_offchip_mb, "energy_mj",
                                            l->energy_mj, "measured_energy_mj", l->published_energy_mj));
  }
  json_object_set_new(document, "chip", layers);
  json_object_set_new(document, "coverage",
                      json_pack("{s:i, s:i, s:i, s:i, s:i, s:f}", "n", v->coverage.n, "inside", v->coverage.inside,
                                "inside_half_width", v->coverage.inside_half, "least", v->coverage.least, "most",
                                v->coverage.most, "mean_width", v->coverage.mean_width));
  return document;
}

static erg_status run(int argc, char **argv, erg_error *error) {
  erg_cli cli;
  erg_validation v = {0};
  erg_cli_parse(&command, ERG_OPTION_JSON | ERG_OPTION_VALIDATE, 0, 0, argc, argv, &cli);
  erg_status status = erg_validate(&v, error);
  if (status == ERG_OK && cli.json) {
    json_t *document = to_json(&cli, &v);
    json_dumpf(document, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    fputc('\n', stdout);
    json_decref(document);
  } else if (status == ERG_OK && cli.markdown) {
    print_markdown(&v, stdout);
  } else if (status == ERG_OK) {
    print_table(&v, stdout);
  }
  for (int i = 0; i < v.count; i++)
    if (erg_check_regressed(&v.checks[i])) {
      erg_fail(error, ERG_ERR_MISMATCH, "%s fell short, and held when its verdict was recorded", v.checks[i].name);
      status = ERG_ERR_MISMATCH;
    }
  erg_cli_free(&cli);
  return status;
}
