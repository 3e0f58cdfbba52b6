# SPDX-License-Identifier: GPL-3.0-or-later
# Warnings and sanitizers for every target of the house.
add_library(ergon_options INTERFACE)
# A field that an initializer leaves out is zero, and zero is every later field's default.
target_compile_options(ergon_options INTERFACE -Wall -Wextra -Wno-missing-field-initializers
  $<$<COMPILE_LANGUAGE:C>:-Wconversion -Wstrict-prototypes>)
target_compile_definitions(ergon_options INTERFACE _GNU_SOURCE)
if(ERGON_WERROR)
  target_compile_options(ergon_options INTERFACE -Werror)
endif()
if(ERGON_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
