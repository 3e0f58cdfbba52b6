// SPDX-License-Identifier: GPL-3.0-or-later
// The analytic and the SystemC model agree: traffic and array cycles exactly, cycles within 5 % a layer and 2 % a
// network.
#include "bench.hpp"
#include <cmath>

namespace {

void agree(const char *arch, const char *net, const char *precision, erg_fusion fusion, int batch = 1,
           erg_dataflow dataflow = ERG_DATAFLOW_WS) {
  SCOPED_TRACE(std::string(arch) + " " + net + " " + precision + " " + erg_fusion_names[fusion] + " batch " +
               std::to_string(batch) + " " + erg_dataflow_names[dataflow]);
  Bench bench(arch, net, "horowitz-45nm", batch);
  erg_point points[] = {bench.point(precision, fusion, ERG_MODEL_ANALYTIC, batch),
                        bench.point(precision, fusion, ERG_MODEL_SYSTEMC, batch)};
  points[0].dataflow = points[1].dataflow = dataflow;
  Result formula(points[0]), events(points[1]);
  ASSERT_EQ(formula.status, ERG_OK) << formula.error.message();
  ASSERT_EQ(events.status, ERG_OK) << events.error.message();
  ASSERT_EQ(formula.layer_count, events.layer_count);
  for (int i = 0; i < formula.layer_count; i++) {
    const erg_activity &a = formula.layers[i].activity, &s = events.layers[i].activity;
    SCOPED_TRACE(formula.layers[i].pass->name);
    for (int level = 0; level < bench.arch.level_count + 2; level++)
      for (int tensor = 0; tensor < ERG_TENSOR_COUNT; tensor++) {
        ASSERT_EQ(a.read_bits[level][tensor], s.read_bits[level][tensor]) << level << " " << erg_tensor_names[tensor];
        ASSERT_EQ(a.write_bits[level][tensor], s.write_bits[level][tensor]) << level << " " << erg_tensor_names[tensor];
      }
    ASSERT_EQ(a.ops[ERG_OP_MAC], s.ops[ERG_OP_MAC]);
    ASSERT_EQ(a.array_cycles, s.array_cycles);
    ASSERT_EQ(a.vector_cycles, s.vector_cycles);
    ASSERT_NEAR(static_cast<double>(a.cycles) / static_cast<double>(s.cycles), 1, 0.05);
  }
  EXPECT_NEAR(static_cast<double>(formula.activity.cycles) / static_cast<double>(events.activity.cycles), 1, 0.02);
}

} // namespace

TEST(Models, AgreeOnResNet18) {
  for (const char *precision : {"fp32", "int8", "int4"})
    for (erg_fusion fusion : {ERG_FUSION_WIDE, ERG_FUSION_NONE, ERG_FUSION_EPILOGUE})
      agree("edge", "resnet18", precision, fusion);
}
TEST(Models, AgreeOnResNet50) {
  agree("edge", "resnet50", "int8", ERG_FUSION_EPILOGUE);
}
TEST(Models, AgreeOnMobileNetV2) {
  agree("edge", "mobilenetv2", "w4a8", ERG_FUSION_EPILOGUE);
}
TEST(Models, AgreeOnVgg16) {
  agree("edge", "vgg16", "int16", ERG_FUSION_EPILOGUE);
}
TEST(Models, AgreeInEveryDataflow) {
  for (erg_dataflow dataflow : {ERG_DATAFLOW_OS, ERG_DATAFLOW_IS}) {
    agree("edge", "resnet18", "int8", ERG_FUSION_EPILOGUE, 1, dataflow);
    agree("edge", "vgg16", "w4a8", ERG_FUSION_EPILOGUE, 1, dataflow); // its FC layers stretch K over several tiles
    agree("cloud", "mobilenetv2", "fp16", ERG_FUSION_NONE, 2, dataflow);
  }
}
TEST(Models, AgreeOnALargeMachine) {
  agree("cloud", "resnet50", "int8", ERG_FUSION_EPILOGUE);
  agree("cloud", "mobilenetv2", "fp16", ERG_FUSION_NONE, 3);
}

// An elementwise product is a vector pass: two maps in, one out, COLS elements a cycle, one multiply and requantize
// each.
TEST(Models, AgreeOnAProductOfTwoMaps) {
  test::Folder f;
  test::write_file(f / "gate.yaml", "name: gate\ninput: {height: 12, width: 12, channels: 24}\nnodes:\n"
                                    "  - {name: a, op: conv2d, K: 32, kernel: 1}\n"
                                    "  - {name: b, op: conv2d, K: 32, kernel: 1, inputs: [input]}\n"
                                    "  - {name: y, op: mul, inputs: [a, b]}\n");
  for (const char *precision : {"int8", "int4", "fp32"}) {
    agree("edge", (f / "gate.yaml").c_str(), precision, ERG_FUSION_EPILOGUE);
    Bench bench("edge", (f / "gate.yaml").c_str());
    Result r(bench.point(precision));
    ASSERT_EQ(r.status, ERG_OK) << r.error.message();
    const erg_layer_result &y = r.layers[r.layer_count - 1];
    const uint64_t elements = 12 * 12 * 32, bits = precision[0] == 'f' ? 32 : precision[3] == '8' ? 8 : 4;
    uint64_t read = 0, written = 0;
    for (int tensor = 0; tensor < ERG_TENSOR_COUNT; tensor++) {
      read += y.activity.read_bits[0][tensor];
      written += y.activity.write_bits[0][tensor];
    }
    EXPECT_EQ(read, 2 * elements * bits);
    EXPECT_EQ(written, elements * bits);
    EXPECT_EQ(y.activity.ops[ERG_OP_MULTIPLY], elements);
    EXPECT_EQ(y.activity.ops[ERG_OP_REQUANTIZE], precision[0] == 'f' ? 0 : elements);
    EXPECT_EQ(y.activity.array_cycles, 0u);
  }
}

// A number a channel, as squeeze-and-excitation ends in: the map once in and out, the numbers once as constants of
// channels, for every image.
TEST(Models, AgreeOnAMapTimesANumberAChannel) {
  test::Folder f;
  test::write_file(f / "se.yaml", "name: se\ninput: {height: 12, width: 12, channels: 24}\nnodes:\n"
                                  "  - {name: a, op: conv2d, K: 32, kernel: 1}\n"
                                  "  - {name: mean, op: global_avg_pool}\n"
                                  "  - {name: g, op: fc, K: 32}\n"
                                  "  - {name: s, op: sigmoid}\n"
                                  "  - {name: y, op: channel_mul, inputs: [a, s]}\n");
  for (const char *precision : {"int8", "int4", "fp32"})
    for (int batch : {1, 3}) {
      agree("edge", (f / "se.yaml").c_str(), precision, ERG_FUSION_EPILOGUE, batch);
      Bench bench("edge", (f / "se.yaml").c_str(), "horowitz-45nm", batch);
      Result r(bench.point(precision));
      ASSERT_EQ(r.status, ERG_OK) << r.error.message();
      const erg_activity &y = r.layers[r.layer_count - 1].activity;
      const uint64_t images = static_cast<uint64_t>(batch), elements = images * 12 * 12 * 32;
      const uint64_t bits = precision[0] == 'f' ? 32 : precision[3] == '8' ? 8 : 4;
      EXPECT_EQ(y.read_bits[0][ERG_TENSOR_INPUT], elements * bits);
      EXPECT_EQ(y.read_bits[0][ERG_TENSOR_CONSTANT], images * 32 * bits);
      EXPECT_EQ(y.read_bits[0][ERG_TENSOR_RESIDUAL], 0u);
      EXPECT_EQ(y.write_bits[0][ERG_TENSOR_OUTPUT], elements * bits);
      EXPECT_EQ(y.ops[ERG_OP_MULTIPLY], elements);
    }
}

// Random passes on random machines: traffic exactly equal, counts conserved in both.
TEST(Models, AgreeOnRandomShapes) {
  test::Random random(111);
  int mapped = 0;
  for (int round = 0; round < 800; round++) {
    SCOPED_TRACE("seed 111, round " + std::to_string(round));
    erg_geometry g = random_geometry(random);
    g.dataflow = static_cast<erg_dataflow>(round % 2 ? random.range(ERG_DATAFLOW_OS, ERG_DATAFLOW_IS) : 0);
    std::string text =
        "name: t\nrows: " + std::to_string(random.range(2, 9)) + "\ncols: " + std::to_string(random.range(2, 9)) +
        "\nclock_mhz: 100\naccumulator_depth: " + std::to_string(random.range(8, 100)) + "\nlevels:\n" +
        "  - {name: dram, kind: dram, bandwidth_bits_per_cycle: " + std::to_string(random.range(8, 256)) +
        ", latency_cycles: 9}\n";
    if (random.coin())
      text += "  - {name: l2, kind: sram, capacity_kib: " + std::to_string(random.range(1, 40)) +
              ", bandwidth_bits_per_cycle: 128, holds: [input, weight, residual, constant, output]}\n";
    text += "  - {name: in, kind: sram, capacity_kib: " + std::to_string(random.range(1, 9)) +
            ", holds: [input, residual]}\n"
            "  - {name: rest, kind: sram, capacity_kib: " +
            std::to_string(random.range(1, 9)) + ", holds: [weight, constant, output]}\n";
    erg_arch arch{};
    test::Error error;
    ASSERT_EQ(erg_arch_parse("a.yaml", text.c_str(), nullptr, 0, &arch, &error), ERG_OK) << error.message();
    erg_mapping m{};
    if (erg_map(&arch, &g, &m, nullptr) == ERG_OK) {
      mapped++;
      erg_op_counts ops{macs_of(g), 0, 0, 0, 0};
      erg_activity a, s;
      erg_analytic(&arch, &g, &m, &ops, &a);
      ASSERT_EQ(erg_systemc(&arch, &g, &m, &ops, nullptr, &s, &error), ERG_OK) << error.message();
      for (int level = 0; level < arch.level_count + 2; level++)
        for (int tensor = 0; tensor < ERG_TENSOR_COUNT; tensor++) {
          ASSERT_EQ(a.read_bits[level][tensor], s.read_bits[level][tensor]) << level << " " << erg_tensor_names[tensor];
          ASSERT_EQ(a.write_bits[level][tensor], s.write_bits[level][tensor])
              << level << " " << erg_tensor_names[tensor];
        }
      ASSERT_EQ(a.array_cycles, s.array_cycles);
      ASSERT_EQ(erg_conserve(&arch, &g, &a, &error), ERG_OK) << error.message();
      ASSERT_EQ(erg_conserve(&arch, &g, &s, &error), ERG_OK) << error.message();
      EXPECT_NEAR(static_cast<double>(a.cycles) / static_cast<double>(s.cycles), 1, 0.05);
    }
    erg_arch_free(&arch);
  }
  EXPECT_GT(mapped, 500);
}

// The comparison of traffic can fail: a machine that cuts its tiles in half loads their halos more often.
TEST(Models, TilesOfAnotherSizeMoveOtherBits) {
  Bench bench("edge", "resnet18");
  erg_geometry g{};
  g.array = true;
  g.images = g.groups = g.operands = g.stride_h = g.stride_w = g.pad_top = g.pad_left = 1;
  g.in_h = g.in_w = g.out_h = g.out_w = 28;
  g.in_c = g.out_c = 32;
  g.kernel_h = g.kernel_w = 3;
  g.in_bits = g.out_bits = g.weight_bits = g.residual_bits = 8;
  g.psum_bits = 32, g.constant_bits = 72, g.constants = true;
  erg_mapping chosen{}, driven;
  chosen.out_channels = 32, chosen.out_rows = 14, chosen.reduction = erg_geometry_reduction(&g);
  driven = chosen;
  driven.out_rows = 7;
  test::Error error;
  ASSERT_EQ(erg_map_given(&bench.arch, &g, &chosen, &error), ERG_OK) << error.message();
  ASSERT_EQ(erg_map_given(&bench.arch, &g, &driven, &error), ERG_OK) << error.message();
  erg_op_counts ops{macs_of(g), 0, 0, 0, 0};
  erg_activity a, s;
  erg_analytic(&bench.arch, &g, &chosen, &ops, &a);
  ASSERT_EQ(erg_systemc(&bench.arch, &g, &driven, &ops, nullptr, &s, &error), ERG_OK) << error.message();
  uint64_t row_bits = 28 * 32 * 8; /* a cut inside the map costs two halo rows: three cuts against one */
  EXPECT_EQ(a.read_bits[0][ERG_TENSOR_INPUT], (28 + 2) * row_bits);
  EXPECT_EQ(s.read_bits[0][ERG_TENSOR_INPUT], (28 + 6) * row_bits);
  EXPECT_NE(a.read_bits[2][ERG_TENSOR_WEIGHT], s.read_bits[2][ERG_TENSOR_WEIGHT]) << "weights again for each m-tile";
}
