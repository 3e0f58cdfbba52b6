/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forked workers. The pool alone writes to the store; a worker gets numbers of points and sends back rows. Whatever
 * dies takes with it only rows that were not stored, and these are computed again. */
#include "ergon/sweep.h"
#include "trail.h"
#include "wire.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define AHEAD 8      /* points a worker has been given and not answered */
#define MOST_TRIES 3 /* deaths of a worker at one point */
#define MOST_JOBS 256
#define FLUSH_S 0.5

typedef struct {
  pid_t pid;
  int socket;
  int64_t given[AHEAD]; /* in the order in which they are answered */
  int given_count;
  erg_bytes in;
} worker;

typedef struct {
  int64_t index;
  int tries;
} retry;

typedef struct {
  const erg_sweep *sweep;
  erg_store *store;
  const erg_pool_options *options;
  erg_pool_report *report;
  worker workers[MOST_JOBS];
  int worker_count;
  erg_sweep_inputs inputs; /* of the pool itself, for keys */
  int64_t next, size;
  int64_t range, within; /* place in options->only */
  int64_t *trail;        /* a place a worker: the point it evaluates, or -1 */
  retry *retries;        /* points whose worker died: waiting to be given again, or given */
  int retry_count, retry_room;
  int64_t *waiting; /* numbers to be given again, a stack */
  int waiting_count, waiting_room;
  erg_progress progress;
  double flushed_s;
} pool;

static volatile sig_atomic_t interrupted;
static void on_signal(int number) {
  interrupted = number;
}

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---------------------------------------------------------------- in a worker */

static bool write_all(int socket, const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t done = send(socket, bytes, count, MSG_NOSIGNAL);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    bytes += done;
    count -= (size_t)done;
  }
  return true;
}

static bool read_index(int socket, int64_t *index) {
  size_t have = 0;
  while (have < sizeof *index) {
    ssize_t got = recv(socket, (char *)index + have, sizeof *index - have, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false; /* the pool is gone, or done */
    have += (size_t)got;
  }
  return true;
}

static void work(const erg_sweep *sweep, int socket, const erg_pool_options *options, int64_t *trail) {
  const int kill_at = options->kill_at;
  erg_sweep_inputs inputs = {0};
  erg_bytes out = {0};
  for (int64_t index; read_index(socket, &index);) {
    erg_arena arena = {0};
    erg_sweep_row row;
    if (trail) *trail = index;
    if (kill_at && index % 1000 == kill_at - 1) {
      if (options->kill_pool) kill(getppid(), SIGKILL);
      raise(SIGKILL);
    }
    erg_sweep_evaluate(sweep, index, &inputs, &arena, &row);
    if (trail) *trail = -1;
    out.count = 0;
    bool sent = erg_wire_put(&out, index, &row) && write_all(socket, out.bytes, out.count);
    erg_arena_free(&arena);
    if (!sent) break;
  }
  _exit(0);
}

/* ---------------------------------------------------------------- in the pool */

static erg_status start_worker(pool *p, worker *w, erg_error *error) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return erg_fail(error, ERG_ERR_INTERNAL, "a worker's socket: %s", strerror(errno));
  fflush(NULL);
  pid_t pool_pid = getpid(), pid = fork();
  if (pid < 0) {
    close(ends[0]);
    close(ends[1]);
    return erg_fail(error, ERG_ERR_INTERNAL, "a worker cannot be forked: %s", strerror(errno));
  }
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != pool_pid) _exit(0);
    signal(SIGINT, SIG_IGN); /* the pool decides what an interrupt means */
    close(ends[0]);
    for (int i = 0; i < p->worker_count; i++)
      if (&p->workers[i] != w && p->workers[i].socket >= 0) close(p->workers[i].socket);
    work(p->sweep, ends[1], p->options, p->trail ? p->trail + (w - p->workers) : NULL);
  }
  close(ends[1]);
  w->pid = pid;
  w->socket = ends[0];
  w->given_count = 0;
  w->in.count = 0;
  return ERG_OK;
}

static bool in_chunk(const pool *p, int64_t index) {
  const erg_pool_options *o = p->options;
  return o->chunk_count == 0 || (int64_t)((__int128)index * o->chunk_count / p->size) == o->chunk;
}

/* The row that names a point; false: its inputs can no longer be loaded, and the row says so. */
static bool name_point(pool *p, int64_t index, erg_arena *arena, erg_sweep_row *row) {
  erg_point point;
  erg_error fault = {0};
  bool good = erg_sweep_point(p->sweep, index, &p->inputs, arena, &point, row, &fault) == ERG_OK;
  erg_error_clear(&fault);
  return good;
}

/* Next point of this run, stored or not, or -1. */
static int64_t next_number(pool *p) {
  const erg_index_ranges *only = p->options->only;
  while (!only && p->next < p->size) {
    int64_t index = p->next++;
    if (in_chunk(p, index)) return index;
  }
  if (!only || p->range == only->count) {
    p->next = p->size;
    return -1;
  }
  int64_t index = only->items[p->range].first + p->within++;
  if (index == only->items[p->range].last) {
    p->range++;
    p->within = 0;
  }
  return index;
}

/* Next point to compute, or -1. Points the store has are passed by. */
static erg_status next_point(pool *p, int64_t *next, erg_error *error) {
  *next = p->waiting_count ? p->waiting[--p->waiting_count] : -1;
  erg_status status = ERG_OK;
  for (int64_t index; *next < 0 && status == ERG_OK && (index = next_number(p)) >= 0;) {
    erg_arena arena = {0};
    erg_sweep_row row;
    erg_stored stored = ERG_NOT_STORED;
    if (name_point(p, index, &arena, &row)) status = erg_store_find(p->store, row.key, &stored, error);
    if (stored == ERG_STORED_FAILED && p->options->retry_failed) {
      stored = ERG_NOT_STORED;
      status = erg_store_forget_failed(p->store, row.key, error);
    }
    erg_arena_free(&arena);
    p->report->points++;
    if (stored == ERG_NOT_STORED)
      *next = index;
    else
      p->report->known++;
  }
  return status;
}

static erg_status feed(pool *p, worker *w, erg_error *error) {
  while (w->given_count < AHEAD) {
    int64_t index;
    erg_status status = next_point(p, &index, error);
    if (status != ERG_OK || index < 0) return status;
    w->given[w->given_count++] = index;
    if (!write_all(w->socket, (const char *)&index, sizeof index)) break; /* dead: noticed when it is read */
  }
  return ERG_OK;
}

static erg_status keep(pool *p, const erg_sweep_row *row, erg_error *error) {
  const char *status = row->cells[ERG_SWEEP_STATUS].known ? row->cells[ERG_SWEEP_STATUS].text : "failed";
  p->report->computed++;
  p->report->skipped += strcmp(status, "skipped") == 0;
  p->report->failed += strcmp(status, "failed") == 0;
  erg_status stored = erg_store_put(p->store, row, error);
  if (stored == ERG_OK && now_s() - p->flushed_s > FLUSH_S) {
    stored = erg_store_flush(p->store, error);
    p->flushed_s = now_s();
  }
  char detail[64];
  snprintf(detail, sizeof detail, "%lld failed", (long long)p->report->failed);
  erg_progress_update(&p->progress, (double)(p->report->known + p->report->computed),
                      p->report->failed ? detail : NULL);
  return stored;
}

static bool grow(void **items, int count, int *room, size_t size) {
  if (count < *room) return true;
  int more = 2 * *room + 16;
  void *moved = realloc(*items, (size_t)more * size);
  if (!moved) return false;
  *items = moved;
  *room = more;
  return true;
}

static bool give_again(pool *p, int64_t index) {
  if (!grow((void **)&p->waiting, p->waiting_count, &p->waiting_room, sizeof *p->waiting)) return false;
  p->waiting[p->waiting_count++] = index;
  return true;
}

/* The point at which a worker died: tried again, or given up after as many deaths as may be chance. */
static erg_status blame(pool *p, int64_t index, int wait_status, erg_error *error) {
  int i = 0;
  while (i < p->retry_count && p->retries[i].index != index) i++;
  if (i == p->retry_count) {
    if (!grow((void **)&p->retries, p->retry_count, &p->retry_room, sizeof *p->retries))
      return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    p->retries[p->retry_count++] = (retry){index, 0};
  }
  if (++p->retries[i].tries < MOST_TRIES)
    return give_again(p, index) ? ERG_OK : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  char reason[128];
  if (WIFSIGNALED(wait_status))
    snprintf(reason, sizeof reason, "its worker died %d times, by signal %d (%s)", MOST_TRIES, WTERMSIG(wait_status),
             strsignal(WTERMSIG(wait_status)));
  else
    snprintf(reason, sizeof reason, "its worker died %d times, with status %d", MOST_TRIES, WEXITSTATUS(wait_status));
  erg_arena arena = {0};
  erg_sweep_row row;
  erg_status status = ERG_OK;
  if (name_point(p, index, &arena, &row)) {
    erg_sweep_fail(&row, &arena, reason);
    status = keep(p, &row, error);
  }
  erg_arena_free(&arena);
  return status;
}

static erg_status bury(pool *p, worker *w, erg_error *error) {
  int wait_status = 0;
  close(w->socket);
  w->socket = -1;
  while (waitpid(w->pid, &wait_status, 0) < 0 && errno == EINTR) continue;
  p->report->worker_deaths++;
  for (int i = w->given_count - 1; i > 0; i--)
    if (!give_again(p, w->given[i])) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  erg_status status = w->given_count ? blame(p, w->given[0], wait_status, error) : ERG_OK;
  if (status == ERG_OK) status = start_worker(p, w, error);
  return status == ERG_OK ? feed(p, w, error) : status;
}

static erg_status listen_to(pool *p, worker *w, erg_error *error) {
  char bytes[65536];
  ssize_t got = recv(w->socket, bytes, sizeof bytes, 0);
  if (got < 0 && errno == EINTR) return ERG_OK;
  if (got <= 0) return bury(p, w, error);
  if (!erg_bytes_add(&w->in, bytes, (size_t)got)) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  erg_status status = ERG_OK;
  while (status == ERG_OK) {
    erg_arena arena = {0};
    erg_sweep_row row;
    int64_t index;
    bool whole = erg_wire_take(&w->in, &index, &row, &arena);
    if (whole) {
      memmove(w->given, w->given + 1, (size_t)--w->given_count * sizeof w->given[0]);
      status = keep(p, &row, error);
    }
    erg_arena_free(&arena);
    if (!whole) break;
  }
  return status == ERG_OK ? feed(p, w, error) : status;
}

static erg_status serve(pool *p, erg_error *error) {
  erg_status status = ERG_OK;
  while (status == ERG_OK) {
    struct pollfd ends[MOST_JOBS];
    int busy = 0;
    for (int i = 0; i < p->worker_count; i++) {
      ends[i] = (struct pollfd){p->workers[i].socket, POLLIN, 0};
      busy += p->workers[i].given_count;
    }
    if (busy == 0 && p->waiting_count == 0 && p->next >= p->size) break;
    if (interrupted)
      return erg_fail(error, ERG_ERR_IO, "interrupted; what was computed is stored, the same command goes on");
    if (poll(ends, (nfds_t)p->worker_count, 200) < 0 && errno != EINTR)
      return erg_fail(error, ERG_ERR_INTERNAL, "poll: %s", strerror(errno));
    for (int i = 0; i < p->worker_count && status == ERG_OK; i++)
      if (ends[i].revents) status = listen_to(p, &p->workers[i], error);
    for (int i = 0; i < p->worker_count && status == ERG_OK && p->waiting_count; i++)
      status = feed(p, &p->workers[i], error);
  }
  return status;
}

erg_status erg_sweep_run(const erg_sweep *sweep, erg_store *store, const erg_pool_options *options,
                         erg_pool_report *report, erg_error *error) {
  if (options->jobs < 1 || options->jobs > MOST_JOBS)
    return erg_fail(error, ERG_ERR_USAGE, "sweep: --jobs: found %d; allowed: 1 to %d", options->jobs, MOST_JOBS);
  pool *p = calloc(1, sizeof *p);
  if (!p) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  *report = (erg_pool_report){0};
  p->sweep = sweep, p->store = store, p->options = options, p->report = report;
  p->size = erg_sweep_size(sweep);
  p->flushed_s = now_s();
  struct sigaction action = {.sa_handler = on_signal}, old_int, old_term;
  interrupted = 0;
  sigaction(SIGINT, &action, &old_int);
  sigaction(SIGTERM, &action, &old_term);
  double total = options->only          ? (double)options->only->points
                 : options->chunk_count ? (double)p->size / (double)options->chunk_count
                                        : (double)p->size;
  erg_progress_start(&p->progress, "sweep", "point", total, options->quiet);
  erg_status status = options->trail ? erg_trail_open(options->trail, options->jobs, &p->trail, error) : ERG_OK;
  for (int i = 0; i < options->jobs; i++) p->workers[i].socket = -1;
  p->worker_count = options->jobs;
  for (int i = 0; i < options->jobs && status == ERG_OK; i++) {
    status = start_worker(p, &p->workers[i], error);
    if (status == ERG_OK) status = feed(p, &p->workers[i], error);
  }
  if (status == ERG_OK) status = serve(p, error);
  erg_status flushed = erg_store_flush(store, error);
  if (status == ERG_OK) status = flushed;
  for (int i = 0; i < p->worker_count; i++) {
    worker *w = &p->workers[i];
    if (w->socket >= 0) close(w->socket);
    if (w->pid > 0) {
      if (status != ERG_OK) kill(w->pid, SIGKILL);
      while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR) continue;
    }
    free(w->in.bytes);
  }
  erg_trail_close(options->trail, options->jobs, p->trail);
  erg_progress_end(&p->progress);
  sigaction(SIGINT, &old_int, NULL);
  sigaction(SIGTERM, &old_term, NULL);
  erg_sweep_inputs_free(&p->inputs);
  free(p->retries);
  free(p->waiting);
  free(p);
  return status;
}
