/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_shared.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

const erg_data_source *erg_data_source_find(const char *name) {
  ERG_EACH(erg_data_source, item) if (strcmp((*item)->name, name) == 0) return *item;
  return NULL;
}

const char *erg_data_purpose(const char *name, const char *part, char buffer[64]) {
  snprintf(buffer, 64, "data/%s/%s", name, part);
  return buffer;
}

void erg_data_stream(erg_random *random, uint64_t seed, const char *name, erg_split split) {
  static const char *const parts[] = {"train", "calibration", "test"};
  char purpose[64];
  erg_random_stream(random, seed, erg_data_purpose(name, parts[split], purpose));
}

erg_status erg_dataset_new(const char *name, erg_shape shape, int count, int classes, int labels_each, erg_dataset *out,
                           erg_error *error) {
  *out = (erg_dataset){.shape = shape, .count = count, .classes = classes, .labels_each = labels_each};
  out->name = erg_arena_strdup(&out->arena, name);
  out->inputs = erg_arena_alloc(&out->arena, sizeof *out->inputs * (size_t)count * (size_t)erg_shape_elements(shape));
  out->labels = erg_arena_alloc(&out->arena, sizeof *out->labels * (size_t)count * (size_t)labels_each);
  if (out->name && out->inputs && out->labels) return ERG_OK;
  erg_dataset_free(out);
  return erg_fail(error, ERG_ERR_INTERNAL, "out of memory");
}

void erg_dataset_free(erg_dataset *dataset) {
  erg_arena_free(&dataset->arena);
  *dataset = (erg_dataset){0};
}

static bool is_folder(const char *path) {
  struct stat found;
  return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

static erg_status unknown(const char *name, erg_error *error) {
  const char *names[32] = {0};
  char list[512] = "";
  size_t count = 0, used = 0;
  ERG_EACH(erg_data_source, item) {
    if (count == ERG_COUNT_OF(names) - 1) break;
    names[count++] = (*item)->name;
    if (used < sizeof list)
      used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", (*item)->name);
  }
  const char *nearest = erg_nearest(name, names);
  return erg_fail(error, ERG_ERR_NO_INPUT, "data: found '%s'%s%s%s; allowed: %s, or a folder with train-inputs.npy",
                  name, nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "", list);
}

#define MOST_COUNT 1000000

erg_status erg_dataset_load(const char *name, uint64_t seed, erg_split split, int count, erg_dataset *out,
                            erg_error *error) {
  *out = (erg_dataset){0};
  if (count < 0 || count > MOST_COUNT)
    return erg_fail(error, ERG_ERR_USAGE, "data %s: found %d examples; allowed: 1 to %d, or 0 for the default", name,
                    count, MOST_COUNT);
  const erg_data_source *source = erg_data_source_find(name);
  if (!source) return is_folder(name) ? erg_data_folder_read(name, split, count, out, error) : unknown(name, error);
  int usual = split == ERG_SPLIT_TRAIN ? source->train_count : source->test_count;
  return source->make(seed, split, count ? count : usual, out, error);
}
