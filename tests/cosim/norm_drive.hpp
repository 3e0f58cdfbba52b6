// SPDX-License-Identifier: GPL-3.0-or-later
// The driver of the norm unit with its statistics held against the golden ones, group by group.
#pragma once
#include "../../rtl/shim/norm_drive.hpp"
#include "ergon/norms.h"
#include "support.hpp"

namespace norm {

enum Kind { INSTANCE, LAYER, RMS };

struct Problem {
  Kind kind;
  int64_t rows;  // instance: of the map; else rows that are normalized
  int channels;
  int32_t zero_point;
  uint64_t epsilon;
  std::vector<int16_t> x; // [rows, channels]
  std::vector<int32_t> multiplier;
  std::vector<int64_t> bias;
  erg_norm_affine affine;
  std::vector<int16_t> table; // of a gate; empty: off
  int64_t count() const { return kind == INSTANCE ? rows : channels; }
};

template <class Top, int Cols, int Bits, int CountBits, int Depth> class Bench {
  ergon::NormDrive<Top, Cols, Bits, CountBits, Depth> drive_;
  uint64_t seed_;
  double gap_;
  const Problem *problem_ = nullptr;

  // The statistics against the golden ones, and the cycles of a root against their formula.
  void check(int64_t group, const erg_rtl_norm_group &s) {
    const Problem &p = *problem_;
    bool columns = p.kind == INSTANCE;
    erg_norm_sums sums{};
    erg_norm_gather(&p.x[static_cast<size_t>(columns ? group : group * p.channels)], p.count(),
                    columns ? p.channels : 1, p.zero_point, &sums);
    erg_norm_scale golden = erg_norm_scale_of(sums, p.kind != RMS, p.epsilon);
    ASSERT_EQ(s.sum, sums.sum);
    ASSERT_EQ(s.squares, sums.squares);
    ASSERT_EQ(s.scaled_sum, golden.sum);
    ASSERT_EQ(s.inverse, golden.inverse);
    ASSERT_EQ(s.shift, golden.shift);
    ASSERT_EQ(s.cycles, golden.inverse ? std::abs(34 - golden.shift) + 65 : 1);
    scale_cycles += s.cycles + 1, groups++;
  }

public:
  int64_t scale_cycles = 0, groups = 0;
  explicit Bench(uint64_t seed, double gap = 0.2) : seed_(seed), gap_(gap) {}

  // Both passes over the tensor: [rows, channels]; without `norm` the table alone.
  std::vector<int16_t> run(const Problem &p, bool norm = true) {
    std::vector<int16_t> y(p.x.size());
    problem_ = &p;
    erg_rtl_norm_job job{};
    job.norm = norm, job.per_row = p.kind != INSTANCE, job.centred = p.kind != RMS;
    job.rows = p.rows, job.channels = p.channels, job.input = p.x.data(), job.input_zero_point = p.zero_point;
    job.epsilon = p.epsilon, job.shift = p.affine.shift;
    job.multiplier = p.multiplier.data(), job.bias = p.bias.data();
    job.zero_point = p.affine.zero_point, job.low = p.affine.low, job.high = p.affine.high;
    job.table = p.table.empty() ? nullptr : p.table.data();
    job.gap_probability = gap_, job.gap_seed = seed_++;
    job.context = this, job.output = y.data();
    job.on_group = [](void *bench, int64_t group, const erg_rtl_norm_group *s) {
      static_cast<Bench *>(bench)->check(group, *s);
    };
    EXPECT_TRUE(drive_.run(job));
    return y;
  }
};

} // namespace norm
