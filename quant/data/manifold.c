/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Vectors of 32 on a curved surface of 6 dimensions: 10 classes of 3 clusters each, bent by tanh and sin. */
#include "../data_shared.h"
#include <math.h>

#define LATENT 6
#define WIDTH 32
#define CLASSES 10
#define CLUSTERS 3

/* What all splits of a seed share: where the clusters lie and how the surface is bent. */
typedef struct {
  double centre[CLASSES][CLUSTERS][LATENT], slope[WIDTH][LATENT], wave[WIDTH][LATENT], phase[WIDTH];
} surface;

static void make_surface(uint64_t seed, surface *s) {
  char purpose[64];
  erg_random random;
  erg_random_stream(&random, seed, erg_data_purpose("manifold", "surface", purpose));
  for (int k = 0; k < CLASSES; k++)
    for (int c = 0; c < CLUSTERS; c++)
      for (int d = 0; d < LATENT; d++) s->centre[k][c][d] = erg_random_normal(&random);
  for (int i = 0; i < WIDTH; i++) {
    for (int d = 0; d < LATENT; d++) {
      s->slope[i][d] = erg_random_normal(&random) / sqrt(LATENT);
      s->wave[i][d] = erg_random_normal(&random) / sqrt(LATENT);
    }
    s->phase[i] = 6.283185307179586477 * erg_random_unit(&random);
  }
}

#define SPREAD 0.5 /* of a cluster; its centres lie one apart */

static void draw(erg_random *random, const surface *s, int label, double *x) {
  const double *centre = s->centre[label][erg_random_range(random, 0, CLUSTERS - 1)];
  double z[LATENT];
  for (int d = 0; d < LATENT; d++) z[d] = centre[d] + SPREAD * erg_random_normal(random);
  for (int i = 0; i < WIDTH; i++) {
    double a = 0, b = s->phase[i];
    for (int d = 0; d < LATENT; d++) a += s->slope[i][d] * z[d], b += s->wave[i][d] * z[d];
    x[i] = tanh(a) + 0.5 * sin(2 * b);
  }
}

static erg_status make(uint64_t seed, erg_split split, int count, erg_dataset *out, erg_error *error) {
  erg_status status = erg_dataset_new("manifold", (erg_shape){1, 1, 1, WIDTH}, count, CLASSES, 1, out, error);
  if (status != ERG_OK) return status;
  surface s;
  make_surface(seed, &s);
  erg_random random;
  erg_data_stream(&random, seed, "manifold", split);
  for (int i = 0; i < count; i++) {
    out->labels[i] = (int)erg_random_range(&random, 0, CLASSES - 1);
    draw(&random, &s, out->labels[i], out->inputs + (size_t)i * WIDTH);
  }
  return ERG_OK;
}

static const erg_data_source manifold = {
    "manifold", "vectors of 32 on a curved surface of 6 dimensions, 10 classes of 3 clusters", 2000, 1000, make};
ERG_REGISTER(erg_data_source, manifold);
