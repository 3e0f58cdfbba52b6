/* SPDX-License-Identifier: Apache-2.0 */
#include "pool_shared.h"

static void counts(const erg_attrs *a, const erg_shape *in, const erg_shape *out, bool integer, erg_op_counts *n) {
  (void)out;
  erg_pool_shape s;
  erg_pool_of(a, in, &s);
  erg_count_average(&s, integer, n);
}

static erg_status run(const erg_attrs *a, const erg_shape *in, const int16_t *input, int32_t zero_point,
                      int16_t *output, erg_error *error) {
  erg_pool_shape s;
  erg_pool_of(a, in, &s);
  return erg_avg_pool_s16(&s, input, zero_point, output, error);
}

static const erg_op avg_pool = {.name = "avg_pool",
                                .help = "mean of a window, half away from zero; padding not counted",
                                .role = ERG_ROLE_VECTOR,
                                .inputs = 1,
                                .attributes = ERG_ATTR_KERNEL | ERG_ATTR_STRIDE | ERG_ATTR_PAD,
                                .required = ERG_ATTR_KERNEL,
                                .infer = erg_infer_pool,
                                .parameters = erg_no_parameters,
                                .counts = counts,
                                .pool = erg_pool_of,
                                .run_s16 = run};
ERG_REGISTER(erg_op, avg_pool);
