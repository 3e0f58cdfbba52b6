/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SCALE-Sim's topology files: convolution rows (name, H, W, R, S, C, filters, stride) and GEMM rows (name, M, N, K).
 * The first line is a header. Shipped files hold blank rows, rows of commas alone, rows without the last comma and
 * further columns; all of these are taken as they are meant. Layers are independent: each gets an input node of its
 * own. */
#include "graph.h"
#include <ctype.h>
#include <string.h>
#include <strings.h>

#define MOST_FIELDS 32
#define MOST_LAYERS 10000
#define MOST_EXTENT (1 << 24)

/* What the reader took liberties with: said once a file, with the first line and the number of rows. */
enum { NOTE_HEADER, NOTE_COLUMNS, NOTE_SPARSITY, NOTE_DEPTHWISE, NOTE_BEYOND, NOTE_COUNT };
static const char *const note_texts[NOTE_COUNT] = {
    "the first line is skipped as a header, though it reads like a layer",
    "columns behind the last known one are ignored",
    "sparsity N:M is read as dense: every MAC and weight counts",
    "DP in the name: one channel a copy, as many copies as channels (a grouped convolution)",
    "the last window lies beyond the map: counted, as SCALE-Sim does, over a map extended by as many rows and columns",
};

typedef struct {
  const char *file;
  int line;
  int batch;
  erg_graph *graph;
  int capacity, layers;
  const char **given; /* by layer: the name as the file has it */
  struct {
    int first_line, rows;
  } notes[NOTE_COUNT];
  erg_error *error;
} reader;

typedef struct {
  char *text;
  int column;
} cell;

static char *trim(char *text, int *column) {
  while (isspace((unsigned char)*text)) {
    text++;
    (*column)++;
  }
  for (size_t n = strlen(text); n > 0 && isspace((unsigned char)text[n - 1]); n--) text[n - 1] = 0;
  return text;
}

/* Splits a row at commas; empty cells at the end are dropped. */
static int split(char *row, cell cells[MOST_FIELDS]) {
  int count = 0, column = 1;
  for (char *rest = row; rest && count < MOST_FIELDS;) {
    char *start = rest, *word = strsep(&rest, ",");
    int at = column;
    column += (int)(rest ? rest - start : 0);
    cells[count].text = trim(word, &at);
    cells[count++].column = at;
  }
  while (count > 0 && !*cells[count - 1].text) count--;
  return count;
}

static void take_note(reader *r, int note) {
  if (r->notes[note].rows++ == 0) r->notes[note].first_line = r->line;
}

static void write_notes(reader *r) {
  for (int i = 0; i < NOTE_COUNT; i++) {
    char more[48] = "", text[256];
    if (r->notes[i].rows == 0) continue;
    if (r->notes[i].rows > 1) snprintf(more, sizeof more, " and %d more", r->notes[i].rows - 1);
    snprintf(text, sizeof text, "line %d%s: %s", r->notes[i].first_line, more, note_texts[i]);
    erg_graph_note(r->graph, text);
  }
}

static bool number(reader *r, const cell *c, const char *what, int64_t *value) {
  if (erg_parse_int(c->text, value) && *value >= 1 && *value <= MOST_EXTENT) return true;
  erg_fail(r->error, ERG_ERR_DATA, "%s:%d:%d: %s: found %s; allowed: a whole number from 1 to 2^24", r->file, r->line,
           c->column, what, *c->text ? c->text : "nothing");
  return false;
}

/* Fields behind the ones a row needs: a sparsity N:M, or columns of other tools. */
static void further(reader *r, const cell *cells, int from, int count) {
  bool unknown = false;
  for (int i = from; i < count; i++) {
    int kept, of, used = 0;
    bool sparsity = sscanf(cells[i].text, "%9d:%9d%n", &kept, &of, &used) == 2 && !cells[i].text[used];
    if (sparsity && kept != of) take_note(r, NOTE_SPARSITY);
    unknown |= !sparsity;
  }
  if (unknown) take_note(r, NOTE_COLUMNS);
}

static bool taken(const erg_graph *graph, const char *name) {
  size_t length = strlen(name);
  for (int id = 0; id < graph->node_count; id++) {
    const char *other = graph->nodes[id].name;
    if (strncmp(other, name, length) == 0 && (!other[length] || strcmp(other + length, "/input") == 0)) return true;
  }
  return false;
}

/* Shipped files repeat names: the second A is A_2. */
static const char *unique_name(reader *r, const char *name) {
  int again = 1;
  for (int i = 0; i < r->layers; i++) again += strcmp(r->given[i], name) == 0;
  for (;; again++) {
    const char *candidate = again == 1 ? name : erg_arena_printf(&r->graph->arena, "%s_%d", name, again);
    if (!candidate) return name;
    if (!taken(r->graph, candidate)) return candidate;
  }
}

static bool grow(reader *r) {
  erg_arena *arena = &r->graph->arena;
  if (r->layers < r->capacity) return true;
  int capacity = r->capacity ? 2 * r->capacity : 64;
  erg_node *nodes = erg_arena_alloc(arena, sizeof *nodes * 2 * (size_t)capacity);
  const char **given = erg_arena_alloc(arena, sizeof *given * (size_t)capacity);
  if (!nodes || !given) {
    erg_fail(r->error, ERG_ERR_INTERNAL, "out of memory");
    return false;
  }
  if (r->layers) {
    memcpy(nodes, r->graph->nodes, sizeof *nodes * (size_t)r->graph->node_count);
    memcpy(given, r->given, sizeof *given * (size_t)r->layers);
  }
  r->graph->nodes = nodes;
  r->given = given;
  r->capacity = capacity;
  return true;
}

static void add_layer(reader *r, const char *name, erg_shape in, const char *op, erg_attrs attrs) {
  erg_graph *graph = r->graph;
  erg_position position = {r->line, 1};
  if (r->layers == MOST_LAYERS)
    erg_fail(r->error, ERG_ERR_DATA, "%s:%d:1: found one more layer; allowed: %d", r->file, r->line, MOST_LAYERS);
  if (r->layers >= MOST_LAYERS || !grow(r)) return;
  if (!*name) name = "layer";
  const char *unique = unique_name(r, name);
  r->given[r->layers++] = name;
  int id = graph->node_count;
  graph->nodes[id] = (erg_node){.name = erg_arena_printf(&graph->arena, "%s/input", unique),
                                .op = erg_op_find("input"),
                                .out = in,
                                .position = position};
  graph->nodes[id + 1] =
      (erg_node){.name = unique, .op = erg_op_find(op), .attrs = attrs, .inputs = {id}, .position = position};
  graph->node_count += 2;
  if (erg_graph_infer(r->file, graph, id, r->error) == ERG_OK) erg_graph_infer(r->file, graph, id + 1, r->error);
}

static bool too_few(reader *r, int count, int needed, const char *what) {
  if (count >= needed) return false;
  erg_fail(r->error, ERG_ERR_DATA, "%s:%d:1: found %d fields; a row needs %d: %s", r->file, r->line, count, needed,
           what);
  return true;
}

static void gemm_row(reader *r, const cell *cells, int count) {
  int64_t m = 0, n = 0, k = 0;
  if (too_few(r, count, 4, "name, M, N, K")) return;
  bool good = number(r, &cells[1], "M", &m);
  good = number(r, &cells[2], "N", &n) && good;
  good = number(r, &cells[3], "K", &k) && good;
  further(r, cells, 4, count);
  erg_attrs attrs = {.filters = (int)n, .stride_h = 1, .stride_w = 1, .groups = 1};
  if (good) add_layer(r, cells[0].text, (erg_shape){r->batch, (int)m, 1, (int)k}, "gemm", attrs);
}

/* Outputs are ceil((extent - kernel + stride) / stride): a last window that sticks out counts, its missing taps are
 * padding. One that starts beyond the map (kernel below stride) cannot be padding alone: the map is extended. */
static void fit_last_window(reader *r, int64_t kernel, int64_t stride, int *extent, int *pad) {
  int64_t missing = (stride - (*extent - kernel) % stride) % stride;
  if (missing < kernel) {
    *pad = (int)missing;
  } else {
    *extent += (int)missing;
    take_note(r, NOTE_BEYOND);
  }
}

static void conv_row(reader *r, const cell *cells, int count) {
  static const char *const names[] = {"",         "IFMAP height", "IFMAP width", "filter height", "filter width",
                                      "channels", "num filter",   "strides"};
  int64_t v[8] = {0};
  if (too_few(r, count, 8, "name, H, W, R, S, C, filters, stride")) return;
  bool good = true;
  for (int i = 1; i < 8; i++) good = number(r, &cells[i], names[i], &v[i]) && good;
  further(r, cells, 8, count);
  if (!good) return;
  if (v[3] > v[1] || v[4] > v[2]) {
    erg_fail(r->error, ERG_ERR_DATA, "%s:%d:%d: filter: found %d x %d; allowed: at most the map, %d x %d", r->file,
             r->line, cells[3].column, (int)v[3], (int)v[4], (int)v[1], (int)v[2]);
    return;
  }
  bool depthwise = strstr(cells[0].text, "DP") != NULL; /* the number of filters is each copy's */
  int64_t filters = depthwise ? v[5] * v[6] : v[6];
  if (filters > MOST_EXTENT) {
    erg_fail(r->error, ERG_ERR_DATA, "%s:%d:%d: num filter: found %lld copies of %lld filters; allowed: 2^24 together",
             r->file, r->line, cells[6].column, (long long)v[5], (long long)v[6]);
    return;
  }
  if (depthwise) take_note(r, NOTE_DEPTHWISE);
  erg_shape in = {r->batch, (int)v[1], (int)v[2], (int)v[5]};
  erg_attrs attrs = {.filters = (int)filters,
                     .kernel_h = (int)v[3],
                     .kernel_w = (int)v[4],
                     .stride_h = (int)v[7],
                     .stride_w = (int)v[7],
                     .groups = depthwise ? (int)v[5] : 1};
  int beyond = r->notes[NOTE_BEYOND].rows;
  fit_last_window(r, v[3], v[7], &in.h, &attrs.pad_bottom);
  fit_last_window(r, v[4], v[7], &in.w, &attrs.pad_right);
  if (r->notes[NOTE_BEYOND].rows > beyond) r->notes[NOTE_BEYOND].rows = beyond + 1; /* both axes: one row of the file */
  add_layer(r, cells[0].text, in, "conv2d", attrs);
}

/* A GEMM file's header names M, N and K as its second to fourth column; in another order the file is ambiguous, since
 * other readers skip the header. */
static bool is_gemm(reader *r, const cell *cells, int count) {
  char key[4] = "";
  for (int i = 1; i < 4; i++) {
    if (count < 4 || strlen(cells[i].text) != 1) return false;
    key[i - 1] = (char)toupper((unsigned char)cells[i].text[0]);
  }
  if (!strchr(key, 'M') || !strchr(key, 'N') || !strchr(key, 'K')) return false;
  if (strcmp(key, "MNK") != 0)
    erg_fail(r->error, ERG_ERR_DATA, "%s:1:%d: found columns %c, %c, %c; allowed: M, N, K in this order", r->file,
             cells[1].column, key[0], key[1], key[2]);
  return true;
}

/* A first line of numbers is most likely a layer whose header is missing. */
static void check_header(reader *r, const cell *cells, int count) {
  int64_t value;
  for (int i = 1; i < 4; i++)
    if (i >= count || !erg_parse_int(cells[i].text, &value)) return;
  take_note(r, NOTE_HEADER);
}

erg_status erg_graph_read_csv(const char *file, const char *text, int batch, erg_graph *graph, erg_error *error) {
  erg_error faults = {0};
  reader r = {.file = file, .batch = batch, .graph = graph, .error = &faults};
  const char *slash = strrchr(file, '/');
  char *copy = erg_arena_strdup(&graph->arena, text);
  char *name = erg_arena_strdup(&graph->arena, slash ? slash + 1 : file);
  if (!copy || !name) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  name[strlen(name) - strlen(".csv")] = 0;
  graph->name = *name ? name : "workload";
  bool gemm = false;
  for (char *rest = copy, *row; (row = strsep(&rest, "\n"));) {
    cell cells[MOST_FIELDS];
    int count = split(row, cells);
    if (++r.line == 1) {
      gemm = is_gemm(&r, cells, count);
      check_header(&r, cells, count);
    } else if (count > 0) {
      (gemm ? gemm_row : conv_row)(&r, cells, count);
    }
  }
  write_notes(&r);
  erg_status status = faults.status;
  if (status == ERG_OK && graph->node_count == 0)
    status = erg_fail(error, ERG_ERR_DATA, "%s:1:1: found no layer; a header and at least one row are needed", file);
  else if (status != ERG_OK)
    erg_fail(error, status, "%s", faults.text ? faults.text : "out of memory");
  erg_error_clear(&faults);
  return status;
}
