/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the study of style transfer share. */
#ifndef ERGON_QUANT_STUDIES_STYLE_H
#define ERGON_QUANT_STUDIES_STYLE_H

#include "ergon/study.h"

/* Texts of a row: what it is, of what, at which precision, at which fusion ("-": neither), and a picture ("-": none): 16 x
 * 16 grey levels of two hexadecimal digits, row by row. */
#define STYLE_IMAGES "images"    /* judged against style and content */
#define STYLE_PICTURE "picture"  /* of the first seed */
#define STYLE_MACHINE "machine"  /* of a network, of the first seed */
#define STYLE_NORM "instance norm"
#define STYLE_STATIC "constant statistics"
#define STYLE_ROUNDED "rounded output"
#define STYLE_CONTENT "content"
#define STYLE_OTHER_CONTENT "another content"
#define STYLE_SAME_CLASS "other images of the style's class"
#define STYLE_OTHER_CLASS "images of other classes of style"
#define STYLE_SMALL "style-small"
#define STYLE_RESIDUAL "style-residual"
#define STYLE_BATCH_NORMS " with batch norms" /* behind a network's name */

enum {
  STYLE_DISTANCE,
  STYLE_CONTENT_DISTANCE,
  STYLE_PSNR,
  STYLE_ENERGY,
  STYLE_MAC,
  STYLE_PARTIAL_SUMS,
  STYLE_DRAM,
  STYLE_CYCLES,
  STYLE_PASSES,
  STYLE_NUMBERS
};

typedef struct {
  const char *name, *precision;
} style_width;
#define STYLE_WIDTHS 6
extern const style_width style_widths[STYLE_WIDTHS]; /* from wide to narrow */

/* Rows of the machine: both networks, with either norm, at each width and fusion. */
erg_status style_price(erg_study_result *out, erg_error *error);
erg_status style_judge(erg_study_result *result, erg_error *error);
/* A row; NULL texts are "-", numbers that are not given NAN. */
typedef struct { const char *what, *of, *precision, *fusion, *picture; } style_row;
erg_status style_add(erg_study_result *out, uint64_t seed, style_row row, const double *numbers, erg_error *error);

#endif
