/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "command.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

erg_status erg_make_folder(const char *path, erg_error *error) {
  struct stat info;
  if (mkdir(path, 0777) == 0) return ERG_OK;
  if (errno == EEXIST && stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return ERG_OK;
  return erg_fail(error, ERG_ERR_CREATE, "%s: cannot be made a folder: %s", path, strerror(errno));
}

erg_status erg_write_json(const json_t *json, const char *folder, const char *name, erg_error *error) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *stream = fopen(path, "w");
  if (!stream) return erg_fail(error, ERG_ERR_CREATE, "%s: %s", path, strerror(errno));
  int failed = json_dumpf(json, stream, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
  failed |= fputc('\n', stream) == EOF;
  failed |= fclose(stream) != 0;
  return failed ? erg_fail(error, ERG_ERR_IO, "%s: %s", path, strerror(errno)) : ERG_OK;
}

erg_status erg_flush_stdout(erg_error *error) {
  if (fflush(stdout) == 0 && !ferror(stdout)) return ERG_OK;
  return erg_fail(error, ERG_ERR_IO, "stdout: %s", strerror(errno));
}
