/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checks on numbers of others: the form of the energy model, not its constants. */
#include "ergon/fit.h"
#include "validate.h"
#include <math.h>
#include <string.h>

#define EYERISS "Y.-H. Chen et al., Eyeriss, JSSC 52(1) 2017, Tables V and VI (measured, 65 nm)"
#define NVDLA "nvdla/doc, primer: seven sizes (vendor estimates, 16 nm)"

#define MOST_ROWS 64

typedef struct {
  erg_csv csv;
  erg_error *error;
  bool failed;
} table;

static double cell(table *t, int row, const char *header) {
  double value = NAN;
  int column = erg_csv_column(&t->csv, header);
  if (column < 0) {
    erg_fail(t->error, ERG_ERR_DATA, "%s: no column %s", t->csv.file, header);
    t->failed = true;
  } else if (erg_csv_number(&t->csv, row, column, 0, &value, t->error) != ERG_OK) {
    t->failed = true;
  }
  return value;
}
static bool of(const table *t, int row, const char *network) {
  return strcmp(t->csv.cells[row][erg_csv_column(&t->csv, "network")], network) == 0;
}

static erg_status fit_of(table *t, const char *terms, const char *network, erg_fit_result *r, erg_error *error) {
  erg_measured m = {0};
  erg_status status = erg_measured_of(&t->csv, terms, network ? "network" : NULL, network, &m, error);
  if (status != ERG_OK) return status;
  status = erg_fit(&m.input, r, error);
  erg_measured_free(&m);
  return status;
}

/* ---------------------------------------------------------------- Eyeriss */

static erg_status check_fit(table *t, erg_validation *v, erg_error *error) {
  erg_fit_result r = {0};
  erg_status status = fit_of(t, "a,p0", NULL, &r, error);
  if (status != ERG_OK) return status;
  erg_check_add(v, (erg_check){"eyeriss-layers", "a * nonzero MACs + P0 * T, fitted to 18 layers: worst layer left out",
                               EYERISS, "published", true, 100 * fabs(r.worst_left_out), 0, 10, "%", NULL, true});
  erg_check_add(v, (erg_check){"eyeriss-rms", "the same: rms", EYERISS, "published", true, 100 * r.rms_relative_error,
                               0, 5, "%", NULL, true});
  v->eyeriss_a_pj = r.coefficients[0].value;
  erg_fit_free(&r);
  return ERG_OK;
}

/* Fit one network, predict the other's layers and total. */
static erg_status transfer(table *t, const char *from, const char *to, double *total, double *worst, erg_error *error) {
  erg_fit_result r = {0};
  erg_status status = fit_of(t, "a,p0", from, &r, error);
  if (status != ERG_OK) return status;
  double predicted = 0, measured = 0;
  *worst = 0;
  for (int i = 0; i < t->csv.rows; i++) {
    if (!of(t, i, to)) continue;
    double energy = cell(t, i, "power_mw") * cell(t, i, "time_ms") * 1e6;
    double macs = cell(t, i, "macs") * (1 - cell(t, i, "zeros_pct") / 100);
    double guess = r.coefficients[0].value * macs + r.coefficients[1].value * cell(t, i, "time_ms") * 1e6;
    *worst = fmax(*worst, fabs(guess / energy - 1));
    predicted += guess;
    measured += energy;
  }
  *total = predicted / measured - 1;
  erg_fit_free(&r);
  return ERG_OK;
}

static erg_status check_transfer(table *t, erg_validation *v, erg_error *error) {
  double total, worst, back, back_worst;
  erg_status status = transfer(t, "AlexNet", "VGG16", &total, &worst, error);
  if (status == ERG_OK) status = transfer(t, "VGG16", "AlexNet", &back, &back_worst, error);
  if (status != ERG_OK) return status;
  erg_check_add(v, (erg_check){"transfer-total", "fitted to AlexNet's five layers: VGG-16's total", EYERISS,
                               "published", true, 100 * total, -5, 5, "%", NULL, true});
  erg_check_add(v, (erg_check){"transfer-layers", "the same: VGG-16's worst layer", EYERISS, "published", true,
                               100 * worst, 0, 12, "%", NULL, true});
  erg_check_add(v, (erg_check){"transfer-back", "fitted to VGG-16: AlexNet's total", EYERISS, "published", true,
                               100 * back, -10, 10, "%", NULL, true});
  return ERG_OK;
}

/* E = a FLOPs + b Mem alone is not enough, and b cannot be measured beside P0: the program has to say so. */
static erg_status check_honesty(table *t, erg_validation *v, erg_error *error) {
  int rows = t->csv.rows;
  double x[2 * MOST_ROWS], y[MOST_ROWS];
  erg_fit_result r = {0}, full = {0};
  if (rows > MOST_ROWS) return erg_fail(error, ERG_ERR_DATA, "%s: over %d rows", t->csv.file, MOST_ROWS);
  for (int i = 0; i < rows; i++) {
    x[2 * i] = cell(t, i, "macs");
    x[2 * i + 1] = cell(t, i, "bytes");
    y[i] = cell(t, i, "power_mw") * cell(t, i, "time_ms") * 1e6;
  }
  const erg_fit_input in = {.rows = rows, .terms = 2, .x = x, .y = y, .names = {"a", "b"}};
  erg_status status = erg_fit(&in, &r, error);
  if (status == ERG_OK) {
    erg_check_add(v,
                  (erg_check){"book-form-rms", "a * MACs + b * bytes alone is inadequate: its rms on the same layers",
                              EYERISS, "published", true, 100 * r.rms_relative_error, 21.1, 22.1, "%", NULL, true});
    erg_fit_free(&r);
    status = fit_of(t, "a,b,p0", NULL, &full, error);
  }
  if (status == ERG_OK) {
    erg_check_add(v, (erg_check){"b-not-identified", "with P0 present the fit flags b: 1 = not identified", EYERISS,
                                 "published", true, full.coefficients[1].identified ? 0 : 1, 1, 1, "", NULL, true});
    erg_fit_free(&full);
  }
  return status;
}

/* The tables agree with what the paper prints elsewhere: a wrong digit would show. */
static erg_status check_identities(table *t, erg_validation *v, erg_error *error) {
  static const char *const networks[] = {"AlexNet", "VGG16"}, *const printed[] = {"eyeriss_alexnet_mw",
                                                                                  "eyeriss_vgg16_mw"};
  double worst = 0, ms = 0, dram = 0, macs = 0, value, batch = 0;
  int mismatched = 0;
  erg_status status = ERG_OK;
  for (int n = 0; n < 2 && status == ERG_OK; n++) {
    double energy = 0, time = 0;
    for (int i = 0; i < t->csv.rows; i++) {
      if (!of(t, i, networks[n])) continue;
      energy += cell(t, i, "power_mw") * cell(t, i, "time_ms");
      time += cell(t, i, "time_ms");
      if (n) continue;
      dram += cell(t, i, "dram_bytes");
      macs += cell(t, i, "macs");
      batch = cell(t, i, "batch");
      mismatched += cell(t, i, "R") * cell(t, i, "e") * cell(t, i, "r") * cell(t, i, "t") != cell(t, i, "active_pes");
    }
    if (n == 0) ms = time;
    status = erg_published(printed[n], &value, error);
    worst = fmax(worst, fabs(energy / time / value - 1));
  }
  if (status == ERG_OK) status = erg_published("eyeriss_dram_accesses_per_mac", &value, error);
  worst = fmax(worst, fabs(dram / 2 / macs / value - 1));
  if (status == ERG_OK) status = erg_published("eyeriss_alexnet_fps", &value, error);
  worst = fmax(worst, fabs(batch / ms * 1e3 / value - 1));
  erg_check_add(v,
                (erg_check){"table-identities", "power, DRAM accesses a MAC, frames/s against totals printed elsewhere",
                            EYERISS, "published", false, 100 * worst, 0, 1, "%", NULL, true});
  erg_check_add(v, (erg_check){"mapping-identity", "R * e * r * t = active PEs: layers in which it fails", EYERISS,
                               "published", false, mismatched, 0, 0, "", NULL, true});
  return status;
}

/* ---------------------------------------------------------------- NVDLA, UNPU */

static erg_status size_law(const char *x_header, const char *y_header, double *worst, erg_error *error) {
  table t = {.error = error};
  double x[2 * MOST_ROWS], y[MOST_ROWS];
  erg_fit_result r = {0};
  erg_status status = erg_csv_load("nvdla", &t.csv, error);
  if (status != ERG_OK) return status;
  int rows = t.csv.rows < MOST_ROWS ? t.csv.rows : MOST_ROWS;
  for (int i = 0; i < rows; i++) {
    x[2 * i] = cell(&t, i, x_header);
    x[2 * i + 1] = 1;
    y[i] = cell(&t, i, y_header);
  }
  const erg_fit_input in = {.rows = rows, .terms = 2, .x = x, .y = y, .names = {"slope", "constant"}};
  status = t.failed ? ERG_ERR_DATA : erg_fit(&in, &r, error);
  if (status == ERG_OK) {
    *worst = 100 * fabs(r.worst_relative_error);
    erg_fit_free(&r);
  }
  erg_csv_free(&t.csv);
  return status;
}

static erg_status check_others(erg_validation *v, erg_error *error) {
  double peak, average, narrow, wide;
  erg_status status = size_law("macs", "peak_mw", &peak, error);
  if (status == ERG_OK) status = size_law("frames_per_s", "average_mw", &average, error);
  if (status == ERG_OK) status = erg_published("unpu_16bit_tops_per_w", &wide, error);
  if (status == ERG_OK) status = erg_published("unpu_1bit_tops_per_w", &narrow, error);
  if (status != ERG_OK) return status;
  erg_check_add(v, (erg_check){"nvdla-peak", "peak power = c * MACs + constant over seven sizes: worst", NVDLA,
                               "published", true, peak, 0, 10, "%", NULL, true});
  erg_check_add(v, (erg_check){"nvdla-average", "average power = c * frames/s + constant: worst", NVDLA, "published",
                               true, average, 0, 20, "%", NULL, true});
  erg_check_add(v, (erg_check){"unpu-bit-serial", "16 to 1 weight bits, bit-serial: linear in the bits (16x)",
                               "J. Lee et al., UNPU, JSSC 54(1) 2019 (measured, 65 nm)", "published", false,
                               narrow / wide, 14.4, 17.6, "x", NULL, true});
  return ERG_OK;
}

erg_status erg_validate_published(erg_validation *v, erg_error *error) {
  table t = {.error = error};
  erg_status status = erg_csv_load("eyeriss", &t.csv, error);
  if (status != ERG_OK) return status;
  status = check_fit(&t, v, error);
  if (status == ERG_OK) status = check_transfer(&t, v, error);
  if (status == ERG_OK) status = check_honesty(&t, v, error);
  if (status == ERG_OK) status = check_identities(&t, v, error);
  if (status == ERG_OK && t.failed) status = ERG_ERR_DATA;
  erg_csv_free(&t.csv);
  return status == ERG_OK ? check_others(v, error) : status;
}
