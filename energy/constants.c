/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One constant of a technology. What it does not cover is refused with what it does cover, never borrowed. */
#include "technology.h"
#include <math.h>
#include <string.h>

/* The most specific constant that holds: 2 = both widths named, 0 = any width, -1 = does not hold. */
static int fit_of(const erg_op_constant *c, erg_op_kind kind, const erg_precision *p) {
  if (c->op != (int)kind || c->format != (int)p->format) return -1;
  if (p->format != ERG_FORMAT_INT) return 2;
  if (c->weight_bits && c->weight_bits != p->weight_bits) return -1;
  if (c->activation_bits && c->activation_bits != p->activation_bits) return -1;
  return (c->weight_bits != 0) + (c->activation_bits != 0);
}

static const erg_op_constant *find_op(const erg_technology *t, erg_op_kind kind, const erg_precision *p) {
  const erg_op_constant *constants = t->operations.items, *best = NULL;
  int best_fit = -1;
  for (int i = 0; i < t->operations.count; i++) {
    int fit = fit_of(&constants[i], kind, p);
    if (fit > best_fit) {
      best_fit = fit;
      best = &constants[i];
    }
  }
  return best;
}

#define COVERED_BYTES 512
typedef struct {
  char text[COVERED_BYTES];
} covered;

static void cover(covered *list, const char *format, int w, int a) {
  char item[64];
  if (strcmp(format, "int") != 0)
    snprintf(item, sizeof item, "%s", format);
  else if (!w && !a)
    snprintf(item, sizeof item, "int of any width");
  else if (w == a)
    snprintf(item, sizeof item, "int%d", w);
  else
    snprintf(item, sizeof item, "%s%.0d%s%.0d", w ? "w" : "any weight, ", w, a ? "a" : ", any activation", a);
  size_t used = strlen(list->text);
  snprintf(list->text + used, COVERED_BYTES - used, "%s%s", used ? ", " : "", item);
}

/* "int8, fp32": the formats a constant of this kind is stated in. */
static const char *formats_of(const erg_technology *t, erg_op_kind kind, bool area, covered *list) {
  const erg_op_constant *constants = t->operations.items;
  list->text[0] = 0;
  for (int i = 0; i < t->operations.count; i++)
    if (constants[i].op == (int)kind && (!area || constants[i].area_um2 > 0))
      cover(list, erg_format_name((erg_format)constants[i].format), (int)constants[i].weight_bits,
            (int)constants[i].activation_bits);
  if (kind == ERG_OP_MAC && !area && t->has_width_law) {
    size_t used = strlen(list->text);
    snprintf(list->text + used, COVERED_BYTES - used, "%sint of %d to %d bits by its width law", used ? ", " : "",
             (int)t->width_law.min_bits, (int)t->width_law.max_bits);
  }
  return *list->text ? list->text : "no format";
}

/* E_PE(w, a) of docs/energy.md, in pJ. */
static double law_pj(const erg_width_law *law, double w, double a) {
  return (law->c2_fj * w * a + law->c1_fj * (w + a) / 2 + law->c0_fj) * 1e-3;
}

static bool law_holds(const erg_technology *t, const erg_precision *p) {
  const erg_width_law *law = &t->width_law;
  return t->has_width_law && p->format == ERG_FORMAT_INT && p->weight_bits >= law->min_bits &&
         p->activation_bits >= law->min_bits && p->weight_bits <= law->max_bits && p->activation_bits <= law->max_bits;
}

/* Accumulator bits beyond those that a MAC of these widths has anyway. A narrower one is not credited: no source says
 * what it saves. */
static int extra_accumulator_bits(const erg_precision *p) {
  int own = p->weight_bits + p->activation_bits <= 16 ? 32 : 48;
  return p->accumulator_bits > own ? p->accumulator_bits - own : 0;
}

erg_status erg_price_op(const erg_technology *t, erg_op_kind kind, const erg_precision *p, erg_op_price *out,
                        erg_error *error) {
  static const erg_precision int8 = {ERG_FORMAT_INT, 8, 8, 32, 8};
  erg_op_price price = {.constant = find_op(t, kind, p)};
  if (price.constant) {
    price.pj = price.constant->pj;
    if (price.constant->follows_anchor) price.anchor = find_op(t, kind, &int8); /* technology_check.c made sure of it */
  } else if (kind == ERG_OP_MAC && law_holds(t, p)) {
    price.law = &t->width_law;
    price.pj = law_pj(price.law, p->weight_bits, p->activation_bits);
    if (price.law->scaled_to_anchor) {
      price.anchor = find_op(t, kind, &int8);
      price.pj *= price.anchor->pj / law_pj(price.law, 8, 8);
    }
  } else {
    char name[32];
    covered list;
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "%s has no constant for %s in %s; it has one for %s", t->name,
                    erg_op_kind_names[kind], erg_precision_name(p, name), formats_of(t, kind, false, &list));
  }
  if (kind == ERG_OP_MAC && p->format == ERG_FORMAT_INT && t->width_law.accumulator_fj_per_bit > 0) {
    price.extra_accumulator_bits = extra_accumulator_bits(p);
    if (price.extra_accumulator_bits)
      price.pj += t->width_law.accumulator_fj_per_bit * price.extra_accumulator_bits * 1e-3;
  }
  price.pj *= t->scale;
  *out = price;
  return ERG_OK;
}

erg_status erg_technology_op_pj(const erg_technology *t, erg_op_kind kind, const erg_precision *p, double *pj,
                                const erg_op_constant **constant, bool *by_law, erg_error *error) {
  erg_op_price price = {0};
  erg_status status = erg_price_op(t, kind, p, &price, error);
  if (status != ERG_OK) return status;
  *pj = price.pj;
  if (constant) *constant = price.constant ? price.constant : price.anchor;
  if (by_law) *by_law = price.law != NULL;
  return ERG_OK;
}

erg_status erg_technology_mac_area(const erg_technology *t, const erg_precision *p, double *um2, erg_error *error) {
  const erg_op_constant *found = find_op(t, ERG_OP_MAC, p);
  if (!found || found->area_um2 <= 0) {
    char name[32];
    covered list;
    return erg_fail(error, ERG_ERR_UNSUPPORTED, "%s states no area for a mac in %s; it states one for %s", t->name,
                    erg_precision_name(p, name), formats_of(t, ERG_OP_MAC, true, &list));
  }
  *um2 = found->area_um2;
  return ERG_OK;
}

static const erg_memory_constant *find_memory(const erg_technology *t, erg_memory_kind kind) {
  const erg_memory_constant *memories = t->memories.items;
  if (kind == ERG_MEMORY_DRAM && t->dram_part) return t->dram_part;
  for (int i = 0; i < t->memories.count; i++)
    if (memories[i].kind == (int)kind) return &memories[i];
  return NULL;
}

static erg_status no_memory(const erg_technology *t, erg_memory_kind kind, erg_error *error) {
  const erg_memory_constant *memories = t->memories.items;
  char kinds[64] = "";
  for (int i = 0; i < t->memories.count; i++) {
    size_t used = strlen(kinds);
    snprintf(kinds + used, sizeof kinds - used, "%s%s", i ? ", " : "", erg_memory_kind_names[memories[i].kind]);
  }
  return erg_fail(error, ERG_ERR_UNSUPPORTED, "%s has no constant for %s memory; it has one for %s", t->name,
                  erg_memory_kind_names[kind], *kinds ? kinds : "none");
}

erg_status erg_price_bit(const erg_technology *t, erg_memory_kind kind, double bank_bytes, double word_bits,
                         erg_bit_price *out, erg_error *error) {
  erg_bit_price price = {0};
  if (kind == ERG_MEMORY_SRAM && t->sram_table) {
    erg_status status = erg_sram_lookup(t, ERG_SRAM_READ_PJ_PER_BIT, bank_bytes, word_bits, &price.read_pj, error);
    if (status == ERG_OK)
      status = erg_sram_lookup(t, ERG_SRAM_WRITE_PJ_PER_BIT, bank_bytes, word_bits, &price.write_pj, error);
    if (status == ERG_OK) *out = price;
    return status;
  }
  const erg_memory_constant *found = price.constant = find_memory(t, kind);
  if (!found) return no_memory(t, kind, error);
  price.read_pj = found->pj_per_bit;
  if (kind == ERG_MEMORY_SRAM) {
    if (!(bank_bytes >= found->min_bytes && bank_bytes <= found->max_bytes))
      return erg_fail(error, ERG_ERR_UNSUPPORTED,
                      "%s: its sram law holds for banks of %.0f to %.0f bytes, not of %.0f; change capacity or banks",
                      t->name, found->min_bytes, found->max_bytes, bank_bytes);
    price.read_pj *= pow(bank_bytes / found->reference_bytes, found->exponent);
  }
  if (kind != ERG_MEMORY_DRAM) price.read_pj *= t->scale;
  price.write_pj = price.read_pj;
  *out = price;
  return ERG_OK;
}

erg_status erg_technology_bit_pj(const erg_technology *t, erg_memory_kind kind, double bank_bytes, double *pj_per_bit,
                                 const erg_memory_constant **constant, erg_error *error) {
  erg_bit_price price = {0};
  erg_status status = erg_price_bit(t, kind, bank_bytes, 64, &price, error);
  if (status != ERG_OK) return status;
  *pj_per_bit = (price.read_pj + price.write_pj) / 2;
  if (constant) *constant = price.constant;
  return ERG_OK;
}
