// SPDX-License-Identifier: GPL-3.0-or-later
// Where tensors lie in DRAM and their tiles in the scratchpads; the compiler's part of the work: packing codes and
// weights into the DRAM image, folding the input zero point into the bias.
#include "bits.hpp"
#include "machine.hpp"
#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace ergon {

static uint64_t map_bytes(int images, int h, int w, int c, int bits) {
  return static_cast<uint64_t>(images) * h * w * run_bytes(c, bits);
}

uint64_t Machine::weight_tile_bytes(const Step &step) const {
  return run_bytes(static_cast<uint64_t>(step.channels) * step.k_count, job_->g->weight_bits);
}

// Weights lie tile by tile in the order (n-tile, stretch of K), each tile one packed run.
uint64_t Machine::weight_offset(const Step &step) const {
  const erg_geometry &g = *job_->g;
  uint64_t offset = 0;
  int64_t whole = job_->reduction / job_->m->reduction, rest = job_->reduction % job_->m->reduction;
  auto channels_offset = [&](int channels) {
    return static_cast<uint64_t>(whole) *
               run_bytes(static_cast<uint64_t>(channels) * job_->m->reduction, g.weight_bits) +
           (rest ? run_bytes(static_cast<uint64_t>(channels) * rest, g.weight_bits) : 0);
  };
  offset += static_cast<uint64_t>(step.n) * channels_offset(job_->m->out_channels);
  offset += static_cast<uint64_t>(step.k) *
            run_bytes(static_cast<uint64_t>(step.channels) * job_->m->reduction, g.weight_bits);
  return offset;
}

void Machine::place_tensors() {
  const erg_geometry &g = *job_->g;
  uint64_t whole[ERG_TENSOR_COUNT] = {}, tile[ERG_TENSOR_COUNT] = {};
  whole[ERG_TENSOR_INPUT] = map_bytes(g.images, g.in_h, g.in_w, g.in_c, g.in_bits);
  whole[ERG_TENSOR_OUTPUT] = map_bytes(g.images, g.out_h, g.out_w, g.out_c, g.out_bits);
  whole[ERG_TENSOR_RESIDUAL] = map_bytes(g.images, g.out_h, g.out_w, g.out_c, g.residual_bits);
  whole[ERG_TENSOR_CONSTANT] = run_bytes(g.out_c, g.constant_bits);
  Step last = step_at(*job_, job_->steps - 1);
  whole[ERG_TENSOR_WEIGHT] = g.array ? weight_offset(last) + weight_tile_bytes(last) : 0;

  int channels = std::min(job_->m->out_channels, g.out_c), touched = 0;
  for (int row = 0; row < g.out_h; row += job_->m->out_rows)
    touched = std::max(touched, RowSet(g, row, std::min(job_->m->out_rows, g.out_h - row)).rows);
  uint64_t pixels = static_cast<uint64_t>(job_->m->out_rows) * g.out_w;
  tile[ERG_TENSOR_INPUT] = static_cast<uint64_t>(touched) * g.in_w * run_bytes(g.in_c, g.in_bits);
  tile[ERG_TENSOR_OUTPUT] = pixels * run_bytes(channels, g.out_bits);
  tile[ERG_TENSOR_RESIDUAL] = pixels * run_bytes(channels, g.residual_bits);
  tile[ERG_TENSOR_CONSTANT] = run_bytes(channels, g.constant_bits);
  tile[ERG_TENSOR_WEIGHT] =
      g.array ? run_bytes(static_cast<uint64_t>(channels) * job_->m->reduction, g.weight_bits) : 0;

  uint64_t dram = 0, used[ERG_MAX_LEVELS] = {};
  for (int t = 0; t < ERG_TENSOR_PSUM; t++) {
    Place &place = places_[t];
    place.scratchpad = erg_arch_scratchpad(job_->arch, static_cast<erg_tensor>(t));
    place.dram_address = dram;
    place.dram_bytes = whole[t];
    place.tile_bytes = tile[t];
    dram += whole[t];
    for (uint64_t &address : place.slot_address) {
      address = used[place.scratchpad];
      used[place.scratchpad] += tile[t];
    }
  }
  for (int level = 0; level < job_->arch->level_count; level++) {
    bool scratchpad = used[level] > 0;
    uint64_t image = !job_->run ? 0 : scratchpad ? used[level] : dram; // between: the same addresses as DRAM
    levels_[level]->configure(job_->arch->levels[level].bandwidth_bits_per_cycle, image);
  }
}

static void put_map(uint8_t *bytes, const int16_t *codes, uint64_t pixels, int channels, int bits) {
  uint64_t stride = run_bytes(channels, bits);
  for (uint64_t p = 0; p < pixels; p++)
    for (int c = 0; c < channels; c++)
      put_code(bytes + p * stride, static_cast<uint64_t>(c) * bits, bits, codes[p * channels + c]);
}

static void put_word(uint8_t *bytes, uint32_t word) {
  for (int i = 0; i < 4; i++) bytes[i] = static_cast<uint8_t>(word >> 8 * i);
}

void Machine::fill_dram() {
  const erg_geometry &g = *job_->g;
  const erg_rtl_run &run = *job_->run;
  const erg_synth_layer &layer = *run.layer;
  uint8_t *dram = levels_[0]->image.data();
  put_map(dram + places_[ERG_TENSOR_INPUT].dram_address, run.input, static_cast<uint64_t>(g.images) * g.in_h * g.in_w,
          g.in_c, g.in_bits);
  if (g.residual)
    put_map(dram + places_[ERG_TENSOR_RESIDUAL].dram_address, run.residual,
            static_cast<uint64_t>(g.images) * g.out_h * g.out_w, g.out_c, g.residual_bits);

  // One image-row visit of every (n-tile, stretch of K) covers all weights.
  int swapped = run.fault_packing ? 1 : 0; // a deliberate fault: two neighbouring weights of channel 0 change places
  for (int n = 0; n * job_->m->out_channels < g.out_c; n++)
    for (int64_t k = 0; k * job_->m->reduction < job_->reduction; k++) {
      Step step{};
      step.n = n;
      step.k = k;
      step.first_channel = n * job_->m->out_channels;
      step.channels = std::min(job_->m->out_channels, g.out_c - step.first_channel);
      step.first_k = k * job_->m->reduction;
      step.k_count = std::min(job_->m->reduction, job_->reduction - step.first_k);
      uint8_t *tile = dram + places_[ERG_TENSOR_WEIGHT].dram_address + weight_offset(step);
      for (int c = 0; c < step.channels; c++)
        for (int64_t i = 0; i < step.k_count; i++) {
          int64_t from = swapped && c == 0 && i < 2 && step.k_count > 1 ? 1 - i : i;
          int16_t code =
              layer.weight[static_cast<int64_t>(step.first_channel + c) * job_->reduction + step.first_k + from];
          put_code(tile, (static_cast<uint64_t>(c) * step.k_count + i) * g.weight_bits, g.weight_bits, code);
        }
    }

  uint8_t *constants = dram + places_[ERG_TENSOR_CONSTANT].dram_address;
  for (int c = 0; c < g.out_c; c++) {
    int64_t sum = 0;
    for (int64_t i = 0; i < job_->reduction; i++) sum += layer.weight[c * job_->reduction + i];
    int64_t bias = (layer.bias ? layer.bias[c] : 0) - run.input_zero_point * sum; // padding carries the zero point
    const int bias_bytes = g.psum_bits / 8;
    uint8_t *at = constants + static_cast<uint64_t>(c) * (bias_bytes + 5);
    for (int i = 0; i < bias_bytes; i++) at[i] = static_cast<uint8_t>(static_cast<uint64_t>(bias) >> (8 * i));
    int32_t multiplier, t;
    erg_requant_hardware(layer.scale[c], g.psum_bits, &multiplier, &t);
    put_word(at + bias_bytes, static_cast<uint32_t>(multiplier));
    at[bias_bytes + 4] = static_cast<uint8_t>(t);
  }
}

void Machine::read_output() const {
  const erg_geometry &g = *job_->g;
  const uint8_t *bytes = levels_[0]->image.data() + places_[ERG_TENSOR_OUTPUT].dram_address;
  uint64_t stride = run_bytes(g.out_c, g.out_bits), pixels = static_cast<uint64_t>(g.images) * g.out_h * g.out_w;
  for (uint64_t p = 0; p < pixels; p++)
    for (int c = 0; c < g.out_c; c++)
      job_->run->output[p * g.out_c + c] =
          get_code(bytes + p * stride, static_cast<uint64_t>(c) * g.out_bits, g.out_bits);
}

} // namespace ergon
