/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "memory_report.h"
#include <string.h>

static erg_status run(int argc, char **argv, erg_error *error);
static const erg_command command = {
    "memory", "WORKLOAD", "training in little memory: narrow activations, recomputation and its joules", 4, run};
ERG_REGISTER(erg_command, command);

/* What the precision has: as they were computed, and narrower. */
static erg_status choose_widths(erg_cli *cli, bool given, int full_bits, erg_error *error) {
  static const int usual[] = {32, 16, 8, 4};
  erg_status status = ERG_OK;
  if (!given) cli->bit_count = 0;
  for (size_t i = 0; i < ERG_COUNT_OF(usual) && !given; i++)
    if (usual[i] <= full_bits) cli->bits[cli->bit_count++] = usual[i];
  for (int i = 0; i < cli->bit_count; i++)
    if (cli->bits[i] > full_bits)
      status = erg_fail(error, ERG_ERR_USAGE,
                        "memory: --activation-bits: found %d; allowed: up to the %d in which the step is computed",
                        cli->bits[i], full_bits);
  return status;
}

static erg_status check(erg_cli *cli, erg_error *error) {
  erg_status status = ERG_OK;
  if (!cli->precision_given) status = erg_precision_parse("fp32", &cli->precisions[0], error);
  if (cli->precision_count != 1)
    return erg_fail(error, ERG_ERR_USAGE, "memory: --precision: found %d; allowed: one", cli->precision_count);
  if (cli->precision_files[0] || erg_precision_is_int(&cli->precisions[0]))
    return erg_fail(error, ERG_ERR_USAGE,
                    "memory: --precision: allowed: a floating format, in which the step is computed; --activation-bits "
                    "are those of what is stored");
  return status;
}

/* The least of the widths that do not fit; 0: one fits. */
static int64_t least_that_fits(const erg_memory_report *r) {
  int64_t least = 0;
  for (int i = 0; i < r->width_count; i++) {
    if (r->widths[i].point_count) return 0;
    if (!least || r->widths[i].least_bytes < least) least = r->widths[i].least_bytes;
  }
  return least;
}

static erg_status measure(erg_memory_report *r, erg_error *error) {
  erg_status status = erg_training_stages_of(r->point.graph, &r->point.precision, &r->stages, error);
  erg_memory_width full; /* keeping all as it was computed, which shares are of */
  if (status == ERG_OK)
    status = erg_training_memory(&r->point, &r->stages, r->stages.full_bits, INT64_MAX, &r->arena, &full, error);
  for (; r->width_count < r->cli->bit_count && status == ERG_OK; r->width_count++)
    status = erg_training_memory(&r->point, &r->stages, r->cli->bits[r->width_count], r->cli->budget_bytes, &r->arena,
                                 &r->widths[r->width_count], error);
  if (status != ERG_OK) return status;
  r->full_bytes = full.keep_all.run.peak_bytes;
  const int64_t least = least_that_fits(r);
  if (least)
    status = erg_fail(error, ERG_ERR_DATA,
                      "memory: %s: no schedule fits in %lld bytes; the least budget that fits is %lld bytes",
                      r->point.graph->name, (long long)r->cli->budget_bytes, (long long)least);
  return status;
}

static erg_status run(int argc, char **argv, erg_error *error) {
  erg_cli cli;
  erg_inputs inputs = {0};
  erg_memory_report report = {.cli = &cli};
  erg_cli_parse(&command, ERG_OPTION_MEMORY | ERG_OPTION_JSON, 1, 1, argc, argv, &cli);
  erg_status status = check(&cli, error);
  if (status == ERG_OK) status = choose_widths(&cli, cli.bits_given, erg_format_bits(cli.precisions[0].format), error);
  if (status == ERG_OK) status = erg_inputs_load(&cli, cli.arguments[0], &inputs, error);
  if (status != ERG_OK) goto out;
  report.point = erg_cli_point(&cli, &inputs, 0);
  status = measure(&report, error);
  if (status == ERG_OK && cli.json)
    erg_memory_json(&report, stdout);
  else if (status == ERG_OK)
    erg_memory_print(&report, stdout);
  erg_training_stages_free(&report.stages);
  erg_arena_free(&report.arena);
  erg_inputs_free(&inputs);
out:
  erg_cli_free(&cli);
  return status;
}
