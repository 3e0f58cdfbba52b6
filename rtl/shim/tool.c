/* SPDX-License-Identifier: Apache-2.0 */
#include "tool.h"
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void add(erg_arguments *list, const char *item) {
  if (list->count + 2 > list->room) {
    int room = 2 * list->room + 32;
    const char **items = erg_arena_alloc(list->arena, sizeof *items * (size_t)room);
    if (!items) return;
    if (list->count) memcpy(items, list->items, sizeof *items * (size_t)list->count);
    list->items = items;
    list->room = room;
  }
  list->items[list->count++] = item;
}

void erg_argument(erg_arguments *list, const char *format, ...) {
  va_list values;
  va_start(values, format);
  char *item = NULL;
  if (vasprintf(&item, format, values) < 0) item = NULL;
  va_end(values);
  add(list, item ? erg_arena_strdup(list->arena, item) : NULL);
  free(item);
}

void erg_argument_words(erg_arguments *list, const char *text) {
  char *rest = erg_arena_strdup(list->arena, text), *word;
  while (rest && (word = strsep(&rest, " \t")))
    if (*word) add(list, word);
}

static bool complete(const erg_arguments *list) {
  for (int i = 0; i < list->count; i++)
    if (!list->items[i]) return false;
  return list->count > 0;
}

/* The program with its output going to `out` and its errors to `log_path`; -1 when it cannot be started. */
static pid_t start(const erg_arguments *list, int out, const char *log_path) {
  pid_t pid = -1;
  posix_spawn_file_actions_t actions;
  if (!complete(list) || posix_spawn_file_actions_init(&actions) != 0) return -1;
  int failed = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log_path ? log_path : "/dev/null",
                                                O_WRONLY | O_CREAT | O_TRUNC, 0666);
  failed |= posix_spawn_file_actions_adddup2(&actions, out >= 0 ? out : STDERR_FILENO, STDOUT_FILENO);
  if (failed == 0 && posix_spawnp(&pid, list->items[0], &actions, NULL, (char *const *)list->items, environ) != 0)
    pid = -1;
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

static int wait_for(pid_t pid) {
  int status;
  if (pid < 0 || waitpid(pid, &status, 0) != pid) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int erg_tool_run(const erg_arguments *list, const char *log_path) {
  return wait_for(start(list, -1, log_path));
}

char *erg_tool_output(const erg_arguments *list) {
  int ends[2];
  char text[4096];
  size_t length = 0;
  if (pipe2(ends, O_CLOEXEC) != 0) return NULL;
  pid_t pid = start(list, ends[1], NULL);
  close(ends[1]);
  FILE *stream = fdopen(ends[0], "r");
  if (stream) {
    length = fread(text, 1, sizeof text - 1, stream);
    while (fgetc(stream) != EOF) continue; /* a full pipe would stop the program */
    fclose(stream);
  } else {
    close(ends[0]);
  }
  text[length] = 0;
  return wait_for(pid) == 0 ? erg_arena_strdup(list->arena, text) : NULL;
}

char *erg_tool_line(const erg_arguments *list) {
  char *line = erg_arena_strdup(list->arena, "");
  for (int i = 0; i < list->count && line; i++)
    line = erg_arena_printf(list->arena, "%s%s%s", line, i ? " " : "", list->items[i] ? list->items[i] : "?");
  return line ? line : "?";
}
