/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Style transfer in integers: a stylizing network with instance norms, trained in float for one texture, run by the
 * integer kernels. Distances are the training's own; nothing is said about looks. */
#include "style.h"
#include "ergon/retrieval.h"
#include "stylize.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEST_EXAMPLES 100
#define PICTURES 3
#define PIXELS 256 /* 16 x 16 */

const style_width style_widths[STYLE_WIDTHS] = {{"8 bit", "int8"}, {"6 bit", "int6"}, {"5 bit", "int5"},
                                                {"4 bit", "int4"}, {"3 bit", "int3"}, {"2 bit", "int2"}};

erg_status style_add(erg_study_result *out, uint64_t seed, style_row row, const double *numbers, erg_error *error) {
  const char *texts[] = {row.what, row.of, row.precision ? row.precision : "-", row.fusion ? row.fusion : "-",
                         row.picture ? row.picture : "-"};
  double none[STYLE_NUMBERS];
  for (int i = 0; i < STYLE_NUMBERS; i++) none[i] = NAN;
  return erg_study_add(out, seed, texts, numbers ? numbers : none, error);
}

typedef struct {
  stylize net;
  erg_dataset contents; /* test images; not freed by itself */
  int output;           /* the last node */
  erg_range span;       /* of the float output: PSNR's peak */
  double *real, *other; /* [TEST_EXAMPLES, PIXELS] */
  erg_arena arena;
  erg_study_result *out;
} session;

/* ---- what is judged, and pictures ---- */

static uint64_t seed_of(const session *s) {
  return s->net.encoder.seed;
}

/* Of `count` images, made of the contents from `first` on. */
static double psnr_db(const session *s, const double *images, int first, int count) {
  const int64_t pixels = (int64_t)count * PIXELS;
  const double peak = s->span.high - s->span.low, *real = s->real + (int64_t)first * PIXELS;
  double sum = 0;
  for (int64_t i = 0; i < pixels; i++) sum += (images[i] - real[i]) * (images[i] - real[i]);
  return 10 * log10(peak * peak * (double)pixels / sum);
}

/* A row with their distances; `compared` with the float output too. */
static erg_status judge(session *s, style_row row, const double *images, int first, int count, bool compared,
                        erg_error *error) {
  erg_dataset contents = s->contents; /* not freed by itself */
  contents.inputs += (int64_t)first * PIXELS, contents.count = count;
  stylize_distance d;
  double values[STYLE_NUMBERS];
  erg_status status = stylize_judge(&s->net, images, &contents, &d, error);
  if (status != ERG_OK) return status;
  for (int i = 0; i < STYLE_NUMBERS; i++) values[i] = NAN;
  values[STYLE_DISTANCE] = d.style, values[STYLE_CONTENT_DISTANCE] = d.content;
  if (compared) values[STYLE_PSNR] = psnr_db(s, images, first, count);
  return style_add(s->out, seed_of(s), row, values, error);
}

static erg_status judge_images(session *s, const char *of, const char *precision, const double *images, bool compared,
                               erg_error *error) {
  return judge(s, (style_row){STYLE_IMAGES, of, precision, NULL, NULL}, images, 0, TEST_EXAMPLES, compared, error);
}

static erg_range range_of(const double *images, int64_t count) {
  erg_range r = {INFINITY, -INFINITY};
  for (int64_t i = 0; i < count; i++) r.low = fmin(r.low, images[i]), r.high = fmax(r.high, images[i]);
  return r;
}

/* The first images of the first seed. What a network gave has one scale of greys, the float output's range over all
 * images; a content and a style, which are no output, each its own. */
static erg_status keep_pictures(session *s, const char *kind, const double *images, bool output, bool compared,
                                erg_error *error) {
  erg_status status = ERG_OK;
  if (seed_of(s) != s->out->first_seed) return ERG_OK;
  for (int p = 0; p < PICTURES && status == ERG_OK; p++) {
    const double *image = images + (size_t)p * PIXELS;
    const erg_range span = output ? s->span : range_of(image, PIXELS);
    char text[2 * PIXELS + 1], number[16];
    for (int i = 0; i < PIXELS; i++) {
      const double level = (image[i] - span.low) / (span.high - span.low);
      snprintf(text + 2 * (size_t)i, 3, "%02x", (unsigned)lrint(255 * fmin(fmax(level, 0), 1)));
    }
    snprintf(number, sizeof number, "%d", p + 1);
    status = judge(s, (style_row){STYLE_PICTURE, number, kind, NULL, text}, image, p, 1, compared, error);
  }
  return status;
}

/* The float network with instance norms. */
static erg_status run_float(session *s, erg_error *error) {
  erg_status status = erg_features_float(&s->net.graph, &s->net.weights, &s->contents, &s->output, 1, &s->real, error);
  if (status != ERG_OK) return status;
  s->span = range_of(s->real, (int64_t)TEST_EXAMPLES * PIXELS);
  status = judge_images(s, STYLE_NORM, "float", s->real, false, error);
  if (status == ERG_OK) status = keep_pictures(s, STYLE_CONTENT, s->contents.inputs, false, false, error);
  for (int p = 0; p < PICTURES; p++) /* the style beside each content */
    memcpy(s->other + (size_t)p * PIXELS, s->net.style.inputs, sizeof *s->other * PIXELS);
  if (status == ERG_OK) status = keep_pictures(s, "style", s->other, false, false, error);
  return status == ERG_OK ? keep_pictures(s, "float", s->real, true, false, error) : status;
}

static erg_status run_width(session *s, const erg_calibration *calibration, const style_width *w, erg_error *error) {
  erg_quantize_options options = {.calibration = ERG_CALIBRATE_MSE};
  erg_quantized quantized = {0};
  erg_status status = erg_precision_parse(w->precision, &options.precision, error);
  if (status == ERG_OK) status = erg_quantize(&s->net.graph, &s->net.weights, calibration, &options, &quantized, error);
  if (status == ERG_OK)
    status = erg_features_integer(&quantized, &s->contents, ERG_INTEGER_FAST, NULL, &s->output, 1, &s->other, error);
  if (status == ERG_OK) status = judge_images(s, STYLE_NORM, w->name, s->other, true, error);
  if (status == ERG_OK) status = keep_pictures(s, w->name, s->other, true, true, error);
  if (status == ERG_OK) { /* the same last grid, and nothing else in integers */
    const erg_grid grid = quantized.grids[s->output];
    for (int64_t i = 0; i < (int64_t)TEST_EXAMPLES * PIXELS; i++)
      s->other[i] = erg_grid_real(grid, erg_quantization_round(grid, (long double)s->real[i]));
    status = judge_images(s, STYLE_ROUNDED, w->name, s->other, true, error);
  }
  erg_quantized_free(&quantized);
  return status;
}

/* ---- controls ---- */

/* Images to be compared: contents moved on by one, or textures of the style's own class or of others. */
static erg_status run_controls(session *s, erg_error *error) {
  const erg_dataset *style = &s->net.style;
  const size_t all = sizeof *s->other * TEST_EXAMPLES * PIXELS;
  erg_status status = judge_images(s, STYLE_CONTENT, NULL, s->contents.inputs, false, error);
  memcpy(s->other, s->contents.inputs + PIXELS, all - sizeof *s->other * PIXELS);
  memcpy(s->other + (size_t)(TEST_EXAMPLES - 1) * PIXELS, s->contents.inputs, sizeof *s->other * PIXELS);
  if (status == ERG_OK) status = judge_images(s, STYLE_OTHER_CONTENT, NULL, s->other, false, error);
  for (int other = 0; other < 2 && status == ERG_OK; other++) {
    int kept = 0, found = 0;
    for (int i = 1; i < style->count && kept < TEST_EXAMPLES; i++) /* 0 is the style itself */
      if ((style->labels[i] != style->labels[0]) == other)
        memcpy(s->other + (size_t)kept++ * PIXELS, style->inputs + (size_t)i * PIXELS, sizeof *s->other * PIXELS);
    if (!kept) return erg_fail(error, ERG_ERR_INTERNAL, "style: no textures to compare with");
    for (found = kept; kept < TEST_EXAMPLES; kept++) /* too few of a class: from the front again */
      memcpy(s->other + (size_t)kept * PIXELS, s->other + (size_t)(kept % found) * PIXELS, sizeof *s->other * PIXELS);
    status = judge_images(s, other ? STYLE_OTHER_CLASS : STYLE_SAME_CLASS, NULL, s->other, false, error);
  }
  return status;
}

/* Mean and variance of each channel over all examples, into the running statistics of the norm behind `conv`. */
static erg_status take_statistics(session *s, const erg_weights *weights, int conv, int norm, erg_error *error) {
  const int channels = s->net.graph.nodes[conv].out.c;
  const int64_t rows = (int64_t)s->net.encoder.calibration.count * PIXELS;
  const erg_parameter *mean = erg_weights_find(weights, norm, "running_mean"),
                      *variance = erg_weights_find(weights, norm, "running_var");
  double *map = malloc(sizeof *map * (size_t)(rows * channels));
  if (!map || !mean || !variance) {
    free(map);
    return erg_fail(error, ERG_ERR_INTERNAL, "out of memory, or no statistics");
  }
  erg_status status =
      erg_features_float(&s->net.graph, &s->net.weights, &s->net.encoder.calibration, &conv, 1, &map, error);
  for (int c = 0; c < channels && status == ERG_OK; c++) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < rows; i++) sum += map[i * channels + c];
    sum /= (double)rows;
    for (int64_t i = 0; i < rows; i++) squares += (map[i * channels + c] - sum) * (map[i * channels + c] - sum);
    mean->values[c] = sum, variance->values[c] = squares / (double)rows;
  }
  free(map);
  return status;
}

/* The same weights with the statistics of calibration images in place of each image's own: what would fold. */
static erg_status run_static(session *s, erg_error *error) {
  erg_graph graph = {0};
  erg_weights weights = {0};
  erg_status status = stylize_net(STYLIZE_NET, true, LAB_BATCH, &graph, error);
  if (status == ERG_OK) status = erg_weights_new(&graph, &weights, error);
  for (int i = 0; i < s->net.weights.count && status == ERG_OK; i++) {
    const erg_parameter *from = &s->net.weights.items[i], *to = erg_weights_find(&weights, from->node, from->role);
    if (!to) return erg_weights_free(&weights), erg_graph_free(&graph), erg_fail(error, ERG_ERR_INTERNAL, "no tensor");
    memcpy(to->values, from->values, sizeof(double) * (size_t)from->elements);
  }
  for (int id = 0; id < graph.node_count && status == ERG_OK; id++)
    if (graph.nodes[id].op->role == ERG_ROLE_BATCH_NORM)
      status = take_statistics(s, &weights, graph.nodes[id].inputs[0], id, error);
  if (status == ERG_OK) status = erg_features_float(&graph, &weights, &s->contents, &s->output, 1, &s->other, error);
  if (status == ERG_OK) status = judge_images(s, STYLE_STATIC, "float", s->other, true, error);
  erg_weights_free(&weights);
  erg_graph_free(&graph);
  return status;
}

/* ---- one seed ---- */

static erg_status run_seed(uint64_t seed, erg_study_result *out, erg_error *error) {
  session s = {.out = out};
  erg_calibration calibration = {0};
  erg_status status = stylize_open(seed, out->brief ? 2 : 8, out->brief ? 40 : 400, &s.net, error);
  if (status != ERG_OK) return status;
  s.contents = s.net.encoder.test;
  s.contents.count = TEST_EXAMPLES;
  s.output = s.net.graph.node_count - 1;
  s.real = erg_arena_alloc(&s.arena, sizeof *s.real * TEST_EXAMPLES * PIXELS);
  s.other = erg_arena_alloc(&s.arena, sizeof *s.other * TEST_EXAMPLES * PIXELS);
  if (!s.real || !s.other) {
    status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    goto out;
  }
  status = run_float(&s, error);
  if (status == ERG_OK)
    status = erg_calibrate(&s.net.graph, &s.net.weights, &s.net.encoder.calibration, &calibration, error);
  for (size_t w = 0; w < STYLE_WIDTHS && status == ERG_OK; w++)
    status = run_width(&s, &calibration, &style_widths[w], error);
  if (status == ERG_OK) status = run_static(&s, error);
  if (status == ERG_OK) status = run_controls(&s, error);
  if (status == ERG_OK && seed == out->first_seed) status = style_price(out, error);
out:
  erg_calibration_free(&calibration);
  erg_arena_free(&s.arena);
  stylize_close(&s.net);
  return status;
}

static const char *const texts[] = {"what", "of", "precision", "fusion", "picture", NULL};
static const char *const numbers[] = {"style_distance",  "content_distance", "psnr_db", "energy_pj", "mac_pj",
                                      "partial_sums_pj", "dram_bytes",       "cycles",  "passes",    NULL};
static const erg_study style = {
    "style",  "How few bits does a stylizing network with instance norms need, and what are they worth",
    10,       {texts, numbers},
    run_seed, style_judge,
    NULL};
ERG_REGISTER(erg_study, style);
