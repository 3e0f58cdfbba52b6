/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ERGON_CLI_LIST_FORMATS_H
#define ERGON_CLI_LIST_FORMATS_H
#include <stdio.h>
/** Prints the floating formats: widths, range, what overflow gives. */
void erg_list_formats(FILE *stream);
#endif
