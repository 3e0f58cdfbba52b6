/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a network trains on activations that backward finds in few bits: is the gradient unbiased, is accuracy kept,
 * and does it take stochastic rounding, or masks of the ReLUs beside the codes. Weights and the forward step are not
 * quantized. */
#include "ergon/coded.h"
#include "ergon/study.h"
#include "judging.h"
#include "lab.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GRADIENT_EXAMPLES 256
#define GRADIENT_EPOCHS 2 /* gradients are those of a network that has begun to learn */

static const int widths[] = {8, 4, 2, 1};
static const char *const width_names[] = {"8", "4", "2", "1"};
static const char *const mask_names[] = {"codes", "bits"};
#define WIDTHS ERG_COUNT_OF(widths)

static erg_train_options training(int epochs) {
  return (erg_train_options){.epochs = epochs, .batch = 32, .learning_rate = 3e-3, .optimizer = "adam"};
}

static erg_coded_options arm_of(const lab *l, size_t width, int rounding, bool masks) {
  return (erg_coded_options){widths[width], (erg_stored_rounding)rounding, masks, l->seed};
}

static int draws_of(const erg_study_result *r) {
  return r->brief ? 50 : 200;
}

/* ---- the gradient of the middle layer's weights ---- */

typedef struct {
  const lab *lab;
  erg_tape *tape;
  const erg_weights *weights;
  erg_weights gradients;
  erg_parameter *middle; /* of the gradients */
  double *exact, *mean;  /* [middle elements] */
} probe;

static erg_status gradient(probe *p, const erg_train_model *model, erg_error *error) {
  const erg_tape_attrs attrs = {.labels = p->lab->train.labels};
  int output = -1;
  for (int i = 0; i < p->gradients.count; i++)
    memset(p->gradients.items[i].values, 0, sizeof(double) * (size_t)p->gradients.items[i].elements);
  erg_tape_reset(p->tape);
  erg_status status = model ? model->forward(model->context, p->tape, p->weights, &p->gradients, p->lab->train.inputs,
                                             GRADIENT_EXAMPLES, true, &output, error)
                            : erg_network_forward(p->tape, &p->lab->graph, p->weights, &p->gradients,
                                                  p->lab->train.inputs, GRADIENT_EXAMPLES, true, NULL, &output, error);
  if (status != ERG_OK) return status;
  int loss = erg_tape_apply(p->tape, erg_tape_op_find("cross_entropy"), &attrs, (int[]){output, -1, -1}, error);
  if (loss < 0) return error ? error->status : ERG_ERR_INTERNAL;
  return erg_tape_backward(p->tape, loss, error);
}

/* Distance from the exact gradient in its own length. */
static double error_of(const probe *p, const double *other, double scale) {
  double squares = 0, length = 0;
  for (int64_t i = 0; i < p->middle->elements; i++) {
    const double difference = other[i] * scale - p->exact[i];
    squares += difference * difference, length += p->exact[i] * p->exact[i];
  }
  return sqrt(squares / length);
}

static erg_status draw(probe *p, size_t width, int rounding, bool masks, erg_study_result *out, erg_error *error) {
  const erg_coded_options options = arm_of(p->lab, width, rounding, masks);
  erg_coded *coded = NULL;
  const int draws = draws_of(out);
  double single = 0;
  erg_status status = erg_coded_open(&p->lab->graph, &options, &coded, error);
  if (status != ERG_OK) return status;
  memset(p->mean, 0, sizeof *p->mean * (size_t)p->middle->elements);
  for (int d = 0; d < draws && status == ERG_OK; d++) {
    status = gradient(p, erg_coded_model(coded), error);
    if (status != ERG_OK) break;
    single += error_of(p, p->middle->values, 1) / draws;
    for (int64_t i = 0; i < p->middle->elements; i++) p->mean[i] += p->middle->values[i];
  }
  erg_coded_close(coded);
  if (status != ERG_OK) return status;
  return erg_study_add(
      out, p->lab->seed,
      (const char *const[]){"gradient", width_names[width], erg_stored_rounding_names[rounding], mask_names[masks]},
      (const double[]){NAN, NAN, single, error_of(p, p->mean, 1.0 / draws)}, error);
}

static erg_status run_gradients(const lab *l, erg_study_result *out, erg_error *error) {
  erg_weights begun = {0};
  probe p = {.lab = l, .tape = erg_tape_new(), .weights = &begun};
  erg_status status = lab_train(l, training(GRADIENT_EPOCHS), &begun, error);
  if (status == ERG_OK) status = erg_weights_copy(&begun, &p.gradients, error);
  for (int i = 0; i < p.gradients.count; i++)
    if (strcmp(p.gradients.items[i].name, "fc2.weight") == 0) p.middle = &p.gradients.items[i];
  if (status != ERG_OK) goto out;
  if (!p.tape || !p.middle) {
    status = erg_fail(error, ERG_ERR_INTERNAL, "no gradient of fc2.weight, or out of memory");
    goto out;
  }
  const size_t bytes = sizeof(double) * (size_t)p.middle->elements;
  p.exact = erg_arena_alloc(&p.gradients.arena, bytes);
  p.mean = erg_arena_alloc(&p.gradients.arena, bytes);
  if (!p.exact || !p.mean) {
    status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    goto out;
  }
  status = gradient(&p, NULL, error);
  memcpy(p.exact, p.middle->values, bytes);
  for (size_t w = 0; w < WIDTHS; w++)
    for (int rounding = 0; rounding < 2; rounding++)
      for (int masks = 0; masks < 2 && status == ERG_OK; masks++)
        status = draw(&p, w, rounding, masks == 1, out, error);
out:
  erg_tape_free(p.tape);
  erg_weights_free(&p.gradients);
  erg_weights_free(&begun);
  return status;
}

/* ---- training ---- */

static erg_status train_arm(const lab *l, const erg_coded_options *options, int epochs, erg_score *score,
                            erg_error *error) {
  erg_train_options own = training(epochs);
  erg_weights trained = {0};
  erg_coded *coded = NULL;
  erg_status status = options ? erg_coded_open(&l->graph, options, &coded, error) : ERG_OK;
  if (status != ERG_OK) return status;
  if (coded) own.model = erg_coded_model(coded);
  status = lab_train(l, own, &trained, error);
  if (status == ERG_OK) status = lab_judge_float(l, &trained, &l->test, score, error);
  erg_coded_close(coded);
  erg_weights_free(&trained);
  return status;
}

static erg_status add_training(const lab *l, const char *bits, const char *rounding, const char *masks,
                               const erg_score *score, erg_study_result *out, erg_error *error) {
  return erg_study_add(out, l->seed, (const char *const[]){"training", bits, rounding, masks},
                       (const double[]){score->accuracy, score->loss, NAN, NAN}, error);
}

static erg_status run_training(const lab *l, erg_study_result *out, erg_error *error) {
  const int epochs = out->brief ? 3 : 30;
  erg_score score;
  erg_status status = train_arm(l, NULL, epochs, &score, error);
  if (status == ERG_OK) status = add_training(l, "full", "-", "-", &score, out, error);
  for (size_t w = 0; w < WIDTHS; w++)
    for (int rounding = 0; rounding < 2; rounding++)
      for (int masks = 0; masks < 2 && status == ERG_OK; masks++) {
        const erg_coded_options options = arm_of(l, w, rounding, masks == 1);
        status = train_arm(l, &options, epochs, &score, error);
        if (status == ERG_OK)
          status = add_training(l, width_names[w], erg_stored_rounding_names[rounding], mask_names[masks], &score, out,
                                error);
      }
  return status;
}

static erg_status run_seed(uint64_t seed, erg_study_result *out, erg_error *error) {
  lab l;
  erg_status status = lab_open("manifold-mlp-relu", "manifold", seed, &l, error);
  if (status != ERG_OK) return status;
  status = run_gradients(&l, out, error);
  if (status == ERG_OK) status = run_training(&l, out, error);
  lab_close(&l);
  return status;
}

/* ---- all seeds ---- */

#define NETWORK "manifold-mlp-relu on manifold, activations coded for backward in groups of 256, "

static erg_status series(erg_study_result *r, const char *what, size_t width, int rounding, int masks,
                         const char *number, erg_study_series *out, erg_error *error) {
  return erg_study_series_of(
      r, (const char *const[]){what, width_names[width], erg_stored_rounding_names[rounding], mask_names[masks]},
      number, out, error);
}

/* How much nearer the mean of the draws is than a draw, by width and with its spread. `fallen`: widths at which it is
 * as near as independent errors would bring it, within a fifth. */
static erg_status fall(erg_study_result *r, int rounding, int masks, char *text, size_t bytes, int *fallen,
                       double *most, erg_error *error) {
  size_t length = 0;
  *fallen = 0, *most = 0, text[0] = 0;
  for (size_t w = 0; w < WIDTHS; w++) {
    erg_study_series single, mean;
    erg_status status = series(r, "gradient", w, rounding, masks, "error_of_a_draw", &single, error);
    if (status == ERG_OK) status = series(r, "gradient", w, rounding, masks, "error_of_the_mean", &mean, error);
    if (status != ERG_OK) return status;
    double a, b, unused;
    erg_study_mean(&single, &a, &unused);
    erg_study_mean(&mean, &b, &unused);
    *fallen += fabs(a / b / sqrt(draws_of(r)) - 1) <= 0.2;
    *most = fmax(*most, a / b);
    if (length < bytes)
      length += (size_t)snprintf(text + length, bytes - length, "%s%s bit: %.4f to %.4f (%.1f times)", w ? "; " : "",
                                 width_names[w], a, b, a / b);
  }
  return ERG_OK;
}

static erg_status judge_bias(erg_study_result *r, erg_error *error) {
  char stochastic[512], nearest[512], shared[512];
  int fallen, nearest_fallen, shared_fallen;
  double most, nearest_most, shared_most;
  erg_status status = fall(r, ERG_ROUND_STOCHASTIC, true, stochastic, sizeof stochastic, &fallen, &most, error);
  if (status == ERG_OK)
    status = fall(r, ERG_ROUND_NEAREST, true, nearest, sizeof nearest, &nearest_fallen, &nearest_most, error);
  if (status == ERG_OK)
    status = fall(r, ERG_ROUND_STOCHASTIC, false, shared, sizeof shared, &shared_fallen, &shared_most, error);
  if (status != ERG_OK) return status;
  status = erg_study_claim_add(
      r,
      fallen == (int)WIDTHS && nearest_most < 1.05 ? ERG_SHOWS
      : fallen                                     ? ERG_SHOWS_IN_PART
                                                   : ERG_DOES_NOT_SHOW,
      "with stochastic rounding the gradient of weights is unbiased", NETWORK "masks in bits, gradient of fc2",
      "rounding to nearest, whose error is the same in every draw", error,
      "error of a draw, then of the mean of %d draws (independent errors: %.1f times less): stochastic %s; nearest %s",
      draws_of(r), sqrt(draws_of(r)), stochastic, nearest);
  if (status != ERG_OK) return status;
  return erg_study_claim_add(r,
                             shared_fallen == (int)WIDTHS ? ERG_SHOWS
                             : shared_fallen              ? ERG_SHOWS_IN_PART
                                                          : ERG_DOES_NOT_SHOW,
                             "it is unbiased too where ReLUs take their masks from the same codes",
                             NETWORK "masks from codes, stochastic, gradient of fc2", "masks in bits: the claim above",
                             error, "error of a draw, then of the mean of %d draws: %s", draws_of(r), shared);
}

/* Accuracy of one arm less that of another over seeds, in points. */
typedef struct {
  double accuracy, mean, deviation;
  int better, worse;
} paired;

static paired compare(const erg_study_series *arm, const erg_study_series *base) {
  paired p = {0};
  double unused, squares = 0;
  erg_study_mean(arm, &p.accuracy, &unused);
  for (int i = 0; i < arm->count; i++) {
    const double points = 100 * (arm->values[i] - base->values[i]);
    p.mean += points / arm->count, squares += points * points;
  }
  if (arm->count > 1) p.deviation = sqrt(fmax(squares - arm->count * p.mean * p.mean, 0) / (arm->count - 1));
  p.better = erg_study_wins(base, arm), p.worse = erg_study_wins(arm, base);
  p.accuracy *= 100;
  return p;
}

#define A_POINT 1.0

static erg_status judge_accuracy(erg_study_result *r, int rounding, int masks, const char *claim, const char *setting,
                                 erg_error *error) {
  erg_study_series full, arm;
  char text[768] = "";
  size_t length = 0;
  int kept = 0;
  double accuracy, deviation;
  erg_status status =
      erg_study_series_of(r, (const char *const[]){"training", "full", "-", "-"}, "accuracy", &full, error);
  if (status != ERG_OK) return status;
  erg_study_mean(&full, &accuracy, &deviation);
  for (size_t w = 0; w < WIDTHS; w++) {
    status = series(r, "training", w, rounding, masks, "accuracy", &arm, error);
    if (status != ERG_OK) return status;
    const paired p = compare(&arm, &full);
    kept += p.mean > -A_POINT;
    if (length < sizeof text)
      length +=
          (size_t)snprintf(text + length, sizeof text - length, "; %s bit %.1f (%+.2f points, sd %.2f; worse in %d)",
                           width_names[w], p.accuracy, p.mean, p.deviation, p.worse);
  }
  return erg_study_claim_add(
      r,
      kept == (int)WIDTHS ? ERG_SHOWS
      : kept              ? ERG_SHOWS_IN_PART
                          : ERG_DOES_NOT_SHOW,
      claim, setting, "activations kept as they are, same start and order", error,
      "accuracy kept as they are %.1f (sd %.1f) %%%s of %d seeds; within a point at %d of %d widths", 100 * accuracy,
      100 * deviation, text, r->seeds, kept, (int)WIDTHS);
}

/* Whether one arm beats another in nine tenths of the seeds, width by width. */
static erg_status judge_need(erg_study_result *r, int rounding, int masks, int other_rounding, int other_masks,
                             const char *claim, const char *setting, const char *control, erg_error *error) {
  erg_study_series arm, other;
  char text[768] = "";
  size_t length = 0;
  int needed = 0;
  for (size_t w = 0; w < WIDTHS; w++) {
    erg_status status = series(r, "training", w, rounding, masks, "accuracy", &arm, error);
    if (status == ERG_OK) status = series(r, "training", w, other_rounding, other_masks, "accuracy", &other, error);
    if (status != ERG_OK) return status;
    const paired p = compare(&arm, &other);
    needed += p.better >= judging_nine_tenths(r);
    if (length < sizeof text)
      length += (size_t)snprintf(text + length, sizeof text - length,
                                 "%s%s bit %.1f %% (%+.2f points, sd %.2f; better in %d, worse in %d)", w ? "; " : "",
                                 width_names[w], p.accuracy, p.mean, p.deviation, p.better, p.worse);
  }
  return erg_study_claim_add(r,
                             needed == (int)WIDTHS ? ERG_SHOWS
                             : needed              ? ERG_SHOWS_IN_PART
                                                   : ERG_DOES_NOT_SHOW,
                             claim, setting, control, error, "%s of %d seeds", text, r->seeds);
}

static erg_status judge(erg_study_result *r, erg_error *error) {
  erg_status status = judge_bias(r, error);
  if (status == ERG_OK)
    status = judge_accuracy(r, ERG_ROUND_STOCHASTIC, true, "training keeps its accuracy on activations of few bits",
                            NETWORK "stochastic, masks in bits", error);
  if (status == ERG_OK)
    status = judge_accuracy(r, ERG_ROUND_STOCHASTIC, false,
                            "training keeps its accuracy where masks come from the codes as well",
                            NETWORK "stochastic, masks from codes", error);
  if (status == ERG_OK)
    status = judge_need(r, ERG_ROUND_STOCHASTIC, true, ERG_ROUND_NEAREST, true, "training needs stochastic rounding",
                        NETWORK "masks in bits, stochastic", "rounding to nearest, masks in bits", error);
  if (status != ERG_OK) return status;
  return judge_need(r, ERG_ROUND_STOCHASTIC, true, ERG_ROUND_STOCHASTIC, false, "training needs masks beside the codes",
                    NETWORK "stochastic, masks in bits", "masks from the codes", error);
}

static const char *const texts[] = {"what", "bits", "rounding", "masks", NULL};
static const char *const numbers[] = {"accuracy", "loss_nat", "error_of_a_draw", "error_of_the_mean", NULL};
static const erg_study training_memory = {"training-memory",
                                          "Does a network train on activations that are kept in few bits",
                                          10,
                                          {texts, numbers},
                                          run_seed,
                                          judge};
ERG_REGISTER(erg_study, training_memory);
