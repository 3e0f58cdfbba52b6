/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether training through roundings pays: a tanh network whose hidden tensors have 2 bits, after training, and trained
 * with straight-through gradients (Bengio et al., arXiv:1308.3432), without the derivative of tanh, and without any
 * gradient through the roundings, which is the floor of random features with a trained last layer. */
#include "ergon/study.h"
#include "lab.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const precisions[] = {"w2a2", "w3a2"};
static const char *const arms[] = {"ptq", "ste", "identity", "zero"};
enum { PTQ, STE, IDENTITY, ZERO, ARMS };

/* Hidden tensors, which their readers' widths decide, and all weights at `precision`; what comes in, what the tables of
 * tanh read, and the logits keep 8 bits. */
static erg_status widths(const lab *l, const char *precision, erg_arena *arena, erg_quantize_options *out,
                         erg_error *error) {
  erg_precision hidden, eight;
  erg_status status = erg_precision_parse(precision, &hidden, error);
  if (status == ERG_OK) status = erg_precision_parse("int8", &eight, error);
  erg_precision *layers = erg_arena_alloc(arena, sizeof *layers * (size_t)l->graph.node_count);
  if (status != ERG_OK) return status;
  if (!layers) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  int first = -1;
  for (int id = 0; id < l->graph.node_count; id++) {
    layers[id] = hidden;
    layers[id].output_bits = 8;
    if (l->graph.nodes[id].op->role != ERG_ROLE_ARRAY) continue;
    if (first < 0) first = id;
  }
  layers[first].activation_bits = 8;
  *out = (erg_quantize_options){.precision = eight, .layers = layers};
  return ERG_OK;
}

static erg_status add(erg_study_result *out, uint64_t seed, const char *precision, const char *arm,
                      const erg_score *score, erg_error *error) {
  return erg_study_add(out, seed, (const char *const[]){precision, arm, NULL},
                       (const double[]){score->accuracy, score->loss, NAN, NAN}, error);
}

static erg_status run_arm(const lab *l, int arm, const erg_train_options *training, const erg_quantize_options *options,
                          const erg_weights *real, erg_score *score, erg_error *error) {
  if (arm == PTQ) return lab_judge(l, real, options, &l->test, score, error);
  static const erg_qat_rule rules[] = {[STE] = ERG_QAT_STE, [IDENTITY] = ERG_QAT_IDENTITY, [ZERO] = ERG_QAT_ZERO};
  erg_train_options own = *training;
  erg_weights initial = {0}, trained = {0};
  erg_qat *qat = NULL;
  erg_status status = erg_weights_new(&l->graph, &initial, error);
  if (status != ERG_OK) return status;
  erg_weights_initialize(&initial, l->seed);
  status = erg_qat_open(&l->graph, &initial, &l->calibration, options, rules[arm], &qat, error);
  if (status == ERG_OK) {
    own.model = erg_qat_model(qat);
    status = lab_train(l, own, &trained, error);
  }
  erg_qat_close(qat);
  if (status == ERG_OK) status = lab_judge(l, &trained, options, &l->test, score, error);
  erg_weights_free(&trained);
  erg_weights_free(&initial);
  return status;
}

/* ---- how far the straight-through gradient is from one that exists: of the loss smoothed over half a weight step ----
 */

#define PAIRS 400 /* antithetic */
#define MISMATCH_EXAMPLES 256

typedef struct {
  const lab *lab;
  erg_qat *qat;
  erg_tape *tape;
  erg_weights *weights, *gradients;
  erg_parameter *middle; /* of `weights`: the layer between the hidden tensors */
} probe;

static erg_status loss_of(const probe *p, bool backward, double *loss, erg_error *error) {
  const erg_tape_attrs attrs = {.labels = p->lab->train.labels};
  int output, entropy;
  erg_tape_reset(p->tape);
  erg_status status = erg_qat_forward(p->qat, p->tape, p->weights, backward ? p->gradients : NULL, p->lab->train.inputs,
                                      MISMATCH_EXAMPLES, NULL, &output, error);
  if (status != ERG_OK) return status;
  entropy = erg_tape_apply(p->tape, erg_tape_op_find("cross_entropy"), &attrs, (int[]){output, -1, -1}, error);
  if (entropy < 0) return error ? error->status : ERG_ERR_INTERNAL;
  *loss = erg_tape_value(p->tape, entropy)[0];
  return backward ? erg_tape_backward(p->tape, entropy, error) : ERG_OK;
}

/* sum over pairs of (L(w + sigma z) - L(w - sigma z)) z: the direction of the smoothed loss's gradient. */
static erg_status smoothed(const probe *p, double sigma, double *direction, erg_error *error) {
  const int64_t count = p->middle->elements;
  double *w = p->middle->values, *z = malloc(2 * (size_t)count * sizeof *z);
  if (!z) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  double *kept = z + count;
  erg_random random;
  erg_status status = ERG_OK;
  memcpy(kept, w, (size_t)count * sizeof *w);
  memset(direction, 0, (size_t)count * sizeof *direction);
  erg_random_stream(&random, p->lab->seed, "straight-through/probes");
  for (int pair = 0; pair < PAIRS && status == ERG_OK; pair++) {
    double up = 0, down = 0;
    for (int64_t i = 0; i < count; i++) z[i] = erg_random_normal(&random), w[i] = kept[i] + sigma * z[i];
    status = loss_of(p, false, &up, error);
    for (int64_t i = 0; i < count; i++) w[i] = kept[i] - sigma * z[i];
    if (status == ERG_OK) status = loss_of(p, false, &down, error);
    for (int64_t i = 0; i < count; i++) direction[i] += (up - down) * z[i];
  }
  memcpy(w, kept, (size_t)count * sizeof *w);
  free(z);
  return status;
}

/* The cosine between the two at `at`, and what a perfect estimator would reach with so few pairs. */
static erg_status mismatch(const lab *l, const erg_quantize_options *options, const erg_weights *at, double *cosine,
                           double *ceiling, erg_error *error) {
  erg_weights weights = {0}, gradients = {0};
  probe p = {.lab = l, .tape = erg_tape_new(), .weights = &weights, .gradients = &gradients};
  double loss, dot = 0, left = 0, right = 0, *direction = NULL;
  erg_status status = erg_weights_copy(at, &weights, error);
  if (status == ERG_OK) status = erg_weights_new(&l->graph, &gradients, error);
  if (status == ERG_OK)
    status = erg_qat_open(&l->graph, &weights, &l->calibration, options, ERG_QAT_STE, &p.qat, error);
  if (status != ERG_OK) goto out;
  for (int i = 0; i < gradients.count; i++)
    memset(gradients.items[i].values, 0, (size_t)gradients.items[i].elements * sizeof(double));
  for (int i = 0; i < weights.count; i++)
    if (strcmp(weights.items[i].name, "fc2.weight") == 0) p.middle = &weights.items[i];
  if (!p.tape || !p.middle ||
      !(direction = erg_arena_alloc(&gradients.arena, (size_t)p.middle->elements * sizeof *direction))) {
    status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    goto out;
  }
  status = loss_of(&p, true, &loss, error);
  const erg_quantized *q = erg_qat_quantized(p.qat);
  double sigma = 0;
  for (int i = 0; i < q->plan.pass_count; i++) /* half of the mean step of its channels */
    if (strcmp(l->graph.nodes[q->plan.passes[i].nodes[0]].name, "fc2") == 0)
      for (int k = 0; k < q->plan.passes[i].conv.filters; k++)
        sigma += 0.5 * q->layers[i].weight_scale[k] / q->plan.passes[i].conv.filters;
  if (status == ERG_OK) status = smoothed(&p, sigma, direction, error);
  if (status != ERG_OK) goto out;
  const double *straight = gradients.items[p.middle - weights.items].values;
  for (int64_t i = 0; i < p.middle->elements; i++)
    dot += straight[i] * direction[i], left += straight[i] * straight[i], right += direction[i] * direction[i];
  *cosine = dot / sqrt(left * right);
  *ceiling = sqrt((double)PAIRS / (double)(PAIRS + p.middle->elements));
out:
  erg_qat_close(p.qat);
  erg_tape_free(p.tape);
  erg_weights_free(&gradients);
  erg_weights_free(&weights);
  return status;
}

static erg_status run_seed(uint64_t seed, erg_study_result *out, erg_error *error) {
  const erg_train_options training = {.epochs = 30, .batch = 32, .learning_rate = 3e-3, .optimizer = "adam"};
  erg_arena arena = {0};
  erg_weights real = {0};
  erg_score score;
  lab l;
  erg_status status = lab_open("manifold-mlp", "manifold", seed, &l, error);
  if (status != ERG_OK) return status;
  status = lab_train(&l, training, &real, error);
  if (status == ERG_OK) status = lab_judge_float(&l, &real, &l.test, &score, error);
  if (status == ERG_OK) status = add(out, seed, "float", "float", &score, error);
  for (size_t p = 0; p < ERG_COUNT_OF(precisions) && status == ERG_OK; p++) {
    erg_quantize_options options;
    status = widths(&l, precisions[p], &arena, &options, error);
    for (int arm = 0; arm < ARMS && status == ERG_OK; arm++) {
      status = run_arm(&l, arm, &training, &options, &real, &score, error);
      if (status == ERG_OK) status = add(out, seed, precisions[p], arms[arm], &score, error);
    }
    double cosine = 0, ceiling = 0;
    if (status == ERG_OK) status = mismatch(&l, &options, &real, &cosine, &ceiling, error);
    if (status == ERG_OK)
      status = erg_study_add(out, seed, (const char *const[]){precisions[p], "mismatch", NULL},
                             (const double[]){NAN, NAN, cosine, ceiling}, error);
  }
  erg_weights_free(&real);
  erg_arena_free(&arena);
  lab_close(&l);
  return status;
}

static erg_status judge_mismatch(erg_study_result *r, const char *precision, const char *setting, erg_error *error) {
  erg_study_series cosine, ceiling;
  double mean, deviation, most, unused, least = 1;
  erg_status status = erg_study_series_of(r, (const char *const[]){precision, "mismatch"}, "cosine", &cosine, error);
  if (status == ERG_OK)
    status = erg_study_series_of(r, (const char *const[]){precision, "mismatch"}, "cosine_ceiling", &ceiling, error);
  if (status != ERG_OK) return status;
  int positive = 0;
  for (int i = 0; i < cosine.count; i++) least = fmin(least, cosine.values[i]), positive += cosine.values[i] > 0;
  erg_study_mean(&cosine, &mean, &deviation);
  erg_study_mean(&ceiling, &most, &unused);
  return erg_study_claim_add(
      r,
      positive == r->seeds ? ERG_SHOWS
      : mean > 0           ? ERG_SHOWS_IN_PART
                           : ERG_DOES_NOT_SHOW,
      "the straight-through gradient points where the smoothed loss falls", setting,
      "the cosine that a perfect estimate reaches with 400 antithetic pairs: its ceiling", error,
      "cosine of the middle layer's gradients %.2f (sd %.2f, least %.2f), ceiling %.2f, share of it %.2f; "
      "above 0 in %d of %d seeds",
      mean, deviation, least, most, mean / most, positive, r->seeds);
}

static erg_status judge_precision(erg_study_result *r, const char *precision, erg_error *error) {
  erg_study_series arm[ARMS], real;
  double mean[ARMS], deviation[ARMS], real_mean, real_deviation;
  erg_status status = erg_study_series_of(r, (const char *const[]){"float", "float"}, "accuracy", &real, error);
  for (int a = 0; a < ARMS && status == ERG_OK; a++)
    status = erg_study_series_of(r, (const char *const[]){precision, arms[a]}, "accuracy", &arm[a], error);
  if (status != ERG_OK) return status;
  for (int a = 0; a < ARMS; a++) {
    erg_study_mean(&arm[a], &mean[a], &deviation[a]);
    mean[a] *= 100, deviation[a] *= 100;
  }
  erg_study_mean(&real, &real_mean, &real_deviation);
  int over_ptq = erg_study_wins(&arm[PTQ], &arm[STE]), over_zero = erg_study_wins(&arm[ZERO], &arm[STE]),
      over_identity = erg_study_wins(&arm[IDENTITY], &arm[STE]), least = (9 * r->seeds + 9) / 10;
  char setting[160];
  snprintf(setting, sizeof setting,
           "manifold-mlp (tanh) on manifold, %s inside, integer kernels, 30 epochs, same start and order", precision);
  bool both = over_ptq >= least && over_zero >= least;
  status = erg_study_claim_add(
      r,
      both                                      ? ERG_SHOWS
      : over_ptq >= least || over_zero >= least ? ERG_SHOWS_IN_PART
                                                : ERG_DOES_NOT_SHOW,
      "straight-through training beats quantizing afterwards and training the last layer alone", setting,
      "zero gradient through roundings: a network of random features whose last layer learns", error,
      "accuracy: float %.1f (sd %.1f) %%, afterwards %.1f (%.1f), straight-through %.1f (%.1f), zero %.1f (%.1f); "
      "better than "
      "afterwards in %d, than zero in %d of %d seeds (sign test p = %.2g, %.2g)",
      100 * real_mean, 100 * real_deviation, mean[PTQ], deviation[PTQ], mean[STE], deviation[STE], mean[ZERO],
      deviation[ZERO], over_ptq, over_zero, r->seeds, erg_sign_test(over_ptq, r->seeds),
      erg_sign_test(over_zero, r->seeds));
  if (status != ERG_OK) return status;
  status = judge_mismatch(r, precision, setting, error);
  if (status != ERG_OK) return status;
  return erg_study_claim_add(
      r,
      over_identity >= least       ? ERG_SHOWS
      : mean[STE] > mean[IDENTITY] ? ERG_SHOWS_IN_PART
                                   : ERG_DOES_NOT_SHOW,
      "the derivative of the activation matters: identity gradients are worse", setting,
      "the same network with 1 in place of the derivative of tanh and no clipping", error,
      "straight-through %.1f (sd %.1f) %%, identity %.1f (%.1f) %%; better in %d of %d seeds (p = %.2g)", mean[STE],
      deviation[STE], mean[IDENTITY], deviation[IDENTITY], over_identity, r->seeds,
      erg_sign_test(over_identity, r->seeds));
}

static erg_status judge(erg_study_result *r, erg_error *error) {
  erg_status status = ERG_OK;
  for (size_t p = 0; p < ERG_COUNT_OF(precisions) && status == ERG_OK; p++)
    status = judge_precision(r, precisions[p], error);
  return status;
}

static const char *const texts[] = {"precision", "arm", NULL};
static const char *const numbers[] = {"accuracy", "loss_nat", "cosine", "cosine_ceiling", NULL};
static const erg_study straight_through = {
    "straight-through", "Does training through roundings pay at 2 bits", 10, {texts, numbers}, run_seed, judge};
ERG_REGISTER(erg_study, straight_through);
