/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether training through roundings pays: a tanh network whose hidden tensors have 2 bits, after training, and trained
 * with straight-through gradients (Bengio et al., arXiv:1308.3432), without the derivative of tanh, and without any
 * gradient through the roundings, which is the floor of random features with a trained last layer. */
#include "ergon/study.h"
#include "lab.h"
#include <math.h>
#include <string.h>

static const char *const precisions[] = {"w2a2", "w3a2"};
static const char *const arms[] = {"ptq", "ste", "identity", "zero"};
enum { PTQ, STE, IDENTITY, ZERO, ARMS };

/* Hidden tensors, which their readers' widths decide, and all weights at `precision`; what comes in, what the tables of
 * tanh read, and the logits keep 8 bits. */
static erg_status widths(const lab *l, const char *precision, erg_arena *arena, erg_quantize_options *out, erg_error *error) {
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

static erg_status add(erg_study_result *out, uint64_t seed, const char *precision, const char *arm, const erg_score *score,
                      erg_error *error) {
  return erg_study_add(out, seed, (const char *const[]){precision, arm, NULL}, (const double[]){score->accuracy, score->loss},
                       error);
}

static erg_status run_arm(const lab *l, int arm, const erg_train_options *training, const erg_quantize_options *options,
                          const erg_weights *real, erg_score *score, erg_error *error) {
  if (arm == PTQ) return lab_judge(l, real, options, false, score, error);
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
  if (status == ERG_OK) status = lab_judge(l, &trained, options, false, score, error);
  erg_weights_free(&trained);
  erg_weights_free(&initial);
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
  if (status == ERG_OK) status = lab_judge_float(&l, &real, false, &score, error);
  if (status == ERG_OK) status = add(out, seed, "float", "float", &score, error);
  for (size_t p = 0; p < ERG_COUNT_OF(precisions) && status == ERG_OK; p++) {
    erg_quantize_options options;
    status = widths(&l, precisions[p], &arena, &options, error);
    for (int arm = 0; arm < ARMS && status == ERG_OK; arm++) {
      status = run_arm(&l, arm, &training, &options, &real, &score, error);
      if (status == ERG_OK) status = add(out, seed, precisions[p], arms[arm], &score, error);
    }
  }
  erg_weights_free(&real);
  erg_arena_free(&arena);
  lab_close(&l);
  return status;
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
  snprintf(setting, sizeof setting, "manifold-mlp (tanh) on manifold, %s inside, integer kernels, 30 epochs, same start and order",
           precision);
  bool both = over_ptq >= least && over_zero >= least;
  status = erg_study_claim_add(
      r, both ? ERG_SHOWS : over_ptq >= least || over_zero >= least ? ERG_SHOWS_IN_PART : ERG_DOES_NOT_SHOW,
      "straight-through training beats quantizing afterwards and training the last layer alone", setting,
      "zero gradient through roundings: a network of random features whose last layer learns", error,
      "accuracy: float %.1f (sd %.1f) %%, afterwards %.1f (%.1f), straight-through %.1f (%.1f), zero %.1f (%.1f); better than "
      "afterwards in %d, than zero in %d of %d seeds (sign test p = %.2g, %.2g)",
      100 * real_mean, 100 * real_deviation, mean[PTQ], deviation[PTQ], mean[STE], deviation[STE], mean[ZERO], deviation[ZERO],
      over_ptq, over_zero, r->seeds, erg_sign_test(over_ptq, r->seeds), erg_sign_test(over_zero, r->seeds));
  if (status != ERG_OK) return status;
  return erg_study_claim_add(r, over_identity >= least ? ERG_SHOWS : mean[STE] > mean[IDENTITY] ? ERG_SHOWS_IN_PART : ERG_DOES_NOT_SHOW,
                             "the derivative of the activation matters: identity gradients are worse", setting,
                             "the same network with 1 in place of the derivative of tanh and no clipping", error,
                             "straight-through %.1f (sd %.1f) %%, identity %.1f (%.1f) %%; better in %d of %d seeds (p = %.2g)",
                             mean[STE], deviation[STE], mean[IDENTITY], deviation[IDENTITY], over_identity, r->seeds,
                             erg_sign_test(over_identity, r->seeds));
}

static erg_status judge(erg_study_result *r, erg_error *error) {
  erg_status status = ERG_OK;
  for (size_t p = 0; p < ERG_COUNT_OF(precisions) && status == ERG_OK; p++) status = judge_precision(r, precisions[p], error);
  return status;
}

static const char *const texts[] = {"precision", "arm", NULL};
static const char *const numbers[] = {"accuracy", "loss_nat", NULL};
static const erg_study straight_through = {"straight-through", "Does training through roundings pay at 2 bits", 10,
                                           {texts, numbers}, run_seed, judge};
ERG_REGISTER(erg_study, straight_through);
