/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Laws that counts must obey whoever counted (docs/model.md, "Conservation"). Nothing of the models' own arithmetic is
 * used here: what is distinct is counted window by window. */
#include "ergon/sim.h"
#include <inttypes.h>

typedef struct {
  const erg_arch *arch;
  const erg_activity *activity;
  erg_error *error;
  erg_status status;
} law;

static void equal(law *l, const char *what, int level, int tensor, uint64_t found, uint64_t expected) {
  if (found == expected) return;
  const char *name = level < l->arch->level_count ? l->arch->levels[level].name : "accumulator";
  l->status =
      erg_fail(l->error, ERG_ERR_MISMATCH, "counts not conserved: %s of %s at %s: found %" PRIu64 ", expected %" PRIu64,
               what, erg_tensor_names[tensor], name, found, expected);
}

static void at_least(law *l, const char *what, int level, int tensor, uint64_t found, uint64_t least) {
  if (found >= least) return;
  l->status = erg_fail(l->error, ERG_ERR_MISMATCH,
                       "counts not conserved: %s of %s at %s: found %" PRIu64 ", at least %" PRIu64 " are distinct",
                       what, erg_tensor_names[tensor], l->arch->levels[level].name, found, least);
}

/* Input pixels that at least one window sees, along one axis: windows come in order, each brings those behind the last.
 */
static uint64_t seen(int outputs, int kernel, int stride, int pad, int extent) {
  int pixels = 0, last = 0; /* pixels before `last` are counted, or no later window sees them */
  for (int p = 0; p < outputs; p++) {
    int begin = p * stride - pad, end = begin + kernel;
    if (begin < last) begin = last;
    if (end > extent) end = extent;
    if (end <= begin) continue;
    pixels += end - begin;
    last = end;
  }
  return (uint64_t)pixels;
}

/* Bits of a map that passes from one link of a chain to the next: rows of pixels, each padded to a byte. */
static uint64_t map_bits(int images, int h, int w, int c, int bits) {
  return (uint64_t)images * (uint64_t)h * (uint64_t)w *
         ((uint64_t)c * (uint64_t)bits / 8 + ((uint64_t)c * (uint64_t)bits % 8 > 0)) * 8;
}

/* A map kept on chip comes from no level and goes to none, but from scratchpad to scratchpad, where these are two. */
static bool check_kept(law *l, const erg_geometry *g, int tensor) {
  bool outward = tensor == ERG_TENSOR_OUTPUT;
  if (outward ? !g->to_chain : tensor != ERG_TENSOR_INPUT || !g->from_chain) return false;
  int mine = erg_arch_scratchpad(l->arch, (erg_tensor)tensor);
  bool moves = mine != erg_arch_scratchpad(l->arch, outward ? ERG_TENSOR_INPUT : ERG_TENSOR_OUTPUT);
  uint64_t bits = outward ? map_bits(g->images, g->out_h, g->out_w, g->out_c, g->out_bits)
                          : map_bits(g->images, g->in_h, g->in_w, g->in_c, g->in_bits);
  for (int level = 0; level < mine; level++)
    equal(l, "traffic", level, tensor, l->activity->read_bits[level][tensor] + l->activity->write_bits[level][tensor],
          0);
  if (outward)
    equal(l, "drains", mine, tensor, l->activity->read_bits[mine][tensor], moves ? bits : 0);
  else
    equal(l, "fills", mine, tensor, l->activity->write_bits[mine][tensor], moves ? bits : 0);
  return true;
}

static void check_levels(law *l, const erg_geometry *g) {
  const erg_activity *a = l->activity;
  for (int tensor = 0; tensor < ERG_TENSOR_PSUM; tensor++) {
    if (check_kept(l, g, tensor)) continue;
    bool outward = tensor == ERG_TENSOR_OUTPUT;
    int parent = 0;
    for (int level = 1; level < l->arch->level_count; level++) {
      if (!(l->arch->levels[level].holds_mask >> tensor & 1u)) {
        equal(l, "traffic", level, tensor, a->read_bits[level][tensor] + a->write_bits[level][tensor], 0);
        continue;
      }
      if (outward) /* what is drained from a level is written to the next one outward */
        equal(l, "writes", parent, tensor, a->write_bits[parent][tensor], a->read_bits[level][tensor]);
      else
        equal(l, "fills", level, tensor, a->write_bits[level][tensor], a->read_bits[parent][tensor]);
      parent = level;
    }
    if (outward)
      equal(l, "reads", 0, tensor, a->read_bits[0][tensor], 0);
    else
      equal(l, "writes", 0, tensor, a->write_bits[0][tensor], 0);
  }
}

erg_status erg_conserve(const erg_arch *arch, const erg_geometry *g, const erg_activity *activity, erg_error *error) {
  law l = {arch, activity, error, ERG_OK};
  check_levels(&l, g);
  uint64_t pixels = (uint64_t)g->images * seen(g->out_h, g->kernel_h, g->stride_h, g->pad_top, g->in_h) *
                    seen(g->out_w, g->kernel_w, g->stride_w, g->pad_left, g->in_w);
  uint64_t input = pixels * (uint64_t)g->in_c * (uint64_t)g->in_bits;
  uint64_t outputs = (uint64_t)g->images * (uint64_t)g->out_h * (uint64_t)g->out_w * (uint64_t)g->out_c;
  uint64_t weights = g->array ? (uint64_t)g->out_c * (uint64_t)g->kernel_h * (uint64_t)g->kernel_w *
                                    (uint64_t)(g->in_c / g->groups) * (uint64_t)g->weight_bits
                              : 0;
  at_least(&l, "reads", 0, ERG_TENSOR_INPUT, activity->read_bits[0][ERG_TENSOR_INPUT], g->from_chain ? 0 : input);
  at_least(&l, "reads", 0, ERG_TENSOR_WEIGHT, activity->read_bits[0][ERG_TENSOR_WEIGHT], weights);
  at_least(&l, "writes", 0, ERG_TENSOR_OUTPUT, activity->write_bits[0][ERG_TENSOR_OUTPUT],
           g->to_chain ? 0 : outputs * (uint64_t)g->out_bits);
  int spad = erg_arch_scratchpad(arch, ERG_TENSOR_INPUT);
  at_least(&l, "reads", spad, ERG_TENSOR_INPUT, activity->read_bits[spad][ERG_TENSOR_INPUT], input);
  spad = erg_arch_scratchpad(arch, ERG_TENSOR_WEIGHT);
  at_least(&l, "reads", spad, ERG_TENSOR_WEIGHT, activity->read_bits[spad][ERG_TENSOR_WEIGHT], weights);
  spad = erg_arch_scratchpad(arch, ERG_TENSOR_OUTPUT);
  equal(&l, "array-side writes", spad, ERG_TENSOR_OUTPUT, activity->write_bits[spad][ERG_TENSOR_OUTPUT],
        outputs * (uint64_t)g->out_bits);
  spad = erg_arch_scratchpad(arch, ERG_TENSOR_RESIDUAL);
  equal(&l, "array-side reads", spad, ERG_TENSOR_RESIDUAL, activity->read_bits[spad][ERG_TENSOR_RESIDUAL],
        g->residual || g->operands == 2 ? outputs * (uint64_t)g->residual_bits : 0);
  if (g->array) {
    int accumulator = ERG_LEVEL_ACCUMULATOR(arch->level_count);
    uint64_t k_total = (uint64_t)g->kernel_h * (uint64_t)g->kernel_w * (uint64_t)(g->in_c / g->groups);
    uint64_t fold = (uint64_t)arch->rows * (uint64_t)(g->products ? g->products : 1);
    uint64_t spills = (k_total - 1) / fold;         /* ceil(K/R) - 1 */
    if (g->dataflow == ERG_DATAFLOW_OS) spills = 0; /* sums stay in the cells */
    uint64_t psums = outputs * spills * (uint64_t)g->psum_bits;
    equal(&l, "reads", accumulator, ERG_TENSOR_PSUM, activity->read_bits[accumulator][ERG_TENSOR_PSUM], psums);
    equal(&l, "writes", accumulator, ERG_TENSOR_PSUM, activity->write_bits[accumulator][ERG_TENSOR_PSUM], psums);
    if (activity->ops[ERG_OP_MAC] != outputs * k_total)
      l.status = erg_fail(error, ERG_ERR_MISMATCH, "counts not conserved: found %" PRIu64 " MACs, expected %" PRIu64,
                          activity->ops[ERG_OP_MAC], outputs * k_total);
  }
  uint64_t cycles = activity->array_cycles + activity->vector_cycles;
  for (int level = 0; level < arch->level_count; level++) cycles += activity->stall_cycles[level];
  if (cycles != activity->cycles)
    l.status = erg_fail(error, ERG_ERR_MISMATCH,
                        "counts not conserved: cycles by cause sum to %" PRIu64 ", the total is %" PRIu64, cycles,
                        activity->cycles);
  return l.status;
}
