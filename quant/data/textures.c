/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Images 16 x 16 of random texture: 4 orientations x 2 scales. A class is a spectrum, not a picture: every image sums a
 * few waves of its class's band with phases of its own, so that only statistics of features tell classes apart. */
#include "../data_shared.h"
#include <math.h>

#define SIDE 16
#define ORIENTATIONS 4
#define CLASSES (2 * ORIENTATIONS)
#define WAVES 6
#define NOISE 0.3

static void draw(erg_random *random, int label, double *image) {
  double middle = 3.14159265358979324 * (label % ORIENTATIONS) / ORIENTATIONS,
         length = label / ORIENTATIONS ? 6.0 : 3.5;
  double u[WAVES], v[WAVES], phase[WAVES];
  for (int i = 0; i < WAVES; i++) {
    double angle = middle + 0.25 * erg_random_normal(random);
    double frequency = 6.283185307179586477 / length * exp(0.15 * erg_random_normal(random));
    u[i] = frequency * cos(angle);
    v[i] = frequency * sin(angle);
    phase[i] = 6.283185307179586477 * erg_random_unit(random);
  }
  for (int y = 0; y < SIDE; y++)
    for (int x = 0; x < SIDE; x++) {
      double value = 0;
      for (int i = 0; i < WAVES; i++) value += sin(u[i] * x + v[i] * y + phase[i]);
      *image++ = value / sqrt(WAVES) + NOISE * erg_random_normal(random);
    }
}

static erg_status make(uint64_t seed, erg_split split, int count, erg_dataset *out, erg_error *error) {
  erg_status status = erg_dataset_new("textures", (erg_shape){1, SIDE, SIDE, 1}, count, CLASSES, 1, out, error);
  if (status != ERG_OK) return status;
  erg_random random;
  erg_data_stream(&random, seed, "textures", split);
  for (int i = 0; i < count; i++) {
    out->labels[i] = (int)erg_random_range(&random, 0, CLASSES - 1);
    draw(&random, out->labels[i], out->inputs + (size_t)i * SIDE * SIDE);
  }
  return ERG_OK;
}

static const erg_data_source textures = {"textures", "16 x 16 textures of 4 orientations x 2 scales, 8 classes", 1000,
                                         500, make};
ERG_REGISTER(erg_data_source, textures);
