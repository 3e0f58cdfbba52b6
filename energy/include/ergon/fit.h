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
  bool identified;          /**< the interval does not hold 0, nor was it held */
  bool held;                /**< came out negative: held at its prior, or at 0, and the others fitted again */
  double raw, raw_half_width; /**< before it was held */
} erg_coefficient;

typedef struct {
  int rows, terms;
  erg_coefficient coefficients[ERG_MOST_TERMS];
  double rcond, condition;            /**< of the weighted, balanced system of all terms */
  double rms_relative_error, worst_relative_error, worst_left_out; /**< of rows; left out: predicted without itself */
  int worst_row, worst_left_out_row;
  double *fitted, *left_out;          /**< [row], relative errors; in `arena` */
  double covariance[ERG_MOST_TERMS * ERG_MOST_TERMS];
  erg_arena arena;
} erg_fit_result;

/** ERG_ERR_DATA when rows are too few (at least one more than terms, priors counted; two at least), collinear, negative or
 *  not finite. */
erg_status erg_fit(const erg_fit_input *input, erg_fit_result *out, erg_error *error);
void erg_fit_free(erg_fit_result *result);

#ifdef __cplusplus
}
#endif
#endif
