# SPDX-License-Identifier: GPL-3.0-or-later
# At every build: the commit that is built, "-dirty" where files differ from it, into OUT; touched only when it changes.
execute_process(COMMAND git -C ${SOURCE} describe --always --exclude=* --dirty --abbrev=12 OUTPUT_VARIABLE commit
                OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT commit)
  set(commit unknown)
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT "#define ERGON_COMMIT \"@commit@\"\n" @ONLY)
