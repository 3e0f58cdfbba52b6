/* SPDX-License-Identifier: Apache-2.0 */
/* Runs other programs, without a shell: a blank or a quote in a path is a letter like any other. */
#ifndef ERGON_RTL_TOOL_H
#define ERGON_RTL_TOOL_H
#include "ergon/base.h"

/* An argument list that grows. NULL items (memory ran out) make erg_tool_run fail. */
typedef struct {
  erg_arena *arena;
  const char **items; /* NULL at the end */
  int count, room;
} erg_arguments;

void erg_argument(erg_arguments *list, const char *format, ...) ERG_PRINTF(2, 3);
/* Adds the words of `text`, apart at blanks: CXX may be "ccache g++". */
void erg_argument_words(erg_arguments *list, const char *text);

/* Runs the program, both streams into the file `log_path` (NULL: thrown away). Its exit status, or -1 when it could not
 * be run or was killed. */
int erg_tool_run(const erg_arguments *list, const char *log_path);
/* First 4095 bytes of its standard output, or NULL when it cannot be run or fails. */
char *erg_tool_output(const erg_arguments *list);
/* The command as a line, for a message. */
char *erg_tool_line(const erg_arguments *list);
#endif
