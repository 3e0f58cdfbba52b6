/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Least squares of relative errors (GSL). Each row is divided by its energy, so that a percent counts alike in small
 * and large layers; a prior is one more row, c_k = prior with its own sigma. */
#include "ergon/fit.h"
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_multifit.h>
#include <math.h>
#include <string.h>

typedef struct {
  int rows, priors, terms;  /* rows: of data */
  int term[ERG_MOST_TERMS]; /* which of the input's terms are free */
  double sigma;             /* relative error of a measurement */
  gsl_matrix *x, *covariance;
  gsl_vector *y, *w, *c;
  gsl_multifit_linear_workspace *work;
  double rcond, variance; /* variance: residual, in units of sigma^2 */
} solver;

static void close_solver(solver *s) {
  if (s->x) gsl_matrix_free(s->x);
  if (s->covariance) gsl_matrix_free(s->covariance);
  if (s->y) gsl_vector_free(s->y);
  if (s->w) gsl_vector_free(s->w);
  if (s->c) gsl_vector_free(s->c);
  if (s->work) gsl_multifit_linear_free(s->work);
}

static bool open_solver(solver *s) {
  size_t rows = (size_t)s->rows + (size_t)s->priors, terms = (size_t)s->terms;
  s->x = gsl_matrix_calloc(rows, terms);
  s->covariance = gsl_matrix_calloc(terms, terms);
  s->y = gsl_vector_calloc(rows);
  s->w = gsl_vector_calloc(rows);
  s->c = gsl_vector_calloc(terms);
  s->work = gsl_multifit_linear_alloc(rows, terms);
  return s->x && s->covariance && s->y && s->w && s->c && s->work;
}

/* `held`: values of the terms that are not free; what they explain is taken off first. */
static void fill(solver *s, const erg_fit_input *in, const double *held) {
  for (int i = 0; i < s->rows; i++) {
    double rest = in->y[i], unit = 1 / (in->y[i] * s->sigma);
    for (int k = 0; k < in->terms; k++) rest -= held[k] * in->x[i * in->terms + k];
    for (int j = 0; j < s->terms; j++)
      gsl_matrix_set(s->x, (size_t)i, (size_t)j, in->x[i * in->terms + s->term[j]] * unit);
    gsl_vector_set(s->y, (size_t)i, rest * unit);
  }
  int row = s->rows;
  for (int j = 0; j < s->terms; j++) {
    int k = s->term[j];
    if (in->prior_sigma[k] <= 0) continue;
    gsl_matrix_set(s->x, (size_t)row, (size_t)j, 1 / in->prior_sigma[k]);
    gsl_vector_set(s->y, (size_t)row++, in->prior[k] / in->prior_sigma[k]);
  }
  gsl_vector_set_all(s->w, 1);
}

static erg_status solve(const erg_fit_input *in, const bool *free_term, const double *held, solver *s,
                        erg_error *error) {
  *s = (solver){.rows = in->rows, .sigma = in->relative_error > 0 ? in->relative_error : 0.05};
  for (int k = 0; k < in->terms; k++) {
    if (!free_term[k]) continue;
    s->priors += in->prior_sigma[k] > 0;
    s->term[s->terms++] = k;
  }
  if (s->rows < 2 || s->rows + s->priors <= s->terms)
    return erg_fail(error, ERG_ERR_DATA,
                    "fit: %d rows and %d priors for %d coefficients; needed: at least one more than "
                    "coefficients, and two rows",
                    s->rows, s->priors, s->terms);
  if (!open_solver(s)) {
    close_solver(s);
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  fill(s, in, held);
  double chi_squared;
  int fault = gsl_multifit_wlinear(s->x, s->w, s->y, s->c, s->covariance, &chi_squared, s->work);
  s->rcond = gsl_multifit_linear_rcond(s->work);
  s->variance = chi_squared / (s->rows + s->priors - s->terms);
  if (!fault && s->rcond >= ERG_LEAST_RCOND) return ERG_OK;
  close_solver(s);
  if (fault) return erg_fail(error, ERG_ERR_INTERNAL, "fit: %s", gsl_strerror(fault));
  return erg_fail(error, ERG_ERR_DATA,
                  "fit: the columns rise together, or one is 0 in all rows (reciprocal condition "
                  "number %.1e): the coefficients cannot be told apart; take a term out (--terms) or "
                  "give a prior (--prior)",
                  s->rcond);
}

static double half_width(const solver *s, int j) {
  double t = gsl_cdf_tdist_Pinv(0.975, s->rows + s->priors - s->terms);
  return t * sqrt(s->variance * gsl_matrix_get(s->covariance, (size_t)j, (size_t)j));
}

/* h_ii of a row: its pull on its own fitted value. */
static double leverage(const solver *s, int row) {
  double h = 0;
  for (int j = 0; j < s->terms; j++)
    for (int k = 0; k < s->terms; k++)
      h += gsl_matrix_get(s->x, (size_t)row, (size_t)j) * gsl_matrix_get(s->covariance, (size_t)j, (size_t)k) *
           gsl_matrix_get(s->x, (size_t)row, (size_t)k);
  return h;
}

static void residuals(const erg_fit_input *in, const solver *s, erg_fit_result *r) {
  double squares = 0;
  r->worst_row = r->worst_left_out_row = -1;
  for (int i = 0; i < in->rows; i++) {
    double model = 0;
    for (int k = 0; k < in->terms; k++) model += r->coefficients[k].value * in->x[i * in->terms + k];
    r->fitted[i] = model / in->y[i] - 1;
    r->left_out[i] = r->fitted[i] / (1 - leverage(s, i));
    squares += r->fitted[i] * r->fitted[i];
    if (r->worst_row < 0 || fabs(r->fitted[i]) > fabs(r->worst_relative_error)) {
      r->worst_row = i;
      r->worst_relative_error = r->fitted[i];
    }
    if (r->worst_left_out_row < 0 || fabs(r->left_out[i]) > fabs(r->worst_left_out)) {
      r->worst_left_out_row = i;
      r->worst_left_out = r->left_out[i];
    }
  }
  r->rms_relative_error = sqrt(squares / fmax(1, in->rows - s->terms));
}

static erg_status check(const erg_fit_input *in, erg_error *error) {
  if (in->terms < 1 || in->terms > ERG_MOST_TERMS)
    return erg_fail(error, ERG_ERR_DATA, "fit: %d coefficients; allowed: 1 to %d", in->terms, ERG_MOST_TERMS);
  for (int i = 0; i < in->rows; i++) {
    bool good = isfinite(in->y[i]) && in->y[i] > 0;
    for (int k = 0; k < in->terms; k++) good &= isfinite(in->x[i * in->terms + k]) && in->x[i * in->terms + k] >= 0;
    if (!good)
      return erg_fail(error, ERG_ERR_DATA,
                      "fit: row %d holds an energy that is not above 0, or a count that is negative "
                      "or not finite",
                      i + 1);
  }
  for (int k = 0; k < in->terms; k++)
    if (in->prior_sigma[k] != 0 && !(isfinite(in->prior[k]) && in->prior[k] >= 0 && in->prior_sigma[k] > 0))
      return erg_fail(error, ERG_ERR_DATA, "fit: prior of %s: allowed: a value from 0 up, a sigma above 0",
                      in->names[k]);
  return ERG_OK;
}

static void store(const erg_fit_input *in, const solver *s, bool first, erg_fit_result *r) {
  for (int j = 0; j < s->terms; j++) {
    erg_coefficient *c = &r->coefficients[s->term[j]];
    c->value = gsl_vector_get(s->c, (size_t)j);
    c->half_width = half_width(s, j);
    double sigma = in->prior_sigma[s->term[j]];
    c->rests_on_prior = sigma > 0 && gsl_matrix_get(s->covariance, (size_t)j, (size_t)j) > 0.5 * sigma * sigma;
    c->identified = c->value - c->half_width > 0 && !c->rests_on_prior;
    if (first) {
      c->raw = c->value;
      c->raw_half_width = c->half_width;
    }
    for (int k = 0; k < s->terms; k++)
      r->covariance[s->term[j] * ERG_MOST_TERMS + s->term[k]] =
          s->variance * gsl_matrix_get(s->covariance, (size_t)j, (size_t)k);
  }
}

erg_status erg_fit(const erg_fit_input *in, erg_fit_result *out, erg_error *error) {
  erg_fit_result r = {.rows = in->rows, .terms = in->terms};
  bool free_term[ERG_MOST_TERMS];
  double held[ERG_MOST_TERMS] = {0};
  erg_status status = check(in, error);
  if (status != ERG_OK) return status;
  r.fitted = erg_arena_alloc(&r.arena, sizeof(double) * (size_t)in->rows);
  r.left_out = erg_arena_alloc(&r.arena, sizeof(double) * (size_t)in->rows);
  if (!r.fitted || !r.left_out) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int k = 0; k < in->terms; k++) free_term[k] = true;
  for (bool again = true, first = true; again && status == ERG_OK; first = false) {
    solver s;
    again = false;
    status = solve(in, free_term, held, &s, error);
    if (status != ERG_OK) break;
    store(in, &s, first, &r);
    if (first) {
      r.rcond = s.rcond;
      r.condition = 1 / s.rcond;
    }
    /* The most negative one is held, then all others are fitted again: a negative price has no meaning. */
    int most = -1;
    for (int j = 0; j < s.terms; j++)
      if (r.coefficients[s.term[j]].value < 0 &&
          (most < 0 || r.coefficients[s.term[j]].value / r.coefficients[s.term[j]].half_width <
                           r.coefficients[most].value / r.coefficients[most].half_width))
        most = s.term[j];
    if (most >= 0 && s.terms > 1) {
      erg_coefficient *c = &r.coefficients[most];
      free_term[most] = false;
      c->held = true;
      c->identified = false;
      c->value = held[most] = in->prior_sigma[most] > 0 ? in->prior[most] : 0;
      c->half_width = 0;
      again = true;
    } else if (most >= 0) {
      status = erg_fail(error, ERG_ERR_DATA, "fit: %s alone comes out negative", in->names[most]);
    } else {
      residuals(in, &s, &r);
    }
    close_solver(&s);
  }
  if (status == ERG_OK)
    *out = r;
  else
    erg_arena_free(&r.arena);
  return status;
}

void erg_fit_free(erg_fit_result *result) {
  erg_arena_free(&result->arena);
}
