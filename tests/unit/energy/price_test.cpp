// SPDX-License-Identifier: GPL-3.0-or-later
// Pricing: parts and totals, what is asked for, what is free.
#include "technology.hpp"

using namespace energy_test;

TEST(Price, PartsSumToTheTotalAndAddUpOverPasses) {
  Technology t("horowitz-45nm");
  erg_precision p = test::precision("int8");
  erg_price_machine m = machine();
  test::Random random(61);
  erg_energy sum{};
  erg_activity all{};
  test::Error error;
  for (int round = 0; round < 50; round++) {
    erg_activity a = activity(random);
    erg_energy one{};
    ASSERT_EQ(erg_price(&t, &m, &a, &p, &p, &one, &error), ERG_OK) << error.message();
    double parts = one.mac_pj + one.other_ops_pj;
    for (double level : one.level_pj) parts += level;
    EXPECT_EQ(parts + one.static_pj, one.total_pj) << "to the last bit, in this order";
    for (int l = 0; l < ERG_ALL_LEVELS; l++) {
      double tensors = 0;
      for (double x : one.level_tensor_pj[l]) tensors += x;
      EXPECT_EQ(tensors, one.level_pj[l]);
    }
    erg_energy_add(&sum, &one);
    erg_activity_add(&all, &a);
  }
  erg_energy at_once{};
  ASSERT_EQ(erg_price(&t, &m, &all, &p, &p, &at_once, &error), ERG_OK);
  EXPECT_NEAR(at_once.total_pj, sum.total_pj, 1e-9 * sum.total_pj);
  double parts = sum.mac_pj + sum.other_ops_pj;
  for (double level : sum.level_pj) parts += level;
  EXPECT_EQ(parts + sum.static_pj, sum.total_pj);
}

TEST(Price, BookPricesMacsAndOffChipElementsOnly) {
  Technology t("book");
  erg_precision p = test::precision("int8");
  erg_price_machine m = machine();
  test::Random random(62);
  erg_activity a = activity(random);
  erg_energy e{};
  test::Error error;
  ASSERT_EQ(erg_price(&t, &m, &a, &p, &p, &e, &error), ERG_OK) << error.message();
  double bits = 0;
  for (int tensor = 0; tensor < ERG_TENSOR_COUNT; tensor++)
    if (tensor != ERG_TENSOR_CONSTANT) bits += static_cast<double>(a.read_bits[0][tensor] + a.write_bits[0][tensor]);
  EXPECT_NEAR(e.total_pj, 0.3 * static_cast<double>(a.ops[ERG_OP_MAC]) + 20.3125 * bits, 1e-6 * e.total_pj);
}

TEST(Price, RegistersArePricedWhereTheMacDoesNotHoldThem) {
  erg_precision p = test::precision("int8");
  erg_price_machine m = machine();
  erg_activity a{};
  a.write_bits[ERG_LEVEL_REGISTERS(2)][ERG_TENSOR_PSUM] = 1000;
  test::Error error;
  erg_energy with{}, without{};
  Technology horowitz("horowitz-45nm"), bitfusion("bitfusion-45nm");
  ASSERT_EQ(erg_price(&horowitz, &m, &a, &p, &p, &with, &error), ERG_OK);
  ASSERT_EQ(erg_price(&bitfusion, &m, &a, &p, &p, &without, &error), ERG_OK);
  EXPECT_NEAR(with.total_pj, 9, 1e-9);
  EXPECT_EQ(without.total_pj, 0);
}

TEST(Price, StaticIsPowerTimesTime) {
  Technology t(std::string(minimal) + "static_pw_per_pe: 1e6\nstatic_source: a test\n", 0);
  ASSERT_EQ(t.status, ERG_OK) << t.error.message();
  erg_precision p = test::precision("int8");
  erg_price_machine m = machine();
  erg_activity a{};
  a.cycles = 100; // 1 us at 100 MHz; 16 PEs of 1 uW: 16 pJ
  erg_energy e{};
  test::Error error;
  ASSERT_EQ(erg_price(&t, &m, &a, &p, &p, &e, &error), ERG_OK) << error.message();
  EXPECT_NEAR(e.static_pj, 16, 1e-9);
}

TEST(Price, NothingIsWrittenOnAFault) {
  Technology t("bitfusion-45nm");
  erg_precision p = test::precision("fp32");
  erg_price_machine m = machine();
  test::Random random(63);
  erg_activity a = activity(random);
  a.ops[ERG_OP_REQUANTIZE] = 0; // there is none in floating point
  erg_energy e{};
  e.total_pj = 7;
  test::Error error;
  EXPECT_EQ(erg_price(&t, &m, &a, &p, &p, &e, &error), ERG_ERR_UNSUPPORTED);
  EXPECT_EQ(e.total_pj, 7);
}

TEST(Price, OnlyWhatIsCountedIsAskedFor) {
  Technology t(minimal, 0); // a mac and a dram, nothing else
  ASSERT_EQ(t.status, ERG_OK) << t.error.message();
  erg_precision p = test::precision("int8"), fp32 = test::precision("fp32");
  erg_price_machine m = machine();
  erg_activity a{};
  a.ops[ERG_OP_MAC] = 10;
  a.read_bits[0][ERG_TENSOR_INPUT] = 8;
  erg_energy e{};
  test::Error none, op, level, format;
  ASSERT_EQ(erg_price(&t, &m, &a, &p, &p, &e, &none), ERG_OK) << none.message();
  EXPECT_DOUBLE_EQ(e.total_pj, 3 + 160);
  erg_activity more = a;
  more.ops[ERG_OP_REQUANTIZE] = 1;
  EXPECT_EQ(erg_price(&t, &m, &more, &p, &p, &e, &op), ERG_ERR_UNSUPPORTED);
  EXPECT_EQ(op.message(), "t has no constant for requantize in int8; it has one for no format");
  more = a;
  more.read_bits[1][ERG_TENSOR_INPUT] = 1;
  EXPECT_EQ(erg_price(&t, &m, &more, &p, &p, &e, &level), ERG_ERR_UNSUPPORTED);
  EXPECT_EQ(level.message(), "level spad: t has no constant for sram memory; it has one for dram");
  EXPECT_EQ(erg_price(&t, &m, &a, &fp32, &fp32, &e, &format), ERG_ERR_UNSUPPORTED);
  EXPECT_EQ(format.message(), "t has no constant for mac in fp32; it has one for int of any width");
}

TEST(Price, FixedHardwarePaysForItsOwnWidth) {
  Technology t("horowitz-45nm");
  erg_precision data = test::precision("int4"), hardware = test::precision("int8");
  erg_price_machine m = machine();
  erg_activity a{};
  a.ops[ERG_OP_MAC] = 1000;
  erg_energy e{};
  test::Error error;
  ASSERT_EQ(erg_price(&t, &m, &a, &data, &hardware, &e, &error), ERG_OK);
  EXPECT_DOUBLE_EQ(e.mac_pj, 300);
}

TEST(Price, ARequantizeInFloatingPointIsABug) {
  Technology t("horowitz-45nm");
  erg_precision p = test::precision("fp32");
  erg_price_machine m = machine();
  erg_activity a{};
  a.ops[ERG_OP_REQUANTIZE] = 1;
  erg_energy e{};
  test::Error error;
  EXPECT_EQ(erg_price(&t, &m, &a, &p, &p, &e, &error), ERG_ERR_INTERNAL);
}
