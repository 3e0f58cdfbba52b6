/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sweep specifications as users write them (docs/sweeps.md). */
#include "ergon/sweep.h"
#include "space.h"
#include <string.h>

#define MOST_POINTS ((int64_t)100000000)
#define MOST_PRECISIONS 10000

#define AT(type, member) .offset = offsetof(type, member)

static const erg_field axis_fields[] = {
    {.key = "set",
     AT(erg_sweep_axis, set),
     .type = ERG_FIELD_TEXTS,
     .max_items = 8,
     .help = "fields set together: arch.rows, tech.dram, workload.input.height"},
    {.key = "values",
     AT(erg_sweep_axis, values),
     .type = ERG_FIELD_TEXTS,
     .max_items = 1000,
     .help = "a word a field each; - leaves a field alone"},
};
static const erg_record axis_record = {"axis", sizeof(erg_sweep_axis), axis_fields, ERG_COUNT_OF(axis_fields),
                                       offsetof(erg_sweep_axis, position)};

#define BITS(member, least, most, text)                                                                                \
  {                                                                                                                    \
    .key = #member, AT(erg_sweep_widths, member), .type = ERG_FIELD_INTS, .unit = "bit", .min = least, .max = most,    \
    .optional = true, .max_items = 64, .help = text                                                                    \
  }
static const erg_field width_fields[] = {
    BITS(weight, 2, 16, "of weights"),
    BITS(activation, 2, 16, "of activations"),
    BITS(accumulator, 8, 48, "of sums; absent: 32, or 48 where operands have more than 16 together"),
    BITS(output, 2, 16, "of outputs; absent: as activations"),
};
static const erg_record width_record = {"widths", sizeof(erg_sweep_widths), width_fields, ERG_COUNT_OF(width_fields),
                                        offsetof(erg_sweep_widths, position)};

#define LIMIT(member, of, text)                                                                                        \
  {                                                                                                                    \
    .key = #member, AT(erg_sweep_limits, member), .type = ERG_FIELD_REAL, .unit = of, .min = 0, .max = 1e12,           \
    .optional = true, .help = text                                                                                     \
  }
static const erg_field limit_fields[] = {
    {.key = "equal_area",
     AT(erg_sweep_limits, equal_area),
     .type = ERG_FIELD_TEXT,
     .optional = true,
     .help = "a precision: each array gets as many rows and columns as fit the MAC area of that one's"},
    LIMIT(max_mac_area_mm2, "mm2", "area of the array's MACs"),
    LIMIT(max_buffer_kib, "KiB", "all on-chip levels together"),
    LIMIT(min_buffer_kib, "KiB", "all on-chip levels together"),
    LIMIT(max_power_mw, "mW", "energy over latency"),
};
static const erg_record limit_record = {"limits", sizeof(erg_sweep_limits), limit_fields, ERG_COUNT_OF(limit_fields),
                                        ERG_NO_POSITION};

static const erg_field accuracy_fields[] = {
    {.key = "weights",
     AT(erg_sweep_accuracy, weights),
     .type = ERG_FIELD_TEXTS,
     .max_items = 1000,
     .help = "safetensors files, one a workload; a single one serves all"},
    {.key = "data",
     AT(erg_sweep_accuracy, data),
     .type = ERG_FIELD_TEXT,
     .help = "a built-in data set or a folder of .npy files"},
    {.key = "seed",
     AT(erg_sweep_accuracy, seed),
     .type = ERG_FIELD_INT,
     .min = 0,
     .max = 9e15,
     .fallback = "1",
     .help = "of built-in data"},
    {.key = "examples",
     AT(erg_sweep_accuracy, examples),
     .type = ERG_FIELD_INT,
     .min = 0,
     .max = 1e6,
     .fallback = "0",
     .help = "test examples; 0: all, or as many as usual"},
};
static const erg_record accuracy_record = {"accuracy", sizeof(erg_sweep_accuracy), accuracy_fields,
                                           ERG_COUNT_OF(accuracy_fields), offsetof(erg_sweep_accuracy, position)};

#define LIST(name, member, fallback_text, text)                                                                        \
  {                                                                                                                    \
    .key = name, AT(erg_sweep, member), .type = ERG_FIELD_TEXTS, .fallback = fallback_text, .max_items = 1000,         \
    .help = text                                                                                                       \
  }
static const erg_field sweep_fields[] = {
    {.key = "name", AT(erg_sweep, name), .type = ERG_FIELD_TEXT, .help = "name in tables and pictures"},
    {.key = "help", AT(erg_sweep, help), .type = ERG_FIELD_TEXT, .optional = true, .help = "one line"},
    LIST("workloads", workloads, NULL, "names or files"),
    LIST("archs", archs, "edge", "names or files"),
    LIST("techs", techs, "horowitz-45nm", "names or files"),
    {.key = "precisions",
     AT(erg_sweep, precision_names),
     .type = ERG_FIELD_TEXTS,
     .optional = true,
     .max_items = 1000,
     .help = "int8, w4a8, w4a8p24o8, fp32, ..., or precision plans (files)"},
    {.key = "widths",
     AT(erg_sweep, widths),
     .type = ERG_FIELD_RECORD,
     .record = &width_record,
     .optional = true,
     .help = "a grid of integer widths, beside `precisions`"},
    LIST("fusions", fusion_names, "epilogue", "wide, none, fold, epilogue, depth"),
    LIST("dataflows", dataflow_names, "ws", "ws, os, is"),
    LIST("models", model_names, "analytic", "analytic, systemc, rtl"),
    {.key = "batches",
     AT(erg_sweep, batches),
     .type = ERG_FIELD_INTS,
     .fallback = "1",
     .min = 1,
     .max = 65536,
     .max_items = 100,
     .help = "images"},
    {.key = "seed",
     AT(erg_sweep, seed),
     .type = ERG_FIELD_INT,
     .min = 0,
     .max = 9e15,
     .fallback = "1",
     .help = "of synthetic data"},
    {.key = "axes",
     AT(erg_sweep, axis_records),
     .type = ERG_FIELD_RECORDS,
     .record = &axis_record,
     .optional = true,
     .max_items = 16,
     .help = "more axes, over any field"},
    {.key = "limits",
     AT(erg_sweep, limits),
     .type = ERG_FIELD_RECORD,
     .record = &limit_record,
     .optional = true,
     .help = "what points have to keep"},
    {.key = "accuracy",
     AT(erg_sweep, accuracy),
     .type = ERG_FIELD_RECORD,
     .record = &accuracy_record,
     .optional = true,
     .help = "what points are judged on: trained weights and data"},
};
static const erg_record sweep_record = {"sweep", sizeof(erg_sweep), sweep_fields, ERG_COUNT_OF(sweep_fields),
                                        ERG_NO_POSITION};

static void check_names(const erg_sweep *s, const char *key, const erg_texts *words, const char *const *names,
                        erg_error *error) {
  if (words->count == 0) erg_fail(error, ERG_ERR_DATA, "%s: %s: found an empty list", s->file, key);
  for (int i = 0; i < words->count; i++) {
    char allowed[256] = "";
    bool known = false;
    for (int n = 0; names[n]; n++) {
      known |= strcmp(names[n], words->items[i]) == 0;
      snprintf(allowed + strlen(allowed), sizeof allowed - strlen(allowed), "%s%s", n ? ", " : "", names[n]);
    }
    if (!known) erg_fail(error, ERG_ERR_DATA, "%s: %s: found %s; allowed: %s", s->file, key, words->items[i], allowed);
  }
}

static void add_precision(erg_sweep *s, erg_precision p) {
  for (int i = 0; i < s->precision_count; i++)
    if (!s->plan_files[i] && memcmp(&s->precisions[i], &p, sizeof p) == 0) return;
  s->precisions[s->precision_count++] = p;
}

static void add_plan(erg_sweep *s, const char *file) {
  for (int i = 0; i < s->precision_count; i++)
    if (s->plan_files[i] && strcmp(s->plan_files[i], file) == 0) return;
  s->plan_files[s->precision_count++] = file;
}

static int64_t at_or(const erg_ints *list, int index, int64_t otherwise) {
  return list->count ? list->items[index] : otherwise;
}

static erg_status make_precisions(erg_sweep *s, erg_error *error) {
  const erg_sweep_widths *w = &s->widths;
  int accumulators = w->accumulator.count ? w->accumulator.count : 1, outputs = w->output.count ? w->output.count : 1;
  int64_t grid = (int64_t)w->weight.count * w->activation.count * accumulators * outputs;
  if (grid == 0 && w->position.line)
    return erg_fail(error, ERG_ERR_DATA, "%s:%d:%d: widths: needs both weight and activation", s->file,
                    w->position.line, w->position.column);
  if (grid + s->precision_names.count > MOST_PRECISIONS)
    return erg_fail(error, ERG_ERR_DATA, "%s: widths: found %lld precisions; allowed: %d", s->file, (long long)grid,
                    MOST_PRECISIONS);
  s->precisions = erg_arena_alloc(&s->arena, sizeof *s->precisions * (size_t)(grid + s->precision_names.count + 1));
  s->plan_files = erg_arena_alloc(&s->arena, sizeof *s->plan_files * (size_t)(grid + s->precision_names.count + 1));
  if (!s->precisions || !s->plan_files) return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
  for (int i = 0; i < s->precision_names.count; i++) {
    erg_precision p;
    erg_error fault = {0};
    if (erg_precision_is_plan(s->precision_names.items[i]))
      add_plan(s, s->precision_names.items[i]);
    else if (erg_precision_parse(s->precision_names.items[i], &p, &fault) == ERG_OK)
      add_precision(s, p);
    else
      erg_fail(error, ERG_ERR_DATA, "%s: precisions: %s", s->file, fault.text);
    erg_error_clear(&fault);
  }
  for (int64_t i = 0; i < grid; i++) {
    int64_t rest = i;
    int output = (int)(rest % outputs), accumulator = (int)(rest / outputs % accumulators);
    rest /= (int64_t)outputs * accumulators;
    int activation = (int)w->activation.items[rest % w->activation.count];
    int weight = (int)w->weight.items[rest / w->activation.count];
    add_precision(s, (erg_precision){.format = ERG_FORMAT_INT,
                                     .weight_bits = weight,
                                     .activation_bits = activation,
                                     .accumulator_bits =
                                         (int)at_or(&w->accumulator, accumulator, weight + activation <= 16 ? 32 : 48),
                                     .output_bits = (int)at_or(&w->output, output, activation)});
  }
  if (s->precision_count == 0 && error->status == ERG_OK)
    add_precision(s, (erg_precision){ERG_FORMAT_INT, 8, 8, 32, 8});
  return ERG_OK;
}

static void check_axes(const erg_sweep *s, erg_error *error) {
  for (int i = 0; i < s->axis_count; i++) {
    const erg_sweep_axis *a = &s->axes[i];
    const int line = a->position.line, column = a->position.column;
    if (a->set.count == 0 || a->values.count == 0)
      erg_fail(error, ERG_ERR_DATA, "%s:%d:%d: axes[%d]: set and values need at least one item each", s->file, line,
               column, i);
    for (int f = 0; f < a->set.count; f++)
      if (strncmp(a->set.items[f], "arch.", 5) != 0 && strncmp(a->set.items[f], "tech.", 5) != 0 &&
          strncmp(a->set.items[f], "workload.", 9) != 0)
        erg_fail(error, ERG_ERR_DATA, "%s:%d:%d: axes[%d].set: found %s; allowed: arch.KEY, tech.KEY, workload.KEY",
                 s->file, line, column, i, a->set.items[f]);
    for (int v = 0; v < a->values.count; v++)
      if (erg_space_words(a->values.items[v]) != a->set.count)
        erg_fail(error, ERG_ERR_DATA, "%s:%d:%d: axes[%d].values: found '%s'; allowed: %d words, one a field", s->file,
                 line, column, i, a->values.items[v], a->set.count);
  }
}

/* A single file of weights serves all workloads. */
static void share_weights(erg_sweep *s, erg_error *error) {
  erg_sweep_accuracy *a = &s->accuracy;
  if (!a->data || a->weights.count == s->workloads.count) return;
  if (a->weights.count != 1) {
    erg_fail(error, ERG_ERR_DATA, "%s:%d:%d: accuracy.weights: found %d files; allowed: 1, or %d, one a workload",
             s->file, a->position.line, a->position.column, a->weights.count, s->workloads.count);
    return;
  }
  char *one = a->weights.items[0];
  a->weights.items = erg_arena_alloc(&s->arena, sizeof *a->weights.items * (size_t)s->workloads.count);
  if (!a->weights.items) {
    erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
    return;
  }
  a->weights.count = s->workloads.count;
  for (int i = 0; i < a->weights.count; i++) a->weights.items[i] = one;
}

/* Every value of every list once, with the first of all others: what does not load is said before anything runs. */
static void try_inputs(const erg_sweep *s, erg_error *error) {
  erg_sweep_inputs inputs = {0};
  for (int dimension = 0; dimension < erg_space_dimensions(s); dimension++)
    for (int value = dimension ? 1 : 0; value < erg_space_extent(s, dimension); value++) {
      erg_arena arena = {0};
      erg_point point;
      erg_sweep_row row;
      erg_error fault = {0};
      bool failed = error->count < 20 && erg_sweep_point(s, value * erg_space_stride(s, dimension), &inputs, &arena,
                                                         &point, &row, &fault) != ERG_OK;
      if (failed && (!error->text || !strstr(error->text, fault.text))) /* the first of a list comes again */
        erg_fail(error, fault.status == ERG_ERR_USAGE ? ERG_ERR_DATA : fault.status, "%s", fault.text);
      erg_error_clear(&fault);
      erg_arena_free(&arena);
    }
  erg_sweep_inputs_free(&inputs);
}

erg_status erg_sweep_parse(const char *file, const char *text, erg_sweep *out, erg_error *error) {
  erg_sweep s = {0};
  erg_arena arena = {0};
  erg_error faults = {0};
  erg_status status = erg_yaml_decode(&arena, file, text, &sweep_record, NULL, 0, &s, &faults);
  s.arena = arena;
  s.file = erg_arena_strdup(&s.arena, file);
  if (status == ERG_OK) {
    s.axes = s.axis_records.items;
    s.axis_count = s.axis_records.count;
    if (s.workloads.count == 0 || s.archs.count == 0 || s.techs.count == 0 || s.batches.count == 0)
      erg_fail(&faults, ERG_ERR_DATA, "%s: workloads, archs, techs and batches need at least one item each", file);
    check_names(&s, "fusions", &s.fusion_names, erg_fusion_names, &faults);
    check_names(&s, "dataflows", &s.dataflow_names, erg_dataflow_names, &faults);
    check_names(&s, "models", &s.model_names, erg_model_names, &faults);
    make_precisions(&s, &faults);
    check_axes(&s, &faults);
    share_weights(&s, &faults);
    if (s.limits.equal_area && erg_precision_parse(s.limits.equal_area, &s.reference, NULL) != ERG_OK)
      erg_fail(&faults, ERG_ERR_DATA, "%s: limits.equal_area: found %s; allowed: a precision, such as int8", file,
               s.limits.equal_area);
    if (faults.status == ERG_OK && erg_sweep_size(&s) > MOST_POINTS)
      erg_fail(&faults, ERG_ERR_DATA, "%s: found more than %lld points", file, (long long)MOST_POINTS);
    if (faults.status == ERG_OK) try_inputs(&s, &faults);
    status = faults.status;
  }
  if (status == ERG_OK) {
    *out = s;
  } else {
    erg_fail(error, status, "%s", faults.text ? faults.text : "out of memory");
    erg_sweep_free(&s);
  }
  erg_error_clear(&faults);
  return status;
}

erg_status erg_sweep_load(const char *name, erg_sweep *out, erg_error *error) {
  erg_arena arena = {0};
  char *path, *text;
  erg_status status = erg_data_find(&arena, "specs", name, ".yaml", &path, error);
  if (status == ERG_OK) status = erg_file_read(&arena, path, &text, NULL, error);
  if (status == ERG_OK) status = erg_sweep_parse(path, text, out, error);
  erg_arena_free(&arena);
  return status;
}

void erg_sweep_free(erg_sweep *sweep) {
  erg_arena_free(&sweep->arena);
}
