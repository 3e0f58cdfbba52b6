/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "command.h"
#include "ergon/vectors.h"

static erg_status run(int argc, char **argv, erg_error *error);
static const erg_command command = {"vectors", "[WORKLOAD]",
                                    "stimulus and expected results of one layer, as .hex and .npy files", 3, run};
ERG_REGISTER(erg_command, command);

static void print_layer(const erg_cli *cli, const erg_vectors *v) {
  const erg_conv2d_shape *s = &v->conv;
  char precision[32];
  printf("%s: input [%d, %d, %d, %d], weight [%d, %d, %d, %d], output [%d, %d, %d, %d], %s, rule %s, seed %llu%s; "
         "synthetic parameters, not trained\n",
         v->name, s->in.n, s->in.h, s->in.w, s->in.c, s->filters, s->kernel_h, s->kernel_w, s->in.c / s->groups,
         s->in.n, s->out_h, s->out_w, s->filters, erg_precision_name(&v->precision, precision), erg_rule_names[v->rule],
         (unsigned long long)v->seed, v->residual ? ", residual added" : "");
  if (!cli->out) printf("nothing written: --out DIR says where\n");
}

static erg_status write_all(const erg_cli *cli, const erg_vectors *v, const erg_point *point, erg_error *error) {
  erg_status status = erg_make_folder(cli->out, error);
  if (status != ERG_OK) return status;
  json_t *manifest = erg_envelope_json("ergon.vectors", cli->command_line, point);
  json_object_set_new(manifest, "workload", point ? json_string(point->graph->name) : json_null());
  status = erg_vectors_write(v, cli->out, manifest, error);
  if (status == ERG_OK) status = erg_write_json(manifest, cli->out, "manifest.json", error);
  json_decref(manifest);
  if (status == ERG_OK) fprintf(stderr, "wrote %s/manifest.json and the files it lists\n", cli->out);
  return status;
}

static erg_status check_line(const erg_cli *cli, erg_error *error) {
  if (cli->precision_count > 1 || cli->fusion_count > 1)
    return erg_fail(error, ERG_ERR_USAGE, "vectors takes one precision and one fusion");
  if (cli->precision_files[0])
    return erg_fail(error, ERG_ERR_USAGE,
                    "vectors: --precision: found a plan; vectors are of one layer: give its precision, such as w4a8");
  if (cli->random && (cli->argument_count || cli->layer))
    return erg_fail(error, ERG_ERR_USAGE, "vectors: --random takes no workload and no --layer");
  if (!cli->random && !cli->argument_count)
    return erg_fail(error, ERG_ERR_USAGE, "vectors: give a workload and --layer NAME, or --random");
  return ERG_OK;
}

static erg_status run(int argc, char **argv, erg_error *error) {
  erg_cli cli;
  erg_inputs inputs = {0};
  erg_vectors vectors = {0};
  erg_cli_parse(&command, ERG_OPTION_POINT | ERG_OPTION_PLOT | ERG_OPTION_VECTORS, 0, 1, argc, argv, &cli);
  erg_point point;
  erg_status status = check_line(&cli, error);
  if (status == ERG_OK && cli.random) {
    status = erg_vectors_random(&cli.precisions[0], cli.seed, cli.rule, &vectors, error);
  } else if (status == ERG_OK) {
    status = erg_inputs_load(&cli, cli.arguments[0], &inputs, error);
    if (status == ERG_OK) {
      point = erg_cli_point(&cli, &inputs, 0);
      status = erg_vectors_layer(&point, cli.layer ? cli.layer : "", cli.rule, &vectors, error);
    }
  }
  if (status == ERG_OK) print_layer(&cli, &vectors);
  if (status == ERG_OK && cli.out) status = write_all(&cli, &vectors, cli.random ? NULL : &point, error);
  erg_vectors_free(&vectors);
  erg_inputs_free(&inputs);
  erg_cli_free(&cli);
  return status;
}
