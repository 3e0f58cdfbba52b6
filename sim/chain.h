/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file chain.h
 *  Inside sim: chains of passes that run row tile by row tile, each link's map staying on chip between it and the next
 *  (fusion `depth`; docs/model.md, "Chains"). Line buffers with reuse: no row is read or computed twice (the scheme of
 *  M. Alwani et al., Fused-Layer CNN Accelerators, MICRO 2016). */
#ifndef ERGON_SIM_CHAIN_H
#define ERGON_SIM_CHAIN_H

#include "traffic.h"

typedef struct { erg_geometry geometry; erg_mapping mapping; } erg_chain_link;

/** Cuts the sequences of a plan's passes into chains so that least bits move off chip: marks the passes, notes what was
 *  done and why not. ERG_ERR_INTERNAL: no memory. */
erg_status erg_chain_plan(const erg_point *point, erg_plan *plan, erg_error *error);
/** The links of the chain that plan->passes[pass] belongs to; `mine`: which of them it is. NULL: no memory. */
erg_chain_link *erg_chain_links(const erg_point *point, const erg_plan *plan, int pass, erg_arena *arena, int *count,
                                int *mine);
/** A link's mapping: all channels and all of K at once, `rows` output rows at a time. */
void erg_chain_map(const erg_arch *arch, const erg_geometry *geometry, int rows, erg_mapping *out);

/** Rows of its input that link `index` needs room for. The first link's are two slots of its tile. The others' buffer
 *  holds what a tile reads less the row that is still to come, and the tile then made by the link before. */
int erg_chain_buffer_rows(const erg_chain_link *links, int index);

/** One tile of one link, in the order in which a chain makes them. */
typedef struct { int link, image, tile; } erg_chain_step;
/** All of them, deepest link first whenever its rows are there; `most_rows` [count]: the most rows of its input that a
 *  link's buffer held at once (the first: 0, its input comes by tiles). NULL: no memory; the caller frees. */
erg_chain_step *erg_chain_schedule(const erg_chain_link *links, int count, int64_t *step_count, int *most_rows);
/** Cycles of link `mine`: tiles one after the other, each from its first weights to its last output; stalls are those
 *  of its tiles. ERG_ERR_INTERNAL: no memory. */
erg_status erg_chain_cycles(const erg_arch *arch, const erg_chain_link *links, int count, int mine, erg_activity *out,
                            erg_error *error);

#endif
