// SPDX-License-Identifier: GPL-3.0-or-later
// The float reference against the fp32 kernels, which share no line with it.
#include "integer_net.hpp"

namespace {

// One operator on a random map, in both.
struct Op {
  test::SmallNet net;
  test::Weights weights{net};
  test::Examples data;
  std::vector<float> input;
  explicit Op(const std::string &node, int batch = 2) : net(5, 4, 6, {node}, batch), data(net, batch, 9) {
    test::fill(net, &weights, 8);
    input.assign(data.values.begin(), data.values.end());
  }
  std::vector<float> floats(const char *role) const {
    const erg_parameter *p = erg_weights_find(&weights, 1, role);
    return p ? std::vector<float>(p->values, p->values + p->elements) : std::vector<float>();
  }
  void compare(const std::vector<float> &want) {
    test::FloatRun run(net, weights);
    const double *got = run.forward(data.values.data(), 1);
    ASSERT_EQ(want.size(), static_cast<size_t>(erg_shape_elements(net.nodes[1].out)));
    for (size_t i = 0; i < want.size(); i++) ASSERT_NEAR(got[i], want[i], 2e-5 * (1 + std::fabs(want[i]))) << i;
  }
  std::vector<float> room() const {
    return std::vector<float>(static_cast<size_t>(erg_shape_elements(net.nodes[1].out)));
  }
};

TEST(QuantFloat, Convolutions) {
  for (const char *node :
       {"{name: n, op: conv2d, K: 4, kernel: 3, pad: 1, stride: 2, bias: yes}",
        "{name: n, op: conv2d, K: 6, kernel: 3, pad: 1, groups: 6}",
        "{name: n, op: conv2d, K: 4, kernel: 1, groups: 2, bias: yes}", "{name: n, op: fc, K: 3, bias: yes}"}) {
    Op op(node);
    erg_conv2d_shape s;
    op.net.nodes[1].op->conv(&op.net.nodes[1].attrs, &op.net.nodes[0].out, &s);
    std::vector<float> out = op.room(), w = op.floats("weight"), b = op.floats("bias");
    ASSERT_EQ(erg_conv2d_f32(&s, op.input.data(), w.data(), b.empty() ? nullptr : b.data(), out.data(), nullptr),
              ERG_OK);
    op.compare(out);
  }
}

TEST(QuantFloat, Pools) {
  for (const char *node : {"{name: n, op: max_pool, kernel: 3, stride: 2, pad: 1}",
                           "{name: n, op: avg_pool, kernel: 3, stride: 2, pad: 1}", "{name: n, op: global_avg_pool}"}) {
    Op op(node);
    erg_pool_shape s;
    op.net.nodes[1].op->pool(&op.net.nodes[1].attrs, &op.net.nodes[0].out, &s);
    std::vector<float> out = op.room();
    bool max = std::string(node).find("max") != std::string::npos;
    ASSERT_EQ((max ? erg_max_pool_f32 : erg_avg_pool_f32)(&s, op.input.data(), out.data(), nullptr), ERG_OK);
    op.compare(out);
  }
}

TEST(QuantFloat, Norms) {
  erg_shape shape{2, 5, 4, 6};
  Op batch("{name: n, op: batch_norm}"), instance("{name: n, op: instance_norm}"), layer("{name: n, op: layer_norm}"),
      rms("{name: n, op: rms_norm}");
  std::vector<float> out = batch.room();
  auto value = [&](const char *role) { return erg_weights_find(&batch.weights, 1, role)->values; };
  erg_batch_norm_stats stats{value("weight"), value("bias"), value("running_mean"), value("running_var"), 1e-5};
  ASSERT_EQ(erg_batch_norm_f32(40, 6, batch.input.data(), &stats, out.data(), nullptr), ERG_OK);
  batch.compare(out);
  auto g = instance.floats("weight"), b = instance.floats("bias");
  ASSERT_EQ(erg_instance_norm_f32(shape, instance.input.data(), g.data(), b.data(), 1e-5f, out.data(), nullptr),
            ERG_OK);
  instance.compare(out);
  ASSERT_EQ(erg_layer_norm_f32(40, 6, layer.input.data(), g.data(), b.data(), 1e-5f, out.data(), nullptr), ERG_OK);
  layer.compare(out);
  g = rms.floats("weight");
  ASSERT_EQ(erg_rms_norm_f32(40, 6, rms.input.data(), g.data(), nullptr, 1e-5f, out.data(), nullptr), ERG_OK);
  rms.compare(out);
}

TEST(QuantFloat, PointwiseByHand) {
  Op relu6("{name: n, op: relu6}"), tanh("{name: n, op: tanh}"), add("{name: n, op: add, inputs: [input, input]}"),
      mul("{name: n, op: mul, inputs: [input, input]}");
  for (float &x : relu6.input) x *= 5;
  for (double &x : relu6.data.values) x *= 5;
  std::vector<float> want[4];
  for (float x : relu6.input) want[0].push_back(std::min(std::max(x, 0.0f), 6.0f));
  for (float x : tanh.input) {
    want[1].push_back(std::tanh(x));
    want[2].push_back(2 * x);
    want[3].push_back(x * x);
  }
  relu6.compare(want[0]);
  tanh.compare(want[1]);
  add.compare(want[2]);
  mul.compare(want[3]);
}

TEST(QuantFloat, SeveralInputsOrNoWeightsAreRefused) {
  Op op("{name: n, op: fc, K: 3, bias: yes}");
  erg_float_run *run;
  test::Error error;
  op.weights.items[0].node = op.weights.items[1].node = 7;
  EXPECT_EQ(erg_float_open(&op.net, &op.weights, &run, &error), ERG_ERR_DATA);
  EXPECT_EQ(run, nullptr);
  EXPECT_NE(error.message().find("n.weight is missing\nweights: n.bias is missing"), std::string::npos)
      << error.message();
}

} // namespace
