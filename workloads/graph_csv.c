/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SCALE-Sim's topology files: convolution rows (name, H, W, R, S, C, filters, stride) and GEMM rows (name, M, N, K).
 * The first line is a header. Shipped files hold blank rows, rows of commas alone, rows without the last comma and
 * further columns; all of these are taken as they are meant. Layers are independent: each gets an input node of its
 * own. */
#include "graph.h"
#include <ctype.h>
#include <string.h>

#define MOST_FIELDS 32

typedef struct {
  const char *file;
  int line;
  int batch;
  erg_graph *graph;
  int capacity;
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

static bool number(reader *r, const cell *c, const char *what, int64_t *value) {
  if (erg_parse_int(c->text, value) && *value >= 1 && *value <= 1 << 24) return true;
  erg_fail(r->error, ERG_ERR_DATA, "%s:%d:%d: %s: found %s; allowed: a whole number from 1 to 2^24", r->file, r->line,
           c->column, what, *c->text ? c->text : "nothing");
  return false;
}

/* Fields behind the ones a row needs: a sparsity N:M, or columns of other tools. */
static void further(reader *r, const cell *cells, int from, int count) {
  for (int i = from; i < count; i++) {
    if (!strchr(cells[i].text, ':'))
      erg_graph_note(r->graph, "columns behind the last known one are ignored");
    else if (strcmp(cells[i].text, "1:1") != 0)
      erg_graph_note(r->graph, "sparsity N:M is read as dense: every MAC and weight counts");
  }
}

static const char *unique_name(reader *r, const char *name) {
  const char *candidate = *name ? erg_arena_strdup(&r->graph->arena, name) : "layer";
  for (int again = 2;; again++) {
    bool taken = false;
    for (int id = 0; id < r->graph->node_count && !taken; id++)
      taken = strcmp(r->graph->nodes[id].name, candidate) == 0;
    if (!taken) return candidate;
    candidate = erg_arena_printf(&r->graph->arena, "%s_%d", *name ? name : "layer", again);
  }
}

static void add_layer(reader *r, const char *name, erg_shape in, const char *op, erg_attrs attrs) {
  erg_graph *graph = r->graph;
  if (graph->node_count + 2 > r->capacity) {
    int capacity = r->capacity ? 2 * r->capacity : 64;
    erg_node *nodes = erg_arena_alloc(&graph->arena, sizeof *nodes * (size_t)capacity);
    if (!nodes) {
      erg_fail(r->error, ERG_ERR_INTERNAL, "out of memory");
      return;
    }
    if (graph->node_count) memcpy(nodes, graph->nodes, sizeof *nodes * (size_t)graph->node_count);
    graph->nodes = nodes;
    r->capacity = capacity;
  }
  const char *unique = unique_name(r, name);
  erg_position position = {r->line, 1};
  graph->nodes[graph->node_count++] = (erg_node){.name = erg_arena_printf(&graph->arena, "%s/input", unique),
                                                 .op = erg_op_find("input"),
                                                 .out = in,
                                                 .position = position};
  graph->nodes[graph->node_count] = (erg_node){
      .name = unique, .op = erg_op_find(op), .attrs = attrs, .inputs = {graph->node_count - 1}, .position = position};
  erg_graph_infer(r->file, graph, graph->node_count++, r->error);
}

static bool too_few(reader *r, int count, int needed, const char *what) {
  if (count >= needed) return false;
  erg_fail(r->error, ERG_ERR_DATA, "%s:%d:1: found %d fields; a row needs %d: %s", r->file, r->line, count, needed,
           what);
  return true;
}

static void gemm_row(reader *r, const cell *cells, int count) {
  int64_t m, n, k;
  if (too_few(r, count, 4, "name, M, N, K")) return;
  bool good = number(r, &cells[1], "M", &m);
  good = number(r, &cells[2], "N", &n) && good;
  good = number(r, &cells[3], "K", &k) && good;
  further(r, cells, 4, count);
  if (good && m * r->batch > 1 << 30) {
    erg_fail(r->error, ERG_ERR_DATA, "%s:%d:%d: M: found %lld times batch %d; allowed: 2^30 rows", r->file, r->line,
             cells[1].column, (long long)m, r->batch);
    good = false;
  }
  if (!good) return;
  erg_attrs attrs = {.filters = (int)n, .stride_h = 1, .stride_w = 1, .groups = 1};
  add_layer(r, cells[0].text, (erg_shape){1, (int)m * r->batch, 1, (int)k}, "gemm", attrs);
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
  /* DP in the name: one channel a copy, `filters` each, as many copies as channels; a grouped convolution. */
  bool depthwise = strstr(cells[0].text, "DP") != NULL;
  int64_t stride = v[7], filters = depthwise ? v[5] * v[6] : v[6];
  erg_attrs attrs = {.filters = (int)filters,
                     .kernel_h = (int)v[3],
                     .kernel_w = (int)v[4],
                     .stride_h = (int)stride,
                     .stride_w = (int)stride,
                     .groups = depthwise ? (int)v[5] : 1};
  /* Outputs are ceil((H - R + s) / s): a last window that sticks out counts, its missing taps are padding. */
  attrs.pad_bottom = (int)((stride - (v[1] - v[3]) % stride) % stride);
  attrs.pad_right = (int)((stride - (v[2] - v[4]) % stride) % stride);
  if (attrs.pad_bottom >= attrs.kernel_h || attrs.pad_right >= attrs.kernel_w) {
    erg_graph_note(r->graph, "windows that would lie in padding alone are left out");
    if (attrs.pad_bottom >= attrs.kernel_h) attrs.pad_bottom = 0;
    if (attrs.pad_right >= attrs.kernel_w) attrs.pad_right = 0;
  }
  add_layer(r, cells[0].text, (erg_shape){r->batch, (int)v[1], (int)v[2], (int)v[5]}, "conv2d", attrs);
}

/* A GEMM file's header names M, N and K as its second to fourth column. */
static bool is_gemm(const cell *cells, int count) {
  return count >= 4 && strcasecmp(cells[1].text, "M") == 0 && strcasecmp(cells[2].text, "N") == 0 &&
         strcasecmp(cells[3].text, "K") == 0;
}

erg_status erg_graph_read_csv(const char *file, const char *text, int batch, erg_graph *graph, erg_error *error) {
  erg_error faults = {0};
  reader r = {.file = file, .batch = batch, .graph = graph, .error = &faults};
  char *copy = erg_arena_strdup(&graph->arena, text);
  if (!copy) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  const char *slash = strrchr(file, '/');
  char *name = erg_arena_strdup(&graph->arena, slash ? slash + 1 : file);
  name[strlen(name) - strlen(".csv")] = 0;
  graph->name = *name ? name : "workload";
  bool gemm = false;
  for (char *rest = copy, *row; (row = strsep(&rest, "\n"));) {
    cell cells[MOST_FIELDS];
    int count = split(row, cells);
    if (++r.line == 1)
      gemm = is_gemm(cells, count);
    else if (count > 0)
      (gemm ? gemm_row : conv_row)(&r, cells, count);
  }
  erg_status status = faults.status;
  if (status == ERG_OK && graph->node_count == 0)
    status = erg_fail(error, ERG_ERR_DATA, "%s:1:1: found no layer; a header and at least one row are needed", file);
  else if (status != ERG_OK)
    erg_fail(error, status, "%s", faults.text ? faults.text : "");
  erg_error_clear(&faults);
  return status;
}
