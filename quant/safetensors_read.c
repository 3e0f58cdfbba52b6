/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nothing in the file is believed: every length is compared with what is there before a byte is touched. */
#include "safetensors.h"
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MOST ((int64_t)4 << 30)

typedef struct {
  const char *path;
  const erg_graph *graph;
  unsigned char *bytes; /* the data section */
  int64_t size;
  bool krsc;
  int64_t *begins, *ends; /* of every tensor of the file */
  int spans;
  erg_error *error;
} reader;

#define FAULT(r, ...) erg_fail((r)->error, ERG_ERR_DATA, __VA_ARGS__)

/* Two integers 0 <= begin <= end <= size. */
static bool read_span(reader *r, const char *name, const json_t *entry, int64_t *begin, int64_t *end) {
  const json_t *offsets = json_object_get(entry, "data_offsets");
  *begin = json_integer_value(json_array_get(offsets, 0));
  *end = json_integer_value(json_array_get(offsets, 1));
  bool integers = json_is_integer(json_array_get(offsets, 0)) && json_is_integer(json_array_get(offsets, 1));
  if (integers && json_array_size(offsets) == 2 && *begin >= 0 && *begin <= *end && *end <= r->size) return true;
  FAULT(r, "%s: %s: data_offsets: allowed: [begin, end] with 0 <= begin <= end <= %" PRId64 ", the bytes of data",
        r->path, name, r->size);
  return false;
}

/* "[8, 3, 3, 1]" */
static const char *shape_text(char *buffer, size_t bytes, const int64_t *extents, int rank) {
  size_t used = (size_t)snprintf(buffer, bytes, "[");
  for (int i = 0; i < rank && used < bytes; i++)
    used += (size_t)snprintf(buffer + used, bytes - used, "%s%" PRId64, i ? ", " : "", extents[i]);
  if (used < bytes) snprintf(buffer + used, bytes - used, "]");
  return buffer;
}

static bool check_shape(reader *r, const erg_parameter *p, const json_t *entry) {
  const json_t *shape = json_object_get(entry, "shape");
  int rank = (int)json_array_size(shape);
  int64_t found[8] = {0}, wanted[4], flat[2] = {p->extents[0], p->elements / p->extents[0]};
  memcpy(wanted, p->extents, sizeof wanted);
  if (p->rank == 4 && !r->krsc) wanted[1] = p->extents[3], wanted[2] = p->extents[1], wanted[3] = p->extents[2];
  bool legal = json_is_array(shape) && rank <= 8;
  for (int i = 0; legal && i < rank; i++) {
    found[i] = json_integer_value(json_array_get(shape, (size_t)i));
    legal = json_is_integer(json_array_get(shape, (size_t)i));
  }
  bool matrix = p->rank == 4 && strcmp(r->graph->nodes[p->node].op->name, "conv2d") != 0;
  bool same = legal && rank == p->rank && memcmp(found, wanted, sizeof *found * (size_t)rank) == 0;
  if (same || (legal && matrix && rank == 2 && memcmp(found, flat, sizeof flat) == 0)) return true;
  char have[160], want[96], also[64];
  FAULT(r, "%s: %s: shape: found %s; wanted %s%s%s", r->path, p->name,
        legal ? shape_text(have, sizeof have, found, rank) : "no list of up to 8 extents",
        shape_text(want, sizeof want, wanted, p->rank), matrix ? " or " : "",
        matrix ? shape_text(also, sizeof also, flat, 2) : "");
  return false;
}

static void read_values(reader *r, erg_parameter *p, const erg_safetensors_type *type, const unsigned char *at) {
  for (int64_t i = 0; i < p->elements; i++) {
    const unsigned char *from = at + type->bytes * (r->krsc ? i : erg_safetensors_torch_index(p, i));
    uint64_t pattern = 0;
    for (int b = type->bytes; b-- > 0;) pattern = pattern << 8 | from[b];
    p->values[i] = type->decode(pattern);
    if (isfinite(p->values[i])) continue;
    FAULT(r, "%s: %s: found %s at element %" PRId64 " of the file's order; allowed: finite numbers", r->path, p->name,
          isnan(p->values[i]) ? "NaN" : "infinity", (int64_t)(from - at) / type->bytes);
    return;
  }
}

static void read_tensor(reader *r, erg_parameter *p, const json_t *entry) {
  const char *name = json_string_value(json_object_get(entry, "dtype"));
  const erg_safetensors_type *type = name ? erg_safetensors_type_find(name) : NULL;
  int64_t begin, end;
  if (!type) FAULT(r, "%s: %s: dtype: found %s; allowed: F64, F32, F16, BF16", r->path, p->name, name ? name : "none");
  bool shape = check_shape(r, p, entry);
  if (!read_span(r, p->name, entry, &begin, &end) || !type || !shape) return;
  if (end - begin != p->elements * type->bytes)
    FAULT(r, "%s: %s: found %" PRId64 " bytes; its shape and dtype make %" PRId64, r->path, p->name, end - begin,
          p->elements * type->bytes);
  else
    read_values(r, p, type, r->bytes + begin);
}

static bool ends_with(const char *text, const char *suffix) {
  size_t length = strlen(text), tail = strlen(suffix);
  return length >= tail && strcmp(text + length - tail, suffix) == 0;
}

/* Names of the file that the network has no tensor for. PyTorch counts batches in a tensor of its own. */
static void check_unknown(reader *r, const erg_weights *weights, json_t *header) {
  const char *name;
  json_t *entry;
  const char **known = erg_arena_alloc((erg_arena *)&weights->arena, sizeof *known * (size_t)(weights->count + 1));
  if (!known) return;
  for (int i = 0; i < weights->count; i++) known[i] = weights->items[i].name;
  json_object_foreach(header, name, entry) {
    bool found = strcmp(name, "__metadata__") == 0 || ends_with(name, ".num_batches_tracked");
    for (int i = 0; i < weights->count && !found; i++) found = strcmp(name, known[i]) == 0;
    const char *nearest = found ? NULL : erg_nearest(name, known);
    if (!found)
      FAULT(r, "%s: %s: %s has no such tensor%s%s%s", r->path, name, r->graph->name, nearest ? " (did you mean " : "",
            nearest ? nearest : "", nearest ? "?)" : "");
  }
}

/* The tensors must fill the data section without overlaps or holes, as the format has it: two names cannot share bytes.
 */
static void check_cover(reader *r, json_t *header) {
  const char *name;
  json_t *entry;
  int64_t covered = 0;
  json_object_foreach(header, name, entry) {
    int64_t begin, end;
    if (strcmp(name, "__metadata__") == 0 || !read_span(r, name, entry, &begin, &end)) continue;
    for (int i = 0; i < r->spans; i++)
      if (begin < r->ends[i] && r->begins[i] < end)
        FAULT(r, "%s: %s: its bytes are another tensor's too", r->path, name);
    r->begins[r->spans] = begin;
    r->ends[r->spans++] = end;
    covered += end - begin;
  }
  if (r->error->count == 0 && covered != r->size)
    FAULT(r, "%s: found %" PRId64 " bytes of data; the tensors make %" PRId64, r->path, r->size, covered);
}

static void read_header(reader *r, json_t *header, erg_weights *out) {
  const json_t *layout = json_object_get(json_object_get(header, "__metadata__"), ERG_SAFETENSORS_LAYOUT);
  const char *text = json_string_value(layout);
  r->krsc = text && strcmp(text, "KRSC") == 0;
  if (layout && !r->krsc && !(text && strcmp(text, "KCRS") == 0))
    FAULT(r, "%s: " ERG_SAFETENSORS_LAYOUT ": found %s; allowed: \"KRSC\", \"KCRS\"", r->path, text ? text : "no text");
  for (int i = 0; i < out->count; i++) {
    const json_t *entry = json_object_get(header, out->items[i].name);
    if (!entry)
      FAULT(r, "%s: %s: missing; %s needs it", r->path, out->items[i].name, r->graph->name);
    else
      read_tensor(r, &out->items[i], entry);
  }
  check_unknown(r, out, header);
  if (r->error->count == 0) check_cover(r, header);
}

/* The whole file, or NULL with the fault said. */
static unsigned char *slurp(const char *path, int64_t *size, erg_error *error) {
  FILE *stream = fopen(path, "rb");
  if (!stream) {
    erg_fail(error, ERG_ERR_NO_INPUT, "%s: %s", path, strerror(errno));
    return NULL;
  }
  *size = fseek(stream, 0, SEEK_END) == 0 ? ftell(stream) : -1;
  unsigned char *bytes = NULL;
  if (*size < 8 || *size > FILE_MOST || fseek(stream, 0, SEEK_SET) != 0)
    erg_fail(error, ERG_ERR_DATA, "%s: found %" PRId64 " bytes; a safetensors file has 8 to %" PRId64, path, *size,
             FILE_MOST);
  else if (!(bytes = malloc((size_t)*size)))
    erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  else if (fread(bytes, 1, (size_t)*size, stream) != (size_t)*size) {
    erg_fail(error, ERG_ERR_DATA, "%s: cannot be read", path);
    free(bytes);
    bytes = NULL;
  }
  fclose(stream);
  return bytes;
}

erg_status erg_weights_read(const char *path, const erg_graph *graph, erg_weights *out, erg_error *error) {
  erg_error faults = {0};
  erg_weights weights = {0};
  json_t *header = NULL;
  int64_t size = 0;
  uint64_t length = 0;
  *out = (erg_weights){0};
  unsigned char *bytes = slurp(path, &size, &faults);
  reader r = {.path = path, .graph = graph, .error = &faults};
  if (!bytes || erg_weights_new(graph, &weights, &faults) != ERG_OK) goto out;
  for (int i = 8; i-- > 0;) length = length << 8 | bytes[i];
  if (length > (uint64_t)(size - 8) || length > ERG_SAFETENSORS_MOST_HEADER) {
    FAULT(&r, "%s: not a safetensors file: its header would have %" PRIu64 " bytes; there are %" PRId64, path, length,
          size - 8);
    goto out;
  }
  json_error_t fault;
  header = json_loadb((const char *)bytes + 8, (size_t)length, JSON_REJECT_DUPLICATES, &fault);
  if (!header || !json_is_object(header)) {
    FAULT(&r, "%s: header: %s", path, header ? "allowed: a JSON object" : fault.text);
    goto out;
  }
  r.bytes = bytes + 8 + length;
  r.size = size - 8 - (int64_t)length;
  r.begins = erg_arena_alloc(&weights.arena, sizeof *r.begins * 2 * json_object_size(header));
  if (!r.begins) {
    erg_fail(&faults, ERG_ERR_INTERNAL, "out of memory");
    goto out;
  }
  r.ends = r.begins + json_object_size(header);
  read_header(&r, header, &weights);
out:;
  erg_status status = faults.status;
  if (status == ERG_OK)
    *out = weights;
  else
    erg_fail(error, status, "%s", faults.text ? faults.text : "failed"), erg_weights_free(&weights);
  json_decref(header);
  free(bytes);
  erg_error_clear(&faults);
  return status;
}
