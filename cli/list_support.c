/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `ergon list support`: nothing here is a claim. Every golden kernel is called and every graph operator is put into a
 * small network and run, format by format, and a cell says what came back. */
#include "list_support.h"
#include "command.h"
#include <string.h>

#define ARCH "tiny"
#define TECH "horowitz-45nm"
#define MOST_REASONS 32

typedef struct {
  erg_arch arch;
  erg_technology technology;
  char *reasons[MOST_REASONS]; /* why something was skipped, each once */
  int reason_count;
  erg_arena arena;
} support;

static const char *format_name(erg_format format) {
  return format == ERG_FORMAT_INT ? "int" : erg_format_name(format);
}

static void heading(FILE *stream, const char *what, int width) {
  fprintf(stream, "| %-*s |", width, what);
  for (erg_format f = ERG_FORMAT_INT; f < ERG_FORMAT_COUNT; f++) fprintf(stream, " %-7s |", format_name(f));
  fprintf(stream, " |\n|%.*s|", width + 2, "--------------------------------------------------");
  for (erg_format f = ERG_FORMAT_INT; f < ERG_FORMAT_COUNT; f++) fputs("---------|", stream);
  fputs("---|\n", stream);
}

static erg_status kernels(FILE *stream, erg_error *error) {
  heading(stream, "golden kernel", 24);
  ERG_EACH(erg_kernel, kernel) {
    fprintf(stream, "| %-24s |", (*kernel)->name);
    for (erg_format f = ERG_FORMAT_INT; f < ERG_FORMAT_COUNT; f++) {
      erg_error fault = {0};
      erg_status status = (*kernel)->attempt(f, &fault);
      if (status != ERG_OK && status != ERG_ERR_UNSUPPORTED) erg_fail(error, status, "%s", fault.text);
      erg_error_clear(&fault);
      fprintf(stream, " %-7s |", status == ERG_OK ? "yes" : "-");
    }
    fprintf(stream, " %s |\n", (*kernel)->help);
  }
  return error->status;
}

/* A network of one or two convolutions, or layers, and the operator, as a user would write it. */
static const char *network(support *s, const erg_op *op) {
  return erg_arena_printf(&s->arena,
                          "name: support\ninput: {height: 8, width: 1, channels: 4}\nnodes:\n"
                          "  - {name: a, op: conv2d, K: 4, kernel: 1}\n"
                          "  - {name: b, op: %s}\n"
                          "  - {name: last, op: %s%s%s%s}\n",
                          op->by_channel ? "fc, K: 4" : "conv2d, K: 4, kernel: 1", op->name,
                          op->inputs == 2 ? ", inputs: [a, b]" : "", op->required & ERG_ATTR_K ? ", K: 4" : "",
                          op->required & ERG_ATTR_KERNEL ? ", kernel: 1" : "");
}

static void note(support *s, const char *reason) {
  for (int i = 0; i < s->reason_count; i++)
    if (strcmp(s->reasons[i], reason) == 0) return;
  if (s->reason_count < MOST_REASONS) s->reasons[s->reason_count++] = erg_arena_strdup(&s->arena, reason);
}

/* Whether the last node runs in a pass of the array, alone or fused, or in the unit behind it. */
static bool in_array(const erg_result *result) {
  int last = result->point.graph->node_count - 1;
  for (int i = 0; i < result->plan.pass_count; i++) {
    const erg_pass *pass = &result->plan.passes[i];
    for (int n = 0; n < pass->node_count; n++)
      if (pass->nodes[n] == last) return pass->kind == ERG_PASS_ARRAY || pass->norm;
  }
  return false;
}

/* Whether the Verilated array took every node of the network that ends in the operator. */
static erg_status verified(support *s, const erg_point *point, bool *done, erg_error *error) {
  const erg_verify_options options = {.quiet = true};
  erg_verify_result result = {0};
  erg_error fault = {0};
  erg_status status = erg_verify(point, &options, &result, &fault);
  *done = result.row_count > 0;
  for (int i = 0; i < result.row_count; i++) {
    const erg_verify_row *row = &result.rows[i];
    if (row->mismatches) erg_fail(error, ERG_ERR_MISMATCH, "%s: %s", row->name, row->reason);
    if (strcmp(row->status, "skipped") != 0) continue;
    *done = false;
    note(s, row->reason);
  }
  /* A network this small may be uninformative; that is a fault of the data, and no output differs. */
  if (status != ERG_OK && status != ERG_ERR_UNSUPPORTED && status != ERG_ERR_MISMATCH)
    erg_fail(error, status, "%s", fault.text ? fault.text : "verify failed");
  erg_error_clear(&fault);
  erg_verify_result_free(&result);
  return error->status;
}

static erg_status cell(support *s, const erg_graph *graph, erg_format format, char text[8], erg_error *error) {
  erg_point point = {.arch = &s->arch,
                     .technology = &s->technology,
                     .graph = graph,
                     .fusion = ERG_FUSION_EPILOGUE,
                     .batch = 1,
                     .seed = 1};
  erg_status status =
      erg_precision_parse(format == ERG_FORMAT_INT ? "int8" : format_name(format), &point.precision, error);
  bool counted[ERG_MODEL_RTL + 1] = {false}, array = false;
  for (erg_model model = ERG_MODEL_ANALYTIC; model <= ERG_MODEL_RTL && status == ERG_OK; model++) {
    point.model = model;
    if (model == ERG_MODEL_RTL) {
      if (array) status = verified(s, &point, &counted[model], error);
      continue;
    }
    erg_result result;
    status = erg_run(&point, NULL, &result, error);
    if (status != ERG_OK) break;
    counted[model] = !result.skipped;
    array = result.skipped || in_array(&result);
    if (result.skipped) note(s, result.reason);
    erg_result_free(&result);
  }
  snprintf(text, 8, "%s%s%s", counted[ERG_MODEL_ANALYTIC] ? "A" : "", counted[ERG_MODEL_SYSTEMC] ? " S" : "",
           counted[ERG_MODEL_RTL] ? " R" : "");
  return status;
}

static erg_status operators(support *s, FILE *stream, erg_error *error) {
  heading(stream, "operator of a network", 24);
  ERG_EACH(erg_op, item) {
    const erg_op *op = *item;
    if (op->role == ERG_ROLE_INPUT) continue;
    erg_graph graph;
    erg_status status = erg_graph_parse("support.yaml", network(s, op), 1, NULL, 0, &graph, error);
    if (status != ERG_OK) return status;
    fprintf(stream, "| %-24s |", op->name);
    for (erg_format f = ERG_FORMAT_INT; f < ERG_FORMAT_COUNT && status == ERG_OK; f++) {
      char text[8] = "";
      status = cell(s, &graph, f, text, error);
      fprintf(stream, " %-7s |", *text ? text : "-");
    }
    fprintf(stream, " %s |\n", op->help);
    erg_graph_free(&graph);
    if (status != ERG_OK) return status;
  }
  return ERG_OK;
}

static erg_status print(support *s, FILE *stream, erg_error *error) {
  fputs("# Operators and formats\n\n"
        "Printed by `ergon list support`, which tries every cell. *int*: weights, activations and outputs of 2 to 16 "
        "bits, set\n"
        "apart, accumulators of 8 to 48; int8 was tried. Floating formats: operands and products rounded to the "
        "format, sums in\n"
        "fp32 ([numerics.md](numerics.md)).\n\n"
        "## Golden kernels\n\n",
        stream);
  erg_status status = kernels(stream, error);
  if (status != ERG_OK) return status;
  fputs("\n## In networks\n\nA: counted, timed and priced by the analytic model; S: by the SystemC machine; R: `ergon "
        "verify` held "
        "the Verilated\narray's outputs against the golden kernel; operators that are no pass of the array or of the "
        "unit behind it have no R. "
        "On architecture `" ARCH "`, technology `" TECH "`, fusion `epilogue`.\n\n",
        stream);
  status = operators(s, stream, error);
  if (s->reason_count) fputs("\nSkipped, because:\n\n", stream);
  for (int i = 0; i < s->reason_count; i++) fprintf(stream, "- %s\n", s->reasons[i]);
  return status;
}

erg_status erg_list_support(FILE *stream, erg_error *error) {
  support s = {0};
  erg_status status = erg_arch_load(ARCH, NULL, 0, &s.arch, error);
  if (status == ERG_OK) status = erg_technology_load(TECH, NULL, 0, &s.technology, error);
  if (status == ERG_OK) status = print(&s, stream, error);
  erg_arch_free(&s.arch);
  erg_technology_free(&s.technology);
  erg_arena_free(&s.arena);
  return status;
}
