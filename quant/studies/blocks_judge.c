/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the rows of the study of blocks say. */
#include "blocks.h"
#include "judging.h"
#include <math.h>
#include <string.h>

static const char *const convs[] = {"dense", "depthwise"};

/* ---- the machine's rows: one of each, without a spread ---- */

typedef struct {
  double energy_nj, dram_bytes, cycles, passes, macs;
} cost;

static cost cost_of(const erg_study_result *r, const char *conv, const char *norm, const char *gate,
                    const char *machine) {
  const erg_study_point *p = judging_point(r, (const char *const[]){conv, norm, gate, machine});
  if (!p) return (cost){NAN, NAN, NAN, NAN, NAN};
  return (cost){p->numbers[BLOCKS_ENERGY] / 1000, p->numbers[BLOCKS_DRAM], p->numbers[BLOCKS_CYCLES],
                p->numbers[BLOCKS_PASSES], p->numbers[BLOCKS_MACS]};
}

#define MACHINE                                                                                                        \
  "edge in int8 at 45 nm, fusion depth, scratchpads for maps of two thirds of the largest map, in banks of 256 "       \
  "bytes, and without limit"
#define AFFINE_BYTES 12 /* a channel: a multiplier of 32 bits, a bias of 64 */

/* Constants of the norms' affines, which any machine has to bring. */
static double affine_bytes(const char *conv) {
  return strcmp(conv, "dense") == 0 ? 3 * BLOCKS_DENSE_CHANNELS * AFFINE_BYTES
                                    : 5 * BLOCKS_DEPTHWISE_CHANNELS * AFFINE_BYTES;
}

static erg_status judge_norm(erg_study_result *r, const char *conv, const char *norm, erg_error *error) {
  const cost bn = cost_of(r, conv, "batch_norm", "none", BLOCKS_SMALL),
             own = cost_of(r, conv, norm, "none", BLOCKS_SMALL),
             bn_free = cost_of(r, conv, "batch_norm", "none", BLOCKS_UNLIMITED),
             own_free = cost_of(r, conv, norm, "none", BLOCKS_UNLIMITED);
  const double small = own.dram_bytes - bn.dram_bytes - affine_bytes(conv),
               unlimited = own_free.dram_bytes - bn_free.dram_bytes - affine_bytes(conv);
  char claim[160], setting[256];
  snprintf(claim, sizeof claim,
           "%s costs its maps' way off chip and back with small buffers, and only arithmetic with unlimited ones",
           strcmp(norm, "rms_norm") == 0 ? "RMSNorm" : "an instance norm");
  snprintf(setting, sizeof setting, "%s blocks, no gate, %s", conv, MACHINE);
  return erg_study_claim_add(
      r,
      small > 0 && unlimited == 0 ? ERG_SHOWS
      : unlimited == 0            ? ERG_DOES_NOT_SHOW
                                  : ERG_SHOWS_IN_PART,
      claim, setting, "the same network with a folded batch norm", error,
      "off chip beside the affine's constants: small %+.0f bytes, unlimited %+.0f; energy: small %.0f nJ (batch norm "
      "%.0f), unlimited %.0f nJ (%.0f); cycles %.0f (%.0f), %.0f (%.0f)",
      small, unlimited, own.energy_nj, bn.energy_nj, own_free.energy_nj, bn_free.energy_nj, own.cycles, bn.cycles,
      own_free.cycles, bn_free.cycles);
}

static erg_status judge_order(erg_study_result *r, const char *conv, erg_error *error) {
  const struct {
    const char *norm, *gate;
  } rising[] = {{"batch_norm", "none"}, {"rms_norm", "none"}, {"instance_norm", "none"}, {"instance_norm", "table"}};
  double small[4], unlimited[4];
  int steps = 0, free_steps = 0;
  for (int i = 0; i < 4; i++) {
    small[i] = cost_of(r, conv, rising[i].norm, rising[i].gate, BLOCKS_SMALL).energy_nj;
    unlimited[i] = cost_of(r, conv, rising[i].norm, rising[i].gate, BLOCKS_UNLIMITED).energy_nj;
    if (i) steps += small[i] > small[i - 1], free_steps += unlimited[i] > unlimited[i - 1];
  }
  double none = cost_of(r, conv, "none", "none", BLOCKS_SMALL).energy_nj;
  char setting[256];
  snprintf(setting, sizeof setting, "%s blocks, %s", conv, MACHINE);
  return erg_study_claim_add(
      r,
      steps == 3 && none == small[0] ? ERG_SHOWS
      : steps > 1                    ? ERG_SHOWS_IN_PART
                                     : ERG_DOES_NOT_SHOW,
      "energy rises from a batch norm (as none at all) to RMSNorm, to an instance norm, to one with a gate", setting,
      "unlimited buffers", error,
      "nJ with small buffers: none %.0f, batch norm %.0f, RMSNorm %.0f, instance norm %.0f, with a gate %.0f; control: "
      "%.0f, %.0f, %.0f, %.0f, %d of 3 steps up",
      none, small[0], small[1], small[2], small[3], unlimited[0], unlimited[1], unlimited[2], unlimited[3], free_steps);
}

static erg_status judge_gate_cost(erg_study_result *r, const char *conv, erg_error *error) {
  const cost none = cost_of(r, conv, "batch_norm", "none", BLOCKS_SMALL),
             gated = cost_of(r, conv, "batch_norm", "table", BLOCKS_SMALL),
             none_free = cost_of(r, conv, "batch_norm", "none", BLOCKS_UNLIMITED),
             gated_free = cost_of(r, conv, "batch_norm", "table", BLOCKS_UNLIMITED);
  const double macs = gated.macs / none.macs - 1, energy = gated.energy_nj / none.energy_nj - 1;
  char setting[256];
  snprintf(setting, sizeof setting, "%s blocks with batch norms, %s", conv, MACHINE);
  return erg_study_claim_add(
      r,
      energy > 10 * macs ? ERG_SHOWS
      : energy > macs    ? ERG_SHOWS_IN_PART
                         : ERG_DOES_NOT_SHOW,
      "a squeeze-and-excitation is paid in passes over the map, not in MACs", setting,
      "its MACs; unlimited buffers, where the map still has two readers and goes off chip in this model", error,
      "%+.1f %% MACs, %+.0f passes, %+.0f bytes off chip, %+.0f %% energy, %+.0f %% cycles; control: %+.0f bytes, "
      "%+.0f %% energy",
      100 * macs, gated.passes - none.passes, gated.dram_bytes - none.dram_bytes, 100 * energy,
      100 * (gated.cycles / none.cycles - 1), gated_free.dram_bytes - none_free.dram_bytes,
      100 * (gated_free.energy_nj / none_free.energy_nj - 1));
}

static erg_status judge_depthwise_cost(erg_study_result *r, erg_error *error) {
  const cost dense = cost_of(r, "dense", "batch_norm", "none", BLOCKS_SMALL),
             wise = cost_of(r, "depthwise", "batch_norm", "none", BLOCKS_SMALL),
             dense_free = cost_of(r, "dense", "batch_norm", "none", BLOCKS_UNLIMITED),
             wise_free = cost_of(r, "depthwise", "batch_norm", "none", BLOCKS_UNLIMITED);
  const double dense_pj = 1000 * dense.energy_nj / dense.macs, wise_pj = 1000 * wise.energy_nj / wise.macs;
  return erg_study_claim_add(r, wise_pj > dense_pj ? ERG_SHOWS : ERG_DOES_NOT_SHOW,
                             "a MAC of depthwise blocks costs more than one of dense ones",
                             "blocks with batch norms of about equal MACs, " MACHINE, "unlimited buffers", error,
                             "MACs %.0f and %.0f; %.2f and %.2f pJ a MAC, %.0f and %.0f cycles, %.0f and %.0f bytes "
                             "off chip; control: %.2f and "
                             "%.2f pJ",
                             dense.macs, wise.macs, dense_pj, wise_pj, dense.cycles, wise.cycles, dense.dram_bytes,
                             wise.dram_bytes, 1000 * dense_free.energy_nj / dense_free.macs,
                             1000 * wise_free.energy_nj / wise_free.macs);
}

/* ---- rows of seeds ---- */

typedef struct {
  erg_study_series series;
  double mean, deviation;
} sample;

static erg_status take(erg_study_result *r, const char *conv, const char *norm, const char *gate, const char *arm,
                       const char *number, double scale, sample *out, erg_error *error) {
  erg_status status = erg_study_series_of(r, (const char *const[]){conv, norm, gate, arm}, number, &out->series, error);
  if (status != ERG_OK) return status;
  for (int i = 0; i < out->series.count; i++) out->series.values[i] *= scale;
  erg_study_mean(&out->series, &out->mean, &out->deviation);
  return ERG_OK;
}

/* Points of accuracy lost from float to `arm`. */
static erg_status take_loss(erg_study_result *r, const char *conv, const char *norm, const char *gate, const char *arm,
                            sample *out, erg_error *error) {
  sample real;
  erg_status status = take(r, conv, norm, gate, "float", "accuracy", 100, &real, error);
  if (status == ERG_OK) status = take(r, conv, norm, gate, arm, "accuracy", 100, out, error);
  if (status != ERG_OK) return status;
  for (int i = 0; i < out->series.count; i++) out->series.values[i] = real.series.values[i] - out->series.values[i];
  erg_study_mean(&out->series, &out->mean, &out->deviation);
  return ERG_OK;
}

#define TASK "trained alike on shapes, test images on the integer kernels"

static erg_status judge_noise(erg_study_result *r, const char *conv, const char *arm, erg_error *error) {
  static const char *const norms[] = {"none", "batch_norm", "instance_norm", "rms_norm"};
  sample sqnr[4], lost[4], real[4];
  erg_status status = ERG_OK;
  for (int n = 0; n < 4 && status == ERG_OK; n++) {
    status = take(r, conv, norms[n], "none", arm, "sqnr_db", 1, &sqnr[n], error);
    if (status == ERG_OK) status = take_loss(r, conv, norms[n], "none", arm, &lost[n], error);
    if (status == ERG_OK) status = take(r, conv, norms[n], "none", "float", "accuracy", 100, &real[n], error);
  }
  if (status != ERG_OK) return status;
  char setting[160];
  snprintf(setting, sizeof setting, "%s blocks, no gate, %s, " TASK, conv, arm);
  return erg_study_claim_add(
      r, fabs(sqnr[1].mean - sqnr[0].mean) < 3 ? ERG_SHOWS : ERG_DOES_NOT_SHOW,
      "a folded batch norm leaves the logits' SQNR within 3 dB of no norm's, with a weight scale a channel", setting,
      "norms that do not fold", error,
      "SQNR of the logits: none %.1f (sd %.1f) dB, batch norm %.1f (%.1f), instance norm %.1f (%.1f), RMSNorm %.1f "
      "(%.1f); points of accuracy lost: %.1f (sd %.1f), %.1f (%.1f), %.1f (%.1f), %.1f (%.1f) of %.1f, %.1f, %.1f, "
      "%.1f "
      "%% in float",
      sqnr[0].mean, sqnr[0].deviation, sqnr[1].mean, sqnr[1].deviation, sqnr[2].mean, sqnr[2].deviation, sqnr[3].mean,
      sqnr[3].deviation, lost[0].mean, lost[0].deviation, lost[1].mean, lost[1].deviation, lost[2].mean,
      lost[2].deviation, lost[3].mean, lost[3].deviation, real[0].mean, real[1].mean, real[2].mean, real[3].mean);
}

static erg_status judge_gates(erg_study_result *r, const char *conv, const char *norm, erg_error *error) {
  sample table, shift, dropped, hard, none;
  erg_status status = take(r, conv, norm, "table", "int8", "accuracy", 100, &table, error);
  if (status == ERG_OK) status = take(r, conv, norm, "shift", "int8", "accuracy", 100, &shift, error);
  if (status == ERG_OK) status = take(r, conv, norm, "hard dropped in", "int8", "accuracy", 100, &dropped, error);
  if (status == ERG_OK) status = take(r, conv, norm, "hard", "int8", "accuracy", 100, &hard, error);
  if (status == ERG_OK) status = take(r, conv, norm, "none", "int8", "accuracy", 100, &none, error);
  if (status != ERG_OK) return status;
  int trained = erg_study_wins(&dropped.series, &hard.series), below = erg_study_wins(&dropped.series, &table.series),
      shifted = erg_study_wins(&shift.series, &table.series);
  char setting[160];
  snprintf(setting, sizeof setting, "%s blocks, %s, int8, " TASK, conv, norm);
  return erg_study_claim_add(
      r,
      trained >= judging_nine_tenths(r) ? ERG_SHOWS
      : hard.mean > dropped.mean        ? ERG_SHOWS_IN_PART
                                        : ERG_DOES_NOT_SHOW,
      "a hard gate has to be trained in: dropped into a network trained with the sigmoid it is worse", setting,
      "the sigmoid as an exact table; no gate at all", error,
      "accuracy: table %.1f (sd %.1f) %%, hard trained in %.1f (%.1f), hard dropped in %.1f (%.1f), shift dropped in "
      "%.1f "
      "(%.1f), no gate %.1f (%.1f); dropped in worse than trained in %d, than the table in %d, shift worse than the "
      "table "
      "in %d of %d seeds",
      table.mean, table.deviation, hard.mean, hard.deviation, dropped.mean, dropped.deviation, shift.mean,
      shift.deviation, none.mean, none.deviation, trained, below, shifted, r->seeds);
}

static erg_status judge_depthwise_loss(erg_study_result *r, const char *norm, erg_error *error) {
  sample dense, wise, dense8, wise8;
  erg_status status = take_loss(r, "dense", norm, "none", "int4", &dense, error);
  if (status == ERG_OK) status = take_loss(r, "depthwise", norm, "none", "int4", &wise, error);
  if (status == ERG_OK) status = take_loss(r, "dense", norm, "none", "int8", &dense8, error);
  if (status == ERG_OK) status = take_loss(r, "depthwise", norm, "none", "int8", &wise8, error);
  if (status != ERG_OK) return status;
  int wins = erg_study_wins(&dense.series, &wise.series);
  char setting[160];
  snprintf(setting, sizeof setting, "blocks with norm %s, no gate, about equal MACs, " TASK, norm);
  return erg_study_claim_add(
      r,
      wins >= judging_nine_tenths(r) ? ERG_SHOWS
      : wise.mean > dense.mean       ? ERG_SHOWS_IN_PART
                                     : ERG_DOES_NOT_SHOW,
      "depthwise blocks lose more than dense ones at 4 bits", setting, "8 bits", error,
      "points of accuracy lost at 4 bits: dense %.1f (sd %.1f), depthwise %.1f (%.1f), more in %d "
      "of %d seeds; control: %.1f (%.1f), %.1f (%.1f)",
      dense.mean, dense.deviation, wise.mean, wise.deviation, wins, r->seeds, dense8.mean, dense8.deviation, wise8.mean,
      wise8.deviation);
}

erg_status blocks_judge(erg_study_result *r, erg_error *error) {
  erg_status status = ERG_OK;
  for (size_t c = 0; c < ERG_COUNT_OF(convs) && status == ERG_OK; c++) {
    status = judge_norm(r, convs[c], "instance_norm", error);
    if (status == ERG_OK) status = judge_norm(r, convs[c], "rms_norm", error);
    if (status == ERG_OK) status = judge_order(r, convs[c], error);
    if (status == ERG_OK) status = judge_gate_cost(r, convs[c], error);
    if (status == ERG_OK) status = judge_noise(r, convs[c], "int8", error);
    if (status == ERG_OK) status = judge_noise(r, convs[c], "int4", error);
    if (status == ERG_OK) status = judge_gates(r, convs[c], "batch_norm", error);
    if (status == ERG_OK) status = judge_gates(r, convs[c], "instance_norm", error);
  }
  if (status == ERG_OK) status = judge_depthwise_cost(r, error);
  if (status == ERG_OK) status = judge_depthwise_loss(r, "none", error);
  if (status == ERG_OK) status = judge_depthwise_loss(r, "batch_norm", error);
  return status;
}
