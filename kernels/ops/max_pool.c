/* SPDX-License-Identifier: Apache-2.0 */
#include "pool_shared.h"

static void counts(const erg_attrs *a, const erg_shape *in, const erg_shape *out, bool integer, erg_op_counts *n) {
  (void)integer;
  erg_pool_shape s;
  erg_pool_of(a, in, &s);
  n->compare += erg_pool_visits(&s) - (uint64_t)erg_shape_elements(*out);
}

static erg_status run(const erg_attrs *a, const erg_shape *in, const int16_t *input, int32_t zero_point,
                      int16_t *output, erg_error *error) {
  (void)zero_point;
  erg_pool_shape s;
  erg_pool_of(a, in, &s);
  return erg_max_pool_s16(&s, input, output, error);
}

static const erg_op max_pool = {.name = "max_pool",
                                .help = "largest code of a window; padding never takes part",
                                .role = ERG_ROLE_VECTOR,
                                .inputs = 1,
                                .attributes = ERG_ATTR_KERNEL | ERG_ATTR_STRIDE | ERG_ATTR_PAD,
                                .required = ERG_ATTR_KERNEL,
                                .infer = erg_infer_pool,
                                .parameters = erg_no_parameters,
                                .counts = counts,
                                .pool = erg_pool_of,
                                .run_s16 = run};
ERG_REGISTER(erg_op, max_pool);
