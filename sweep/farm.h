/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sweep: what a farm submission is made of. An engine (engines/<name>.c) is a table of pure functions: it says
 * which words submit a job and which ask the queue, and reads the answers; running them, files and rounds are common. */
#ifndef ERGON_SWEEP_FARM_H
#define ERGON_SWEEP_FARM_H
#include "ergon/registry.h"
#include "ergon/sweep.h"

#define FARM_MOST_EXTRA 16

/* ---------------------------------------------------------------- words of a command (farm_words.c) */

typedef struct {
  erg_arena *arena;
  const char *items[48]; /* NULL behind the last; items that did not fit, or memory that ran out, clear `good` */
  int count;
  bool bad;
} erg_words;
void erg_word(erg_words *words, const char *format, ...) ERG_PRINTF(2, 3);
/* `text` as one word of a POSIX shell: in single quotes unless it is plain. In `arena`; NULL: memory ran out. */
char *erg_shell_word(erg_arena *arena, const char *text);
char *erg_shell_line(const erg_words *words); /* all of them */
bool erg_on_path(const char *program);
/* Runs a command without a shell. Its output in `words->arena`. ERG_ERR_TOOL: it is missing, or it failed, with what it
 * said. */
erg_status erg_words_run(const erg_words *words, char **output, erg_error *error);

/* ---------------------------------------------------------------- engines */

typedef struct {
  const char *name;   /* of the job */
  const char *script; /* path */
  int64_t tasks;      /* 0: a single job; else an array of tasks 0 to tasks - 1 */
  const char *after;  /* starts when this job has ended, however it ended; NULL: at once */
  int jobs;           /* processors a task */
  const char *partition, *time;
  const char *const *extra;
} erg_farm_job;

typedef struct {
  const char *name, *tool, *install; /* the program that submits, and where it comes from */
  const char *task_variable;         /* of the environment: a task's number */
  int64_t most_tasks;                /* of an array */
  void (*submit)(const erg_farm_job *job, erg_words *words);
  bool (*id)(const char *output, char id[32]);                   /* of the job that was submitted */
  void (*queue)(const char *const names[2], erg_words *words);   /* jobs of these names */
  void (*count)(const char *output, const char *id, erg_farm_jobs *out); /* of the queue's answer, those of job `id` */
} erg_farm_engine;
ERG_REGISTRY(erg_farm_engine)
const erg_farm_engine *erg_farm_engine_find(const char *name, erg_error *error);

/* ---------------------------------------------------------------- the record (farm_record.c) */

/* submission.json in the folder: what is needed to go on from any machine and folder. Texts in `arena`. */
typedef struct {
  erg_arena arena;
  const char *folder, *store;               /* absolute; not in the file */
  const char *state;                        /* submitting, submitted, complete, incomplete */
  const char *engine, *name, *plan;         /* plan: hash of all keys */
  const char *job_name;                     /* kept: the store may be called by another path next time */
  const char *program, *data, *directory;   /* absolute; data: $ERGON_DATA or NULL; directory: where it was submitted */
  const char *array_job, *reconcile_job;    /* NULL: none */
  const char *partition, *time;
  const char *extra[FARM_MOST_EXTRA + 1];
  int64_t points, chunk_points, missing, tasks;
  int round, last_round, rounds, jobs, kill_at;
  bool kill_pool;
} erg_farm;
/* Paths of the store's farm, nothing read. */
erg_status erg_farm_begin(const char *store, erg_farm *farm, erg_error *error);
/* ERG_ERR_NO_INPUT: no submission. */
erg_status erg_farm_load(const char *store, erg_farm *farm, erg_error *error);
erg_status erg_farm_save(const erg_farm *farm, erg_error *error); /* written aside, then renamed */
void erg_farm_free(erg_farm *farm);
/* One at a time: waits for others. `lock` is closed by the caller. */
erg_status erg_farm_lock(const erg_farm *farm, int *lock, erg_error *error);

/* ---------------------------------------------------------------- rounds (farm_round.c) */

/* Writes the folder of round `farm->round`: lists of points, a line a task (each of `suspects` alone), and scripts. */
erg_status erg_farm_write_round(erg_farm *farm, const erg_index_ranges *missing, const erg_index_ranges *suspects,
                                erg_error *error);
/* For this folder's jobs and no others; only characters that no queue takes for a list. NULL: memory ran out. */
const char *erg_farm_job_name(erg_farm *farm);
/* Submits it: the array and the job behind it, or the latter alone. With `dry` the command lines go there instead. */
erg_status erg_farm_submit_round(erg_farm *farm, const char **dry, erg_error *error);
erg_status erg_farm_submit_reconcile(erg_farm *farm, const char **dry, erg_error *error);
/* What the queue says; `names` of the jobs are those of this store. */
erg_status erg_farm_ask(erg_farm *farm, erg_farm_jobs *array, erg_farm_jobs *reconcile, erg_error *error);

/* ---------------------------------------------------------------- what tasks left behind (farm_merge.c) */

/* Merges the shards of all rounds. A damaged one is a line of `notes`: its points are computed again. */
erg_status erg_farm_merge(erg_farm *farm, erg_store *store, int64_t *added, const char **notes, erg_error *error);
void erg_farm_remove_shards(erg_farm *farm); /* once all is in the store */
/* Points under evaluation in tasks that died, once a death, from all rounds so far. */
erg_status erg_farm_deaths(erg_farm *farm, erg_index_ranges *out, erg_error *error);
int erg_farm_deaths_of(const erg_index_ranges *deaths, int64_t point);
#endif
