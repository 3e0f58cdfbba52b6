/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ergon/confidence.h"
#include "score.h"
#include <gsl/gsl_errno.h>
#include <gsl/gsl_min.h>
#include <math.h>

/* The largest of softmax(logits). */
static double largest_probability(const double *logits, int classes) {
  double most = -INFINITY, sum = 0;
  for (int k = 0; k < classes; k++) most = fmax(most, logits[k]);
  for (int k = 0; k < classes; k++) sum += exp(logits[k] - most);
  return 1 / sum;
}

erg_confidence erg_confidence_of(const double *logits, int64_t rows, int classes, const int *labels) {
  erg_confidence c = {0};
  erg_evaluation sums = {0};
  for (int64_t row = 0; row < rows; row++, logits += classes) {
    double before = sums.accuracy, probability = largest_probability(logits, classes);
    erg_score_add(logits, classes, labels[row], &sums);
    int bin = (int)ceil(probability * ERG_CONFIDENCE_BINS) - 1;
    erg_confidence_bin *b = &c.bins[bin < 0 ? 0 : bin >= ERG_CONFIDENCE_BINS ? ERG_CONFIDENCE_BINS - 1 : bin];
    b->share += 1, b->confidence += probability, b->accuracy += sums.accuracy - before;
  }
  erg_score_end(&sums);
  for (int i = 0; i < ERG_CONFIDENCE_BINS; i++) {
    erg_confidence_bin *b = &c.bins[i];
    c.confidence += b->confidence / (double)rows;
    c.ece += fabs(b->accuracy - b->confidence) / (double)rows;
    b->accuracy /= b->share, b->confidence /= b->share; /* 0/0 is NAN */
    b->share /= (double)rows;
  }
  c.accuracy = sums.accuracy, c.nll_nat = sums.loss;
  return c;
}

typedef struct {
  const double *logits;
  int64_t rows;
  int classes;
  const int *labels;
} likelihood;

static double nll_at(double log_temperature, void *context) {
  const likelihood *l = context;
  const double inverse = exp(-log_temperature), *x = l->logits;
  double total = 0;
  for (int64_t row = 0; row < l->rows; row++, x += l->classes) {
    double most = -INFINITY, sum = 0;
    for (int k = 0; k < l->classes; k++) most = fmax(most, x[k]);
    for (int k = 0; k < l->classes; k++) sum += exp((x[k] - most) * inverse);
    total += log(sum) + (most - x[l->labels[row]]) * inverse;
  }
  return total;
}

erg_status erg_temperature_fit(const double *logits, int64_t rows, int classes, const int *labels, double *temperature,
                               erg_error *error) {
  likelihood l = {logits, rows, classes, labels};
  gsl_function f = {nll_at, &l};
  const double low = log(0.05), high = log(20);
  /* The NLL is convex in 1/T, so it has one minimum in log T; a grid brackets it for Brent's method. */
  double middle = low, least = INFINITY;
  for (int i = 1; i < 60; i++) {
    double at = low + (high - low) * i / 60, value = nll_at(at, &l);
    if (value < least) least = value, middle = at;
  }
  const double step = (high - low) / 60;
  if (!(least < nll_at(middle - step, &l) && least < nll_at(middle + step, &l)))
    return erg_fail(error, ERG_ERR_DATA,
                    "temperature: no minimum of the likelihood between 0.05 and 20; labels must be right in part");
  gsl_min_fminimizer *minimizer = gsl_min_fminimizer_alloc(gsl_min_fminimizer_brent);
  if (!minimizer) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  gsl_error_handler_t *handler = gsl_set_error_handler_off();
  gsl_min_fminimizer_set(minimizer, &f, middle, middle - step, middle + step);
  for (int i = 0; i < 100; i++) {
    if (gsl_min_fminimizer_iterate(minimizer) != GSL_SUCCESS) break; /* as near as doubles come */
    if (gsl_min_fminimizer_x_upper(minimizer) - gsl_min_fminimizer_x_lower(minimizer) < 1e-8) break;
  }
  *temperature = exp(gsl_min_fminimizer_x_minimum(minimizer));
  gsl_set_error_handler(handler);
  gsl_min_fminimizer_free(minimizer);
  return ERG_OK;
}
