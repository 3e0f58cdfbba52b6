/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "command.h"
#include <stdlib.h>
#include <string.h>

static int by_order(const void *a, const void *b) {
  return (*(const erg_command *const *)a)->order - (*(const erg_command *const *)b)->order;
}

static void usage(FILE *stream) {
  const erg_command *commands[64];
  size_t count = 0;
  ERG_EACH(erg_command, item)
  if (count < 64) commands[count++] = *item;
  qsort(commands, count, sizeof commands[0], by_order);
  fputs(
      "Usage: ergon COMMAND [OPTION...]\n"
      "How many joules and cycles a quantized network costs on an accelerator, at every bit-width and fusion choice,\n"
      "and whether the RTL agrees with the golden kernel.\n\n",
      stream);
  for (size_t i = 0; i < count; i++)
    fprintf(stream, "  %-8s %-18s %s\n", commands[i]->name, commands[i]->arguments, commands[i]->help);
  fputs(
      "\n`ergon COMMAND --help` lists a command's options. Exit codes: 0 ok, 1 a comparison failed, 64 usage, 65 bad\n"
      "input, 66 no input, 69 a tool is missing, 70 internal, 73/74 output, 78 configuration.\n",
      stream);
}

static const erg_command *find(const char *name) {
  ERG_EACH(erg_command, item)
  if (strcmp((*item)->name, name) == 0) return *item;
  return NULL;
}

static void unknown(const char *name) {
  const char *names[64] = {NULL};
  size_t count = 0;
  ERG_EACH(erg_command, item)
  if (count < 63) names[count++] = (*item)->name;
  const char *nearest = erg_nearest(name, names);
  fprintf(stderr, "ergon: %s: no such command%s%s%s; see `ergon --help`\n", name, nearest ? " (did you mean " : "",
          nearest ? nearest : "", nearest ? "?)" : "");
}

int main(int argc, char **argv) {
  if (argc < 2) {
    usage(stderr);
    return ERG_ERR_USAGE;
  }
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
    usage(stdout);
    return 0;
  }
  if (strcmp(argv[1], "--version") == 0) {
    puts(erg_version_text());
    return 0;
  }
  const erg_command *command = find(argv[1]);
  if (!command) {
    unknown(argv[1]);
    return ERG_ERR_USAGE;
  }
  erg_error error = {0};
  erg_status status = command->run(argc - 1, argv + 1, &error);
  if (status == ERG_OK) status = erg_flush_stdout(&error);
  /* Every line of the faults gets the program's name, so that they can be told apart in a log. */
  if (status == ERG_ERR_UNSUPPORTED) fputs("ergon: skipped, because:\n", stderr);
  for (char *rest = error.text, *line; rest && (line = strsep(&rest, "\n"));) fprintf(stderr, "ergon: %s\n", line);
  erg_error_clear(&error);
  return status == ERG_ERR_UNSUPPORTED ? ERG_ERR_MISMATCH : (int)status;
}
