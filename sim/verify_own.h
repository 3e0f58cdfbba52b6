/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sim: a product of the user's own tensors. */
#ifndef ERGON_SIM_VERIFY_OWN_H
#define ERGON_SIM_VERIFY_OWN_H
#include "ergon/gemm.h"

/* options->input [M, K], options->weight [N, K] and, where not NULL, options->bias [N] as a product: codes as they
 * stand, zero points 0, no residual, clamped at the output's rails, m-tiles as deep as the accumulator memory. One
 * scale for all channels brings the largest sum to the highest code. Every fault of the three files at once. */
erg_status erg_own_make(erg_arena *arena, const erg_point *point, const erg_verify_options *options, erg_gemm *out,
                        erg_error *error);
#endif
