/* SPDX-License-Identifier: GPL-3.0-or-later */
/** \file quant.h
 *  The accuracy axis: what each bit costs in accuracy, beside what it costs in joules. */
#ifndef ERGON_QUANT_H
#define ERGON_QUANT_H

#include "ergon/assign.h"
#include "ergon/checkpoint.h"
#include "ergon/coded.h"
#include "ergon/confidence.h"
#include "ergon/data.h"
#include "ergon/encoder.h"
#include "ergon/energy_table.h"
#include "ergon/qat.h"
#include "ergon/quantized.h"
#include "ergon/retrieval.h"
#include "ergon/sens.h"
#include "ergon/study.h"
#include "ergon/tape.h"
#include "ergon/train.h"
#include "ergon/training_memory.h"
#include "ergon/weights.h"

#endif
