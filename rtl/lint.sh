#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Lints all modules with every warning on; the few waivers give their reason.
set -eu
cd "$(dirname "$0")"
verilator --lint-only -Wall --unroll-count 4096 --unroll-stmts 1000000 lint/waivers.vlt ergon_pkg.sv ergon_sequencer.sv \
  ergon_array.sv ergon_accumulator.sv ergon_epilogue.sv ergon_top.sv --top-module ergon_top "$@"
