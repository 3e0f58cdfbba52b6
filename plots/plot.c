/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ergon/plots.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

erg_status erg_plot_find(const char *name, const erg_plot **out, erg_error *error) {
  char list[512] = "";
  ERG_EACH(erg_plot, item) {
    if (strcmp((*item)->name, name) == 0) {
      *out = *item;
      return ERG_OK;
    }
    snprintf(list + strlen(list), sizeof list - strlen(list), " %s", (*item)->name);
  }
  erg_fail(error, ERG_ERR_USAGE, "plot: found '%s'; allowed:%s", name, list);
  return ERG_ERR_USAGE;
}

const char *erg_plot_schema(const erg_plot *plot) {
  return plot->schema ? plot->schema : "ergon.run";
}

const char *erg_plot_source(const erg_plot *plot) {
  if (strcmp(erg_plot_schema(plot), "ergon.sweep") == 0) return "ergon sweep export --store FILE --json";
  if (strcmp(erg_plot_schema(plot), "ergon.explain") == 0) return "ergon explain RUN.json --json";
  if (strcmp(erg_plot_schema(plot), "ergon.memory") == 0) return "ergon memory WORKLOAD --json";
  if (strcmp(erg_plot_schema(plot), "ergon.study") == 0) return "ergon study NAME --json";
  return "ergon run WORKLOAD --json";
}

static erg_status check_schema(const erg_plot *plot, const json_t *document, erg_error *error) {
  const char *schema = json_string_value(json_object_get(document, "schema"));
  const json_t *version = json_object_get(document, "version");
  if (!schema || strcmp(schema, erg_plot_schema(plot)) != 0)
    return erg_fail(error, ERG_ERR_DATA, "plot %s: found schema %s; allowed: %s (%s)", plot->name,
                    schema ? schema : "none", erg_plot_schema(plot), erg_plot_source(plot));
  if (!json_is_integer(version) || json_integer_value(version) != 1)
    return erg_fail(error, ERG_ERR_DATA, "plot %s: found version %lld of schema %s; allowed: 1", plot->name,
                    (long long)json_integer_value(version), schema);
  return ERG_OK;
}

char *erg_plot_quote(const char *text, char *buffer, size_t bytes) {
  size_t used = 0;
  for (; *text && used + 3 < bytes; text++) {
    if ((unsigned char)*text < ' ') continue;
    if (*text == '\\') buffer[used++] = '\\';
    buffer[used++] = *text == '"' || *text == '`' ? '\'' : *text;
  }
  buffer[used] = 0;
  return buffer;
}

static erg_status open_file(const char *folder, const char *name, const char *ending, FILE **out, erg_error *error) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.%s", folder, name, ending);
  *out = fopen(path, "w");
  return *out ? ERG_OK : erg_fail(error, ERG_ERR_CREATE, "%s: %s", path, strerror(errno));
}

static bool close_file(FILE *stream) {
  if (!stream) return true;
  bool good = !ferror(stream);
  return fclose(stream) == 0 && good;
}

/* The picture's commands are a function of nothing: drawn once for each kind of file. */
static void write_frame(FILE *gp, const erg_plot *plot, char *body) {
  fprintf(gp, "# SPDX-License-Identifier: CC0-1.0\n# gnuplot %s.gp   draws %s.svg, %s.png, %s.pdf from %s.dat\n",
          plot->name, plot->name, plot->name, plot->name, plot->name);
  static const char *const endings[] = {"svg", "png", "pdf"};
  for (size_t i = 0; i < ERG_COUNT_OF(endings); i++) {
    fputs("\nreset\nset terminal ", gp);
    if (i == 0)
      fprintf(gp, "svg noenhanced size %d,%d font 'DejaVu Sans,11' background rgb 'white'", plot->width_px,
              plot->height_px);
    else if (i == 1)
      fprintf(gp, "pngcairo noenhanced size %d,%d font 'DejaVu Sans,11'", plot->width_px, plot->height_px);
    else
      fprintf(gp, "pdfcairo noenhanced size %.2fcm,%.2fcm font 'DejaVu Sans,11'", plot->width_px / 37.8,
              plot->height_px / 37.8);
    fprintf(gp, "\nset output '%s.%s'\n%s", plot->name, endings[i], body);
  }
  fputs("\nset output\n", gp);
}

/* Runs gnuplot in `folder` without a shell, so that no name needs quoting. */
static erg_status run_gnuplot(const char *folder, const char *name, erg_error *error) {
  char script[256], log_text[1024] = "";
  snprintf(script, sizeof script, "%s.gp", name);
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) return erg_fail(error, ERG_ERR_INTERNAL, "gnuplot: %s", strerror(errno));
  pid_t child = fork();
  if (child == 0) {
    dup2(pipe_ends[1], STDERR_FILENO);
    dup2(pipe_ends[1], STDOUT_FILENO);
    close(pipe_ends[0]);
    if (chdir(folder) == 0) execlp("gnuplot", "gnuplot", script, (char *)NULL);
    _exit(127);
  }
  close(pipe_ends[1]);
  size_t length = 0;
  for (ssize_t got;
       length < sizeof log_text - 1 && (got = read(pipe_ends[0], log_text + length, sizeof log_text - 1 - length)) > 0;)
    length += (size_t)got;
  close(pipe_ends[0]);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) < 0)
    return erg_fail(error, ERG_ERR_INTERNAL, "gnuplot: %s", strerror(errno));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return ERG_OK;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
    return erg_fail(error, ERG_ERR_TOOL,
                    "gnuplot is not installed: apt-get install gnuplot-nox (or run scripts/setup); %s/%s and "
                    "%s.dat are written",
                    folder, script, name);
  return erg_fail(error, ERG_ERR_TOOL, "gnuplot failed on %s/%s: %s", folder, script, log_text);
}

erg_status erg_plot_draw(const char *name, const json_t *document, const char *folder, FILE *log, erg_error *error) {
  const erg_plot *plot = NULL;
  erg_status found = erg_plot_find(name, &plot, error);
  if (found == ERG_OK) found = check_schema(plot, document, error);
  if (found != ERG_OK) return found;
  char *data_text = NULL, *body = NULL;
  size_t data_bytes = 0, body_bytes = 0;
  FILE *data = open_memstream(&data_text, &data_bytes), *commands = open_memstream(&body, &body_bytes), *file = NULL;
  erg_status status = data && commands ? plot->write(document, data, commands, error)
                                       : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  close_file(data);
  close_file(commands);
  /* Files are opened only when there is something to draw: nothing is written on a fault. */
  if (status == ERG_OK) status = open_file(folder, name, "dat", &file, error);
  if (status == ERG_OK) {
    fputs(data_text, file);
    if (!close_file(file)) status = erg_fail(error, ERG_ERR_IO, "%s/%s.dat: %s", folder, name, strerror(errno));
  }
  if (status == ERG_OK) status = open_file(folder, name, "gp", &file, error);
  if (status == ERG_OK) {
    write_frame(file, plot, body);
    if (!close_file(file)) status = erg_fail(error, ERG_ERR_IO, "%s/%s.gp: %s", folder, name, strerror(errno));
  }
  if (status == ERG_OK) status = run_gnuplot(folder, name, error);
  if (status == ERG_OK && log) fprintf(log, "wrote %s/%s.svg, .png, .pdf (and .dat, .gp)\n", folder, name);
  free(data_text);
  free(body);
  return status;
}
