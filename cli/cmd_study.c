/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Studies: run some, or turn the JSON of earlier runs into a page. */
#include "command.h"
#include "ergon/study.h"
#include <string.h>

static erg_status run(int argc, char **argv, erg_error *error);
static const erg_command command = {"study", "[NAME|FILE.json...]",
                                    "claims about quantization, measured over many seeds, with their controls", 4, run};
ERG_REGISTER(erg_command, command);

#define MOST_STUDIES 16

static void list_studies(FILE *stream) {
  erg_table *table = erg_table_new();
  erg_table_column(table, "study", false);
  erg_table_column(table, "seeds", true);
  erg_table_column(table, "asks", false);
  ERG_EACH(erg_study, item) {
    erg_table_cell(table, "%s", (*item)->name);
    erg_table_cell(table, "%d", (*item)->seeds);
    erg_table_cell(table, "%s", (*item)->help);
  }
  erg_table_print(table, stream);
  erg_table_free(table);
}

/* Which cases a study tells apart. */
static void list_cases(const erg_study *study, char *out, size_t size) {
  size_t length = 0;
  out[0] = 0;
  for (int i = 0; study->cases && study->cases[i] && length < size; i++)
    length += (size_t)snprintf(out + length, size - length, "%s%s", i ? ", " : "", study->cases[i]);
}

static erg_status check_case(const erg_study *study, const char *asked, erg_error *error) {
  char list[256];
  if (!asked) return ERG_OK;
  for (int i = 0; study->cases && study->cases[i]; i++)
    if (strcmp(asked, study->cases[i]) == 0) return ERG_OK;
  list_cases(study, list, sizeof list);
  return erg_fail(error, ERG_ERR_USAGE, "study %s: --for: found '%s'; allowed: %s", study->name, asked,
                  list[0] ? list : "nothing, its answers hold for all");
}

/* A sentence under a heading each: claims are too long for a table of a terminal. */
static void print_claims(const erg_study_result *r, const char *asked, FILE *stream) {
  fprintf(stream, "%s: %s\nseeds %llu to %llu\n", r->study->name, r->study->help, (unsigned long long)r->first_seed,
          (unsigned long long)(r->first_seed + (uint64_t)r->seeds - 1));
  for (int i = 0; i < r->claim_count; i++) {
    const erg_study_claim *c = &r->claims[i];
    if (asked && c->about && strcmp(asked, c->about) != 0) continue;
    fprintf(stream, "\n  %s\n    setting   %s\n    measured  %s\n    control   %s\n    verdict   %s\n", c->claim,
            c->setting, c->measured, c->control, erg_verdict_names[c->verdict]);
  }
  char list[256];
  list_cases(r->study, list, sizeof list);
  if (list[0] && !asked) fprintf(stream, "\nwhich do you have? --for CASE answers for it alone: %s\n", list);
}

static bool is_file(const char *name) {
  size_t length = strlen(name);
  return length > 5 && strcmp(name + length - 5, ".json") == 0;
}

/* The page of earlier runs. */
static erg_status print_page(const erg_cli *cli, erg_error *error) {
  erg_status status = ERG_OK;
  fputs("# Studies\n\nClaims about quantization, each measured on the integer golden kernels and the machine model "
        "over many seeds, with its\n"
        "controls. Written by `ergon study --markdown docs/studies/*.json`; a test holds this page against those "
        "files, and `ergon\n"
        "study NAME --out DIR` makes them anew. Where figures are compared they are paired: the same data, first "
        "weights and order\n"
        "of examples, so that a seed is one trial of a sign test. *sd* is the standard deviation over seeds.\n\n",
        stdout);
  for (int i = 0; i < cli->argument_count && status == ERG_OK; i++) {
    json_error_t fault;
    if (!is_file(cli->arguments[i]))
      return erg_fail(error, ERG_ERR_USAGE,
                      "study --markdown: found '%s'; allowed: files that `ergon study --out DIR` wrote",
                      cli->arguments[i]);
    json_t *document = json_load_file(cli->arguments[i], JSON_REJECT_DUPLICATES, &fault);
    if (!document)
      return erg_fail(error, fault.line < 0 ? ERG_ERR_NO_INPUT : ERG_ERR_DATA, "%s:%d:%d: %s", cli->arguments[i],
                      fault.line, fault.column, fault.text);
    const json_t *studies = json_object_get(document, "studies");
    if (!json_array_size(studies)) status = erg_fail(error, ERG_ERR_DATA, "%s: found no studies", cli->arguments[i]);
    for (size_t s = 0; s < json_array_size(studies) && status == ERG_OK; s++)
      status = erg_study_markdown(json_array_get(studies, s), stdout, error);
    json_decref(document);
  }
  return status;
}

static erg_status write_files(const erg_cli *cli, const erg_study_result *r, json_t *document, erg_error *error) {
  char name[256];
  erg_status status = erg_make_folder(cli->out, error);
  if (status != ERG_OK) return status;
  snprintf(name, sizeof name, "%s.json", r->study->name);
  status = erg_write_json(document, cli->out, name, error);
  if (status != ERG_OK) return status;
  snprintf(name, sizeof name, "%s/%s.csv", cli->out, r->study->name);
  FILE *stream = fopen(name, "w");
  if (!stream) return erg_fail(error, ERG_ERR_CREATE, "%s: cannot be written", name);
  erg_study_csv(r, stream);
  if (fclose(stream) != 0) return erg_fail(error, ERG_ERR_IO, "%s: cannot be written", name);
  fprintf(stderr, "wrote %s/%s.json, .csv\n", cli->out, r->study->name);
  return ERG_OK;
}

static erg_status run_one(const erg_cli *cli, const erg_study *study, json_t *all, erg_error *error) {
  erg_progress progress = {0};
  erg_study_result result = {0};
  erg_study_options options = {
      .first_seed = cli->seed, .seeds = cli->seeds ? cli->seeds : study->seeds, .progress = &progress};
  erg_progress_start(&progress, study->name, "seed", options.seeds, cli->quiet);
  erg_status status = erg_study_run(study, &options, &result, error);
  erg_progress_end(&progress);
  if (status != ERG_OK) return status;
  json_t *json = erg_study_json(&result);
  json_array_append(all, json);
  if (cli->csv) erg_study_csv(&result, stdout);
  if (!cli->json && !cli->csv) print_claims(&result, cli->study_case, stdout);
  if (cli->out) {
    json_t *document = erg_envelope_json("ergon.study", cli->command_line, NULL), *list = json_array();
    json_array_append(list, json);
    json_object_set_new(document, "studies", list);
    status = write_files(cli, &result, document, error);
    json_decref(document);
  }
  json_decref(json);
  erg_study_result_free(&result);
  return status;
}

static erg_status run(int argc, char **argv, erg_error *error) {
  erg_cli cli;
  const erg_study *studies[MOST_STUDIES];
  erg_cli_parse(&command, ERG_OPTION_STUDY | ERG_OPTION_REPORT, 0, MOST_STUDIES, argc, argv, &cli);
  erg_status status = ERG_OK;
  if (cli.markdown) {
    status = cli.argument_count ? print_page(&cli, error)
                                : erg_fail(error, ERG_ERR_USAGE, "study --markdown: takes FILE.json, one or more");
  } else if (cli.argument_count == 0) {
    list_studies(stdout);
  } else {
    for (int i = 0; i < cli.argument_count; i++)
      if (erg_study_find(cli.arguments[i], &studies[i], error) != ERG_OK) status = ERG_ERR_USAGE;
    for (int i = 0; i < cli.argument_count && status == ERG_OK; i++)
      status = check_case(studies[i], cli.study_case, error);
    json_t *all = json_array();
    for (int i = 0; i < cli.argument_count && status == ERG_OK; i++) status = run_one(&cli, studies[i], all, error);
    if (status == ERG_OK && cli.json) {
      json_t *document = erg_envelope_json("ergon.study", cli.command_line, NULL);
      json_object_set(document, "studies", all);
      json_dumpf(document, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
      fputc('\n', stdout);
      json_decref(document);
    }
    json_decref(all);
  }
  erg_cli_free(&cli);
  return status;
}
