/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the rows of the study of style transfer say. */
#include "judging.h"
#include "style.h"
#include <math.h>
#include <string.h>

#define TASK                                                                                                           \
  "style-small trained in float on shapes for one image of textures a seed, 100 test images, perceptual losses of "    \
  "shapes-cnn in float"
#define KEPT 0.95 /* of the way from the content's style distance to the float network's */

typedef judging_sample sample;

static erg_status take(erg_study_result *r, const char *of, const char *precision, const char *number, sample *out,
                       erg_error *error) {
  return judging_take(r, (const char *const[]){STYLE_IMAGES, of, precision, "-", "-"}, number, out, error);
}

static erg_status judge_training(erg_study_result *r, erg_error *error) {
  sample before, after, same, others, content, other_content;
  erg_status status = take(r, STYLE_CONTENT, "-", "style_distance", &before, error);
  if (status == ERG_OK) status = take(r, STYLE_NORM, "float", "style_distance", &after, error);
  if (status == ERG_OK) status = take(r, STYLE_SAME_CLASS, "-", "style_distance", &same, error);
  if (status == ERG_OK) status = take(r, STYLE_OTHER_CLASS, "-", "style_distance", &others, error);
  if (status == ERG_OK) status = take(r, STYLE_NORM, "float", "content_distance", &content, error);
  if (status == ERG_OK) status = take(r, STYLE_OTHER_CONTENT, "-", "content_distance", &other_content, error);
  if (status != ERG_OK) return status;
  const int nearer = erg_study_wins(&after.series, &before.series),
            below = erg_study_wins(&after.series, &others.series),
            kept = erg_study_wins(&content.series, &other_content.series);
  const int needed = judging_nine_tenths(r);
  return erg_study_claim_add(
      r,
      nearer >= needed && below >= needed && kept >= needed ? ERG_SHOWS
      : nearer >= needed                                    ? ERG_SHOWS_IN_PART
                                                            : ERG_DOES_NOT_SHOW,
      "the trained network takes on the style and keeps the content", TASK,
      "the contents themselves, textures of the style's class and of others; another content", error,
      "style distance (relative squared error of Gram matrices): stylized %.3f (sd %.3f), contents themselves %.3f "
      "(%.3f), less in %d; textures of the style's class %.3f (%.3f), of other classes %.3f (%.3f), stylized less than "
      "these in %d; content distance: stylized %.3f (%.3f), another content %.3f (%.3f), less in %d of %d seeds",
      after.mean, after.deviation, before.mean, before.deviation, nearer, same.mean, same.deviation, others.mean,
      others.deviation, below, content.mean, content.deviation, other_content.mean, other_content.deviation, kept,
      r->seeds);
}

static erg_status judge_widths(erg_study_result *r, erg_error *error) {
  sample before, after, content, five = {0};
  char text[512], share[512], contents[512];
  int a = 0, b = 0, c = 0;
  bool rises = true, ended = false;
  double last = 0;
  const char *least = "none";
  erg_status status = take(r, STYLE_CONTENT, "-", "style_distance", &before, error);
  if (status == ERG_OK) status = take(r, STYLE_NORM, "float", "style_distance", &after, error);
  if (status == ERG_OK) status = take(r, STYLE_NORM, "float", "content_distance", &content, error);
  for (int w = 0; w < STYLE_WIDTHS && status == ERG_OK; w++) {
    const char *name = style_widths[w].name, *comma = w ? ", " : "";
    sample s, d;
    status = take(r, STYLE_NORM, name, "style_distance", &s, error);
    if (status == ERG_OK) status = take(r, STYLE_NORM, name, "content_distance", &d, error);
    if (status != ERG_OK) return status;
    a += snprintf(text + a, sizeof text - (size_t)a, "%s%s %.3f (sd %.3f)", comma, name, s.mean, s.deviation);
    c += snprintf(contents + c, sizeof contents - (size_t)c, "%s%s %.3f", comma, name, d.mean);
    rises = rises && s.mean >= last;
    last = s.mean;
    judging_kept(&s, &after, &before);
    b += snprintf(share + b, sizeof share - (size_t)b, "%s%s %.3f", comma, name, s.mean);
    if (s.mean >= KEPT && !ended)
      least = name;
    else
      ended = true;
    if (strcmp(name, "5 bit") == 0) five = s;
  }
  if (status != ERG_OK) return status;
  const int seeds = judging_at_least(&five, KEPT);
  return erg_study_claim_add(
      r,
      rises && seeds >= judging_nine_tenths(r) ? ERG_SHOWS
      : rises || five.mean >= KEPT             ? ERG_SHOWS_IN_PART
                                               : ERG_DOES_NOT_SHOW,
      "the style distance rises as bits fall, and 5 bits keep what training brought",
      TASK "; weights and activations alike on the integer kernels", "float; the contents themselves, which keep 0",
      error,
      "style distance: float %.3f, %s; share kept of the way from the contents (%.3f) to float: %s; at least 0.95 at 5 "
      "bits in %d of %d seeds, in the mean down to %s; content distance: float %.3f, %s",
      after.mean, text, before.mean, share, seeds, r->seeds, least, content.mean, contents);
}

static erg_status judge_psnr(erg_study_result *r, erg_error *error) {
  char text[512], rounded[512];
  int a = 0, b = 0;
  sample eight = {0}, five = {0}, eight_rounded = {0}, five_rounded = {0};
  for (int w = 0; w < STYLE_WIDTHS; w++) {
    const char *name = style_widths[w].name, *comma = w ? ", " : "";
    sample s, d;
    erg_status status = take(r, STYLE_NORM, name, "psnr_db", &s, error);
    if (status == ERG_OK) status = take(r, STYLE_ROUNDED, name, "psnr_db", &d, error);
    if (status != ERG_OK) return status;
    a += snprintf(text + a, sizeof text - (size_t)a, "%s%s %.1f (sd %.1f)", comma, name, s.mean, s.deviation);
    b += snprintf(rounded + b, sizeof rounded - (size_t)b, "%s%s %.1f", comma, name, d.mean);
    if (strcmp(name, "8 bit") == 0) eight = s, eight_rounded = d;
    if (strcmp(name, "5 bit") == 0) five = s, five_rounded = d;
  }
  const double slope = (eight.mean - five.mean) / 3, rounded_slope = (eight_rounded.mean - five_rounded.mean) / 3;
  return erg_study_claim_add(r,
                             fabs(slope - 6.02) <= 0.6   ? ERG_SHOWS
                             : fabs(slope - 6.02) <= 1.5 ? ERG_SHOWS_IN_PART
                                                         : ERG_DOES_NOT_SHOW,
                             "a bit more in weights and activations is worth 6 dB of PSNR, as it is to a rounding",
                             TASK "; from 5 to 8 bits, PSNR to the float output over its range",
                             "the float output rounded to the same grid, and nothing else", error,
                             "PSNR [dB]: %s; %.2f dB a bit; control: %s; %.2f dB a bit", text, slope, rounded,
                             rounded_slope);
}

static erg_status judge_static(erg_study_result *r, erg_error *error) {
  sample fixed, four, fixed_style, four_style, real;
  erg_status status = take(r, STYLE_STATIC, "float", "psnr_db", &fixed, error);
  if (status == ERG_OK) status = take(r, STYLE_NORM, "4 bit", "psnr_db", &four, error);
  if (status == ERG_OK) status = take(r, STYLE_STATIC, "float", "style_distance", &fixed_style, error);
  if (status == ERG_OK) status = take(r, STYLE_NORM, "4 bit", "style_distance", &four_style, error);
  if (status == ERG_OK) status = take(r, STYLE_NORM, "float", "style_distance", &real, error);
  if (status != ERG_OK) return status;
  const int wins = erg_study_wins(&fixed.series, &four.series);
  return erg_study_claim_add(
      r, judging_wins(r, wins),
      "constant statistics, which would fold, cost an instance norm more than 4 bits with each image's own",
      TASK "; statistics of 256 training images, in float", "4 bits on the integer kernels, statistics of each image",
      error,
      "PSNR to float: constant %.1f (sd %.1f) dB, 4 bit %.1f (%.1f) dB, constant less in %d of %d seeds; style "
      "distance: %.3f (%.3f), %.3f (%.3f), float %.3f",
      fixed.mean, fixed.deviation, four.mean, four.deviation, wins, r->seeds, fixed_style.mean, fixed_style.deviation,
      four_style.mean, four_style.deviation, real.mean);
}

/* ---- the machine's rows: one of each, without a spread ---- */

static const erg_study_point *cost_of(const erg_study_result *r, const char *net, bool batch_norms,
                                      const char *precision, const char *fusion) {
  char of[64];
  snprintf(of, sizeof of, "%s%s", net, batch_norms ? STYLE_BATCH_NORMS : "");
  return judging_point(r, (const char *const[]){STYLE_MACHINE, of, precision, fusion, "-"});
}

static double energy_of(const erg_study_result *r, const char *net, bool batch_norms, const char *precision,
                        const char *fusion) {
  const erg_study_point *p = cost_of(r, net, batch_norms, precision, fusion);
  return p ? p->numbers[STYLE_ENERGY] : NAN;
}

/* A number of the small network is in nJ, of the large one in uJ. */
static double unit_of(const char *net) {
  return strcmp(net, STYLE_SMALL) == 0 ? 1e3 : 1e6;
}
static const char *unit_name(const char *net) {
  return strcmp(net, STYLE_SMALL) == 0 ? "nJ" : "uJ";
}

#define MACHINE "edge with native MACs, 45 nm, batch 1"

static erg_status judge_fusion(erg_study_result *r, const char *net, erg_error *error) {
  int fewer = 0, saves = 0, length = 0, batch_length = 0;
  char text[512], batch[512], setting[96];
  for (int w = 0; w < STYLE_WIDTHS; w++) {
    const char *name = style_widths[w].name, *comma = w ? ", " : "";
    const double none = energy_of(r, net, false, name, "none"), epilogue = energy_of(r, net, false, name, "epilogue"),
                 depth = energy_of(r, net, false, name, "depth"), none_bn = energy_of(r, net, true, name, "none"),
                 epilogue_bn = energy_of(r, net, true, name, "epilogue"),
                 depth_bn = energy_of(r, net, true, name, "depth");
    saves += epilogue < none && depth <= epilogue;
    fewer += 1 - epilogue / none < 1 - epilogue_bn / none_bn && 1 - depth / none < 1 - depth_bn / none_bn;
    length += snprintf(text + length, sizeof text - (size_t)length, "%s%s %.0f, %.0f, %.0f", comma, name,
                       none / unit_of(net), epilogue / unit_of(net), depth / unit_of(net));
    batch_length += snprintf(batch + batch_length, sizeof batch - (size_t)batch_length, "%s%s %.0f, %.0f, %.0f", comma,
                             name, none_bn / unit_of(net), epilogue_bn / unit_of(net), depth_bn / unit_of(net));
  }
  const erg_study_point *own = cost_of(r, net, false, "8 bit", "epilogue"),
                        *folded = cost_of(r, net, true, "8 bit", "epilogue");
  if (!own || !folded) return erg_fail(error, ERG_ERR_DATA, "study style: no costs of %s", net);
  snprintf(setting, sizeof setting, "%s on " MACHINE, net);
  return erg_study_claim_add(
      r,
      saves == STYLE_WIDTHS && fewer == STYLE_WIDTHS   ? ERG_SHOWS
      : saves == STYLE_WIDTHS || fewer == STYLE_WIDTHS ? ERG_SHOWS_IN_PART
                                                       : ERG_DOES_NOT_SHOW,
      "fusing the rest saves energy, but less than where norms fold", setting,
      "the same network with batch norms, which fold", error,
      "%s at fusion none, epilogue, depth: %s; control: %s; saved by both at %d, less than with batch norms at %d of "
      "%d widths; passes of epilogue %.0f, with batch norms %.0f; off chip in int8 %.1f and %.1f kB",
      unit_name(net), text, batch, saves, fewer, STYLE_WIDTHS, own->numbers[STYLE_PASSES],
      folded->numbers[STYLE_PASSES], own->numbers[STYLE_DRAM] / 1000, folded->numbers[STYLE_DRAM] / 1000);
}

static erg_status judge_energy(erg_study_result *r, const char *net, erg_error *error) {
  const erg_study_point *eight = cost_of(r, net, false, "8 bit", "epilogue"),
                        *four = cost_of(r, net, false, "4 bit", "epilogue"),
                        *two = cost_of(r, net, false, "2 bit", "epilogue");
  char setting[96];
  if (!eight || !four || !two) return erg_fail(error, ERG_ERR_DATA, "study style: no costs of %s", net);
#define RATIO(small, number) ((small)->numbers[number] / eight->numbers[number])
  const double half = RATIO(four, STYLE_ENERGY);
  snprintf(setting, sizeof setting, "%s on " MACHINE ", fusion epilogue", net);
  return erg_study_claim_add(
      r,
      half <= 0.55   ? ERG_SHOWS
      : half <= 0.75 ? ERG_SHOWS_IN_PART
                     : ERG_DOES_NOT_SHOW,
      "half the bits cost half the energy", setting, "its parts: MACs, bytes off chip, partial sums of 32 bits", error,
      "of the energy of 8 bits: 4 bit %.2f, 2 bit %.2f; MACs %.2f, %.2f; bytes off chip %.2f, %.2f; partial sums %.2f, "
      "%.2f, which are %.2f of all energy at 8 bits and %.2f at 4",
      half, RATIO(two, STYLE_ENERGY), RATIO(four, STYLE_MAC), RATIO(two, STYLE_MAC), RATIO(four, STYLE_DRAM),
      RATIO(two, STYLE_DRAM), RATIO(four, STYLE_PARTIAL_SUMS), RATIO(two, STYLE_PARTIAL_SUMS),
      eight->numbers[STYLE_PARTIAL_SUMS] / eight->numbers[STYLE_ENERGY],
      four->numbers[STYLE_PARTIAL_SUMS] / four->numbers[STYLE_ENERGY]);
#undef RATIO
}

erg_status style_judge(erg_study_result *r, erg_error *error) {
  static const char *const nets[] = {STYLE_SMALL, STYLE_RESIDUAL};
  erg_status status = judge_training(r, error);
  if (status == ERG_OK) status = judge_widths(r, error);
  if (status == ERG_OK) status = judge_psnr(r, error);
  if (status == ERG_OK) status = judge_static(r, error);
  for (size_t n = 0; n < ERG_COUNT_OF(nets) && status == ERG_OK; n++) {
    status = judge_fusion(r, nets[n], error);
    if (status == ERG_OK) status = judge_energy(r, nets[n], error);
  }
  return status;
}
