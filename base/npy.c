/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/npy.h"
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ELEMENTS ((int64_t)1 << 26)
#define MOST_HEADER 65536

/* What a caller asks for. */
typedef struct {
  const char *path;
  int least, most; /* dimensions */
  bool reals;      /* floats too */
} request;

typedef struct {
  char type;  /* 'i', 'u', 'f', or what else was found */
  char order; /* '<', '>', '|', '=' */
  int bytes;
  bool columns_first;
} layout;

/* What stands behind 'key': in the header, a Python literal; NULL where there is none. */
static const char *value_of(const char *header, const char *key) {
  const char *at = strstr(header, key);
  if (!at) return NULL;
  at += strlen(key);
  while (*at == ' ' || *at == ':') at++;
  return at;
}

static bool read_type(const char *header, bool reals, layout *out, char found[16]) {
  const char *at = value_of(header, "'descr'");
  snprintf(found, 16, "nothing");
  if (!at) return false;
  const char *end = *at == '\'' ? strchr(at + 1, '\'') : NULL;
  if (!end) { /* a list: fields */
    snprintf(found, 16, "fields");
    return false;
  }
  snprintf(found, 16, "%.*s", (int)(end - at - 1), at + 1);
  if (end - at != 4) return false;
  *out = (layout){.type = at[2], .order = at[1], .bytes = at[3] - '0'};
  bool size = out->bytes == 1 || out->bytes == 2 || out->bytes == 4 || out->bytes == 8;
  bool type = out->type == 'i' || out->type == 'u' || (reals && out->type == 'f' && out->bytes >= 4);
  return type && size && (out->order == '<' || (out->order == '|' && out->bytes == 1));
}

/* Extents found, -1 where the shape cannot be read. The first ERG_NPY_DIMS of them are kept. */
static int read_shape(const char *header, int64_t extents[ERG_NPY_DIMS], char found[64]) {
  const char *at = value_of(header, "'shape'");
  const char *end = at && *at == '(' ? strchr(at, ')') : NULL;
  snprintf(found, 64, "%s", end ? "" : "nothing");
  if (!end) return -1;
  snprintf(found, 64, "%.*s", (int)(end - at + 1), at);
  int dims = 0;
  for (at++; at < end; dims++) {
    char *behind;
    errno = 0;
    int64_t extent = strtoll(at, &behind, 10);
    if (behind == at || errno) break;
    if (dims < ERG_NPY_DIMS) extents[dims] = extent;
    for (at = behind; at < end && (*at == ',' || isspace((unsigned char)*at));) at++;
  }
  return at == end ? dims : -1;
}

/* "two extents, (rows, K)" of the pairs that programs hand over; else a range. */
static const char *allowed_shape(const request *r) {
  if (r->least != r->most) return "two to four extents, examples first";
  return r->most == 1 ? "one extent, (N,)" : "two extents, (rows, K)";
}

static erg_status check_header(const request *r, const char *header, layout *l, int *dims, int64_t *extents,
                               erg_error *error) {
  char found[64], type[16];
  const char *order = value_of(header, "'fortran_order'"), *path = r->path;
  if (!read_type(header, r->reals, l, type))
    erg_fail(error, ERG_ERR_DATA,
             "%s: element type: found %s; allowed: %sintegers |i1, |u1, <i2, <u2, <i4, <u4, <i8, <u8 "
             "(`x.astype('%s')` makes one)",
             path, type, r->reals ? "<f4, <f8, " : "", r->reals ? "<f4" : "<i2");
  *dims = read_shape(header, extents, found);
  l->columns_first = order && strncmp(order, "True", 4) == 0;
  if (!order || (l->columns_first && r->most > 1))
    erg_fail(error, ERG_ERR_DATA, "%s: found columns first; allowed: rows first (`numpy.ascontiguousarray(x)`)", path);
  int64_t count = 1;
  if (*dims < r->least || *dims > r->most)
    return erg_fail(error, ERG_ERR_DATA, "%s: shape: found %s; allowed: %s", path, found, allowed_shape(r));
  for (int i = 0; i < *dims; i++) {
    if (extents[i] < 1 || extents[i] > MOST_ELEMENTS / count)
      return erg_fail(error, ERG_ERR_DATA, "%s: shape: found %s; allowed: extents from 1, up to %" PRId64 " elements",
                      path, found, MOST_ELEMENTS);
    count *= extents[i];
  }
  return error->status;
}

static uint64_t word_of(const unsigned char *at, const layout *l) {
  uint64_t word = 0;
  for (int i = l->bytes; i-- > 0;) word = word << 8 | at[i];
  return word;
}

static int64_t integer_of(uint64_t word, const layout *l) {
  int spare = 64 - 8 * l->bytes;
  if (l->type == 'i') return (int64_t)(word << spare) >> spare;
  return word > INT64_MAX ? INT64_MAX : (int64_t)word; /* far outside of any code; the caller says so */
}

static double real_of(uint64_t word, const layout *l) {
  uint32_t half = (uint32_t)word;
  double wide;
  float narrow;
  if (l->type != 'f') return (double)integer_of(word, l);
  memcpy(&wide, &word, sizeof wide);
  memcpy(&narrow, &half, sizeof narrow);
  return l->bytes == 8 ? wide : (double)narrow;
}

/* The header's length, or -1; the stream then stands at the header. */
static int64_t header_length(FILE *stream) {
  unsigned char b[12];
  if (fread(b, 1, 8, stream) != 8 || memcmp(b, "\x93NUMPY", 6) != 0 || b[6] < 1 || b[6] > 3) return -1;
  size_t bytes = b[6] == 1 ? 2 : 4;
  if (fread(b + 8, 1, bytes, stream) != bytes) return -1;
  int64_t length = b[8] | b[9] << 8;
  if (bytes == 4) length |= (int64_t)b[10] << 16 | (int64_t)b[11] << 24;
  return length <= MOST_HEADER ? length : -1;
}

/* Into `integers` or `reals`, whichever is asked for. */
static erg_status read_elements(erg_arena *arena, FILE *stream, const request *r, const layout *l, int64_t count,
                                int64_t **integers, double **reals, erg_error *error) {
  size_t bytes = (size_t)count * (size_t)l->bytes;
  unsigned char *raw = malloc(bytes + 1);
  if (r->reals)
    *reals = erg_arena_alloc(arena, sizeof **reals * (size_t)count);
  else
    *integers = erg_arena_alloc(arena, sizeof **integers * (size_t)count);
  erg_status status = ERG_OK;
  if (!raw || (r->reals ? !*reals : !*integers)) {
    free(raw);
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  size_t got = fread(raw, 1, bytes + 1, stream); /* one more: nothing may follow */
  if (got != bytes)
    status = erg_fail(error, ERG_ERR_DATA, "%s: found %s%zu bytes behind the header; its shape and type make %zu",
                      r->path, got > bytes ? "at least " : "", got, bytes);
  for (int64_t i = 0; status == ERG_OK && i < count; i++) {
    uint64_t word = word_of(raw + i * l->bytes, l);
    if (r->reals)
      (*reals)[i] = real_of(word, l);
    else
      (*integers)[i] = integer_of(word, l);
  }
  free(raw);
  return status;
}

static erg_status read_file(erg_arena *arena, const request *r, int *dims, int64_t *extents, int64_t **integers,
                            double **reals, erg_error *error) {
  erg_error faults = {0};
  layout l = {0};
  FILE *stream = fopen(r->path, "rb");
  if (!stream) return erg_fail(error, ERG_ERR_NO_INPUT, "%s: %s", r->path, strerror(errno));
  int64_t length = header_length(stream);
  char *header = length > 0 ? erg_arena_alloc(arena, (size_t)length + 1) : NULL;
  if (!header || fread(header, 1, (size_t)length, stream) != (size_t)length)
    erg_fail(&faults, ERG_ERR_DATA, "%s: not a NumPy file (`numpy.save(\"%s\", x)` writes one)", r->path, r->path);
  else if (check_header(r, header, &l, dims, extents, &faults) == ERG_OK) {
    int64_t count = 1;
    for (int i = 0; i < *dims; i++) count *= extents[i];
    read_elements(arena, stream, r, &l, count, integers, reals, &faults);
  }
  fclose(stream);
  erg_status status = faults.status;
  if (status != ERG_OK) erg_fail(error, status, "%s", faults.text ? faults.text : "failed");
  erg_error_clear(&faults);
  return status;
}

erg_status erg_npy_read(erg_arena *arena, const char *path, int dims, erg_npy *out, erg_error *error) {
  *out = (erg_npy){0};
  request r = {path, dims, dims, false};
  return read_file(arena, &r, &out->dims, out->extents, &out->elements, NULL, error);
}

erg_status erg_npy_read_reals(erg_arena *arena, const char *path, int least, int most, erg_npy_reals *out,
                              erg_error *error) {
  *out = (erg_npy_reals){0};
  request r = {path, least, most, true};
  return read_file(arena, &r, &out->dims, out->extents, NULL, &out->elements, error);
}
