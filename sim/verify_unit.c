/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "verify_unit.h"
#include "vector_golden.h"
#include "verify_row.h"
#include <string.h>

/* The table of a gate; the golden side reads the same one, as both sides of a layer read the same weights. */
static erg_status table_job(erg_arena *arena, const erg_unit_data *d, erg_rtl_norm_job *job, int16_t *golden,
                            int32_t *zero_point, erg_error *error) {
  int16_t *table;
  erg_status status = erg_synth_gate_make(arena, d->pass->gate, d->precision, d->zero_point, &table, zero_point, error);
  if (status != ERG_OK) return status;
  job->table = table;
  job->shift = 33;
  return erg_gate_s16(erg_shape_elements(d->pass->out_shape), d->input, d->precision->activation_bits, table, golden,
                      error);
}

static erg_status norm_job(const erg_unit_data *d, const erg_synth_norm *norm, erg_rtl_norm_job *job, int16_t *golden,
                           erg_error *error) {
  job->norm = true;
  job->per_row = d->pass->norm != ERG_NORM_INSTANCE;
  job->centred = d->pass->norm != ERG_NORM_RMS;
  job->epsilon = norm->epsilon;
  job->shift = norm->affine.shift;
  job->multiplier = norm->affine.multiplier;
  job->bias = norm->affine.bias;
  job->zero_point = norm->affine.zero_point;
  job->low = norm->affine.low;
  job->high = norm->affine.high;
  return erg_norm_golden(d->pass, norm, d->input, d->zero_point, golden, error);
}

/* An instance norm's groups are one image's; all else is rows. */
static erg_status run(erg_rtl_norm *unit, const erg_unit_data *d, erg_rtl_norm_job *job, int16_t *output,
                      erg_error *error) {
  erg_shape s = d->pass->out_shape;
  int images = d->pass->norm == ERG_NORM_INSTANCE ? s.n : 1;
  uint64_t cycles;
  erg_status status = ERG_OK;
  job->rows = (int64_t)s.n / images * s.h * s.w;
  job->channels = s.c;
  for (int image = 0; image < images && status == ERG_OK; image++) {
    job->input = d->input + image * job->rows * s.c;
    job->output = output + image * job->rows * s.c;
    status = erg_rtl_norm_run(unit, job, &cycles, error);
  }
  return status;
}

erg_status erg_verify_unit(erg_rtl_norm *unit, const erg_unit_data *d, int16_t *output, int32_t *zero_point,
                           erg_verify_row *row, erg_error *error) {
  erg_arena arena = {0};
  erg_synth_norm norm;
  erg_rtl_norm_job job = {
      .input_zero_point = d->zero_point, .gap_probability = d->gap_probability, .gap_seed = d->seed};
  int top = (1 << (d->precision->output_bits - 1)) - 1;
  int32_t out_zero_point = 0;
  row->unit = true;
  row->outputs = (uint64_t)erg_shape_elements(d->pass->out_shape);
  int16_t *golden = erg_arena_alloc(&arena, sizeof *golden * row->outputs);
  erg_status status = golden ? ERG_OK : erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  if (status == ERG_OK && d->pass->norm) {
    status = erg_synth_norm_make(&arena, d->pass, d->precision, d->seed, &norm, error);
    if (status == ERG_OK) status = norm_job(d, &norm, &job, golden, error);
    if (status == ERG_OK) out_zero_point = norm.affine.zero_point;
  } else if (status == ERG_OK) {
    status = table_job(&arena, d, &job, golden, &out_zero_point, error);
  }
  /* What a table says depends on the entries that are read, not on how flat its function is. */
  if (status == ERG_OK && d->pass->norm)
    erg_row_measure(d->pass->clamp, job.low, job.high, golden, row);
  else if (status == ERG_OK)
    erg_row_measure(d->pass->clamp, -top - 1, top, d->input, row);
  if (status == ERG_OK) status = run(unit, d, &job, output, error);
  if (status == ERG_OK) {
    *zero_point = out_zero_point;
    erg_row_compare(d->pass->out_shape, golden, output, row);
    erg_row_judge(d->pass->clamp, d->precision, false, row);
  }
  erg_arena_free(&arena);
  return status;
}
