/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the points of all seeds say about the mean over tokens. */
#include "judging.h"
#include "pooling.h"
#include <gsl/gsl_fit.h>
#include <math.h>
#include <string.h>

#define NETWORK "block of a transformer (width 32, FFN 64, one head) trained on 1000 built-in sequences of 16, "
#define AT_LENGTHS NETWORK "run at 4 to 128, integer kernels, what is not named has 16 bits; "
#define MEASURE "RMS error of the mean over that of a token at T = 4, 8, 16, 32, 64, 128: "

static erg_verdict verdict_of(bool whole, bool part) {
  return whole ? ERG_SHOWS : part ? ERG_SHOWS_IN_PART : ERG_DOES_NOT_SHOW;
}

static erg_status average(erg_study_result *r, const char *part, const char *rounded, const char *tokens,
                          const char *number, judging_sample *out, erg_error *error) {
  return judging_take(r, (const char *const[]){part, rounded, tokens}, number, out, error);
}

/* ---- the ratio over the length ---- */

/* Per seed, by least squares: the slope of log r over log T, and r^2 = common + apart / T. */
typedef struct {
  judging_sample ratio[POOLING_LENGTHS], slope, common, apart;
  double relative[2]; /* divided by what each readout varies by, at the least and the greatest length */
  char text[192];
} curve;

static erg_status room(erg_study_result *r, judging_sample *out, erg_error *error) {
  out->series = (erg_study_series){erg_arena_alloc(&r->arena, sizeof(double) * (size_t)r->seeds), r->seeds};
  return out->series.values ? ERG_OK : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
}

static erg_status fit(erg_study_result *r, const char *rounded, curve *c, erg_error *error) {
  judging_sample *const fits[] = {&c->slope, &c->common, &c->apart};
  judging_sample relative;
  erg_status status = ERG_OK;
  int length = 0;
  c->text[0] = '\0';
  for (int t = 0; t < POOLING_LENGTHS && status == ERG_OK; t++) {
    status = average(r, "length", rounded, pooling_lengths[t], "ratio", &c->ratio[t], error);
    if (status == ERG_OK)
      length += snprintf(c->text + length, sizeof c->text - (size_t)length, "%s%.3f", t ? " " : "", c->ratio[t].mean);
    if (status != ERG_OK || (t != 0 && t != POOLING_LENGTHS - 1)) continue;
    status = average(r, "length", rounded, pooling_lengths[t], "relative_ratio", &relative, error);
    if (status == ERG_OK) c->relative[t != 0] = relative.mean;
  }
  for (size_t i = 0; i < ERG_COUNT_OF(fits) && status == ERG_OK; i++) status = room(r, fits[i], error);
  if (status != ERG_OK) return status;
  for (int s = 0; s < r->seeds; s++) {
    double log_t[POOLING_LENGTHS], log_r[POOLING_LENGTHS], inverse[POOLING_LENGTHS], square[POOLING_LENGTHS];
    double offset, c00, c01, c11, rest;
    for (int t = 0; t < POOLING_LENGTHS; t++) {
      const double ratio = c->ratio[t].series.values[s], tokens = ldexp(4, t);
      log_t[t] = log(tokens), log_r[t] = log(ratio), inverse[t] = 1 / tokens, square[t] = ratio * ratio;
    }
    gsl_fit_linear(log_t, 1, log_r, 1, POOLING_LENGTHS, &offset, &c->slope.series.values[s], &c00, &c01, &c11, &rest);
    gsl_fit_linear(inverse, 1, square, 1, POOLING_LENGTHS, &c->common.series.values[s], &c->apart.series.values[s],
                   &c00, &c01, &c11, &rest);
  }
  for (size_t i = 0; i < ERG_COUNT_OF(fits); i++) erg_study_mean(&fits[i]->series, &fits[i]->mean, &fits[i]->deviation);
  return ERG_OK;
}

/* The farthest that a ratio of these points is from 1. */
static double farthest(const erg_study_result *r, const char *part, const char *rounded, int number) {
  double most = 0;
  for (int i = 0; i < r->point_count; i++) {
    const erg_study_point *p = &r->points[i];
    if (strcmp(p->texts[0], part) == 0 && strcmp(p->texts[1], rounded) == 0)
      most = fmax(most, fabs(p->numbers[number] - 1));
  }
  return most;
}

static erg_status judge_features(erg_study_result *r, const curve *c, erg_error *error) {
  judging_sample first;
  erg_status status = average(r, "length", pooling_sources[POOLING_FEATURES], pooling_lengths[POOLING_LENGTHS - 1],
                              "first_ratio", &first, error);
  if (status != ERG_OK) return status;
  const double identical = farthest(r, "identical", pooling_sources[POOLING_ALL], 0);
  const bool controls = identical < 1e-12 && fabs(first.mean - 1) < 0.05;
  return erg_study_claim_add(
      r, verdict_of(controls && fabs(c->slope.mean + 0.5) <= 0.02, controls && c->slope.mean < -0.4),
      "rounding of the last features alone is independent from token to token: the mean's error falls as 1/sqrt(T)",
      AT_LENGTHS "features of 4 bits",
      "the first token read in place of the mean; all tokens identical, all of 4 bits (probabilities 8)", error,
      MEASURE "%s; log-log slope %.3f (sd %.3f), r^2 = %.2g + %.2f/T; controls: first token %.2f (sd %.2f) at T = 128, "
              "identical tokens 1 to within %.0e",
      c->text, c->slope.mean, c->slope.deviation, c->common.mean, c->apart.mean, first.mean, first.deviation,
      identical);
}

static erg_status judge_activations(erg_study_result *r, const curve *features, const curve *c, erg_error *error) {
  const int flatter = erg_study_wins(&features->slope.series, &c->slope.series),
            common = erg_study_wins(&features->common.series, &c->common.series);
  return erg_study_claim_add(
      r, verdict_of(flatter >= judging_nine_tenths(r) && common >= judging_nine_tenths(r), flatter > r->seeds / 2),
      "rounding of all activations averages less, because attention makes part of it common to all tokens",
      AT_LENGTHS "activations of 4 bits (scores 8, probabilities 16)", "the last features alone", error,
      MEASURE "%s; log-log slope %.3f (sd %.3f), r^2 = %.2g + %.2f/T; flatter than the features' in %d, with more in "
              "common in %d of %d seeds",
      c->text, c->slope.mean, c->slope.deviation, c->common.mean, c->apart.mean, flatter, common, r->seeds);
}

static erg_status judge_weights(erg_study_result *r, const curve *features, const curve *c, erg_error *error) {
  judging_sample relative;
  erg_status status = average(r, "length", pooling_sources[POOLING_WEIGHTS], pooling_lengths[POOLING_LENGTHS - 1],
                              "relative_ratio", &relative, error);
  if (status != ERG_OK) return status;
  int flat = 0, worse = 0;
  for (int s = 0; s < r->seeds; s++) {
    flat += c->slope.series.values[s] > -0.1;
    worse += relative.series.values[s] > 1;
  }
  return erg_study_claim_add(
      r,
      verdict_of(flat >= judging_nine_tenths(r) && worse >= judging_nine_tenths(r),
                 c->slope.mean > -0.1 || worse >= judging_nine_tenths(r)),
      "rounding of weights does not average: the slope is above -0.1, and beside what each readout varies by the mean "
      "is "
      "no better off than a token",
      AT_LENGTHS "weights of 4 bits", "the last features alone", error,
      MEASURE
      "%s; log-log slope %.3f (sd %.3f), above -0.1 in %d of %d seeds; r^2 = %.2g + %.2f/T; divided by what each "
      "readout varies by, from %.2f at T = 4 to %.2f (sd %.2f) at T = 128, above 1 in %d (features: %.2f to %.2f)",
      c->text, c->slope.mean, c->slope.deviation, flat, r->seeds, c->common.mean, c->apart.mean, c->relative[0],
      relative.mean, relative.deviation, worse, features->relative[0], features->relative[1]);
}

/* ---- probabilities ---- */

static erg_status judge_probabilities(erg_study_result *r, const curve *wide, const curve *c, erg_error *error) {
  const int last = POOLING_LENGTHS - 1, middle = last - 2; /* 128, 32 */
  const int rises = erg_study_wins(&c->ratio[middle].series, &c->ratio[last].series),
            falls = erg_study_wins(&wide->ratio[last].series, &wide->ratio[middle].series);
  judging_sample mass;
  erg_status status =
      average(r, "length", pooling_sources[POOLING_BOTH], pooling_lengths[last], "probability_mass", &mass, error);
  if (status != ERG_OK) return status;
  return erg_study_claim_add(
      r, verdict_of(rises >= judging_nine_tenths(r) && falls >= judging_nine_tenths(r), rises > r->seeds / 2),
      "probabilities as narrow as the activations lose attention in long sequences: the ratio rises again",
      AT_LENGTHS "activations and probabilities of 4 bits (scores 8)", "probabilities of 16 bits", error,
      MEASURE "%s; higher at 128 than at 32 in %d of %d seeds, control (%.3f to %.3f) lower in %d; of a sum of 1 "
              "over the keys %.2f (sd %.2f) is left at T = 128",
      c->text, rises, r->seeds, wide->ratio[middle].mean, wide->ratio[last].mean, falls, mass.mean, mass.deviation);
}

/* Against activations of 8 bits: which widths put less error into the mean, in nine tenths of the seeds, or more. */
static erg_status judge_rule(erg_study_result *r, erg_error *error) {
  int less[POOLING_WIDTHS] = {0}, more[POOLING_WIDTHS] = {0}, length = 0;
  double mass[POOLING_WIDTHS] = {0};
  char text[512] = "";
  for (int w = 0; w < POOLING_WIDTHS; w++) {
    for (int t = 0; t < POOLING_LENGTHS; t++) {
      judging_sample own, eight, left;
      erg_status status = average(r, "width", pooling_widths[w], pooling_lengths[t], "pooled_error_rms", &own, error);
      if (status == ERG_OK)
        status =
            average(r, "length", pooling_sources[POOLING_EIGHT], pooling_lengths[t], "pooled_error_rms", &eight, error);
      if (status == ERG_OK)
        status = average(r, "width", pooling_widths[w], pooling_lengths[t], "probability_mass", &left, error);
      if (status != ERG_OK) return status;
      less[w] += erg_study_wins(&own.series, &eight.series) >= judging_nine_tenths(r);
      more[w] += erg_study_wins(&eight.series, &own.series) >= judging_nine_tenths(r);
      mass[w] += left.mean / POOLING_LENGTHS;
    }
    length += snprintf(text + length, sizeof text - (size_t)length, "%s%s: less at %d, more at %d, mass %.3f",
                       w ? "; " : "", pooling_widths[w], less[w], more[w], mass[w]);
  }
  bool holds = true, fails = true;
  for (int w = 0; w < POOLING_WIDTHS; w++) {
    if (w > POOLING_RULE) holds &= less[w] == POOLING_LENGTHS;
    if (w < POOLING_RULE) fails &= more[w] == POOLING_LENGTHS;
  }
  return erg_study_claim_add(
      r, verdict_of(holds && fails, holds || fails),
      "probabilities need more than log2 T + 2 bits: above that they put less error into the mean than activations of "
      "8 bits do, below it more",
      AT_LENGTHS "probabilities alone, on a grid over [0, 1)", "activations of 8 bits alone (probabilities 16)", error,
      "lengths of 6, T = 4 to 128, at which nine tenths of the seeds have less error than the control, or more, and "
      "what is left of a row's sum of 1: %s",
      text);
}

/* ---- accuracies ---- */

typedef struct {
  judging_sample real[2], lost[2], flips[2]; /* of tokens, of sentences, in percent and points */
} heads;
static const char *const accuracies[] = {"token_accuracy", "sentence_accuracy"}, *const flips[] = {"token_flips",
                                                                                                   "sentence_flips"};

static erg_status compare(erg_study_result *r, const char *part, const char *tokens, int source, heads *out,
                          erg_error *error) {
  erg_status status = ERG_OK;
  for (int h = 0; h < 2 && status == ERG_OK; h++) {
    judging_sample *const all[] = {&out->real[h], &out->lost[h], &out->flips[h]};
    status = average(r, part, "float", tokens, accuracies[h], &out->real[h], error);
    if (status == ERG_OK)
      status = average(r, part, pooling_sources[source], tokens, accuracies[h], &out->lost[h], error);
    if (status == ERG_OK) status = average(r, part, pooling_sources[source], tokens, flips[h], &out->flips[h], error);
    if (status != ERG_OK) return status;
    for (int s = 0; s < r->seeds; s++) {
      out->lost[h].series.values[s] = 100 * (out->real[h].series.values[s] - out->lost[h].series.values[s]);
      out->real[h].series.values[s] *= 100, out->flips[h].series.values[s] *= 100;
    }
    for (size_t i = 0; i < ERG_COUNT_OF(all); i++) erg_study_mean(&all[i]->series, &all[i]->mean, &all[i]->deviation);
  }
  return status;
}

static const char fewer[] =
    "a class of the sequence, read from the mean, loses less accuracy than a class of each token";

static erg_status judge_heads(erg_study_result *r, const char *part, const char *tokens, const char *difficulty,
                              erg_error *error) {
  heads all, mean, weights;
  erg_status status = compare(r, part, tokens, POOLING_ALL, &all, error);
  if (status == ERG_OK) status = compare(r, part, tokens, POOLING_ALL_MEAN, &mean, error);
  if (status == ERG_OK) status = compare(r, part, tokens, POOLING_WEIGHTS, &weights, error);
  if (status != ERG_OK) return status;
  const int wins = erg_study_wins(&all.lost[1].series, &all.lost[0].series),
            steadier = erg_study_wins(&all.flips[1].series, &all.flips[0].series);
  char setting[320];
  snprintf(setting, sizeof setting,
           "the same block trained and run at T = %s, %s; weights and activations of 4 bits, scores, probabilities 8, "
           "mean 16",
           tokens, difficulty);
  return erg_study_claim_add(r, verdict_of(wins >= judging_nine_tenths(r), wins > r->seeds / 2), fewer, setting,
                             "weights of 4 bits alone, whose error does not average; the mean, too, of 4 bits", error,
                             "float: tokens %.1f (sd %.1f) %%, sentences %.1f (%.1f); points lost: %.1f (%.1f), %.1f "
                             "(%.1f), sentences less in "
                             "%d of %d seeds (p = %.2g); predictions that change: %.1f, %.1f %%, fewer in %d; "
                             "controls: weights alone lose %.1f "
                             "(%.1f), %.1f (%.1f), a mean of 4 bits %.1f (%.1f)",
                             all.real[0].mean, all.real[0].deviation, all.real[1].mean, all.real[1].deviation,
                             all.lost[0].mean, all.lost[0].deviation, all.lost[1].mean, all.lost[1].deviation, wins,
                             r->seeds, erg_sign_test(wins, r->seeds), all.flips[0].mean, all.flips[1].mean, steadier,
                             weights.lost[0].mean, weights.lost[0].deviation, weights.lost[1].mean,
                             weights.lost[1].deviation, mean.lost[1].mean, mean.lost[1].deviation);
}

/* From the least of the matched lengths to the greatest. */
static erg_status judge_trend(erg_study_result *r, int source, const char *rounded, erg_error *error) {
  const char *const ends[] = {pooling_matched[0], pooling_matched[POOLING_MATCHED - 1]};
  judging_sample ratio[2], relative[2];
  heads at[2];
  erg_status status = ERG_OK;
  for (int i = 0; i < 2 && status == ERG_OK; i++) {
    status = average(r, "matched", pooling_sources[source], ends[i], "ratio", &ratio[i], error);
    if (status == ERG_OK)
      status = average(r, "matched", pooling_sources[source], ends[i], "relative_ratio", &relative[i], error);
    if (status == ERG_OK) status = compare(r, "matched", ends[i], source, &at[i], error);
  }
  if (status != ERG_OK) return status;
  const int grows = erg_study_wins(&at[0].lost[1].series, &at[1].lost[1].series),
            worse = erg_study_wins(&relative[0].series, &relative[1].series);
  return erg_study_claim_add(
      r, verdict_of(grows >= judging_nine_tenths(r), grows > r->seeds / 2),
      "where a sentence stays as hard as a token at every length, longer sequences make its class lose more", rounded,
      "class of a token", error,
      "from T = %s to %s: points lost by sentences %.1f (sd %.1f) to %.1f (%.1f), more in %d of %d seeds, by tokens "
      "%.1f "
      "to %.1f; error of the mean over a token's %.3f to %.3f, divided by what each varies by %.2f to %.2f, more in %d",
      ends[0], ends[1], at[0].lost[1].mean, at[0].lost[1].deviation, at[1].lost[1].mean, at[1].lost[1].deviation, grows,
      r->seeds, at[0].lost[0].mean, at[1].lost[0].mean, ratio[0].mean, ratio[1].mean, relative[0].mean,
      relative[1].mean, worse);
}

erg_status pooling_judge(erg_study_result *r, erg_error *error) {
  static const char hard[] =
      "sentences as hard as tokens: what their tokens share is 0.8 at T = 16, elsewhere as 1/sqrt(T)";
  curve curves[POOLING_SOURCES];
  erg_status status = ERG_OK;
  for (int i = POOLING_FEATURES; i <= POOLING_WEIGHTS && status == ERG_OK; i++)
    status = fit(r, pooling_sources[i], &curves[i], error);
  if (status == ERG_OK) status = judge_features(r, &curves[POOLING_FEATURES], error);
  if (status == ERG_OK) status = judge_activations(r, &curves[POOLING_FEATURES], &curves[POOLING_ACTIVATIONS], error);
  if (status == ERG_OK) status = judge_weights(r, &curves[POOLING_FEATURES], &curves[POOLING_WEIGHTS], error);
  if (status == ERG_OK) status = judge_probabilities(r, &curves[POOLING_ACTIVATIONS], &curves[POOLING_BOTH], error);
  if (status == ERG_OK) status = judge_rule(r, error);
  if (status == ERG_OK) status = judge_heads(r, "built-in", "16", "the built-in tokens and sentences", error);
  for (int i = 0; i < POOLING_MATCHED && status == ERG_OK && !r->brief; i++)
    status = judge_heads(r, "matched", pooling_matched[i], hard, error);
  if (r->brief || status != ERG_OK) return status;
  status = judge_trend(r, POOLING_ALL, "as above, weights and activations of 4 bits", error);
  return status == ERG_OK ? judge_trend(r, POOLING_WEIGHTS, "as above, weights of 4 bits alone", error) : status;
}
