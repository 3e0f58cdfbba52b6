/* SPDX-License-Identifier: Apache-2.0 */
#include "pool_shared.h"

static void pool(const erg_attrs *a, const erg_shape *in, erg_pool_shape *s) {
  (void)a;
  *s = (erg_pool_shape){*in, in->h, in->w, 1, 1, 0, 0, 1, 1};
}

static erg_status infer(const erg_attrs *a, const erg_shape *in, erg_shape *out, erg_error *error) {
  (void)a, (void)error;
  *out = (erg_shape){in->n, 1, 1, in->c};
  return ERG_OK;
}

static void counts(const erg_attrs *a, const erg_shape *in, const erg_shape *out, bool integer, erg_op_counts *n) {
  (void)out;
  erg_pool_shape s;
  pool(a, in, &s);
  erg_count_average(&s, integer, n);
}

static erg_status run(const erg_attrs *a, const erg_shape *in, const int16_t *input, int32_t zero_point,
                      int16_t *output, erg_error *error) {
  erg_pool_shape s;
  pool(a, in, &s);
  return erg_avg_pool_s16(&s, input, zero_point, output, error);
}

static const erg_op global_avg_pool = {.name = "global_avg_pool",
                                       .help = "mean of the whole map, a channel at a time",
                                       .role = ERG_ROLE_VECTOR,
                                       .inputs = 1,
                                       .infer = infer,
                                       .parameters = erg_no_parameters,
                                       .counts = counts,
                                       .pool = pool,
                                       .run_s16 = run};
ERG_REGISTER(erg_op, global_avg_pool);
