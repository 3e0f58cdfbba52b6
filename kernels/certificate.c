/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/certificate.h"
#include "check.h"

#define MOST_BOUND ((__int128)1 << 62)

typedef struct {
  __int128 low, high;
} interval;

static int bits_of(interval i) {
  int bits = 2;
  while (i.low < -((__int128)1 << (bits - 1)) || i.high > ((__int128)1 << (bits - 1)) - 1) bits++;
  return bits;
}

/* Partial sums start at 0; the bias comes last, so both the sum without and with it must fit. */
static interval with_bias(interval i, __int128 least, __int128 most) {
  if (i.low + least < i.low) i.low += least;
  if (i.high + most > i.high) i.high += most;
  return i;
}

static erg_status check_range(const erg_code_range *r, erg_error *error) {
  if (!r) return erg_fail(error, ERG_ERR_DATA, "certificate: a range is NULL");
  if (r->low > r->high)
    return erg_fail(error, ERG_ERR_DATA, "certificate: found codes %d..%d; allowed: low to high", r->low, r->high);
  return ERG_OK;
}

static erg_status beyond(erg_error *error) {
  return erg_fail(error, ERG_ERR_DATA, "certificate: the sum needs more than 63 bits");
}

erg_status erg_certificate_worst(int64_t terms, const erg_code_range *a, const erg_code_range *b,
                                 int64_t bias_magnitude, erg_certificate *out, erg_error *error) {
  erg_status status = check_range(a, error);
  if (status == ERG_OK) status = check_range(b, error);
  if (status != ERG_OK) return status;
  if (!out) return erg_fail(error, ERG_ERR_DATA, "certificate: no output");
  if (terms < 1 || bias_magnitude < 0)
    return erg_fail(error, ERG_ERR_DATA, "certificate: found %lld terms, bias %lld; allowed: at least 1, at least 0",
                    (long long)terms, (long long)bias_magnitude);
  const __int128 left[] = {(__int128)a->low - a->zero_point, (__int128)a->high - a->zero_point};
  const __int128 right[] = {(__int128)b->low - b->zero_point, (__int128)b->high - b->zero_point};
  interval term = {0, 0};
  for (int i = 0; i < 4; i++) {
    __int128 product = left[i & 1] * right[i >> 1];
    if (product < term.low) term.low = product;
    if (product > term.high) term.high = product;
  }
  if (-term.low > MOST_BOUND / terms || term.high > MOST_BOUND / terms) return beyond(error);
  interval sum = with_bias((interval){term.low * terms, term.high * terms}, -(__int128)bias_magnitude, bias_magnitude);
  if (-sum.low > MOST_BOUND || sum.high > MOST_BOUND) return beyond(error);
  *out = (erg_certificate){(int64_t)sum.low, (int64_t)sum.high, bits_of(sum), -1, ""};
  snprintf(out->reason, sizeof out->reason,
           "%lld products of %lld..%lld and %lld..%lld, bias up to %lld: %lld..%lld needs %d bits", (long long)terms,
           (long long)left[0], (long long)left[1], (long long)right[0], (long long)right[1], (long long)bias_magnitude,
           (long long)out->low, (long long)out->high, out->bits);
  return ERG_OK;
}

erg_status erg_certificate_weights(const erg_conv2d_shape *shape, const int16_t *weight, const int64_t *bias,
                                   const erg_code_range *activation, erg_certificate *out, erg_error *error) {
  if (!weight || !out) return erg_fail(error, ERG_ERR_DATA, "certificate: an argument is NULL");
  erg_status status = erg_check_conv2d(shape, error);
  if (status == ERG_OK) status = check_range(activation, error);
  if (status != ERG_OK) return status;
  int64_t reduction = erg_conv2d_reduction(shape);
  __int128 least = (__int128)activation->low - activation->zero_point;
  __int128 most = (__int128)activation->high - activation->zero_point;
  if (least > 0) least = 0; /* a tap outside the map, or not yet added, counts 0 */
  if (most < 0) most = 0;
  erg_certificate worst = {.channel = -1};
  for (int k = 0; k < shape->filters; k++) {
    int64_t positive = 0, negative = 0; /* at most 2^40 codes of 16 bits */
    for (int64_t i = 0; i < reduction; i++) {
      int16_t w = weight[k * reduction + i];
      if (w > 0)
        positive += w;
      else
        negative += w;
    }
    interval sum = {positive * least + negative * most, positive * most + negative * least};
    int64_t own = bias ? bias[k] : 0;
    sum = with_bias(sum, own, own);
    if (-sum.low > MOST_BOUND || sum.high > MOST_BOUND) return beyond(error);
    int bits = bits_of(sum);
    if (bits <= worst.bits) continue;
    worst = (erg_certificate){(int64_t)sum.low, (int64_t)sum.high, bits, k, ""};
    snprintf(worst.reason, sizeof worst.reason,
             "channel %d: weights sum to %lld and %lld by sign; times %lld..%lld, bias %lld: %lld..%lld needs %d bits",
             k, (long long)positive, (long long)negative, (long long)least, (long long)most, (long long)own,
             (long long)worst.low, (long long)worst.high, bits);
  }
  *out = worst;
  return ERG_OK;
}
