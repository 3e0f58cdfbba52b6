/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of a foreign array, held against what Verilator made of it. */
#ifndef ERGON_RTL_DUT_H
#define ERGON_RTL_DUT_H
#include "ergon/rtl.h"

/* ERG_ERR_DATA with the end of Verilator's log, and what the contract asks for where that is the fault. */
erg_status erg_dut_explain(const char *log, const erg_rtl_config *config, erg_error *error);
/* Reads the ports from `folder`/cpp/Vdut.h: every one that is missing, has another width or direction, or that the
 * contract does not know. *shows_sums: the optional acc_o is there. */
erg_status erg_dut_check_ports(erg_arena *arena, const char *folder, const erg_rtl_config *config, bool *shows_sums,
                               erg_error *error);
#endif
