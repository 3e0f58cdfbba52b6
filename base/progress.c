/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/base.h"
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double now_s(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

void erg_progress_start(erg_progress *progress, const char *label, const char *unit, double total, bool quiet) {
  *progress = (erg_progress){.label = label, .unit = unit, .total = total, .started_s = now_s(), .quiet = quiet};
  progress->terminal = isatty(STDERR_FILENO) != 0;
}

/* 1.23 G rather than 1230000000. `bare` stands behind a number that needs no prefix. */
static void scaled(double value, const char *bare, char text[16]) {
  static const char *const prefixes[] = {"", " k", " M", " G", " T", NULL};
  int step = 0;
  while (value >= 1000 && prefixes[step + 1]) {
    value /= 1000;
    step++;
  }
  snprintf(text, 16, "%.3g%s", value, step ? prefixes[step] : bare);
}

static void show(const erg_progress *progress, const char *detail, double elapsed_s) {
  char done[16], total[16], rate[16], bar[21];
  double part = progress->total > 0 ? progress->done / progress->total : 1;
  double per_s = elapsed_s > 0 ? progress->done / elapsed_s : 0;
  for (int i = 0; i < 20; i++) bar[i] = i < (int)(part * 20) ? '#' : '.';
  bar[20] = 0;
  scaled(progress->done, "", done);
  scaled(progress->total, "", total);
  scaled(per_s, " ", rate); /* a unit follows at once */
  double left_s = per_s > 0 ? (progress->total - progress->done) / per_s : 0;
  const char *erase = getenv("NO_COLOR") ? "" : "\033[K";
  if (progress->terminal)
    fprintf(stderr, "\r%s [%s] %3.0f %%  %s/%s %s  %s%s/s  %.0f s left  %s%s", progress->label, bar, 100 * part, done,
            total, progress->unit, rate, progress->unit, left_s, detail ? detail : "", erase);
  else
    fprintf(stderr, "%s: %3.0f %%  %s/%s %s  %s%s/s  %.0f s left\n", progress->label, 100 * part, done, total,
            progress->unit, rate, progress->unit, left_s);
  fflush(stderr);
}

void erg_progress_update(erg_progress *progress, double done, const char *detail) {
  progress->done = done;
  if (progress->quiet) return;
  double now = now_s();
  int decile = progress->total > 0 ? (int)(10 * done / progress->total) : 10;
  if (now - progress->started_s < progress->wait_s) return;
  bool due = progress->terminal ? now - progress->last_s > 0.1 : decile > progress->last_decile;
  if (!due) return;
  progress->last_s = now;
  progress->last_decile = decile;
  show(progress, detail, now - progress->started_s);
}

void erg_progress_end(erg_progress *progress) {
  if (progress->quiet || !progress->terminal || now_s() - progress->started_s < progress->wait_s) return;
  show(progress, "", now_s() - progress->started_s);
  fputc('\n', stderr);
}
