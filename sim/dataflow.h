/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file dataflow.h
 *  Inside sim: what a dataflow makes of a pass, one row a dataflow (dataflows.c). A new one is a row there, its order of
 *  folds in sc/nest.cpp and, for RTL, a top module. */
#ifndef ERGON_SIM_DATAFLOW_H
#define ERGON_SIM_DATAFLOW_H

#include "traffic.h"

/** One step of the loop nest: `pixels` outputs of `channels` of all groups together, over `reduction` of K. */
typedef struct {
  int64_t pixels, channels, reduction;
  bool last_k; /**< it ends its sums */
} erg_dataflow_step;

typedef struct {
  const char *help;
  const char *rtl_top; /**< top module of the array; NULL: no RTL, because of `no_rtl` */
  const char *no_rtl;
  /** Array cycles before the first streamed element, and what the last step adds behind its own. */
  int64_t (*begin_cycles)(const erg_arch *arch);
  int64_t (*end_cycles)(const erg_arch *arch, const erg_geometry *g, const erg_dataflow_step *last);
  /** Array cycles of a step in the middle of others. */
  int64_t (*step_cycles)(const erg_arch *arch, const erg_geometry *g, const erg_dataflow_step *step);
  /** How often a step reads each input code that it asks for, each of its weights and constants from the scratchpad. */
  int64_t (*input_visits)(const erg_arch *arch, const erg_geometry *g, int64_t channels);
  int64_t (*weight_visits)(const erg_arch *arch, int64_t pixels);
  /** Whether the array can work on such a tile; else the reason, in terms of what to change. */
  bool (*fits)(const erg_arch *arch, const erg_geometry *g, const erg_mapping *m);
  const char *(*why_not)(const erg_arch *arch, const erg_geometry *g, erg_arena *arena);
  bool spills;         /**< sums over more than R of K go through the accumulator memory */
  erg_tensor stays;    /**< what lies still in the cells: written when loaded, not once a MAC */
  /** Bits that the cells' registers write of draining sums of a tile, a channel. */
  int64_t (*drain_bits)(const erg_arch *arch, const erg_geometry *g, int64_t pixels);
} erg_dataflow_rules;

const erg_dataflow_rules *erg_dataflow_of(erg_dataflow dataflow);
/** The step that ends a pass. */
erg_dataflow_step erg_last_step(const erg_geometry *geometry, const erg_mapping *mapping);

#endif
