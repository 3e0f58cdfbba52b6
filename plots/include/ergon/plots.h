/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file plots.h
 *  Pictures of results. A plot is one file that registers itself; it turns JSON of its schema into NAME.dat and
 *  NAME.gp, which gnuplot turns into NAME.svg, NAME.png and NAME.pdf. The .gp runs by hand in its folder. */
#ifndef ERGON_PLOTS_H
#define ERGON_PLOTS_H

#include "ergon/base.h"
#include "ergon/registry.h"
#include <jansson.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  const char *name, *help;
  /** Writes the data and the gnuplot commands of the picture itself; terminals and outputs are plot.c's. */
  erg_status (*write)(const json_t *document, FILE *data, FILE *commands, erg_error *error);
  int width_px, height_px;
  const char *schema; /**< of the JSON it draws, version 1; NULL: "ergon.run" */
} erg_plot;
ERG_REGISTRY(erg_plot)

/** ERG_ERR_USAGE, with the names that exist: no such plot. */
erg_status erg_plot_find(const char *name, const erg_plot **out, erg_error *error);
const char *erg_plot_schema(const erg_plot *plot); /**< "ergon.run", "ergon.sweep" or "ergon.explain" */
const char *erg_plot_source(const erg_plot *plot); /**< in words: where a document of its schema comes from */
/** Draws into `folder`, which exists; says on `log` what it wrote. ERG_ERR_USAGE: no such plot; ERG_ERR_DATA: not of
 *  the plot's schema, or nothing to draw; ERG_ERR_CREATE/ERG_ERR_IO: a file cannot be written; ERG_ERR_TOOL: gnuplot is missing or failed
 *  (.dat and .gp are there all the same). */
erg_status erg_plot_draw(const char *name, const json_t *document, const char *folder, FILE *log, erg_error *error);
/** Text for a gnuplot string in double quotes, in commands and in data. Double quotes, which data cannot hold, and
 *  backticks, which would run a shell, become apostrophes; control characters go. Returns `buffer`. */
char *erg_plot_quote(const char *text, char *buffer, size_t bytes);

#ifdef __cplusplus
}
#endif
#endif
