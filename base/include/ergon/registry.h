/* SPDX-License-Identifier: Apache-2.0 */
/** \file registry.h
 *  Registries without a list to edit: an item is one file that registers itself. The linker gathers pointers in a
 *  section per kind, so there are no constructors and nothing mutable. Rooms are OBJECT libraries, because a static
 *  library would silently drop a file that nobody names.
 *
 *      typedef struct { const char *name; ... } erg_thing;
 *      ERG_REGISTRY(erg_thing)                       // header: declares the section's ends
 *      static const erg_thing conv = {...};
 *      ERG_REGISTER(erg_thing, conv);                // source
 *      ERG_EACH(erg_thing, item) puts((*item)->name);
 */
#ifndef ERGON_REGISTRY_H
#define ERGON_REGISTRY_H

#define ERG_REGISTRY(type) extern const type *const __start_##type[] __attribute__((weak, visibility("hidden"))); \
                           extern const type *const __stop_##type[] __attribute__((weak, visibility("hidden")));
#define ERG_REGISTER(type, item) \
  static const type *const erg_registered_##item __attribute__((section(#type), used)) = &item
#define ERG_EACH(type, it) for (const type *const *it = __start_##type; it < __stop_##type; it++)

#endif
