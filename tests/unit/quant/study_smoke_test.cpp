// SPDX-License-Identifier: GPL-3.0-or-later
// The studies that train, over few seeds: under a minute of CPU. The slow test runs each as docs/studies.md shows it.
#include "support.hpp"
#include <cmath>
#include <cstring>
extern "C" {
#include "ergon/quant.h"
}

namespace {

struct Result : erg_study_result {
  test::Error error;
  Result(const char *name, int seeds, bool brief = false) : erg_study_result{} {
    const erg_study *study = nullptr;
    EXPECT_EQ(erg_study_find(name, &study, &error), ERG_OK) << error.message();
    erg_study_options options{1, seeds ? seeds : study->seeds, nullptr, brief};
    EXPECT_EQ(erg_study_run(study, &options, this, &error), ERG_OK) << error.message();
    for (int i = 0; i < claim_count; i++)
      std::printf("%s: %s. %s\n", claims[i].claim, erg_verdict_names[claims[i].verdict], claims[i].measured);
  }
  ~Result() { erg_study_result_free(this); }
  // Number `column` of the only point with these texts, of `seed` (0: of any).
  double value(std::vector<std::string> texts, int column, uint64_t seed = 0) const {
    double found = NAN;
    for (int i = 0; i < point_count; i++) {
      bool same = !seed || points[i].seed == seed;
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

// Without the arms that train through roundings: what must hold in each seed, and over three of them.
TEST(StudySmoke, MixedPrecisionOverThreeSeeds) {
  Result r("mixed", 3, true);
  double fisher = 0, scan = 0, uniform = 0, anti = 0;
  for (uint64_t seed = 1; seed <= 3; seed++) {
    auto number = [&](std::vector<std::string> texts, int column) { return r.value(texts, column, seed); };
    auto loss = [&](const char *series) { return number({"shapes-cnn", "fused", "ptq", series, "4 bit"}, 1); };
    fisher += loss("fisher"), scan += loss("scan"), uniform += loss("uniform"), anti += loss("anti");
    EXPECT_GT(number({"shapes-cnn", "-", "-", "rank of quad", "4 bit"}, 3),
              number({"shapes-cnn", "-", "-", "rank of norm", "4 bit"}, 3));
    EXPECT_GE(number({"shapes-cnn", "-", "-", "foreign plan", "loss of 4 bit"}, 4), -1e-9); // plans are optimal
    const double budget = number({"shapes-cnn", "fused", "ptq", "uniform", "4 bit"}, 0);
    for (const char *series : {"fisher", "quad", "scan", "norm", "anti", "shuffled"})
      EXPECT_LE(number({"shapes-cnn", "fused", "ptq", series, "4 bit"}, 0), budget * (1 + 1e-9))
          << series; // none is dearer
  }
  EXPECT_LT(fisher, 0.8 * uniform);
  EXPECT_LT(scan, 0.8 * uniform);
  EXPECT_GT(anti, 1.5 * fisher);
}

TEST(StudySmoke, ConfidenceTurnsOnTheRegister) {
  Result r("confidence", 3);
  auto lost = [&](const char *kind, const char *setting, const char *arm) { // over the seeds, in points
    double sum = 0;
    for (int i = 0; i < r.point_count; i++) {
      const char *const *t = r.points[i].texts;
      if (strcmp(t[2], arm) != 0 || strcmp(t[3], "all") != 0) continue;
      if (strcmp(t[0], "range") == 0 && strcmp(t[1], "16 bit") == 0) sum += r.points[i].numbers[0];
      if (strcmp(t[0], kind) == 0 && strcmp(t[1], setting) == 0) sum -= r.points[i].numbers[0];
    }
    return 100 * sum / 3;
  };
  for (const char *bits : {"4 bit", "3 bit"}) {
    EXPECT_LT(lost("range", bits, "smoothed"), 0.7 * lost("range", bits, "plain")) << bits;
    EXPECT_NEAR(lost("range", bits, "temperature"), lost("range", bits, "plain"), 0.1) << bits; // no scale is left
  }
  for (const char *step : {"step 2", "step 4"})
    EXPECT_GT(lost("fixed", step, "smoothed"), lost("fixed", step, "plain") + 0.5) << step;
  EXPECT_EQ(r.claims[0].verdict, ERG_SHOWS) << r.claims[0].measured;
  EXPECT_STREQ(r.claims[0].about, "range");
}

// Networks too little trained to be judged, but the machine's rows do not depend on that.
TEST(StudySmoke, BlocksOnTheMachine) {
  Result r("blocks", 1, true);
  auto number = [&](const char *conv, const char *norm, const char *gate, const char *machine, int column) {
    return r.value({conv, norm, gate, machine}, column);
  };
  for (const char *conv : {"dense", "depthwise"}) {
    const char *small = "small buffers", *unlimited = "unlimited buffers";
    for (const char *machine : {small, unlimited}) // a batch norm folds: nothing is left of it
      for (int column : {3, 4, 5})
        EXPECT_EQ(number(conv, "batch_norm", "none", machine, column), number(conv, "none", "none", machine, column));
    const double bn = number(conv, "batch_norm", "none", small, 5),
                 in = number(conv, "instance_norm", "none", small, 5);
    EXPECT_GT(in, 2 * bn) << "maps go off chip and come back";
    EXPECT_LT(number(conv, "instance_norm", "none", unlimited, 5), 1.5 * bn);
    EXPECT_GT(number(conv, "batch_norm", "table", unlimited, 3),
              1.3 * number(conv, "batch_norm", "none", unlimited, 3));
    EXPECT_TRUE(std::isfinite(number(conv, "rms_norm", "hard dropped in", "int4", 2)));
  }
  EXPECT_NEAR(number("depthwise", "none", "none", "small buffers", 7) /
                  number("dense", "none", "none", "small buffers", 7),
              1, 0.03);
}

// A block trained briefly: what holds whatever it has learned.
TEST(StudySmoke, PoolingAveragesWhatIsIndependent) {
  Result r("pooling", 1, true);
  auto number = [&](const char *part, const char *rounded, const char *tokens, int column) {
    return r.value({part, rounded, tokens}, column);
  };
  for (const char *tokens : {"4", "16", "64"}) {
    EXPECT_NEAR(number("length", "features", tokens, 0) * std::sqrt(std::stod(tokens)), 1, 0.1) << tokens;
    EXPECT_NEAR(number("identical", "all", tokens, 0), 1, 1e-12) << tokens; // nothing to average
    EXPECT_NEAR(number("length", "features", tokens, 2), 1, 0.1) << tokens; // the first token is like any other
  }
  EXPECT_GT(number("length", "weights", "128", 0), 3 * number("length", "features", "128", 0));
  EXPECT_GT(number("length", "activations and probabilities", "128", 0),
            1.2 * number("length", "activations", "128", 0));
  const double eight = number("length", "activations of 8 bits", "64", 4);
  EXPECT_LT(number("width", "log2 T + 4", "64", 4), eight);
  EXPECT_GT(number("width", "log2 T", "64", 4), eight);
  EXPECT_LT(number("width", "log2 T", "64", 5), 0.97); // a mean no longer
  EXPECT_EQ(r.claims[0].verdict, ERG_SHOWS) << r.claims[0].measured;
}

// An encoder that is trained little: what its integers keep, the floor of random weights, and what rounding alone adds.
TEST(StudySmoke, FeaturesFallToTheFloor) {
  Result r("features", 2, true);
  enum { map, recall, recall_10, overlap, cosine, accuracy, diagonal, share, off, positive };
  for (uint64_t seed = 1; seed <= 2; seed++)
    for (const char *what : {"pooled", "gram"}) {
      SCOPED_TRACE(what);
      auto of = [&](const char *encoder, int column) { return r.value({what, "seen", encoder}, column, seed); };
      const double real = of("float", map), floor = of("random weights", map);
      EXPECT_GT(real, floor + 0.1);
      EXPECT_NEAR(of("8 bit", map), real, 0.02);
      EXPECT_LT(of("3 bit", map), of("8 bit", map));
      EXPECT_LT(of("2 bit", map), of("3 bit", map));
      EXPECT_EQ(of("float", overlap), 1);
      for (const char *wide : {"8 bit", "5 bit", "3 bit"}) // other neighbours, of nearly the same use
        EXPECT_LT(of(wide, overlap), of(wide, map) / real + 0.02) << wide;
      EXPECT_LT(of("random weights", overlap), 0.3);
      EXPECT_GT(r.value({what, "unseen", "float"}, map, seed), r.value({what, "unseen", "random weights"}, map, seed));
    }
  // Only what is not zero is rounded, and there by s^2/12 in the mean.
  for (const char *width : {"5 bit", "4 bit"})
    EXPECT_NEAR(r.value({"gram diagonal", "rounding alone", width}, diagonal) /
                    r.value({"gram diagonal", "rounding alone", width}, positive),
                1, 0.35)
        << width;
}

// Pictures of a network that is trained little, and the whole of the machine's rows.
TEST(StudySmoke, StyleOnTheKernelsAndTheMachine) {
  Result r("style", 1, true);
  enum { style, content, psnr, energy, mac, partial_sums, dram, cycles, passes };
  auto image = [&](const char *of, const char *width, int column) {
    return r.value({"images", of, width, "-", "-"}, column);
  };
  EXPECT_LT(image("instance norm", "float", style), image("content", "-", style)) << "it learns something";
  EXPECT_GT(image("instance norm", "8 bit", psnr), 35);
  double last = INFINITY, rounded = INFINITY;
  for (const char *width : {"8 bit", "6 bit", "5 bit", "4 bit", "3 bit", "2 bit"}) {
    const double own = image("instance norm", width, psnr), control = image("rounded output", width, psnr);
    EXPECT_LT(own, last) << width;
    EXPECT_LT(control, rounded) << width;
    EXPECT_LT(own, control) << width << ": more than the output is in integers";
    last = own, rounded = control;
    for (const char *net : {"style-small", "style-residual"}) {
      const std::string folded = std::string(net) + " with batch norms";
      auto cost = [&](const std::string &of, const char *fusion, int column) {
        return r.value({"machine", of, width, fusion}, column);
      };
      EXPECT_LT(cost(net, "epilogue", energy), cost(net, "none", energy)) << net << " " << width;
      EXPECT_LE(cost(net, "depth", energy), cost(net, "epilogue", energy)) << net << " " << width;
      EXPECT_LT(cost(folded, "epilogue", energy), cost(net, "epilogue", energy)) << net << " " << width;
      EXPECT_LT(cost(folded, "epilogue", passes), cost(net, "epilogue", passes)) << net << " " << width;
    }
  }
  int pictures = 0;
  for (int i = 0; i < r.point_count; i++) {
    if (strcmp(r.points[i].texts[0], "picture") != 0) continue;
    const std::string text = r.points[i].texts[4];
    EXPECT_EQ(text.size(), 512u);
    EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_TRUE(std::isfinite(r.points[i].numbers[style]));
    pictures++;
  }
  EXPECT_EQ(pictures, 3 * 9); // content, style, float and six widths
}

// Too little trained to be judged; gradients are those of the study, over fewer draws.
TEST(StudySmoke, TrainingMemoryIsBiasedByRoundingAndByMasks) {
  Result r("training-memory", 1, true);
  auto fall = [&](const char *bits, const char *rounding, const char *masks) {
    return r.value({"gradient", bits, rounding, masks}, 2) / r.value({"gradient", bits, rounding, masks}, 3);
  };
  for (const char *bits : {"8", "4", "2", "1"}) {
    EXPECT_NEAR(fall(bits, "stochastic", "bits") / std::sqrt(50), 1, 0.25) << bits;
    EXPECT_NEAR(fall(bits, "nearest", "bits"), 1, 1e-9) << bits;
    EXPECT_LT(fall(bits, "stochastic", "codes"), 2) << bits;
  }
  EXPECT_EQ(r.claims[0].verdict, ERG_SHOWS);
  EXPECT_TRUE(std::isfinite(r.value({"training", "full", "-", "-"}, 0)));
}
