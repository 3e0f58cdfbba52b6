// SPDX-License-Identifier: GPL-3.0-or-later
#include "ergon/yaml.h"
#include "support.hpp"
#include <cmath>

TEST(Status, KeepsTheFirstStatusAndAllLines) {
  test::Error error;
  EXPECT_EQ(erg_fail(&error, ERG_ERR_DATA, "one %d", 1), ERG_ERR_DATA);
  EXPECT_EQ(erg_fail(&error, ERG_ERR_TOOL, "two"), ERG_ERR_TOOL);
  EXPECT_EQ(error.status, ERG_ERR_DATA);
  EXPECT_EQ(error.count, 2);
  EXPECT_EQ(error.message(), "one 1\ntwo");
  EXPECT_EQ(erg_fail(nullptr, ERG_ERR_IO, "nobody listens"), ERG_ERR_IO);
}

TEST(Nearest, SuggestsNearWordsOnly) {
  const char *const names[] = {"resnet18", "resnet50", "vgg16", nullptr};
  EXPECT_STREQ(erg_nearest("resnet5", names), "resnet50");
  EXPECT_STREQ(erg_nearest("vgg", names), nullptr);
  EXPECT_STREQ(erg_nearest("transformer", names), nullptr);
  const char *const letters[] = {"S", "D", nullptr};
  EXPECT_STREQ(erg_nearest("B", letters), nullptr); // not one letter in common
}

TEST(Number, WholeTokensOnly) {
  int64_t i;
  double r;
  EXPECT_TRUE(erg_parse_int("-12", &i));
  EXPECT_EQ(i, -12);
  EXPECT_TRUE(erg_parse_int("9223372036854775807", &i));
  for (const char *bad : {"", "-", "+", "12 ", " 12", "1_0", "0x1", "012", "1.0", "1e3", "9223372036854775808", "--1"})
    EXPECT_FALSE(erg_parse_int(bad, &i)) << bad;
  EXPECT_TRUE(erg_parse_real("-1.25e-3", &r));
  EXPECT_EQ(r, -1.25e-3);
  for (const char *bad : {"", ".5", "1.", "1e", "1e+", "nan", "inf", "0x1p3", "1.5pJ", "1e999", "1,5", "1..2"})
    EXPECT_FALSE(erg_parse_real(bad, &r)) << bad;
}

TEST(Hash, KnownDigests) { // FIPS 180-4 examples
  char hex[65];
  erg_sha256_hex("abc", 3, hex);
  EXPECT_STREQ(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  erg_sha256_hex("", 0, hex);
  EXPECT_STREQ(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const char *two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  erg_sha256_hex(two, 56, hex);
  EXPECT_STREQ(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Random, StreamsAreReproducibleAndApart) {
  erg_random a, b, c;
  erg_random_stream(&a, 7, "weights");
  erg_random_stream(&b, 7, "weights");
  erg_random_stream(&c, 7, "input");
  bool apart = false;
  for (int i = 0; i < 100; i++) {
    uint64_t x = erg_random_u64(&a);
    EXPECT_EQ(x, erg_random_u64(&b));
    apart |= x != erg_random_u64(&c);
  }
  EXPECT_TRUE(apart);
}

TEST(Random, RangeIsInclusiveAndFlat) {
  test::Random random(1);
  int seen[5] = {};
  for (int i = 0; i < 50000; i++) {
    int x = random.range(-2, 2);
    ASSERT_GE(x, -2);
    ASSERT_LE(x, 2);
    seen[x + 2]++;
  }
  for (int count : seen) EXPECT_NEAR(count, 10000, 450); // 5 sigma of a binomial
}

TEST(Random, NormalHasItsMoments) {
  test::Random random(2);
  double sum = 0, squares = 0;
  for (int i = 0; i < 100000; i++) {
    double x = erg_random_normal(&random);
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / 1e5, 0, 0.016);
  EXPECT_NEAR(squares / 1e5, 1, 0.023);
}

TEST(Table, AlignsColumnsByCodePoints) {
  erg_table *table = erg_table_new();
  erg_table_column(table, "layer", false);
  erg_table_column(table, "µJ", true);
  erg_table_cell(table, "a");
  erg_table_cell(table, "%.1f", 1.5);
  erg_table_rule(table);
  erg_table_cell(table, "longer name");
  erg_table_cell(table, "100.0");
  char *text = nullptr;
  size_t bytes = 0;
  FILE *stream = open_memstream(&text, &bytes);
  erg_table_print(table, stream);
  fclose(stream);
  EXPECT_STREQ(text,
               "layer           µJ\n------------------\na              1.5\n------------------\nlonger name  100.0\n");
  free(text);
  erg_table_free(table);
}

TEST(Csv, QuotesWhatNeedsQuotes) {
  char *text = nullptr;
  size_t bytes = 0;
  FILE *stream = open_memstream(&text, &bytes);
  erg_csv_text(stream, "plain", true);
  erg_csv_text(stream, "a,\"b\"", false);
  fclose(stream);
  EXPECT_STREQ(text, "plain,\"a,\"\"b\"\"\"");
  free(text);
}

TEST(File, SaysWhyItCannotBeRead) {
  test::Arena arena;
  test::Folder folder;
  char *text;
  test::Error missing, directory, nul;
  EXPECT_EQ(erg_file_read(&arena, (folder / "none").c_str(), &text, nullptr, &missing), ERG_ERR_NO_INPUT);
  EXPECT_EQ(erg_file_read(&arena, folder.path.c_str(), &text, nullptr, &directory), ERG_ERR_NO_INPUT);
  test::write_file(folder / "nul", std::string("a\0b", 3));
  EXPECT_EQ(erg_file_read(&arena, (folder / "nul").c_str(), &text, nullptr, &nul), ERG_ERR_DATA);
}

TEST(Data, UnknownNameListsWhatThereIs) {
  test::Arena arena;
  test::Error error;
  char *path;
  EXPECT_EQ(erg_data_find(&arena, "nets", "resnet5", ".yaml", &path, &error), ERG_ERR_NO_INPUT);
  EXPECT_NE(error.message().find("did you mean resnet50?"), std::string::npos) << error.message();
  EXPECT_NE(error.message().find("vgg16"), std::string::npos);
}
