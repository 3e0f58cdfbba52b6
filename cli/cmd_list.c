/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "command.h"
#include "ergon/plots.h"
#include "ergon/quant.h"
#include "ergon/sweep.h"
#include "list_formats.h"
#include "list_gates.h"
#include "list_support.h"
#include <string.h>

static erg_status run(int argc, char **argv, erg_error *error);
static const erg_command command = {"list", "[archs|techs|workloads|data|specs|ops|formats|rules|gates|plots|support]",
                                    "what is built in", 5, run};
ERG_REGISTER(erg_command, command);

static void row(erg_table *table, const char *name, const char *help) {
  erg_table_cell(table, "%s", name);
  erg_table_cell(table, "%s", help ? help : "");
}

/* One line a file; a file that cannot be read is a fault, not a gap. */
static erg_status list_files(const char *kind, bool coverage, erg_table *table, erg_error *error) {
  erg_arena arena = {0};
  char **names;
  int count;
  erg_status status = erg_data_list(&arena, kind, ".yaml", &names, &count, error);
  for (int i = 0; i < count && status == ERG_OK; i++) {
    if (strcmp(kind, "archs") == 0) {
      erg_arch arch;
      status = erg_arch_load(names[i], NULL, 0, &arch, error);
      if (status == ERG_OK) row(table, names[i], arch.help), erg_arch_free(&arch);
    } else if (strcmp(kind, "tech") == 0) {
      erg_technology tech;
      status = erg_technology_load(names[i], NULL, 0, &tech, error);
      if (status != ERG_OK) break;
      char covers[512], lacks[512];
      erg_technology_coverage(&tech, covers, sizeof covers, lacks, sizeof lacks);
      row(table, names[i], tech.help);
      if (coverage) {
        erg_table_cell(table, "%s", covers);
        erg_table_cell(table, "%s", lacks);
      }
      erg_technology_free(&tech);
    } else if (strcmp(kind, "specs") == 0) {
      erg_sweep sweep;
      status = erg_sweep_load(names[i], &sweep, error);
      if (status == ERG_OK) row(table, names[i], sweep.help), erg_sweep_free(&sweep);
    } else {
      erg_graph graph;
      status = erg_graph_load(names[i], 1, NULL, 0, &graph, error);
      if (status != ERG_OK) break;
      char text[128];
      snprintf(text, sizeof text, "%.3f GMAC, %.3f M parameters, %d nodes", (double)erg_graph_macs(&graph) / 1e9,
               (double)erg_graph_parameters(&graph) / 1e6, graph.node_count - 1);
      row(table, names[i], text);
      erg_graph_free(&graph);
    }
  }
  erg_arena_free(&arena);
  return status;
}

static erg_status list(const char *what, bool coverage, erg_table *table, erg_error *error) {
  if (strcmp(what, "archs") == 0) return list_files("archs", false, table, error);
  if (strcmp(what, "techs") == 0) return list_files("tech", coverage, table, error);
  if (strcmp(what, "workloads") == 0) return list_files("nets", false, table, error);
  if (strcmp(what, "specs") == 0) return list_files("specs", false, table, error);
  if (strcmp(what, "data") == 0) {
    ERG_EACH(erg_data_source, item) row(table, (*item)->name, (*item)->help);
  } else if (strcmp(what, "ops") == 0) {
    ERG_EACH(erg_op, item) row(table, (*item)->name, (*item)->help);
  } else if (strcmp(what, "formats") == 0) {
    row(table, "int2..int16, wNaM", "two's complement codes, weights and activations set apart");
    ERG_EACH(erg_float_format, item) row(table, (*item)->name, (*item)->help);
  } else if (strcmp(what, "gates") == 0) {
    ERG_EACH(erg_gate, item) row(table, (*item)->name, (*item)->help);
  } else if (strcmp(what, "rules") == 0) {
    for (int rule = 0; rule < ERG_RULE_COUNT; rule++) row(table, erg_rule_names[rule], erg_rule_help[rule]);
  } else if (strcmp(what, "plots") == 0) {
    ERG_EACH(erg_plot, item) row(table, (*item)->name, (*item)->help);
  } else {
    return erg_fail(
        error, ERG_ERR_USAGE,
        "list: found '%s'; allowed: archs, techs, workloads, data, specs, ops, formats, rules, gates, plots, support",
        what);
  }
  return ERG_OK;
}

static erg_status run(int argc, char **argv, erg_error *error) {
  static const char *const all[] = {"workloads", "data",    "archs", "techs", "specs",
                                    "ops",       "formats", "rules", "gates", "plots"};
  erg_cli cli;
  erg_cli_parse(&command, 0, 0, 1, argc, argv, &cli);
  erg_status status = ERG_OK;
  if (cli.argument_count && strcmp(cli.arguments[0], "support") == 0) { /* a page of its own */
    status = erg_list_support(stdout, error);
    erg_cli_free(&cli);
    return status;
  }
  for (size_t i = 0; i < ERG_COUNT_OF(all) && status == ERG_OK; i++) {
    const char *what = cli.argument_count ? cli.arguments[0] : all[i];
    erg_table *table = erg_table_new();
    erg_table_column(table, what, false);
    erg_table_column(table, "", false);
    /* Asked for alone, technologies say what they cover and what they do not. */
    bool coverage = cli.argument_count && strcmp(what, "techs") == 0;
    if (coverage) {
      erg_table_column(table, "covers", false);
      erg_table_column(table, "does not cover", false);
    }
    status = list(what, coverage, table, error);
    if (status == ERG_OK) erg_table_print(table, stdout);
    erg_table_free(table);
    if (status == ERG_OK && cli.argument_count && strcmp(what, "gates") == 0) {
      fputc('\n', stdout);
      status = erg_list_gates(stdout, error);
    }
    if (status == ERG_OK && cli.argument_count && strcmp(what, "formats") == 0) {
      fputc('\n', stdout);
      erg_list_formats(stdout);
    }
    if (cli.argument_count) break;
    if (i + 1 < ERG_COUNT_OF(all)) fputc('\n', stdout);
  }
  erg_cli_free(&cli);
  return status;
}
