/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What widths of layers cost on a machine, for studies. */
#ifndef ERGON_QUANT_STUDIES_PRICES_H
#define ERGON_QUANT_STUDIES_PRICES_H

#include "ergon/energy_table.h"

#define PRICES_MOST_LAYERS 16
#define PRICES_MOST_OPTIONS 8

typedef struct {
  erg_graph graph; /* of `batch` images */
  int batch;
  erg_arch arch;
  erg_technology technology;
  erg_energy_table table; /* on hardware for the widest of the bits; activations have 8 */
  int layers, options;    /* the table's */
  const int *nodes, *bits;
  const double *energy_pj;
} prices;

/* `mac` NULL: as in the architecture's file. */
erg_status prices_open(const char *net, const char *arch, const char *mac, int batch, const int *bits, int options,
                       prices *out, erg_error *error);
void prices_close(prices *p);
/* The whole network, `option` [layers], by the machine model. */
erg_status prices_of(const prices *p, const int *option, erg_fusion fusion, double *pj, erg_error *error);

#endif
