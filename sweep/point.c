/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A point by its number: inputs, canonical text, key. */
#include "accuracy.h"
#include "space.h"
#include <math.h>
#include <string.h>

#define MOST_SETS 128 /* 16 axes of 8 fields */

/* Overrides of one room, from the axes' values at this point. */
typedef struct {
  erg_override items[MOST_SETS];
  int count;
} sets;

static int name_index(const char *word, const char *const *names) {
  int i = 0;
  while (names[i] && strcmp(names[i], word) != 0) i++;
  return i;
}

/* The overrides of one room, as its own list: "arch.rows=8 arch.cols=8" of all axes gives two to "arch.". */
static void collect(const erg_sweep *s, int64_t index, erg_arena *arena, const char *room, sets *out) {
  size_t length = strlen(room);
  out->count = 0;
  for (int i = 0; i < s->axis_count; i++) {
    const erg_sweep_axis *a = &s->axes[i];
    char *rest = erg_arena_strdup(arena, a->values.items[erg_space_digit(s, index, ERG_DIM_AXES + i)]);
    for (int f = 0; f < a->set.count && rest; f++) {
      char *word = strsep(&rest, " ");
      while (word && !*word) word = strsep(&rest, " ");
      if (!word || strcmp(word, "-") == 0) continue;
      if (strncmp(a->set.items[f], room, length) == 0 && out->count < MOST_SETS)
        out->items[out->count++] = (erg_override){a->set.items[f] + length, word};
    }
  }
}

static bool same(char *have, size_t bytes, const char *wanted) {
  if (strcmp(have, wanted) == 0) return true;
  snprintf(have, bytes, "%s", wanted);
  return false;
}

/* "arch.rows=8 arch.cols=8": all axes' values at this point. */
static const char *set_of(const erg_sweep *s, int64_t index, erg_arena *arena) {
  sets all;
  char *line = NULL;
  collect(s, index, arena, "", &all);
  for (int i = 0; i < all.count; i++)
    line =
        erg_arena_printf(arena, "%s%s%s=%s", line ? line : "", line ? " " : "", all.items[i].path, all.items[i].value);
  return line ? line : "";
}

static char *identity(erg_arena *arena, const char *name, int64_t number, const sets *list) {
  char *text = erg_arena_printf(arena, "%s %lld", name, (long long)number);
  for (int i = 0; i < list->count && text; i++)
    text = erg_arena_printf(arena, "%s %s=%s", text, list->items[i].path, list->items[i].value);
  return text ? text : "";
}

static erg_status load(const erg_sweep *s, int64_t index, erg_sweep_inputs *in, erg_arena *arena, erg_error *error) {
  sets graph, arch, tech;
  const char *workload = s->workloads.items[erg_space_digit(s, index, ERG_DIM_WORKLOAD)];
  int batch = (int)s->batches.items[erg_space_digit(s, index, ERG_DIM_BATCH)];
  const char *arch_name = s->archs.items[erg_space_digit(s, index, ERG_DIM_ARCH)];
  const char *tech_name = s->techs.items[erg_space_digit(s, index, erg_space_behind(s, ERG_DIM_TECH))];
  collect(s, index, arena, "workload.", &graph);
  collect(s, index, arena, "arch.", &arch);
  collect(s, index, arena, "tech.", &tech);
  erg_status status = ERG_OK;
  if (!same(in->graph_id, sizeof in->graph_id, identity(arena, workload, batch, &graph))) {
    erg_graph_free(&in->graph);
    in->graph = (erg_graph){0};
    if (in->memo) erg_memo_clear(in->memo);
    status = erg_graph_load(workload, batch, graph.items, graph.count, &in->graph, error);
    if (status != ERG_OK) in->graph_id[0] = 0;
  }
  if (status == ERG_OK && s->accuracy.data) /* whatever the batch: examples are judged one by one */
    status = erg_judge_prepare(s, erg_space_digit(s, index, ERG_DIM_WORKLOAD), identity(arena, workload, 1, &graph),
                               graph.items, graph.count, &in->judge, error);
  if (status == ERG_OK && !same(in->arch_id, sizeof in->arch_id, identity(arena, arch_name, 0, &arch))) {
    erg_arch_free(&in->arch);
    in->arch = (erg_arch){0};
    if (in->memo) erg_memo_clear(in->memo);
    status = erg_arch_load(arch_name, arch.items, arch.count, &in->arch, error);
    if (status != ERG_OK) in->arch_id[0] = 0;
  }
  if (status == ERG_OK && !same(in->technology_id, sizeof in->technology_id, identity(arena, tech_name, 0, &tech))) {
    erg_technology_free(&in->technology);
    in->technology = (erg_technology){0};
    status = erg_technology_load(tech_name, tech.items, tech.count, &in->technology, error);
    if (status != ERG_OK) in->technology_id[0] = 0;
  }
  return status;
}

static erg_status load_plan(erg_sweep_inputs *in, const char *file, erg_arena *arena, erg_error *error) {
  if (same(in->widths_id, sizeof in->widths_id, erg_arena_printf(arena, "%s %s", file, in->graph_id))) return ERG_OK;
  erg_widths_free(&in->widths);
  erg_status status = erg_widths_load(file, &in->graph, &in->widths, error);
  if (status != ERG_OK) in->widths_id[0] = 0;
  return status;
}

static void put_text(erg_sweep_row *row, int column, const char *text) {
  row->cells[column].known = text != NULL;
  row->cells[column].text = text;
}
static void put_integer(erg_sweep_row *row, int column, int64_t value) {
  row->cells[column].known = true;
  row->cells[column].integer = value;
}

/* Everything the numbers of a row depend on, a line each. Files count by what is in them, not by their names. */
static char *canonical(const erg_sweep *s, const erg_point *p, const char *precision, const char *set,
                       const char *judged, erg_arena *arena) {
  return erg_arena_printf(
      arena,
      "ergon.point 1\nmodel_version %d\nworkload %s %s\nbatch %d\narch %s %s\ntechnology %s %s\nset "
      "%s\nprecision %s\nfusion %s\ndataflow %s\nmodel %s\nseed %lld\nequal_area %s\nmax_mac_area_mm2 "
      "%.17g\nmax_buffer_kib %.17g\nmin_buffer_kib %.17g\nmax_power_mw %.17g\n%s",
      ERG_MODEL_VERSION, p->graph->name, p->graph->sha256, p->batch, p->arch->name, p->arch->sha256,
      p->technology->name, p->technology->sha256, set, precision, erg_fusion_names[p->fusion],
      erg_dataflow_names[p->dataflow], erg_model_names[p->model], (long long)s->seed,
      s->limits.equal_area ? s->limits.equal_area : "-", s->limits.max_mac_area_mm2, s->limits.max_buffer_kib,
      s->limits.min_buffer_kib, s->limits.max_power_mw, judged);
}

erg_status erg_sweep_point(const erg_sweep *s, int64_t index, erg_sweep_inputs *in, erg_arena *arena, erg_point *point,
                           erg_sweep_row *row, erg_error *error) {
  memset(row, 0, sizeof *row);
  erg_status status = load(s, index, in, arena, error);
  if (status != ERG_OK) return status;
  const char *fusion = s->fusion_names.items[erg_space_digit(s, index, erg_space_behind(s, ERG_DIM_FUSION))];
  const char *dataflow = s->dataflow_names.items[erg_space_digit(s, index, erg_space_behind(s, ERG_DIM_DATAFLOW))];
  const char *model = s->model_names.items[erg_space_digit(s, index, erg_space_behind(s, ERG_DIM_MODEL))];
  *point = (erg_point){.arch = &in->arch,
                       .technology = &in->technology,
                       .graph = &in->graph,
                       .precision = s->precisions[erg_space_digit(s, index, erg_space_behind(s, ERG_DIM_PRECISION))],
                       .fusion = (erg_fusion)name_index(fusion, erg_fusion_names),
                       .dataflow = (erg_dataflow)name_index(dataflow, erg_dataflow_names),
                       .model = (erg_model)name_index(model, erg_model_names),
                       .batch = (int)s->batches.items[erg_space_digit(s, index, ERG_DIM_BATCH)],
                       .seed = (uint64_t)s->seed};
  if (!in->memo) in->memo = erg_memo_new();
  point->memo = in->memo;
  point->totals_only = true;
  const char *plan = s->plan_files[erg_space_digit(s, index, erg_space_behind(s, ERG_DIM_PRECISION))];
  if (plan) status = load_plan(in, plan, arena, error);
  if (status != ERG_OK) return status;
  if (plan) erg_point_widths(point, &in->widths);
  const erg_precision *p = &point->precision;
  bool integer = erg_precision_is_int(p);
  char name[32];
  const char *precision = erg_arena_strdup(arena, erg_point_precision_name(point, name)),
             *set = set_of(s, index, arena),
             *full = plan ? erg_arena_printf(arena, "%s %s", precision, in->widths.plan.sha256) : precision;
  char *text =
      precision && full ? canonical(s, point, full, set, in->judge ? erg_judge_identity(in->judge) : "", arena) : NULL;
  if (!text) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  erg_sha256_hex(text, strlen(text), row->key);
  put_text(row, ERG_SWEEP_POINT, text);
  put_text(row, ERG_SWEEP_ERGON, erg_version_text());
  put_text(row, ERG_SWEEP_WORKLOAD, erg_arena_strdup(arena, point->graph->name));
  put_text(row, ERG_SWEEP_ARCH, erg_arena_strdup(arena, point->arch->name));
  put_text(row, ERG_SWEEP_TECHNOLOGY, erg_arena_strdup(arena, point->technology->name));
  put_text(row, ERG_SWEEP_PRECISION, precision);
  put_text(row, ERG_SWEEP_FORMAT, erg_format_name(p->format));
  if (!plan) { /* a plan has no one width */
    put_integer(row, ERG_SWEEP_WEIGHT_BITS, integer ? p->weight_bits : erg_format_bits(p->format));
    put_integer(row, ERG_SWEEP_ACTIVATION_BITS, integer ? p->activation_bits : erg_format_bits(p->format));
    put_integer(row, ERG_SWEEP_ACCUMULATOR_BITS, p->accumulator_bits);
    put_integer(row, ERG_SWEEP_OUTPUT_BITS, integer ? p->output_bits : erg_format_bits(p->format));
  }
  put_text(row, ERG_SWEEP_FUSION, erg_fusion_names[point->fusion]);
  put_text(row, ERG_SWEEP_DATAFLOW, erg_dataflow_names[point->dataflow]);
  put_text(row, ERG_SWEEP_MODEL, erg_model_names[point->model]);
  put_text(row, ERG_SWEEP_MAC, erg_mac_kind_names[point->arch->mac]);
  put_text(row, ERG_SWEEP_SET, set);
  put_integer(row, ERG_SWEEP_BATCH, point->batch);
  put_integer(row, ERG_SWEEP_SEED, s->seed);
  put_text(row, ERG_SWEEP_EQUAL, s->limits.equal_area ? "area" : "PE count");
  put_integer(row, ERG_SWEEP_ROWS, point->arch->rows);
  put_integer(row, ERG_SWEEP_COLS, point->arch->cols);
  if (in->judge) {
    put_text(row, ERG_SWEEP_WEIGHTS, s->accuracy.weights.items[erg_space_digit(s, index, ERG_DIM_WORKLOAD)]);
    put_text(row, ERG_SWEEP_DATA, s->accuracy.data);
  }
  return ERG_OK;
}

void erg_sweep_inputs_free(erg_sweep_inputs *in) {
  erg_graph_free(&in->graph);
  erg_arch_free(&in->arch);
  erg_technology_free(&in->technology);
  erg_memo_free(in->memo);
  erg_widths_free(&in->widths);
  erg_judge_free(in->judge);
  memset(in, 0, sizeof *in);
}
