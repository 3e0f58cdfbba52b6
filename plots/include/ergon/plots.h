/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file plots.h
 *  Pictures of results. A plot is one file that registers itself; it turns the JSON of `ergon run` into NAME.dat and
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
  erg_status (*write)(const json_t *run, FILE *data, FILE *commands, erg_error *error);
  int width_px, height_px;
} erg_plot;
ERG_REGISTRY(erg_plot)

const erg_plot *erg_plot_find(const char *name);
/** Draws into `folder`, which exists; says on `log` what it wrote. ERG_ERR_USAGE: no such plot; ERG_ERR_DATA: not a run,
 *  or nothing to draw; ERG_ERR_CREATE/ERG_ERR_IO: a file cannot be written; ERG_ERR_TOOL: gnuplot is missing or failed
 *  (.dat and .gp are there all the same). */
erg_status erg_plot_draw(const char *name, const json_t *run, const char *folder, FILE *log, erg_error *error);
/** Text for a gnuplot string in double quotes, without enhanced-text marks. Returns `buffer`. */
char *erg_plot_quote(const char *text, char *buffer, size_t bytes);

#ifdef __cplusplus
}
#endif
#endif
