// SPDX-License-Identifier: GPL-3.0-or-later
// One contract for every registered operator and format: what is added is tested before its author writes a test.
#include "support.hpp"
#include <cmath>
#include <set>

namespace {

erg_attrs attrs_of(const erg_op &op) {
  erg_attrs a{};
  a.filters = op.attributes & ERG_ATTR_K ? 6 : 0;
  a.kernel_h = a.kernel_w = op.attributes & ERG_ATTR_KERNEL ? 3 : 0;
  a.stride_h = a.stride_w = 1;
  a.groups = 1;
  return a;
}

} // namespace

TEST(Operators, EachKeepsTheContract) {
  std::set<std::string> names;
  ERG_EACH(erg_op, item) {
    const erg_op &op = **item;
    SCOPED_TRACE(op.name);
    EXPECT_TRUE(names.insert(op.name).second) << "two operators of one name";
    EXPECT_EQ(erg_op_find(op.name), &op);
    ASSERT_TRUE(op.help && op.infer && op.parameters && op.counts);
    EXPECT_EQ(op.conv != nullptr, op.role == ERG_ROLE_ARRAY);
    EXPECT_EQ(op.required & ~op.attributes, 0u);
    const int second = op.by_channel ? 1 : 8;
    const erg_shape in[2] = {{2, 8, 8, 12}, {2, second, second, 12}};
    erg_shape out{};
    erg_attrs a = attrs_of(op);
    test::Error error;
    ASSERT_EQ(op.infer(&a, in, &out, &error), ERG_OK) << error.message();
    EXPECT_EQ(out.n, 2);
    EXPECT_GE(erg_shape_elements(out), 1);
    EXPECT_GE(op.parameters(&a, in), 0);
    erg_op_counts integer{}, floating{};
    op.counts(&a, in, &out, true, &integer);
    op.counts(&a, in, &out, false, &floating);
    EXPECT_EQ(floating.requantize, 0u) << "floats have no requantize";
    EXPECT_EQ(integer.mac, floating.mac);
    EXPECT_EQ(integer.mac > 0, op.role == ERG_ROLE_ARRAY);
    if (op.run_s16) {
      std::vector<int16_t> x(static_cast<size_t>(erg_shape_elements(in[0])), 5),
          y(static_cast<size_t>(erg_shape_elements(out)), -1);
      ASSERT_EQ(op.run_s16(&a, in, x.data(), 3, y.data(), &error), ERG_OK);
      for (int16_t v : y) ASSERT_EQ(v, 5) << "a pool of equal codes";
    }
  }
  for (const char *name : {"input", "conv2d", "fc", "gemm", "batch_norm", "relu", "relu6", "add", "max_pool",
                           "avg_pool", "global_avg_pool", "mul", "channel_mul"})
    EXPECT_TRUE(names.count(name)) << name;
}

TEST(Operators, CountsAreThoseOfTheDefinition) {
  const erg_shape in[2] = {{1, 6, 6, 4}, {1, 6, 6, 4}};
  erg_shape out;
  test::Error error;
  erg_attrs a{};
  a.kernel_h = a.kernel_w = 3;
  a.stride_h = a.stride_w = 2;
  a.pad_top = a.pad_left = 1;
  a.groups = 1;
  const erg_op *pool = erg_op_find("max_pool");
  ASSERT_EQ(pool->infer(&a, in, &out, &error), ERG_OK);
  erg_op_counts n{};
  pool->counts(&a, in, &out, true, &n);
  EXPECT_EQ(n.compare, 4u * (8 * 8 - 9)); // rows inside: 2 + 3 + 3 of 3 windows, likewise columns; minus one an output
  const erg_op *add = erg_op_find("add");
  n = {};
  add->counts(&a, in, &in[0], true, &n);
  EXPECT_EQ(n.requantize, 2u * 144);
  EXPECT_EQ(n.add, 144u);
  const erg_op *mul = erg_op_find("mul");
  n = {};
  mul->counts(&a, in, &in[0], true, &n);
  EXPECT_EQ(n.requantize, 144u) << "both scales are in one multiplier";
  EXPECT_EQ(n.multiply, 144u);
}

TEST(Operators, RefuseShapesThatDoNotFit) {
  test::Error error;
  erg_shape out{};
  const erg_shape map{1, 4, 4, 6}, other{1, 4, 4, 5};
  erg_attrs a{};
  a.filters = 4;
  a.kernel_h = a.kernel_w = 5;
  a.stride_h = a.stride_w = a.groups = 1;
  EXPECT_EQ(erg_op_find("conv2d")->infer(&a, &map, &out, &error), ERG_ERR_DATA); // kernel over the map
  a.kernel_h = a.kernel_w = 3;
  a.groups = 4;
  EXPECT_EQ(erg_op_find("conv2d")->infer(&a, &map, &out, &error), ERG_ERR_DATA); // 6 channels in 4 groups
  a.groups = 1;
  a.pad_top = 3;
  EXPECT_EQ(erg_op_find("conv2d")->infer(&a, &map, &out, &error), ERG_ERR_DATA); // pad as large as the kernel
  const erg_shape two[2] = {map, other};
  EXPECT_EQ(erg_op_find("add")->infer(&a, two, &out, &error), ERG_ERR_DATA);
  EXPECT_EQ(erg_op_find("mul")->infer(&a, two, &out, &error), ERG_ERR_DATA);
  const erg_op *by_channel = erg_op_find("channel_mul");
  for (const erg_shape &b : {map, erg_shape{1, 1, 1, 5}, erg_shape{2, 1, 1, 6}, erg_shape{1, 1, 4, 6}}) {
    const erg_shape pair[2] = {map, b};
    EXPECT_EQ(by_channel->infer(&a, pair, &out, &error), ERG_ERR_DATA);
  }
  const erg_shape pair[2] = {map, {1, 1, 1, 6}};
  EXPECT_EQ(by_channel->infer(&a, pair, &out, &error), ERG_OK);
}
