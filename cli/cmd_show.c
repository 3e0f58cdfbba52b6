/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "command.h"
#include <string.h>

static erg_status run(int argc, char **argv, erg_error *error);
static const erg_command command = {"show", "arch|tech|workload NAME", "print a built-in file, to copy and edit", 4,
                                    run};
ERG_REGISTER(erg_command, command);

static erg_status run(int argc, char **argv, erg_error *error) {
  static const struct {
    const char *what, *kind;
  } rooms[] = {{"arch", "archs"}, {"tech", "tech"}, {"workload", "nets"}};
  erg_cli cli;
  erg_cli_parse(&command, 0, 2, 2, argc, argv, &cli);
  erg_arena arena = {0};
  erg_status status = ERG_OK;
  const char *kind = NULL;
  for (size_t i = 0; i < ERG_COUNT_OF(rooms); i++)
    if (strcmp(cli.arguments[0], rooms[i].what) == 0) kind = rooms[i].kind;
  if (!kind) {
    status = erg_fail(error, ERG_ERR_USAGE, "show: found '%s'; allowed: arch, tech, workload", cli.arguments[0]);
  } else {
    char *path, *text;
    status = erg_data_find(&arena, kind, cli.arguments[1], ".yaml", &path, error);
    if (status == ERG_OK) status = erg_file_read(&arena, path, &text, NULL, error);
    if (status == ERG_OK) fputs(text, stdout);
  }
  erg_arena_free(&arena);
  erg_cli_free(&cli);
  return status;
}
