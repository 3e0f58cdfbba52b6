/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A point into a row: limits, the models, sums by kind of memory, counts for pricing again. */
#include "accuracy.h"
#include "counts.h"
#include <math.h>
#include <string.h>

static void put_text(erg_sweep_row *row, int column, const char *text) {
  row->cells[column].known = text != NULL;
  row->cells[column].text = text;
}
static void put_count(erg_sweep_row *row, int column, uint64_t value) {
  row->cells[column].known = true;
  row->cells[column].integer = (int64_t)value;
}
static void put_real(erg_sweep_row *row, int column, double value) {
  row->cells[column].known = isfinite(value);
  row->cells[column].real = value;
}

void erg_sweep_fail(erg_sweep_row *row, erg_arena *arena, const char *reason) {
  put_text(row, ERG_SWEEP_STATUS, "failed");
  put_text(row, ERG_SWEEP_REASON, erg_arena_strdup(arena, reason));
}

static void skip(erg_sweep_row *row, const char *reason) {
  put_text(row, ERG_SWEEP_STATUS, "skipped");
  put_text(row, ERG_SWEEP_REASON, reason);
}

static double buffer_kib(const erg_arch *arch) {
  double sum = 0;
  for (int level = 1; level < arch->level_count; level++) sum += arch->levels[level].capacity_kib;
  return sum;
}

static bool pe_area_um2(const erg_point *point, const erg_arch *arch, const erg_precision *precision, double *um2) {
  erg_precision hardware;
  return arch->mac != ERG_MAC_SCALABLE && erg_arch_hardware(arch, precision, &hardware, NULL) == ERG_OK &&
         erg_technology_mac_area(point->technology, &hardware, um2, NULL) == ERG_OK;
}

/* The array of `point` with as many rows and columns as fit the reference's area, of the same shape. */
static bool equal_area(const erg_sweep *s, const erg_point *point, erg_arch *sized) {
  double own, reference;
  *sized = *point->arch;
  if (!pe_area_um2(point, point->arch, &point->precision, &own) ||
      !pe_area_um2(point, point->arch, &s->reference, &reference))
    return false;
  double side = sqrt(reference / own) * (1 + 1e-12);
  sized->rows = (int64_t)floor((double)point->arch->rows * side);
  sized->cols = (int64_t)floor((double)point->arch->cols * side);
  return sized->rows >= 2 && sized->cols >= 2;
}

/* Why cycles are what they are, and with that whether a width could move them. */
static const char *bound_of(const erg_result *r) {
  uint64_t stalls = r->activity.cycles - r->activity.array_cycles - r->activity.vector_cycles;
  if (stalls * 100 >= r->activity.cycles) return "bandwidth";
  return r->point.arch->mac == ERG_MAC_SCALABLE ? "scalable array" : "array";
}

static void fill(const erg_result *r, erg_arena *arena, erg_sweep_row *row) {
  const erg_point *p = &r->point;
  const erg_arch *arch = p->arch;
  const erg_activity *a = &r->activity;
  const erg_energy *e = &r->energy;
  int accumulator = ERG_LEVEL_ACCUMULATOR(arch->level_count), registers = ERG_LEVEL_REGISTERS(arch->level_count);
  double scratchpad_bytes = 0, scratchpads_pj = 0, um2;
  for (int level = 1; level < arch->level_count; level++) {
    scratchpad_bytes += (double)erg_activity_level_bits(a, level) / 8;
    scratchpads_pj += e->level_pj[level];
  }
  put_text(row, ERG_SWEEP_STATUS, "ok");
  put_count(row, ERG_SWEEP_MACS, r->macs);
  put_count(row, ERG_SWEEP_PARAMETERS, (uint64_t)r->parameters);
  put_count(row, ERG_SWEEP_CYCLES, a->cycles);
  put_count(row, ERG_SWEEP_ARRAY_CYCLES, a->array_cycles);
  put_count(row, ERG_SWEEP_VECTOR_CYCLES, a->vector_cycles);
  put_count(row, ERG_SWEEP_STALL_CYCLES, a->cycles - a->array_cycles - a->vector_cycles);
  put_text(row, ERG_SWEEP_CYCLES_BOUND, bound_of(r));
  put_real(row, ERG_SWEEP_LATENCY_S, r->latency_s);
  put_real(row, ERG_SWEEP_UTILIZATION, r->utilization);
  put_real(row, ERG_SWEEP_MAC_AREA_MM2,
           pe_area_um2(p, arch, &p->precision, &um2) ? um2 * (double)(arch->rows * arch->cols) * 1e-6 : NAN);
  put_real(row, ERG_SWEEP_PEAK_MACS_PER_S, erg_peak_macs_per_cycle(p) * arch->clock_mhz * 1e6);
  put_real(row, ERG_SWEEP_DRAM_BYTES_PER_S, arch->levels[0].bandwidth_bits_per_cycle / 8 * arch->clock_mhz * 1e6);
  put_real(row, ERG_SWEEP_DRAM_BYTES, (double)erg_activity_level_bits(a, 0) / 8);
  put_real(row, ERG_SWEEP_SCRATCHPAD_BYTES, scratchpad_bytes);
  put_real(row, ERG_SWEEP_ACCUMULATOR_BYTES, (double)erg_activity_level_bits(a, accumulator) / 8);
  put_real(row, ERG_SWEEP_REGISTER_BYTES, (double)erg_activity_level_bits(a, registers) / 8);
  put_real(row, ERG_SWEEP_ENERGY_PJ, e->total_pj);
  put_real(row, ERG_SWEEP_MAC_PJ, e->mac_pj);
  put_real(row, ERG_SWEEP_OTHER_OPS_PJ, e->other_ops_pj);
  put_real(row, ERG_SWEEP_REGISTERS_PJ, e->level_pj[registers]);
  put_real(row, ERG_SWEEP_PARTIAL_SUMS_PJ, e->level_pj[accumulator]);
  put_real(row, ERG_SWEEP_SCRATCHPADS_PJ, scratchpads_pj);
  put_real(row, ERG_SWEEP_DRAM_PJ, e->level_pj[0]);
  put_real(row, ERG_SWEEP_STATIC_PJ, erg_technology_has_static(p->technology) ? e->static_pj : NAN);
  put_real(row, ERG_SWEEP_POWER_MW, e->total_pj * 1e-9 / r->latency_s);
  put_real(row, ERG_SWEEP_EDP_PJ_S, e->total_pj * r->latency_s);
  put_text(row, ERG_SWEEP_COUNTS, erg_counts_text(r, arena));
}

/* Limits that need no run; true: kept. */
static bool keeps(const erg_sweep *s, const erg_point *point, erg_arena *arena, erg_sweep_row *row) {
  const erg_sweep_limits *l = &s->limits;
  double kib = buffer_kib(point->arch), um2;
  put_real(row, ERG_SWEEP_BUFFER_KIB, kib);
  if ((l->max_buffer_kib > 0 && kib > l->max_buffer_kib) || kib < l->min_buffer_kib) {
    skip(row, erg_arena_printf(arena, "limits: %.4g KiB of buffers; asked for: %.4g to %.4g", kib, l->min_buffer_kib,
                               l->max_buffer_kib > 0 ? l->max_buffer_kib : INFINITY));
    return false;
  }
  if (l->max_mac_area_mm2 <= 0) return true;
  if (!pe_area_um2(point, point->arch, &point->precision, &um2)) {
    skip(row, "limits.max_mac_area_mm2: the technology states no area of this MAC");
    return false;
  }
  double mm2 = um2 * (double)(point->arch->rows * point->arch->cols) * 1e-6;
  if (mm2 <= l->max_mac_area_mm2) return true;
  skip(row, erg_arena_printf(arena, "limits: %.4g mm2 of MACs; asked for: up to %.4g", mm2, l->max_mac_area_mm2));
  return false;
}

static void judge(erg_sweep_inputs *in, const erg_point *point, erg_arena *arena, erg_sweep_row *row) {
  const char *name = row->cells[ERG_SWEEP_PRECISION].text;
  const char *full = point->widths ? erg_arena_printf(arena, "%s %s", name, in->widths.plan.sha256) : name;
  if (full) erg_judge_row(in->judge, point, full, row, arena);
}

void erg_sweep_evaluate(const erg_sweep *s, int64_t index, erg_sweep_inputs *inputs, erg_arena *arena,
                        erg_sweep_row *row) {
  erg_error fault = {0};
  erg_point point;
  erg_arch sized;
  erg_result result;
  erg_status status = erg_sweep_point(s, index, inputs, arena, &point, row, &fault);
  if (status == ERG_OK && s->limits.equal_area) {
    if (!equal_area(s, &point, &sized)) {
      skip(row, "limits.equal_area: the technology states no area of this MAC, or fewer than 2 x 2 of it fit");
      return;
    }
    point.arch = &sized;
    point.memo = NULL; /* it is of the architecture as it stands in its file */
    put_count(row, ERG_SWEEP_ROWS, (uint64_t)sized.rows);
    put_count(row, ERG_SWEEP_COLS, (uint64_t)sized.cols);
  }
  if (status == ERG_OK && !keeps(s, &point, arena, row)) return;
  bool loaded = status == ERG_OK;
  if (loaded) status = erg_run(&point, NULL, &result, &fault);
  if (loaded && status == ERG_ERR_DATA) { /* sound inputs: a layer has no tile that fits */
    skip(row, erg_arena_strdup(arena, fault.text));
  } else if (status != ERG_OK) {
    erg_sweep_fail(row, arena, fault.text ? fault.text : "failed");
  } else if (result.skipped) {
    skip(row, erg_arena_strdup(arena, result.reason));
    erg_result_free(&result);
  } else {
    fill(&result, arena, row);
    double mw = row->cells[ERG_SWEEP_POWER_MW].real;
    if (s->limits.max_power_mw > 0 && mw > s->limits.max_power_mw)
      skip(row, erg_arena_printf(arena, "limits: %.4g mW; asked for: up to %.4g", mw, s->limits.max_power_mw));
    else if (inputs->judge)
      judge(inputs, &point, arena, row);
    erg_result_free(&result);
  }
  erg_error_clear(&fault);
}
