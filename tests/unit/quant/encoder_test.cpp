// SPDX-License-Identifier: GPL-3.0-or-later
// The transformer block: its gradients, its integers against its float, and what both owe to symmetry.
#include "support.hpp"
#include <cmath>
extern "C" {
#include "ergon/quant.h"
}

namespace {

struct Weights : erg_weights {
  Weights(const erg_encoder_shape &shape, uint64_t seed) : erg_weights{} {
    test::Error error;
    EXPECT_EQ(erg_encoder_weights(&shape, seed, this, &error), ERG_OK) << error.message();
    test::Random random(seed + 100); // biases and norms too
    for (int i = 0; i < count; i++)
      for (int64_t e = 0; e < items[i].elements && items[i].rank == 1; e++)
        items[i].values[e] += 0.3 * erg_random_normal(&random);
  }
  ~Weights() { erg_weights_free(this); }
};

struct Sequences : erg_dataset {
  std::vector<int> sentences;
  Sequences(uint64_t seed, int length, int number) : erg_dataset{}, sentences(static_cast<size_t>(number)) {
    test::Error error;
    EXPECT_EQ(erg_sequences(seed, ERG_SPLIT_TEST, length, 0.6, number, sentences.data(), this, &error), ERG_OK)
        << error.message();
  }
  ~Sequences() { erg_dataset_free(this); }
};

// Every tensor of a run.
template <typename T> struct Tensors {
  std::vector<std::vector<T>> all;
  std::vector<T *> at;
  Tensors(const erg_encoder_shape &shape, int count, int length) {
    for (int i = 0; i < ERG_ENCODER_TENSORS; i++)
      all.emplace_back(static_cast<size_t>(erg_encoder_elements(&shape, i, count, length)));
    for (auto &v : all) at.push_back(v.data());
  }
};

struct Integers : Tensors<int16_t> {
  erg_encoder e{};
  Integers(const erg_encoder_shape &s, const erg_weights &w, const erg_range *ranges, erg_encoder_widths widths,
           const double *inputs, int count, int length)
      : Tensors(s, count, length) {
    test::Error error;
    EXPECT_EQ(erg_encoder_quantize(&s, &w, ranges, &widths, length, &e, &error), ERG_OK) << error.message();
    EXPECT_EQ(erg_encoder_run(&e, inputs, count, at.data(), &error), ERG_OK) << error.message();
  }
  ~Integers() { erg_encoder_free(&e); }
  double decibels(int tensor, const std::vector<double> &real) const {
    double signal = 0, noise = 0;
    for (size_t i = 0; i < real.size(); i++) {
      double off = real[i] - erg_grid_real(e.grids[tensor], all[static_cast<size_t>(tensor)][i]);
      signal += real[i] * real[i], noise += off * off;
    }
    return 10 * std::log10(signal / noise);
  }
};

const erg_encoder_shape usual = {32, 64, 4};

} // namespace

TEST(Encoder, GradientsAreCentralDifferences) {
  test::Random random(7);
  for (int round = 0; round < 6; round++) {
    const erg_encoder_shape s = {random.range(1, 6), random.range(1, 7), random.range(2, 4)};
    const int count = random.range(1, 3), length = random.range(1, 6);
    SCOPED_TRACE("seed 7, round " + std::to_string(round));
    Weights w(s, 200 + (uint64_t)round), g(s, 1);
    std::vector<double> x(static_cast<size_t>(count * length * s.width));
    for (double &v : x) v = erg_random_normal(&random);
    std::vector<int> tokens(static_cast<size_t>(count * length)), wholes(static_cast<size_t>(count));
    for (int &l : tokens) l = random.range(0, s.classes - 1);
    for (int &l : wholes) l = random.range(0, s.classes - 1);
    erg_tape *tape = erg_tape_new();
    auto loss = [&](bool backward) {
      test::Error error;
      int v[ERG_ENCODER_TENSORS];
      erg_tape_reset(tape);
      EXPECT_EQ(erg_encoder_forward(tape, &s, &w, backward ? &g : nullptr, x.data(), count, length, v, &error), ERG_OK)
          << error.message();
      erg_tape_attrs token{}, whole{};
      token.labels = tokens.data(), whole.labels = wholes.data();
      const erg_tape_op *entropy = erg_tape_op_find("cross_entropy");
      int both[] = {erg_tape_apply(tape, entropy, &token, &v[ERG_ENCODER_TOKEN], &error),
                    erg_tape_apply(tape, entropy, &whole, &v[ERG_ENCODER_SENTENCE], &error)};
      int sum = erg_tape_apply(tape, erg_tape_op_find("add"), nullptr, both, &error);
      if (backward) {
        EXPECT_EQ(erg_tape_backward(tape, sum, &error), ERG_OK) << error.message();
      }
      return erg_tape_value(tape, sum)[0];
    };
    for (int i = 0; i < g.count; i++) std::fill(g.items[i].values, g.items[i].values + g.items[i].elements, 0);
    loss(true);
    double off = 0, size = 0;
    for (int i = 0; i < w.count; i++)
      for (int64_t e = 0; e < w.items[i].elements; e++) {
        double &value = w.items[i].values[e], kept = value, h = 1e-5;
        value = kept + h;
        double up = loss(false);
        value = kept - h;
        double down = loss(false);
        value = kept;
        double want = (up - down) / (2 * h), got = g.items[i].values[e];
        off += (got - want) * (got - want), size += want * want;
      }
    EXPECT_LT(std::sqrt(off / size), 1e-6);
    erg_tape_free(tape);
  }
}

TEST(Encoder, WideIntegersAreTheFloat) {
  for (uint64_t seed = 1; seed <= 3; seed++) {
    const int count = 6, length = seed == 1 ? 1 : 20;
    Weights w(usual, seed);
    Sequences data(seed, length, count);
    Tensors<double> real(usual, count, length);
    erg_range ranges[ERG_ENCODER_TENSORS];
    test::Error error;
    ASSERT_EQ(erg_encoder_float(&usual, &w, &data, real.at.data(), ranges, &error), ERG_OK) << error.message();
    double before = -12;
    for (int bits : {4, 8, 12, 16}) {
      Integers run(usual, w, ranges, {bits, bits, bits, bits, bits, bits}, data.inputs, count, length);
      for (int i = 0; i < ERG_ENCODER_TENSORS; i++)
        if (i != ERG_ENCODER_SCORES && bits == 16) {
          EXPECT_GT(run.decibels(i, real.all[static_cast<size_t>(i)]), 66) << "seed " << seed << " tensor " << i;
        }
      double now = run.decibels(ERG_ENCODER_FEATURES, real.all[ERG_ENCODER_FEATURES]);
      EXPECT_GT(now, before + 12) << "seed " << seed << ", " << bits
                                  << " bits"; // 6 dB a bit, less what is not rounding
      before = now;
    }
  }
}

// Without positions a permutation of the tokens permutes the features and leaves the mean, in integers to the bit.
TEST(Encoder, TokensHaveNoOrder) {
  const int count = 2, length = 12;
  Weights w(usual, 5);
  Sequences data(5, length, count);
  erg_range ranges[ERG_ENCODER_TENSORS];
  ASSERT_EQ(erg_encoder_float(&usual, &w, &data, nullptr, ranges, nullptr), ERG_OK);
  std::vector<double> turned(data.inputs, data.inputs + count * length * usual.width);
  auto place = [&](int n, int t, int c) { return static_cast<size_t>((n * length + t) * usual.width + c); };
  for (int n = 0; n < count; n++)
    for (int t = 0; t < length; t++)
      for (int c = 0; c < usual.width; c++) turned[place(n, (5 * t + n) % length, c)] = data.inputs[place(n, t, c)];
  for (int bits : {4, 8, 16}) {
    const erg_encoder_widths widths = {4, bits, 8, 8, bits, bits};
    Integers a(usual, w, ranges, widths, data.inputs, count, length),
        b(usual, w, ranges, widths, turned.data(), count, length);
    EXPECT_EQ(a.all[ERG_ENCODER_POOLED], b.all[ERG_ENCODER_POOLED]);
    EXPECT_EQ(a.all[ERG_ENCODER_SENTENCE], b.all[ERG_ENCODER_SENTENCE]);
    for (int n = 0; n < count; n++)
      for (int t = 0; t < length; t++)
        for (int c = 0; c < usual.width; c++)
          ASSERT_EQ(a.all[ERG_ENCODER_FEATURES][place(n, t, c)],
                    b.all[ERG_ENCODER_FEATURES][place(n, (5 * t + n) % length, c)]);
  }
}

TEST(Encoder, SaysWhatIsWrong) {
  Weights w(usual, 1);
  erg_range ranges[ERG_ENCODER_TENSORS] = {};
  erg_encoder e{};
  auto refused = [&](erg_encoder_widths widths, int length, const erg_weights &weights, const char *text) {
    test::Error error;
    EXPECT_EQ(erg_encoder_quantize(&usual, &weights, ranges, &widths, length, &e, &error), ERG_ERR_DATA);
    EXPECT_NE(error.message().find(text), std::string::npos) << error.message();
  };
  refused({1, 8, 8, 17, 8, 8}, 4, w, "1 bits of weights");
  refused({1, 8, 8, 17, 8, 8}, 4, w, "17 bits of probabilities"); // all faults at once
  refused({8, 8, 8, 8, 8, 8}, 0, w, "sequences of 0");
  Weights other({16, 64, 4}, 1);
  refused({8, 8, 8, 8, 8, 8}, 4, other, "norm1.weight of 32");
  w.items[2].values[3] = NAN;
  refused({8, 8, 8, 8, 8, 8}, 4, w, "query.weight[3] is not finite");
}

TEST(Encoder, SequencesAreTheBuiltInOnes) {
  erg_dataset tokens{}, sentences{};
  ASSERT_EQ(erg_dataset_load("tokens", 3, ERG_SPLIT_TEST, 5, &tokens, nullptr), ERG_OK);
  ASSERT_EQ(erg_dataset_load("sentences", 3, ERG_SPLIT_TEST, 5, &sentences, nullptr), ERG_OK);
  Sequences own(3, 16, 5);
  for (int i = 0; i < 5 * 16 * 32; i++) {
    ASSERT_EQ(own.inputs[i], tokens.inputs[i]);
    ASSERT_EQ(own.inputs[i], sentences.inputs[i]);
  }
  for (int i = 0; i < 5 * 16; i++) EXPECT_EQ(own.labels[i], tokens.labels[i]);
  for (int i = 0; i < 5; i++) EXPECT_EQ(own.sentences[static_cast<size_t>(i)], sentences.labels[i]);
  erg_dataset_free(&sentences);
  erg_dataset_free(&tokens);
  test::Error error;
  EXPECT_EQ(erg_sequences(1, ERG_SPLIT_TEST, 0, 0.6, 5, nullptr, &tokens, &error), ERG_ERR_DATA);
  EXPECT_NE(error.message().find("5 of length 0"), std::string::npos) << error.message();
}
