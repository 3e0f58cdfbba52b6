// SPDX-License-Identifier: Apache-2.0
// $finish, $stop, a failed assertion, a loop that does not settle: in a foreign array they are findings, and must not
// end the program. They reach dut_shim.cpp as an exception; arrays of the house have none of them.
#include "verilated.h"
#include <cstdarg>
#include <cstdio>
#include <stdexcept>
#include <string>

static void give_up(const char *what, const char *file, int line) {
  throw std::runtime_error(std::string(file && *file ? file : "?") + ":" + std::to_string(line) + ": " + what);
}

void vl_finish(const char *file, int line, const char *) VL_MT_UNSAFE {
  give_up("$finish", file, line);
}

void vl_stop(const char *file, int line, const char *) VL_MT_UNSAFE {
  give_up("$stop, $error or a failed assertion", file, line);
}

void vl_fatal(const char *file, int line, const char *, const char *message) VL_MT_UNSAFE {
  give_up(message, file, line);
}

int ergon_vl_printf(const char *format, ...) {
  va_list values;
  va_start(values, format);
  int written = vfprintf(stderr, format, values);
  va_end(values);
  return written;
}
