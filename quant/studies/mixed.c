/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mixed precision under an energy budget: plans by curvature and by measurement against uniform widths of equal energy
 * and against controls, on the integer kernels and the machine's own joules. A convolutional network whose layers reuse
 * their weights unequally, and a perceptron, where a joule buys the same everywhere. */
#include "mixed.h"
#include "ergon/sens.h"
#include "ergon/study.h"
#include "lab.h"
#include "prices.h"
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SCAN_EXAMPLES 400
#define PROBES 16

static const int bits[] = {3, 4, 5, 6, 8};
enum { OPTIONS = ERG_COUNT_OF(bits), WIDEST = OPTIONS - 1 };

typedef struct {
  lab lab;
  prices prices;
  erg_weights weights;
  erg_calibration calibration;
  erg_dataset scanned; /* the first training examples: sensitivity is measured and loss is judged on them */
  erg_sens sens;
  double float_loss, float_accuracy, float_test_loss; /* of the scanned, of the test examples */
  const char *net;
  erg_study_result *out;
} trial;

/* What a plan does: loss increase on the scanned examples and on the test examples, points of test accuracy lost. */
typedef struct {
  double loss, test_loss, drop;
} judged;

static erg_status note(const trial *t, const char *family, const char *training, const char *series, const char *budget,
                       double pj, const judged *j, erg_error *error) {
  return erg_study_add(t->out, t->lab.seed, (const char *const[]){t->net, family, training, series, budget},
                       (const double[]){pj, j->loss, j->drop, NAN, NAN, j->test_loss}, error);
}

/* Options of the quantizer for one choice of widths; `layers` [node_count] is filled. */
static erg_quantize_options options_of(const prices *p, const int *option, erg_precision *layers, int node_count) {
  erg_precision eight;
  erg_precision_parse("int8", &eight, NULL);
  for (int id = 0; id < node_count; id++) layers[id] = eight;
  for (int l = 0; l < p->layers; l++) layers[p->nodes[l]].weight_bits = p->bits[option[l]];
  return (erg_quantize_options){.precision = eight, .layers = layers};
}

static erg_status sensitivities(trial *t, erg_error *error) {
  erg_sens_options options = {
      .bits = bits, .count = OPTIONS, .probes = t->out->brief ? 4 : PROBES, .seed = t->lab.seed};
  erg_precision_parse("int8", &options.base, NULL);
  return erg_sens_measure(&t->lab.graph, &t->weights, &t->calibration, &t->scanned, &options, &t->sens, error);
}

static erg_status judge_weights(const trial *t, const erg_weights *weights, const erg_calibration *calibration,
                                const int *option, judged *out, erg_error *error) {
  erg_precision *layers = malloc((size_t)t->lab.graph.node_count * sizeof *layers);
  if (!layers) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  erg_score scanned, test;
  erg_quantize_options options = options_of(&t->prices, option, layers, t->lab.graph.node_count);
  erg_status status = lab_judge_calibrated(&t->lab, weights, calibration, &options, &t->scanned, &scanned, error);
  if (status == ERG_OK)
    status = lab_judge_calibrated(&t->lab, weights, calibration, &options, &t->lab.test, &test, error);
  free(layers);
  if (status != ERG_OK) return status;
  *out =
      (judged){scanned.loss - t->float_loss, test.loss - t->float_test_loss, 100 * (t->float_accuracy - test.accuracy)};
  return ERG_OK;
}

/* A plan's point; its energy is the machine's, not the table's. */
static erg_status note_plan(const trial *t, const char *series, const char *budget, const int *option, judged *out,
                            erg_error *error) {
  double pj = 0;
  erg_status status = judge_weights(t, &t->weights, &t->calibration, option, out, error);
  if (status == ERG_OK) status = prices_of(&t->prices, option, ERG_FUSION_EPILOGUE, &pj, error);
  return status == ERG_OK ? note(t, "fused", "ptq", series, budget, pj, out, error) : status;
}

static void uniform(const trial *t, int o, int *option) {
  for (int l = 0; l < t->prices.layers; l++) option[l] = o;
}

/* Least energy within the table's rounding: the uniform plan itself must stay affordable. */
static double budget_of(const trial *t, int o) {
  double sum = 0;
  for (int l = 0; l < t->prices.layers; l++) sum += t->prices.energy_pj[l * OPTIONS + o];
  return sum * (1 + 1e-12);
}

static erg_status note_solved(const trial *t, const char *series, const char *budget, const double *loss, double pj,
                              erg_arena *arena, judged *out, erg_error *error) {
  erg_assign_table table = {t->prices.layers, OPTIONS, t->prices.energy_pj, loss};
  erg_assignment plan;
  erg_status status = erg_assign_energy(&table, pj, arena, &plan, error);
  return status == ERG_OK ? note_plan(t, series, budget, plan.option, out, error) : status;
}

static erg_status note_controls(const trial *t, const char *budget, double pj, int reference, erg_arena *arena,
                                erg_error *error) {
  static const struct {
    const char *name;
    erg_assign_control control;
  } controls[] = {{"shuffled", ERG_CONTROL_SHUFFLED}, {"anti", ERG_CONTROL_ANTI}};
  erg_assign_table table = {t->prices.layers, OPTIONS, t->prices.energy_pj, t->sens.loss[ERG_SENS_FISHER]};
  erg_random random;
  judged unused;
  erg_status status = ERG_OK;
  erg_random_stream(&random, t->lab.seed, "mixed/controls");
  for (size_t c = 0; c < ERG_COUNT_OF(controls) && status == ERG_OK; c++) {
    double *loss = NULL;
    status = erg_assign_control_loss(&table, controls[c].control, reference, &random, arena, &loss, error);
    if (status == ERG_OK) status = note_solved(t, controls[c].name, budget, loss, pj, arena, &unused, error);
  }
  for (int i = 0; i < MIXED_RANDOM_PLANS && status == ERG_OK; i++) {
    erg_assignment plan;
    status = erg_assign_random(&table, pj, &random, arena, &plan, error);
    if (status == ERG_OK) status = note_plan(t, "random", budget, plan.option, &unused, error);
  }
  return status;
}

/* Uniform at this width, also unfused, and all plans of its energy. */
static erg_status run_budget(const trial *t, int o, bool controls, erg_error *error) {
  char budget[16];
  int option[PRICES_MOST_LAYERS];
  erg_arena arena = {0};
  double pj = budget_of(t, o);
  snprintf(budget, sizeof budget, "%d bit", bits[o]);
  uniform(t, o, option);
  judged all, plan, measured = {INFINITY, NAN, NAN};
  erg_status status = note_plan(t, "uniform", budget, option, &all, error);
  for (int e = 0; e < ERG_SENS_COUNT && status == ERG_OK; e++) {
    status = note_solved(t, erg_sens_names[e], budget, t->sens.loss[e], pj, &arena, &plan, error);
    if (status == ERG_OK && e != ERG_SENS_NORM && plan.loss < measured.loss) measured = plan;
  }
  /* Of the estimators' plans the one that measures best where sensitivity was measured. Its loss there was chosen, so
   * only the test examples judge it. */
  if (status == ERG_OK)
    status = erg_study_add(t->out, t->lab.seed, (const char *const[]){t->net, "fused", "ptq", "measured", budget},
                           (const double[]){NAN, NAN, measured.drop, NAN, NAN, measured.test_loss}, error);
  if (status == ERG_OK && controls) status = note_controls(t, budget, pj, o, &arena, error);
  double unfused = 0; /* no batch norm: the integers are the same without fusion, the passes are not */
  if (status == ERG_OK) status = prices_of(&t->prices, option, ERG_FUSION_NONE, &unfused, error);
  if (status == ERG_OK) status = note(t, "unfused", "ptq", "uniform", budget, unfused, &all, error);
  erg_arena_free(&arena);
  return status;
}

/* Rank correlation over layers of what an estimator predicts with what the scan finds. */
static erg_status note_ranks(const trial *t, int o, erg_error *error) {
  double truth[PRICES_MOST_LAYERS], guess[PRICES_MOST_LAYERS], work[2 * PRICES_MOST_LAYERS];
  char budget[16];
  erg_status status = ERG_OK;
  snprintf(budget, sizeof budget, "%d bit", bits[o]);
  for (int e = 0; e < ERG_SENS_SCAN && status == ERG_OK; e++) {
    char series[32];
    for (int l = 0; l < t->prices.layers; l++) {
      truth[l] = t->sens.loss[ERG_SENS_SCAN][l * OPTIONS + o];
      guess[l] = t->sens.loss[e][l * OPTIONS + o];
    }
    snprintf(series, sizeof series, "rank of %s", erg_sens_names[e]);
    status = erg_study_add(t->out, t->lab.seed, (const char *const[]){t->net, "-", "-", series, budget},
                           (const double[]){NAN, NAN, NAN,
                                            gsl_stats_spearman(guess, 1, truth, 1, (size_t)t->prices.layers, work), NAN,
                                            NAN},
                           error);
  }
  return status;
}

/* Trained through its roundings at a uniform width, from the same start and in the same order. */
static erg_status run_qat(const trial *t, const erg_train_options *training, int o, erg_error *error) {
  int option[PRICES_MOST_LAYERS];
  char budget[16];
  erg_precision *layers = malloc((size_t)t->lab.graph.node_count * sizeof *layers);
  erg_weights initial = {0}, trained = {0};
  erg_calibration calibration = {0};
  erg_qat *qat = NULL;
  erg_train_options own = *training;
  double pj = 0;
  judged j;
  if (!layers) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  snprintf(budget, sizeof budget, "%d bit", bits[o]);
  uniform(t, o, option);
  erg_quantize_options options = options_of(&t->prices, option, layers, t->lab.graph.node_count);
  erg_status status = erg_weights_new(&t->lab.graph, &initial, error);
  if (status == ERG_OK) {
    erg_weights_initialize(&initial, t->lab.seed);
    status = erg_qat_open(&t->lab.graph, &initial, &t->lab.calibration, &options, ERG_QAT_STE, &qat, error);
  }
  if (status == ERG_OK) {
    own.model = erg_qat_model(qat);
    status = lab_train(&t->lab, own, &trained, error);
  }
  if (status == ERG_OK) status = erg_calibrate(&t->lab.graph, &trained, &t->lab.calibration, &calibration, error);
  if (status == ERG_OK) status = judge_weights(t, &trained, &calibration, option, &j, error);
  if (status == ERG_OK) status = prices_of(&t->prices, option, ERG_FUSION_EPILOGUE, &pj, error);
  if (status == ERG_OK) status = note(t, "fused", "qat", "uniform", budget, pj, &j, error);
  erg_calibration_free(&calibration);
  erg_qat_close(qat);
  erg_weights_free(&trained);
  erg_weights_free(&initial);
  free(layers);
  return status;
}

/* Two machines, one whose MACs shrink with a layer's width and one whose memories alone do: the least energy on each
 * that keeps the predicted loss of uniform 4-bit weights, and what the plan for the first costs on the second. */
static erg_status run_machines(const trial *t, erg_error *error) {
  prices other = {0};
  erg_arena arena = {0};
  erg_assignment here, there;
  double loss = 0, own = 0, foreign = 0;
  erg_status status = prices_open(t->net, "edge", "native", 1, bits, OPTIONS, &other, error);
  if (status != ERG_OK) return status;
  const double *predicted = t->sens.loss[ERG_SENS_FISHER];
  const erg_assign_table first = {t->prices.layers, OPTIONS, t->prices.energy_pj, predicted},
                         second = {other.layers, OPTIONS, other.energy_pj, predicted};
  for (int l = 0; l < t->prices.layers; l++) loss += predicted[l * OPTIONS + 1];
  status = erg_assign_loss(&first, loss * (1 + 1e-12), &arena, &here, error);
  if (status == ERG_OK) status = erg_assign_loss(&second, loss * (1 + 1e-12), &arena, &there, error);
  if (status == ERG_OK) status = prices_of(&other, there.option, ERG_FUSION_EPILOGUE, &own, error);
  if (status == ERG_OK) status = prices_of(&other, here.option, ERG_FUSION_EPILOGUE, &foreign, error);
  if (status == ERG_OK)
    status =
        erg_study_add(t->out, t->lab.seed, (const char *const[]){t->net, "-", "-", "foreign plan", "loss of 4 bit"},
                      (const double[]){NAN, NAN, NAN, NAN, 100 * (foreign / own - 1), NAN}, error);
  erg_arena_free(&arena);
  prices_close(&other);
  return status;
}

static erg_status run_trial(uint64_t seed, const char *net, const char *data, bool whole, erg_study_result *out,
                            erg_error *error) {
  const erg_train_options training = {
      .epochs = whole ? 12 : 20, .batch = 32, .learning_rate = 3e-3, .optimizer = "adam"};
  trial t = {.net = net, .out = out};
  erg_score score = {0};
  erg_status status = lab_open(net, data, seed, &t.lab, error);
  if (status != ERG_OK) return status;
  t.scanned = t.lab.train;
  t.scanned.count = SCAN_EXAMPLES;
  status = prices_open(net, "edge", "scalable", 1, bits, OPTIONS, &t.prices, error);
  if (status == ERG_OK) status = lab_train(&t.lab, training, &t.weights, error);
  if (status == ERG_OK) status = erg_calibrate(&t.lab.graph, &t.weights, &t.lab.calibration, &t.calibration, error);
  if (status == ERG_OK) status = lab_judge_float(&t.lab, &t.weights, &t.scanned, &score, error);
  t.float_loss = score.loss;
  if (status == ERG_OK) status = lab_judge_float(&t.lab, &t.weights, &t.lab.test, &score, error);
  t.float_accuracy = score.accuracy, t.float_test_loss = score.loss;
  if (status == ERG_OK) status = sensitivities(&t, error);
  for (int o = 0; o < WIDEST && status == ERG_OK; o++)
    if ((whole && !out->brief) || bits[o] == 4) status = run_budget(&t, o, whole && bits[o] >= 4, error);
  for (int o = 0; o < 2 && status == ERG_OK && whole; o++) status = note_ranks(&t, o, error);
  if (status == ERG_OK && whole) status = run_machines(&t, error);
  for (int o = 0; o < 2 && status == ERG_OK && whole && !out->brief; o++) status = run_qat(&t, &training, o, error);
  erg_sens_free(&t.sens);
  erg_calibration_free(&t.calibration);
  erg_weights_free(&t.weights);
  prices_close(&t.prices);
  lab_close(&t.lab);
  return status;
}

static erg_status run_seed(uint64_t seed, erg_study_result *out, erg_error *error) {
  erg_status status = run_trial(seed, "shapes-cnn", "shapes", true, out, error);
  if (status != ERG_OK || out->brief) return status;
  return run_trial(seed, "manifold-mlp-relu", "manifold", false, out, error);
}

static const char *const texts[] = {"net", "family", "training", "series", "budget", NULL};
static const char *const numbers[] = {"energy_pj",
                                      "loss_increase_nat",
                                      "accuracy_drop_points",
                                      "rank_correlation",
                                      "extra_energy_percent",
                                      "test_loss_increase_nat",
                                      NULL};
static const erg_study mixed = {
    "mixed",  "Which layer gets how many bits under an energy budget, and does knowing the curvature help",
    12,       {texts, numbers},
    run_seed, mixed_judge};
ERG_REGISTER(erg_study, mixed);
