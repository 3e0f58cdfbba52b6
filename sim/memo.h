/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sim: tiles and counts of passes by their geometry, on one architecture. */
#ifndef ERGON_SIM_MEMO_H
#define ERGON_SIM_MEMO_H
#include "kept.h"

/* As erg_map; a geometry that was mapped before is looked up. Failures are not kept. memo may be NULL. */
erg_status erg_memo_map(struct erg_memo *memo, const erg_arch *arch, const erg_geometry *geometry, erg_mapping *out,
                        erg_error *error);
/* As erg_map_bits. */
erg_status erg_memo_bits(struct erg_memo *memo, const erg_arch *arch, const erg_geometry *geometry, uint64_t *bits,
                         erg_error *error);
/* As erg_analytic for a mapping of erg_memo_map, and erg_conserve once. */
erg_status erg_memo_analytic(struct erg_memo *memo, const erg_arch *arch, const erg_geometry *geometry,
                             const erg_mapping *mapping, const erg_op_counts *ops, erg_activity *out, erg_error *error);
/* Of its network, the plan of a fusion choice. */
erg_kept_plan *erg_memo_plan(struct erg_memo *memo, erg_fusion fusion);
#endif
