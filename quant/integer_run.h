/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside quant: an array pass on the Verilated array. */
#ifndef ERGON_QUANT_INTEGER_RUN_H
#define ERGON_QUANT_INTEGER_RUN_H
#include "ergon/quantized.h"

/* The machine's point in the width of the widest layer, and its Verilated array. */
typedef struct {
  erg_point point;
  double gap_probability;
  erg_rtl *rtl;
} erg_quant_array;

/* ERG_ERR_UNSUPPORTED: accumulators of several widths, and what erg_verify_open does not build. */
erg_status erg_quant_array_open(const erg_quantized *q, const erg_integer_machine *machine,
                                erg_quant_array *out, erg_error *error);
/* The pass through SystemC with the Verilated array in it. */
erg_status erg_quant_array_run(const erg_quant_array *array, const erg_quantized *q, const erg_quantized_layer *layer,
                               const int16_t *input, const int16_t *residual, int16_t *output, erg_error *error);
void erg_quant_array_close(erg_quant_array *array);
#endif
