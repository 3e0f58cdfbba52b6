/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random products on the array alone, against the golden kernel and the cycle formula. A case depends on the seed and
 * its number only, so that one of them can be run again by itself. A product of given tensors has the number OWN. */
#include "ergon/gemm.h"
#include "verify_case.h"
#include "verify_look.h"
#include "verify_own.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OWN (-1)

typedef struct {
  const erg_point *point;
  const erg_verify_options *options;
  erg_rtl *rtl, *other; /* other: the same foreign array, begun from other random bits */
  erg_verify_result *result;
  bool *seen[ERG_CASE_KINDS]; /* output codes met */
  uint64_t on_rail[ERG_CASE_KINDS];
} session;

static const char *name_of(int number, char name[24]) {
  snprintf(name, 24, number == OWN ? "product" : "case %d", number);
  return name;
}

static void place_of(const erg_gemm *g, int64_t index, erg_verify_row *row, int number) {
  row->first_case = number;
  row->first_row = (int)(index / g->n);
  row->first_channel = (int)(index % g->n);
}

static void compare(const erg_gemm *g, const int16_t *expected, const int16_t *got, int number, const char *how,
                    erg_verify_row *row) {
  for (int64_t i = 0; i < (int64_t)g->m * g->n; i++) {
    if (expected[i] == got[i] || row->mismatches++ > 0) continue;
    place_of(g, i, row, number);
    row->first_expected = expected[i];
    row->first_got = got[i];
    row->status = "mismatch";
    snprintf(row->reason, sizeof row->reason,
             "%s%s (M %d, N %d, K %d%s): first at row %d, channel %d: expected %d, got %d",
             name_of(number, (char[24]){0}), how, g->m, g->n, g->k, g->layer.residual ? ", residual" : "",
             row->first_row, row->first_channel, expected[i], got[i]);
  }
}

static bool same_from_both(const erg_gemm *g, const int16_t *one, const int16_t *other, int number,
                           erg_verify_row *row) {
  for (int64_t i = 0; i < (int64_t)g->m * g->n; i++) {
    if (one[i] == other[i]) continue;
    place_of(g, i, row, number);
    row->status = "uninitialised";
    row->first_expected = one[i];
    row->first_got = other[i];
    snprintf(row->reason, sizeof row->reason,
             "%s (M %d, N %d, K %d): output depends on state that reset does not set: row %d, channel %d is %d "
             "from one random start and %d from another",
             name_of(number, (char[24]){0}), g->m, g->n, g->k, row->first_row, row->first_channel, one[i], other[i]);
    return false;
  }
  return true;
}

static void note_codes(session *s, int kind, const erg_gemm *g, const int16_t *codes) {
  for (int64_t i = 0; i < (int64_t)g->m * g->n; i++) {
    s->seen[kind][codes[i] + 32768] = true;
    s->on_rail[kind] += codes[i] == g->layer.low || codes[i] == g->layer.high;
  }
}

static void check_cycles(const session *s, const erg_gemm *g, const int *m_rows, int folds, const erg_gemm_run *run,
                         int number, erg_verify_row *row) {
  uint64_t formula = erg_fold_cycles(s->point->arch, m_rows, folds),
           systemc = erg_systemc_fold_cycles(s->point->arch, g->dataflow, m_rows, folds),
           rtl = run->cycles - run->gap_cycles;
  row->cycles_formula += formula;
  row->cycles_systemc += systemc;
  row->cycles_rtl += rtl;
  if ((formula == rtl && systemc == rtl) || row->reason[0]) return;
  if (s->result->foreign && !s->options->strict_cycles) return;
  row->status = "cycles differ";
  row->first_case = number;
  snprintf(row->reason, sizeof row->reason,
           "%s (M %d, N %d, K %d): array cycles: formula %" PRIu64 ", SystemC %" PRIu64 ", RTL %" PRIu64,
           name_of(number, (char[24]){0}), g->m, g->n, g->k, formula, systemc, rtl);
}

/* Drives one array once; a hang or a broken contract is a finding about the array, not a failure of the check. */
static erg_status drive(session *s, erg_rtl *rtl, const erg_gemm *g, double gap, int number, erg_gemm_run *run,
                        erg_verify_row *row, erg_error *error) {
  erg_error fault = {0};
  const erg_arch *arch = s->point->arch;
  run->gap_probability = gap;
  run->gap_seed = s->point->seed + (uint64_t)number;
  run->watch = -1;
  run->accumulator_bits = s->point->precision.accumulator_bits;
  erg_status status = erg_gemm_drive(rtl, (int)arch->rows, (int)arch->cols, g, run, &fault);
  if (status == ERG_ERR_MISMATCH) {
    row->status = "fault";
    row->first_case = number;
    snprintf(row->reason, sizeof row->reason, "%s%s (M %d, N %d, K %d): %s", name_of(number, (char[24]){0}),
             gap > 0 ? " with gaps" : "", g->m, g->n, g->k, fault.text);
  } else if (status != ERG_OK) {
    erg_fail(error, status, "%s", fault.text ? fault.text : "failed");
  }
  erg_error_clear(&fault);
  return status;
}

static erg_status look_closer(const session *s, const erg_gemm *g, int number, double gap, erg_verify_row *row,
                              erg_error *error) {
  char what[40] = "";
  if (number != OWN && s->options->only_case < 0) snprintf(what, sizeof what, " --case %d", number);
  erg_status status = erg_verify_look(s->point, s->options, g, (int64_t)row->first_row * g->n + row->first_channel, gap,
                                      s->point->seed + (uint64_t)number, s->result, row, error);
  row->detail.tile = -1;
  erg_verify_replay(s->options, what, row);
  return status;
}

/* Without and with input gaps, a foreign array also from other random bits; codes are noted for `kind`. */
static erg_status run_product(session *s, const erg_gemm *g, int kind, int number, erg_verify_row *row,
                              erg_error *error) {
  erg_arena arena = {0};
  int folds;
  double gap = s->options->gap_probability > 0 ? s->options->gap_probability : 0.25;
  size_t bytes = sizeof(int16_t) * (size_t)g->m * (size_t)g->n;
  int16_t *golden = erg_arena_alloc(&arena, bytes);
  erg_gemm_run plain = {.output = erg_arena_alloc(&arena, bytes)}, gaps = {.output = erg_arena_alloc(&arena, bytes)};
  int *m_rows = erg_gemm_folds(&arena, (int)s->point->arch->rows, (int)s->point->arch->cols, g, &folds);
  erg_status status = ERG_OK;
  if (!golden || !plain.output || !gaps.output || !m_rows) {
    status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    goto out;
  }
  status = erg_gemm_golden(g, s->point->precision.accumulator_bits, golden, NULL, error);
  if (status == ERG_OK) status = drive(s, s->rtl, g, 0, number, &plain, row, error);
  if (status != ERG_OK) goto out;
  row->cases++;
  row->outputs += (uint64_t)g->m * (uint64_t)g->n;
  row->macs += (uint64_t)g->m * (uint64_t)g->n * (uint64_t)g->k;
  note_codes(s, kind, g, golden);
  check_cycles(s, g, m_rows, folds, &plain, number, row);
  if (s->other) {
    status = drive(s, s->other, g, 0, number, &gaps, row, error);
    if (status != ERG_OK) goto out;
    if (!same_from_both(g, plain.output, gaps.output, number, row)) goto out;
  }
  compare(g, golden, plain.output, number, "", row);
  if (row->mismatches) {
    status = look_closer(s, g, number, 0, row, error);
    goto out;
  }
  status = drive(s, s->rtl, g, gap, number, &gaps, row, error);
  if (status != ERG_OK) goto out;
  compare(g, golden, gaps.output, number, " with gaps", row);
  if (row->mismatches) {
    status = look_closer(s, g, number, gap, row, error);
    if (status != ERG_OK) goto out;
  }
  row->gap_cycles += gaps.gap_cycles;
  if (!s->result->foreign && gaps.cycles - gaps.gap_cycles != plain.cycles && !row->reason[0]) {
    row->status = "cycles differ";
    snprintf(row->reason, sizeof row->reason, "%s: %" PRIu64 " cycles, with gaps %" PRIu64 " less %" PRIu64,
             name_of(number, (char[24]){0}), plain.cycles, gaps.cycles, gaps.gap_cycles);
  }
out:
  erg_arena_free(&arena);
  return status;
}

static erg_status run_case(session *s, int number, erg_verify_row *row, erg_error *error) {
  erg_arena arena = {0};
  erg_gemm g;
  erg_status status = erg_case_make(&arena, s->point, number, &g, error);
  g.rule = s->options->rule;
  if (status == ERG_OK) status = run_product(s, &g, number % ERG_CASE_KINDS, number, row, error);
  erg_arena_free(&arena);
  return status;
}

/* Whether the user's codes say much is theirs to judge; the ledger shows how many there are. */
static erg_status run_own(session *s, erg_error *error) {
  erg_verify_row *row = &s->result->rows[0];
  erg_gemm g;
  row->name = "product";
  erg_status status = erg_own_make(&s->result->arena, s->point, s->options, &g, error);
  if (status == ERG_OK) status = run_product(s, &g, 0, OWN, row, error);
  return status == ERG_ERR_MISMATCH ? ERG_OK : status;
}

/* A row of equal codes would agree with anything. */
static void judge(session *s, int kind, erg_verify_row *row) {
  int least = s->point->precision.output_bits >= 6 ? 32 : 1 << (s->point->precision.output_bits - 1);
  if ((uint64_t)least > row->outputs / 2) least = (int)(row->outputs / 2);
  for (int code = 0; code < 65536; code++) row->distinct_codes += s->seen[kind][code];
  if (row->outputs) row->rail_share = (double)s->on_rail[kind] / (double)row->outputs;
  if (row->reason[0] || s->result->own || row->distinct_codes >= least) return;
  row->status = "uninformative";
  snprintf(row->reason, sizeof row->reason, "%d distinct codes in %" PRIu64 " outputs; at least %d are needed",
           row->distinct_codes, row->outputs, least);
}

static erg_status run_cases(session *s, erg_error *error) {
  const erg_verify_options *o = s->options;
  int first = o->only_case >= 0 ? o->only_case : 0, end = o->only_case >= 0 ? first + 1 : o->cases;
  erg_progress progress;
  erg_status status = ERG_OK;
  bool stopped[ERG_CASE_KINDS] = {false};
  erg_progress_start(&progress, "verify", "cases", end - first, o->quiet);
  for (int i = first; i < end && status == ERG_OK; i++) {
    int kind = i % ERG_CASE_KINDS;
    if (stopped[kind]) continue;
    status = run_case(s, i, &s->result->rows[kind], error);
    stopped[kind] = s->result->rows[kind].reason[0] != 0; /* the first difference is the one to look at */
    if (status == ERG_ERR_MISMATCH) status = ERG_OK;
    erg_progress_update(&progress, i + 1 - first, NULL);
  }
  erg_progress_end(&progress);
  return status;
}

static erg_status verdict(session *s, erg_error *error) {
  erg_verify_result *r = s->result;
  int kept = 0;
  for (int kind = 0; kind < ERG_CASE_KINDS; kind++) {
    erg_verify_row *row = &r->rows[kind];
    if (row->cases == 0 && !row->reason[0]) continue; /* fewer cases than kinds, or one alone */
    judge(s, kind, row);
    r->checked_outputs += row->outputs;
    r->mismatches += row->mismatches;
    r->macs_checked += row->macs;
    if (row->reason[0]) erg_fail(error, ERG_ERR_MISMATCH, "verify: %s: %s: %s", row->name, row->status, row->reason);
    r->rows[kept++] = *row;
  }
  r->row_count = kept;
  r->macs_total = r->macs_checked;
  if (kept == 0) return erg_fail(error, ERG_ERR_MISMATCH, "verify: no output was checked");
  return error->status;
}

static double cpu_s(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

erg_status erg_verify_random(const erg_point *point, const erg_verify_options *options, erg_verify_result *out,
                             erg_error *error) {
  erg_verify_result result = {
      .foreign = options->dut_top != NULL, .random = !options->input, .own = options->input != NULL};
  session s = {.point = point, .options = options, .result = &result};
  erg_error faults = {0};
  double started_s = cpu_s();
  erg_status status = erg_verify_open(point, options, 0, &s.rtl, &faults);
  if (status == ERG_OK && result.foreign) status = erg_verify_open(point, options, 1, &s.other, &faults);
  if (status == ERG_OK) {
    result.rows = erg_arena_alloc(&result.arena, sizeof *result.rows * ERG_CASE_KINDS);
    bool room = result.rows != NULL;
    for (int i = 0; room && i < ERG_CASE_KINDS; i++) {
      s.seen[i] = erg_arena_alloc(&result.arena, 65536 * sizeof *s.seen[i]);
      result.rows[i].name = erg_case_kind_names[i];
      result.rows[i].status = "ok";
      room = s.seen[i] != NULL;
    }
    if (room) result.row_count = ERG_CASE_KINDS;
    status = room ? (result.own ? run_own(&s, &faults) : run_cases(&s, &faults))
                  : erg_fail(&faults, ERG_ERR_INTERNAL, "out of memory");
  }
  if (status == ERG_OK)
    status = verdict(&s, &faults);
  else
    result.row_count = 0; /* half a suite says nothing */
  result.cpu_s = cpu_s() - started_s;
  if (status != ERG_OK) erg_fail(error, status, "%s", faults.text ? faults.text : "verify failed");
  erg_error_clear(&faults);
  if (s.rtl && options->coverage) status = erg_verify_cover(s.rtl, options->coverage, &result, status, error);
  erg_rtl_close(s.rtl);
  erg_rtl_close(s.other);
  *out = result;
  return status;
}
