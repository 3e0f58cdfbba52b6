/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hex and NumPy files of one tensor. A file is made in memory first, because its hash goes into the manifest. */
#include "ergon/vectors.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  char *bytes;
  size_t length;
} image;

static uint64_t element(const erg_vector_file *file, int64_t i) {
  if (file->stride_bytes == 2) return (uint64_t)(int64_t)((const int16_t *)file->elements)[i];
  if (file->stride_bytes == 4) return (uint64_t)(int64_t)((const int32_t *)file->elements)[i];
  return (uint64_t)((const int64_t *)file->elements)[i];
}

static image make_hex(const erg_vector_file *file, int64_t count) {
  size_t digits = (size_t)(file->bits + 3) / 4;
  image made = {malloc((size_t)count * (digits + 1)), (size_t)count * (digits + 1)};
  uint64_t mask = file->bits == 64 ? UINT64_MAX : ((uint64_t)1 << file->bits) - 1;
  for (int64_t i = 0; made.bytes && i < count; i++) {
    char *line = made.bytes + (size_t)i * (digits + 1);
    uint64_t word = element(file, i) & mask;
    for (size_t d = digits; d-- > 0; word >>= 4) line[d] = "0123456789abcdef"[word & 15];
    line[digits] = '\n';
  }
  return made;
}

static int npy_bytes(int bits) {
  return bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8;
}

/* Format 1.0: magic, version, length of the header (little-endian), the header as a Python literal, padded with blanks
 * so that the data start at a multiple of 64, then the data.
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
static image make_npy(const erg_vector_file *file, int64_t count) {
  char header[256];
  int bytes = npy_bytes(file->bits);
  int length = snprintf(header, sizeof header, "{'descr': '%si%d', 'fortran_order': False, 'shape': (",
                        bytes == 1 ? "|" : "<", bytes);
  for (int i = 0; i < file->dims; i++)
    length +=
        snprintf(header + length, sizeof header - (size_t)length, "%s%lld", i ? ", " : "", (long long)file->extents[i]);
  if (file->dims == 1) length += snprintf(header + length, sizeof header - (size_t)length, ",");
  length += snprintf(header + length, sizeof header - (size_t)length, "), }");
  size_t padded = ((size_t)length + 10 + 1 + 63) / 64 * 64 - 10;
  image made = {malloc(10 + padded + (size_t)count * (size_t)bytes), 10 + padded + (size_t)count * (size_t)bytes};
  if (!made.bytes) return made;
  static const char magic[8] = {(char)0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
  memcpy(made.bytes, magic, sizeof magic);
  made.bytes[8] = (char)(padded & 255);
  made.bytes[9] = (char)(padded >> 8);
  memset(made.bytes + 10, ' ', padded);
  memcpy(made.bytes + 10, header, (size_t)length);
  made.bytes[10 + padded - 1] = '\n';
  char *at = made.bytes + 10 + padded;
  for (int64_t i = 0; i < count; i++) {
    uint64_t word = element(file, i);
    for (int b = 0; b < bytes; b++) *at++ = (char)(word >> 8 * b & 255);
  }
  return made;
}

static erg_status write_image(const char *folder, const erg_vector_file *file, const char *ending, image made,
                              json_t *entry, erg_error *error) {
  char path[4096], name[128], hex[65];
  if (!made.bytes) return erg_fail(error, ERG_ERR_INTERNAL, "%s%s: out of memory", file->name, ending);
  snprintf(name, sizeof name, "%s%s", file->name, ending);
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *stream = fopen(path, "wb");
  if (!stream) return erg_fail(error, ERG_ERR_CREATE, "%s: %s", path, strerror(errno));
  bool failed = fwrite(made.bytes, 1, made.length, stream) != made.length;
  failed |= fclose(stream) != 0;
  if (failed) return erg_fail(error, ERG_ERR_IO, "%s: %s", path, strerror(errno));
  erg_sha256_hex(made.bytes, made.length, hex);
  json_object_set_new(entry, ending + 1, json_pack("{s:s, s:s}", "file", name, "sha256", hex));
  return ERG_OK;
}

erg_status erg_vector_write(const char *folder, const erg_vector_file *file, json_t **entry, erg_error *error) {
  if (file->bits < 1 || file->bits > 64 || file->dims < 1 || file->dims > 4)
    return erg_fail(error, ERG_ERR_INTERNAL, "%s: %d bits, %d dimensions", file->name, file->bits, file->dims);
  json_t *made =
      json_pack("{s:s, s:s, s:i, s:[]}", "name", file->name, "layout", file->layout, "bits", file->bits, "shape");
  int64_t count = 1;
  for (int i = 0; i < file->dims; i++) {
    count *= file->extents[i];
    json_array_append_new(json_object_get(made, "shape"), json_integer(file->extents[i]));
  }
  image hex = make_hex(file, count), npy = {NULL, 0};
  erg_status status = write_image(folder, file, ".hex", hex, made, error);
  free(hex.bytes);
  if (status == ERG_OK) {
    npy = make_npy(file, count);
    status = write_image(folder, file, ".npy", npy, made, error);
    free(npy.bytes);
  }
  if (status == ERG_OK)
    *entry = made;
  else
    json_decref(made);
  return status;
}
