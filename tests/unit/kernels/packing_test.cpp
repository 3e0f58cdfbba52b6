// SPDX-License-Identifier: GPL-3.0-or-later
// Packed storage: a hand-written image, the way there and back, and the simulator's own reader of bits.
#include "../../../sim/sc/bits.hpp"
#include "support.hpp"

TEST(Packing, LayoutByHand) {
  // 3 bits: 1 = 001, -1 = 111, 3 = 011, -4 = 100; first in the lowest bits: 00'011'111'001, then 100 straddles.
  const int16_t codes[] = {1, -1, 3, -4};
  uint8_t bytes[2] = {0xAA, 0xAA};
  ASSERT_EQ(erg_packed_bytes(1, 4, 3), 2);
  ASSERT_EQ(erg_pack_s16(1, 4, 3, codes, bytes, nullptr), ERG_OK);
  EXPECT_EQ(bytes[0], 0b11111001); // low two bits of 3 on top
  EXPECT_EQ(bytes[1], 0b00001000); // 3's third bit 0, then 100, then zeros
  const int16_t word[] = {0x1234, -2};
  uint8_t wide[4];
  ASSERT_EQ(erg_pack_s16(1, 2, 16, word, wide, nullptr), ERG_OK);
  EXPECT_EQ(std::vector<uint8_t>(wide, wide + 4), (std::vector<uint8_t>{0x34, 0x12, 0xFE, 0xFF})) << "little-endian";
  const int16_t nibbles[] = {7, -8};
  ASSERT_EQ(erg_pack_s16(2, 1, 4, nibbles, wide, nullptr), ERG_OK);
  EXPECT_EQ(wide[0], 0x07);
  EXPECT_EQ(wide[1], 0x08) << "a run of its own starts on a byte";
}

TEST(Packing, RoundTripAndTheSimulatorsBits) {
  test::Random random(161);
  for (int bits = 2; bits <= 16; bits++)
    for (int round = 0; round < 60; round++) {
      SCOPED_TRACE("seed 161, " + std::to_string(bits) + " bits, round " + std::to_string(round));
      int64_t runs = random.range(1, 4), elements = random.range(1, 40), edge = (int64_t)1 << (bits - 1);
      std::vector<int16_t> codes(static_cast<size_t>(runs * elements)), back(codes.size());
      for (int16_t &x : codes)
        x = static_cast<int16_t>(random.coin() ? random.range(-edge, edge - 1) : random.coin() ? -edge : edge - 1);
      size_t run_bytes = static_cast<size_t>(erg_packed_bytes(1, elements, bits));
      ASSERT_EQ(run_bytes, ergon::run_bytes(static_cast<uint64_t>(elements), bits));
      std::vector<uint8_t> bytes(run_bytes * static_cast<size_t>(runs), 0xFF), image(bytes.size(), 0);
      ASSERT_EQ(static_cast<int64_t>(bytes.size()), erg_packed_bytes(runs, elements, bits));
      test::Error error;
      ASSERT_EQ(erg_pack_s16(runs, elements, bits, codes.data(), bytes.data(), &error), ERG_OK) << error.message();
      for (size_t i = 0; i < codes.size(); i++) {
        size_t run = i / static_cast<size_t>(elements), at = i % static_cast<size_t>(elements);
        ergon::put_code(image.data() + run * run_bytes, at * static_cast<size_t>(bits), bits, codes[i]);
        ASSERT_EQ(ergon::get_code(bytes.data() + run * run_bytes, at * static_cast<size_t>(bits), bits), codes[i]);
      }
      ASSERT_EQ(bytes, image) << "padding bits are zero";
      for (int64_t run = 0; run < runs; run++) // padding bits of foreign data mean nothing
        if (int rest = static_cast<int>(elements * bits % 8))
          bytes[static_cast<size_t>(run + 1) * run_bytes - 1] |= static_cast<uint8_t>(0xFF << rest);
      ASSERT_EQ(erg_unpack_s16(runs, elements, bits, bytes.data(), back.data(), &error), ERG_OK);
      ASSERT_EQ(back, codes);
    }
}

TEST(Packing, RefusesCodesAndSizes) {
  int16_t codes[] = {0, 4};
  uint8_t bytes[] = {0x55, 0x55};
  test::Error error;
  EXPECT_EQ(erg_pack_s16(1, 2, 3, codes, bytes, &error), ERG_ERR_DATA) << "4 does not fit in 3 bits";
  EXPECT_NE(error.message().find("code 4 at 1"), std::string::npos) << error.message();
  codes[1] = -5;
  EXPECT_EQ(erg_pack_s16(1, 2, 3, codes, bytes, &error), ERG_ERR_DATA);
  EXPECT_EQ(bytes[0], 0x55) << "untouched";
  for (int bits : {1, 17, 0, -3}) {
    EXPECT_EQ(erg_pack_s16(1, 1, bits, codes, bytes, &error), ERG_ERR_DATA);
    EXPECT_EQ(erg_unpack_s16(1, 1, bits, bytes, codes, &error), ERG_ERR_DATA);
    EXPECT_EQ(erg_packed_bytes(1, 1, bits), 0);
  }
  EXPECT_EQ(erg_pack_s16(0, 1, 8, codes, bytes, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_pack_s16(1, 0, 8, codes, bytes, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_pack_s16(INT64_MAX, INT64_MAX, 8, codes, bytes, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_pack_s16(1, 1, 8, nullptr, bytes, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_unpack_s16(1, 1, 8, nullptr, codes, &error), ERG_ERR_DATA);
}
