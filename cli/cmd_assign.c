/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sens_report.h"
#include <errno.h>
#include <math.h>
#include <string.h>

static erg_status run(int argc, char **argv, erg_error *error);
static const erg_command command = {
    "assign", "WORKLOAD", "which layer gets how many bits, for a budget of energy or loss: a precision plan", 4, run};
ERG_REGISTER(erg_command, command);

#define RANDOM_PLANS 20
#define MOST_ROWS (15 + 5)

/* A plan and what came of it. */
typedef struct {
  char name[32];
  int *weight_bits;
  double energy_pj, predicted;
  bool priced, scored, shown; /* shown: as a row */
  erg_evaluation train, test;
} plan;

typedef struct {
  erg_sens_job *job;
  erg_arena *arena;
  erg_bit_choice choice;
  plan rows[MOST_ROWS];
  int row_count;
  int random_count, random_better; /* of random plans, those whose joint loss is below the chosen one's */
  double random_mean_loss;
} assignment;

static double predicted_of(const erg_sens_job *job, const int *weight_bits) {
  const erg_sens *s = &job->sens;
  double sum = 0;
  for (int l = 0; l < s->layers; l++)
    for (int o = 0; o < s->options; o++)
      if (job->cli->bits[o] == weight_bits[s->nodes[l]]) sum += s->loss[job->cli->estimator][l * s->options + o];
  return sum;
}

/* The joint loss of a plan by the integer kernels: layers together, never the sum of single ones. */
static erg_status score(const erg_sens_job *job, const int *weight_bits, const erg_dataset *data, erg_evaluation *out,
                        erg_error *error) {
  erg_arena arena = {0};
  erg_widths widths = {0};
  erg_quantized q = {0};
  char *text = erg_plan_text(&arena, &job->graph, "plan", NULL, &job->cli->precisions[0], weight_bits);
  erg_status status = text ? erg_widths_parse("plan", text, &job->graph, &widths, error)
                           : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  const erg_quantize_options options = {
      .precision = widths.widest, .layers = widths.nodes, .calibration = (erg_calibration_method)job->cli->calibration};
  if (status == ERG_OK) status = erg_quantize(&job->graph, &job->weights, &job->calibration, &options, &q, error);
  if (status == ERG_OK) status = erg_evaluate(&q, NULL, data, ERG_INTEGER_FAST, NULL, out, error);
  erg_quantized_free(&q);
  erg_widths_free(&widths);
  erg_arena_free(&arena);
  return status;
}

static erg_status add_row(assignment *a, const char *name, int *weight_bits, erg_error *error) {
  plan *p = &a->rows[a->row_count++];
  erg_error fault = {0};
  snprintf(p->name, sizeof p->name, "%s", name);
  p->weight_bits = weight_bits;
  p->predicted = predicted_of(a->job, weight_bits);
  erg_status status = erg_bits_run(&a->job->point, weight_bits, &p->energy_pj, &fault);
  p->priced = status == ERG_OK;
  if (status != ERG_OK && status != ERG_ERR_UNSUPPORTED) erg_fail(error, status, "%s", fault.text);
  erg_error_clear(&fault);
  if (status != ERG_OK && status != ERG_ERR_UNSUPPORTED) return status;
  status = score(a->job, weight_bits, &a->job->train, &p->train, error);
  if (status == ERG_OK) status = score(a->job, weight_bits, &a->job->test, &p->test, error);
  p->scored = status == ERG_OK;
  return status;
}

static int *all_at(const assignment *a, int bits) {
  const erg_sens *s = &a->job->sens;
  int *all = erg_arena_alloc(a->arena, sizeof *all * (size_t)a->job->graph.node_count);
  for (int l = 0; l < s->layers && all; l++) all[s->nodes[l]] = bits;
  return all;
}

static int *bits_of(const assignment *a, const int *option) {
  int *bits = all_at(a, 0);
  for (int l = 0; l < a->job->sens.layers && bits; l++) bits[a->job->sens.nodes[l]] = a->job->cli->bits[option[l]];
  return bits;
}

/* At the chosen plan's energy: plans by other or by turned-round sensitivities, and by chance. */
static erg_status controls(assignment *a, erg_error *error) {
  const erg_sens_job *job = a->job;
  const erg_cli *cli = job->cli;
  const erg_sens *s = &job->sens;
  erg_random random;
  erg_random_stream(&random, cli->seed, "assign/controls");
  const erg_bit_budget budget = {false, a->choice.energy_pj * (1 + 1e-12)};
  const erg_assign_table table = {s->layers, s->options, job->energies.energy_pj, s->loss[cli->estimator]};
  static const char *const names[] = {"shuffled", "anti"};
  erg_status status = add_row(a, "assigned", a->choice.weight_bits, error);
  for (int o = 0; o < cli->bit_count && status == ERG_OK; o++) {
    char name[32];
    int *bits = all_at(a, cli->bits[o]);
    snprintf(name, sizeof name, "all %d bits", cli->bits[o]);
    status = bits ? add_row(a, name, bits, error) : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  }
  for (int c = 0; c < 2 && status == ERG_OK; c++) {
    double *loss = NULL;
    erg_bit_choice turned;
    erg_error fault = {0};
    if (erg_assign_control_loss(&table, (erg_assign_control)c, erg_sens_reference(cli), &random, a->arena, &loss,
                                &fault) == ERG_OK &&
        erg_assign_bits(&job->point, cli->bits, cli->bit_count, loss, budget, a->arena, &turned, &fault) == ERG_OK)
      status = add_row(a, names[c], turned.weight_bits, error);
    erg_error_clear(&fault);
  }
  for (int i = 0; i < RANDOM_PLANS && status == ERG_OK; i++) {
    erg_assignment drawn;
    erg_evaluation v = {0};
    erg_error fault = {0};
    if (erg_assign_random(&table, budget.budget - job->energies.base_pj, &random, a->arena, &drawn, &fault) == ERG_OK) {
      int *bits = bits_of(a, drawn.option);
      status = bits ? score(job, bits, &job->train, &v, error) : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
      if (status == ERG_OK) {
        a->random_count++;
        a->random_better += v.loss < a->rows[0].train.loss;
        a->random_mean_loss += v.loss;
        erg_evaluation_free(&v);
      }
    }
    erg_error_clear(&fault);
  }
  if (a->random_count) a->random_mean_loss /= a->random_count;
  return status;
}

static erg_status budget_of(const erg_sens_job *job, erg_bit_budget *out, erg_error *error) {
  const erg_cli *cli = job->cli;
  if (cli->energy_given == cli->loss_given)
    return erg_fail(error, ERG_ERR_USAGE, "assign: give one of --energy-budget E and --loss-budget X");
  *out = (erg_bit_budget){cli->loss_given, cli->loss_given ? cli->loss_budget : cli->energy_budget};
  if (!cli->energy_given || !cli->energy_share) return ERG_OK;
  const erg_energy_table *t = &job->energies;
  double widest = t->base_pj;
  for (int l = 0; l < t->layers; l++) widest += t->energy_pj[l * t->options + t->options - 1];
  out->budget = cli->energy_budget * widest;
  return ERG_OK;
}

static void print(const assignment *a, erg_bit_budget budget, FILE *stream) {
  const erg_sens_job *job = a->job;
  const erg_cli *cli = job->cli;
  const erg_sens *s = &job->sens;
  erg_sens_print(job, ~(1u << cli->estimator), stream);
  fprintf(stream, "Assigned by %s on %s, %s: %s %.6g%s, energy %.6g pJ by the tables, %.6g pJ by the run of the plan",
          erg_sens_names[cli->estimator], job->machine.arch.name, job->machine.technology.name,
          budget.by_loss ? "loss budget" : "energy budget", budget.budget, budget.by_loss ? " nat" : " pJ",
          a->choice.energy_pj, a->choice.run_pj);
  bool equal = fabs(a->choice.run_pj / a->choice.energy_pj - 1) <= 1e-12;
  fprintf(stream, "%s.\n\n", equal ? " (equal)" : ": the plan needs less hardware than it was chosen on");
  erg_table *table = erg_table_new();
  erg_table_column(table, "layer", false);
  erg_table_column(table, "weights [bit]", true);
  erg_table_column(table, "energy [pJ]", true);
  erg_table_column(table, "predicted increase [nat]", true);
  for (int l = 0; l < s->layers; l++)
    for (int o = 0; o < s->options; o++) {
      if (cli->bits[o] != a->choice.weight_bits[s->nodes[l]]) continue;
      erg_table_cell(table, "%s", job->graph.nodes[s->nodes[l]].name);
      erg_table_cell(table, "%d", cli->bits[o]);
      erg_table_cell(table, "%.6g", job->energies.energy_pj[l * s->options + o]);
      erg_table_cell(table, "%.3g", s->loss[cli->estimator][l * s->options + o]);
    }
  erg_table_print(table, stream);
  erg_table_free(table);
  fprintf(stream, "\nAll layers together on the integer kernels; nothing was chosen on test examples.\n");
  table = erg_table_new();
  static const char *const headings[] = {"plan",        "energy [nJ]", "predicted [nat]",
                                         "loss, train", "loss, test",  "accuracy, test [%]"};
  for (size_t i = 0; i < ERG_COUNT_OF(headings); i++) erg_table_column(table, headings[i], i > 0);
  for (int i = 0; i < a->row_count; i++) {
    const plan *p = &a->rows[i];
    erg_table_cell(table, "%s", p->name);
    if (p->priced)
      erg_table_cell(table, "%.4f", p->energy_pj * 1e-3);
    else
      erg_table_cell(table, "-");
    erg_table_cell(table, "%.4g", p->predicted);
    erg_table_cell(table, "%.4f", p->train.loss);
    erg_table_cell(table, "%.4f", p->test.loss);
    erg_table_cell(table, "%.2f", 100 * p->test.accuracy);
  }
  erg_table_print(table, stream);
  erg_table_free(table);
  fprintf(
      stream,
      "%d random plans that this energy lets no layer raise: mean loss %.4f on train, %d of them below the plan's.\n",
      a->random_count, a->random_mean_loss, a->random_better);
}

static json_t *json_of(const assignment *a, erg_bit_budget budget) {
  const erg_sens_job *job = a->job;
  json_t *json = erg_envelope_json("ergon.assign", job->cli->command_line, &job->point);
  json_t *plans = json_array(), *layers = json_array();
  for (int l = 0; l < job->sens.layers; l++)
    json_array_append_new(layers, json_pack("{s:s, s:i}", "layer", job->graph.nodes[job->sens.nodes[l]].name,
                                            "weight_bits", a->choice.weight_bits[job->sens.nodes[l]]));
  for (int i = 0; i < a->row_count; i++) {
    const plan *p = &a->rows[i];
    json_array_append_new(plans, json_pack("{s:s, s:o, s:f, s:f, s:f, s:f}", "plan", p->name, "energy_pj",
                                           p->priced ? json_real(p->energy_pj) : json_null(), "predicted_loss",
                                           p->predicted, "train_loss", p->train.loss, "test_loss", p->test.loss,
                                           "test_accuracy", p->test.accuracy));
  }
  json_object_set_new(json, "workload", json_string(job->graph.name));
  json_object_set_new(json, "estimator", json_string(erg_sens_names[job->cli->estimator]));
  json_object_set_new(json, "budget",
                      json_pack("{s:s, s:f}", "of", budget.by_loss ? "loss" : "energy_pj", "value", budget.budget));
  json_object_set_new(json, "energy_pj", json_real(a->choice.energy_pj));
  json_object_set_new(json, "run_pj", json_real(a->choice.run_pj));
  json_object_set_new(json, "predicted_loss", json_real(a->choice.loss));
  json_object_set_new(json, "layers", layers);
  json_object_set_new(json, "plans", plans);
  json_object_set_new(json, "random",
                      json_pack("{s:i, s:i, s:f}", "plans", a->random_count, "better", a->random_better,
                                "mean_train_loss", a->random_mean_loss));
  return json;
}

static erg_status write_plan(const assignment *a, erg_bit_budget budget, erg_error *error) {
  const erg_cli *cli = a->job->cli;
  bool named = strcmp(cli->name, "fitted") != 0; /* the default of another command */
  char *help =
      erg_arena_printf(a->arena, "weights by %s for %s %.6g%s on %s, %s", erg_sens_names[cli->estimator],
                       budget.by_loss ? "a loss of" : "an energy of", budget.budget, budget.by_loss ? " nat" : " pJ",
                       a->job->machine.arch.name, a->job->machine.technology.name);
  char *text = erg_plan_text(a->arena, &a->job->graph, named ? cli->name : "assigned", help, &cli->precisions[0],
                             a->choice.weight_bits);
  if (!text) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  FILE *stream = fopen(cli->out, "w");
  if (!stream) return erg_fail(error, ERG_ERR_CREATE, "%s: %s", cli->out, strerror(errno));
  bool failed = fputs(text, stream) < 0;
  failed |= fclose(stream) != 0;
  if (failed) return erg_fail(error, ERG_ERR_IO, "%s: %s", cli->out, strerror(errno));
  fprintf(stderr, "wrote %s\n", cli->out);
  return ERG_OK;
}

static erg_status run(int argc, char **argv, erg_error *error) {
  erg_cli cli;
  erg_sens_job job;
  erg_arena arena = {0};
  erg_bit_budget budget = {0};
  erg_cli_parse(&command, ERG_OPTION_SENS | ERG_OPTION_ASSIGN | ERG_OPTION_JSON, 1, 1, argc, argv, &cli);
  assignment a = {.job = &job, .arena = &arena};
  erg_status status = erg_sens_open(&cli, &job, error);
  if (status == ERG_OK) status = budget_of(&job, &budget, error);
  if (status == ERG_OK) status = erg_sens_run(&job, ~(1u << cli.estimator), error);
  if (status == ERG_OK)
    status = erg_assign_bits(&job.point, cli.bits, cli.bit_count, job.sens.loss[cli.estimator], budget, &arena,
                             &a.choice, error);
  if (status == ERG_OK) status = controls(&a, error);
  if (status == ERG_OK && cli.json) {
    json_t *json = json_of(&a, budget);
    json_dumpf(json, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    fputc('\n', stdout);
    json_decref(json);
  } else if (status == ERG_OK) {
    print(&a, budget, stdout);
  }
  if (status == ERG_OK && cli.out) status = write_plan(&a, budget, error);
  for (int i = 0; i < a.row_count; i++) {
    erg_evaluation_free(&a.rows[i].train);
    erg_evaluation_free(&a.rows[i].test);
  }
  erg_sens_close(&job);
  erg_arena_free(&arena);
  erg_cli_free(&cli);
  return status;
}
