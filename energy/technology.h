/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside the energy room: what the reader of technology files and its checks share. */
#ifndef ERGON_ENERGY_TECHNOLOGY_H
#define ERGON_ENERGY_TECHNOLOGY_H

#include "ergon/energy.h"

/** Faults that single fields cannot show: contradictions, duplicates, constants without an explanation. */
void erg_technology_check(const erg_technology *technology, erg_error *error);
/** Finds the DRAM part and the SRAM table that the file names (parts.c). */
erg_status erg_technology_parts(erg_technology *technology, erg_error *error);
/** Takes what is not stated from the technology that `extends` names (extends.c). */
erg_status erg_technology_extend(erg_technology *technology, erg_error *error);
/** The factor of voltage and node scaling, refused outside its stated validity (scaling.c). */
erg_status erg_technology_scale(erg_technology *technology, erg_error *error);
extern const erg_record erg_memory_record;

/** The constants a price was made of. */
typedef struct {
  double pj;
  const erg_op_constant *constant; /* NULL: the law itself */
  const erg_width_law *law;        /* NULL: not used for the widths */
  const erg_op_constant *anchor;   /* of a ratio, or NULL */
  int extra_accumulator_bits;      /* charged beside */
} erg_op_price;
erg_status erg_price_op(const erg_technology *technology, erg_op_kind kind, const erg_precision *precision,
                        erg_op_price *out, erg_error *error);
typedef struct {
  double read_pj, write_pj; /* a bit */
  const erg_memory_constant *constant; /* NULL: the SRAM table */
} erg_bit_price;
erg_status erg_price_bit(const erg_technology *technology, erg_memory_kind kind, double bank_bytes, double word_bits,
                         erg_bit_price *out, erg_error *error);

/* erg_itemise; without explanation items have no `how` and no factors. */
erg_status erg_itemise_as(const erg_technology *technology, const erg_price_machine *machine,
                          const erg_activity *activity, const erg_precision *precision,
                          const erg_precision *mac_precision, erg_item_sink sink, void *context, bool explains,
                          erg_error *error);

#endif
