/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `ergon memory` found, as tables and as JSON. */
#ifndef ERGON_CLI_MEMORY_REPORT_H
#define ERGON_CLI_MEMORY_REPORT_H

#include "command.h"
#include "ergon/quant.h"

typedef struct {
  const erg_cli *cli;
  erg_point point;
  erg_training_stages stages;
  erg_memory_width widths[15];
  int width_count;
  int64_t full_bytes; /**< peak when all is kept as it was computed */
  erg_arena arena;
} erg_memory_report;

void erg_memory_print(const erg_memory_report *report, FILE *stream);
void erg_memory_json(const erg_memory_report *report, FILE *stream);

#endif
