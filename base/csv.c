/* SPDX-License-Identifier: Apache-2.0 */
#include "ergon/base.h"
#include <string.h>

void erg_csv_text(FILE *stream, const char *text, bool first) {
  if (!first) fputc(',', stream);
  if (!strpbrk(text, ",\"\r\n")) {
    fputs(text, stream);
    return;
  }
  fputc('"', stream);
  for (; *text; text++) {
    if (*text == '"') fputc('"', stream);
    fputc(*text, stream);
  }
  fputc('"', stream);
}
