/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that use their whole token. The program never calls setlocale for numbers, so strtod reads a dot. */
#include "ergon/yaml.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* Digits from `at`; a leading zero may only stand alone, because `012` is octal to some readers and 12 to others. */
static const char *digits(const char *at, bool leading_zero) {
  if (!isdigit((unsigned char)*at)) return NULL;
  if (!leading_zero && at[0] == '0' && isdigit((unsigned char)at[1])) return NULL;
  while (isdigit((unsigned char)*at)) at++;
  return at;
}

bool erg_parse_int(const char *token, int64_t *value) {
  const char *at = digits(*token == '-' || *token == '+' ? token + 1 : token, false);
  if (!at || *at) return false;
  errno = 0;
  long long parsed = strtoll(token, NULL, 10);
  if (errno) return false;
  *value = parsed;
  return true;
}

bool erg_parse_real(const char *token, double *value) {
  const char *at = digits(*token == '-' || *token == '+' ? token + 1 : token, false);
  if (!at) return false;
  if (*at == '.' && !(at = digits(at + 1, true))) return false;
  if (*at == 'e' || *at == 'E') {
    at++;
    at = digits(*at == '-' || *at == '+' ? at + 1 : at, true);
  }
  if (!at || *at) return false;
  double parsed = strtod(token, NULL);
  if (!isfinite(parsed)) return false;
  *value = parsed;
  return true;
}
