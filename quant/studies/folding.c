/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What folding batch norms does to the grids of weights. Gaussian weights, each channel times the gain of its batch
 * norm, log-normal with deviation s: one scale a tensor has to span them all. */
#include "ergon/kernels.h"
#include "ergon/quantized.h"
#include "ergon/study.h"
#include <math.h>

#define FILTERS 64
#define REDUCTION 72 /* 3 x 3 x 8 */

static const double spreads[] = {0, 0.5, 1, 1.5};
static const int widths[] = {8, 4};

static double mean_sqnr_db(const double *w, int bits, bool per_tensor) {
  double scale[FILTERS], sum = 0;
  int16_t codes[FILTERS * REDUCTION];
  erg_weight_scales(FILTERS, REDUCTION, w, bits, (erg_weight_grid){per_tensor, true}, scale);
  erg_weight_codes(FILTERS, REDUCTION, w, bits, scale, codes);
  for (int k = 0; k < FILTERS; k++) {
    double signal = 0, noise = 0;
    for (int i = k * REDUCTION; i < (k + 1) * REDUCTION; i++) {
      double error = w[i] - codes[i] * scale[k];
      signal += w[i] * w[i], noise += error * error;
    }
    sum += 10 * log10(signal / noise);
  }
  return sum / FILTERS;
}

static erg_status run_seed(uint64_t seed, erg_study_result *out, erg_error *error) {
  erg_status status = ERG_OK;
  for (size_t s = 0; s < ERG_COUNT_OF(spreads); s++) {
    double w[FILTERS * REDUCTION];
    erg_random weights, gains; /* the same weights and the same directions of gains at every spread */
    erg_random_stream(&weights, seed, "folding/weights");
    erg_random_stream(&gains, seed, "folding/gains");
    for (int k = 0; k < FILTERS; k++) {
      double gain = exp(spreads[s] * erg_random_normal(&gains));
      for (int i = 0; i < REDUCTION; i++) w[k * REDUCTION + i] = gain * erg_random_normal(&weights);
    }
    for (size_t b = 0; b < ERG_COUNT_OF(widths); b++)
      for (int per_tensor = 0; per_tensor < 2; per_tensor++) {
        char spread[16], bits[16];
        snprintf(spread, sizeof spread, "%.1f", spreads[s]);
        snprintf(bits, sizeof bits, "%d", widths[b]);
        const char *texts[] = {per_tensor ? "per tensor" : "per channel", bits, spread, NULL};
        double sqnr = mean_sqnr_db(w, widths[b], per_tensor);
        if (status == ERG_OK) status = erg_study_add(out, seed, texts, &sqnr, error);
      }
  }
  return status;
}

/* Mean over seeds at one setting, and the series itself. */
static erg_status mean_of(erg_study_result *r, const char *grid, const char *bits, const char *spread,
                          erg_study_series *series, double *mean, double *deviation, erg_error *error) {
  erg_status status = erg_study_series_of(r, (const char *const[]){grid, bits, spread, NULL}, "sqnr_db", series, error);
  if (status == ERG_OK) erg_study_mean(series, mean, deviation);
  return status;
}

static erg_status judge_width(erg_study_result *r, const char *bits, erg_error *error) {
  erg_study_series tensor0, tensor1, channel0, channel1;
  double t0, t1, c0, c1, t0_sd, t1_sd, c0_sd, c1_sd;
  erg_status status = mean_of(r, "per tensor", bits, "0.0", &tensor0, &t0, &t0_sd, error);
  if (status == ERG_OK) status = mean_of(r, "per tensor", bits, "1.0", &tensor1, &t1, &t1_sd, error);
  if (status == ERG_OK) status = mean_of(r, "per channel", bits, "0.0", &channel0, &c0, &c0_sd, error);
  if (status == ERG_OK) status = mean_of(r, "per channel", bits, "1.0", &channel1, &c1, &c1_sd, error);
  if (status != ERG_OK) return status;
  int wins = erg_study_wins(&tensor1, &channel1);
  bool collapses = c1 - t1 >= 10 && wins == r->seeds, kept = fabs(c1 - c0) < 1;
  char setting[128];
  snprintf(setting, sizeof setting, "64 x 72 Gaussian weights of %s bits, gains log-normal with deviation 1", bits);
  return erg_study_claim_add(
      r,
      collapses && kept   ? ERG_SHOWS
      : collapses || kept ? ERG_SHOWS_IN_PART
                          : ERG_DOES_NOT_SHOW,
      "folding collapses a weight grid per tensor and not one per channel", setting,
      "deviation 0, where all gains are one", error,
      "per tensor %.1f (sd %.1f) dB, per channel %.1f (sd %.1f) dB, lower in %d of %d seeds; control: %.1f and %.1f dB",
      t1, t1_sd, c1, c1_sd, wins, r->seeds, t0, c0);
}

static erg_status judge(erg_study_result *r, erg_error *error) {
  erg_status status = judge_width(r, "8", error);
  return status == ERG_OK ? judge_width(r, "4", error) : status;
}

static const char *const texts[] = {"grid", "weight_bits", "gain_deviation", NULL};
static const char *const numbers[] = {"sqnr_db", NULL};
static const erg_study folding = {
    "folding", "Do batch norms fold without harm to the weights' grids", 20, {texts, numbers}, run_seed, judge};
ERG_REGISTER(erg_study, folding);
