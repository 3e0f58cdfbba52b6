// SPDX-License-Identifier: Apache-2.0
// Compiled into every variant that holds a foreign array: puts the ports of rtl/dut_template.sv, each with a handshake
// of its own, behind the requests that the drivers of the house know. An operand waits in a register for the array to
// take it; a register that is empty asks for the next.
#include "Vdut.h"
#include "pack.hpp"
#include "variant.h"
#include "verilated.h"
#include "waveform.hpp"
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using ergon::get;
using ergon::put;

constexpr int kTail = 64;                // edges after the last row in which a further one is noticed
constexpr uint32_t kIdleLimit = 1 << 20; // edges without a beat before the array is called hung

// One input port: a beat that waits, for `late` cycles unseen.
struct Port {
  bool full = false;
  int late = 0;
  bool valid() const { return full && late == 0; }
};

struct Fold {
  int rows;
  bool k_first, k_last, last;
};

struct Model {
  VerilatedContext context;
  ergon::Waveform waveform{context};
  std::unique_ptr<Vdut> top;
  uint64_t edges = 0; // since the reset
  erg_rtl_request request{};
  erg_rtl_layer layer{};
  std::vector<Fold> folds; // whose weight row 0 has been given
  Port weight, activation, constant, residual;
  int weight_row = 0;                 // next to be given
  size_t streamed = 0, constants = 0; // folds: the one whose activations are given, the next to get constants
  int given = 0, taken_rows = 0;      // activation rows of folds[streamed] given and taken
  // output rows; rows_all: once the last fold is known
  int64_t residuals = 0, ready_rows = 0, rows_out = 0, rows_all = -1;
  uint64_t cycles = 0, gaps = 0;
  bool started = false;
  uint32_t idle = 0;
  double gap_probability = 0;
  std::mt19937_64 random;
  std::string fault;
  int32_t row[ERGON_COLS] = {};
  int64_t sums[ERGON_COLS] = {};

  explicit Model(int seed) {
    context.randReset(2);
    context.randSeed(seed + 1); // 0 would be taken from the clock
    Verilated::threadContextp(&context);
    top.reset(new Vdut{&context});
  }

  bool done() const { return rows_all >= 0 && rows_out == rows_all; }

  void settle() {
    top->clk_i = 0;
    top->eval();
    waveform.step(*top, edges, false);
  }
  void edge() {
    top->clk_i = 1;
    top->eval();
    waveform.step(*top, edges++, true);
  }

  void ask() {
    bool more_weights = folds.empty() || !folds.back().last || weight_row > 0;
    bool room = weight_row > 0 || folds.size() - streamed < 2;
    request = {};
    if (!fault.empty() || done()) return;
    request.weight = !weight.full && more_weights && room;
    request.weight_row = weight_row;
    request.activation = !activation.full && streamed < folds.size() && given < folds[streamed].rows;
    while (constants < folds.size() && !folds[constants].k_last) constants++;
    bool begun = constants < streamed || (constants == streamed && taken_rows > 0);
    request.constants = !constant.full && constants < folds.size() && begun;
    request.residual = layer.residual && !residual.full && residuals < ready_rows;
  }

  void offer(Port &port) {
    port.full = true;
    port.late = 0;
    while (gap_probability > 0 && random() / 18446744073709551616.0 < gap_probability && port.late < 1000) port.late++;
  }

  void give(const erg_rtl_supply &supply) {
    if (request.weight) {
      put<ERGON_WEIGHT_BITS>(top->w_data_i, supply.weights, ERGON_COLS);
      if (weight_row == 0) {
        const erg_rtl_fold &f = *supply.fold;
        folds.push_back({f.m_rows, f.k_first, f.k_last, f.last});
        top->m_rows_i = static_cast<uint32_t>(f.m_rows);
        top->k_first_i = f.k_first;
        top->k_last_i = f.k_last;
        top->last_i = f.last;
        if (f.last) {
          rows_all = 0;
          for (const Fold &fold : folds) rows_all += fold.k_last ? fold.rows : 0;
        }
      }
      weight_row = (weight_row + 1) % ERGON_ROWS;
      offer(weight);
    }
    if (request.activation) {
      put<ERGON_ACTIVATION_BITS>(top->a_data_i, supply.activations, ERGON_ROWS);
      given++;
      offer(activation);
    }
    if (request.constants) {
      put<ERGON_ACC_BITS>(top->bias_i, supply.bias, ERGON_COLS);
      put<32>(top->mult_i, supply.multiplier, ERGON_COLS);
      put<6>(top->t_i, supply.t, ERGON_COLS);
      constants++;
      offer(constant);
    }
    if (request.residual) {
      put<ERGON_ACTIVATION_BITS>(top->r_data_i, supply.residuals, ERGON_COLS);
      residuals++;
      offer(residual);
    }
  }

  void show_valid() {
    top->w_valid_i = weight.valid();
    top->a_valid_i = activation.valid();
    top->c_valid_i = constant.valid();
    top->r_valid_i = residual.valid();
  }

  void activation_taken() {
    if (folds[streamed].k_last) ready_rows++;
    if (++taken_rows == folds[streamed].rows) streamed++, taken_rows = given = 0;
  }

  // The row that stands at the outputs before the coming edge.
  bool take_row() {
    if (!top->y_valid_o) return false;
    // An array without registers may give the row in the very cycle it takes its activations.
    bool now = activation.valid() && top->a_ready_o && folds[streamed].k_last;
    if (rows_out >= ready_rows + now) {
      fault = "y_valid_o is high for output row " + std::to_string(rows_out) +
              " before the activation row it is made of has been taken";
      return false;
    }
    get<ERGON_ACTIVATION_BITS>(top->y_o, row, ERGON_COLS);
#ifdef ERGON_DUT_SUMS
    get<ERGON_ACC_BITS>(top->acc_o, sums, ERGON_COLS);
#endif
    rows_out++;
    return true;
  }

  // Says which operands wait, so that one need not guess where an array stands still.
  void note_idle(bool beat) {
    idle = beat ? 0 : idle + 1;
    if (idle < kIdleLimit) return;
    fault = "hangs: " + std::to_string(idle) + " cycles without a beat on any port; " + std::to_string(rows_out) +
            " output rows came; offered and not taken:";
    std::string first = fault;
    if (weight.full)
      fault += " w (row " + std::to_string((weight_row + ERGON_ROWS - 1) % ERGON_ROWS) + " of fold " +
               std::to_string(folds.size() - 1) + ")";
    if (activation.full)
      fault += " a (row " + std::to_string(taken_rows) + " of fold " + std::to_string(streamed) + ")";
    if (constant.full) fault += " c (of fold " + std::to_string(constants - 1) + ")";
    if (residual.full) fault += " r (output row " + std::to_string(residuals - 1) + ")";
    if (fault == first) fault += " nothing, all operands are in and output rows are missing";
  }

  // Nothing is left to do: a row now would be one too many.
  void watch_tail() {
    weight.full = activation.full = constant.full = residual.full = false;
    show_valid();
    for (int i = 0; i < kTail && fault.empty(); i++) {
      settle();
      if (top->y_valid_o) fault = "y_valid_o is high again after the last output row";
      edge();
    }
  }

  const int32_t *clock(const erg_rtl_supply &supply) {
    bool all = (!request.weight || supply.weights) && (!request.activation || supply.activations) &&
               (!request.constants || supply.bias) && (!request.residual || supply.residuals);
    if (all) give(supply);
    show_valid();
    settle();
    bool row_came = take_row();
    bool ended = done();
    const Port *hidden[] = {&weight, &activation, &constant, &residual};
    bool late = !all;
    for (const Port *port : hidden) late |= port->full && port->late > 0;
    bool w = weight.valid() && top->w_ready_o, a = activation.valid() && top->a_ready_o;
    bool c = constant.valid() && top->c_ready_o, r = residual.valid() && top->r_ready_o;
    edge();
    for (Port *port : {&weight, &activation, &constant, &residual}) port->late -= port->late > 0;
    started |= w || a;
    if (started && !ended) cycles++, gaps += late;
    if (w) weight.full = false;
    if (a) activation.full = false, activation_taken();
    if (c) constant.full = false;
    if (r) residual.full = false;
    note_idle(w || a || c || r || row_came);
    if (ended) watch_tail();
    ask();
    return row_came ? row : nullptr;
  }
};

Model *model_of(void *model) {
  return static_cast<Model *>(model);
}
const Model *model_of(const void *model) {
  return static_cast<const Model *>(model);
}

void *create(int seed) {
  return new Model(seed);
}
void destroy(void *model) {
  delete model_of(model);
}

void reset(Model &m) {
  constexpr uint32_t level = (1u << 17) - 1;
  Vdut &top = *m.top;
  top.zero_point_i = static_cast<uint32_t>(m.layer.zero_point) & level;
  top.low_i = static_cast<uint32_t>(m.layer.low) & level;
  top.high_i = static_cast<uint32_t>(m.layer.high) & level;
  top.res_en_i = m.layer.residual;
  top.res_zero_point_i = static_cast<uint32_t>(m.layer.residual_zero_point) & level;
  top.res_mult_i = static_cast<uint32_t>(m.layer.residual_multiplier);
  top.res_t_i = static_cast<uint8_t>(m.layer.residual_t);
  m.show_valid();
  top.rst_ni = 0;
  for (int i = 0; i < 2; i++) m.settle(), m.edge();
  top.rst_ni = 1;
  m.edges = 1; // the first edge of a driver
}

void start(void *model, const erg_rtl_layer *layer) {
  Model &m = *model_of(model);
  Verilated::threadContextp(&m.context);
  m.layer = *layer;
  m.folds.clear();
  m.weight = m.activation = m.constant = m.residual = Port{};
  m.weight_row = m.given = m.taken_rows = 0;
  m.streamed = m.constants = 0;
  m.residuals = m.ready_rows = m.rows_out = 0;
  m.rows_all = -1;
  m.cycles = m.gaps = 0;
  m.started = false;
  m.idle = 0;
  m.fault.clear();
  try {
    reset(m);
  } catch (const std::exception &fault) {
    m.fault = fault.what();
  }
  m.ask();
}

const erg_rtl_request *requests(const void *model) {
  return &model_of(model)->request;
}

const int32_t *clock_edge(void *model, const erg_rtl_supply *supply) {
  Model &m = *model_of(model);
  if (!m.fault.empty()) return nullptr;
  Verilated::threadContextp(&m.context);
  try {
    return m.clock(*supply);
  } catch (const std::exception &fault) { // vlrt_user.cpp: $finish, a failed assertion, a loop that does not settle
    m.fault = fault.what();
  }
  m.ask();
  return nullptr;
}

bool done(const void *model) {
  return model_of(model)->done();
}
uint64_t cycles(const void *model) {
  return model_of(model)->cycles;
}
uint64_t gap_cycles(const void *model) {
  return model_of(model)->gaps;
}
int epilogue_depth(const void *) {
  return 0;
}
const char *fault(const void *model) {
  const Model &m = *model_of(model);
  return m.fault.empty() ? nullptr : m.fault.c_str();
}
void gaps(void *model, double probability, uint64_t seed) {
  model_of(model)->gap_probability = probability;
  model_of(model)->random.seed(seed);
}
#ifdef ERGON_DUT_SUMS
const int64_t *sums(const void *model) {
  return model_of(model)->sums;
}
#else
constexpr decltype(ergon_variant_api::sums) sums = nullptr;
#endif

void waves(void *model, const char *path, uint64_t first_edge, uint64_t last_edge) {
  model_of(model)->waveform.choose(path, first_edge, last_edge);
}
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
                                         fault,
                                         gaps,
                                         sums,
                                         nullptr,
                                         ergon::kWaveform ? waves : nullptr,
                                         ergon::kWaveform ? waves_end : nullptr};
