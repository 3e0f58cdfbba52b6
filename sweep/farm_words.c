/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands as words: nothing a user wrote is ever read by a shell unquoted. */
#include "farm.h"
#include <errno.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

void erg_word(erg_words *words, const char *format, ...) {
  char *text = NULL;
  va_list values;
  va_start(values, format);
  if (vasprintf(&text, format, values) < 0) text = NULL;
  va_end(values);
  const char *kept = text ? erg_arena_strdup(words->arena, text) : NULL;
  free(text);
  if (!kept || words->count + 1 == (int)ERG_COUNT_OF(words->items))
    words->bad = true;
  else
    words->items[words->count++] = kept;
}

char *erg_shell_word(erg_arena *arena, const char *text) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=.,/:+@%";
  if (*text && strspn(text, plain) == strlen(text)) return erg_arena_strdup(arena, text);
  char *out = erg_arena_alloc(arena, 4 * strlen(text) + 3), *at = out;
  if (!out) return NULL;
  *at++ = '\'';
  for (; *text; text++)
    if (*text == '\'')
      at = stpcpy(at, "'\\''");
    else
      *at++ = *text;
  *at++ = '\'';
  *at = 0;
  return out;
}

char *erg_shell_line(const erg_words *words) {
  char *line = erg_arena_strdup(words->arena, "");
  for (int i = 0; i < words->count && line; i++) {
    const char *word = erg_shell_word(words->arena, words->items[i]);
    line = word ? erg_arena_printf(words->arena, "%s%s%s", line, i ? " " : "", word) : NULL;
  }
  return line;
}

bool erg_on_path(const char *program) {
  const char *path = getenv("PATH");
  char *list = path ? strdup(path) : NULL, *rest = list;
  bool found = false;
  for (char *folder; !found && rest && (folder = strsep(&rest, ":"));) {
    char file[4096];
    snprintf(file, sizeof file, "%s/%s", *folder ? folder : ".", program);
    found = access(file, X_OK) == 0;
  }
  free(list);
  return found;
}

static char *all_of(FILE *stream, erg_arena *arena) {
  char text[8192];
  rewind(stream);
  char *whole = erg_arena_strdup(arena, "");
  for (size_t got; whole && (got = fread(text, 1, sizeof text - 1, stream)) > 0;) {
    text[got] = 0;
    whole = erg_arena_printf(arena, "%s%s", whole, text);
  }
  return whole;
}

static erg_status spawn(const erg_words *words, FILE *out, FILE *err, int *exit_status, erg_error *error) {
  posix_spawn_file_actions_t actions;
  pid_t pid = -1;
  int failed = posix_spawn_file_actions_init(&actions);
  if (failed) return erg_fail(error, ERG_ERR_INTERNAL, "%s: %s", words->items[0], strerror(failed));
  failed = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", 0, 0);
  if (!failed) failed = posix_spawn_file_actions_adddup2(&actions, fileno(out), STDOUT_FILENO);
  if (!failed) failed = posix_spawn_file_actions_adddup2(&actions, fileno(err), STDERR_FILENO);
  if (!failed) failed = posix_spawnp(&pid, words->items[0], &actions, NULL, (char *const *)words->items, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed) return erg_fail(error, ERG_ERR_TOOL, "%s: cannot be run: %s", words->items[0], strerror(failed));
  while (waitpid(pid, exit_status, 0) < 0)
    if (errno != EINTR) return erg_fail(error, ERG_ERR_INTERNAL, "%s: %s", words->items[0], strerror(errno));
  return ERG_OK;
}

erg_status erg_words_run(const erg_words *words, char **output, erg_error *error) {
  if (words->bad || words->count == 0) return erg_fail(error, ERG_ERR_INTERNAL, "a command is too long");
  FILE *out = tmpfile(), *err = tmpfile();
  int exit_status = 0;
  erg_status status = out && err ? spawn(words, out, err, &exit_status, error)
                                 : erg_fail(error, ERG_ERR_IO, "a temporary file: %s", strerror(errno));
  char *said = status == ERG_OK ? all_of(err, words->arena) : NULL;
  *output = status == ERG_OK ? all_of(out, words->arena) : NULL;
  if (out) fclose(out);
  if (err) fclose(err);
  if (status != ERG_OK) return status;
  if (!said || !*output) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  if (WIFEXITED(exit_status) && WEXITSTATUS(exit_status) == 0) return ERG_OK;
  said[strcspn(said, "\n")] = 0; /* its first line says why */
  return erg_fail(error, ERG_ERR_TOOL, "%s failed: %s", words->items[0], *said ? said : "it does not say why");
}
