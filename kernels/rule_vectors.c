/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/rule_vectors.h"

/* M as (multiplier, shift, float32): powers of two have m = 2^30. */
#define HALF                                                                                                           \
  { 1 << 30, 0, 0.5f }
#define QUARTER                                                                                                        \
  { 1 << 30, -1, 0.25f }
#define THREE_EIGHTHS                                                                                                  \
  { 3 << 29, -1, 0.375f }
#define SIXTEENTH                                                                                                      \
  { 1 << 30, -3, 0.0625f }
#define ONE                                                                                                            \
  { 1 << 30, 1, 1 }
#define TWO                                                                                                            \
  { 1 << 30, 2, 2 }

const erg_rule_vector erg_rule_vectors[] = {
    /* x, M, A, {S, D, F, A} */
    {1, HALF, 32, {1, 1, 0, 1}, "0.5: even is below"},
    {-1, HALF, 32, {0, 0, 0, -1}, "-0.5: only A goes away from zero; with no right shift D is SRDHM, ties up"},
    {3, HALF, 32, {2, 2, 2, 2}, "1.5: even is above, all agree"},
    {-3, HALF, 32, {-1, -1, -2, -2}, "-1.5"},
    {5, HALF, 32, {3, 3, 2, 3}, "2.5"},
    {-5, HALF, 32, {-2, -2, -2, -3}, "-2.5"},
    {1, QUARTER, 32, {0, 1, 0, 0}, "0.25: D rounds 0.5 up to 1, then 1/2 away to 1"},
    {-1, QUARTER, 32, {0, 0, 0, 0}, "-0.25: D rounds -0.5 up to 0"},
    {2, QUARTER, 32, {1, 1, 0, 1}, "0.5"},
    {-2, QUARTER, 32, {0, -1, 0, -1}, "-0.5: the second step of D goes away from zero"},
    {-6, QUARTER, 32, {-1, -2, -2, -2}, "-1.5"},
    {10, QUARTER, 32, {3, 3, 2, 3}, "2.5"},
    {-10, QUARTER, 32, {-2, -3, -2, -3}, "-2.5"},
    {1, THREE_EIGHTHS, 32, {0, 1, 0, 0}, "0.375: D rounds 0.75 to 1, then 1/2 to 1"},
    {-4, THREE_EIGHTHS, 32, {-1, -2, -2, -2}, "-1.5"},
    {7, SIXTEENTH, 32, {0, 1, 0, 0}, "7/16: D rounds 3.5 to 4, then 4/8 to 1"},
    {-8, SIXTEENTH, 32, {0, -1, 0, -1}, "-0.5"},
    {-40, SIXTEENTH, 32, {-2, -3, -2, -3}, "-2.5"},
    {(1 << 24) + 1, ONE, 32, {(1 << 24) + 1, (1 << 24) + 1, 1 << 24, (1 << 24) + 1}, "float32 holds 24 bits"},
    {1 << 30,
     TWO,
     32,
     {(int64_t)1 << 31, 1 << 30, (int64_t)1 << 31, (int64_t)1 << 31},
     "D saturates x << 2 to 2^31 - 1, whose half is 2^30 - 0.5, rounded up"},
    {-1, HALF, 48, {0, 0, 0, -1}, "wide accumulators: D is S"},
    {-2, QUARTER, 48, {0, 0, 0, -1}, "wide accumulators: D is S, whatever the shift"},
    {1, QUARTER, 48, {0, 0, 0, 0}, "wide accumulators: one rounding in D"},
    {1, HALF, 48, {1, 1, 0, 1}, "0.5"},
};
const int erg_rule_vector_count = (int)ERG_COUNT_OF(erg_rule_vectors);
