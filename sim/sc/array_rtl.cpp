// SPDX-License-Identifier: GPL-3.0-or-later
// The Verilated array inside the SystemC machine. This thread owns its clock: each cycle it looks at what the array
// asks for, takes it from the scratchpads' bytes and gives one edge. Asked for and not there means frozen. Clocking
// stops at done_o, never at a computed number.
#include "bits.hpp"
#include "machine.hpp"
#include <algorithm>
#include <stdexcept>

namespace ergon {
namespace {

constexpr uint64_t kFrozenLimit = 1u << 20; // edges without progress before the run is called hung

// Constants and residual rows of a step are needed R + C + E cycles after its activations: they wait in a FIFO, so that
// the scratchpad slot does not.
struct Drain {
  std::vector<int64_t> bias;
  std::vector<int32_t> multiplier, t;
  std::vector<int16_t> residual;
};

} // namespace

class Feeder {
public:
  Feeder(const Job &job, const Place places[], Memory *const levels[])
      : job_(job), g_(*job.g), places_(places), levels_(levels) {
    int group_channels = g_.in_c / g_.groups;
    taps_.resize(job.reduction);
    for (int64_t k = 0; k < job.reduction; k++) {
      int64_t tap = k / group_channels;
      taps_[k] = {static_cast<int>(tap / g_.kernel_w), static_cast<int>(tap % g_.kernel_w),
                  static_cast<int>(k % group_channels)};
    }
  }

  // Scalable: a word of codes that are neighbours in K, each sign-extended to the width the cell works at.
  void weight_words(const Step &step, const Fold &fold, int row, int slot, int32_t *out) const {
    const uint8_t *tile = bytes(ERG_TENSOR_WEIGHT, slot);
    const int bits = 2 << erg_slices_log2(g_.weight_bits);
    for (int c = 0; c < job_.arch->cols; c++) {
      uint32_t word = 0;
      for (int p = 0; p < g_.products && row * g_.products + p < fold.k_count && c < fold.channels; p++) {
        const int64_t k = fold.first_k + row * g_.products + p - step.first_k;
        const uint64_t channel = fold.first_channel + c - step.first_channel;
        const int code = get_code(tile, (channel * step.k_count + k) * g_.weight_bits, g_.weight_bits);
        word |= (static_cast<uint32_t>(code) & ((1u << bits) - 1)) << (p * bits);
      }
      out[c] = static_cast<int32_t>(word);
    }
  }
  // In place: the fold's codes one by one, then words of them.
  void pack_activations(const Fold &fold, const std::vector<int32_t> &codes, int32_t *out) const {
    const int bits = 2 << erg_slices_log2(g_.in_bits);
    for (int r = 0; r < job_.arch->rows; r++) {
      uint32_t word = 0;
      for (int p = 0; p < g_.products && r * g_.products + p < fold.k_count; p++)
        word |= (static_cast<uint32_t>(codes[r * g_.products + p]) & ((1u << bits) - 1)) << (p * bits);
      out[r] = static_cast<int32_t>(word);
    }
  }

  void weight_row(const Step &step, const Fold &fold, int row, int slot, int32_t *out) const {
    if (g_.products) {
      weight_words(step, fold, row, slot, out);
      return;
    }
    const uint8_t *tile = bytes(ERG_TENSOR_WEIGHT, slot);
    int cols = static_cast<int>(job_.arch->cols);
    for (int c = 0; c < cols; c++) out[c] = 0;
    if (row >= fold.k_count) return;
    int64_t k = fold.first_k + row - step.first_k;
    for (int c = 0; c < fold.channels; c++) {
      uint64_t channel = fold.first_channel + c - step.first_channel;
      out[c] = get_code(tile, (channel * step.k_count + k) * g_.weight_bits, g_.weight_bits);
    }
  }

  // Row `pixel` of the tile's implicit im2col; returns how many codes came from the scratchpad (the rest is padding).
  int activation_row(const Step &step, const Fold &fold, const RowSet &rows, int pixel, int slot, int32_t *out) const {
    const uint8_t *tile = bytes(ERG_TENSOR_INPUT, slot);
    uint64_t pixel_bytes = run_bytes(g_.in_c, g_.in_bits), row_bytes = pixel_bytes * g_.in_w;
    int p = step.first_row + pixel / g_.out_w, q = pixel % g_.out_w, read = 0;
    int group_first = fold.group * (g_.in_c / g_.groups), zero_point = job_.run->input_zero_point;
    for (int i = 0; i < fold.k_count; i++) {
      const Tap &tap = taps_[fold.first_k + i];
      int h = p * g_.stride_h - g_.pad_top + tap.r, w = q * g_.stride_w - g_.pad_left + tap.s;
      if (h < 0 || h >= g_.in_h || w < 0 || w >= g_.in_w) {
        out[i] = zero_point;
        continue;
      }
      const uint8_t *at = tile + rows.position(h, p) * row_bytes + w * pixel_bytes;
      out[i] = get_code(at, static_cast<uint64_t>(group_first + tap.c) * g_.in_bits, g_.in_bits);
      read++;
    }
    for (int i = static_cast<int>(fold.k_count); i < job_.arch->rows * std::max(g_.products, 1); i++) out[i] = 0;
    return read;
  }

  // Output-stationary: step `i` of the fold's K for ROWS pixels, the first in the last element.
  int activation_step(const Step &step, const Fold &fold, const RowSet &rows, int i, int slot, int32_t *out) const {
    const uint8_t *tile = bytes(ERG_TENSOR_INPUT, slot);
    uint64_t pixel_bytes = run_bytes(g_.in_c, g_.in_bits), row_bytes = pixel_bytes * g_.in_w;
    const Tap &tap = taps_[fold.first_k + i];
    const int size = static_cast<int>(job_.arch->rows), group_first = fold.group * (g_.in_c / g_.groups);
    int read = 0;
    for (int m = 0; m < size; m++) {
      int32_t &code = out[size - 1 - m];
      code = 0;
      if (m >= fold.pixels) continue;
      int p = step.first_row + (fold.first_pixel + m) / g_.out_w, q = (fold.first_pixel + m) % g_.out_w;
      int h = p * g_.stride_h - g_.pad_top + tap.r, w = q * g_.stride_w - g_.pad_left + tap.s;
      code = job_.run->input_zero_point;
      if (h < 0 || h >= g_.in_h || w < 0 || w >= g_.in_w) continue;
      code = get_code(tile + rows.position(h, p) * row_bytes + w * pixel_bytes,
                      static_cast<uint64_t>(group_first + tap.c) * g_.in_bits, g_.in_bits);
      read++;
    }
    return read;
  }

  Drain drain(const Step &step, int weight_slot, int residual_slot) const {
    Drain d;
    const uint8_t *at = bytes(ERG_TENSOR_CONSTANT, weight_slot);
    const int bias_bytes = g_.psum_bits / 8;
    auto word = [](const uint8_t *b, int bytes) { // little-endian, two's complement
      uint64_t value = 0;
      for (int i = 0; i < bytes; i++) value |= static_cast<uint64_t>(b[i]) << (8 * i);
      return static_cast<int64_t>(value << (64 - 8 * bytes)) >> (64 - 8 * bytes);
    };
    for (int c = 0; c < step.channels; c++, at += bias_bytes + 5) {
      d.bias.push_back(word(at, bias_bytes));
      d.multiplier.push_back(static_cast<int32_t>(word(at + bias_bytes, 4)));
      d.t.push_back(at[bias_bytes + 4]);
    }
    if (!g_.residual) return d;
    const uint8_t *tile = bytes(ERG_TENSOR_RESIDUAL, residual_slot);
    uint64_t stride = run_bytes(step.channels, g_.residual_bits);
    for (int i = 0; i < step.rows * g_.out_w; i++)
      for (int c = 0; c < step.channels; c++)
        d.residual.push_back(
            get_code(tile + i * stride, static_cast<uint64_t>(c) * g_.residual_bits, g_.residual_bits));
    return d;
  }

  void put_output(const Step &step, const Fold &fold, int pixel, int slot, const int32_t *row) const {
    uint8_t *tile = bytes(ERG_TENSOR_OUTPUT, slot) + pixel * run_bytes(step.channels, g_.out_bits);
    for (int c = 0; c < fold.channels; c++)
      put_code(tile, static_cast<uint64_t>(fold.first_channel + c - step.first_channel) * g_.out_bits, g_.out_bits,
               row[c]);
  }

private:
  struct Tap {
    int r, s, c;
  };
  uint8_t *bytes(erg_tensor tensor, int slot) const {
    return levels_[places_[tensor].scratchpad]->image.data() + places_[tensor].slot_address[slot];
  }
  const Job &job_;
  const erg_geometry &g_;
  const Place *places_;
  Memory *const *levels_;
  std::vector<Tap> taps_;
};

void Machine::run_verilated() {
  const erg_geometry &g = *job_->g;
  erg_rtl_run &run = *job_->run;
  const int rows = static_cast<int>(job_->arch->rows), cols = static_cast<int>(job_->arch->cols);
  const erg_synth_layer &layer = *run.layer;
  erg_rtl_layer settings = {layer.zero_point,
                            layer.low,
                            layer.high,
                            g.residual,
                            layer.residual_zero_point,
                            layer.residual_scale.multiplier,
                            31 - layer.residual_scale.shift};
  settings.weight_slices_log2 = erg_slices_log2(g.weight_bits);
  settings.activation_slices_log2 = erg_slices_log2(g.in_bits);
  if (!g.residual) settings.residual_multiplier = settings.residual_zero_point = 0, settings.residual_t = 31;
  erg_rtl_start(run.rtl, &settings);

  Feeder feeder(*job_, places_, levels_);
  FoldWalk weights(*job_), activations(*job_), constants(*job_), residuals(*job_), outputs(*job_);
  for (FoldWalk *walk : {&constants, &residuals, &outputs})
    if (!walk->fold().k_last) walk->next_last();
  std::deque<std::pair<int64_t, Drain>> drains; // by step, from when its tiles were there until its outputs left
  std::vector<int32_t> unpacked(static_cast<size_t>(rows) * std::max(g.products, 1));
  std::vector<int32_t> weight_row(cols), activation_row(rows), multiplier(cols), t(cols), residual_row(cols);
  std::vector<int64_t> bias(cols);
  RowSet row_set(g, activations.step().first_row, activations.step().rows);
  const bool os = g.dataflow == ERG_DATAFLOW_OS;
  int row = 0, pixel = 0, residual_pixel = 0, output_pixel = 0;
  int64_t entered = -1;   // last step whose tiles are known to be there
  uint8_t weights_in = 0; // slot of the weight tile that the weight port reads
  uint64_t clocked = 0, told = 0, frozen = 0;
  erg_random random;
  erg_random_stream(&random, run.gap_seed, "gaps");
  auto withhold = [&] {
    return run.gap_probability > 0 && !erg_rtl_foreign(run.rtl) && erg_random_unit(&random) < run.gap_probability;
  };
  auto drain_of = [&](int64_t step) -> const Drain & {
    for (auto &entry : drains)
      if (entry.first == step) return entry.second;
    throw std::runtime_error("constants asked for before their step");
  };
  auto sync = [&] { // let simulated time catch up with the array's clock
    if (clocked > told) wait(cycles(static_cast<double>(clocked - told)));
    told = clocked;
  };
  auto enter_one = [&](int64_t step_index) { // frozen until the step's tiles are there
    wait_ready(step_index);
    Step step = step_at(*job_, step_index);
    if (step.last_k)
      drains.emplace_back(step_index, feeder.drain(step, weight_slot_[step_index], residual_slot_[step_index]));
    if (step.last_k && g.residual) release_residual();
    weights_in = weight_slot_[step_index];
  };
  // Both ports may turn to a new step in one cycle, the weight port to the later one.
  auto enter = [&](int64_t step_index) {
    if (step_index <= entered) return;
    sync();
    while (entered < step_index) enter_one(++entered);
  };
  int64_t output_step = -1;

  while (!erg_rtl_done(run.rtl)) {
    const erg_rtl_request &want = *erg_rtl_requests(run.rtl);
    erg_rtl_supply give = {};
    erg_rtl_fold command;
    if (want.weight) {
      if (weights.finished()) throw std::runtime_error("the array asks for weights after the last fold");
      if (weights.step().new_weight) enter(weights.step().index); // else the weights lie in the scratchpad already
      if (!withhold()) {
        const Fold &fold = weights.fold();
        feeder.weight_row(weights.step(), fold, row, weights_in, weight_row.data());
        give.weights = weight_row.data();
        command = {fold.pixels, fold.k_first, fold.k_last, fold.last, static_cast<int>(job_->reduction)};
        give.fold = &command;
      }
    }
    int codes_read = 0;
    if (want.activation) {
      if (activations.finished()) throw std::runtime_error("the array asks for activations after the last fold");
      enter(activations.step().index);
      if (!withhold()) {
        const Step &step = activations.step();
        const uint8_t slot = input_slot_[step.index];
        int32_t *codes = g.products ? unpacked.data() : activation_row.data();
        codes_read = os ? feeder.activation_step(step, activations.fold(), row_set, pixel, slot, activation_row.data())
                        : feeder.activation_row(step, activations.fold(), row_set, pixel, slot, codes);
        if (g.products) feeder.pack_activations(activations.fold(), unpacked, activation_row.data());
        give.activations = activation_row.data();
      }
    }
    if (want.constants && !withhold()) {
      const Drain &d = drain_of(constants.step().index);
      int first = constants.fold().first_channel - constants.step().first_channel;
      for (int c = 0; c < cols; c++) {
        bool used = c < constants.fold().channels;
        bias[c] = used ? d.bias[first + c] : 0;
        multiplier[c] = used ? d.multiplier[first + c] : 0;
        t[c] = used ? d.t[first + c] : 31;
      }
      give.bias = bias.data(), give.multiplier = multiplier.data(), give.t = t.data();
    }
    if (want.residual && !withhold()) {
      const Step &step = residuals.step();
      const Drain &d = drain_of(step.index);
      int first = residuals.fold().first_channel - step.first_channel;
      for (int c = 0; c < cols; c++)
        residual_row[c] =
            c < residuals.fold().channels
                ? d.residual[static_cast<size_t>(residuals.fold().first_pixel + residual_pixel) * step.channels +
                             first + c]
                : 0;
      give.residuals = residual_row.data();
    }
    bool all = (!want.weight || give.weights) && (!want.activation || give.activations) &&
               (!want.constants || give.bias) && (!want.residual || give.residuals);
    const erg_rtl_request asked = want;
    const int32_t *out = erg_rtl_clock(run.rtl, &give);
    clocked++;
    if (erg_rtl_fault(run.rtl)) throw std::runtime_error(erg_rtl_fault(run.rtl));
    if (!all) {
      if (++frozen > kFrozenLimit) throw std::runtime_error("the array asks for operands that never come");
      continue;
    }
    frozen = asked.weight || asked.activation || asked.constants || out ? 0 : frozen + 1;
    if (frozen > kFrozenLimit) throw std::runtime_error("the array hangs: it asks for nothing and is not done");

    if (asked.weight) {
      if (row == 0) count_fold(weights.step(), weights.fold());
      if (++row == (os ? weights.fold().steps : rows)) {
        row = 0;
        Step done = weights.step();
        weights.next();
        if (weights.finished() || weights.step().index != done.index) {
          sync();
          release_weight(done); // its constants are read later: loads in order reach this slot after its last inputs
        }
      }
    }
    if (asked.activation) {
      codes_read_ += codes_read;
      if (++pixel == activations.fold().steps) {
        pixel = 0;
        Step done = activations.step();
        macs_done_ +=
            static_cast<double>(activations.fold().pixels) * activations.fold().channels * activations.fold().k_count;
        activations.next();
        if (activations.finished() || activations.step().index != done.index) {
          sync(); // the slot is free from this cycle on, not from when time was last told
          release_input(done);
          if (run.progress) run.progress(run.progress_context, macs_done_);
        }
        if (!activations.finished() && activations.step().m != done.m)
          row_set = RowSet(g, activations.step().first_row, activations.step().rows);
      }
    }
    if (asked.constants) constants.next_last();
    if (asked.residual && ++residual_pixel == residuals.fold().pixels) {
      residual_pixel = 0;
      residuals.next_last();
    }
    if (out) {
      const Step step = outputs.step();
      if (step.index != output_step) {
        sync();
        wait_output_slot();
        output_step = step.index;
      }
      feeder.put_output(step, outputs.fold(), outputs.fold().first_pixel + output_pixel, (outputs_begun_ - 1) % kSlots,
                        out);
      if (++output_pixel == outputs.fold().pixels) {
        output_pixel = 0;
        outputs.next_last();
        if (outputs.finished() || outputs.step().index != step.index) {
          while (!drains.empty() && drains.front().first <= step.index) drains.pop_front();
          sync();
          finish_outputs(step);
        }
      }
    }
  }
  sync();
  run.rtl_cycles = erg_rtl_cycles(run.rtl);
  run.rtl_gap_cycles = erg_rtl_gap_cycles(run.rtl);
  array_cycles_ = run.rtl_cycles - run.rtl_gap_cycles;
  if (!outputs.finished()) throw std::runtime_error("done_o came before the last output row");
}

} // namespace ergon
