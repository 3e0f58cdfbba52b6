/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Slurm 20.02 and later: job arrays, and an `afterany` job behind them. Tried with 22.05. */
#include "../farm.h"
#include <string.h>

static void submit(const erg_farm_job *job, erg_words *words) {
  erg_word(words, "sbatch");
  erg_word(words, "--parsable");
  erg_word(words, "--job-name=%s", job->name);
  erg_word(words, "--output=/dev/null"); /* the script itself writes its log: Slurm expands % in names */
  if (job->tasks) {
    erg_word(words, "--array=0-%lld", (long long)job->tasks - 1);
    /* A lost task is submitted again by the job behind the array. Requeued by Slurm it would first be held for two
     * minutes, and meet its own orphans on a node that was only thought to be dead. */
    erg_word(words, "--no-requeue");
  } else {
    erg_word(words, "--requeue");
  }
  if (job->after) erg_word(words, "--dependency=afterany:%s", job->after);
  if (job->jobs > 1) erg_word(words, "--cpus-per-task=%d", job->jobs);
  if (job->partition) erg_word(words, "--partition=%s", job->partition);
  if (job->time) erg_word(words, "--time=%s", job->time);
  for (int i = 0; job->extra && job->extra[i]; i++) erg_word(words, "%s", job->extra[i]);
  erg_word(words, "%s", job->script);
}

/* "17" or "17;cluster" */
static bool id(const char *output, char out[32]) {
  size_t digits = strspn(output, "0123456789");
  if (digits == 0 || digits > 31 || !strchr(";\n", output[digits])) return false;
  snprintf(out, 32, "%.*s", (int)digits, output);
  return true;
}

/* Asked by name: a job that Slurm has forgotten is no fault then. A line a task. */
static void queue(const char *const names[2], erg_words *words) {
  erg_word(words, "squeue");
  erg_word(words, "--noheader");
  erg_word(words, "--array");
  erg_word(words, "--format=%%F|%%T|%%r");
  erg_word(words, "--name=%s,%s", names[0], names[1]);
}

static void count(const char *output, const char *wanted, erg_farm_jobs *out) {
  static const char *const waiting[] = {"PENDING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT", NULL};
  static const char *const working[] = {"CONFIGURING", "RUNNING",   "RESIZING", "SIGNALING",
                                        "STAGE_OUT",   "SUSPENDED", "STOPPED",  NULL};
  for (const char *line = output; *line; line += strcspn(line, "\n"), line += *line == '\n') {
    char job[32], state[32], reason[64];
    if (sscanf(line, "%31[^|]|%31[^|]|%63[^\n]", job, state, reason) != 3 || strcmp(job, wanted) != 0) continue;
    for (int i = 0; waiting[i]; i++)
      if (strcmp(state, waiting[i]) == 0) {
        out->pending++;
        snprintf(out->reason, sizeof out->reason, "%s", reason);
      }
    for (int i = 0; working[i]; i++) out->running += strcmp(state, working[i]) == 0;
  }
}

static const erg_farm_engine slurm = {
    .name = "slurm",
    .tool = "sbatch",
    .install = "on Debian `apt-get install slurm-client`, with the slurm.conf of your cluster",
    .task_variable = "SLURM_ARRAY_TASK_ID",
    .most_tasks = 1000, /* MaxArraySize is 1001 unless a site moves it */
    .submit = submit,
    .id = id,
    .queue = queue,
    .count = count,
};
ERG_REGISTER(erg_farm_engine, slurm);
