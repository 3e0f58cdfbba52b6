/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the rows of the study of features say. */
#include "features.h"
#include "judging.h"
#include <math.h>
#include <string.h>

#define TASK                                                                                                           \
  "shapes-cnn trained on 7 classes of shapes, 300 queries and gallery, leave one out, weights and activations alike"
#define KEPT 0.95 /* of the utility above random weights */

typedef judging_sample sample;

static erg_status take(erg_study_result *r, const char *what, const char *of, const char *encoder, const char *number,
                       sample *out, erg_error *error) {
  return judging_take(r, (const char *const[]){what, of, encoder}, number, out, error);
}

/* Of what `number` is above random weights' in float, the share that is left. */
static erg_status take_kept(erg_study_result *r, const char *what, const char *of, const char *encoder,
                            const char *number, sample *out, erg_error *error) {
  sample real, floor;
  erg_status status = take(r, what, of, FEATURES_FLOAT, number, &real, error);
  if (status == ERG_OK) status = take(r, what, of, FEATURES_RANDOM, number, &floor, error);
  if (status == ERG_OK) status = take(r, what, of, encoder, number, out, error);
  if (status == ERG_OK) judging_kept(out, &real, &floor);
  return status;
}

static const char *title_of(const char *what) {
  return strcmp(what, FEATURES_GRAM) == 0 ? "Gram matrices" : "pooled features";
}

/* A number of all uniform widths as a list; `most` the last width whose mean is at least KEPT, all wider ones too. */
typedef struct {
  char text[512];
  const char *least_kept;
  bool falls; /* no narrower width has a higher mean */
} ladder;

static erg_status climb(erg_study_result *r, const char *what, const char *of, const char *number, bool kept,
                        ladder *out, erg_error *error) {
  int length = 0;
  bool ended = false;
  double last = INFINITY;
  *out = (ladder){.least_kept = "none", .falls = true};
  for (int w = 0; w < FEATURES_UNIFORM; w++) {
    const char *name = features_widths[w].name;
    sample s;
    erg_status status =
        kept ? take_kept(r, what, of, name, number, &s, error) : take(r, what, of, name, number, &s, error);
    if (status != ERG_OK) return status;
    length += snprintf(out->text + length, sizeof out->text - (size_t)length, "%s%s %.3f (sd %.3f)", w ? ", " : "",
                       name, s.mean, s.deviation);
    out->falls = out->falls && s.mean <= last;
    last = s.mean;
    if (s.mean >= KEPT && !ended)
      out->least_kept = name;
    else
      ended = true;
  }
  return ERG_OK;
}

static erg_status judge_kept(erg_study_result *r, const char *what, erg_error *error) {
  sample real, floor, five, weights, activations;
  ladder map, kept;
  erg_status status = take(r, what, "seen", FEATURES_FLOAT, "map", &real, error);
  if (status == ERG_OK) status = take(r, what, "seen", FEATURES_RANDOM, "map", &floor, error);
  if (status == ERG_OK) status = take_kept(r, what, "seen", "5 bit", "map", &five, error);
  if (status == ERG_OK) status = take_kept(r, what, "seen", "w4a8", "map", &weights, error);
  if (status == ERG_OK) status = take_kept(r, what, "seen", "w8a4", "map", &activations, error);
  if (status == ERG_OK) status = climb(r, what, "seen", "map", false, &map, error);
  if (status == ERG_OK) status = climb(r, what, "seen", "map", true, &kept, error);
  if (status != ERG_OK) return status;
  const int seeds = judging_at_least(&five, KEPT);
  char claim[160];
  snprintf(claim, sizeof claim, "retrieval by %s falls with the bits and is kept to 5 of them", title_of(what));
  return erg_study_claim_add(
      r,
      map.falls && seeds >= judging_nine_tenths(r) ? ERG_SHOWS
      : map.falls || five.mean >= KEPT             ? ERG_SHOWS_IN_PART
                                                   : ERG_DOES_NOT_SHOW,
      claim, TASK, "an encoder of the random weights that training began with, in float; narrow weights alone", error,
      "mAP: float %.3f (sd %.3f), %s, random weights %.3f (%.3f); share kept of what float is above random weights: "
      "%s; at least 0.95 at 5 bits in %d of %d seeds, in the mean down to %s; narrow weights alone (w4a8) %.3f, "
      "activations alone (w8a4) %.3f",
      real.mean, real.deviation, map.text, floor.mean, floor.deviation, kept.text, seeds, r->seeds, kept.least_kept,
      weights.mean, activations.mean);
}

static erg_status judge_classifier(erg_study_result *r, const char *what, erg_error *error) {
  sample feature, classifier, feature3, classifier3, feature8, classifier8, real, four;
  erg_status status = take_kept(r, what, "seen", "4 bit", "map", &feature, error);
  if (status == ERG_OK) status = take_kept(r, FEATURES_CLASSIFIER, "seen", "4 bit", "accuracy", &classifier, error);
  if (status == ERG_OK) status = take_kept(r, what, "seen", "3 bit", "map", &feature3, error);
  if (status == ERG_OK) status = take_kept(r, FEATURES_CLASSIFIER, "seen", "3 bit", "accuracy", &classifier3, error);
  if (status == ERG_OK) status = take_kept(r, what, "seen", "8 bit", "map", &feature8, error);
  if (status == ERG_OK) status = take_kept(r, FEATURES_CLASSIFIER, "seen", "8 bit", "accuracy", &classifier8, error);
  if (status == ERG_OK) status = take(r, FEATURES_CLASSIFIER, "seen", FEATURES_FLOAT, "accuracy", &real, error);
  if (status == ERG_OK) status = take(r, FEATURES_CLASSIFIER, "seen", "4 bit", "accuracy", &four, error);
  if (status != ERG_OK) return status;
  const int wins = erg_study_wins(&classifier.series, &feature.series);
  char claim[160];
  snprintf(claim, sizeof claim, "at 4 bits %s keep more of their use than the classifier does", title_of(what));
  return erg_study_claim_add(r, judging_wins(r, wins), claim, TASK, "8 bits; the classifier over the same features",
                             error,
                             "share kept of what float is above random weights, 4 bit: features %.3f (sd %.3f), "
                             "accuracy %.3f (%.3f), features more in %d of %d seeds (p = %.2g); 3 bit: %.3f, %.3f, "
                             "more in %d; control: %.3f, %.3f; accuracy %.1f %% in float, %.1f at 4 bits",
                             feature.mean, feature.deviation, classifier.mean, classifier.deviation, wins, r->seeds,
                             erg_sign_test(wins, r->seeds), feature3.mean, classifier3.mean,
                             erg_study_wins(&classifier3.series, &feature3.series), feature8.mean, classifier8.mean,
                             100 * real.mean, 100 * four.mean);
}

static erg_status judge_neighbours(erg_study_result *r, const char *what, erg_error *error) {
  static const char *const widths[] = {"6 bit", "5 bit", "4 bit"};
  ladder overlap;
  sample floor, cosine, identity, use;
  int held = 0, length = 0;
  char text[256];
  erg_status status = climb(r, what, "seen", "overlap_10", false, &overlap, error);
  if (status == ERG_OK) status = take(r, what, "seen", FEATURES_RANDOM, "overlap_10", &floor, error);
  if (status == ERG_OK) status = take(r, what, "seen", "4 bit", "cosine", &cosine, error);
  for (size_t w = 0; w < ERG_COUNT_OF(widths) && status == ERG_OK; w++) {
    status = take_kept(r, what, "seen", widths[w], "overlap_10", &identity, error);
    if (status == ERG_OK) status = take_kept(r, what, "seen", widths[w], "map", &use, error);
    if (status != ERG_OK) return status;
    const int wins = erg_study_wins(&identity.series, &use.series);
    held += wins >= judging_nine_tenths(r);
    length += snprintf(text + length, sizeof text - (size_t)length, "%s%s %.3f and %.3f, less in %d", w ? "; " : "",
                       widths[w], identity.mean, use.mean, wins);
  }
  if (status != ERG_OK) return status;
  char claim[160];
  snprintf(claim, sizeof claim, "which neighbours %s find changes before how good they are", title_of(what));
  return erg_study_claim_add(
      r,
      held == 3 ? ERG_SHOWS
      : held    ? ERG_SHOWS_IN_PART
                : ERG_DOES_NOT_SHOW,
      claim, TASK, "the overlap of random weights' neighbours with the trained encoder's", error,
      "of the ten nearest in float still among the ten nearest: %s, random weights %.3f; share kept above random "
      "weights, of neighbours and of mAP: %s of %d seeds; mean cosine to float at 4 bits %.3f",
      overlap.text, floor.mean, text, r->seeds, cosine.mean);
}

static erg_status judge_unseen(erg_study_result *r, const char *what, erg_error *error) {
  sample real, floor, seen5, unseen5, seen4, unseen4;
  ladder map;
  erg_status status = take(r, what, "unseen", FEATURES_FLOAT, "map", &real, error);
  if (status == ERG_OK) status = take(r, what, "unseen", FEATURES_RANDOM, "map", &floor, error);
  if (status == ERG_OK) status = climb(r, what, "unseen", "map", false, &map, error);
  if (status == ERG_OK) status = take_kept(r, what, "seen", "5 bit", "map", &seen5, error);
  if (status == ERG_OK) status = take_kept(r, what, "unseen", "5 bit", "map", &unseen5, error);
  if (status == ERG_OK) status = take_kept(r, what, "seen", "4 bit", "map", &seen4, error);
  if (status == ERG_OK) status = take_kept(r, what, "unseen", "4 bit", "map", &unseen4, error);
  if (status != ERG_OK) return status;
  const int better = erg_study_wins(&floor.series, &real.series);
  const bool kept = unseen5.mean >= KEPT;
  char claim[160];
  snprintf(claim, sizeof claim, "%s serve classes that were never trained on, and keep that to 5 bits", title_of(what));
  return erg_study_claim_add(
      r,
      better >= judging_nine_tenths(r) && kept ? ERG_SHOWS
      : better >= judging_nine_tenths(r)       ? ERG_SHOWS_IN_PART
                                               : ERG_DOES_NOT_SHOW,
      claim, TASK "; unseen are 3 classes, whose shapes and directions of stripes were seen, but not together",
      "random weights on the same images; the classes that were trained on", error,
      "mAP on unseen classes: float %.3f (sd %.3f), %s, random weights %.3f (%.3f), float better in %d of %d seeds; "
      "share kept of the mean's distance to random weights: 5 bit %.3f (seen classes %.3f), 4 bit %.3f (%.3f)",
      real.mean, real.deviation, map.text, floor.mean, floor.deviation, better, r->seeds, unseen5.mean, seen5.mean,
      unseen4.mean, seen4.mean);
}

static erg_status judge_floor(erg_study_result *r, const char *what, erg_error *error) {
  sample two, three, floor;
  erg_status status = take(r, what, "seen", "2 bit", "map", &two, error);
  if (status == ERG_OK) status = take(r, what, "seen", "3 bit", "map", &three, error);
  if (status == ERG_OK) status = take(r, what, "seen", FEATURES_RANDOM, "map", &floor, error);
  if (status != ERG_OK) return status;
  const int wins = erg_study_wins(&two.series, &floor.series);
  char claim[160];
  snprintf(claim, sizeof claim, "at 2 bits %s of a trained encoder are worse than those of random weights in float",
           title_of(what));
  return erg_study_claim_add(r, judging_wins(r, wins), claim, TASK, "3 bits", error,
                             "mAP: 2 bit %.3f (sd %.3f), random weights %.3f (%.3f), worse in %d of %d seeds; control: "
                             "%.3f (%.3f), worse in %d",
                             two.mean, two.deviation, floor.mean, floor.deviation, wins, r->seeds, three.mean,
                             three.deviation, erg_study_wins(&three.series, &floor.series));
}

/* Of 6, 5 and 4 bits, those whose bias is within a tenth of what is expected. At 8 bits a step is so small that
 * products of map and error, whose mean is 0, hide its square in 300 images. */
static erg_status count_near(erg_study_result *r, const char *of, double expected, int *count, erg_error *error) {
  static const char *const widths[] = {"6 bit", "5 bit", "4 bit"};
  *count = 0;
  for (size_t w = 0; w < ERG_COUNT_OF(widths); w++) {
    sample s;
    erg_status status = take(r, FEATURES_BIAS, of, widths[w], "diagonal_bias_s2_12", &s, error);
    if (status != ERG_OK) return status;
    *count += fabs(s.mean - expected) <= 0.1 * expected;
  }
  return ERG_OK;
}

static erg_status judge_bias(erg_study_result *r, const char *of, const char *claim, erg_error *error) {
  sample positive, off6, share6;
  ladder diagonal;
  int whole = 0, part = 0;
  erg_status status = take(r, FEATURES_BIAS, of, "6 bit", "positive_share", &positive, error);
  if (status == ERG_OK) status = take(r, FEATURES_BIAS, of, "6 bit", "off_diagonal_bias_s2_12", &off6, error);
  if (status == ERG_OK) status = take(r, FEATURES_BIAS, of, "6 bit", "diagonal_bias_share", &share6, error);
  if (status == ERG_OK) status = climb(r, FEATURES_BIAS, of, "diagonal_bias_s2_12", false, &diagonal, error);
  if (status == ERG_OK) status = count_near(r, of, 1, &whole, error);
  if (status == ERG_OK) status = count_near(r, of, positive.mean, &part, error);
  if (status != ERG_OK) return status;
  return erg_study_claim_add(
      r,
      whole == 3  ? ERG_SHOWS
      : part == 3 ? ERG_SHOWS_IN_PART
                  : ERG_DOES_NOT_SHOW,
      claim, "the last map of shapes-cnn, behind a ReLU, 300 images of seen classes, s the step of its grid",
      "off the diagonal, where rounding adds nothing; s^2/12 times the share of entries above 0, which alone are "
      "rounded",
      error,
      "added to the diagonal, in s^2/12: %s; within a tenth of 1 at %d, of the share above 0 (%.3f) at %d of 6, 5 and "
      "4 bits; at 6 bit %+.4f of the diagonal; control: off it %.3f (sd %.3f) s^2/12 at 6 bit",
      diagonal.text, whole, positive.mean, part, share6.mean, off6.mean, off6.deviation);
}

erg_status features_judge(erg_study_result *r, erg_error *error) {
  static const char *const features[] = {FEATURES_POOLED, FEATURES_GRAM};
  erg_status status = ERG_OK;
  for (size_t f = 0; f < ERG_COUNT_OF(features) && status == ERG_OK; f++) {
    status = judge_kept(r, features[f], error);
    if (status == ERG_OK) status = judge_classifier(r, features[f], error);
    if (status == ERG_OK) status = judge_neighbours(r, features[f], error);
    if (status == ERG_OK) status = judge_unseen(r, features[f], error);
    if (status == ERG_OK) status = judge_floor(r, features[f], error);
  }
  if (status == ERG_OK)
    status = judge_bias(r, FEATURES_ROUNDING, "rounding a map adds s^2/12 to the diagonal of its Gram matrix", error);
  if (status == ERG_OK)
    status = judge_bias(r, FEATURES_NETWORK,
                        "an integer network's Gram matrix is that of float with s^2/12 more on the diagonal", error);
  return status;
}
