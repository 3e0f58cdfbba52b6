/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file option_values.h
 *  Values of options: words into numbers, names and lists. What is wrong is said with what is allowed, and ends the program
 *  with exit code 64 (argp_error). */
#ifndef ERGON_CLI_OPTION_VALUES_H
#define ERGON_CLI_OPTION_VALUES_H
#include "command.h"
#include <argp.h>

int erg_option_pick(struct argp_state *state, const char *option, const char *word, const char *const *names);
int64_t erg_option_whole(struct argp_state *state, const char *option, const char *word, int64_t low, int64_t high);
double erg_option_real(struct argp_state *state, const char *option, const char *word, double low, double high);
void erg_option_take_precisions(struct argp_state *state, erg_cli *cli, const char *list);
void erg_option_take_fusions(struct argp_state *state, erg_cli *cli, const char *list);
void erg_option_take_bits(struct argp_state *state, erg_cli *cli, const char *list);
void erg_option_take_activation_bits(struct argp_state *state, erg_cli *cli, const char *list);
void erg_option_take_budget(struct argp_state *state, erg_cli *cli, const char *text);
void erg_option_take_energy(struct argp_state *state, erg_cli *cli, const char *text);
void erg_option_take_set(struct argp_state *state, erg_cli *cli, const char *text);
#endif
