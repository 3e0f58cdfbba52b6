// SPDX-License-Identifier: Apache-2.0
// Included before everything in the Verilator runtime: what a foreign array $displays goes to stderr, for stdout holds
// results.
#pragma once
int ergon_vl_printf(const char *format, ...);
#define VL_PRINTF ergon_vl_printf
