// SPDX-License-Identifier: GPL-3.0-or-later
// `cmake --install` into a folder of its own: programs of other people compile against it, ergon runs from it.
#include "prefix.hpp"

namespace {

const char *const flags = ERGON_TEST_SANITIZED ? "-fsanitize=address,undefined " : "";

// The 3 x 3 sum of 1..9 is 45: halved by rule S 23 and, negative, -22; zero point 3 is added. The format and the
// operator are found through the registries inside the library, which the linker gathers section by section.
const char kernels_program[] = R"(#include <ergon/kernels.h>
int main(void) {
  int16_t input[9], weight[18], output[2];
  for (int i = 0; i < 9; i++) input[i] = (int16_t)(i + 1), weight[i] = 1, weight[i + 9] = -1;
  erg_conv2d_shape shape = {.in = {1, 3, 3, 1}, .filters = 2, .kernel_h = 3, .kernel_w = 3, .stride_h = 1,
                            .stride_w = 1, .groups = 1, .out_h = 1, .out_w = 1};
  erg_requant scale[2] = {erg_requant_from_real(0.5), erg_requant_from_real(0.5)};
  erg_epilogue epilogue = {.scale = scale, .zero_point = 3, .low = -128, .high = 127};
  erg_error error = {0};
  if (erg_conv2d_s16(&shape, input, 0, weight, 32, &epilogue, output, &error) != ERG_OK) return puts(error.text), 1;
  const erg_float_format *bf16 = erg_float_format_find(ERG_FORMAT_BF16);
  const erg_op *conv = erg_op_find("conv2d");
  if (!bf16 || !conv) return puts("registry empty"), 1;
  printf("%d %d %s %s %g\n", output[0], output[1], conv->name, bf16->name, (double)bf16->round(1.00390625f));
  return 0;
}
)";

const char house_program[] = R"(#include <ergon/sim.h>
int main(void) {
  erg_error error = {0};
  erg_arch arch;
  erg_technology technology;
  erg_graph graph;
  erg_result result;
  if (erg_arch_load("tiny", NULL, 0, &arch, &error) || erg_technology_load("horowitz-45nm", NULL, 0, &technology, &error) ||
      erg_graph_load("hand-worked", 1, NULL, 0, &graph, &error)) return puts(error.text), 1;
  erg_point point = {.arch = &arch, .technology = &technology, .graph = &graph, .fusion = ERG_FUSION_EPILOGUE, .batch = 1, .seed = 1};
  if (erg_precision_parse("int8", &point.precision, &error) || erg_run(&point, NULL, &result, &error)) return puts(error.text), 1;
  printf("%d\n", (int)result.activity.array_cycles);
  erg_result_free(&result);
  erg_graph_free(&graph);
  erg_technology_free(&technology);
  erg_arch_free(&arch);
  return 0;
}
)";

} // namespace

TEST(Install, AStrangersProgramUsesTheGoldenKernels) {
  test::Prefix prefix;
  test::write_file(prefix.home / "own.c", kernels_program);
  std::vector<std::string> line = test::printed("cc own.c");
  ASSERT_EQ(line.size(), 1u);
  test::Output o = prefix.run(line[0] + " -Wall -Werror " + flags + "&& ./own");
  EXPECT_EQ(o.exit_code, 0) << o.err;
  EXPECT_EQ(o.out, "26 -19 conv2d bf16 1\n"); // bf16 has 8 significant bits: 1 + 2^-8 is a tie, to even
  EXPECT_EQ(prefix.run("pkg-config --modversion ergon-kernels").out.substr(0, 2), "0.");
  EXPECT_NE(prefix.run("readelf -d own").out.find("[libergon_kernels.so.0]"), std::string::npos);
}

TEST(Install, TheKernelLibraryShowsItsOwnNamesAndNeedsLibcAlone) {
  test::Prefix prefix;
  std::string library = prefix / ERGON_TEST_LIBDIR "/libergon_kernels.so";
  test::Output names = prefix.run("nm -D --defined-only '" + library + "' | awk '{print $3}'");
  EXPECT_NE(names.out.find("\nerg_conv2d_s16\n"), std::string::npos) << names.err;
  std::stringstream lines(names.out);
  for (std::string line; std::getline(lines, line);) EXPECT_EQ(line.rfind("erg_", 0), 0u) << line;
  if (ERGON_TEST_SANITIZED) GTEST_SKIP() << "the sanitizers bring libraries of their own";
  EXPECT_EQ(prefix.run("readelf -d '" + library + "' | sed -n 's/.*NEEDED.*\\[\\(.*\\)\\]/\\1/p' | sort").out,
            "libc.so.6\nlibm.so.6\n");
}

TEST(Install, ErgonPcGivesTheWholeHouse) {
  test::Prefix prefix;
  test::write_file(prefix.home / "own.c", house_program);
  test::Output o = prefix.run(std::string("cc -Wall ") + flags +
                              "own.c $(pkg-config --cflags --libs ergon) -Wl,-rpath,$HOME/ergon/lib -o own && "
                              "ERGON_DATA=$(pkg-config --variable=datadir ergon) ./own");
  EXPECT_EQ(o.exit_code, 0) << o.err << o.out;
  EXPECT_EQ(o.out, "37\n"); // the hand-worked layer of docs/model.md
}

TEST(Install, TheProgramRunsFromItsPrefix) {
  test::Prefix prefix;
  std::string program = "unset ERGON_DATA ERGON_LIB; '" + prefix / "bin/ergon'";
  test::Output list = prefix.run(program + " list archs");
  EXPECT_EQ(list.exit_code, 0) << list.err;
  EXPECT_NE(list.out.find("edge"), std::string::npos) << list.out;
  test::Output run = prefix.run(program + " run resnet18 --csv");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  test::Output o =
      prefix.run("export ERGON_CACHE='" + prefix / "cache'; " + program + " verify hand-worked --arch tiny");
  EXPECT_EQ(o.exit_code, 0) << o.err;
  EXPECT_NE(o.out.find("ok"), std::string::npos) << o.out;
}
