/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one table of passes: what each fusion choice makes of a node, and what a pass reads and writes per element.
 * plan.c builds passes from it, `--explain-fusion` and docs/fusion.md print it. b: activation width; A: accumulator
 * width; in a floating format both are the storage width and there is no requantize pass. */
#include "ergon/workloads.h"
#include <string.h>

const char *const erg_fusion_names[] = {"wide", "none", "fold", "epilogue", "depth", NULL};

static const erg_fusion_rule rules[] = {
    {ERG_FUSION_WIDE, "array", "b", "A", true, "sums leave the array unnarrowed"},
    {ERG_FUSION_WIDE, "batch_norm", "A", "A", true, "a pass over wide maps"},
    {ERG_FUSION_WIDE, "requantize", "A", "b", true, "narrows behind the batch norm, or behind the array"},
    {ERG_FUSION_WIDE, "norm", "b (instance norm 2b)", "b", true, "statistics first, so a map is read twice"},
    {ERG_FUSION_WIDE, "gate", "b", "b", true, "a pass of its own"},
    {ERG_FUSION_WIDE, "clamp", "b", "b", true, "a pass of its own"},
    {ERG_FUSION_WIDE, "add", "2b", "b", true, "a pass of its own"},
    {ERG_FUSION_WIDE, "vector", "b an input", "b", true, "pools and products are passes"},
    {ERG_FUSION_NONE, "array", "b", "b", true, "every operator narrows its own result"},
    {ERG_FUSION_NONE, "batch_norm", "b", "b", true, "a pass of its own"},
    {ERG_FUSION_NONE, "norm", "b (instance norm 2b)", "b", true, "statistics first, so a map is read twice"},
    {ERG_FUSION_NONE, "gate", "b", "b", true, "a pass of its own"},
    {ERG_FUSION_NONE, "clamp", "b", "b", true, "a pass of its own"},
    {ERG_FUSION_NONE, "add", "2b", "b", true, "a pass of its own"},
    {ERG_FUSION_NONE, "vector", "b an input", "b", true, "pools and products are passes"},
    {ERG_FUSION_FOLD, "array", "b", "b", true, "with the batch norm in its weights and bias"},
    {ERG_FUSION_FOLD, "batch_norm", "", "", false, "its statistics are constants: folded"},
    {ERG_FUSION_FOLD, "norm", "b (instance norm 2b)", "b", true, "statistics first, so a map is read twice"},
    {ERG_FUSION_FOLD, "gate", "b", "b", true, "a pass of its own"},
    {ERG_FUSION_FOLD, "clamp", "b", "b", true, "a pass of its own"},
    {ERG_FUSION_FOLD, "add", "2b", "b", true, "a pass of its own"},
    {ERG_FUSION_FOLD, "vector", "b an input", "b", true, "pools and products are passes"},
    {ERG_FUSION_EPILOGUE, "array", "b (+ b residual)", "b", true, "bias, residual and clamp in the epilogue"},
    {ERG_FUSION_EPILOGUE, "batch_norm", "", "", false, "its statistics are constants: folded"},
    {ERG_FUSION_EPILOGUE, "norm", "b", "b", true,
     "its producer's epilogue takes the statistics; what is left is a pass"},
    {ERG_FUSION_EPILOGUE, "gate", "", "", false, "a table behind the epilogue"},
    {ERG_FUSION_EPILOGUE, "clamp", "", "", false, "limits of the epilogue's clamp, or of a norm's"},
    {ERG_FUSION_EPILOGUE, "add", "", "", false, "the later producer takes it, the earlier is its residual"},
    {ERG_FUSION_EPILOGUE, "vector", "b an input", "b", true, "pools and products are passes"},
    {ERG_FUSION_DEPTH, "array", "b (+ b residual)", "b", true, "as epilogue; in a chain only its ends move off chip"},
    {ERG_FUSION_DEPTH, "batch_norm", "", "", false, "its statistics are constants: folded"},
    {ERG_FUSION_DEPTH, "norm", "b", "b", true, "its producer's epilogue takes the statistics; what is left is a pass"},
    {ERG_FUSION_DEPTH, "gate", "", "", false, "a table behind the epilogue"},
    {ERG_FUSION_DEPTH, "clamp", "", "", false, "limits of the epilogue's clamp, or of a norm's"},
    {ERG_FUSION_DEPTH, "add", "", "", false, "the later producer takes it, the earlier is its residual"},
    {ERG_FUSION_DEPTH, "vector", "b an input", "b", true, "a pass; of one input, it may be a link of a chain"},
};

const erg_fusion_rule *erg_fusion_rules(int *count) {
  *count = (int)ERG_COUNT_OF(rules);
  return rules;
}
