#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Lints all modules with every warning on; the few waivers give their reason.
set -eu
cd "$(dirname "$0")"
lint() { # of a top module, and the files below it
  top=$1
  shift
  verilator --lint-only -Wall --unroll-count 4096 --unroll-stmts 1000000 lint/waivers.vlt ergon_pkg.sv "$@" "$top.sv" \
    --top-module "$top"
}
lint ergon_top ergon_sequencer.sv ergon_array.sv ergon_accumulator.sv ergon_epilogue.sv
lint ergon_top_scalable ergon_sequencer.sv ergon_array_scalable.sv ergon_accumulator.sv ergon_epilogue.sv
lint ergon_top_os ergon_sequencer_os.sv ergon_array_os.sv ergon_epilogue.sv
lint ergon_norm_unit ergon_norm_gather.sv ergon_norm_scale.sv ergon_norm.sv ergon_gate.sv
for module in ergon_norm_gather ergon_norm_scale ergon_norm ergon_gate; do lint "$module"; done
