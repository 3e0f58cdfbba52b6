// SPDX-License-Identifier: GPL-3.0-or-later
// The loop nest as the controller walks it: steps (n-tile, m-tile, stretch of K), and inside a step folds of the array.
#pragma once
#include "ergon/sim.h"

namespace ergon {

struct Job {
  const erg_arch *arch;
  const erg_geometry *g;
  const erg_mapping *m;
  const erg_op_counts *ops;
  erg_rtl_run *run; // null: counts only, behavioural array
  int64_t reduction, steps;
};

struct Step {
  int64_t index;
  int n, m;
  int64_t k;
  int image, first_row, rows;       // output rows of one image
  int first_channel, channels;
  int64_t first_k, k_count;
  bool last_k;
  bool new_input, new_weight;       // other tile than the step before: must be loaded
  bool first_visit_input, first_visit_weight;
};

Step step_at(const Job &job, int64_t index);

// Rows of the input map that output rows [first, first + rows) read, in order.
struct RowSet {
  int rows = 0;
  bool dense = true; // one run of adjacent rows
  int low = 0;
  int p0, stride, pad, kernel, height;
  RowSet(const erg_geometry &g, int first, int count);
  // Position in the tile of map row `h`, which output row `p` of the tile reads.
  int position(int h, int p) const;
};

struct Fold {
  int group;
  int first_channel, channels; // columns used
  int64_t first_k, k_count;    // rows used
  int first_pixel, pixels;     // of the step's
  int steps;                   // streamed elements of a port that is not the loading one (ws: pixels, os: K, is: channels)
  bool k_first, k_last, last;
};

// Walks folds in the order of docs/model.md. ws: group, column of folds, stretches of R of K. os: group, column, blocks
// of R pixels. is: group, blocks of C pixels, stretches of R of K.
class FoldWalk {
public:
  explicit FoldWalk(const Job &job);
  bool finished() const { return step_.index >= job_->steps; }
  const Step &step() const { return step_; }
  const Fold &fold() const { return fold_; }
  void next();      // to the next fold, maybe of the next step
  void next_last(); // to the next fold that ends a sum
private:
  void set();
  const Job *job_;
  Step step_;
  Fold fold_;
  int group_ = 0, column_ = 0, columns_ = 0;
  int64_t inner_ = 0, inner_folds_ = 0; // stretches of K, or blocks of pixels
};

} // namespace ergon
