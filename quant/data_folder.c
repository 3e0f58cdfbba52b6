/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A user's own data: a folder of NumPy files. */
#include "data_shared.h"
#include "ergon/npy.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_CLASSES 65536

static char *file_of(erg_arena *arena, const char *folder, const char *file) {
  char *path = erg_arena_printf(arena, "%s/%s", folder, file);
  return path ? path : erg_arena_strdup(arena, "");
}

static bool exists(const char *path) {
  FILE *stream = fopen(path, "rb");
  if (stream) fclose(stream);
  return stream != NULL;
}

/* [count, C] is a map of one pixel. */
static erg_status read_inputs(erg_arena *arena, const char *path, erg_npy_reals *out, erg_error *error) {
  erg_status status = erg_npy_read_reals(arena, path, 2, 4, out, error);
  if (status != ERG_OK) return status;
  if (out->dims == 3)
    return erg_fail(error, ERG_ERR_DATA, "%s: shape: found three extents; allowed: (count, H, W, C) or (count, C)",
                    path);
  if (out->dims == 2) out->extents[3] = out->extents[1], out->extents[1] = out->extents[2] = 1;
  int64_t each = out->extents[1] * out->extents[2] * out->extents[3];
  for (int64_t i = 0; i < out->extents[0] * each; i++)
    if (!isfinite(out->elements[i]))
      return erg_fail(error, ERG_ERR_DATA,
                      "%s: found %s in example %" PRId64 " at element %" PRId64 "; allowed: finite", path,
                      isnan(out->elements[i]) ? "NaN" : "infinity", i / each, i % each);
  return ERG_OK;
}

/* One label an example, or one a position. `classes` is what is allowed, or grows with what is found where it is 0. */
static erg_status read_labels(erg_arena *arena, const char *path, const erg_npy_reals *inputs, int64_t *classes,
                              erg_npy_reals *out, erg_error *error) {
  erg_status status = erg_npy_read_reals(arena, path, 1, 2, out, error);
  if (status != ERG_OK) return status;
  int64_t each = out->dims == 2 ? out->extents[1] : 1, positions = inputs->extents[1] * inputs->extents[2];
  if (out->extents[0] != inputs->extents[0] || (each != 1 && each != positions))
    return erg_fail(error, ERG_ERR_DATA,
                    "%s: found %" PRId64 " x %" PRId64 " labels; allowed: one, or %" PRId64 " (H W), for each of the "
                    "%" PRId64 " inputs",
                    path, out->extents[0], each, positions, inputs->extents[0]);
  int64_t most = *classes ? *classes : MOST_CLASSES, found = 0;
  for (int64_t i = 0; i < out->extents[0] * each; i++) {
    double label = out->elements[i];
    if (!(label >= 0 && label < (double)most && label == floor(label)))
      return erg_fail(error, ERG_ERR_DATA, "%s: found label %g in example %" PRId64 "; allowed: 0 to %" PRId64 "%s",
                      path, label, i / each, most - 1, *classes ? ", those of train-labels.npy" : "");
    if ((int64_t)label >= found) found = (int64_t)label + 1;
  }
  if (!*classes) *classes = found;
  out->extents[1] = each;
  return ERG_OK;
}

static erg_status keep(const char *folder, const erg_npy_reals *inputs, const erg_npy_reals *labels, int classes,
                       int count, erg_dataset *out, erg_error *error) {
  if (count > inputs->extents[0])
    return erg_fail(error, ERG_ERR_DATA, "%s: found %" PRId64 " examples; %d were asked for", folder,
                    inputs->extents[0], count);
  if (inputs->extents[1] * inputs->extents[2] * inputs->extents[3] > INT32_MAX || inputs->extents[0] > INT32_MAX)
    return erg_fail(error, ERG_ERR_DATA, "%s: too large", folder);
  erg_shape shape = {1, (int)inputs->extents[1], (int)inputs->extents[2], (int)inputs->extents[3]};
  int each = labels->elements ? (int)labels->extents[1] : 1;
  if (!count) count = (int)inputs->extents[0];
  erg_status status = erg_dataset_new(folder, shape, count, classes, each, out, error);
  if (status != ERG_OK) return status;
  memcpy(out->inputs, inputs->elements, sizeof *out->inputs * (size_t)count * (size_t)erg_shape_elements(shape));
  for (int64_t i = 0; labels->elements && i < (int64_t)count * each; i++) out->labels[i] = (int)labels->elements[i];
  if (!labels->elements) out->labels = NULL;
  return ERG_OK;
}

erg_status erg_data_folder_read(const char *folder, erg_split split, int count, erg_dataset *out, erg_error *error) {
  erg_arena arena = {0};
  erg_npy_reals train = {0}, train_labels = {0}, inputs = {0}, labels = {0};
  int64_t classes = 0;
  const char *bare = file_of(&arena, folder, "calibration.npy");
  erg_status status = read_inputs(&arena, file_of(&arena, folder, "train-inputs.npy"), &train, error);
  if (status == ERG_OK)
    status = read_labels(&arena, file_of(&arena, folder, "train-labels.npy"), &train, &classes, &train_labels, error);
  if (status != ERG_OK) goto out;
  if (split == ERG_SPLIT_TEST) {
    status = read_inputs(&arena, file_of(&arena, folder, "test-inputs.npy"), &inputs, error);
    if (status == ERG_OK)
      status = read_labels(&arena, file_of(&arena, folder, "test-labels.npy"), &inputs, &classes, &labels, error);
  } else if (split == ERG_SPLIT_CALIBRATION && exists(bare)) {
    status = read_inputs(&arena, bare, &inputs, error);
  } else {
    inputs = train;
    labels = train_labels;
  }
  if (status != ERG_OK) goto out;
  if (memcmp(train.extents + 1, inputs.extents + 1, 3 * sizeof *train.extents) != 0)
    status = erg_fail(error, ERG_ERR_DATA, "%s: inputs of this split have another shape than train-inputs.npy", folder);
  else
    status = keep(folder, &inputs, &labels, (int)classes, count, out, error);
out:
  erg_arena_free(&arena);
  return status;
}
