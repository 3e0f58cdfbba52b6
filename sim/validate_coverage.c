/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Do intervals hold what they have not seen? Each measurement is left out of the fit of its set and predicted:
 * lognormal, with the fit's own scatter and the uncertainty of its coefficients, by the t distribution of its degrees
 * of freedom. */
#include "ergon/fit.h"
#include "validate.h"
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <string.h>

#define MOST_ROWS 64
#define SHARE 0.9 /* between 5 and 95 % */

/* Prediction of x from a fit: its logarithm's half-width. */
static double half_width(const erg_fit_result *r, const double *x, double *prediction) {
  double variance = 0;
  int free_terms = 0;
  *prediction = 0;
  for (int i = 0; i < r->terms; i++) {
    *prediction += r->coefficients[i].value * x[i];
    free_terms += !r->coefficients[i].held;
    for (int j = 0; j < r->terms; j++) variance += x[i] * r->covariance[i * ERG_MOST_TERMS + j] * x[j];
  }
  double relative = sqrt(pow(r->rms_relative_error, 2) + variance / (*prediction * *prediction));
  return gsl_cdf_tdist_Pinv(0.5 + SHARE / 2, r->rows - free_terms) * relative;
}

static erg_status leave_out(const erg_fit_input *all, erg_coverage *c, double *widths, erg_error *error) {
  double x[MOST_ROWS * ERG_MOST_TERMS], y[MOST_ROWS];
  if (all->rows > MOST_ROWS) return erg_fail(error, ERG_ERR_DATA, "validate: over %d rows", MOST_ROWS);
  for (int out = 0; out < all->rows; out++) {
    erg_fit_input in = *all;
    erg_fit_result r = {0};
    int rows = 0;
    for (int i = 0; i < all->rows; i++) {
      if (i == out) continue;
      memcpy(x + rows * all->terms, all->x + i * all->terms, sizeof *x * (size_t)all->terms);
      y[rows++] = all->y[i];
    }
    in.rows = rows, in.x = x, in.y = y;
    erg_status status = erg_fit(&in, &r, error);
    if (status != ERG_OK) return status;
    double prediction, half = half_width(&r, all->x + out * all->terms, &prediction);
    double miss = fabs(log(all->y[out] / prediction));
    c->n++;
    c->inside += miss <= half;
    c->inside_half += miss <= half / 2;
    *widths += exp(2 * half);
    erg_fit_free(&r);
  }
  return ERG_OK;
}

static erg_status eyeriss(erg_coverage *c, double *widths, erg_error *error) {
  erg_csv csv = {0};
  erg_measured m = {0};
  erg_status status = erg_csv_load("eyeriss", &csv, error);
  if (status == ERG_OK) status = erg_measured_of(&csv, "a,p0", NULL, NULL, &m, error);
  if (status == ERG_OK) {
    status = leave_out(&m.input, c, widths, error);
    erg_measured_free(&m);
  }
  erg_csv_free(&csv);
  return status;
}

static erg_status nvdla(const char *x_header, const char *y_header, erg_coverage *c, double *widths, erg_error *error) {
  erg_csv csv = {0};
  double x[2 * MOST_ROWS], y[MOST_ROWS];
  erg_status status = erg_csv_load("nvdla", &csv, error);
  if (status != ERG_OK) return status;
  int xs = erg_csv_column(&csv, x_header), ys = erg_csv_column(&csv, y_header);
  if (xs < 0 || ys < 0 || csv.rows > MOST_ROWS)
    status = erg_fail(error, ERG_ERR_DATA, "%s: no columns %s and %s, or over %d rows", csv.file, x_header, y_header,
                      MOST_ROWS);
  for (int i = 0; i < csv.rows && status == ERG_OK; i++) {
    status = erg_csv_number(&csv, i, xs, 0, &x[2 * i], error);
    if (status == ERG_OK) status = erg_csv_number(&csv, i, ys, 0, &y[i], error);
    x[2 * i + 1] = 1;
  }
  const erg_fit_input in = {.rows = csv.rows, .terms = 2, .x = x, .y = y, .names = {"slope", "constant"}};
  if (status == ERG_OK) status = leave_out(&in, c, widths, error);
  erg_csv_free(&csv);
  return status;
}

erg_status erg_validate_coverage(erg_validation *v, erg_error *error) {
  erg_coverage *c = &v->coverage;
  double widths = 0;
  erg_status status = eyeriss(c, &widths, error);
  if (status == ERG_OK) status = nvdla("macs", "peak_mw", c, &widths, error);
  if (status == ERG_OK) status = nvdla("frames_per_s", "average_mw", c, &widths, error);
  if (status != ERG_OK) return status;
  unsigned n = (unsigned)c->n, k = 0;
  c->mean_width = widths / n;
  while (gsl_cdf_binomial_P(k, SHARE, n) <= 0.025) k++;
  c->least = (int)k;
  while (gsl_cdf_binomial_P(k, SHARE, n) < 0.975) k++;
  c->most = (int)k;
  snprintf(v->coverage_claim, sizeof v->coverage_claim,
           "%d measurements, each left out of its fit: share in the 5 to 95 %% interval (mean p95/p5 %.3f)", c->n,
           c->mean_width);
  erg_check_add(v, (erg_check){"interval-coverage", v->coverage_claim,
                               "Eyeriss (18 layers), NVDLA (seven sizes, peak and average)", "published", false,
                               100.0 * c->inside / n, 100.0 * c->least / n, 100.0 * c->most / n, "%", NULL, true});
  erg_check_add(v, (erg_check){"interval-control", "the same at half the width, which must hold too few",
                               "Eyeriss (18 layers), NVDLA (seven sizes, peak and average)", "published", false,
                               100.0 * c->inside_half / n, 0, 100.0 * (c->least - 1) / n, "%", NULL, true});
  return ERG_OK;
}
