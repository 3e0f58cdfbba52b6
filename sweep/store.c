/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows in SQLite: write-ahead log, a thousand rows a transaction, the key as 32 bytes. */
#include "ergon/sweep.h"
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEMA_VERSION 2 /* 2: accuracy */
#define BATCH 1000

struct erg_store {
  sqlite3 *db;
  sqlite3_stmt *insert, *find;
  char *path;
  int waiting; /* rows in the open transaction */
  int64_t model_version;
};

static erg_status damaged(const erg_store *s, erg_error *error) {
  return erg_fail(error, ERG_ERR_DATA,
                  "%s: the store is damaged; nothing was changed: move it away, or save what can be read with `sqlite3 "
                  "FILE .recover`",
                  s->path);
}

static bool execute(erg_store *s, const char *sql) {
  return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static erg_status say_fault(const erg_store *s, erg_error *error, const char *what) {
  int code = sqlite3_errcode(s->db);
  const char *path = s->path;
  if (code == SQLITE_FULL || (code == SQLITE_IOERR && sqlite3_system_errno(s->db) == ENOSPC))
    return erg_fail(error, ERG_ERR_IO, "%s: the disk is full; rows stored so far are safe, the same command goes on",
                    path);
  if (code == SQLITE_CORRUPT) return damaged(s, error);
  if (code == SQLITE_NOTADB)
    return erg_fail(error, ERG_ERR_DATA, "%s: no store (not an SQLite file); nothing was changed: give another --store",
                    path);
  if (code == SQLITE_READONLY || code == SQLITE_CANTOPEN || code == SQLITE_PERM)
    return erg_fail(error, ERG_ERR_CREATE, "%s: cannot be written: %s", path, sqlite3_errmsg(s->db));
  if (code == SQLITE_BUSY)
    return erg_fail(error, ERG_ERR_IO, "%s: another process is writing to it for more than a minute", path);
  return erg_fail(error, ERG_ERR_IO, "%s: %s: %s", path, what, sqlite3_errmsg(s->db));
}

/* A statement went wrong. SQLite takes the transaction back then or not, by the fault: here it always ends, and what
 * waited in it is computed again by the same command. */
static erg_status fault(erg_store *s, erg_error *error, const char *what) {
  erg_status status = say_fault(s, error, what);
  if (s->waiting) execute(s, "ROLLBACK");
  s->waiting = 0;
  return status;
}

/* SQL over the columns: `each` is printed once a column. */
static char *over_columns(const char *before, const char *each, const char *between, const char *behind) {
  char *text = NULL;
  size_t bytes = 0;
  FILE *out = open_memstream(&text, &bytes);
  if (!out) return NULL;
  fputs(before, out);
  for (int c = 0; c < ERG_SWEEP_COLUMN_COUNT; c++) {
    static const char *const types[] = {"TEXT", "INTEGER", "REAL"};
    if (c) fputs(between, out);
    if (strcmp(each, "type") == 0)
      fprintf(out, "\"%s\" %s", erg_sweep_columns[c].name, types[erg_sweep_columns[c].type]);
    else if (strcmp(each, "name") == 0)
      fprintf(out, "\"%s\"", erg_sweep_columns[c].name);
    else
      fputs("?", out);
  }
  fputs(behind, out);
  fclose(out);
  return text;
}

static int64_t number(erg_store *s, const char *sql, int64_t otherwise) {
  sqlite3_stmt *query = NULL;
  int64_t value = otherwise;
  if (sqlite3_prepare_v2(s->db, sql, -1, &query, NULL) == SQLITE_OK && sqlite3_step(query) == SQLITE_ROW)
    value = sqlite3_column_int64(query, 0);
  sqlite3_finalize(query);
  return value;
}

static erg_status make_tables(erg_store *s, erg_error *error) {
  char *table =
      over_columns("CREATE TABLE IF NOT EXISTS points(key BLOB PRIMARY KEY, ", "type", ", ", ") WITHOUT ROWID");
  char meta[256];
  snprintf(meta, sizeof meta,
           "CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value INTEGER); INSERT OR IGNORE INTO meta VALUES "
           "('schema', %d), ('model_version', %d)",
           SCHEMA_VERSION, ERG_MODEL_VERSION);
  bool good = table && execute(s, "BEGIN IMMEDIATE") && execute(s, table) && execute(s, meta) && execute(s, "COMMIT");
  free(table);
  return good ? ERG_OK : fault(s, error, "making the tables");
}

/* Whether it is a store that this program can read, and one it may add to. */
static erg_status check_versions(erg_store *s, bool create, erg_error *error) {
  sqlite3_stmt *probe = NULL;
  if (sqlite3_prepare_v2(s->db, "SELECT count(*) FROM sqlite_master", -1, &probe, NULL) != SQLITE_OK ||
      sqlite3_step(probe) != SQLITE_ROW) {
    erg_status status = fault(s, error, "reading it");
    sqlite3_finalize(probe);
    return status;
  }
  int64_t tables = sqlite3_column_int64(probe, 0);
  sqlite3_finalize(probe);
  if (tables == 0 && create) return make_tables(s, error);
  int64_t schema = number(s, "SELECT value FROM meta WHERE name = 'schema'", -1);
  /* Both tables are there and its own row is not: pages were overwritten. */
  if (schema < 0 && number(s, "SELECT count(*) FROM sqlite_master WHERE name IN ('points', 'meta')", 0) == 2)
    return damaged(s, error);
  s->model_version = number(s, "SELECT value FROM meta WHERE name = 'model_version'", -1);
  if (schema != SCHEMA_VERSION)
    return erg_fail(error, ERG_ERR_DATA, "%s: no store of this version of ergon (schema %lld; needed: %d)", s->path,
                    (long long)schema, SCHEMA_VERSION);
  if (create && s->model_version != ERG_MODEL_VERSION)
    return erg_fail(error, ERG_ERR_DATA,
                    "%s: holds results of model version %lld, this program has %d: numbers for the same point differ "
                    "(CHANGELOG.md); nothing was changed, give another --store",
                    s->path, (long long)s->model_version, ERG_MODEL_VERSION);
  return ERG_OK;
}

static erg_status prepare(erg_store *s, erg_error *error) {
  char *names = over_columns("INSERT OR IGNORE INTO points(key, ", "name", ", ", ") VALUES (?, "), *sql = NULL;
  char *marks = names ? over_columns(names, "mark", ", ", ")") : NULL;
  sql = marks;
  bool good =
      sql && sqlite3_prepare_v2(s->db, sql, -1, &s->insert, NULL) == SQLITE_OK &&
      sqlite3_prepare_v2(s->db, "SELECT status = 'failed' FROM points WHERE key = ?", -1, &s->find, NULL) == SQLITE_OK;
  free(names);
  free(marks);
  return good ? ERG_OK : fault(s, error, "reading its tables");
}

erg_status erg_store_open(const char *path, bool create, erg_store **out, erg_error *error) {
  if (!create && access(path, R_OK) != 0) return erg_fail(error, ERG_ERR_NO_INPUT, "%s: %s", path, strerror(errno));
  erg_store *s = calloc(1, sizeof *s);
  if (!s) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  s->path = strdup(path);
  s->model_version = ERG_MODEL_VERSION;
  int flags = create ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  erg_status status = ERG_OK;
  if (!s->path || sqlite3_open_v2(path, &s->db, flags, NULL) != SQLITE_OK) {
    status =
        erg_fail(error, ERG_ERR_CREATE, "%s: cannot be opened: %s", path, s->db ? sqlite3_errmsg(s->db) : "no memory");
  } else {
    sqlite3_busy_timeout(s->db, 60000);
    status = check_versions(s, create, error);
  }
  if (status == ERG_OK && create &&
      (!execute(s, "PRAGMA journal_mode = WAL") || !execute(s, "PRAGMA synchronous = NORMAL")))
    status = fault(s, error, "setting it up");
  if (status == ERG_OK) status = prepare(s, error);
  if (status == ERG_OK)
    *out = s;
  else
    erg_store_close(s);
  return status;
}

void erg_store_close(erg_store *s) {
  if (!s) return;
  if (s->waiting) execute(s, "COMMIT");
  sqlite3_finalize(s->insert);
  sqlite3_finalize(s->find);
  sqlite3_close(s->db);
  free(s->path);
  free(s);
}

static void key_bytes(const char *hex, unsigned char bytes[32]) {
  for (int i = 0; i < 32; i++) {
    unsigned value = 0;
    for (int k = 0; k < 2; k++) {
      char c = hex[2 * i + k];
      value = value << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    bytes[i] = (unsigned char)value;
  }
}

/* Looking can fail for want of disk: to make room for the page it reads, SQLite writes out one that waits. */
erg_status erg_store_find(erg_store *s, const char *key, erg_stored *found, erg_error *error) {
  unsigned char bytes[32];
  key_bytes(key, bytes);
  sqlite3_bind_blob(s->find, 1, bytes, sizeof bytes, SQLITE_STATIC);
  int step = sqlite3_step(s->find);
  *found = step != SQLITE_ROW ? ERG_NOT_STORED : sqlite3_column_int(s->find, 0) ? ERG_STORED_FAILED : ERG_STORED;
  erg_status status = step == SQLITE_ROW || step == SQLITE_DONE ? ERG_OK : fault(s, error, "looking for a row");
  sqlite3_reset(s->find);
  return status;
}

erg_status erg_store_forget_failed(erg_store *s, const char *key, erg_error *error) {
  sqlite3_stmt *forget = NULL;
  unsigned char bytes[32];
  if (s->waiting == 0 && !execute(s, "BEGIN IMMEDIATE")) return fault(s, error, "beginning to write");
  s->waiting++;
  key_bytes(key, bytes);
  bool good = sqlite3_prepare_v2(s->db, "DELETE FROM points WHERE key = ? AND status = 'failed'", -1, &forget, NULL) ==
                  SQLITE_OK &&
              sqlite3_bind_blob(forget, 1, bytes, sizeof bytes, SQLITE_STATIC) == SQLITE_OK &&
              sqlite3_step(forget) == SQLITE_DONE;
  erg_status status = good ? ERG_OK : fault(s, error, "taking out a failed row");
  sqlite3_finalize(forget);
  return status;
}

erg_status erg_store_put(erg_store *s, const erg_sweep_row *row, erg_error *error) {
  unsigned char bytes[32];
  if (s->waiting == 0 && !execute(s, "BEGIN IMMEDIATE")) return fault(s, error, "beginning to write");
  key_bytes(row->key, bytes);
  sqlite3_bind_blob(s->insert, 1, bytes, sizeof bytes, SQLITE_STATIC);
  for (int c = 0; c < ERG_SWEEP_COLUMN_COUNT; c++) {
    const erg_cell *cell = &row->cells[c];
    if (!cell->known)
      sqlite3_bind_null(s->insert, c + 2);
    else if (erg_sweep_columns[c].type == ERG_COLUMN_TEXT)
      sqlite3_bind_text(s->insert, c + 2, cell->text, -1, SQLITE_STATIC);
    else if (erg_sweep_columns[c].type == ERG_COLUMN_INTEGER)
      sqlite3_bind_int64(s->insert, c + 2, cell->integer);
    else
      sqlite3_bind_double(s->insert, c + 2, cell->real);
  }
  s->waiting++;
  bool good = sqlite3_step(s->insert) == SQLITE_DONE;
  erg_status status = good ? ERG_OK : fault(s, error, "writing a row");
  sqlite3_reset(s->insert);
  sqlite3_clear_bindings(s->insert);
  return status == ERG_OK && s->waiting >= BATCH ? erg_store_flush(s, error) : status;
}

erg_status erg_store_flush(erg_store *s, erg_error *error) {
  if (s->waiting && !execute(s, "COMMIT")) return fault(s, error, "writing");
  s->waiting = 0;
  return ERG_OK;
}

int64_t erg_store_count(erg_store *s, const char *status) {
  sqlite3_stmt *query = NULL;
  int64_t count = 0;
  const char *sql = status ? "SELECT count(*) FROM points WHERE status = ?" : "SELECT count(*) FROM points";
  if (sqlite3_prepare_v2(s->db, sql, -1, &query, NULL) == SQLITE_OK) {
    if (status) sqlite3_bind_text(query, 1, status, -1, SQLITE_STATIC);
    if (sqlite3_step(query) == SQLITE_ROW) count = sqlite3_column_int64(query, 0);
  }
  sqlite3_finalize(query);
  return count;
}

int64_t erg_store_model_version(erg_store *s) {
  return s->model_version;
}

bool erg_store_has_accuracy(erg_store *s) {
  return number(s, "SELECT EXISTS(SELECT 1 FROM points WHERE accuracy IS NOT NULL)", 0) != 0;
}

static int column_of(const char *name, size_t length) {
  for (int c = 0; c < ERG_SWEEP_COLUMN_COUNT; c++)
    if (strlen(erg_sweep_columns[c].name) == length && strncmp(erg_sweep_columns[c].name, name, length) == 0) return c;
  return -1;
}

static erg_status no_column(const char *option, const char *text, erg_error *error) {
  char word[64];
  snprintf(word, sizeof word, "%.*s", (int)strcspn(text, "="), text);
  const char *names[ERG_SWEEP_COLUMN_COUNT + 1] = {NULL};
  for (int c = 0; c < ERG_SWEEP_COLUMN_COUNT; c++) names[c] = erg_sweep_columns[c].name;
  const char *nearest = erg_nearest(word, names);
  return erg_fail(error, ERG_ERR_USAGE, "%s: found '%s'%s%s%s; columns are those of `ergon sweep export --csv`", option,
                  text, nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "");
}

/* SQL of a query; the values of `where` are bound behind. */
static erg_status write_query(const erg_store_query *q, char **out, erg_error *error) {
  char *base = over_columns("SELECT lower(hex(key)), ", "name", ", ", " FROM points"), *text = NULL;
  size_t bytes = 0;
  FILE *sql = base ? open_memstream(&text, &bytes) : NULL;
  if (!sql) {
    free(base);
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  fputs(base, sql);
  free(base);
  erg_status status = ERG_OK;
  for (int i = 0; q->where && q->where[i]; i++) {
    size_t length = strcspn(q->where[i], "=");
    int column = column_of(q->where[i], length);
    if (column < 0 || q->where[i][length] != '=')
      status = no_column("--where", q->where[i], error);
    else
      fprintf(sql, "%s \"%s\" = ?", i ? " AND" : " WHERE", erg_sweep_columns[column].name);
  }
  const char *sort = q->sort;
  bool down = sort && *sort == '-';
  if (down) sort++;
  if (sort && column_of(sort, strlen(sort)) < 0) status = no_column("--sort", sort, error);
  fprintf(sql, " ORDER BY %s", q->comparable ? "workload, batch, technology, " : "");
  if (sort && status == ERG_OK) fprintf(sql, "\"%s\"%s NULLS LAST, ", sort, down ? " DESC" : "");
  if (q->then && status == ERG_OK) fprintf(sql, "\"%s\" NULLS LAST, ", q->then);
  fputs("workload, arch, technology, model, dataflow, fusion, format, weight_bits, activation_bits, accumulator_bits, "
        "output_bits, batch, \"set\", key",
        sql);
  if (q->limit > 0) fprintf(sql, " LIMIT %lld", (long long)q->limit);
  fclose(sql);
  *out = text;
  return status;
}

static void read_row(sqlite3_stmt *query, erg_sweep_row *row) {
  memset(row, 0, sizeof *row);
  snprintf(row->key, sizeof row->key, "%s", (const char *)sqlite3_column_text(query, 0));
  for (int c = 0; c < ERG_SWEEP_COLUMN_COUNT; c++) {
    erg_cell *cell = &row->cells[c];
    cell->known = sqlite3_column_type(query, c + 1) != SQLITE_NULL;
    if (!cell->known) continue;
    if (erg_sweep_columns[c].type == ERG_COLUMN_TEXT)
      cell->text = (const char *)sqlite3_column_text(query, c + 1);
    else if (erg_sweep_columns[c].type == ERG_COLUMN_INTEGER)
      cell->integer = sqlite3_column_int64(query, c + 1);
    else
      cell->real = sqlite3_column_double(query, c + 1);
  }
}

erg_status erg_store_each(erg_store *s, const erg_store_query *q,
                          erg_status (*use)(void *context, const erg_sweep_row *row, erg_error *error), void *context,
                          erg_error *error) {
  char *sql = NULL;
  sqlite3_stmt *query = NULL;
  erg_sweep_row row;
  erg_status status = write_query(q, &sql, error);
  if (status == ERG_OK && sqlite3_prepare_v2(s->db, sql, -1, &query, NULL) != SQLITE_OK)
    status = fault(s, error, "reading it");
  for (int i = 0; status == ERG_OK && q->where && q->where[i]; i++)
    sqlite3_bind_text(query, i + 1, strchr(q->where[i], '=') + 1, -1, SQLITE_STATIC);
  while (status == ERG_OK) {
    int step = sqlite3_step(query);
    if (step == SQLITE_DONE) break;
    if (step != SQLITE_ROW) {
      status = fault(s, error, "reading it");
      break;
    }
    read_row(query, &row);
    status = use(context, &row, error);
  }
  sqlite3_finalize(query);
  free(sql);
  return status;
}

erg_status erg_store_merge(erg_store *s, const char *path, int64_t *added, erg_error *error) {
  erg_store *other = NULL;
  erg_status status = erg_store_open(path, false, &other, error);
  if (status != ERG_OK || !other) return status;
  int64_t version = other->model_version, before = erg_store_count(s, NULL);
  erg_store_close(other);
  if (version != s->model_version)
    return erg_fail(error, ERG_ERR_DATA, "%s: holds results of model version %lld, %s of %lld; nothing was merged",
                    path, (long long)version, s->path, (long long)s->model_version);
  status = erg_store_flush(s, error);
  sqlite3_stmt *attach = NULL;
  bool good = status == ERG_OK && sqlite3_prepare_v2(s->db, "ATTACH ? AS shard", -1, &attach, NULL) == SQLITE_OK;
  if (good) {
    sqlite3_bind_text(attach, 1, path, -1, SQLITE_STATIC);
    good = sqlite3_step(attach) == SQLITE_DONE;
  }
  sqlite3_finalize(attach);
  char *names = over_columns("", "name", ", ", "");
  char *sql =
      names ? sqlite3_mprintf("INSERT OR IGNORE INTO points(key, %s) SELECT key, %s FROM shard.points", names, names)
            : NULL;
  if (good) good = sql && execute(s, sql);
  if (!good && status == ERG_OK) status = fault(s, error, "merging");
  execute(s, "DETACH shard");
  sqlite3_free(sql);
  free(names);
  if (status == ERG_OK) *added = erg_store_count(s, NULL) - before;
  return status;
}
