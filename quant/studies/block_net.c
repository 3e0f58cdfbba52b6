/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "block_net.h"
#include <stdarg.h>

#define SQUEEZE 4 /* channels are as many times fewer inside a gate */

typedef struct {
  erg_arena *arena;
  char *text;
} writer;

ERG_PRINTF(2, 3)
static void line(writer *w, const char *format, ...) {
  char text[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (w->text) w->text = erg_arena_printf(w->arena, "%s  - {%s}\n", w->text, text);
}

/* A convolution, its norm or bias, a ReLU. */
static void layer(writer *w, const block_kind *kind, const char *name, const char *attributes) {
  line(w, "name: %s, op: conv2d, %s, bias: %s", name, attributes, kind->norm ? "no" : "yes");
  if (kind->norm) line(w, "name: %s_norm, op: %s", name, kind->norm);
  line(w, "name: %s_relu, op: relu", name);
}

static void gate(writer *w, const block_kind *kind, int block, const char *map, int channels) {
  if (!kind->gate) return;
  line(w, "name: b%d_mean, op: global_avg_pool", block);
  line(w, "name: b%d_squeeze, op: fc, K: %d, bias: yes", block, channels / SQUEEZE);
  line(w, "name: b%d_squeeze_relu, op: relu", block);
  line(w, "name: b%d_excite, op: fc, K: %d, bias: yes", block, channels);
  line(w, "name: b%d_gate, op: %s", block, kind->gate);
  line(w, "name: b%d_scaled, op: channel_mul, inputs: [%s, b%d_gate]", block, map, block);
}

const char *block_net_text(const block_kind *kind, erg_arena *arena) {
  const int channels = kind->depthwise ? BLOCKS_DEPTHWISE_CHANNELS : BLOCKS_DENSE_CHANNELS;
  char name[32], attributes[96];
  writer w = {arena, erg_arena_printf(arena,
                                      "name: block-%s-%s-%s\nhelp: a network of the study of blocks\n"
                                      "input: {height: 16, width: 16, channels: 1}\nnodes:\n",
                                      kind->depthwise ? "depthwise" : "dense", kind->norm ? kind->norm : "none",
                                      kind->gate ? kind->gate : "none")};
  snprintf(attributes, sizeof attributes, "K: %d, kernel: 3, pad: 1", channels);
  layer(&w, kind, "stem", attributes);
  for (int b = 1; b <= 2; b++) {
    snprintf(name, sizeof name, "b%d_conv", b);
    snprintf(attributes, sizeof attributes, "K: %d, kernel: 3, stride: 2, pad: 1, groups: %d", channels,
             kind->depthwise ? channels : 1);
    layer(&w, kind, name, attributes);
    if (kind->depthwise) {
      snprintf(name, sizeof name, "b%d_point", b);
      snprintf(attributes, sizeof attributes, "K: %d, kernel: 1", channels);
      layer(&w, kind, name, attributes);
    }
    snprintf(attributes, sizeof attributes, "%s_relu", name);
    gate(&w, kind, b, attributes, channels);
  }
  /* The mean of a map whose mean an instance norm took says little: the last layer reads all of it. */
  line(&w, "name: fc, op: fc, K: 10, bias: yes");
  return w.text;
}

erg_status block_net_load(const block_kind *kind, int batch, erg_graph *out, erg_error *error) {
  erg_arena arena = {0};
  const char *text = block_net_text(kind, &arena);
  erg_status status = text ? erg_graph_parse("block.yaml", text, batch, NULL, 0, out, error)
                           : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  erg_arena_free(&arena);
  return status;
}
