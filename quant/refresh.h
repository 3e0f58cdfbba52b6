/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside quant: what of a pass is made from weights. */
#ifndef ERGON_QUANT_REFRESH_H
#define ERGON_QUANT_REFRESH_H
#include "ergon/quantized.h"

/* Memory for a pass's parameters, and what of them no weight changes: tables, limits, multipliers of adds. */
erg_status erg_quantized_room(erg_quantized *q, int pass, erg_error *error);
#endif
