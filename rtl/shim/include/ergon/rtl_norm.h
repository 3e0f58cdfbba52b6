/* SPDX-License-Identifier: Apache-2.0 */
/** \file rtl_norm.h
 *  The Verilated unit behind the array's epilogue (rtl/ergon_norm_unit.sv): dynamic norms and pointwise tables. Built
 *  and cached as the arrays are (rtl.h). */
#ifndef ERGON_RTL_NORM_H
#define ERGON_RTL_NORM_H

#include <stdbool.h>
#include <stdint.h>

/** What the unit made of one group, as its ports showed it. */
typedef struct {
  int64_t sum, squares; /**< S, Q as gathered */
  int64_t scaled_sum;   /**< S, or 0 for RMS norm */
  uint32_t inverse;
  int shift, cycles;    /**< cycles of root and quotient */
} erg_rtl_norm_group;

/** One tensor [rows, channels]; constants as in norms.h. */
typedef struct {
  bool norm;    /**< else rows go to the table as they come */
  bool per_row; /**< layer, RMS norm: a group is a row; else a column (one image's map) */
  bool centred; /**< not RMS norm */
  int64_t rows;
  int channels;
  const int16_t *input;
  int32_t input_zero_point;
  uint64_t epsilon;
  int shift;                 /**< 33..46 */
  const int32_t *multiplier; /**< [channels] */
  const int64_t *bias;       /**< [channels] */
  int32_t zero_point, low, high;
  const int16_t *table; /**< [2^bits], of codes from the lowest on; NULL: none */
  double gap_probability;
  uint64_t gap_seed;
  void (*on_group)(void *context, int64_t group, const erg_rtl_norm_group *); /**< may be NULL */
  void *context;
  int16_t *output; /**< [rows, channels], filled */
} erg_rtl_norm_job;

#endif
