/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stylizing network, trained on perceptual losses of a fixed encoder (Johnson, Alahi and Fei-Fei, ECCV 2016): the
 * content is the encoder's deeper map, the style the Gram matrices of its earlier ones. */
#ifndef ERGON_QUANT_STUDIES_STYLIZE_H
#define ERGON_QUANT_STUDIES_STYLIZE_H

#include "lab.h"

#define STYLIZE_LAYERS 3 /* of the encoder, whose Gram matrices are the style */
#define STYLIZE_NET "style-small"

typedef struct {
  lab encoder;              /* shapes-cnn on shapes: its training and test images are the contents */
  erg_weights encoder_weights;
  erg_graph graph;          /* the stylizing network, at the batch of evaluations */
  erg_weights weights;
  erg_dataset style;        /* textures: the first is the style */
  int maps[STYLIZE_LAYERS + 1]; /* nodes of the encoder: the style's, then the content's */
  erg_shape shapes[STYLIZE_LAYERS + 1];
  double *gram[STYLIZE_LAYERS]; /* of the style image */
  erg_arena arena;
} stylize;

typedef struct {
  double style;   /* |G - G_style|^2 / |G_style|^2, mean over layers, then over images */
  double content; /* sum |F - F_content|^2 / sum |F_content|^2 over images */
} stylize_distance;

/* A built-in network with its instance norms, or with batch norms in their place. */
erg_status stylize_net(const char *name, bool batch_norms, int batch, erg_graph *out, erg_error *error);
/* Trains the encoder, then the stylizing network on `steps` batches. */
erg_status stylize_open(uint64_t seed, int epochs, int steps, stylize *out, erg_error *error);
void stylize_close(stylize *s);
/* How far `images` [count of contents, H, W, 1] are from the style, and from `contents`. */
erg_status stylize_judge(const stylize *s, const double *images, const erg_dataset *contents, stylize_distance *out,
                         erg_error *error);

#endif
