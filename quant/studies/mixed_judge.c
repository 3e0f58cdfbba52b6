/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the points of all seeds say about mixed precision. */
#include "mixed.h"
#include <math.h>
#include <string.h>

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
      out->series.values[r->points[i].seed - r->first_seed] += r->points[i].numbers[1] / MIXED_RANDOM_PLANS;
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

erg_status mixed_judge(erg_study_result *r, erg_error *error) {
  erg_status status = judge_budget(r, "4 bit", error);
  if (status == ERG_OK) status = judge_measured(r, "4 bit", error);
  if (status == ERG_OK && !r->brief) status = judge_budget(r, "5 bit", error);
  if (status == ERG_OK && !r->brief) status = judge_measured(r, "5 bit", error);
  if (status == ERG_OK) status = judge_ranks(r, "3 bit", error);
  if (status == ERG_OK) status = judge_ranks(r, "4 bit", error);
  if (status == ERG_OK) status = judge_machines(r, error);
  return status == ERG_OK && !r->brief ? judge_rest(r, error) : status;
}
