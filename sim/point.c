/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Widths at a design point: one precision for all layers, or a plan's own for each (docs/precision.md). */
#include "ergon/sim.h"

void erg_point_widths(erg_point *point, const erg_widths *widths) {
  point->widths = widths;
  if (widths) point->precision = widths->widest;
}

const char *erg_point_precision_name(const erg_point *point, char buffer[32]) {
  return point->widths ? point->widths->plan.name : erg_precision_name(&point->precision, buffer);
}

/* A narrowing pass of its own has no node: it belongs to the one whose tensor it writes. */
static int main_node(const erg_pass *pass) {
  return pass->node_count ? pass->nodes[0] : pass->output;
}

erg_precision erg_precision_at(const erg_point *point, const erg_pass *pass) {
  if (!point->widths) return point->precision;
  erg_precision p = point->widths->nodes[main_node(pass)];
  p.output_bits = erg_widths_of_tensor(point->widths, pass->output); /* of what is fused behind the main node */
  return p;
}

int erg_tensor_bits(const erg_point *point, int node) {
  const erg_precision *p = &point->precision;
  if (!erg_precision_is_int(p)) return erg_format_bits(p->format);
  return point->widths ? erg_widths_of_tensor(point->widths, node) : p->activation_bits;
}

erg_status erg_point_hardware(const erg_point *point, erg_precision *hardware, erg_error *error) {
  const erg_widths *w = point->widths;
  erg_error faults = {0};
  if (!w) return erg_arch_hardware(point->arch, &point->precision, hardware, error);
  for (int id = 0; id < point->graph->node_count; id++) {
    erg_error fault = {0};
    if (point->graph->nodes[id].op->role != ERG_ROLE_ARRAY) continue;
    if (erg_arch_hardware(point->arch, &w->nodes[id], hardware, &fault) != ERG_OK)
      erg_fail(&faults, fault.status, "%s:%d:%d: layer %s: %s", w->plan.file, w->positions[id].line,
               w->positions[id].column, point->graph->nodes[id].name, fault.text);
    erg_error_clear(&fault);
  }
  erg_status status = faults.status;
  if (status != ERG_OK)
    erg_fail(error, status, "%s", faults.text ? faults.text : "");
  else
    status = erg_arch_hardware(point->arch, &point->precision, hardware, error);
  erg_error_clear(&faults);
  return status;
}
