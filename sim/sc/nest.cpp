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
  const int cols = static_cast<int>(job_->arch->cols), rows = static_cast<int>(job_->arch->rows);
  const int fold_k = rows * std::max(g.products, 1);
  const int group_channels = g.groups == 1 ? step_.channels : g.out_c / g.groups;
  const int tile_pixels = step_.rows * g.out_w;
  const bool os = g.dataflow == ERG_DATAFLOW_OS, is = g.dataflow == ERG_DATAFLOW_IS;
  fold_.group = group_;
  fold_.first_channel = step_.first_channel + group_ * group_channels;
  fold_.channels = group_channels;
  fold_.first_pixel = 0;
  fold_.pixels = tile_pixels;
  fold_.first_k = step_.first_k;
  fold_.k_count = step_.k_count;
  columns_ = ((is ? tile_pixels : group_channels) + cols - 1) / cols;
  if (is) {
    fold_.first_pixel = column_ * cols;
    fold_.pixels = std::min(cols, tile_pixels - fold_.first_pixel);
  } else {
    fold_.first_channel += column_ * cols;
    fold_.channels = std::min(cols, group_channels - column_ * cols);
  }
  if (os) {
    inner_folds_ = (tile_pixels + rows - 1) / rows;
    fold_.first_pixel = static_cast<int>(inner_) * rows;
    fold_.pixels = std::min(rows, tile_pixels - fold_.first_pixel);
  } else {
    inner_folds_ = (step_.k_count + fold_k - 1) / fold_k;
    fold_.first_k += inner_ * fold_k;
    fold_.k_count = std::min<int64_t>(fold_k, step_.k_count - inner_ * fold_k);
  }
  fold_.steps = os ? static_cast<int>(fold_.k_count) : is ? fold_.channels : fold_.pixels;
  fold_.k_first = step_.k == 0 && (os || inner_ == 0);
  fold_.k_last = step_.last_k && (os || inner_ == inner_folds_ - 1);
  // Output-stationary, a sum over several stretches of K is one fold of the array, so it is the last from its start.
  const int64_t stretches = os ? (job_->reduction + job_->m->reduction - 1) / job_->m->reduction : 1;
  fold_.last = step_.index / stretches == (job_->steps - 1) / stretches && group_ == g.groups - 1 &&
               column_ == columns_ - 1 && inner_ == inner_folds_ - 1;
}

void FoldWalk::next() {
  if (++inner_ == inner_folds_) {
    inner_ = 0;
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
