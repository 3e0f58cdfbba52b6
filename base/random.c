/* SPDX-License-Identifier: Apache-2.0 */
/* xoshiro256** (Blackman and Vigna, 2018) seeded by splitmix64: the same stream on every machine. */
#include "ergon/base.h"
#include <math.h>

static uint64_t splitmix(uint64_t *x) {
  uint64_t z = (*x += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

void erg_random_seed(erg_random *random, uint64_t seed) {
  for (int i = 0; i < 4; i++) random->state[i] = splitmix(&seed);
}

void erg_random_stream(erg_random *random, uint64_t seed, const char *purpose) {
  uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a keeps streams of different purposes apart */
  for (; *purpose; purpose++) hash = (hash ^ (unsigned char)*purpose) * 0x100000001b3u;
  erg_random_seed(random, hash ^ splitmix(&seed));
}

static uint64_t rotate(uint64_t x, int k) {
  return x << k | x >> (64 - k);
}

uint64_t erg_random_u64(erg_random *random) {
  uint64_t *s = random->state, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate(s[3], 45);
  return result;
}

int64_t erg_random_range(erg_random *random, int64_t low, int64_t high) {
  uint64_t span = (uint64_t)high - (uint64_t)low + 1;
  if (span == 0) return (int64_t)erg_random_u64(random); /* the whole 64-bit range */
  uint64_t limit = UINT64_MAX - UINT64_MAX % span, draw;
  do draw = erg_random_u64(random);
  while (draw >= limit);
  return (int64_t)((uint64_t)low + draw % span);
}

double erg_random_unit(erg_random *random) {
  return (double)(erg_random_u64(random) >> 11) * 0x1p-53;
}

double erg_random_normal(erg_random *random) { /* Box and Muller 1958; the second value is not kept */
  double u = 1.0 - erg_random_unit(random), v = erg_random_unit(random);
  return sqrt(-2.0 * log(u)) * cos(6.283185307179586477 * v);
}
