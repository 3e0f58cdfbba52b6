/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ERGON_RTL_BUILD_H
#define ERGON_RTL_BUILD_H
#include "ergon/rtl.h"
/** Path of the variant's shared object, built now if it is not in the cache. */
erg_status erg_rtl_build(erg_arena *arena, const erg_rtl_config *config, FILE *log, char **path, erg_error *error);
#endif
