/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sens_report.h"
#include <math.h>
#include <string.h>

#define BATCH 8                  /* examples the integer kernels take at a time */
#define CALIBRATION_EXAMPLES 256 /* as `ergon eval` has it */
#define EXAMPLES 400

static erg_status check_line(const erg_cli *cli, erg_error *error) {
  if (!cli->weights) erg_fail(error, ERG_ERR_USAGE, "--weights FILE is missing: trained weights (safetensors)");
  if (!cli->data) erg_fail(error, ERG_ERR_USAGE, "--data NAME|DIR is missing: what the loss is measured on");
  if (cli->precision_count > 1 || cli->fusion_count > 1)
    erg_fail(error, ERG_ERR_USAGE, "--precision, --fusion: one of each");
  if (cli->precision_files[0])
    erg_fail(error, ERG_ERR_USAGE,
             "--precision: found a plan; a plan is what comes out: give what all else has, such as int8");
  return error->status;
}

erg_status erg_sens_open(const erg_cli *cli, erg_sens_job *job, erg_error *error) {
  *job = (erg_sens_job){.cli = cli};
  erg_status status = check_line(cli, error);
  if (status != ERG_OK) return status;
  status = erg_inputs_load(cli, cli->arguments[0], &job->machine, error);
  if (status != ERG_OK) return status;
  erg_graph_load(cli->arguments[0], BATCH, cli->workload_sets, cli->workload_set_count, &job->graph, error);
  erg_weights_read(cli->weights, &job->graph, &job->weights, error);
  erg_dataset_load(cli->data, cli->seed, ERG_SPLIT_TRAIN, 0, &job->train, error);
  if (job->train.name) {
    int examples = cli->examples ? cli->examples : EXAMPLES;
    if (job->train.count > examples) job->train.count = examples;
    erg_dataset_load(cli->data, cli->seed, ERG_SPLIT_TEST, 0, &job->test, error);
    erg_dataset_load(cli->data, cli->seed, ERG_SPLIT_CALIBRATION, 0, &job->calibration_data, error);
  }
  if (error->status != ERG_OK) return error->status;
  if (job->calibration_data.count > CALIBRATION_EXAMPLES) job->calibration_data.count = CALIBRATION_EXAMPLES;
  job->point = erg_cli_point(cli, &job->machine, 0);
  status = erg_calibrate(&job->graph, &job->weights, &job->calibration_data, &job->calibration, error);
  if (status == ERG_OK)
    status = erg_energy_table_make(&job->point, cli->bits, cli->bit_count, cli->bits[cli->bit_count - 1],
                                   &job->energies, error);
  return status;
}

erg_status erg_sens_run(erg_sens_job *job, unsigned skip, erg_error *error) {
  const erg_cli *cli = job->cli;
  const erg_sens_options options = {.bits = cli->bits,
                                    .count = cli->bit_count,
                                    .probes = cli->probes,
                                    .seed = cli->seed,
                                    .base = cli->precisions[0],
                                    .calibration = (erg_calibration_method)cli->calibration,
                                    .skip = skip};
  return erg_sens_measure(&job->graph, &job->weights, &job->calibration, &job->train, &options, &job->sens, error);
}

void erg_sens_close(erg_sens_job *job) {
  erg_sens_free(&job->sens);
  erg_energy_table_free(&job->energies);
  erg_calibration_free(&job->calibration);
  erg_dataset_free(&job->calibration_data);
  erg_dataset_free(&job->test);
  erg_dataset_free(&job->train);
  erg_weights_free(&job->weights);
  erg_graph_free(&job->graph);
  erg_inputs_free(&job->machine);
}

int erg_sens_reference(const erg_cli *cli) {
  for (int o = 0; o + 1 < cli->bit_count; o++)
    if (cli->bits[o] == 4) return o;
  return (cli->bit_count - 1) / 2;
}

static void print_spreads(const erg_sens_job *job, unsigned skip, FILE *stream) {
  int o = erg_sens_reference(job->cli);
  fprintf(stream, "Sensitivity per joule at %d bits, largest over smallest layer:", job->cli->bits[o]);
  for (int e = 0; e < ERG_SENS_COUNT; e++) {
    if (skip >> e & 1u || e == ERG_SENS_NORM) continue;
    double spread = erg_sens_spread(&job->sens, (erg_sens_estimator)e, o, job->energies.energy_pj);
    if (isfinite(spread))
      fprintf(stream, " %s %.3g%s;", erg_sens_names[e], spread, spread <= 4 ? " (within 4: uniform is optimal)" : "");
    else
      fprintf(stream, " %s not known;", erg_sens_names[e]);
  }
  fputs("\nFour times is worth one bit; within that no plan beats a uniform one.\n\n", stream);
}

void erg_sens_print(const erg_sens_job *job, unsigned skip, FILE *stream) {
  const erg_cli *cli = job->cli;
  const erg_sens *s = &job->sens;
  fprintf(stream, "%s on %s: %d training examples, seed %llu, weights %s; loss %.4f nat in float", job->graph.name,
          job->train.name, job->train.count, (unsigned long long)cli->seed, cli->weights, s->float_loss);
  if (!(skip >> ERG_SENS_SCAN & 1u))
    fprintf(stream, ", %.4f in integers with %d-bit weights", s->scan_loss, cli->bits[cli->bit_count - 1]);
  fputs("\n", stream);
  print_spreads(job, skip, stream);
  for (int e = 0; e < ERG_SENS_COUNT + 1; e++) {
    bool slope = e == ERG_SENS_COUNT;
    if (!slope && (skip >> e & 1u)) continue;
    erg_table *table = erg_table_new();
    erg_table_column(table, slope ? "|g delta| [nat]" : erg_sens_names[e], false);
    for (int o = 0; o < s->options; o++) {
      char heading[16];
      snprintf(heading, sizeof heading, "%d bits", cli->bits[o]);
      erg_table_column(table, heading, true);
    }
    for (int l = 0; l < s->layers; l++) {
      erg_table_cell(table, "%s", job->graph.nodes[s->nodes[l]].name);
      for (int o = 0; o < s->options; o++)
        erg_table_cell(table, "%.3g", (slope ? s->slope : s->loss[e])[l * s->options + o]);
    }
    erg_table_print(table, stream);
    erg_table_free(table);
    fputc('\n', stream);
  }
}

static json_t *number(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

void erg_sens_json(const erg_sens_job *job, unsigned skip, json_t *envelope) {
  const erg_sens *s = &job->sens;
  json_t *layers = json_array(), *spreads = json_array(), *bits = json_array();
  for (int o = 0; o < s->options; o++) json_array_append_new(bits, json_integer(job->cli->bits[o]));
  for (int e = 0; e < ERG_SENS_COUNT; e++)
    if (!(skip >> e & 1u))
      json_array_append_new(spreads,
                            json_pack("{s:s, s:o}", "estimator", erg_sens_names[e], "ratio",
                                      number(erg_sens_spread(s, (erg_sens_estimator)e, erg_sens_reference(job->cli),
                                                             job->energies.energy_pj))));
  for (int l = 0; l < s->layers; l++)
    for (int o = 0; o < s->options; o++) {
      int at = l * s->options + o;
      json_t *row =
          json_pack("{s:s, s:i, s:o, s:o}", "layer", job->graph.nodes[s->nodes[l]].name, "bits", job->cli->bits[o],
                    "energy_pj", number(job->energies.energy_pj[at]), "slope", number(s->slope[at]));
      for (int e = 0; e < ERG_SENS_COUNT; e++)
        json_object_set_new(row, erg_sens_names[e], skip >> e & 1u ? json_null() : number(s->loss[e][at]));
      json_array_append_new(layers, row);
    }
  json_object_set_new(envelope, "workload", json_string(job->graph.name));
  json_object_set_new(envelope, "data", json_string(job->train.name));
  json_object_set_new(envelope, "examples", json_integer(job->train.count));
  json_object_set_new(envelope, "float_loss", number(s->float_loss));
  json_object_set_new(envelope, "integer_loss", skip >> ERG_SENS_SCAN & 1u ? json_null() : number(s->scan_loss));
  json_object_set_new(envelope, "bits", bits);
  json_object_set_new(envelope, "spreads", spreads);
  json_object_set_new(envelope, "layers", layers);
}
