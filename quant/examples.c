/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "examples.h"
#include "find.h"
#include <stdlib.h>
#include <string.h>

erg_status erg_examples_open(const erg_graph *graph, const erg_dataset *data, erg_examples *out, erg_error *error) {
  *out = (erg_examples){0};
  int input = erg_input_node(graph, error);
  if (input < 0) return ERG_ERR_DATA;
  erg_shape want = graph->nodes[input].out, found = data->shape;
  if (data->count < 1 || !data->inputs)
    return erg_fail(error, ERG_ERR_DATA, "data %s: no examples", data->name ? data->name : "");
  if (want.h != found.h || want.w != found.w || want.c != found.c)
    return erg_fail(error, ERG_ERR_DATA, "data %s: found examples of [%d, %d, %d]; %s wants [%d, %d, %d]",
                    data->name ? data->name : "", found.h, found.w, found.c, graph->name, want.h, want.w, want.c);
  *out = (erg_examples){.data = data, .batch = want.n, .elements = (int64_t)want.h * want.w * want.c};
  out->input = malloc(sizeof *out->input * (size_t)(out->batch * out->elements));
  return out->input ? ERG_OK : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
}

bool erg_examples_next(erg_examples *e) {
  e->first += e->count;
  if (e->first >= e->data->count) return false;
  int left = e->data->count - e->first;
  e->count = left < e->batch ? left : e->batch;
  for (int i = 0; i < e->batch; i++) {
    int from = e->first + (i < e->count ? i : e->count - 1);
    memcpy(e->input + i * e->elements, e->data->inputs + from * e->elements, sizeof *e->input * (size_t)e->elements);
  }
  return true;
}

void erg_examples_close(erg_examples *examples) {
  free(examples->input);
  *examples = (erg_examples){0};
}
