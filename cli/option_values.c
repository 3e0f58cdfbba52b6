/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "option_values.h"
#include <string.h>

static int name_index(const char *word, const char *const *names) {
  for (int i = 0; names[i]; i++)
    if (strcmp(names[i], word) == 0) return i;
  return -1;
}

int erg_option_pick(struct argp_state *state, const char *option, const char *word, const char *const *names) {
  int index = name_index(word, names);
  if (index >= 0) return index;
  char list[256] = "";
  for (int i = 0; names[i]; i++)
    snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", names[i]);
  const char *nearest = erg_nearest(word, names);
  argp_error(state, "--%s: found '%s'%s%s%s; allowed: %s", option, word, nearest ? " (did you mean " : "",
             nearest ? nearest : "", nearest ? "?)" : "", list);
  return 0;
}

int64_t erg_option_whole(struct argp_state *state, const char *option, const char *word, int64_t low, int64_t high) {
  int64_t value = 0;
  if (!erg_parse_int(word, &value) || value < low || value > high)
    argp_error(state, "--%s: found '%s'; allowed: a whole number from %lld to %lld", option, word, (long long)low,
               (long long)high);
  return value;
}

double erg_option_real(struct argp_state *state, const char *option, const char *word, double low, double high) {
  double value = 0;
  if (!erg_parse_real(word, &value) || value < low || value > high)
    argp_error(state, "--%s: found '%s'; allowed: a number from %g to %g", option, word, low, high);
  return value;
}

void erg_option_take_precisions(struct argp_state *state, erg_cli *cli, const char *list) {
  char *rest = erg_arena_strdup(&cli->arena, list);
  cli->precision_count = 0;
  for (char *word; (word = strsep(&rest, ","));) {
    erg_error error = {0};
    if (cli->precision_count == MOST_LIST) argp_error(state, "--precision: more than %d", MOST_LIST);
    int index = cli->precision_count++;
    cli->precision_files[index] = erg_precision_is_plan(word) ? word : NULL;
    if (!cli->precision_files[index] && erg_precision_parse(word, &cli->precisions[index], &error) != ERG_OK)
      argp_error(state, "--%s", error.text);
  }
}

void erg_option_take_fusions(struct argp_state *state, erg_cli *cli, const char *list) {
  char *rest = erg_arena_strdup(&cli->arena, list);
  cli->fusion_count = 0;
  for (char *word; (word = strsep(&rest, ","));) {
    if (cli->fusion_count == MOST_LIST) argp_error(state, "--fusion: more than %d", MOST_LIST);
    cli->fusions[cli->fusion_count++] = (erg_fusion)erg_option_pick(state, "fusion", word, erg_fusion_names);
  }
}

void erg_option_take_bits(struct argp_state *state, erg_cli *cli, const char *list) {
  char *rest = erg_arena_strdup(&cli->arena, list);
  cli->bit_count = 0;
  for (char *word; (word = strsep(&rest, ","));) {
    int bits = (int)erg_option_whole(state, "bits", word, 2, 16);
    if (cli->bit_count && bits <= cli->bits[cli->bit_count - 1])
      argp_error(state, "--bits: found '%s'; allowed: widths from 2 to 16, ascending", list);
    if (cli->bit_count < (int)ERG_COUNT_OF(cli->bits)) cli->bits[cli->bit_count++] = bits;
  }
}

void erg_option_take_activation_bits(struct argp_state *state, erg_cli *cli, const char *list) {
  char *rest = erg_arena_strdup(&cli->arena, list);
  cli->bit_count = 0;
  for (char *word; (word = strsep(&rest, ","));) {
    int bits = (int)erg_option_whole(state, "activation-bits", word, 1, 32);
    for (int i = 0; i < cli->bit_count; i++)
      if (cli->bits[i] == bits) argp_error(state, "--activation-bits: found %d twice", bits);
    if (cli->bit_count == (int)ERG_COUNT_OF(cli->bits))
      argp_error(state, "--activation-bits: more than %d widths", (int)ERG_COUNT_OF(cli->bits));
    cli->bits[cli->bit_count++] = bits;
  }
}

void erg_option_take_budget(struct argp_state *state, erg_cli *cli, const char *text) {
  static const struct {
    const char *name;
    double bytes;
  } units[] = {{"", 1},     {"B", 1},      {"kB", 1e3},      {"MB", 1e6},
               {"GB", 1e9}, {"KiB", 1024}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};
  const size_t digits = strspn(text, "0123456789.");
  char *number = erg_arena_strdup(&cli->arena, text);
  double value = 0, bytes = -1;
  number[digits] = 0;
  for (size_t i = 0; i < ERG_COUNT_OF(units) && erg_parse_real(number, &value); i++)
    if (strcmp(text + digits, units[i].name) == 0) bytes = value * units[i].bytes;
  if (!(bytes >= 1) || bytes > 1e15)
    argp_error(state, "--budget: found '%s'; allowed: 1 to 1e15 bytes, as 64MiB, 200MB, 1000000", text);
  cli->budget_bytes = (int64_t)bytes;
}

void erg_option_take_energy(struct argp_state *state, erg_cli *cli, const char *text) {
  char *word = erg_arena_strdup(&cli->arena, text);
  size_t length = strlen(text);
  cli->energy_given = true;
  cli->energy_share = length > 1 && text[length - 1] == '%';
  if (cli->energy_share) word[length - 1] = 0;
  cli->energy_budget = erg_option_real(state, "energy-budget", word, 0, 1e30) * (cli->energy_share ? 0.01 : 1);
}

void erg_option_take_set(struct argp_state *state, erg_cli *cli, const char *text) {
  char *path = erg_arena_strdup(&cli->arena, text), *value = strchr(path, '='), *dot = strchr(path, '.');
  if (!value || !dot || dot > value) {
    argp_error(state, "--set: found '%s'; allowed: arch.KEY=VALUE, tech.KEY=VALUE, workload.KEY=VALUE", text);
    return;
  }
  *value++ = 0;
  *dot++ = 0;
  const struct {
    const char *room;
    erg_override *sets;
    int *count;
  } rooms[] = {{"arch", cli->arch_sets, &cli->arch_set_count},
               {"tech", cli->tech_sets, &cli->tech_set_count},
               {"workload", cli->workload_sets, &cli->workload_set_count}};
  for (size_t i = 0; i < ERG_COUNT_OF(rooms); i++)
    if (strcmp(path, rooms[i].room) == 0) {
      if (*rooms[i].count == MOST_SETS) argp_error(state, "--set: more than %d", MOST_SETS);
      rooms[i].sets[(*rooms[i].count)++] = (erg_override){dot, value};
      return;
    }
  argp_error(state, "--set: found '%s'; allowed: arch.KEY=VALUE, tech.KEY=VALUE, workload.KEY=VALUE", text);
}
