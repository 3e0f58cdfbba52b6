/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Images 16 x 16 of one shape filled with stripes: 5 shapes x 2 stripe directions, in noise. Where, how large, how
 * bright, and where the stripes begin, differs from image to image. */
#include "../data_shared.h"
#include <math.h>

#define SIDE 16
#define SHAPES 5
#define NOISE 0.15

/* Is (x, y), in units of the shape's size around its centre, inside? */
static bool inside(int shape, double x, double y) {
  double radius = sqrt(x * x + y * y);
  switch (shape) {
  case 0:
    return radius < 1; /* disc */
  case 1:
    return fabs(x) < 0.85 && fabs(y) < 0.85; /* square */
  case 2:
    return y < 0.75 && y > -1 && fabs(x) < (y + 1) * 0.55; /* triangle */
  case 3:
    return (fabs(x) < 0.35 && fabs(y) < 1) || (fabs(y) < 0.35 && fabs(x) < 1); /* cross */
  default:
    return radius < 1 && radius > 0.55; /* ring */
  }
}

static void draw(erg_random *random, int label, double *image) {
  double size = 4.5 + 2.0 * erg_random_unit(random), gain = 0.9 + 0.6 * erg_random_unit(random);
  double cx = SIDE / 2.0 + 3.5 * (erg_random_unit(random) - 0.5),
         cy = SIDE / 2.0 + 3.5 * (erg_random_unit(random) - 0.5);
  double phase = 6.283185307179586477 * erg_random_unit(random), tilt = 0.4 * (erg_random_unit(random) - 0.5);
  double angle = 0.785398163397448310 * (label / SHAPES ? 3 : 1) + tilt, wave = 1.4;
  for (int y = 0; y < SIDE; y++)
    for (int x = 0; x < SIDE; x++) {
      double stripe = 0.5 + 0.5 * sin(wave * (x * cos(angle) + y * sin(angle)) + phase);
      double value = inside(label % SHAPES, (x + 0.5 - cx) / size, (y + 0.5 - cy) / size) ? gain * stripe : 0;
      *image++ = value + NOISE * erg_random_normal(random);
    }
}

static erg_status make(uint64_t seed, erg_split split, int count, erg_dataset *out, erg_error *error) {
  erg_status status = erg_dataset_new("shapes", (erg_shape){1, SIDE, SIDE, 1}, count, 2 * SHAPES, 1, out, error);
  if (status != ERG_OK) return status;
  erg_random random;
  erg_data_stream(&random, seed, "shapes", split);
  for (int i = 0; i < count; i++) {
    out->labels[i] = (int)erg_random_range(&random, 0, 2 * SHAPES - 1);
    draw(&random, out->labels[i], out->inputs + (size_t)i * SIDE * SIDE);
  }
  return ERG_OK;
}

static const erg_data_source shapes = {"shapes", "16 x 16 images of 5 shapes x 2 stripe directions, 10 classes", 1200,
                                       500, make};
ERG_REGISTER(erg_data_source, shapes);
