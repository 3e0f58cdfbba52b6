/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "safetensors.h"
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The header, padded with blanks so that the data behind it is aligned to 8 bytes, as the format recommends. */
static char *header_text(const erg_weights *weights, const char *const *metadata) {
  json_t *header = json_object(), *meta = json_pack("{s:s, s:s}", "format", "ergon", ERG_SAFETENSORS_LAYOUT, "KRSC");
  for (; metadata && metadata[0]; metadata += 2) json_object_set_new(meta, metadata[0], json_string(metadata[1]));
  json_object_set_new(header, "__metadata__", meta);
  int64_t offset = 0;
  for (int i = 0; i < weights->count; i++) {
    const erg_parameter *p = &weights->items[i];
    int64_t end = offset + 4 * p->elements;
    json_t *shape = json_array();
    for (int d = 0; d < p->rank; d++) json_array_append_new(shape, json_integer(p->extents[d]));
    json_object_set_new(header, p->name,
                        json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", shape, "data_offsets",
                                  (json_int_t)offset, (json_int_t)end));
    offset = end;
  }
  char *compact = json_dumps(header, JSON_COMPACT), *padded = NULL;
  json_decref(header);
  size_t length = compact ? strlen(compact) : 0, whole = (length + 7) / 8 * 8;
  if (compact && (padded = malloc(whole + 1))) {
    memset(padded, ' ', whole);
    memcpy(padded, compact, length);
    padded[whole] = 0;
  }
  free(compact);
  return padded;
}

static bool put(FILE *stream, uint64_t word, int bytes) {
  unsigned char raw[8];
  for (int i = 0; i < bytes; i++) raw[i] = (unsigned char)(word >> 8 * i);
  return fwrite(raw, 1, (size_t)bytes, stream) == (size_t)bytes;
}

static bool put_all(FILE *stream, const char *header, const erg_weights *weights) {
  bool good = put(stream, strlen(header), 8) && fputs(header, stream) >= 0;
  for (int i = 0; i < weights->count; i++)
    for (int64_t at = 0; good && at < weights->items[i].elements; at++) {
      float value = (float)weights->items[i].values[at];
      uint32_t word;
      memcpy(&word, &value, sizeof word);
      good = put(stream, word, 4);
    }
  return good;
}

static erg_status check_finite(const char *path, const erg_weights *weights, erg_error *error) {
  erg_status status = ERG_OK;
  for (int i = 0; i < weights->count; i++)
    for (int64_t at = 0; at < weights->items[i].elements; at++)
      if (!isfinite((float)weights->items[i].values[at])) {
        status = erg_fail(error, ERG_ERR_DATA, "%s: %s: found %g at element %" PRId64 "; allowed: finite in float32",
                          path, weights->items[i].name, weights->items[i].values[at], at);
        break;
      }
  return status;
}

erg_status erg_weights_write(const char *path, const erg_weights *weights, const char *const *metadata,
                             erg_error *error) {
  erg_arena arena = {0};
  erg_status status = check_finite(path, weights, error);
  char *header = status == ERG_OK ? header_text(weights, metadata) : NULL;
  char *part = erg_arena_printf(&arena, "%s.part", path);
  FILE *stream = NULL;
  if (status != ERG_OK) goto out;
  if (!header || !part) {
    status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    goto out;
  }
  stream = fopen(part, "wb");
  if (!stream) {
    status = erg_fail(error, ERG_ERR_CREATE, "%s: %s", part, strerror(errno));
    goto out;
  }
  bool good = put_all(stream, header, weights);
  if (fclose(stream) != 0 || !good || rename(part, path) != 0) {
    status = erg_fail(error, ERG_ERR_IO, "%s: %s", path, strerror(errno));
    remove(part);
  }
out:
  free(header);
  erg_arena_free(&arena);
  return status;
}
