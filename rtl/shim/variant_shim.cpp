// SPDX-License-Identifier: Apache-2.0
// Compiled into every variant: the only code that sees a Verilated class. ERGON_ROWS, ERGON_COLS, ERGON_WEIGHT_BITS,
// ERGON_ACTIVATION_BITS and ERGON_ACC_BITS come from the build (build.c).
#include "Vergon_top.h"
#include "observe.hpp"
#include "pack.hpp"
#include "variant.h"
#include "verilated.h"
#include "waveform.hpp"
#if VM_COVERAGE
#include "verilated_cov.h"
#include <fstream>
#endif
#include <memory>

namespace {

using ergon::get;
using ergon::put;

struct Model {
  VerilatedContext context;
  ergon::Waveform waveform{context};
  std::unique_ptr<Vergon_top> top{new Vergon_top{&context}};
  ergon::Observer observer;
  uint64_t edges = 0; // since the reset
  erg_rtl_request request{};
  int32_t row[ERGON_COLS] = {};

  void edge() {
    top->clk_i = 0;
    top->eval();
    observer.before(*top);
    waveform.step(*top, edges, false);
    top->clk_i = 1;
    top->eval();
    observer.after(*top);
    waveform.step(*top, edges++, true);
    request = {top->w_req_o != 0, top->w_row_o, top->a_req_o != 0, top->c_req_o != 0, top->r_req_o != 0};
  }
};

// A port that only the output-stationary array has.
template <typename Top> auto set_steps(Top &top, int steps, int) -> decltype(top.k_steps_i, void()) {
  top.k_steps_i = static_cast<uint32_t>(steps);
}
template <typename Top> void set_steps(Top &, int, long) {}

// Ports that only the scalable array has.
template <typename Top> auto set_widths(Top &top, const erg_rtl_layer &layer, int) -> decltype(top.w_log_i, void()) {
  top.w_log_i = static_cast<uint8_t>(layer.weight_slices_log2);
  top.a_log_i = static_cast<uint8_t>(layer.activation_slices_log2);
}
template <typename Top> void set_widths(Top &, const erg_rtl_layer &, long) {}

// The port by which one fault of a netlist is chosen that holds many (yosys: mutate -ctrl); 0 chooses none.
template <typename Top> auto set_mutation(Top &top, int mutation, int) -> decltype(top.mutsel, void()) {
  top.mutsel = static_cast<uint8_t>(mutation);
}
template <typename Top> void set_mutation(Top &, int, long) {}

Model *model_of(void *model) {
  return static_cast<Model *>(model);
}
const Model *model_of(const void *model) {
  return static_cast<const Model *>(model);
}

void *create(int seed) {
  Model *model = new Model;
  set_mutation(*model->top, seed, 0);
  model->top->eval(); // constant outputs settle
  return model;
}
void destroy(void *model) {
  delete model_of(model);
}

void start(void *model, const erg_rtl_layer *layer) {
  Model &m = *model_of(model);
  constexpr uint32_t level = (1u << 17) - 1; // ergon_pkg::LevelBits
  m.top->zero_point_i = static_cast<uint32_t>(layer->zero_point) & level;
  m.top->low_i = static_cast<uint32_t>(layer->low) & level;
  m.top->high_i = static_cast<uint32_t>(layer->high) & level;
  m.top->res_en_i = layer->residual;
  m.top->res_zero_point_i = static_cast<uint32_t>(layer->residual_zero_point) & level;
  m.top->res_mult_i = static_cast<uint32_t>(layer->residual_multiplier);
  m.top->res_t_i = static_cast<uint8_t>(layer->residual_t);
  set_widths(*m.top, *layer, 0);
  m.top->w_valid_i = m.top->a_valid_i = m.top->c_valid_i = m.top->r_valid_i = 0;
  m.top->rst_ni = 0;
  m.edge();
  m.edge();
  m.top->rst_ni = 1;
  m.edges = 1; // the first edge of a driver
  m.observer.reset();
}

const erg_rtl_request *requests(const void *model) {
  return &model_of(model)->request;
}

const int32_t *clock_edge(void *model, const erg_rtl_supply *supply) {
  Model &m = *model_of(model);
  Vergon_top &top = *m.top;
  top.w_valid_i = supply->weights != nullptr;
  if (supply->weights) put<ERGON_WEIGHT_WORD_BITS>(top.w_data_i, supply->weights, ERGON_COLS);
  if (supply->weights && supply->fold) {
    top.m_rows_i = static_cast<uint32_t>(supply->fold->m_rows);
    top.k_first_i = supply->fold->k_first;
    top.k_last_i = supply->fold->k_last;
    top.last_i = supply->fold->last;
    set_steps(top, supply->fold->k_steps, 0);
  }
  top.a_valid_i = supply->activations != nullptr;
  if (supply->activations) put<ERGON_ACTIVATION_WORD_BITS>(top.a_data_i, supply->activations, ERGON_ROWS);
  top.c_valid_i = supply->bias != nullptr;
  if (supply->bias) {
    put<ERGON_ACC_BITS>(top.bias_i, supply->bias, ERGON_COLS);
    put<32>(top.mult_i, supply->multiplier, ERGON_COLS);
    put<6>(top.t_i, supply->t, ERGON_COLS);
  }
  top.r_valid_i = supply->residuals != nullptr;
  if (supply->residuals) put<ERGON_ACTIVATION_BITS>(top.r_data_i, supply->residuals, ERGON_COLS);
  m.edge();
  if (!top.y_valid_o) return nullptr;
  m.observer.row_left();
  get<ERGON_OUTPUT_BITS>(top.y_o, m.row, ERGON_COLS);
  return m.row;
}

bool done(const void *model) {
  return model_of(model)->top->done_o;
}
uint64_t cycles(const void *model) {
  return model_of(model)->top->cycles_o;
}
uint64_t gap_cycles(const void *model) {
  return model_of(model)->top->frozen_o;
}
int epilogue_depth(const void *model) {
  return model_of(model)->top->epilogue_depth_o;
}

#if ERGON_LOOK
const int64_t *sums(const void *model) {
  return model_of(model)->observer.sums();
}
const erg_rtl_toggles *toggles(const void *model) {
  return model_of(model)->observer.toggles();
}
#else
constexpr decltype(ergon_variant_api::sums) sums = nullptr;
constexpr decltype(ergon_variant_api::toggles) toggles = nullptr;
#endif
void waves(void *model, const char *path, uint64_t first_edge, uint64_t last_edge) {
  model_of(model)->waveform.choose(path, first_edge, last_edge);
}
#if VM_COVERAGE
bool coverage(void *model, const char *path) {
  try {
    model_of(model)->context.coveragep()->write(path);
  } catch (const std::exception &) { // a folder that is not there
    return false;
  }
  return std::ifstream(path).good();
}
#else
constexpr decltype(ergon_variant_api::coverage) coverage = nullptr;
#endif
bool waves_end(void *model) {
  return model_of(model)->waveform.close();
}

} // namespace

// SystemC-free Verilated code still asks for a time stamp.
double sc_time_stamp() {
  return 0;
}

extern "C" __attribute__((visibility("default")))
const ergon_variant_api ergon_variant = {create,
                                         destroy,
                                         start,
                                         requests,
                                         clock_edge,
                                         done,
                                         cycles,
                                         gap_cycles,
                                         epilogue_depth,
                                         nullptr,
                                         nullptr,
                                         sums,
                                         toggles,
                                         ergon::kWaveform ? waves : nullptr,
                                         ergon::kWaveform ? waves_end : nullptr,
                                         coverage};
