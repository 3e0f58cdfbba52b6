// SPDX-License-Identifier: GPL-3.0-or-later
#include "nest.hpp"
#include <algorithm>

namespace ergon {

// The step itself, without what it shares with the step before.
static Step bare_step(const Job &job, int64_t index) {
  const erg_geometry &g = *job.g;
  const erg_mapping &m = *job.m;
  Step s{};
  s.index = index;
  if (index >= job.steps) return s;
  int tiles_per_image = (g.out_h + m.out_rows - 1) / m.out_rows;
  int m_tiles = tiles_per_image * g.images, n_tiles = (g.out_c + m.out_channels - 1) / m.out_channels;
  int64_t chunks = (job.reduction + m.reduction - 1) / m.reduction;
  int64_t outer = index / chunks;
  s.k = index % chunks;
  if (m.order == ERG_ORDER_WEIGHTS_STAY) {
    s.n = static_cast<int>(outer / m_tiles);
    s.m = static_cast<int>(outer % m_tiles);
  } else {
    s.m = static_cast<int>(outer / n_tiles);
    s.n = static_cast<int>(outer % n_tiles);
  }
  s.image = s.m / tiles_per_image;
  s.first_row = s.m % tiles_per_image * m.out_rows;
  s.rows = std::min(m.out_rows, g.out_h - s.first_row);
  s.first_channel = s.n * m.out_channels;
  s.channels = std::min(m.out_channels, g.out_c - s.first_channel);
  s.first_k = s.k * m.reduction;
  s.k_count = std::min(m.reduction, job.reduction - s.first_k);
  s.last_k = s.k == chunks - 1;
  s.first_visit_input = s.n == 0 && s.k == 0;
  s.first_visit_weight = s.m == 0;
  return s;
}

Step step_at(const Job &job, int64_t index) {
  Step s = bare_step(job, index);
  if (index >= job.steps) return s;
  Step before = bare_step(job, std::max<int64_t>(index - 1, 0));
  s.new_input = index == 0 || before.m != s.m;
  s.new_weight =
      index == 0 || before.n != s.n || before.k != s.k || (job.m->reduction < job.reduction && before.m != s.m);
  return s;
}

RowSet::RowSet(const erg_geometry &g, int first, int count)
    : p0(first), stride(g.stride_h), pad(g.pad_top), kernel(g.kernel_h), height(g.in_h) {
  dense = stride <= kernel;
  if (dense) {
    low = std::max(0, first * stride - pad);
    rows = std::max(0, std::min(height, (first + count - 1) * stride - pad + kernel) - low);
    return;
  }
  for (int p = first; p < first + count; p++)
    for (int r = 0; r < kernel; r++) {
      int h = p * stride - pad + r;
      rows += h >= 0 && h < height;
    }
}

int RowSet::position(int h, int p) const {
  if (dense) return h - low;
  int before = 0; // rows of earlier windows, then of this one
  for (int q = p0; q <= p; q++)
    for (int r = 0; r < kernel; r++) {
      int row = q * stride - pad + r;
      if (q == p && row == h) return before;
      before += row >= 0 && row < height;
    }
  return before;
}

FoldWalk::FoldWalk(const Job &job) : job_(&job), step_(step_at(job, 0)) {
  set();
}

void FoldWalk::set() {
  const erg_geometry &g = *job_->g;
  int cols = static_cast<int>(job_->arch->cols), rows = static_cast<int>(job_->arch->rows);
  int group_channels = g.groups == 1 ? step_.channels : g.out_c / g.groups;
  columns_ = (group_channels + cols - 1) / cols;
  k_folds_ = (step_.k_count + rows - 1) / rows;
  fold_.group = group_;
  fold_.first_channel = step_.first_channel + group_ * group_channels + column_ * cols;
  fold_.channels = std::min(cols, group_channels - column_ * cols);
  fold_.first_k = step_.first_k + k_ * rows;
  fold_.k_count = std::min<int64_t>(rows, step_.k_count - k_ * rows);
  fold_.pixels = step_.rows * g.out_w;
  fold_.k_first = step_.k == 0 && k_ == 0;
  fold_.k_last = step_.last_k && k_ == k_folds_ - 1;
  fold_.last =
      step_.index == job_->steps - 1 && group_ == g.groups - 1 && column_ == columns_ - 1 && k_ == k_folds_ - 1;
}

void FoldWalk::next() {
  if (++k_ == k_folds_) {
    k_ = 0;
    if (++column_ == columns_) {
      column_ = 0;
      if (++group_ == job_->g->groups) {
        group_ = 0;
        step_ = step_at(*job_, step_.index + 1);
        if (finished()) return;
      }
    }
  }
  set();
}

void FoldWalk::next_last() {
  do next();
  while (!finished() && !fold_.k_last);
}

} // namespace ergon
