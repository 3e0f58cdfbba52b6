/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plot.h"
#include <math.h>
#include <string.h>

/* Okabe and Ito's colours, and a shape each for black and white. */
const plot_family_look plot_families[PLOT_FAMILIES] = {{"fp32", "#000000", 13},
                                                       {"fp16", "#CC79A7", 15},
                                                       {"bf16", "#56B4E9", 11},
                                                       {"fp8", "#E69F00", 9},
                                                       {"int, 9 to 16 bits", "#D55E00", 5},
                                                       {"int, 5 to 8 bits", "#0072B2", 7},
                                                       {"int, 2 to 4 bits", "#009E73", 9}};

int plot_family(const plot_row *row) {
  if (strcmp(row->format, "fp32") == 0) return 0;
  if (strcmp(row->format, "fp16") == 0) return 1;
  if (strcmp(row->format, "bf16") == 0) return 2;
  if (strncmp(row->format, "fp8", 3) == 0) return 3;
  double widest = fmax(row->weight_bits, row->activation_bits);
  return widest > 8 ? 4 : widest > 4 ? 5 : 6;
}
