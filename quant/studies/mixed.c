/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mixed precision under an energy budget: plans by curvature and by measurement against uniform widths of equal energy
 * and against controls, on the integer kernels and the machine's own joules. A convolutional network whose layers reuse
 * their weights unequally, and a perceptron, where a joule buys the same everywhere. */
#include "ergon/sens.h"
#include "ergon/study.h"
#include "lab.h"
#include "prices.h"
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SCAN_EXAMPLES 400
#define RANDOM_PLANS 10
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
  erg_sens_options options = {.bits = bits, .count = OPTIONS, .probes = PROBES, .seed = t->lab.seed};
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
  for (int i = 0; i < RANDOM_PLANS && status == ERG_OK; i++) {
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
static erg_status judge(erg_study_result *r, erg_error *error);
static const erg_study mixed = {
    "mixed",  "Which layer gets how many bits under an energy budget, and does knowing the curvature help",
    12,       {texts, numbers},
    run_seed, judge};
ERG_REGISTER(erg_study, mixed);

/* ---------------------------------------------------------------- claims */

typedef struct {
  erg_study_series series;
  double mean, deviation;
} figure;

static erg_status find(erg_study_result *r, const char *net, const char *training, const char *series,
                       const char *budget, const char *number, figure *out, erg_error *error) {
  const char *chosen[] = {net, training ? "fused" : "-", training ? training : "-", series, budget};
  erg_status status = erg_study_series_of(r, chosen, number, &out->series, error);
  if (status == ERG_OK) erg_study_mean(&out->series, &out->mean, &out->deviation);
  return status;
}

/* Mean over the random plans of a seed. */
static erg_status random_mean(erg_study_result *r, const char *budget, figure *out, erg_error *error) {
  out->series = (erg_study_series){erg_arena_alloc(&r->arena, (size_t)r->seeds * sizeof(double)), r->seeds};
  if (!out->series.values) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int s = 0; s < r->seeds; s++) out->series.values[s] = 0;
  for (int i = 0; i < r->point_count; i++)
    if (strcmp(r->points[i].texts[3], "random") == 0 && strcmp(r->points[i].texts[4], budget) == 0)
      out->series.values[r->points[i].seed - r->first_seed] += r->points[i].numbers[1] / RANDOM_PLANS;
  erg_study_mean(&out->series, &out->mean, &out->deviation);
  return ERG_OK;
}

enum { UNIFORM, QUAD, HUTCHINSON, TRACE, FISHER, NORM, SCAN, SHUFFLED, ANTI, FIGURES };
static const char *const series_names[] = {"uniform", "quad", "hutchinson", "trace", "fisher",
                                           "norm",    "scan", "shuffled",   "anti"};
static const char *const titles[] = {[QUAD] = "the exact layer quadratic",
                                     [HUTCHINSON] = "Hutchinson's diagonal of the Hessian",
                                     [TRACE] = "the mean trace of the Hessian",
                                     [FISHER] = "the Fisher diagonal",
                                     [SCAN] = "the measured scan"};

static erg_status judge_budget(erg_study_result *r, const char *budget, erg_error *error) {
  figure f[FIGURES], random;
  erg_status status = random_mean(r, budget, &random, error);
  for (int i = 0; i < FIGURES && status == ERG_OK; i++)
    status = find(r, "shapes-cnn", "ptq", series_names[i], budget, "loss_increase_nat", &f[i], error);
  if (status != ERG_OK) return status;
  char setting[200];
  snprintf(setting, sizeof setting,
           "shapes-cnn on shapes, edge with a scalable MAC, energy of uniform %s weights, activations of 8 bits",
           budget);
  int n = r->seeds, most = (11 * n + 11) / 12;
  for (int e = QUAD; e <= SCAN && status == ERG_OK; e++) {
    if (e == NORM) continue;
    int wins = erg_study_wins(&f[e].series, &f[UNIFORM].series);
    char claim[120];
    snprintf(claim, sizeof claim, "a plan by %s loses less than uniform widths of the same energy", titles[e]);
    status = erg_study_claim_add(
        r,
        wins >= most                  ? ERG_SHOWS
        : f[e].mean < f[UNIFORM].mean ? ERG_SHOWS_IN_PART
                                      : ERG_DOES_NOT_SHOW,
        claim, setting, "uniform widths; the same solver with ||delta||^2 alone, without curvature", error,
        "loss increase [nat]: uniform %.4f (sd %.4f), %s %.4f (%.4f), without curvature %.4f (%.4f); better than "
        "uniform in %d of %d seeds (p = %.2g), without curvature in %d",
        f[UNIFORM].mean, f[UNIFORM].deviation, series_names[e], f[e].mean, f[e].deviation, f[NORM].mean,
        f[NORM].deviation, wins, n, erg_sign_test(wins, n), erg_study_wins(&f[NORM].series, &f[UNIFORM].series));
  }
  int over_random = erg_study_wins(&f[FISHER].series, &random.series),
      over_anti = erg_study_wins(&f[FISHER].series, &f[ANTI].series),
      over_shuffled = erg_study_wins(&f[FISHER].series, &f[SHUFFLED].series);
  if (status == ERG_OK)
    status = erg_study_claim_add(r,
                                 over_random >= most && over_anti >= most && over_shuffled >= most ? ERG_SHOWS
                                 : over_random >= most || over_anti >= most                        ? ERG_SHOWS_IN_PART
                                                                                                   : ERG_DOES_NOT_SHOW,
                                 "controls of the same energy lose: random, reversed and shuffled sensitivities",
                                 setting, "the mean of ten random plans that no layer can be raised in", error,
                                 "loss increase [nat]: fisher %.4f, random %.4f (sd %.4f), anti %.4f (%.4f), shuffled "
                                 "%.4f (%.4f); fisher better in %d, %d, %d "
                                 "of %d seeds",
                                 f[FISHER].mean, random.mean, random.deviation, f[ANTI].mean, f[ANTI].deviation,
                                 f[SHUFFLED].mean, f[SHUFFLED].deviation, over_random, over_anti, over_shuffled, n);
  int scan_wins = erg_study_wins(&f[SCAN].series, &f[FISHER].series),
      quad_wins = erg_study_wins(&f[QUAD].series, &f[FISHER].series);
  if (status == ERG_OK)
    status = erg_study_claim_add(
        r, f[SCAN].mean <= f[FISHER].mean ? ERG_SHOWS : ERG_DOES_NOT_SHOW,
        "simply measuring each layer by itself is as good as curvature", setting,
        "the exact layer quadratic, which needs no Hessian either", error,
        "loss increase [nat]: scan %.4f (sd %.4f), fisher %.4f, quad %.4f (%.4f); scan better than fisher in %d, "
        "quad in %d of %d seeds",
        f[SCAN].mean, f[SCAN].deviation, f[FISHER].mean, f[QUAD].mean, f[QUAD].deviation, scan_wins, quad_wins, n);
  return status;
}

/* What a user would do: make the plans, which is cheap, and take the one that measures best. */
static erg_status judge_measured(erg_study_result *r, const char *budget, erg_error *error) {
  figure uniform_loss, loss, uniform_drop, drop;
  erg_status status = find(r, "shapes-cnn", "ptq", "uniform", budget, "test_loss_increase_nat", &uniform_loss, error);
  if (status == ERG_OK)
    status = find(r, "shapes-cnn", "ptq", "measured", budget, "test_loss_increase_nat", &loss, error);
  if (status == ERG_OK)
    status = find(r, "shapes-cnn", "ptq", "uniform", budget, "accuracy_drop_points", &uniform_drop, error);
  if (status == ERG_OK) status = find(r, "shapes-cnn", "ptq", "measured", budget, "accuracy_drop_points", &drop, error);
  if (status != ERG_OK) return status;
  char setting[200];
  snprintf(setting, sizeof setting,
           "shapes-cnn on shapes, edge with a scalable MAC, energy of uniform %s weights, judged on test images",
           budget);
  int n = r->seeds, wins = erg_study_wins(&loss.series, &uniform_loss.series), most = (11 * n + 11) / 12;
  return erg_study_claim_add(
      r,
      wins >= most                    ? ERG_SHOWS
      : loss.mean < uniform_loss.mean ? ERG_SHOWS_IN_PART
                                      : ERG_DOES_NOT_SHOW,
      "of the plans by curvature and by scan, the one that measures best on 400 training images beats uniform widths",
      setting, "uniform widths of the same energy, on images that neither plan nor choice has seen", error,
      "test loss increase [nat]: uniform %.4f (sd %.4f), chosen plan %.4f (%.4f), better in %d of %d seeds (p = %.2g); "
      "points of accuracy lost: %.1f (sd %.1f), %.1f (%.1f)",
      uniform_loss.mean, uniform_loss.deviation, loss.mean, loss.deviation, wins, n, erg_sign_test(wins, n),
      uniform_drop.mean, uniform_drop.deviation, drop.mean, drop.deviation);
}

static erg_status judge_ranks(erg_study_result *r, const char *budget, erg_error *error) {
  figure quad, fisher, norm;
  erg_status status = find(r, "shapes-cnn", NULL, "rank of quad", budget, "rank_correlation", &quad, error);
  if (status == ERG_OK)
    status = find(r, "shapes-cnn", NULL, "rank of fisher", budget, "rank_correlation", &fisher, error);
  if (status == ERG_OK) status = find(r, "shapes-cnn", NULL, "rank of norm", budget, "rank_correlation", &norm, error);
  if (status != ERG_OK) return status;
  char setting[96];
  snprintf(setting, sizeof setting, "shapes-cnn, each of 7 layers alone at %s", budget);
  return erg_study_claim_add(
      r,
      quad.mean >= 0.7 && fisher.mean >= 0.4 && norm.mean < fisher.mean - 0.5 ? ERG_SHOWS
      : fisher.mean > norm.mean                                               ? ERG_SHOWS_IN_PART
                                                                              : ERG_DOES_NOT_SHOW,
      "curvature ranks the layers as the measurement does", setting, "||delta||^2 alone", error,
      "rank correlation with the measured single-layer loss: quad %.2f (sd %.2f), fisher %.2f (%.2f), without "
      "curvature %.2f (%.2f)",
      quad.mean, quad.deviation, fisher.mean, fisher.deviation, norm.mean, norm.deviation);
}

static erg_status judge_machines(erg_study_result *r, erg_error *error) {
  figure extra;
  erg_status status =
      find(r, "shapes-cnn", NULL, "foreign plan", "loss of 4 bit", "extra_energy_percent", &extra, error);
  if (status != ERG_OK) return status;
  int dearer = 0, cheaper = 0;
  for (int i = 0; i < r->seeds; i++) dearer += extra.series.values[i] > 1e-9, cheaper += extra.series.values[i] < -1e-9;
  return erg_study_claim_add(
      r,
      cheaper                        ? ERG_DOES_NOT_SHOW
      : 12 * dearer >= 11 * r->seeds ? ERG_SHOWS
                                     : ERG_SHOWS_IN_PART,
      "a plan made for one machine costs more on another than that machine's own",
      "shapes-cnn, predicted loss of uniform 4 bit weights; made for edge with a scalable MAC, run "
      "on edge with a native one, where a narrower layer saves memory alone",
      "never less, because plans are optimal: a check of the solver and of sums of layers", error,
      "%.2f (sd %.2f) %% more energy; more in %d, less in %d of %d seeds", extra.mean, extra.deviation, dearer, cheaper,
      r->seeds);
}

static erg_status judge_rest(erg_study_result *r, erg_error *error) {
  figure uniform_mlp, fisher_mlp, scan_mlp, ptq[2], qat[2];
  static const char *const narrow[] = {"3 bit", "4 bit"};
  erg_status status = find(r, "manifold-mlp-relu", "ptq", "uniform", "4 bit", "loss_increase_nat", &uniform_mlp, error);
  if (status == ERG_OK)
    status = find(r, "manifold-mlp-relu", "ptq", "fisher", "4 bit", "loss_increase_nat", &fisher_mlp, error);
  if (status == ERG_OK)
    status = find(r, "manifold-mlp-relu", "ptq", "scan", "4 bit", "loss_increase_nat", &scan_mlp, error);
  for (int i = 0; i < 2 && status == ERG_OK; i++) {
    status = find(r, "shapes-cnn", "ptq", "uniform", narrow[i], "accuracy_drop_points", &ptq[i], error);
    if (status == ERG_OK)
      status = find(r, "shapes-cnn", "qat", "uniform", narrow[i], "accuracy_drop_points", &qat[i], error);
  }
  if (status != ERG_OK) return status;
  int n = r->seeds, wins = erg_study_wins(&fisher_mlp.series, &uniform_mlp.series), most = (11 * n + 11) / 12;
  status = erg_study_claim_add(r,
                               wins >= most                         ? ERG_SHOWS
                               : fisher_mlp.mean < uniform_mlp.mean ? ERG_SHOWS_IN_PART
                                                                    : ERG_DOES_NOT_SHOW,
                               "mixed precision beats uniform widths on a perceptron too",
                               "manifold-mlp-relu on manifold, energy of uniform 4 bit weights",
                               "the convolutional network above, whose layers differ in what a bit costs", error,
                               "loss increase [nat]: uniform %.4f (sd %.4f), fisher %.4f (%.4f), scan %.4f (%.4f); "
                               "fisher better in %d of %d seeds",
                               uniform_mlp.mean, uniform_mlp.deviation, fisher_mlp.mean, fisher_mlp.deviation,
                               scan_mlp.mean, scan_mlp.deviation, wins, n);
  int left[2] = {erg_study_wins(&qat[0].series, &ptq[0].series), erg_study_wins(&qat[1].series, &ptq[1].series)};
  if (status == ERG_OK)
    status = erg_study_claim_add(r,
                                 left[0] >= most && left[1] >= most   ? ERG_SHOWS
                                 : left[0] >= most || left[1] >= most ? ERG_SHOWS_IN_PART
                                                                      : ERG_DOES_NOT_SHOW,
                                 "training through roundings moves the front to the left",
                                 "shapes-cnn, uniform 3 and 4 bit weights, test accuracy",
                                 "the same network quantized afterwards: same data, start and order", error,
                                 "accuracy lost [points] at 3 bits: afterwards %.1f (sd %.1f), trained so %.1f (%.1f), "
                                 "better in %d of %d seeds; at 4 "
                                 "bits %.1f (%.1f), %.1f (%.1f), %d",
                                 ptq[0].mean, ptq[0].deviation, qat[0].mean, qat[0].deviation, left[0], n, ptq[1].mean,
                                 ptq[1].deviation, qat[1].mean, qat[1].deviation, left[1]);
  return status;
}

static erg_status judge(erg_study_result *r, erg_error *error) {
  erg_status status = judge_budget(r, "4 bit", error);
  if (status == ERG_OK) status = judge_measured(r, "4 bit", error);
  if (status == ERG_OK && !r->brief) status = judge_budget(r, "5 bit", error);
  if (status == ERG_OK && !r->brief) status = judge_measured(r, "5 bit", error);
  if (status == ERG_OK) status = judge_ranks(r, "3 bit", error);
  if (status == ERG_OK) status = judge_ranks(r, "4 bit", error);
  if (status == ERG_OK) status = judge_machines(r, error);
  return status == ERG_OK && !r->brief ? judge_rest(r, error) : status;
}
