// SPDX-License-Identifier: GPL-3.0-or-later
#include "small_net.hpp"
#include <cmath>
#include <cstring>

namespace {

const std::vector<std::string> nodes = {"{name: conv, op: conv2d, K: 3, kernel: [2, 3], pad: 1, bias: yes}",
                                        "{name: norm, op: batch_norm}", "{name: fc, op: fc, K: 2}"};

// Header and data as a file; the length is that of the header.
std::string file_of(const std::string &header, const std::string &data) {
  std::string length(8, '\0');
  for (int i = 0; i < 8; i++) length[i] = (char)(header.size() >> 8 * i);
  return length + header + data;
}

std::string floats(const std::vector<float> &values) {
  return std::string((const char *)values.data(), values.size() * sizeof(float));
}

TEST(Safetensors, WhatIsWrittenIsRead) {
  test::Folder folder;
  test::SmallNet net(4, 5, 2, nodes);
  test::Weights w(net), again;
  test::Error error;
  test::Random random(20);
  for (int i = 0; i < w.count; i++)
    for (int64_t at = 0; at < w.items[i].elements; at++) w.items[i].values[at] = (float)erg_random_normal(&random);
  const char *const metadata[] = {"note", "a \"quoted\" text", nullptr};
  ASSERT_EQ(erg_weights_write((folder / "w.safetensors").c_str(), &w, metadata, &error), ERG_OK) << error.message();
  ASSERT_EQ(erg_weights_read((folder / "w.safetensors").c_str(), &net, &again, &error), ERG_OK) << error.message();
  for (int i = 0; i < w.count; i++)
    EXPECT_EQ(std::memcmp(w.items[i].values, again.items[i].values, sizeof(double) * (size_t)w.items[i].elements), 0)
        << w.items[i].name;
  EXPECT_FALSE(std::filesystem::exists(folder / "w.safetensors.part"));
}

TEST(Safetensors, PyTorchLayout) { // weight[k][c][r][s] = 1000 k + 100 c + 10 r + s, in F64
  test::Folder folder;
  test::SmallNet net(4, 5, 2, {"{name: conv, op: conv2d, K: 3, kernel: [2, 3]}"});
  std::string data;
  for (int k = 0; k < 3; k++)
    for (int c = 0; c < 2; c++)
      for (int r = 0; r < 2; r++)
        for (int s = 0; s < 3; s++) {
          double value = 1000 * k + 100 * c + 10 * r + s;
          data += std::string((const char *)&value, sizeof value);
        }
  test::write_file(folder / "w",
                   file_of(R"({"conv.weight":{"dtype":"F64","shape":[3,2,2,3],"data_offsets":[0,288]}})", data));
  test::Weights w;
  test::Error error;
  ASSERT_EQ(erg_weights_read((folder / "w").c_str(), &net, &w, &error), ERG_OK) << error.message();
  const double *at = w.named("conv.weight")->values;
  for (int k = 0; k < 3; k++)
    for (int r = 0; r < 2; r++)
      for (int s = 0; s < 3; s++)
        for (int c = 0; c < 2; c++) EXPECT_EQ(*at++, 1000 * k + 100 * c + 10 * r + s);
}

TEST(Safetensors, AnFcFlattensChannelsOutermost) {
  test::Folder folder;
  test::SmallNet net(2, 1, 2, {"{name: fc, op: fc, K: 1}"});
  test::write_file(folder / "w", file_of(R"({"fc.weight":{"dtype":"F32","shape":[1,4],"data_offsets":[0,16]}})",
                                         floats({1, 2, 3, 4}))); // c0 r0, c0 r1, c1 r0, c1 r1
  test::Weights w;
  test::Error error;
  ASSERT_EQ(erg_weights_read((folder / "w").c_str(), &net, &w, &error), ERG_OK) << error.message();
  const double wanted[] = {1, 3, 2, 4}; // r0 c0, r0 c1, r1 c0, r1 c1
  EXPECT_EQ(std::memcmp(w.named("fc.weight")->values, wanted, sizeof wanted), 0);
}

TEST(Safetensors, HalfPrecision) {
  test::Folder folder;
  test::SmallNet net(1, 1, 2, {"{name: fc, op: fc, K: 1, bias: yes}"});
  const uint16_t half[] = {0x3c00, 0xc001}, brain[] = {0x4049};
  std::string data((const char *)half, 4);
  data += std::string((const char *)brain, 2);
  test::write_file(
      folder / "w",
      file_of(R"({"fc.weight":{"dtype":"F16","shape":[1,2],"data_offsets":[0,4]},)"
              R"("fc.bias":{"dtype":"BF16","shape":[1],"data_offsets":[4,6]},"__metadata__":{"made":"by hand"}})",
              data));
  test::Weights w;
  test::Error error;
  ASSERT_EQ(erg_weights_read((folder / "w").c_str(), &net, &w, &error), ERG_OK) << error.message();
  EXPECT_EQ(w.named("fc.weight")->values[0], 1);
  EXPECT_EQ(w.named("fc.weight")->values[1], -2 - 1.0 / 512);
  EXPECT_EQ(w.named("fc.bias")->values[0], 3.140625);
}

TEST(Safetensors, AllFaultsAtOnce) {
  test::Folder folder;
  test::SmallNet net(4, 5, 2, nodes);
  test::write_file(folder / "w",
                   file_of(R"({"conv.weight":{"dtype":"I8","shape":[3,2,3,2],"data_offsets":[0,36]},)"
                           R"("conv.bais":{"dtype":"F32","shape":[3],"data_offsets":[36,48]},)"
                           R"("norm.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[48,56]}})",
                           std::string(56, '\0')));
  test::Weights w;
  test::Error error;
  EXPECT_EQ(erg_weights_read((folder / "w").c_str(), &net, &w, &error), ERG_ERR_DATA);
  for (const char *text :
       {"conv.weight: dtype: found I8; allowed: F64, F32, F16, BF16",
        "conv.weight: shape: found [3, 2, 3, 2]; wanted [3, 2, 2, 3]", "conv.bias: missing",
        "norm.running_var: missing", "conv.bais: small has no such tensor (did you mean conv.bias?)"})
    EXPECT_NE(error.message().find(text), std::string::npos) << text << "\nin\n" << error.message();
  EXPECT_EQ(error.message().find("num_batches_tracked"), std::string::npos) << error.message();
}

TEST(Safetensors, BrokenFilesAreRefused) {
  test::SmallNet net(1, 1, 3, {"{name: fc, op: fc, K: 2, bias: yes}"});
  int files = 0;
  for (const auto &entry : std::filesystem::directory_iterator(ERGON_TEST_CORPUS_DIR "/safetensors")) {
    test::Weights w;
    test::Error error;
    EXPECT_EQ(erg_weights_read(entry.path().c_str(), &net, &w, &error), ERG_ERR_DATA) << entry.path();
    EXPECT_NE(error.message().find(entry.path().filename()), std::string::npos) << error.message();
    EXPECT_EQ(w.items, nullptr);
    files++;
  }
  EXPECT_GE(files, 35);
}

TEST(Safetensors,
     AnyByteMayBeBroken) { // cut at every length, and random bytes changed: a fault or finite values, never a crash
  test::Folder folder;
  test::SmallNet net(1, 1, 3, {"{name: fc, op: fc, K: 2, bias: yes}"});
  test::Weights w(net);
  test::Error error;
  ASSERT_EQ(erg_weights_write((folder / "w").c_str(), &w, nullptr, &error), ERG_OK);
  const std::string good = test::read_file(folder / "w");
  test::Random random(7);
  int refused = 0;
  for (int i = 0; i < 600; i++) {
    std::string broken = good;
    if (i < (int)good.size())
      broken.resize((size_t)i);
    else
      for (int n = random.range(1, 4); n-- > 0;)
        broken[(size_t)random.range(0, (int)good.size() - 1)] = (char)random.range(0, 255);
    test::write_file(folder / "b", broken);
    test::Weights read;
    test::Error fault;
    erg_status status = erg_weights_read((folder / "b").c_str(), &net, &read, &fault);
    ASSERT_TRUE(status == ERG_OK || status == ERG_ERR_DATA) << i;
    refused += status != ERG_OK;
    for (int p = 0; status == ERG_OK && p < read.count; p++)
      for (int64_t at = 0; at < read.items[p].elements; at++) ASSERT_TRUE(std::isfinite(read.items[p].values[at]));
  }
  EXPECT_GE(refused, (int)good.size()); // every cut file at least
}

TEST(Safetensors, NothingIsWrittenOfWhatIsNotFinite) {
  test::Folder folder;
  test::SmallNet net(1, 1, 3, {"{name: fc, op: fc, K: 2, bias: yes}"});
  test::Weights w(net);
  w.named("fc.weight")->values[4] = 1e300;
  test::Weights none;
  test::Error error, missing;
  EXPECT_EQ(erg_weights_write((folder / "w").c_str(), &w, nullptr, &error), ERG_ERR_DATA);
  EXPECT_NE(error.message().find("fc.weight: found 1e+300 at element 4"), std::string::npos) << error.message();
  EXPECT_FALSE(std::filesystem::exists(folder / "w"));
  EXPECT_EQ(erg_weights_read((folder / "w").c_str(), &net, &none, &missing), ERG_ERR_NO_INPUT);
}

} // namespace
