// SPDX-License-Identifier: GPL-3.0-or-later
#include "small_net.hpp"
#include <cmath>
#include <cstring>

namespace {

std::string npy(const std::string &type, const std::string &shape, const std::string &data) {
  std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
  std::string file("\x93NUMPY\x01\x00", 8);
  return file + (char)(header.size() & 255) + (char)(header.size() >> 8) + header + data;
}

template <typename T> std::string bytes(const std::vector<T> &values) {
  return std::string((const char *)values.data(), values.size() * sizeof(T));
}

// Every procedural data set keeps the contract of data.h.
TEST(Data, EverySource) {
  int sources = 0;
  ERG_EACH(erg_data_source, item) {
    const char *name = (*item)->name;
    EXPECT_EQ(erg_data_source_find(name), *item);
    test::Dataset train(name, 1, ERG_SPLIT_TRAIN), same(name, 1, ERG_SPLIT_TRAIN, 50),
        other(name, 2, ERG_SPLIT_TRAIN, 50);
    test::Dataset calibration(name, 1, ERG_SPLIT_CALIBRATION, 50), held(name, 1, ERG_SPLIT_TEST);
    ASSERT_EQ(train.count, (*item)->train_count) << name;
    ASSERT_EQ(held.count, (*item)->test_count) << name;
    size_t each = (size_t)erg_shape_elements(train.shape), some = 50 * each * sizeof(double);
    ASSERT_TRUE(train.labels_each == 1 || train.labels_each == train.shape.h * train.shape.w) << name;
    EXPECT_EQ(std::memcmp(train.inputs, same.inputs, some), 0) << name << ": fewer examples are the first ones";
    EXPECT_NE(std::memcmp(train.inputs, other.inputs, some), 0) << name;
    EXPECT_NE(std::memcmp(train.inputs, calibration.inputs, some), 0) << name;
    EXPECT_NE(std::memcmp(held.inputs, calibration.inputs, some), 0) << name;
    EXPECT_NE(std::memcmp(held.inputs, train.inputs, some), 0) << name;
    std::vector<int> seen((size_t)train.classes);
    for (int i = 0; i < train.count * train.labels_each; i++) {
      ASSERT_TRUE(train.labels[i] >= 0 && train.labels[i] < train.classes) << name;
      seen[(size_t)train.labels[i]]++;
    }
    for (int count : seen) EXPECT_GT(count, train.count / train.classes / 2) << name; // no class is rare
    double most = 0;
    for (size_t i = 0; i < (size_t)train.count * each; i++) {
      ASSERT_TRUE(std::isfinite(train.inputs[i])) << name;
      most = std::fmax(most, std::fabs(train.inputs[i]));
    }
    EXPECT_GT(most, 0.5) << name;
    EXPECT_LT(most, 20) << name;
    sources++;
  }
  EXPECT_GE(sources, 5);
}

TEST(Data, TokensAndSentencesAreTheSameSequences) {
  test::Dataset tokens("tokens", 4, ERG_SPLIT_TRAIN, 20), sentences("sentences", 4, ERG_SPLIT_TRAIN, 20);
  EXPECT_EQ(std::memcmp(tokens.inputs, sentences.inputs, sizeof(double) * 20 * 16 * 32), 0);
  EXPECT_EQ(tokens.labels_each, 16);
  EXPECT_EQ(sentences.labels_each, 1);
}

struct UserData : test::Folder {
  UserData() {
    std::vector<float> inputs(3 * 2 * 1 * 2);
    for (size_t i = 0; i < inputs.size(); i++) inputs[i] = (float)i / 4;
    test::write_file(*this / "train-inputs.npy", npy("<f4", "(3, 2, 1, 2)", bytes(inputs)));
    test::write_file(*this / "train-labels.npy", npy("|u1", "(3,)", bytes<uint8_t>({2, 0, 1})));
    test::write_file(*this / "test-inputs.npy", npy("<f8", "(1, 2, 1, 2)", bytes<double>({-1, 2, 3, 4})));
    test::write_file(*this / "test-labels.npy", npy("<i8", "(1,)", bytes<int64_t>({1})));
  }
  erg_status load(erg_split split, int count, erg_dataset *out, test::Error &error) {
    return erg_dataset_load(path.c_str(), 0, split, count, out, &error);
  }
};

TEST(Data, AFolderOfArrays) {
  UserData folder;
  test::Dataset train, held, calibration, bare;
  test::Error error;
  ASSERT_EQ(folder.load(ERG_SPLIT_TRAIN, 2, &train, error), ERG_OK) << error.message();
  ASSERT_EQ(folder.load(ERG_SPLIT_TEST, 0, &held, error), ERG_OK) << error.message();
  ASSERT_EQ(folder.load(ERG_SPLIT_CALIBRATION, 0, &calibration, error), ERG_OK) << error.message();
  EXPECT_EQ(train.count, 2);
  EXPECT_EQ(train.classes, 3);
  EXPECT_EQ(train.shape.h, 2);
  EXPECT_EQ(train.shape.c, 2);
  EXPECT_EQ(train.inputs[5], 1.25);
  EXPECT_EQ(train.labels[0], 2);
  EXPECT_EQ(held.inputs[0], -1);
  EXPECT_EQ(held.labels[0], 1);
  EXPECT_EQ(held.classes, 3); // as many as the training labels have
  EXPECT_EQ(calibration.count, 3);
  test::write_file(folder / "calibration.npy", npy("<f4", "(1, 2, 1, 2)", bytes<float>({9, 8, 7, 6})));
  ASSERT_EQ(folder.load(ERG_SPLIT_CALIBRATION, 0, &bare, error), ERG_OK) << error.message();
  EXPECT_EQ(bare.inputs[0], 9);
  EXPECT_EQ(bare.labels, nullptr);
}

TEST(Data, VectorsAreMapsOfOnePixelAndLabelsMayBePerPosition) {
  UserData folder;
  test::Dataset train;
  test::Error error;
  test::write_file(folder / "train-inputs.npy", npy("<f4", "(2, 3)", bytes<float>({1, 2, 3, 4, 5, 6})));
  test::write_file(folder / "train-labels.npy", npy("|i1", "(2, 1)", bytes<int8_t>({0, 1})));
  ASSERT_EQ(folder.load(ERG_SPLIT_TRAIN, 0, &train, error), ERG_OK) << error.message();
  EXPECT_EQ(train.shape.w, 1);
  EXPECT_EQ(train.shape.c, 3);
}

TEST(Data, FaultsOfAFolder) {
  const struct {
    const char *file, *type, *shape;
    std::string data;
    erg_split split;
    int count;
    const char *text;
  } cases[] = {
      {"train-inputs.npy", "<f4", "(1, 2, 1, 2)", bytes<float>({1, 2, NAN, 4}), ERG_SPLIT_TRAIN, 0,
       "found NaN in example 0 at element 2"},
      {"train-inputs.npy", "<f4", "(1, 2, 2)", bytes<float>({1, 2, 3, 4}), ERG_SPLIT_TRAIN, 0, "found three extents"},
      {"train-inputs.npy", "<f2", "(1, 2)", "abcd", ERG_SPLIT_TRAIN, 0, "found <f2; allowed: <f4, <f8"},
      {"train-inputs.npy", "<f4", "(0, 2)", "", ERG_SPLIT_TRAIN, 0, "extents from 1"},
      {"train-labels.npy", "|u1", "(2,)", bytes<uint8_t>({0, 1}), ERG_SPLIT_TRAIN, 0,
       "found 2 x 1 labels; allowed: one, or 2 (H W), for each of the 3"},
      {"train-labels.npy", "|i1", "(3,)", bytes<int8_t>({0, 1, -1}), ERG_SPLIT_TRAIN, 0, "found label -1 in example 2"},
      {"train-labels.npy", "<f4", "(3,)", bytes<float>({0, 0.5, 1}), ERG_SPLIT_TRAIN, 0,
       "found label 0.5 in example 1"},
      {"test-labels.npy", "|u1", "(1,)", bytes<uint8_t>({3}), ERG_SPLIT_TEST, 0,
       "allowed: 0 to 2, those of train-labels.npy"},
      {"test-inputs.npy", "<f4", "(1, 4)", bytes<float>({1, 2, 3, 4}), ERG_SPLIT_TEST, 0,
       "another shape than train-inputs.npy"},
      {nullptr, "", "", "", ERG_SPLIT_TRAIN, 4, "found 3 examples; 4 were asked for"},
  };
  for (const auto &c : cases) {
    UserData folder;
    if (c.file) test::write_file(folder / c.file, npy(c.type, c.shape, c.data));
    test::Dataset out;
    test::Error error;
    EXPECT_EQ(folder.load(c.split, c.count, &out, error), ERG_ERR_DATA) << c.text;
    EXPECT_NE(error.message().find(c.text), std::string::npos) << c.text << "\nin\n" << error.message();
  }
}

TEST(Data, UnknownNames) {
  test::Dataset out;
  test::Error error, usage;
  EXPECT_EQ(erg_dataset_load("shpaes", 1, ERG_SPLIT_TRAIN, 0, &out, &error), ERG_ERR_NO_INPUT);
  EXPECT_NE(error.message().find("did you mean shapes?"), std::string::npos) << error.message();
  EXPECT_EQ(erg_dataset_load("shapes", 1, ERG_SPLIT_TRAIN, -1, &out, &usage), ERG_ERR_USAGE);
}

} // namespace
