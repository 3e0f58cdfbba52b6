/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What widths of layers cost on a machine, for studies. */
#ifndef ERGON_QUANT_STUDIES_PRICES_H
#define ERGON_QUANT_STUDIES_PRICES_H

#include "ergon/assign.h"
#include "ergon/sim.h"

#define PRICES_MOST_LAYERS 16
#define PRICES_MOST_OPTIONS 8

typedef struct {
  erg_arena arena;
  erg_graph graph; /* one image */
  erg_arch arch;
  erg_technology technology;
  int layers, options;
  int nodes[PRICES_MOST_LAYERS]; /* array nodes in order */
  const int *bits;               /* [options] of weights; activations have 8 */
  double rest_pj;                /* what does not depend on them */
  double energy_pj[PRICES_MOST_LAYERS * PRICES_MOST_OPTIONS]; /* [layer * options + option] */
} prices;

/* `mac` NULL: as in the architecture's file. The last of the bits is the widest. */
erg_status prices_open(const char *net, const char *arch, const char *mac, const int *bits, int options, prices *out,
                       erg_error *error);
void prices_close(prices *p);
/* The whole network, `option` [layers], by the machine model. */
erg_status prices_of(const prices *p, const int *option, erg_fusion fusion, double *pj, erg_error *error);

#endif
