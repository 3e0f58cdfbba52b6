/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ERGON_CLI_LIST_SUPPORT_H
#define ERGON_CLI_LIST_SUPPORT_H
#include "ergon/base.h"
#include <stdio.h>
/** Prints docs/support.md: which operator exists in which format, each cell by trying it. */
erg_status erg_list_support(FILE *stream, erg_error *error);
#endif
