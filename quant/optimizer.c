/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ergon/train.h"
#include <math.h>
#include <string.h>

const erg_optimizer_kind *erg_optimizer_find(const char *name) {
  ERG_EACH(erg_optimizer_kind, item) if (strcmp((*item)->name, name) == 0) return *item;
  return NULL;
}

#define SGD_MOMENTUM 0.9

static void sgd(int64_t count, double rate, int64_t step, const double *gradient, double *const *moment,
                double *values) {
  (void)step;
  for (int64_t i = 0; i < count; i++) {
    moment[0][i] = SGD_MOMENTUM * moment[0][i] + gradient[i];
    values[i] -= rate * moment[0][i];
  }
}

static const erg_optimizer_kind sgd_kind = {"sgd", "gradient descent with momentum 0.9", 1, sgd};
ERG_REGISTER(erg_optimizer_kind, sgd_kind);

/* Kingma and Ba, arXiv:1412.6980, with the constants of the paper. */
static void adam(int64_t count, double rate, int64_t step, const double *gradient, double *const *moment,
                 double *values) {
  const double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double first = 1 - pow(beta1, (double)step), second = 1 - pow(beta2, (double)step);
  for (int64_t i = 0; i < count; i++) {
    moment[0][i] = beta1 * moment[0][i] + (1 - beta1) * gradient[i];
    moment[1][i] = beta2 * moment[1][i] + (1 - beta2) * gradient[i] * gradient[i];
    values[i] -= rate * (moment[0][i] / first) / (sqrt(moment[1][i] / second) + epsilon);
  }
}

static const erg_optimizer_kind adam_kind = {"adam", "Adam, beta 0.9 and 0.999, epsilon 1e-8", 2, adam};
ERG_REGISTER(erg_optimizer_kind, adam_kind);

erg_status erg_optimizer_new(const erg_optimizer_kind *kind, const erg_weights *weights, erg_optimizer *out,
                             erg_error *error) {
  *out = (erg_optimizer){.kind = kind};
  for (int m = 0; m < kind->moments; m++) {
    erg_status status = erg_weights_copy(weights, &out->moments[m], error);
    if (status != ERG_OK) {
      erg_optimizer_free(out);
      return status;
    }
    for (int i = 0; i < weights->count; i++) {
      const erg_parameter *p = &out->moments[m].items[i];
      memset(p->values, 0, sizeof *p->values * (size_t)p->elements);
    }
  }
  return ERG_OK;
}

void erg_optimizer_step(erg_optimizer *optimizer, double learning_rate, const erg_weights *gradients,
                        erg_weights *weights) {
  optimizer->step++;
  for (int i = 0; i < weights->count; i++) {
    erg_parameter *p = &weights->items[i];
    double *moment[2] = {NULL, NULL};
    if (!p->trained) continue;
    for (int m = 0; m < optimizer->kind->moments; m++) moment[m] = optimizer->moments[m].items[i].values;
    optimizer->kind->move(p->elements, learning_rate, optimizer->step, gradients->items[i].values, moment, p->values);
  }
}

void erg_optimizer_free(erg_optimizer *optimizer) {
  for (int m = 0; m < 2; m++) erg_weights_free(&optimizer->moments[m]);
}

double erg_cosine_rate(double initial, int64_t step, int64_t steps) {
  return initial * 0.5 * (1 + cos(3.14159265358979324 * (double)step / (double)steps));
}
