/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "train_report.h"
#include <math.h>

#define MOST_ROWS 20

static int64_t trained_elements(const erg_weights *weights) {
  int64_t sum = 0;
  for (int i = 0; i < weights->count; i++)
    if (weights->items[i].trained) sum += weights->items[i].elements;
  return sum;
}

/* The whole curve where it is short; else every n-th epoch and the last. */
static void print_curve(const erg_train_result *r, FILE *stream) {
  bool held = r->validation_count > 0;
  int every = (r->epoch_count + MOST_ROWS - 1) / MOST_ROWS;
  erg_table *table = erg_table_new();
  static const char *const headings[] = {"epoch", "learning rate", "loss [nat]", "held-out loss", "accuracy [%]"};
  for (int i = 0; i < (held ? 5 : 3); i++) erg_table_column(table, headings[i], true);
  for (int i = 0; i < r->epoch_count; i++) {
    const erg_train_epoch *e = &r->epochs[i];
    if (i % every != 0 && i != r->epoch_count - 1 && i != r->best_epoch - 1) continue;
    erg_table_cell(table, "%d", i + 1);
    erg_table_cell(table, "%.3g", e->learning_rate);
    erg_table_cell(table, "%.4f", e->loss);
    if (!held) continue;
    erg_table_cell(table, "%.4f%s", e->validation.loss, i == r->best_epoch - 1 ? " *" : "");
    erg_table_cell(table, "%.2f", 100 * e->validation.accuracy);
  }
  erg_table_print(table, stream);
  erg_table_free(table);
  if (held) fprintf(stream, "* least: the weights of epoch %d are kept\n", r->best_epoch);
}

static void print_score(erg_table *table, const char *name, int examples, erg_score score) {
  erg_table_cell(table, "%s", name);
  erg_table_cell(table, "%d", examples);
  erg_table_cell(table, "%.4f", score.loss);
  erg_table_cell(table, "%.2f", 100 * score.accuracy);
}

static void print_scores(const erg_training *t, FILE *stream) {
  erg_table *table = erg_table_new();
  erg_table_column(table, "judged on", false);
  erg_table_column(table, "examples", true);
  erg_table_column(table, "loss [nat]", true);
  erg_table_column(table, "accuracy [%]", true);
  const erg_integer_training *n = t->integer;
  print_score(table, n ? "training examples, float" : "training examples", t->result->train_count, t->result->train);
  print_score(table, n ? "test examples, float" : "test examples", t->test->count, t->result->test);
  if (n) {
    print_score(table, "test examples, rounded afterwards", n->before.examples,
                (erg_score){n->before.loss, n->before.accuracy});
    print_score(table, "training examples, integers", n->result.train_count, n->result.train);
    print_score(table, "test examples, integers", n->after.examples, (erg_score){n->after.loss, n->after.accuracy});
  }
  erg_table_print(table, stream);
  erg_table_free(table);
}

void erg_training_print(const erg_training *t, FILE *stream) {
  const erg_cli *cli = t->cli;
  fprintf(stream, "%s on %s: %lld weights, %d examples (%d held out), seed %llu\n", t->graph->name, t->train->name,
          (long long)trained_elements(t->weights), t->result->train_count, t->result->validation_count,
          (unsigned long long)cli->seed);
  fprintf(stream, "%s, batches of %d, label smoothing %g, from %s\n", cli->optimizer, cli->train_batch,
          cli->label_smoothing, cli->from ? cli->from : "random weights");
  erg_print_overrides(cli, stream);
  if (t->result->epoch_count) {
    fputc('\n', stream);
    print_curve(t->result, stream);
  }
  if (t->integer) {
    fprintf(stream, "\nIntegers: %s, rule %s, ranges by %s over %d calibration examples\n", t->integer->precision,
            erg_qat_names[cli->qat_rule], erg_calibration_names[cli->calibration], t->integer->calibration_examples);
    print_curve(&t->integer->result, stream);
  }
  fputc('\n', stream);
  print_scores(t, stream);
}

static json_t *number(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

static json_t *score_json(int examples, erg_score score) {
  return json_pack("{s:i, s:o, s:o}", "examples", examples, "loss", number(score.loss), "accuracy",
                   number(score.accuracy));
}

static json_t *curve_json(const erg_train_result *r) {
  json_t *list = json_array();
  for (int i = 0; i < r->epoch_count; i++) {
    const erg_train_epoch *e = &r->epochs[i];
    json_array_append_new(list,
                          json_pack("{s:i, s:o, s:o, s:o, s:o}", "epoch", i + 1, "learning_rate",
                                    number(e->learning_rate), "loss", number(e->loss), "validation_loss",
                                    number(e->validation.loss), "validation_accuracy", number(e->validation.accuracy)));
  }
  return list;
}

static json_t *integer_json(const erg_training *t) {
  const erg_integer_training *n = t->integer;
  if (!n) return json_null();
  return json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:o, s:o, s:o, s:o}", "rule", erg_qat_names[t->cli->qat_rule],
                   "precision", n->precision, "calibration", erg_calibration_names[t->cli->calibration],
                   "calibration_examples", n->calibration_examples, "epochs", n->result.epoch_count, "best_epoch",
                   n->result.best_epoch, "curve", curve_json(&n->result), "train",
                   score_json(n->result.train_count, n->result.train), "before",
                   score_json(n->before.examples, (erg_score){n->before.loss, n->before.accuracy}), "test",
                   score_json(n->after.examples, (erg_score){n->after.loss, n->after.accuracy}));
}

json_t *erg_training_json(const erg_training *t) {
  const erg_cli *cli = t->cli;
  const erg_train_result *r = t->result;
  json_t *json = erg_envelope_json("ergon.train", cli->command_line, NULL);
  json_object_set_new(json, "workload",
                      json_pack("{s:s, s:s, s:I}", "name", t->graph->name, "sha256", t->graph->sha256, "weights",
                                (json_int_t)trained_elements(t->weights)));
  json_object_set_new(json, "data", json_pack("{s:s, s:I}", "name", t->train->name, "seed", (json_int_t)cli->seed));
  json_object_set_new(json, "weights", json_string(cli->out));
  json_object_set_new(json, "from", cli->from ? json_string(cli->from) : json_null());
  json_object_set_new(json, "options",
                      json_pack("{s:i, s:i, s:f, s:s, s:f, s:i}", "epochs", cli->epochs, "batch", cli->train_batch,
                                "learning_rate", cli->learning_rate, "optimizer", cli->optimizer, "label_smoothing",
                                cli->label_smoothing, "patience", cli->patience));
  json_object_set_new(json, "steps", json_integer(r->steps));
  json_object_set_new(json, "best_epoch", json_integer(r->best_epoch));
  json_object_set_new(json, "validation_examples", json_integer(r->validation_count));
  json_object_set_new(json, "curve", curve_json(r));
  json_object_set_new(json, "train", score_json(r->train_count, r->train));
  json_object_set_new(json, "test", score_json(t->test->count, r->test));
  json_object_set_new(json, "qat", integer_json(t));
  return json;
}
