// SPDX-License-Identifier: GPL-3.0-or-later
#include "support.hpp"

TEST(Precision, ParsesWidthsSetApart) {
  erg_precision p = test::precision("w4a8p24o6");
  EXPECT_EQ(p.format, ERG_FORMAT_INT);
  EXPECT_EQ(p.weight_bits, 4);
  EXPECT_EQ(p.activation_bits, 8);
  EXPECT_EQ(p.accumulator_bits, 24);
  EXPECT_EQ(p.output_bits, 6);
}

TEST(Precision, AccumulatorIs48WhereProductsNeedIt) {
  EXPECT_EQ(test::precision("int8").accumulator_bits, 32);
  EXPECT_EQ(test::precision("w8a8").accumulator_bits, 32);
  EXPECT_EQ(test::precision("w9a8").accumulator_bits, 48);
  EXPECT_EQ(test::precision("int16").accumulator_bits, 48);
}

TEST(Precision, EveryNameParsesBackToItself) {
  for (int w = 2; w <= 16; w++)
    for (int a = 2; a <= 16; a++)
      for (int acc : {24, 32, 48})
        for (int o : {2, a, 16}) {
          erg_precision p{ERG_FORMAT_INT, w, a, acc, o};
          char name[32];
          erg_precision again = test::precision(erg_precision_name(&p, name));
          EXPECT_EQ(again.weight_bits, w) << name;
          EXPECT_EQ(again.activation_bits, a) << name;
          EXPECT_EQ(again.accumulator_bits, acc) << name;
          EXPECT_EQ(again.output_bits, o) << name;
        }
  for (const char *format : {"fp32", "fp16", "bf16", "fp8e4m3", "fp8e5m2"}) {
    erg_precision p = test::precision(format);
    char name[32];
    EXPECT_STREQ(erg_precision_name(&p, name), format);
    EXPECT_EQ(p.accumulator_bits, 32);
  }
}

TEST(Precision, RefusesWhatItDoesNotKnow) {
  for (const char *bad : {"", "int", "int1", "int17", "int8x", "w8", "w8a", "w8a8p7", "w8a8p49", "w8a8o1", "w8a8o8p32",
                          "a8w8", "fp64", "INT8", " int8", "int08", "w99999999999999999999a8", "int-8"}) {
    erg_precision p{};
    test::Error error;
    EXPECT_EQ(erg_precision_parse(bad, &p, &error), ERG_ERR_USAGE) << bad;
    EXPECT_NE(error.message().find("allowed"), std::string::npos) << bad;
  }
}
