/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file fit.h
 *  Coefficients out of measurements: weighted least squares with intervals, priors, leave-one-out residuals, and a
 *  verdict on whether each coefficient is identified at all. Besides, the small CSV reader that measurements come by. */
#ifndef ERGON_FIT_H
#define ERGON_FIT_H

#include "ergon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- tables (measurements.c) */

/** A CSV file: a header line, rows of as many cells, RFC 4180 quotes, lines that begin with # left out. */
typedef struct {
  erg_arena arena;
  const char *file;
  char **headers;
  char ***cells; /**< [row][column] */
  int *lines;    /**< of each row in the file */
  int columns, rows;
} erg_csv;
/** A path, or the name of a file in `<data>/measurements`. */
erg_status erg_csv_load(const char *name, erg_csv *out, erg_error *error);
erg_status erg_csv_parse(const char *file, const char *text, erg_csv *out, erg_error *error);
void erg_csv_free(erg_csv *csv);
int erg_csv_column(const erg_csv *csv, const char *header); /**< -1: none */
/** A finite number of at least `least`, or ERG_ERR_DATA with file, line and column. */
erg_status erg_csv_number(const erg_csv *csv, int row, int column, double least, double *value, erg_error *error);

/* ---------------------------------------------------------------- the fit (fit.c) */

#define ERG_MOST_TERMS 4
#define ERG_LEAST_RCOND 1e-6 /**< below it (columns balanced) coefficients cannot be told apart */

typedef struct {
  int rows, terms;
  const double *x; /**< [row * terms + term], at least 0 */
  const double *y; /**< above 0 */
  const char *names[ERG_MOST_TERMS];
  double prior[ERG_MOST_TERMS], prior_sigma[ERG_MOST_TERMS]; /**< sigma 0: no prior */
  double relative_error; /**< of a measurement, against which priors are weighed; 0: 0.05 */
} erg_fit_input;

typedef struct {
  double value, half_width; /**< 95 %: value +- half_width */
  bool identified;          /**< the interval does not hold 0, nor was it held, nor does it rest on its prior */
  bool rests_on_prior;      /**< the data narrowed the prior by less than half of its variance */
  bool held;                /**< came out negative: held at its prior, or at 0, and the others fitted again */
  double raw, raw_half_width; /**< before it was held */
} erg_coefficient;

typedef struct {
  int rows, terms;
  erg_coefficient coefficients[ERG_MOST_TERMS];
  double rcond, condition;            /**< of the weighted, balanced system of all terms */
  double rms_relative_error; /**< sqrt(sum of squares / (rows - free coefficients)) */
  double worst_relative_error, worst_left_out; /**< of rows; left out: predicted without itself */
  int worst_row, worst_left_out_row;
  double *fitted, *left_out;          /**< [row], relative errors; in `arena` */
  double covariance[ERG_MOST_TERMS * ERG_MOST_TERMS];
  erg_arena arena;
} erg_fit_result;

/** ERG_ERR_DATA when rows are too few (at least one more than terms, priors counted; two at least), collinear, negative or
 *  not finite. */
erg_status erg_fit(const erg_fit_input *input, erg_fit_result *out, erg_error *error);
void erg_fit_free(erg_fit_result *result);

/* ---------------------------------------------------------------- measurements as rows of a fit (measured.c) */

/** Coefficients by name: a [pJ/MAC] of `macs` (times 1 - zeros_pct/100 where there is such a column), b [pJ/byte] of `bytes`,
 *  d [pJ/byte] of `dram_bytes`, p0 [mW] of `time_ms`. Energy: `energy_pj`, `energy_mj`, or `power_mw` * `time_ms`. */
typedef struct {
  const char *name, *unit, *column;
  double scale; /**< pJ of one unit and one of the column */
} erg_term;
extern const erg_term erg_terms[ERG_MOST_TERMS]; /**< a, b, d, p0 */

typedef struct {
  erg_arena arena;
  erg_fit_input input;
  const char **row_names;
  const erg_term *terms[ERG_MOST_TERMS];
  bool zeros; /**< macs are those without a zero operand */
} erg_measured;
/** `terms`: "a,p0"; NULL: a, b and p0, those whose columns there are. `column`, `value`: rows to take, or NULL. */
erg_status erg_measured_of(const erg_csv *csv, const char *terms, const char *column, const char *value,
                           erg_measured *out, erg_error *error);
void erg_measured_free(erg_measured *measured);

#ifdef __cplusplus
}
#endif
#endif
