/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbered constants of a technology with their sources, as explain and price print them. */
#ifndef ERGON_CLI_PROVENANCE_H
#define ERGON_CLI_PROVENANCE_H

#include "command.h"

typedef struct {
  char *label, *value;
  const erg_provenance *provenance;
  bool shown;
} erg_source;
typedef struct {
  erg_arena arena;
  erg_source items[512];
  int count;
  double node_nm, voltage_v; /**< of the technology, where a constant states none of its own */
} erg_sources;

void erg_sources_of(erg_sources *sources, const erg_technology *technology);
/** Index of a constant, which is from now on shown. */
int erg_sources_index(erg_sources *sources, const erg_provenance *provenance);
/** Shows those whose label is `words` or begins with them; ERG_ERR_NO_INPUT lists what there is. */
erg_status erg_sources_choose(erg_sources *sources, const char *words, const char *technology, erg_error *error);
void erg_sources_print(const erg_sources *sources, FILE *stream);
void erg_sources_json(const erg_sources *sources, json_t *list);
void erg_sources_free(erg_sources *sources);
/** Says on stderr where a stored run was counted by another model version than this program's. */
void erg_note_version(const erg_stored_run *run, const char *file);

#endif
