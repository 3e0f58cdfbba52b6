/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside quant: the layers of the encoder, which the tape and the integers share. */
#ifndef ERGON_QUANT_ENCODER_H
#define ERGON_QUANT_ENCODER_H
#include "ergon/encoder.h"

typedef struct {
  const char *name;
  int in, out, residual; /* erg_encoder_tensor; residual -1: none */
  bool bias, relu;
} erg_encoder_layer;
enum { ERG_ENCODER_LAYERS = 8 };
extern const erg_encoder_layer erg_encoder_layers[ERG_ENCODER_LAYERS];

/* Channels of a tensor; of scores and probabilities 0. */
int erg_encoder_channels(const erg_encoder_shape *shape, int tensor);
/* "<name>.<role>"; NULL when there is none. */
const erg_parameter *erg_encoder_parameter(const erg_weights *weights, const char *name, const char *role);
#endif
