/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "command.h"
#include <errno.h>
#include <string.h>

static erg_status run(int argc, char **argv, erg_error *error);
static const erg_command command = {"verify", "[WORKLOAD]",
                                    "RTL against C: every layer of WORKLOAD, random cases, or your own tensors, "
                                    "through the Verilated array (Ergon's, or with --dut your "
                                    "own), against the golden kernel",
                                    2, run};
ERG_REGISTER(erg_command, command);

static void print_header(const erg_cli *cli, const erg_inputs *inputs) {
  char precision[32];
  bool random = !inputs->graph.name;
  printf("%s: %d x %d Verilated array%s%s (arch %s), precision %s, fusion %s, dataflow %s, model rtl, batch %d, seed "
         "%llu; %s\n",
         !random      ? inputs->graph.name
         : cli->input ? "your product"
                      : "random cases",
         (int)inputs->arch.rows, (int)inputs->arch.cols, cli->dut_top ? " " : "", cli->dut_top ? cli->dut_top : "",
         inputs->arch.name, erg_cli_precision_name(cli, inputs, 0, precision), erg_fusion_names[cli->fusions[0]],
         erg_dataflow_names[cli->dataflow], cli->batch, (unsigned long long)cli->seed,
         random ? "the array alone" : "synthetic weights, calibrated, not trained");
  if (cli->dut_top)
    printf("The array is not Ergon's: its cycles are measured, and %s.\n",
           cli->strict_cycles ? "must be those of the formula" : "shown beside the formula of Ergon's");
  if (cli->mutant) printf("The array is the mutant %s: deliberately wrong.\n", cli->mutant);
  if (cli->gap_probability > 0) printf("Each operand is withheld with probability %g a cycle.\n", cli->gap_probability);
  if (cli->precision_files[0])
    printf("Precision plan %s, sha256 %.12s: each layer runs through an array built for its own widths.\n",
           inputs->widths[0].plan.file, inputs->widths[0].plan.sha256);
  erg_print_overrides(cli, stdout);
  putchar('\n');
}

/* Where to look, and how to see it again. */
static void print_differences(const erg_verify_result *result) {
  for (int i = 0; i < result->row_count; i++) {
    const erg_verify_row *row = &result->rows[i];
    const erg_verify_detail *d = &row->detail;
    if (!d->present) continue;
    if (row->cases && row->first_case < 0)
      printf("\n%s: first difference at row (m) %d, channel (n) %d\n", row->name, row->first_row, row->first_channel);
    else if (d->tile < 0)
      printf("\n%s: first difference in case %d: row (p) %d, channel (k) %d\n", row->name, row->first_case,
             row->first_row, row->first_channel);
    else
      printf("\n%s: first difference at image (n) %d, row (p) %d, column (q) %d, channel (k) %d; tile %d\n", row->name,
             row->first_image, row->first_row, row->first_col, row->first_channel, d->tile);
    printf("  output        expected %d, got %d\n", row->first_expected, row->first_got);
    printf("  accumulator   expected %lld, ", (long long)d->sum_expected);
    if (d->sum_shown)
      printf("array %lld (before requantization, bias added)\n", (long long)d->sum_got);
    else
      printf("the array does not show its own (port acc_o)\n");
    printf("  in the array  row %d of the product, array column %d, clock cycle %llu\n", d->tile_row, d->array_column,
           (unsigned long long)d->cycle);
    if (!d->replayed)
      printf("  alone         it gives the golden code: the fault needs what ran before, or lies around the array\n");
    if (d->waves[0])
      printf("  waveform      %s, cycles %llu to %llu (cycle n at 10 n ns)\n", d->waves,
             (unsigned long long)d->first_edge, (unsigned long long)d->last_edge);
    if (d->replay[0]) printf("  again         %s\n", d->replay);
  }
}

static void print_coverage(const erg_verify_result *result) {
  if (!result->coverage) return;
  printf(
      "\nCoverage of the array's sources: lines that ran, bits that rose and fell (bits that this product cannot move "
      "count too)\n");
  erg_table *table = erg_table_new();
  static const char *const headings[] = {"source",        "lines",   "run", "[%]",
                                         "toggle points", "toggled", "[%]", "lines that never ran"};
  for (size_t i = 0; i < ERG_COUNT_OF(headings); i++)
    erg_table_column(table, headings[i], i > 0 && i + 1 < ERG_COUNT_OF(headings));
  for (int i = 0; i < result->coverage_count; i++) {
    const erg_verify_coverage *c = &result->coverage[i];
    char missed[200] = "";
    for (int k = 0; k < c->lines - c->lines_hit && strlen(missed) < 180; k++)
      snprintf(missed + strlen(missed), sizeof missed - strlen(missed), "%s%d", k ? ", " : "", c->missed[k]);
    erg_table_cell(table, "%s", c->source);
    erg_table_cell(table, "%d", c->lines);
    erg_table_cell(table, "%d", c->lines_hit);
    erg_table_cell(table, "%.1f", c->lines ? 100.0 * c->lines_hit / c->lines : 0.0);
    erg_table_cell(table, "%d", c->toggles);
    erg_table_cell(table, "%d", c->toggles_hit);
    erg_table_cell(table, "%.1f", c->toggles ? 100.0 * c->toggles_hit / c->toggles : 0.0);
    erg_table_cell(table, "%s", missed[0] ? missed : "-");
  }
  erg_table_print(table, stdout);
  erg_table_free(table);
}

static erg_status report(const erg_cli *cli, const erg_inputs *inputs, const erg_verify_result *result,
                         erg_error *error) {
  erg_point point = erg_cli_point(cli, inputs, 0);
  json_t *json = erg_envelope_json("ergon.verify", cli->command_line, &point);
  erg_verify_json(result, json);
  erg_status status = ERG_OK;
  if (cli->json) {
    json_dumpf(json, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    fputc('\n', stdout);
  } else {
    print_header(cli, inputs);
    erg_print_ledger(result, stdout);
    print_differences(result);
    print_coverage(result);
  }
  if (cli->out) {
    status = erg_write_json(json, cli->out, "verify.json", error);
    if (status == ERG_OK) fprintf(stderr, "wrote %s/verify.json\n", cli->out);
  }
  json_decref(json);
  return status;
}

static erg_status check_line(const erg_cli *cli, erg_error *error) {
  if (cli->precision_count > 1 || cli->fusion_count > 1)
    erg_fail(error, ERG_ERR_USAGE, "verify takes one precision and one fusion");
  if (cli->model_given && cli->model != ERG_MODEL_RTL)
    erg_fail(error, ERG_ERR_USAGE, "verify: --model: found %s; allowed: rtl (`ergon run --model %s` runs that)",
             erg_model_names[cli->model], erg_model_names[cli->model]);
  if (!cli->dut != !cli->dut_top)
    erg_fail(error, ERG_ERR_USAGE, "verify: --dut FILE and --top NAME go together; --%s is missing",
             cli->dut ? "top" : "dut");
  if (cli->dut && cli->mutant)
    erg_fail(error, ERG_ERR_USAGE, "verify: --mutant is a fault of Ergon's array; it does not go with --dut");
  if (cli->strict_cycles && !cli->dut)
    erg_fail(error, ERG_ERR_USAGE, "verify: --cycles strict goes with --dut; Ergon's own cycles always count");
  if (cli->strict_cycles && cli->gap_probability > 0 && cli->argument_count)
    erg_fail(error, ERG_ERR_USAGE, "verify: --cycles strict measures without gaps; leave out --gaps");
  if (error->status != ERG_OK) return error->status;
  if (cli->layer && !cli->argument_count)
    erg_fail(error, ERG_ERR_USAGE, "verify: --layer goes with a WORKLOAD; a random case is --case I");
  if (cli->tile_given && !cli->layer) erg_fail(error, ERG_ERR_USAGE, "verify: --tile goes with --layer NAME");
  if (cli->argument_count && (cli->input || cli->weight || cli->bias))
    erg_fail(error, ERG_ERR_USAGE, "verify: --input, --weight, --bias are a product of its own; leave out WORKLOAD");
  if (!cli->input != !cli->weight || (cli->bias && !cli->input))
    erg_fail(error, ERG_ERR_USAGE,
             "verify: --input X.npy and --weight W.npy go together, --bias B.npy with both; "
             "missing:%s%s",
             cli->input ? "" : " --input", cli->weight ? "" : " --weight");
  if (cli->input && cli->only_case >= 0)
    erg_fail(error, ERG_ERR_USAGE, "verify: --case is a random case; --input runs one product");
  if (cli->only_case >= 0 && cli->argument_count)
    erg_fail(error, ERG_ERR_USAGE, "verify: --case goes without a WORKLOAD; a layer of one is --layer NAME");
  if (error->status != ERG_OK) return error->status;
  return cli->out ? erg_make_folder(cli->out, error) : ERG_OK; /* before minutes of work, not after */
}

static erg_status write_template(const char *path, erg_error *error) {
  erg_arena arena = {0};
  char *data, *text;
  erg_status status = erg_data_dir(&arena, &data, error);
  if (status == ERG_OK)
    status = erg_file_read(&arena, erg_arena_printf(&arena, "%s/rtl/dut_template.sv", data), &text, NULL, error);
  if (status == ERG_OK && !path) fputs(text, stdout);
  if (status == ERG_OK && path) {
    FILE *stream = fopen(path, "wx"); /* a file of that name may be an array already */
    if (!stream) {
      status = erg_fail(error, ERG_ERR_CREATE, "%s: %s", path, strerror(errno));
    } else {
      bool failed = fputs(text, stream) < 0;
      failed |= fclose(stream) != 0;
      if (failed)
        status = erg_fail(error, ERG_ERR_IO, "%s: %s", path, strerror(errno));
      else
        fprintf(stderr, "wrote %s; `ergon verify --dut %s --top my_array` checks it\n", path, path);
    }
  }
  erg_arena_free(&arena);
  return status;
}

/* The words of --dut, NULL at the end. */
static const char *const *dut_files(erg_cli *cli) {
  size_t count = 2;
  for (const char *at = cli->dut; *at; at++) count += *at == ',';
  const char **files = erg_arena_alloc(&cli->arena, count * sizeof *files);
  char *rest = erg_arena_strdup(&cli->arena, cli->dut), *word;
  for (int i = 0; files && rest && (word = strsep(&rest, ","));)
    if (*word) files[i++] = word;
  return files;
}

static erg_status check(erg_cli *cli, erg_error *error) {
  erg_inputs inputs = {0};
  erg_verify_result result = {0};
  erg_status status = erg_inputs_load(cli, cli->argument_count ? cli->arguments[0] : NULL, &inputs, error);
  if (status != ERG_OK) return status;
  erg_point point = erg_cli_point(cli, &inputs, 0);
  erg_verify_options options = {.mutant = cli->mutant,
                                .gap_probability = cli->gap_probability,
                                .quiet = cli->quiet,
                                .dut_top = cli->dut_top,
                                .strict_cycles = cli->strict_cycles,
                                .cases = cli->cases,
                                .only_case = cli->only_case,
                                .command = cli->command_line,
                                .rule = cli->rule,
                                .waves = cli->waves,
                                .input = cli->input,
                                .weight = cli->weight,
                                .bias = cli->bias,
                                .coverage = cli->coverage,
                                .only_layer = cli->layer,
                                .only_tile = cli->tile_given ? &cli->tile : NULL};
  if (cli->out && !cli->waves) options.waves = erg_arena_printf(&cli->arena, "%s/first-difference.fst", cli->out);
  if (cli->dut) options.dut_files = dut_files(cli);
  status =
      point.graph ? erg_verify(&point, &options, &result, error) : erg_verify_random(&point, &options, &result, error);
  if (result.row_count) { /* the ledger is printed whatever it says */
    erg_status written = report(cli, &inputs, &result, error);
    if (status == ERG_OK) status = written;
  }
  erg_verify_result_free(&result);
  erg_inputs_free(&inputs);
  return status;
}

static erg_status run(int argc, char **argv, erg_error *error) {
  erg_cli cli;
  erg_cli_parse(&command, ERG_OPTION_POINT | ERG_OPTION_REPORT | ERG_OPTION_VERIFY, 0, 1, argc, argv, &cli);
  erg_status status = cli.dut_template ? ERG_OK : check_line(&cli, error);
  if (status == ERG_OK)
    status =
        cli.dut_template ? write_template(cli.argument_count ? cli.arguments[0] : NULL, error) : check(&cli, error);
  erg_cli_free(&cli);
  return status;
}
