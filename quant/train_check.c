/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "train_shared.h"
#include <math.h>

static void check_options(const erg_train_options *o, erg_error *error) {
  if (o->epochs < 1 || o->epochs > 100000)
    erg_fail(error, ERG_ERR_USAGE, "epochs: found %d; allowed: 1 to 100000", o->epochs);
  if (o->batch < 1 || o->batch > 65536)
    erg_fail(error, ERG_ERR_USAGE, "batch: found %d; allowed: 1 to 65536", o->batch);
  if (!(o->learning_rate > 0 && isfinite(o->learning_rate)))
    erg_fail(error, ERG_ERR_USAGE, "learning rate: found %g; allowed: above 0", o->learning_rate);
  if (!(o->label_smoothing >= 0 && o->label_smoothing <= 1))
    erg_fail(error, ERG_ERR_USAGE, "label smoothing: found %g; allowed: 0 to 1", o->label_smoothing);
  if (o->patience < 0) erg_fail(error, ERG_ERR_USAGE, "patience: found %d; allowed: from 0", o->patience);
  if (erg_optimizer_find(o->optimizer)) return;
  char names[128] = "";
  size_t used = 0;
  ERG_EACH(erg_optimizer_kind, item)
  if (used < sizeof names)
    used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", (*item)->name);
  erg_fail(error, ERG_ERR_USAGE, "optimizer: found %s; allowed: %s", o->optimizer, names);
}

static const erg_node *input_of(const erg_graph *graph) {
  for (int id = 0; id < graph->node_count; id++)
    if (graph->nodes[id].op->role == ERG_ROLE_INPUT) return &graph->nodes[id];
  return NULL;
}

static void check_data(const erg_graph *graph, const erg_dataset *d, erg_error *error) {
  const erg_node *input = input_of(graph);
  erg_shape out = graph->nodes[graph->node_count - 1].out;
  if (!input || input->out.h != d->shape.h || input->out.w != d->shape.w || input->out.c != d->shape.c)
    erg_fail(error, ERG_ERR_DATA, "%s takes maps of %d x %d x %d; %s has %d x %d x %d", graph->name,
             input ? input->out.h : 0, input ? input->out.w : 0, input ? input->out.c : 0, d->name, d->shape.h,
             d->shape.w, d->shape.c);
  if (out.c != d->classes || out.h * out.w != d->labels_each)
    erg_fail(error, ERG_ERR_DATA, "%s gives %d x %d x %d logits; %s asks for %d classes at %d place%s", graph->name,
             out.h, out.w, out.c, d->name, d->classes, d->labels_each, d->labels_each == 1 ? "" : "s");
  if (!d->labels) erg_fail(error, ERG_ERR_DATA, "%s has no labels", d->name);
}

erg_status erg_train_check(const erg_graph *graph, const erg_dataset *train, const erg_dataset *test,
                           const erg_train_options *options, erg_error *error) {
  erg_error faults = {0};
  check_options(options, &faults);
  check_data(graph, train, &faults);
  if (test && faults.count == 0) check_data(graph, test, &faults);
  if (options->patience > 0 && train->count < 10)
    erg_fail(&faults, ERG_ERR_DATA, "%s: found %d examples; patience holds out a tenth", train->name, train->count);
  erg_status status = faults.status;
  if (status != ERG_OK) erg_fail(error, status, "%s", faults.text ? faults.text : "failed");
  erg_error_clear(&faults);
  return status;
}
