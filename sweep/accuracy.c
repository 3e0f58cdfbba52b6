/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "accuracy.h"
#include "ergon/quantized.h"
#include <stdlib.h>
#include <string.h>

#define BATCH 8                  /* examples a pass takes at a time, as in `ergon eval` */
#define CALIBRATION_EXAMPLES 256 /* at most, likewise */

/* One evaluation. */
typedef struct {
  char *key;
  double accuracy, loss_nat;
  char *reason; /* why there are none, or NULL */
} verdict;

struct erg_judge {
  erg_arena arena; /* of the network at hand */
  char *network;
  erg_graph graph;
  erg_weights weights;
  erg_dataset calibration_data, test; /* of all networks */
  bool data_loaded;
  char *identity;
  erg_calibration calibration;
  bool calibrated;
  verdict *verdicts;
  int count, room;
};

static void forget(erg_judge *j) {
  erg_calibration_free(&j->calibration);
  erg_weights_free(&j->weights);
  erg_graph_free(&j->graph);
  free(j->verdicts);
  erg_arena_free(&j->arena);
  j->network = j->identity = NULL;
  j->verdicts = NULL;
  j->count = j->room = 0;
  j->calibrated = false;
}

void erg_judge_free(erg_judge *j) {
  if (!j) return;
  forget(j);
  erg_dataset_free(&j->test);
  erg_dataset_free(&j->calibration_data);
  free(j);
}

const char *erg_judge_identity(const erg_judge *judge) {
  return judge->identity;
}

static erg_status load_data(erg_judge *j, const erg_sweep_accuracy *a, erg_error *error) {
  uint64_t seed = (uint64_t)a->seed;
  if (j->data_loaded) return ERG_OK;
  erg_status status = erg_dataset_load(a->data, seed, ERG_SPLIT_TEST, (int)a->examples, &j->test, error);
  if (status == ERG_OK) status = erg_dataset_load(a->data, seed, ERG_SPLIT_CALIBRATION, 0, &j->calibration_data, error);
  if (status != ERG_OK) {
    erg_dataset_free(&j->test); /* it may have been the second that failed; all is tried again */
    return status;
  }
  if (j->calibration_data.count > CALIBRATION_EXAMPLES) j->calibration_data.count = CALIBRATION_EXAMPLES;
  j->data_loaded = true;
  return ERG_OK;
}

/* Weights and data by what they hold, not by their names. */
static char *identify(erg_judge *j) {
  char hex[65], inputs[65], labels[65], calibration[65];
  const size_t each = (size_t)erg_shape_elements(j->test.shape) * sizeof(double);
  char *text = erg_arena_strdup(&j->arena, "");
  for (int i = 0; i < j->weights.count && text; i++) {
    const erg_parameter *p = &j->weights.items[i];
    erg_sha256_hex(p->values, (size_t)p->elements * sizeof *p->values, hex);
    text = erg_arena_printf(&j->arena, "%s%s %s\n", text, p->name, hex);
  }
  if (!text) return NULL;
  erg_sha256_hex(text, strlen(text), hex);
  erg_sha256_hex(j->test.inputs, (size_t)j->test.count * each, inputs);
  erg_sha256_hex(j->test.labels, (size_t)j->test.count * (size_t)j->test.labels_each * sizeof(int), labels);
  erg_sha256_hex(j->calibration_data.inputs, (size_t)j->calibration_data.count * each, calibration);
  return erg_arena_printf(&j->arena, "weights %s\ntest %s %s\ncalibration %s\n", hex, inputs, labels, calibration);
}

static erg_status open_network(erg_judge *j, const erg_sweep *s, int index, const char *network,
                               const erg_override *overrides, int override_count, erg_error *error) {
  erg_status status = load_data(j, &s->accuracy, error);
  if (status == ERG_OK)
    status = erg_graph_load(s->workloads.items[index], BATCH, overrides, override_count, &j->graph, error);
  if (status == ERG_OK) status = erg_weights_read(s->accuracy.weights.items[index], &j->graph, &j->weights, error);
  if (status == ERG_OK) status = erg_data_fits(&j->graph, &j->test, error);
  if (status == ERG_OK && (!(j->identity = identify(j)) || !(j->network = erg_arena_strdup(&j->arena, network))))
    status = erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  if (status != ERG_OK) forget(j);
  return status;
}

erg_status erg_judge_prepare(const erg_sweep *s, int index, const char *network, const erg_override *overrides,
                             int override_count, erg_judge **judge, erg_error *error) {
  if (!*judge) *judge = calloc(1, sizeof **judge);
  if (!*judge) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  if ((*judge)->network && strcmp((*judge)->network, network) == 0) return ERG_OK;
  forget(*judge);
  return open_network(*judge, s, index, network, overrides, override_count, error);
}

static erg_status measure_integers(erg_judge *j, const erg_point *p, bool unfolded, verdict *out, erg_error *error) {
  const erg_quantize_options options = {.precision = p->widths ? p->widths->widest : p->precision,
                                        .layers = p->widths ? p->widths->nodes : NULL,
                                        .calibration = ERG_CALIBRATE_MSE,
                                        .unfolded = unfolded};
  erg_quantized quantized = {0};
  erg_evaluation e = {0};
  erg_status status = ERG_OK;
  if (!j->calibrated) {
    status = erg_calibrate(&j->graph, &j->weights, &j->calibration_data, &j->calibration, error);
    j->calibrated = status == ERG_OK;
  }
  if (status == ERG_OK) status = erg_quantize(&j->graph, &j->weights, &j->calibration, &options, &quantized, error);
  if (status == ERG_OK) status = erg_evaluate(&quantized, NULL, &j->test, ERG_INTEGER_FAST, NULL, &e, error);
  if (status == ERG_OK) out->accuracy = e.accuracy, out->loss_nat = e.loss;
  erg_evaluation_free(&e);
  erg_quantized_free(&quantized);
  return status;
}

static erg_status measure(erg_judge *j, const erg_point *p, bool unfolded, verdict *out, erg_error *error) {
  if (p->fusion == ERG_FUSION_WIDE || p->fusion == ERG_FUSION_FOLD)
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "fusion %s rounds in other places than the integer kernels run it: %s",
                    erg_fusion_names[p->fusion], "none, epilogue and depth have an accuracy");
  if (erg_precision_is_int(&p->precision)) return measure_integers(j, p, unfolded, out, error);
  if (p->precision.format != ERG_FORMAT_FP32)
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "no kernels run a network in %s; integers and fp32 have an accuracy",
                    erg_format_name(p->precision.format));
  erg_evaluation e = {0};
  erg_status status = erg_evaluate_float(&j->graph, &j->weights, &j->test, &e, error);
  if (status == ERG_OK) out->accuracy = e.accuracy, out->loss_nat = e.loss;
  erg_evaluation_free(&e);
  return status;
}

static verdict *find(erg_judge *j, const char *key) {
  for (int i = 0; i < j->count; i++)
    if (strcmp(j->verdicts[i].key, key) == 0) return &j->verdicts[i];
  return NULL;
}

static verdict *claim(erg_judge *j, const char *key) {
  if (j->count == j->room) {
    int room = j->room ? 2 * j->room : 64;
    verdict *more = realloc(j->verdicts, (size_t)room * sizeof *more);
    if (!more) return NULL;
    j->verdicts = more, j->room = room;
  }
  char *kept = erg_arena_strdup(&j->arena, key);
  if (!kept) return NULL;
  j->verdicts[j->count] = (verdict){.key = kept};
  return &j->verdicts[j->count++];
}

void erg_judge_row(erg_judge *j, const erg_point *p, const char *precision, erg_sweep_row *row, erg_arena *arena) {
  /* Depth chains run the epilogue's integers. */
  const char *as = p->fusion == ERG_FUSION_DEPTH ? "epilogue" : erg_fusion_names[p->fusion];
  const char *key = erg_arena_printf(arena, "%s %s", precision, as);
  verdict *v = key ? find(j, key) : NULL;
  if (!v) {
    erg_error fault = {0};
    v = key ? claim(j, key) : NULL;
    if (!v) {
      row->cells[ERG_SWEEP_ACCURACY_REASON] = (erg_cell){.known = true, .text = "out of memory"};
      return;
    }
    if (measure(j, p, p->fusion == ERG_FUSION_NONE, v, &fault) != ERG_OK)
      v->reason = erg_arena_strdup(&j->arena, fault.text ? fault.text : "failed");
    erg_error_clear(&fault);
  }
  erg_cell *cells = row->cells;
  if (v->reason) {
    cells[ERG_SWEEP_ACCURACY_REASON].text = erg_arena_strdup(arena, v->reason);
    cells[ERG_SWEEP_ACCURACY_REASON].known = cells[ERG_SWEEP_ACCURACY_REASON].text != NULL;
    return;
  }
  cells[ERG_SWEEP_ACCURACY].known = cells[ERG_SWEEP_LOSS_NAT].known = true;
  cells[ERG_SWEEP_ACCURACY].real = v->accuracy;
  cells[ERG_SWEEP_LOSS_NAT].real = v->loss_nat;
}
