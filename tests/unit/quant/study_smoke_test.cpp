// SPDX-License-Identifier: GPL-3.0-or-later
// The studies that train, over few seeds: under a minute of CPU. The slow test runs each as docs/studies.md shows it.
#include "support.hpp"
#include <cmath>
extern "C" {
#include "ergon/quant.h"
}

namespace {

struct Result : erg_study_result {
  test::Error error;
  Result(const char *name, int seeds) : erg_study_result{} {
    const erg_study *study = nullptr;
    EXPECT_EQ(erg_study_find(name, &study, &error), ERG_OK) << error.message();
    erg_study_options options{1, seeds ? seeds : study->seeds, nullptr};
    EXPECT_EQ(erg_study_run(study, &options, this, &error), ERG_OK) << error.message();
    for (int i = 0; i < claim_count; i++)
      std::printf("%s: %s. %s\n", claims[i].claim, erg_verdict_names[claims[i].verdict], claims[i].measured);
  }
  ~Result() { erg_study_result_free(this); }
  // Number `column` of the only point with these texts.
  double value(std::vector<std::string> texts, int column) const {
    double found = NAN;
    for (int i = 0; i < point_count; i++) {
      bool same = true;
      for (size_t t = 0; t < texts.size(); t++) same = same && texts[t] == points[i].texts[t];
      if (same) found = points[i].numbers[column];
    }
    EXPECT_TRUE(std::isfinite(found)) << texts.back();
    return found;
  }
};

} // namespace

TEST(StudySmoke, StraightThroughShowsOverThreeSeeds) {
  Result r("straight-through", 3);
  ASSERT_EQ(r.claim_count, 6);
  for (int i = 0; i < r.claim_count; i++) EXPECT_EQ(r.claims[i].verdict, ERG_SHOWS) << r.claims[i].measured;
}

// One seed: what must hold in each, with wide margins.
TEST(StudySmoke, MixedPrecisionOfOneSeed) {
  Result r("mixed", 1);
  auto loss = [&](const char *training, const char *series, const char *budget) {
    return r.value({"shapes-cnn", "fused", training, series, budget}, 1);
  };
  EXPECT_LT(loss("ptq", "scan", "4 bit"), loss("ptq", "uniform", "4 bit"));
  EXPECT_GT(loss("ptq", "anti", "4 bit"), 1.5 * loss("ptq", "fisher", "4 bit"));
  EXPECT_LT(loss("qat", "uniform", "3 bit"), 0.5 * loss("ptq", "uniform", "3 bit"));
  EXPECT_GT(r.value({"shapes-cnn", "-", "-", "rank of quad", "4 bit"}, 3),
            r.value({"shapes-cnn", "-", "-", "rank of norm", "4 bit"}, 3));
  EXPECT_GE(r.value({"shapes-cnn", "-", "-", "foreign plan", "loss of 4 bit"}, 4), -1e-9); // plans are optimal
  const double uniform = r.value({"shapes-cnn", "fused", "ptq", "uniform", "4 bit"}, 0);
  for (const char *series : {"fisher", "quad", "scan", "norm", "anti", "shuffled"})
    EXPECT_LE(r.value({"shapes-cnn", "fused", "ptq", series, "4 bit"}, 0), uniform * (1 + 1e-9))
        << series; // none is dearer
}
