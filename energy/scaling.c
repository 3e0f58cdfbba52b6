/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Voltage and node scaling of on-chip dynamic energy: ratios of the polynomials E(V) = a2 V^2 + a1 V + a0 of A.
 * Stillmaker and B. Baas, Integration 58 (2017) 74-81, as transcribed in wromaszkan/nodeScale. Below 65 nm the paper
 * has a high-performance and a low-power variant; their geometric mean is taken. Published 45 to 7 nm energies
 * shrink 2.9 times where the polynomials say 8 to 15, so long hops are refused. */
#include "technology.h"
#include <math.h>

#define MOST_STEPS 2
/* Of the published voltage. The paper's own range is not in our source; these bounds are ours. */
#define LEAST_VOLTAGE 0.75
#define MOST_VOLTAGE 1.25

static const struct node {
  double nm, hp[3], lp[3]; /* a2, a1, a0; bulk nodes have one variant */
} nodes[] = {
    {180, {0, 24.64, -17.98}, {0, 24.64, -17.98}},
    {130, {7.171, -6.709, 2.904}, {7.171, -6.709, 2.904}},
    {90, {4.762, -4.781, 2.092}, {4.762, -4.781, 2.092}},
    {65, {3.755, -4.398, 1.975}, {3.755, -4.398, 1.975}},
    {45, {1.018, -0.3107, 0.1539}, {1.103, -0.362, 0.2767}},
    {32, {0.8367, -0.4341, 0.1701}, {0.9559, -0.7823, 0.471}},
    {20, {0.373, -0.1582, 0.04104}, {0.2632, -0.14, 0.06841}},
    {16, {0.2958, -0.1241, 0.03024}, {0.2139, -0.1187, 0.05639}},
    {14, {0.2363, -0.09675, 0.02239}, {0.1556, -0.06472, 0.03066}},
    {10, {0.2068, -0.09311, 0.02375}, {0.1261, -0.0518, 0.02769}},
    {7, {0.1776, -0.09097, 0.02447}, {0.09365, -0.03409, 0.02043}},
};

static int node_index(double nm) {
  for (int i = 0; i < (int)ERG_COUNT_OF(nodes); i++)
    if (nodes[i].nm == nm) return i;
  return -1;
}

/* NaN where the polynomial is no energy: not positive, or falling with the voltage. */
static double polynomial(const double a[3], double v) {
  double energy = (a[0] * v + a[1]) * v + a[2], slope = 2 * a[0] * v + a[1];
  return energy > 0 && slope > 0 ? energy : NAN;
}
static double energy_at(int node, double v) {
  return sqrt(polynomial(nodes[node].hp, v) * polynomial(nodes[node].lp, v));
}

erg_status erg_technology_scale(erg_technology *t, erg_error *error) {
  t->scale = 1;
  if (t->scale_to_node_nm <= 0 && t->scale_to_voltage_v <= 0) return ERG_OK;
  double to_nm = t->scale_to_node_nm > 0 ? t->scale_to_node_nm : t->node_nm;
  double to_v = t->scale_to_voltage_v > 0 ? t->scale_to_voltage_v : t->voltage_v;
  if (t->voltage_v <= 0)
    return erg_fail(error, ERG_ERR_DATA, "%s: scaling needs the voltage the constants hold at; voltage_v is not stated",
                    t->file);
  if (to_v < LEAST_VOLTAGE * t->voltage_v || to_v > MOST_VOLTAGE * t->voltage_v)
    return erg_fail(error, ERG_ERR_DATA, "%s: scale_to_voltage_v: found %g; allowed: %g to %g V", t->file, to_v,
                    LEAST_VOLTAGE * t->voltage_v, MOST_VOLTAGE * t->voltage_v);
  int from = node_index(t->node_nm), to = node_index(to_nm);
  if (from < 0 || to < 0)
    return erg_fail(error, ERG_ERR_DATA,
                    "%s: scaling from %g to %g nm; allowed: 180, 130, 90, 65, 45, 32, 20, 16, 14, 10, 7 nm", t->file,
                    t->node_nm, to_nm);
  if (from - to > MOST_STEPS || to - from > MOST_STEPS)
    return erg_fail(error, ERG_ERR_DATA,
                    "%s: scale_to_node_nm: found %g; allowed: at most %d nodes from %g nm, as longer hops are known to "
                    "be too optimistic; take a technology published at that node",
                    t->file, to_nm, MOST_STEPS, t->node_nm);
  if (t->has_static || t->clock.value > 0)
    return erg_fail(error, ERG_ERR_DATA,
                    "%s: clock and leakage do not follow the scaling of dynamic energy; leave out "
                    "static_pw_per_pe and clock, or the scaling",
                    t->file);
  if (t->sram_table && to_v != t->voltage_v)
    return erg_fail(error, ERG_ERR_DATA,
                    "%s: sram: the CACTI 7 table has its own voltages; leave out sram or "
                    "scale_to_voltage_v",
                    t->file);
  t->scale = energy_at(to, to_v) / energy_at(from, t->voltage_v);
  if (!isfinite(t->scale))
    return erg_fail(error, ERG_ERR_DATA, "%s: the energy polynomial of %g nm does not hold at %g V", t->file, to_nm,
                    to_v);
  t->scale_provenance = (erg_provenance){.source = "A. Stillmaker, B. Baas, Integration 58 (2017) 74-81",
                                         .table = "energy coefficients, ratio",
                                         .year = 2017,
                                         .confirmed = true,
                                         .derived = true,
                                         .sources = 1,
                                         .conflict = to != from,
                                         .node_nm = to_nm,
                                         .voltage_v = to_v};
  return ERG_OK;
}
