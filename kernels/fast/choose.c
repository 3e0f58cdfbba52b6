/* SPDX-License-Identifier: Apache-2.0 */
#include "fast.h"

const char *const erg_fast_names[ERG_FAST_COUNT] = {"auto", "onednn", "blocked", "plain"};

const char *erg_fast_unavailable(erg_fast_path path) {
  if ((int)path < 0 || path >= ERG_FAST_COUNT) return "there is no such path";
  return path == ERG_FAST_ONEDNN ? erg_onednn_unavailable() : NULL;
}

static const char *const wide = "accumulators of more than 32 bits";

const char *erg_fast_no_onednn(bool bytes, int accumulator_bits, int64_t depth) {
  if (accumulator_bits > 32) return wide;
  if (!bytes) return "operands do not fit 8 bits";
  if (depth > 1 << 16) return "sums longer than 65536 products may pass 32 bits on the way";
  return erg_onednn_unavailable();
}

const char *erg_fast_no_blocked(int accumulator_bits) {
  return accumulator_bits > 32 ? wide : NULL;
}

erg_status erg_fast_choose(const char *what, erg_fast_path asked, const char *no_onednn, const char *no_blocked,
                           erg_fast_path *path, erg_error *error) {
  if ((int)asked < 0 || asked >= ERG_FAST_COUNT)
    return erg_fail(error, ERG_ERR_DATA, "%s: found path %d; allowed: 0 to %d (auto, onednn, blocked, plain)", what,
                    (int)asked, ERG_FAST_COUNT - 1);
  if (asked == ERG_FAST_AUTO) asked = !no_onednn ? ERG_FAST_ONEDNN : !no_blocked ? ERG_FAST_BLOCKED : ERG_FAST_PLAIN;
  const char *reason = asked == ERG_FAST_ONEDNN ? no_onednn : asked == ERG_FAST_BLOCKED ? no_blocked : NULL;
  if (reason)
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "%s: path %s: skipped, because %s", what, erg_fast_names[asked],
                    reason);
  *path = asked;
  return ERG_OK;
}

erg_status erg_fast_no_memory(const char *what, erg_error *error) {
  return erg_fail(error, ERG_ERR_INTERNAL, "%s: out of memory", what);
}
