/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/base.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

erg_status erg_fail(erg_error *error, erg_status status, const char *format, ...) {
  if (!error) return status;
  char *line = NULL;
  va_list arguments;
  va_start(arguments, format);
  int length = vasprintf(&line, format, arguments);
  va_end(arguments);
  if (length < 0) line = NULL;
  if (error->count++ == 0) error->status = status;
  if (!line) return status;
  if (!error->text) {
    error->text = line;
    return status;
  }
  size_t before = strlen(error->text);
  char *joined = realloc(error->text, before + (size_t)length + 2);
  if (joined) {
    joined[before] = '\n';
    memcpy(joined + before + 1, line, (size_t)length + 1);
    error->text = joined;
  }
  free(line);
  return status;
}

void erg_error_clear(erg_error *error) {
  free(error->text);
  *error = (erg_error){0};
}

/* Levenshtein distance of words of at most 63 letters; longer ones count as far apart. */
static size_t distance(const char *a, const char *b) {
  size_t rows = strlen(a), cols = strlen(b), line[64];
  if (rows > 63 || cols > 63) return 64;
  for (size_t j = 0; j <= cols; j++) line[j] = j;
  for (size_t i = 1; i <= rows; i++) {
    size_t diagonal = line[0];
    line[0] = i;
    for (size_t j = 1; j <= cols; j++) {
      size_t change = diagonal + (a[i - 1] != b[j - 1]);
      size_t shorter = (line[j] < line[j - 1] ? line[j] : line[j - 1]) + 1;
      diagonal = line[j];
      line[j] = change < shorter ? change : shorter;
    }
  }
  return line[cols];
}

const char *erg_nearest(const char *word, const char *const *names) {
  size_t length = strlen(word), limit = length / 3, best = limit < 1 ? 1 : limit;
  const char *nearest = NULL;
  for (; *names; names++) {
    size_t far = distance(word, *names);
    if (far >= length) continue; /* nothing of the word is left */
    if (far < best || (far == best && !nearest)) {
      best = far;
      nearest = *names;
    }
  }
  return nearest;
}
