/* SPDX-License-Identifier: Apache-2.0 */
#include "dut.h"
#include <ctype.h>
#include <string.h>

#define MOST_PORTS 40

typedef struct {
  const char *name;
  bool output;
  int bits;
  const char *why; /* the width in words */
  bool optional;
} port;

/* The ports of rtl/dut_template.sv for one size. Returns how many. */
static int contract(const erg_rtl_config *c, port ports[MOST_PORTS]) {
  const port all[] = {
      {"clk_i", false, 1, "1"},
      {"rst_ni", false, 1, "1"},
      {"zero_point_i", false, 17, "17"},
      {"low_i", false, 17, "17"},
      {"high_i", false, 17, "17"},
      {"res_en_i", false, 1, "1"},
      {"res_zero_point_i", false, 17, "17"},
      {"res_mult_i", false, 32, "32"},
      {"res_t_i", false, 6, "6"},
      {"w_valid_i", false, 1, "1"},
      {"w_ready_o", true, 1, "1"},
      {"w_data_i", false, c->cols * c->weight_bits, "COLS*WEIGHT_BITS"},
      {"m_rows_i", false, 17, "17"},
      {"k_first_i", false, 1, "1"},
      {"k_last_i", false, 1, "1"},
      {"last_i", false, 1, "1"},
      {"a_valid_i", false, 1, "1"},
      {"a_ready_o", true, 1, "1"},
      {"a_data_i", false, c->rows * c->activation_bits, "ROWS*ACTIVATION_BITS"},
      {"c_valid_i", false, 1, "1"},
      {"c_ready_o", true, 1, "1"},
      {"bias_i", false, c->cols * c->accumulator_bits, "COLS*ACC_BITS"},
      {"mult_i", false, c->cols * 32, "COLS*32"},
      {"t_i", false, c->cols * 6, "COLS*6"},
      {"r_valid_i", false, 1, "1"},
      {"r_ready_o", true, 1, "1"},
      {"r_data_i", false, c->cols * c->activation_bits, "COLS*ACTIVATION_BITS"},
      {"y_valid_o", true, 1, "1"},
      {"y_o", true, c->cols * c->activation_bits, "COLS*ACTIVATION_BITS"},
      {"acc_o", true, c->cols * c->accumulator_bits, "COLS*ACC_BITS", true},
  };
  memcpy(ports, all, sizeof all);
  return (int)ERG_COUNT_OF(all);
}

erg_status erg_dut_explain(const char *log, const erg_rtl_config *config, erg_error *error) {
  const char *hint = "";
  if (strstr(log, "Parameters from the command line were not found"))
    hint = "\nThe top module needs the parameters ROWS, COLS, WEIGHT_BITS, ACTIVATION_BITS, ACC_BITS and ACC_DEPTH, as "
           "`ergon verify --dut-template` writes them.";
  else if (strstr(log, "--top-module"))
    hint = "\nName the top module with --top.";
  return erg_fail(error, ERG_ERR_DATA, "--dut: Verilator refuses %s:\n%s%s", config->dut_top, log, hint);
}

/* One declaration of the generated class: VL_IN8(&clk_i,0,0) or VL_OUTW(&y_o,127,0,4); `found` has its name's room. */
static bool read_port(const char *line, char name[64], bool *output, int *bits, bool *unpacked) {
  int high, low, end = 0;
  line += strspn(line, " ");
  *output = strncmp(line, "VL_OUT", 6) == 0;
  if (!*output && strncmp(line, "VL_IN", 5) != 0) return false;
  line += strcspn(line, "(") + 1;
  *unpacked = line[0] == '(';
  line += strspn(line, "(&");
  if (sscanf(line, "%63[A-Za-z0-9_$]%n", name, &end) != 1) return false;
  line += end;
  line += strcspn(line, ",");
  if (sscanf(line, ",%d,%d", &high, &low) != 2) return false;
  *bits = high - low + 1;
  return true;
}

static void check_port(const erg_rtl_config *c, const port *p, bool output, int bits, bool unpacked, erg_error *error) {
  if (unpacked)
    erg_fail(error, ERG_ERR_DATA,
             "--dut: %s: port %s: found an unpacked array; needed: one vector of %d bits (%s), element 0 at bit 0",
             c->dut_top, p->name, p->bits, p->why);
  else if (output != p->output)
    erg_fail(error, ERG_ERR_DATA, "--dut: %s: port %s: found an %s; needed: an %s", c->dut_top, p->name,
             output ? "output" : "input", p->output ? "output" : "input");
  else if (bits != p->bits)
    erg_fail(error, ERG_ERR_DATA, "--dut: %s: port %s: found %d bits; needed: %d (%s)", c->dut_top, p->name, bits,
             p->bits, p->why);
}

erg_status erg_dut_check_ports(erg_arena *arena, const char *folder, const erg_rtl_config *config, bool *shows_sums,
                               erg_error *error) {
  port ports[MOST_PORTS];
  bool met[MOST_PORTS] = {false};
  char *text, name[64];
  int count = contract(config, ports), bits;
  bool output, unpacked;
  erg_error faults = {0};
  erg_status status = erg_file_read(arena, erg_arena_printf(arena, "%s/cpp/Vdut.h", folder), &text, NULL, error);
  if (status != ERG_OK) return status;
  for (char *line; (line = strsep(&text, "\n"));) {
    if (!read_port(line, name, &output, &bits, &unpacked)) continue;
    int i = 0;
    while (i < count && strcmp(ports[i].name, name) != 0) i++;
    if (i < count) {
      met[i] = true;
      check_port(config, &ports[i], output, bits, unpacked, &faults);
    } else if (!output) { /* nothing would drive it; a further output does no harm */
      erg_fail(&faults, ERG_ERR_DATA, "--dut: %s: port %s: an input that the contract does not know (%d bits)",
               config->dut_top, name, bits);
    }
  }
  for (int i = 0; i < count; i++) {
    if (!met[i] && !ports[i].optional)
      erg_fail(&faults, ERG_ERR_DATA, "--dut: %s: port %s is missing; needed: an %s of %d bits (%s)", config->dut_top,
               ports[i].name, ports[i].output ? "output" : "input", ports[i].bits, ports[i].why);
    if (ports[i].optional) *shows_sums = met[i];
  }
  status = faults.status;
  if (status != ERG_OK)
    erg_fail(error, status, "%s\n`ergon verify --dut-template` writes a module with all ports of the contract.",
             faults.text);
  erg_error_clear(&faults);
  return status;
}
