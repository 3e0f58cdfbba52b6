/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside quant: what data sets share. */
#ifndef ERGON_QUANT_DATA_SHARED_H
#define ERGON_QUANT_DATA_SHARED_H
#include "ergon/data.h"

/* Memory for `count` examples, zeroed. */
erg_status erg_dataset_new(const char *name, erg_shape shape, int count, int classes, int labels_each, erg_dataset *out,
                           erg_error *error);
/* The stream of one split: a control that changes one leaves the others. */
void erg_data_stream(erg_random *random, uint64_t seed, const char *name, erg_split split);
/* "data/<name>/<part>", the purpose of a stream shared by all splits. */
const char *erg_data_purpose(const char *name, const char *part, char buffer[64]);
erg_status erg_data_folder_read(const char *path, erg_split split, int count, erg_dataset *out, erg_error *error);
#endif
