/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "trail.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

erg_status erg_trail_open(const char *path, int workers, int64_t **out, erg_error *error) {
  size_t bytes = (size_t)workers * sizeof **out;
  int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) return erg_fail(error, ERG_ERR_CREATE, "%s: %s", path, strerror(errno));
  /* Blocks are taken now: a store into a hole of a full disk would be a SIGBUS. */
  int failed = posix_fallocate(file, 0, (off_t)bytes);
  void *map = failed ? MAP_FAILED : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (!failed && map == MAP_FAILED) failed = errno;
  close(file);
  if (map == MAP_FAILED) return erg_fail(error, ERG_ERR_IO, "%s: %s", path, strerror(failed));
  memset(map, 0xff, bytes);
  *out = map;
  return ERG_OK;
}

void erg_trail_close(const char *path, int workers, int64_t *trail) {
  if (!trail) return;
  munmap(trail, (size_t)workers * sizeof *trail);
  unlink(path);
}

void erg_trail_read(const char *path, int64_t size, erg_index_ranges *out) {
  FILE *stream = fopen(path, "rb");
  int64_t index;
  while (stream && fread(&index, sizeof index, 1, stream) == 1)
    if (index >= 0 && index < size) erg_ranges_add(out, index, index);
  if (stream) fclose(stream);
}
