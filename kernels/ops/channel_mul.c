/* SPDX-License-Identifier: Apache-2.0 */
/* What a squeeze-and-excitation block ends in: a map times a number a channel, the same for every pixel of an image. */
#include "shared.h"

static erg_status infer(const erg_attrs *a, const erg_shape *in, erg_shape *out, erg_error *error) {
  (void)a;
  if (in[1].n != in[0].n || in[1].h != 1 || in[1].w != 1 || in[1].c != in[0].c)
    return erg_fail(error, ERG_ERR_DATA,
                    "found inputs [%d, %d, %d, %d] and [%d, %d, %d, %d]; allowed: a map and one "
                    "pixel with its channels, [%d, 1, 1, %d]",
                    in[0].n, in[0].h, in[0].w, in[0].c, in[1].n, in[1].h, in[1].w, in[1].c, in[0].n, in[0].c);
  *out = in[0];
  return ERG_OK;
}

static const erg_op channel_mul = {.name = "channel_mul",
                                   .help = "product of a map and a number a channel",
                                   .role = ERG_ROLE_VECTOR,
                                   .inputs = 2,
                                   .infer = infer,
                                   .parameters = erg_no_parameters,
                                   .counts = erg_product_counts,
                                   .by_channel = true};
ERG_REGISTER(erg_op, channel_mul);
