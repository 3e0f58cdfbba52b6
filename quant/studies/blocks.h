/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the study of blocks and its judge share. */
#ifndef ERGON_QUANT_STUDIES_BLOCKS_H
#define ERGON_QUANT_STUDIES_BLOCKS_H

#include "block_net.h"
#include "ergon/study.h"

/* Numbers of a row, in order: what training gave (by seed), then what the machine says (of the first seed alone). */
enum {
  BLOCKS_ACCURACY,
  BLOCKS_LOSS,
  BLOCKS_SQNR,
  BLOCKS_ENERGY,
  BLOCKS_CYCLES,
  BLOCKS_DRAM,
  BLOCKS_PASSES,
  BLOCKS_MACS,
  BLOCKS_NUMBERS
};
#define BLOCKS_SMALL "small buffers"
#define BLOCKS_UNLIMITED "unlimited buffers"

erg_status blocks_judge(erg_study_result *result, erg_error *error);

#endif
