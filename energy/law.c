/* SPDX-License-Identifier: GPL-3.0-or-later */
/* E = a*FLOPs + b*Mem: first as an identity, then as a law put to the test (weighted least squares, GSL). */
#include "ergon/energy.h"
#include <gsl/gsl_multifit.h>
#include <math.h>

/* Columns that differ by a common factor up to this reciprocal condition number cannot be told apart. */
#define LEAST_RCOND 1e-6

static void errors(int layers, const double *flops, const double *bytes, const double *energy, erg_law *law) {
  double squares = 0;
  int used = 0;
  law->worst_relative_error = 0;
  for (int i = 0; i < layers; i++) {
    if (energy[i] <= 0) continue;
    double relative = (law->a_pj_per_flop * flops[i] + law->b_pj_per_byte * bytes[i]) / energy[i] - 1;
    squares += relative * relative;
    used++;
    if (fabs(relative) > fabs(law->worst_relative_error)) {
      law->worst_relative_error = relative;
      law->worst_layer = i;
    }
  }
  law->rms_relative_error = used ? sqrt(squares / used) : 0;
}

static erg_status fit(int layers, int used, const double *flops, const double *bytes, const double *energy,
                      erg_law *law, erg_error *error) {
  gsl_matrix *x = gsl_matrix_alloc((size_t)used, 2);
  gsl_vector *y = gsl_vector_alloc((size_t)used), *c = gsl_vector_alloc(2);
  gsl_matrix *covariance = gsl_matrix_alloc(2, 2);
  gsl_multifit_linear_workspace *work = gsl_multifit_linear_alloc((size_t)used, 2);
  erg_status status = ERG_OK;
  if (!x || !y || !c || !covariance || !work) {
    status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    goto out;
  }
  /* Dividing a row by its energy is the weight 1/E^2: the error that is least is the relative one. Columns are scaled
   * to equal norm, so that the condition number speaks of collinearity and not of units. */
  double norm[2] = {0, 0};
  for (int i = 0; i < layers; i++)
    if (energy[i] > 0) {
      norm[0] += pow(flops[i] / energy[i], 2);
      norm[1] += pow(bytes[i] / energy[i], 2);
    }
  norm[0] = sqrt(norm[0]);
  norm[1] = sqrt(norm[1]);
  if (norm[0] <= 0 || norm[1] <= 0) {
    law->reason = "all FLOPs or all bytes are zero";
    goto out;
  }
  for (int i = 0, row = 0; i < layers; i++)
    if (energy[i] > 0) {
      gsl_matrix_set(x, (size_t)row, 0, flops[i] / energy[i] / norm[0]);
      gsl_matrix_set(x, (size_t)row, 1, bytes[i] / energy[i] / norm[1]);
      gsl_vector_set(y, (size_t)row++, 1);
    }
  double residual;
  gsl_multifit_linear_svd(x, work);
  if (gsl_multifit_linear_rcond(work) < LEAST_RCOND) {
    law->reason = "FLOPs and bytes rise together over the layers: a and b cannot be told apart";
    goto out;
  }
  gsl_multifit_linear(x, y, c, covariance, &residual, work);
  law->fitted = true;
  law->reason = NULL;
  law->a_pj_per_flop = gsl_vector_get(c, 0) / norm[0];
  law->b_pj_per_byte = gsl_vector_get(c, 1) / norm[1];
  errors(layers, flops, bytes, energy, law);
out:
  if (work) gsl_multifit_linear_free(work);
  gsl_matrix_free(x);
  gsl_matrix_free(covariance);
  gsl_vector_free(y);
  gsl_vector_free(c);
  return status;
}

erg_status erg_law_test(int layers, const double *flops, const double *bytes, const double *arithmetic_pj,
                        const double *memory_pj, erg_law *out, erg_error *error) {
  erg_law law = {.reason = "fewer than 3 passes", .worst_layer = -1};
  double sums[4] = {0};
  double *energy = NULL;
  int used = 0;
  erg_status status = ERG_OK;
  erg_arena arena = {0};
  energy = erg_arena_alloc(&arena, sizeof *energy * (size_t)layers);
  if (!energy) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int i = 0; i < layers; i++) {
    sums[0] += flops[i];
    sums[1] += bytes[i];
    sums[2] += arithmetic_pj[i];
    sums[3] += memory_pj[i];
    energy[i] = arithmetic_pj[i] + memory_pj[i];
    used += energy[i] > 0;
  }
  law.a_effective_pj_per_flop = sums[0] > 0 ? sums[2] / sums[0] : NAN;
  law.b_effective_pj_per_byte = sums[1] > 0 ? sums[3] / sums[1] : NAN;
  if (used >= 3) status = fit(layers, used, flops, bytes, energy, &law, error);
  if (status == ERG_OK) *out = law;
  erg_arena_free(&arena);
  return status;
}
