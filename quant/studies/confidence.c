/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many bits the register of the logits needs, and whether label smoothing saves some. The answer turns on what one
 * step of the register is: a share of the logits' range (calibrated) or a fixed number of logits (a fixed binary
 * point). The network inside keeps 8 bits. */
#include "ergon/confidence.h"
#include "ergon/study.h"
#include "judging.h"
#include "lab.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEST_EXAMPLES 4000 /* few would bias the ECE upwards */
#define CALIBRATION_EXAMPLES 1000
#define NOISE 0.4 /* standard deviation of what is added to inputs of about 0.8, so that classes overlap */
#define SMOOTHING 0.1
#define PERCENT 99.5

static const char *const arms[] = {"plain", "smoothed", "temperature"};
enum { PLAIN, SMOOTHED, TEMPERATURE, ARMS };

typedef struct {
  const char *kind, *setting;
  int bits;
  double step; /* of a fixed binary point; 0: calibrated */
  bool binned; /* its reliability diagram is kept */
} logit_register;

/* A fixed binary point has 8 bits at every step: none of these networks' logits is clipped by it. */
static const logit_register registers[] = {
    {"range", "16 bit", 16, 0, true},     {"range", "8 bit", 8, 0, false},      {"range", "6 bit", 6, 0, false},
    {"range", "5 bit", 5, 0, false},      {"range", "4 bit", 4, 0, true},       {"range", "3 bit", 3, 0, false},
    {"percentile", "6 bit", 6, 0, false}, {"percentile", "5 bit", 5, 0, false}, {"percentile", "4 bit", 4, 0, false},
    {"percentile", "3 bit", 3, 0, false}, {"fixed", "step 0.5", 8, 0.5, false}, {"fixed", "step 1", 8, 1, false},
    {"fixed", "step 2", 8, 2, true},      {"fixed", "step 4", 8, 4, false},
};
#define EXACT 0 /* the index of what a register loses is measured against */

/* ---- one seed ---- */

/* The lab with overlapping classes, a calibration set that was not trained on and a large test set. */
static erg_status open_overlapping(uint64_t seed, lab *l, erg_dataset *calibration, erg_error *error) {
  erg_status status = lab_open("manifold-mlp-relu", "manifold", seed, l, error);
  if (status != ERG_OK) return status;
  erg_dataset_free(&l->test);
  status = erg_dataset_load("manifold", seed, ERG_SPLIT_TEST, TEST_EXAMPLES, &l->test, error);
  if (status == ERG_OK)
    status = erg_dataset_load("manifold", seed, ERG_SPLIT_CALIBRATION, CALIBRATION_EXAMPLES, calibration, error);
  if (status != ERG_OK) return status;
  erg_dataset *const sets[] = {&l->train, calibration, &l->test};
  static const char *const purposes[] = {"confidence/train", "confidence/calibration", "confidence/test"};
  for (size_t s = 0; s < ERG_COUNT_OF(sets); s++) {
    erg_random random;
    erg_random_stream(&random, seed, purposes[s]);
    for (int64_t i = 0; i < sets[s]->count * erg_shape_elements(sets[s]->shape); i++)
      sets[s]->inputs[i] += NOISE * erg_random_normal(&random);
  }
  l->calibration = *calibration; /* not freed by itself */
  return ERG_OK;
}

static erg_status add(const erg_confidence *c, uint64_t seed, const logit_register *r, int arm, erg_study_result *out,
                      erg_error *error) {
  erg_status status = erg_study_add(out, seed, (const char *const[]){r->kind, r->setting, arms[arm], "all"},
                                    (const double[]){c->accuracy, c->ece, c->nll_nat, c->confidence, 1, NAN}, error);
  for (int i = 0; i < ERG_CONFIDENCE_BINS && r->binned && status == ERG_OK; i++) {
    const erg_confidence_bin *b = &c->bins[i];
    char middle[16];
    snprintf(middle, sizeof middle, "%.3f", (i + 0.5) / ERG_CONFIDENCE_BINS);
    status = erg_study_add(out, seed, (const char *const[]){r->kind, r->setting, arms[arm], middle},
                           (const double[]){NAN, NAN, NAN, b->confidence, b->share, b->accuracy}, error);
  }
  return status;
}

/* The range a register's grid spans. */
static erg_range span(const logit_register *r, const erg_calibration *calibration, int node) {
  if (r->step > 0) return (erg_range){-ldexp(r->step, r->bits - 1), ldexp(r->step, r->bits - 1) - r->step};
  return erg_calibration_range(calibration, node,
                               strcmp(r->kind, "range") == 0 ? ERG_CALIBRATE_MIN_MAX : ERG_CALIBRATE_PERCENTILE,
                               PERCENT, r->bits);
}

/* All registers behind one set of weights. */
static erg_status run_registers(const lab *l, const erg_weights *weights, int arm, double *logits,
                                erg_study_result *out, erg_error *error) {
  const int node = l->graph.node_count - 1;
  erg_calibration calibration = {0};
  erg_quantize_options options = {0};
  erg_precision layers[32];
  erg_status status = erg_calibrate(&l->graph, weights, &l->calibration, &calibration, error);
  if (status == ERG_OK) status = erg_precision_parse("int8", &options.precision, error);
  if (status == ERG_OK && node >= 32) status = erg_fail(error, ERG_ERR_INTERNAL, "more than 32 nodes");
  if (status != ERG_OK || !calibration.low || !calibration.high) {
    erg_calibration_free(&calibration);
    return status;
  }
  const double low = calibration.low[node], high = calibration.high[node];
  for (size_t i = 0; i < ERG_COUNT_OF(registers) && status == ERG_OK; i++) {
    const logit_register *r = &registers[i];
    const erg_range range = span(r, &calibration, node);
    erg_quantized quantized = {0};
    for (int id = 0; id <= node; id++) layers[id] = options.precision;
    layers[node].output_bits = r->bits;
    options.layers = layers;
    calibration.low[node] = range.low, calibration.high[node] = range.high; /* what min-max takes */
    status = erg_quantize(&l->graph, weights, &calibration, &options, &quantized, error);
    if (status == ERG_OK) status = erg_logits_integer(&quantized, &l->test, ERG_INTEGER_FAST, NULL, logits, error);
    if (status == ERG_OK) {
      erg_confidence c = erg_confidence_of(logits, l->test.count, l->test.classes, l->test.labels);
      status = add(&c, l->seed, r, arm, out, error);
    }
    erg_quantized_free(&quantized);
    calibration.low[node] = low, calibration.high[node] = high;
  }
  erg_calibration_free(&calibration);
  return status;
}

static erg_status run_float(const lab *l, const erg_weights *weights, int arm, double *logits, erg_study_result *out,
                            erg_error *error) {
  static const logit_register none = {"float", "-", 0, 0, true};
  erg_status status = erg_logits_float(&l->graph, weights, &l->test, logits, error);
  if (status != ERG_OK) return status;
  erg_confidence c = erg_confidence_of(logits, l->test.count, l->test.classes, l->test.labels);
  return add(&c, l->seed, &none, arm, out, error);
}

static erg_status judge_arm(const lab *l, const erg_weights *weights, int arm, double *logits, erg_study_result *out,
                            erg_error *error) {
  erg_status status = run_float(l, weights, arm, logits, out, error);
  return status == ERG_OK ? run_registers(l, weights, arm, logits, out, error) : status;
}

/* Divides the logits by the temperature that fits the calibration set, in the last layer's weights. */
static erg_status temper(const lab *l, erg_weights *weights, double *logits, erg_error *error) {
  const erg_dataset *data = &l->calibration;
  double temperature = 1;
  erg_status status = erg_logits_float(&l->graph, weights, data, logits, error);
  if (status == ERG_OK)
    status = erg_temperature_fit(logits, data->count, data->classes, data->labels, &temperature, error);
  if (status != ERG_OK) return status;
  const char *last = l->graph.nodes[l->graph.node_count - 1].name;
  for (int i = 0; i < weights->count; i++) {
    erg_parameter *p = &weights->items[i];
    if (strncmp(p->name, last, strlen(last)) != 0 || p->name[strlen(last)] != '.') continue;
    for (int64_t at = 0; at < p->elements; at++) p->values[at] /= temperature;
  }
  return ERG_OK;
}

static erg_status train_arm(const lab *l, double smoothing, erg_weights *weights, erg_error *error) {
  return lab_train(
      l,
      (erg_train_options){
          .epochs = 30, .batch = 32, .learning_rate = 3e-3, .optimizer = "adam", .label_smoothing = smoothing},
      weights, error);
}

static erg_status run_seed(uint64_t seed, erg_study_result *out, erg_error *error) {
  erg_dataset calibration = {0};
  erg_weights plain = {0}, smoothed = {0};
  lab l;
  double *logits = NULL;
  erg_status status = open_overlapping(seed, &l, &calibration, error);
  if (status == ERG_OK && !(logits = malloc(sizeof *logits * TEST_EXAMPLES * (size_t)l.test.classes)))
    status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  if (status == ERG_OK) status = train_arm(&l, 0, &plain, error);
  if (status == ERG_OK) status = judge_arm(&l, &plain, PLAIN, logits, out, error);
  if (status == ERG_OK) status = temper(&l, &plain, logits, error);
  if (status == ERG_OK) status = judge_arm(&l, &plain, TEMPERATURE, logits, out, error);
  if (status == ERG_OK) status = train_arm(&l, SMOOTHING, &smoothed, error);
  if (status == ERG_OK) status = judge_arm(&l, &smoothed, SMOOTHED, logits, out, error);
  free(logits);
  erg_weights_free(&smoothed);
  erg_weights_free(&plain);
  erg_dataset_free(&calibration);
  lab_close(&l);
  return status;
}

/* ---- all seeds ---- */

typedef struct {
  erg_study_series series[ARMS];
  double mean[ARMS], deviation[ARMS];
} compared;

/* A number of all arms behind a register, times `scale`, less that of `base` (NULL: nothing). */
static erg_status compare(erg_study_result *r, const logit_register *at, const logit_register *base, const char *number,
                          double scale, compared *out, erg_error *error) {
  erg_status status = ERG_OK;
  for (int a = 0; a < ARMS && status == ERG_OK; a++) {
    erg_study_series origin = {0};
    status = erg_study_series_of(r, (const char *const[]){at->kind, at->setting, arms[a], "all"}, number,
                                 &out->series[a], error);
    if (status == ERG_OK && base)
      status = erg_study_series_of(r, (const char *const[]){base->kind, base->setting, arms[a], "all"}, number, &origin,
                                   error);
    if (status != ERG_OK) return status;
    for (int i = 0; i < out->series[a].count; i++)
      out->series[a].values[i] = scale * (out->series[a].values[i] - (base ? origin.values[i] : 0));
    erg_study_mean(&out->series[a], &out->mean[a], &out->deviation[a]);
  }
  return status;
}

/* What an answer for one kind of register rests on: points of accuracy lost at each of its settings. */
#define MOST_SETTINGS 4
typedef struct {
  char text[768];
  int settings, better, worse; /* how many, and where smoothing is better, or worse, in nine tenths of the seeds */
  double tempered_apart;       /* largest mean difference between tempered and plain */
} losses;

/* The coarsest setting of a kind at which each arm loses at most a point, all finer ones too. */
static erg_status coarsest(erg_study_result *r, const char *kind, const char **out, erg_error *error) {
  bool ended[ARMS] = {false};
  for (int a = 0; a < ARMS; a++) out[a] = "none here";
  for (size_t i = 0; i < ERG_COUNT_OF(registers); i++) { /* from fine to coarse */
    if (strcmp(registers[i].kind, kind) != 0) continue;
    compared c;
    erg_status status = compare(r, &registers[i], &registers[EXACT], "accuracy", -100, &c, error);
    if (status != ERG_OK) return status;
    for (int a = 0; a < ARMS; a++)
      if (c.mean[a] <= 1 && !ended[a])
        out[a] = registers[i].setting;
      else
        ended[a] = true;
  }
  return ERG_OK;
}

static erg_status lose(erg_study_result *r, const char *kind, const char *const *settings, losses *out,
                       erg_error *error) {
  int length = 0;
  *out = (losses){0};
  for (size_t i = 0; i < ERG_COUNT_OF(registers); i++) {
    bool asked = false;
    for (int s = 0; settings[s]; s++)
      asked |= strcmp(registers[i].kind, kind) == 0 && strcmp(registers[i].setting, settings[s]) == 0;
    if (!asked) continue;
    compared c;
    erg_status status = compare(r, &registers[i], &registers[EXACT], "accuracy", -100, &c, error);
    if (status != ERG_OK) return status;
    int better = erg_study_wins(&c.series[SMOOTHED], &c.series[PLAIN]),
        worse = erg_study_wins(&c.series[PLAIN], &c.series[SMOOTHED]);
    out->settings++, out->better += better >= judging_nine_tenths(r), out->worse += worse >= judging_nine_tenths(r);
    out->tempered_apart = fmax(out->tempered_apart, fabs(c.mean[TEMPERATURE] - c.mean[PLAIN]));
    length += snprintf(out->text + length, sizeof out->text - (size_t)length,
                       "%s%s: plain %.2f (sd %.2f), smoothed %.2f (%.2f), temperature %.2f (%.2f), smoothed better in "
                       "%d and worse in %d",
                       length ? "; " : "", registers[i].setting, c.mean[PLAIN], c.deviation[PLAIN], c.mean[SMOOTHED],
                       c.deviation[SMOOTHED], c.mean[TEMPERATURE], c.deviation[TEMPERATURE], better, worse);
  }
  const char *most[ARMS];
  erg_status status = coarsest(r, kind, most, error);
  if (status == ERG_OK)
    snprintf(out->text + length, sizeof out->text - (size_t)length,
             " of %d seeds; at most a point is lost up to: plain %s, smoothed %s, temperature %s", r->seeds,
             most[PLAIN], most[SMOOTHED], most[TEMPERATURE]);
  return status;
}

static erg_verdict verdict_of(int held, int asked) {
  return held == asked ? ERG_SHOWS : held ? ERG_SHOWS_IN_PART : ERG_DOES_NOT_SHOW;
}

#define NETWORK "manifold-mlp-relu of 8 bits on manifold with noise, 4000 test vectors, "
static const char tempering[] = "temperature scaling: the same weights, the last layer's divided by T";

/* The last claim answers for one kind of register alone. */
static void about(erg_study_result *r, const char *kind) {
  r->claims[r->claim_count - 1].about = kind;
}

static const char *const narrow[] = {"5 bit", "4 bit", "3 bit", NULL}, *const coarse[] = {"step 1", "step 2", "step 4",
                                                                                          NULL};
#define OVER_RANGE NETWORK "register over the range on 1000 others"
static const struct {
  const char *kind, *const *settings;
  bool costs; /* the claim is that smoothing costs accuracy, not that it saves some */
  const char *claim, *setting;
} questions[] = {
    {"range", narrow, false, "label smoothing saves accuracy where the logits' register is calibrated to their range",
     OVER_RANGE},
    {"percentile", narrow, false, "the gain of label smoothing is more than that of clipping outliers",
     NETWORK "register over 99.5 % of the logits of 1000 others"},
    {"fixed", coarse, true, "label smoothing costs accuracy where the logits' register has a fixed binary point",
     NETWORK "register of 8 bits whose step is 1, 2 or 4 logits"},
};

static erg_status judge_registers(erg_study_result *r, erg_error *error) {
  erg_status status = ERG_OK;
  for (size_t q = 0; q < ERG_COUNT_OF(questions) && status == ERG_OK; q++) {
    losses l;
    status = lose(r, questions[q].kind, questions[q].settings, &l, error);
    if (status == ERG_OK)
      status =
          erg_study_claim_add(r, verdict_of(questions[q].costs ? l.worse : l.better, l.settings), questions[q].claim,
                              questions[q].setting, tempering, error, "points of accuracy lost, %s", l.text);
    if (status == ERG_OK) about(r, questions[q].kind);
    if (status != ERG_OK || strcmp(questions[q].kind, "range") != 0) continue;
    status = erg_study_claim_add(r, l.tempered_apart < 0.1 ? ERG_SHOWS : ERG_DOES_NOT_SHOW,
                                 "temperature scaling cannot help a register calibrated to the range", OVER_RANGE,
                                 "label smoothing, which changes the logits' shape and not only their scale", error,
                                 "largest difference of the mean loss to plain training %.3f points", l.tempered_apart);
    if (status == ERG_OK) about(r, "range");
  }
  return status;
}

static erg_status judge_calibration(erg_study_result *r, erg_error *error) {
  static const logit_register real = {.kind = "float", .setting = "-"};
  compared ece, accuracy, confidence;
  erg_status status = compare(r, &real, NULL, "ece", 1, &ece, error);
  if (status == ERG_OK) status = compare(r, &real, NULL, "accuracy", 100, &accuracy, error);
  if (status == ERG_OK) status = compare(r, &real, NULL, "confidence", 1, &confidence, error);
  if (status != ERG_OK) return status;
  int wins = erg_study_wins(&ece.series[SMOOTHED], &ece.series[PLAIN]);
  return erg_study_claim_add(
      r, wins >= judging_nine_tenths(r) ? ERG_SHOWS : ERG_DOES_NOT_SHOW, "label smoothing calibrates a network",
      NETWORK "in float", "temperature scaling, which leaves the accuracy as it is", error,
      "ECE of 15 bins: plain %.3f (sd %.3f), smoothed %.3f (%.3f), temperature %.3f (%.3f); smoothed lower in %d of %d "
      "seeds; accuracy %.1f, %.1f, %.1f %%; mean confidence %.3f, %.3f, %.3f",
      ece.mean[PLAIN], ece.deviation[PLAIN], ece.mean[SMOOTHED], ece.deviation[SMOOTHED], ece.mean[TEMPERATURE],
      ece.deviation[TEMPERATURE], wins, r->seeds, accuracy.mean[PLAIN], accuracy.mean[SMOOTHED],
      accuracy.mean[TEMPERATURE], confidence.mean[PLAIN], confidence.mean[SMOOTHED], confidence.mean[TEMPERATURE]);
}

/* Over-confidence: confidence beyond accuracy, which rises. */
static erg_status judge_over_confidence(erg_study_result *r, const logit_register *at, erg_error *error) {
  compared confidence, accuracy, ece, before;
  erg_status status = compare(r, at, &registers[EXACT], "confidence", 1, &confidence, error);
  if (status == ERG_OK) status = compare(r, at, &registers[EXACT], "accuracy", 100, &accuracy, error);
  if (status == ERG_OK) status = compare(r, at, NULL, "ece", 1, &ece, error);
  if (status == ERG_OK) status = compare(r, &registers[EXACT], NULL, "ece", 1, &before, error);
  if (status != ERG_OK) return status;
  int risen = 0, worse = erg_study_wins(&before.series[PLAIN], &ece.series[PLAIN]);
  for (int i = 0; i < r->seeds; i++)
    risen += confidence.series[PLAIN].values[i] > 0 && ece.series[PLAIN].values[i] > before.series[PLAIN].values[i];
  char setting[160];
  snprintf(setting, sizeof setting, NETWORK "register %s, %s", at->kind, at->setting);
  status = erg_study_claim_add(
      r,
      risen >= judging_nine_tenths(r) ? ERG_SHOWS
      : risen > r->seeds / 2          ? ERG_SHOWS_IN_PART
                                      : ERG_DOES_NOT_SHOW,
      "coarse logits make a network over-confident", setting, "the same network with logits of 16 bits", error,
      "plain training: mean confidence changes by %+.3f (sd %.3f), accuracy by %+.2f points, ECE from %.3f to %.3f, "
      "higher in %d, with a higher confidence in %d of %d seeds",
      confidence.mean[PLAIN], confidence.deviation[PLAIN], accuracy.mean[PLAIN], before.mean[PLAIN], ece.mean[PLAIN],
      worse, risen, r->seeds);
  if (status == ERG_OK) about(r, at->kind);
  return status;
}

static erg_status judge(erg_study_result *r, erg_error *error) {
  erg_status status = judge_registers(r, error);
  if (status == ERG_OK) status = judge_calibration(r, error);
  for (size_t i = 0; i < ERG_COUNT_OF(registers) && status == ERG_OK; i++)
    if (registers[i].binned && i != EXACT) status = judge_over_confidence(r, &registers[i], error);
  return status;
}

static const char *const cases[] = {"range", "percentile", "fixed", NULL};
static const char *const texts[] = {"register", "setting", "arm", "bin", NULL};
static const char *const numbers[] = {"accuracy", "ece", "nll_nat", "confidence", "share", "bin_accuracy", NULL};
static const erg_study confidence = {
    "confidence", "How many bits the register of the logits needs, and whether label smoothing saves some",
    10,           {texts, numbers},
    run_seed,     judge,
    cases};
ERG_REGISTER(erg_study, confidence);
