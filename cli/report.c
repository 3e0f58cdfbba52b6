/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables for people and CSV for scripts. */
#include "command.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

static const char *precision_of(const erg_result *r, char buffer[32]) {
  return erg_point_precision_name(&r->point, buffer);
}

/* A prefix that leaves a number of at most three digits before the point. */
typedef struct {
  double scale;
  const char *prefix;
} unit;

static unit unit_of(double most) {
  static const unit units[] = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
  for (size_t i = 0; i < ERG_COUNT_OF(units); i++)
    if (most >= units[i].scale) return units[i];
  return (unit){1, ""};
}

static double onchip_pj(const erg_result *r, const erg_energy *energy) {
  double pj = 0;
  for (int level = 1; level < r->point.arch->level_count; level++) pj += energy->level_pj[level];
  return pj;
}

static int accumulator(const erg_result *r) {
  return ERG_LEVEL_ACCUMULATOR(r->point.arch->level_count);
}
static int registers(const erg_result *r) {
  return ERG_LEVEL_REGISTERS(r->point.arch->level_count);
}

void erg_print_overrides(const erg_cli *cli, FILE *stream) {
  const struct {
    const char *room;
    const erg_override *sets;
    int count;
  } rooms[] = {{"arch", cli->arch_sets, cli->arch_set_count},
               {"tech", cli->tech_sets, cli->tech_set_count},
               {"workload", cli->workload_sets, cli->workload_set_count}};
  bool any = false;
  for (size_t i = 0; i < ERG_COUNT_OF(rooms); i++)
    for (int j = 0; j < rooms[i].count; j++, any = true)
      fprintf(stream, "%s %s.%s=%s", any ? "," : "Set by --set:", rooms[i].room, rooms[i].sets[j].path,
              rooms[i].sets[j].value);
  if (any) fputc('\n', stream);
}

/* What the array is at each precision, and why its cycles do or do not follow the width. */
static void print_mac(const erg_arch *arch, FILE *stream) {
  const int rows = (int)arch->rows, cols = (int)arch->cols;
  if (arch->mac == ERG_MAC_FIXED)
    fprintf(stream,
            "The MAC hardware is fixed at %d x %d bits (%d x %d PEs at every point): narrower data save traffic, not "
            "MAC energy or cycles.\n",
            (int)arch->mac_weight_bits, (int)arch->mac_activation_bits, rows, cols);
  else if (arch->mac == ERG_MAC_NATIVE)
    fprintf(stream,
            "Equal PE count (%d x %d, built for each precision), not equal area. Cycles do not follow the operand "
            "width: a native array of one width does one MAC a PE and cycle; only stalls follow the bytes moved.\n",
            rows, cols);
  else
    fprintf(
        stream,
        "Scalable MACs (%d x %d PEs of sixteen 2 x 2 bit blocks at every point; no area has a source): a PE takes 64 / "
        "(weight bits x activation bits) products a cycle, widths rounded up to 2, 4 or 8; cycles follow the width.\n",
        rows, cols);
}

static void print_plans(const erg_cli *cli, const erg_inputs *inputs, FILE *stream) {
  for (int i = 0; i < cli->precision_count; i++) {
    const erg_widths *w = &inputs->widths[i];
    char hardware[32];
    if (!cli->precision_files[i]) continue;
    fprintf(stream, "Precision plan %s: %s, sha256 %.12s, %d layers of their own", w->plan.name, w->plan.file,
            w->plan.sha256, w->plan.count);
    if (inputs->arch.mac == ERG_MAC_NATIVE)
      fprintf(stream, "; the MACs are built for its widest operands (%s), whose energy every layer pays",
              erg_precision_name(&w->widest, hardware));
    fprintf(stream, ".\n");
  }
}

void erg_print_header(const erg_cli *cli, const erg_inputs *inputs, FILE *stream) {
  const erg_arch *arch = &inputs->arch;
  const erg_technology *tech = &inputs->technology;
  char precision[32];
  fprintf(stream, "%s: arch %s (%d x %d, %s mac, %g MHz), tech %s, precision %s", inputs->graph.name, arch->name,
          (int)arch->rows, (int)arch->cols, erg_mac_kind_names[arch->mac], arch->clock_mhz, tech->name,
          erg_cli_precision_name(cli, inputs, 0, precision));
  for (int i = 1; i < cli->precision_count; i++)
    fprintf(stream, ",%s", erg_cli_precision_name(cli, inputs, i, precision));
  fprintf(stream, ", fusion %s", erg_fusion_names[cli->fusions[0]]);
  for (int i = 1; i < cli->fusion_count; i++) fprintf(stream, ",%s", erg_fusion_names[cli->fusions[i]]);
  fprintf(stream, ", dataflow %s, model %s, batch %d, seed %" PRIu64 "\n", erg_dataflow_names[cli->dataflow],
          erg_model_names[cli->model], cli->batch, cli->seed);
  if (!erg_technology_has_static(tech)) fprintf(stream, "%s has no clock and leakage term. ", tech->name);
  fprintf(stream, "%s\n",
          tech->mac_includes_registers ? "Its MAC includes the array's registers."
                                       : "The array's registers are a memory level of their own.");
  print_mac(arch, stream);
  print_plans(cli, inputs, stream);
  erg_print_overrides(cli, stream);
  for (int i = 0; i < inputs->graph.note_count; i++)
    fprintf(stream, "note: %s: %s\n", inputs->graph.file, inputs->graph.notes[i]);
}

static const char no_column[] = "-"; /* a heading that a table leaves out */
static const char *static_column(const erg_result *r) {
  return erg_technology_has_static(r->point.technology) ? "clock, leakage" : no_column;
}

static void columns(erg_table *table, const char *const *headings, int left) {
  for (int i = 0; headings[i]; i++)
    if (headings[i] != no_column) erg_table_column(table, headings[i], i >= left);
}

/* Units of a table: small runs would round to nothing in those of large ones. */
typedef struct {
  const char *points[6], *layers[6]; /* headings: MAC, cycles, stalls or latency, dram, mac energy, total energy */
  double point_cycles, point_seconds, point_bits, point_pj;
  double layer_macs, layer_cycles, layer_bits, layer_pj;
  int digits; /* of cycles */
} scale;

static const scale *scale_of(const erg_result *results, int count) {
  static const scale large = {{"", "cycles [M]", "latency [ms]", "dram [MB]", "mac [mJ]", "total [mJ]"},
                              {"MMAC", "cycles [k]", "stall [k]", "dram [kB]", "mac [uJ]", "total [uJ]"},
                              1e6,
                              1e-3,
                              8e6,
                              1e9,
                              1e6,
                              1e3,
                              8e3,
                              1e6,
                              1};
  static const scale small = {{"", "cycles", "latency [us]", "dram [kB]", "mac [nJ]", "total [nJ]"},
                              {"kMAC", "cycles", "stall", "dram [B]", "mac [nJ]", "total [nJ]"},
                              1,
                              1e-6,
                              8e3,
                              1e3,
                              1e3,
                              1,
                              8,
                              1e3,
                              0};
  for (int i = 0; i < count; i++)
    if (!results[i].skipped && results[i].activity.cycles >= 100000) return &large;
  return &small;
}

static void energy_cells(erg_table *table, const erg_result *r, const erg_energy *e, double unit) {
  erg_table_cell(table, "%.3f", e->mac_pj / unit);
  erg_table_cell(table, "%.3f", e->other_ops_pj / unit);
  erg_table_cell(table, "%.3f", e->level_pj[registers(r)] / unit);
  erg_table_cell(table, "%.3f", e->level_pj[accumulator(r)] / unit);
  erg_table_cell(table, "%.3f", onchip_pj(r, e) / unit);
  erg_table_cell(table, "%.3f", e->level_pj[0] / unit);
  if (erg_technology_has_static(r->point.technology)) erg_table_cell(table, "%.3f", e->static_pj / unit);
  erg_table_cell(table, "%.3f", e->total_pj / unit);
}

void erg_print_points(const erg_result *results, int count, FILE *stream) {
  erg_table *table = erg_table_new();
  const scale *s = scale_of(results, count);
  columns(table,
          (const char *const[]){"precision", "fusion", s->points[1], s->points[2], "util [%]", s->points[3],
                                s->points[4], "other ops", "registers", "partial sums", "scratchpads", "dram",
                                static_column(results), s->points[5], "5 to 95 %", "TOPS/W", "MAC area [mm2]", NULL},
          2);
  for (int i = 0; i < count; i++) {
    const erg_result *r = &results[i];
    char name[32];
    if (i && (r->point.widths != results[i - 1].point.widths ||
              memcmp(&r->point.precision, &results[i - 1].point.precision, sizeof r->point.precision) != 0))
      erg_table_rule(table);
    erg_table_cell(table, "%s", precision_of(r, name));
    erg_table_cell(table, "%s%s", erg_fusion_names[r->point.fusion],
                   r->point.fusion == ERG_FUSION_WIDE ? " (wide maps)" : "");
    if (r->skipped) {
      erg_table_cell(table, "skipped");
      for (int c = erg_technology_has_static(r->point.technology) ? -1 : 0; c < 13; c++) erg_table_cell(table, "-");
      continue;
    }
    erg_table_cell(table, "%.*f", 2 * s->digits, (double)r->activity.cycles / s->point_cycles);
    erg_table_cell(table, "%.2f", r->latency_s / s->point_seconds);
    erg_table_cell(table, "%.1f", 100 * r->utilization);
    erg_table_cell(table, "%.2f", (double)erg_activity_level_bits(&r->activity, 0) / s->point_bits);
    energy_cells(table, r, &r->energy, s->point_pj);
    erg_interval interval;
    if (erg_spread_interval(&r->spread, &interval, NULL) == ERG_OK)
      erg_table_cell(table, "%.2f to %.2f", interval.p05 / s->point_pj, interval.p95 / s->point_pj);
    else
      erg_table_cell(table, "-");
    erg_table_cell(table, "%.3f", 2.0 * (double)r->macs / r->energy.total_pj);
    if (r->area_um2 >= 0)
      erg_table_cell(table, "%.3f", r->area_um2 / 1e6);
    else
      erg_table_cell(table, "-");
  }
  erg_table_print(table, stream);
  erg_table_free(table);
  for (int i = 0; i < count; i++) {
    char name[32];
    if (results[i].skipped)
      fprintf(stream, "%s %s: skipped, because %s\n", precision_of(&results[i], name),
              erg_fusion_names[results[i].point.fusion], results[i].reason);
  }
}

static void print_law(const erg_result *r, FILE *stream) {
  const erg_law *law = &r->law;
  fprintf(stream, "Book form, an identity: E = %.3f pJ/FLOP * %.4g FLOPs + %.1f pJ/B * %.4g off-chip bytes\n",
          law->a_effective_pj_per_flop, 2.0 * (double)r->macs, law->b_effective_pj_per_byte,
          (double)erg_activity_level_bits(&r->activity, 0) / 8);
  if (!law->fitted)
    fprintf(stream, "The law's test (one a, one b for all passes): not fitted, because %s\n", law->reason);
  else
    fprintf(stream,
            "The law's test (one a, one b for all passes, least relative squares): a %.3f pJ/FLOP, b %.1f pJ/B; "
            "against the "
            "itemised energy rms %.1f %%, worst %+.1f %% (%s)\n",
            law->a_pj_per_flop, law->b_pj_per_byte, 100 * law->rms_relative_error, 100 * law->worst_relative_error,
            r->layers[law->worst_layer].pass->name);
  if (law->fitted && law->reason) fprintf(stream, "  %s\n", law->reason);
}

/* Passes that use few PEs say so: groups run one after another. */
static void print_remarks(const erg_result *r, FILE *stream) {
  const erg_arch *arch = r->point.arch;
  if (r->point.dataflow == ERG_DATAFLOW_IS)
    fputs("Dataflow is: weight-stationary with operands and their widths exchanged; constants come an output row.\n",
          stream);
  for (int i = 0; i < r->layer_count; i++) {
    const erg_geometry *g = &r->layers[i].geometry;
    int64_t k = erg_geometry_reduction(g);
    if (!g->array || g->groups == 1 || k >= arch->rows) continue;
    int columns_used = g->out_c / g->groups < arch->cols ? g->out_c / g->groups : (int)arch->cols;
    const int used[] = {[ERG_DATAFLOW_WS] = (int)k * columns_used,
                        [ERG_DATAFLOW_OS] = (int)arch->rows * columns_used,
                        [ERG_DATAFLOW_IS] = (int)(k * arch->cols)};
    fprintf(stream, "Grouped layers run a group at a time: %s uses %d of %d PEs.\n", r->layers[i].pass->name,
            used[r->point.dataflow], (int)(arch->rows * arch->cols));
    break;
  }
}

void erg_print_layers(const erg_result *r, FILE *stream) {
  if (r->skipped) return;
  char name[32];
  fprintf(stream, "\n%s, %s\n", precision_of(r, name), erg_fusion_names[r->point.fusion]);
  erg_table *table = erg_table_new();
  const scale *s = scale_of(r, 1);
  columns(table,
          (const char *const[]){"layer", "pass", r->point.widths ? "precision" : no_column, s->layers[0], s->layers[1],
                                s->layers[2], "util [%]", s->layers[3], s->layers[4], "other ops", "registers",
                                "partial sums", "scratchpads", "dram", static_column(r), s->layers[5], NULL},
          r->point.widths ? 3 : 2);
  for (int i = 0; i < r->layer_count; i++) {
    const erg_layer_result *l = &r->layers[i];
    const erg_activity *a = &l->activity;
    const erg_precision precision = erg_precision_at(&r->point, l->pass);
    double peak = (double)a->cycles * erg_pass_peak_macs_per_cycle(&r->point, l->pass);
    erg_table_cell(table, "%s", l->pass->name);
    if (l->pass->chain)
      erg_table_cell(table, "%s, chain %d", l->pass->kind_name, l->pass->chain);
    else
      erg_table_cell(table, "%s", l->pass->kind_name);
    if (r->point.widths) erg_table_cell(table, "%s", erg_precision_name(&precision, name));
    erg_table_cell(table, "%.2f", (double)a->ops[ERG_OP_MAC] / s->layer_macs);
    erg_table_cell(table, "%.*f", s->digits, (double)a->cycles / s->layer_cycles);
    erg_table_cell(table, "%.*f", s->digits,
                   (double)(a->cycles - a->array_cycles - a->vector_cycles) / s->layer_cycles);
    erg_table_cell(table, "%.1f", 100 * (double)a->ops[ERG_OP_MAC] / peak);
    erg_table_cell(table, "%.1f", (double)erg_activity_level_bits(a, 0) / s->layer_bits);
    energy_cells(table, r, &l->energy, s->layer_pj);
  }
  erg_table_rule(table);
  erg_table_cell(table, "total");
  erg_table_cell(table, "%d passes", r->layer_count);
  if (r->point.widths) erg_table_cell(table, "%s", precision_of(r, name));
  erg_table_cell(table, "%.2f", (double)r->macs / s->layer_macs);
  erg_table_cell(table, "%.*f", s->digits, (double)r->activity.cycles / s->layer_cycles);
  erg_table_cell(table, "%.*f", s->digits,
                 (double)(r->activity.cycles - r->activity.array_cycles - r->activity.vector_cycles) / s->layer_cycles);
  erg_table_cell(table, "%.1f", 100 * r->utilization);
  erg_table_cell(table, "%.1f", (double)erg_activity_level_bits(&r->activity, 0) / s->layer_bits);
  energy_cells(table, r, &r->energy, s->layer_pj);
  erg_table_print(table, stream);
  erg_table_free(table);
  print_law(r, stream);
  print_remarks(r, stream);
}

/* ---- what a width saves, and which part holds the saving back ---- */

typedef struct {
  const char *name;
  double wide_pj, narrow_pj;
} part;
#define PARTS 6

static void split(const erg_result *r, const erg_energy *e, double pj[PARTS]) {
  pj[0] = e->mac_pj;
  pj[1] = e->other_ops_pj;
  pj[2] = e->level_pj[registers(r)];
  pj[3] = e->level_pj[accumulator(r)];
  pj[4] = onchip_pj(r, e);
  pj[5] = e->level_pj[0];
}

static void ratio_row(erg_table *table, const char *name, const erg_result *wide, const erg_energy *w,
                      const erg_result *narrow, const erg_energy *n) {
  static const char *const names[PARTS] = {"mac", "other ops", "registers", "partial sums", "scratchpads", "dram"};
  double a[PARTS], b[PARTS], total = w->total_pj / n->total_pj, most = 0;
  const char *holds_back = "-";
  split(wide, w, a);
  split(narrow, n, b);
  erg_table_cell(table, "%s", name);
  for (int i = 0; i < PARTS; i++) {
    if (b[i] <= 0 && a[i] <= 0)
      erg_table_cell(table, "-");
    else
      erg_table_cell(table, "%.2f", a[i] / b[i]);
    if (a[i] / b[i] < total && b[i] > most) {
      most = b[i];
      holds_back = names[i];
    }
  }
  erg_table_cell(table, "%.2f", total);
  erg_table_cell(table, "%s", holds_back);
  erg_table_cell(table, "%.0f", 100 * most / n->total_pj);
}

void erg_print_ratios(const erg_result *wide, const erg_result *narrow, FILE *stream) {
  if (wide->skipped || narrow->skipped) return;
  char a[32], b[32];
  fprintf(stream, "\nWhat %s costs in energy over %s, %s (ratio by part)\n", precision_of(wide, a),
          precision_of(narrow, b), erg_fusion_names[narrow->point.fusion]);
  erg_table *table = erg_table_new();
  columns(table,
          (const char *const[]){"layer", "mac", "other ops", "registers", "partial sums", "scratchpads", "dram",
                                "total", "held back most by", "its share [%]", NULL},
          1);
  for (int i = 0; i < wide->layer_count; i++)
    for (int j = 0; j < narrow->layer_count; j++)
      if (strcmp(wide->layers[i].pass->name, narrow->layers[j].pass->name) == 0)
        ratio_row(table, wide->layers[i].pass->name, wide, &wide->layers[i].energy, narrow, &narrow->layers[j].energy);
  erg_table_rule(table);
  ratio_row(table, "total", wide, &wide->energy, narrow, &narrow->energy);
  erg_table_print(table, stream);
  erg_table_free(table);
  erg_interval interval;
  if (erg_spread_ratio(&wide->spread, &narrow->spread, &interval, NULL) == ERG_OK)
    fprintf(stream, "The total ratio is %.2f, 5 to 95 %%: %.2f to %.2f%s.\n",
            wide->energy.total_pj / narrow->energy.total_pj, interval.p05, interval.p95,
            erg_interval_resolved(&interval) ? "" : ": it holds 1, *not resolved*");
  fputs("Tiles are chosen for each precision: where they differ, so do re-fetches, and dram may save more or less than "
        "the "
        "element width.\n",
        stream);
}

void erg_print_notes(const erg_result *r, FILE *stream) {
  char name[32];
  fprintf(stream, "\nfold and fuse, %s, %s\n", precision_of(r, name), erg_fusion_names[r->point.fusion]);
  erg_table *table = erg_table_new();
  columns(table, (const char *const[]){"node", "pass", "", "because", NULL}, 4);
  for (int i = 0; i < r->plan.note_count; i++) {
    const erg_plan_note *note = &r->plan.notes[i];
    erg_table_cell(table, "%s", r->point.graph->nodes[note->node].name);
    erg_table_cell(table, "%s", note->pass);
    erg_table_cell(table, "%s", note->done ? "done" : "refused");
    erg_table_cell(table, "%s", note->text);
  }
  if (r->plan.note_count == 0)
    fprintf(stream, "fusion %s neither folds nor fuses: every operator is a pass\n", erg_fusion_names[r->point.fusion]);
  else
    erg_table_print(table, stream);
  erg_table_free(table);
  int count;
  const erg_fusion_rule *rules = erg_fusion_rules(&count);
  fputs("\nWhat each kind of node becomes (b: activation width, A: accumulator width)\n", stream);
  table = erg_table_new();
  columns(table, (const char *const[]){"node", "pass of its own", "reads", "writes", "because", NULL}, 5);
  for (int i = 0; i < count; i++) {
    if (rules[i].fusion != r->point.fusion) continue;
    erg_table_cell(table, "%s", rules[i].node);
    erg_table_cell(table, "%s", rules[i].own_pass ? "yes" : "no");
    erg_table_cell(table, "%s", *rules[i].reads ? rules[i].reads : "-");
    erg_table_cell(table, "%s", *rules[i].writes ? rules[i].writes : "-");
    erg_table_cell(table, "%s", rules[i].why);
  }
  erg_table_print(table, stream);
  erg_table_free(table);
}

static const char *level_name(const erg_arch *arch, int level) {
  if (level == ERG_LEVEL_ACCUMULATOR(arch->level_count)) return "accumulator";
  return level == ERG_LEVEL_REGISTERS(arch->level_count) ? "registers" : arch->levels[level].name;
}

void erg_print_csv(const erg_result *results, int count, FILE *stream) {
  const erg_arch *arch = results[0].point.arch;
  fputs("workload,arch,technology,precision,fusion,dataflow,model,batch,status,reason,layer,pass,macs,cycles,array_"
        "cycles,"
        "vector_cycles,utilization",
        stream);
  for (int level = 0; level < arch->level_count + 2; level++) fprintf(stream, ",%s_bytes", level_name(arch, level));
  fputs(",mac_pj,other_ops_pj", stream);
  for (int level = 0; level < arch->level_count + 2; level++) fprintf(stream, ",%s_pj", level_name(arch, level));
  fputs(",static_pj,total_pj,layer_precision\n", stream);
  for (int i = 0; i < count; i++) {
    const erg_result *r = &results[i];
    char name[32];
    for (int j = 0; j < (r->skipped ? 1 : r->layer_count); j++) {
      erg_csv_text(stream, r->point.graph->name, true);
      erg_csv_text(stream, arch->name, false);
      erg_csv_text(stream, r->point.technology->name, false);
      erg_csv_text(stream, precision_of(r, name), false);
      fprintf(stream, ",%s,%s,%s,%d,%s", erg_fusion_names[r->point.fusion], erg_dataflow_names[r->point.dataflow],
              erg_model_names[r->point.model], r->point.batch, r->skipped ? "skipped" : "ok");
      erg_csv_text(stream, r->skipped ? r->reason : "", false);
      if (r->skipped) {
        for (int c = 0; c < 12 + 2 * (arch->level_count + 2); c++) fputc(',', stream);
        fputc('\n', stream);
        continue;
      }
      const erg_layer_result *l = &r->layers[j];
      const erg_activity *a = &l->activity;
      const erg_precision precision = erg_precision_at(&r->point, l->pass);
      double peak = (double)a->cycles * erg_pass_peak_macs_per_cycle(&r->point, l->pass);
      erg_csv_text(stream, l->pass->name, false);
      fprintf(stream, ",%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%.6f", l->pass->kind_name,
              a->ops[ERG_OP_MAC], a->cycles, a->array_cycles, a->vector_cycles, (double)a->ops[ERG_OP_MAC] / peak);
      for (int level = 0; level < arch->level_count + 2; level++)
        fprintf(stream, ",%.17g", (double)erg_activity_level_bits(a, level) / 8);
      fprintf(stream, ",%.17g,%.17g", l->energy.mac_pj, l->energy.other_ops_pj);
      for (int level = 0; level < arch->level_count + 2; level++) fprintf(stream, ",%.17g", l->energy.level_pj[level]);
      fprintf(stream, ",%.17g,%.17g,%s\n", l->energy.static_pj, l->energy.total_pj,
              erg_precision_name(&precision, name));
    }
  }
}

void erg_print_ledger(const erg_verify_result *result, FILE *stream) {
  erg_table *table = erg_table_new();
  columns(table,
          (const char *const[]){"layer", "status", "MMAC", "outputs", "mismatches", "codes", "rails [%]",
                                "low rail [%]", "cycles formula", "SystemC", "RTL", "gaps", NULL},
          2);
  for (int i = 0; i < result->row_count; i++) {
    const erg_verify_row *row = &result->rows[i];
    erg_table_cell(table, "%s", row->name);
    erg_table_cell(table, "%s", row->status);
    if (strcmp(row->status, "skipped") == 0 || strcmp(row->status, "fault") == 0) {
      for (int c = 0; c < 10; c++) erg_table_cell(table, "-");
      continue;
    }
    erg_table_cell(table, "%.2f", (double)row->macs / 1e6);
    erg_table_cell(table, "%" PRIu64, row->outputs);
    erg_table_cell(table, "%" PRIu64, row->mismatches);
    erg_table_cell(table, "%d", row->distinct_codes);
    erg_table_cell(table, "%.1f", 100 * row->rail_share);
    erg_table_cell(table, "%.1f", 100 * row->low_rail_share);
    const uint64_t cycles[] = {row->cycles_formula, row->cycles_systemc, row->cycles_rtl, row->gap_cycles};
    for (size_t c = 0; c < ERG_COUNT_OF(cycles); c++) /* a norm or a table has no array cycles */
      row->unit ? erg_table_cell(table, "-") : erg_table_cell(table, "%" PRIu64, cycles[c]);
  }
  erg_table_print(table, stream);
  erg_table_free(table);
  for (int i = 0; i < result->row_count; i++)
    if (strcmp(result->rows[i].status, "skipped") == 0)
      fprintf(stream, "%s: skipped, because %s\n", result->rows[i].name, result->rows[i].reason);
  unit scaled = unit_of((double)result->macs_total);
  fprintf(stream,
          "%" PRIu64 " outputs checked, %" PRIu64
          " mismatches; %.4g of %.4g %sMAC through the Verilated array; %.1f s CPU\n",
          result->checked_outputs, result->mismatches, (double)result->macs_checked / scaled.scale,
          (double)result->macs_total / scaled.scale, scaled.prefix, result->cpu_s);
}
