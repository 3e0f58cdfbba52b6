/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside the plots' room: what pictures share, so that a component, a precision family, a footer look alike in all. */
#ifndef ERGON_PLOTS_PLOT_H
#define ERGON_PLOTS_PLOT_H

#include "ergon/plots.h"

/* ---------------------------------------------------------------- looks (style.c) */

/** The unit in which a number reads best: "uJ" for pJ of at least 1e6. */
typedef struct {
  const char *name;
  double divisor; /**< the stored number / divisor = the number shown */
} plot_unit;
plot_unit plot_energy_unit(double pj);
plot_unit plot_time_unit(double seconds);
plot_unit plot_rate_unit(double per_s); /**< "GMAC/s" and its like */

/** Frame, grid and fonts of every picture; `grid` is gnuplot's list of axes, "xtics ytics". */
void plot_style(FILE *gp, const char *grid);
/** A line of small grey text at the bottom; line 0 is the lowest. */
void plot_footer(FILE *gp, const erg_plot *plot, int line, const char *text);
/** "ergon 0.1.0 (commit), model version 2" of the document's provenance. Returns `buffer`. */
char *plot_provenance(const json_t *document, char *buffer, size_t bytes);
/** Tics of a logarithmic axis at 1, 2, 5 of each decade (1 alone over three decades): gnuplot's own leave an axis of less
 *  than a decade without numbers. `axis` is "x" or "y". */
void plot_log_tics(FILE *gp, const char *axis, double low, double high);
/** A text member, or "?". */
const char *plot_text(const json_t *object, const char *key);

/* ---------------------------------------------------------------- energy by component (parts.c) */

#define PLOT_MOST_PARTS 16
typedef struct {
  const char *names[PLOT_MOST_PARTS]; /**< JSON names, from the bottom of the stack */
  int count;
} plot_parts;
/** Adds those of an `energy_pj` object: arithmetic, registers, partial sums, scratchpads, DRAM, static. */
void plot_parts_find(plot_parts *parts, const json_t *energy);
double plot_part_pj(const json_t *energy, const char *part); /**< 0 where there is none */
/** The same component has the same colour in every picture; `part` is an index of `parts`. */
const char *plot_part_colour(const plot_parts *parts, int part);
const char *plot_part_label(const char *part, char buffer[64]);

/* ---------------------------------------------------------------- rows of a sweep (rows.c) */

/** A row whose status is ok. Units are in the names; numbers that no plot asked for may be 0. */
typedef struct {
  const char *workload, *arch, *technology, *precision, *format, *fusion, *dataflow, *model, *mac, *equal;
  double weight_bits, activation_bits, batch, rows, cols;
  double macs, latency_s, energy_pj, edp_pj_s, mac_pj, partial_sums_pj, dram_bytes, peak_macs_per_s, dram_bytes_per_s;
  double accuracy; /**< -1: none */
  int panel; /**< -1: not shown */
} plot_row;

#define PLOT_MOST_PANELS 6
typedef struct {
  const json_t *document;
  plot_row *rows;
  int count, left_out; /**< ok; skipped or failed */
  char titles[PLOT_MOST_PANELS][256];
  int panels, panels_left_out;
} plot_rows;

/** Reads `document.rows` into the arena. `needed` (ends with NULL) are the numbers that every ok row must have.
 *  ERG_ERR_DATA names the rows and fields that lack them, or says that nothing is to be drawn. */
erg_status plot_rows_read(const json_t *document, const char *plot, const char *const *needed, erg_arena *arena,
                          plot_rows *out, erg_error *error);
/** Families (family.c) in which pictures colour precisions: floats by format, integers by their wider operand. */
#define PLOT_FAMILIES 7
int plot_family(const plot_row *row);
typedef struct {
  const char *name, *colour;
  int point; /**< gnuplot's point type, filled */
} plot_family_look;
extern const plot_family_look plot_families[PLOT_FAMILIES];

/* ---------------------------------------------------------------- points of a study (study_points.c) */

/** The study of that name in a document of ergon.study, or NULL: it is not there or has no points. */
const json_t *plot_study(const json_t *document, const char *name);
typedef struct {
  double mean, deviation; /**< over the points that match; deviation 0 of one point */
  int count;              /**< 0: no point, nothing to draw */
} plot_mean;
/** Of `column` over the points whose texts are `texts` (in the order of the study's columns behind the seed), less that of
 *  `base` at the same place among its matches (seed by seed; NULL: nothing). */
plot_mean plot_study_mean(const json_t *study, const char *column, const char *const *texts, const char *const *base);

/* ---------------------------------------------------------------- panels and frame (frame.c) */

/** What must not be compared stands apart: a panel a workload, technology and batch (and precision, where
 *  `by_precision`), in the order of the document, at most `most`. */
void plot_rows_panels(plot_rows *rows, bool by_precision, int most);
/** Title, footer (technology, mac, PE count, dataflow, model, versions, rows left out), then `notes`, a line each
 *  (ends with NULL). */
void plot_rows_frame(const plot_rows *rows, const erg_plot *plot, const char *title, const char *const *notes, FILE *gp);

typedef struct {
  double left, right, bottom, top; /**< of the axes, in shares of the picture */
} plot_box;
/** Where panel `index` of `count` lies: one, or two or three in a row. Lines of the footer and `key_px` on the right stay
 *  free. */
plot_box plot_panel_box(const erg_plot *plot, int index, int count, int footer_lines, double key_px);
/** Lines of the footer. */
int plot_footer_lines(const char *const *notes);
/** Sets margins and the title of panel `index`; call it before the panel's own `plot`. */
void plot_panel(FILE *gp, const plot_box *box, int index, const char *title);

/** Labels that do not lie on one another: rectangles in pixels, tried in turn. */
#define PLOT_MOST_LABELS 64
typedef struct {
  struct {
    double x0, x1, y0, y1;
  } boxes[PLOT_MOST_LABELS];
  int count;
} plot_places;
/** Takes the rectangle if it is free. */
bool plot_place(plot_places *places, double x0, double x1, double y0, double y1);

#endif
