/* SPDX-License-Identifier: Apache-2.0 */
/* oneDNN's functions, found at run time: a machine without the library still has the other paths. */
#ifndef ERGON_KERNELS_ONEDNN_H
#define ERGON_KERNELS_ONEDNN_H
#include <oneapi/dnnl/dnnl.h>

#define ERG_ONEDNN_FUNCTIONS(F)                                                                                        \
  F(gemm_u8s8s32)                                                                                                      \
  F(engine_create)                                                                                                     \
  F(stream_create)                                                                                                     \
  F(stream_wait)                                                                                                       \
  F(stream_destroy)                                                                                                    \
  F(memory_desc_init_by_tag)                                                                                           \
  F(memory_create)                                                                                                     \
  F(memory_set_data_handle)                                                                                            \
  F(memory_destroy)                                                                                                    \
  F(primitive_attr_create)                                                                                             \
  F(primitive_attr_set_zero_points)                                                                                    \
  F(primitive_attr_destroy)                                                                                            \
  F(dilated_convolution_forward_desc_init)                                                                             \
  F(primitive_desc_create)                                                                                             \
  F(primitive_desc_query_md)                                                                                           \
  F(primitive_desc_destroy)                                                                                            \
  F(reorder_primitive_desc_create)                                                                                     \
  F(primitive_create)                                                                                                  \
  F(primitive_execute)                                                                                                 \
  F(primitive_destroy)

#define ERG_ONEDNN_FIELD(name) __typeof__(dnnl_##name) *name;
typedef struct { ERG_ONEDNN_FUNCTIONS(ERG_ONEDNN_FIELD) } erg_onednn_functions;
/* Filled before anything but erg_onednn_unavailable runs. */
extern erg_onednn_functions erg_onednn;
/* Of the process. */
extern dnnl_engine_t erg_onednn_engine;
#endif
