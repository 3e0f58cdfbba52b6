/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside workloads: what plan.c and plan_epilogue.c share. */
#ifndef ERGON_WORKLOADS_PLAN_H
#define ERGON_WORKLOADS_PLAN_H
#include "ergon/workloads.h"

typedef struct {
  erg_plan *plan;
  const erg_graph *graph;
  int *pass_of; /**< by node: the pass that computes it, or -1 */
  erg_fusion_judge judge;
  void *judge_context;
} erg_planner;

/** The rule for a node of this role, always there but for inputs. */
const erg_fusion_rule *erg_plan_rule(erg_fusion fusion, erg_op_role role);
/** The pass that a node makes alone, without counts. */
erg_pass erg_plan_own_pass(const erg_graph *graph, int node_id, const erg_fusion_rule *rule);
void erg_plan_count(const erg_graph *graph, erg_pass *pass);
/** Folds or fuses the node into its producer's pass where that is legal and pays; notes what it did or why not. */
bool erg_plan_join(erg_planner *planner, int node_id);
/** Lets the producer's epilogue take the statistics of a norm, where there is one; else `pass` takes its own. */
void erg_plan_statistics(erg_planner *planner, int node_id, erg_pass *pass);
#endif
