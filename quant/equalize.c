/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cross-layer equalization. ReLU(s x) = s ReLU(x) for s > 0, so a channel's magnitude can move from one layer's weights
 * to the next one's; where both are equal one scale a tensor wastes least. A ReLU6 has a limit of its own, which does
 * not move with s: such pairs are left. */
#include "find.h"
#include <math.h>

/* An array node, the batch norm behind it (or -1), and the array node that alone reads what they make. */
typedef struct {
  int first, norm, second;
} pair;

static int only_reader(const erg_graph *graph, int node) {
  if (graph->nodes[node].consumers != 1) return -1;
  for (int id = node + 1; id < graph->node_count; id++)
    for (int k = 0; k < graph->nodes[id].op->inputs; k++)
      if (graph->nodes[id].inputs[k] == node) return id;
  return -1;
}

/* What lets a positive factor through: ReLU without limit, pools. */
static bool homogeneous(const erg_op *op) {
  return (op->role == ERG_ROLE_CLAMP && isinf(op->clamp_high)) || op->pool;
}

static bool find_pair(const erg_graph *graph, int first, pair *out) {
  if (graph->nodes[first].op->role != ERG_ROLE_ARRAY) return false;
  *out = (pair){first, -1, -1};
  int id = only_reader(graph, first);
  if (id >= 0 && graph->nodes[id].op->role == ERG_ROLE_BATCH_NORM) {
    out->norm = id;
    id = only_reader(graph, id);
  }
  while (id >= 0 && homogeneous(graph->nodes[id].op)) id = only_reader(graph, id);
  if (id < 0 || graph->nodes[id].op->role != ERG_ROLE_ARRAY) return false;
  out->second = id;
  return true;
}

/* Of an array node: its convolution, weights, and what a batch norm behind it multiplies filter k with. */
typedef struct {
  erg_conv2d_shape shape;
  double *weight, *bias;
  erg_batch_norm_stats norm;
} layer;

static erg_status get_layer(const erg_graph *graph, const erg_weights *weights, int node, int norm, layer *out,
                            erg_error *error) {
  const erg_node *n = &graph->nodes[node];
  *out = (layer){0};
  n->op->conv(&n->attrs, &graph->nodes[n->inputs[0]].out, &out->shape);
  out->weight = erg_need(graph, weights, node, "weight", out->shape.filters * erg_conv2d_reduction(&out->shape), error);
  out->bias = erg_may(weights, node, "bias");
  if (!out->weight) return ERG_ERR_DATA;
  return norm >= 0 ? erg_need_batch_norm(graph, weights, norm, &out->norm, error) : ERG_OK;
}

static double gain(const layer *l, int filter) {
  return l->norm.gamma ? l->norm.gamma[filter] / sqrt(l->norm.variance[filter] + l->norm.epsilon) : 1;
}

static double filter_most(const layer *l, int filter) {
  int64_t reduction = erg_conv2d_reduction(&l->shape);
  double most = 0;
  for (int64_t i = 0; i < reduction; i++) most = fmax(most, fabs(l->weight[filter * reduction + i]));
  return most * fabs(gain(l, filter));
}

/* Visits the weights that meet an input channel: largest magnitude after folding, each multiplied by `factor`. */
static double channel_most(const layer *l, int channel, double factor) {
  int channels = l->shape.in.c / l->shape.groups, filters = l->shape.filters / l->shape.groups;
  int64_t taps = (int64_t)l->shape.kernel_h * l->shape.kernel_w;
  double most = 0;
  for (int k = channel / channels * filters; k < (channel / channels + 1) * filters; k++)
    for (int64_t t = 0; t < taps; t++) {
      double *w = &l->weight[(k * taps + t) * channels + channel % channels];
      *w *= factor;
      most = fmax(most, fabs(*w * gain(l, k)));
    }
  return most;
}

/* Divides the channel by s where its scale is set: in the batch norm's affine, else in the filter. */
static void divide_filter(layer *l, int filter, double s) {
  if (l->norm.gamma) {
    ((double *)l->norm.gamma)[filter] /= s;
    ((double *)l->norm.beta)[filter] /= s;
    return;
  }
  int64_t reduction = erg_conv2d_reduction(&l->shape);
  for (int64_t i = 0; i < reduction; i++) l->weight[filter * reduction + i] /= s;
  if (l->bias) l->bias[filter] /= s;
}

/* The largest |log s| of its channels. */
static double balance(layer *first, layer *second) {
  double most = 0;
  for (int i = 0; i < first->shape.filters; i++) {
    double r1 = filter_most(first, i), r2 = channel_most(second, i, 1), s = sqrt(r1 / r2);
    if (!(s > 0) || !isfinite(s)) continue; /* a channel that is not there, or that nobody hears */
    divide_filter(first, i, s);
    channel_most(second, i, s);
    most = fmax(most, fabs(log(s)));
  }
  return most;
}

erg_status erg_equalize(const erg_graph *graph, erg_weights *weights, int *pairs, erg_error *error) {
  int count = 0;
  double moved = 1;
  for (int sweep = 0; sweep < 40 && moved > 1e-3; sweep++) {
    count = 0;
    moved = 0;
    for (int id = 0; id < graph->node_count; id++) {
      pair p;
      layer first, second;
      if (!find_pair(graph, id, &p)) continue;
      int norm = only_reader(graph, p.second); /* of the second, whose folded weights count */
      if (norm >= 0 && graph->nodes[norm].op->role != ERG_ROLE_BATCH_NORM) norm = -1;
      erg_status status = get_layer(graph, weights, p.first, p.norm, &first, error);
      if (status == ERG_OK) status = get_layer(graph, weights, p.second, norm, &second, error);
      if (status != ERG_OK) return status;
      moved = fmax(moved, balance(&first, &second));
      count++;
    }
  }
  if (pairs) *pairs = count;
  return ERG_OK;
}
