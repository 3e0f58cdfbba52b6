/* SPDX-License-Identifier: GPL-3.0-or-later */
/* E = a*FLOPs + b*Mem: first as an identity, then as a law put to the test (weighted least squares, GSL). */
#include "ergon/energy.h"
#include <gsl/gsl_multifit.h>
#include <math.h>

/* Below this reciprocal condition number (columns balanced) a and b cannot be told apart. */
#define LEAST_RCOND 1e-6
#define FEWEST_LAYERS 3 /* with two, two coefficients fit anything */

typedef struct {
  int layers, used; /* used: those with energy */
  const double *flops, *bytes;
  double *energy, mean; /* pJ; of all layers, and the mean of the used ones */
} sample;

static void measure_errors(const sample *s, erg_law *law) {
  double squares = 0;
  for (int i = 0; i < s->layers; i++) {
    if (s->energy[i] <= 0) continue;
    double relative = (law->a_pj_per_flop * s->flops[i] + law->b_pj_per_byte * s->bytes[i]) / s->energy[i] - 1;
    squares += relative * relative;
    if (law->worst_layer < 0 || fabs(relative) > fabs(law->worst_relative_error)) {
      law->worst_relative_error = relative;
      law->worst_layer = i;
    }
  }
  law->rms_relative_error = sqrt(squares / s->used);
}

/* A negative price has no meaning: the fit with that coefficient held at 0 is E = c*x alone. */
static void hold_negative_at_zero(const sample *s, erg_law *law) {
  if (law->a_pj_per_flop >= 0 && law->b_pj_per_byte >= 0) return;
  bool a_negative = law->a_pj_per_flop < 0;
  const double *x = a_negative ? s->bytes : s->flops;
  double xy = 0, xx = 0;
  for (int i = 0; i < s->layers; i++)
    if (s->energy[i] > 0) {
      double relative = x[i] / s->energy[i];
      xy += relative;
      xx += relative * relative;
    }
  law->a_pj_per_flop = a_negative ? 0 : xy / xx;
  law->b_pj_per_byte = a_negative ? xy / xx : 0;
  law->reason = a_negative ? "a came out negative and is held at 0" : "b came out negative and is held at 0";
}

static erg_status fit(const sample *s, erg_law *law, erg_arena *arena, erg_error *error) {
  size_t rows = (size_t)s->used;
  double *x_data = erg_arena_alloc(arena, sizeof(double) * rows * 2);
  double *y_data = erg_arena_alloc(arena, sizeof(double) * rows),
         *w_data = erg_arena_alloc(arena, sizeof(double) * rows);
  gsl_multifit_linear_workspace *work = gsl_multifit_linear_alloc(rows, 2);
  if (!x_data || !y_data || !w_data || !work) {
    if (work) gsl_multifit_linear_free(work);
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  for (int i = 0, row = 0; i < s->layers; i++) {
    if (s->energy[i] <= 0) continue;
    x_data[2 * row] = s->flops[i];
    x_data[2 * row + 1] = s->bytes[i];
    y_data[row] = s->energy[i];
    w_data[row++] = pow(s->mean / s->energy[i], 2); /* 1/E^2 up to a factor: the relative error is what is least */
  }
  double c_data[2], covariance_data[4], chi_squared;
  gsl_matrix_view x = gsl_matrix_view_array(x_data, rows, 2), covariance = gsl_matrix_view_array(covariance_data, 2, 2);
  gsl_vector_view y = gsl_vector_view_array(y_data, rows), w = gsl_vector_view_array(w_data, rows),
                  c = gsl_vector_view_array(c_data, 2);
  /* GSL balances the weighted columns, so the condition speaks of collinearity and not of units. */
  int fault = gsl_multifit_wlinear(&x.matrix, &w.vector, &y.vector, &c.vector, &covariance.matrix, &chi_squared, work);
  double rcond = gsl_multifit_linear_rcond(work);
  gsl_multifit_linear_free(work);
  if (fault) return erg_fail(error, ERG_ERR_INTERNAL, "the fit of the law failed: %s", gsl_strerror(fault));
  if (!(rcond >= LEAST_RCOND)) {
    law->reason = "FLOPs and bytes rise together over the layers, or one is 0 in all: a and b cannot be told apart";
    return ERG_OK;
  }
  law->fitted = true;
  law->reason = NULL;
  law->a_pj_per_flop = c_data[0];
  law->b_pj_per_byte = c_data[1];
  hold_negative_at_zero(s, law);
  measure_errors(s, law);
  return ERG_OK;
}

/* NaN and infinity would come back as a silent nonsense fit. */
static bool sane(double value) {
  return isfinite(value) && value >= 0;
}

erg_status erg_law_test(int layers, const double *flops, const double *bytes, const double *arithmetic_pj,
                        const double *memory_pj, erg_law *out, erg_error *error) {
  erg_law law = {.reason = "fewer than 3 layers with energy", .worst_layer = -1};
  double all_flops = 0, all_bytes = 0, all_arithmetic = 0, all_memory = 0;
  erg_arena arena = {0};
  erg_status status = ERG_OK;
  sample s = {.layers = layers, .flops = flops, .bytes = bytes};
  s.energy = erg_arena_alloc(&arena, sizeof(double) * (size_t)(layers > 0 ? layers : 0));
  if (!s.energy) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int i = 0; i < layers && status == ERG_OK; i++) {
    if (!sane(flops[i]) || !sane(bytes[i]) || !sane(arithmetic_pj[i]) || !sane(memory_pj[i]))
      status = erg_fail(error, ERG_ERR_INTERNAL, "layer %d: FLOPs, bytes or energy is negative or not finite", i);
    all_flops += flops[i];
    all_bytes += bytes[i];
    all_arithmetic += arithmetic_pj[i];
    all_memory += memory_pj[i];
    s.energy[i] = arithmetic_pj[i] + memory_pj[i];
    s.used += s.energy[i] > 0;
  }
  law.a_effective_pj_per_flop = all_flops > 0 ? all_arithmetic / all_flops : NAN;
  law.b_effective_pj_per_byte = all_bytes > 0 ? all_memory / all_bytes : NAN;
  if (status == ERG_OK && s.used >= FEWEST_LAYERS) {
    s.mean = (all_arithmetic + all_memory) / s.used;
    status = fit(&s, &law, &arena, error);
  }
  if (status == ERG_OK) *out = law;
  erg_arena_free(&arena);
  return status;
}
