/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ERGON_CLI_LIST_GATES_H
#define ERGON_CLI_LIST_GATES_H
#include "ergon/gates.h"
/** Prints gates, their forms, what each costs and its measured errors. */
erg_status erg_list_gates(FILE *stream, erg_error *error);
#endif
