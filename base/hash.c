/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, FIPS 180-4. */
#include "ergon/base.h"
#include <string.h>

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t x, int k) {
  return x >> k | x << (32 - k);
}

/* One of eight rounds. The eight words take turns, so that none has to be moved. */
static inline void turn(uint32_t input, int i, uint32_t v[8]) {
  uint32_t a = v[-i & 7], b = v[(1 - i) & 7], c = v[(2 - i) & 7];
  uint32_t e = v[(4 - i) & 7], f = v[(5 - i) & 7], g = v[(6 - i) & 7], h = v[(7 - i) & 7];
  uint32_t sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25), choose = (e & f) ^ (~e & g);
  uint32_t sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22), majority = (a & b) ^ (a & c) ^ (b & c);
  uint32_t one = h + sum1 + choose + input;
  v[(3 - i) & 7] += one;
  v[(7 - i) & 7] = one + sum0 + majority;
}

static void block(uint32_t state[8], const unsigned char *bytes) {
  uint32_t w[64], v[8];
  for (int i = 0; i < 16; i++, bytes += 4)
    w[i] = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
  for (int i = 16; i < 64; i++) {
    uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
    uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  memcpy(v, state, sizeof v);
  for (const uint32_t *in = w, *k = constants; in < w + 64; in += 8, k += 8) { /* written out, for words in registers */
    turn(in[0] + k[0], 0, v), turn(in[1] + k[1], 1, v), turn(in[2] + k[2], 2, v), turn(in[3] + k[3], 3, v);
    turn(in[4] + k[4], 4, v), turn(in[5] + k[5], 5, v), turn(in[6] + k[6], 6, v), turn(in[7] + k[7], 7, v);
  }
  for (int i = 0; i < 8; i++) state[i] += v[i];
}

void erg_sha256_hex(const void *data, size_t bytes, char hex[65]) {
  uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  const unsigned char *at = data;
  size_t left = bytes;
  for (; left >= 64; left -= 64, at += 64) block(state, at);
  unsigned char tail[128] = {0};
  if (left) memcpy(tail, at, left);
  tail[left] = 0x80;
  size_t total = left < 56 ? 64 : 128;
  for (int i = 0; i < 8; i++) tail[total - 1 - (size_t)i] = (unsigned char)((uint64_t)bytes * 8 >> 8 * i);
  for (size_t i = 0; i < total; i += 64) block(state, tail + i);
  for (int i = 0; i < 64; i++) hex[i] = "0123456789abcdef"[state[i / 8] >> (28 - 4 * (i % 8)) & 15];
  hex[64] = 0;
}
