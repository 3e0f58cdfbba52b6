/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sim: a tile of a layer as a product of its own, and a closer look at the output that differs. */
#ifndef ERGON_SIM_VERIFY_LOOK_H
#define ERGON_SIM_VERIFY_LOOK_H
#include "ergon/gemm.h"

/* What a tile of an array pass is made of. `row_tile`: output rows of an m-tile (erg_mapping.out_rows). */
typedef struct {
  const erg_arch *arch;
  const erg_pass *pass;
  const erg_synth_layer *layer;
  const int16_t *input, *residual;
  int32_t input_zero_point;
  int row_tile, accumulator_bits;
} erg_tile_source;

/* Tiles: by image and m-tile, then by columns of channels (within each group). */
int erg_tile_count(const erg_tile_source *source);
int erg_tile_of(const erg_tile_source *source, int image, int row, int channel);
/* The tile as a product: raw codes, padding as zero points, their share in the bias. *first_*: of its first output. */
typedef struct { int image, row, channel; } erg_tile_origin;
erg_status erg_tile_make(erg_arena *arena, const erg_tile_source *source, int tile, erg_gemm *out,
                         erg_tile_origin *origin, erg_error *error);

/* Runs a product again in a variant that can be looked into, and fills row->detail for its output `index`. Leaves
 * row->detail.replayed false where that variant gives the golden code there. The waveform is of the first of `result`. */
erg_status erg_verify_look(const erg_point *point, const erg_verify_options *options, const erg_gemm *gemm,
                           int64_t index, double gap_probability, uint64_t gap_seed, const erg_verify_result *result,
                           erg_verify_row *row, erg_error *error);
/* "<command> <what>", what=NULL without options->command. */
void erg_verify_replay(const erg_verify_options *options, const char *what, erg_verify_row *row);
/** Writes and sums up the coverage of a run whose status is `status`; a file that cannot be written makes that ERG_ERR_CREATE
 *  where all was well. */
erg_status erg_verify_cover(erg_rtl *rtl, const char *path, erg_verify_result *result, erg_status status,
                            erg_error *error);

#endif
