// SPDX-License-Identifier: GPL-3.0-or-later
// `ergon plot` with each schema, and the page that describes the plots.
#include "ergon/plots.h"
#include "support.hpp"

namespace {

bool has(const std::string &text, const std::string &word) {
  return text.find(word) != std::string::npos;
}

} // namespace

TEST(PlotCli, ASourceThatThePlotCannotDrawIsAMessage) {
  test::Folder f;
  const std::string run = "'" + f / "run.json" + "'";
  ASSERT_EQ(test::ergon("run hand-worked --arch tiny --out '" + f.path.string() + "'").exit_code, 0);
  const struct {
    std::string arguments;
    int exit_code;
    const char *message;
  } cases[] = {
      {"pareto resnet18", 64, "plot pareto: found 'resnet18'; allowed: FILE.json or - with schema ergon.sweep"},
      {"tornado", 64, "plot tornado: found no file; allowed: FILE.json or - with schema ergon.explain (ergon explain"},
      {"heat " + run, 65, "plot heat: found schema ergon.run; allowed: ergon.sweep"},
      {"tornado " + run, 65, "found schema ergon.run; allowed: ergon.explain"},
      {"pareto nowhere.db", 66, "nowhere.db"},
      {"pareto " + run + " --where workload=vgg16", 64, "--where chooses rows of a STORE.db"},
      {"pareto nowhere.json", 66, "nowhere.json: cannot be opened"}};
  for (const auto &c : cases) {
    test::Output o = test::ergon("plot " + c.arguments + " --out '" + f.path.string() + "'");
    EXPECT_EQ(o.exit_code, c.exit_code) << c.arguments << o.err;
    EXPECT_TRUE(has(o.err, c.message)) << o.err;
  }
}

// The ends of the tornado hold the interval that explain itself gives, within what one constant can reach alone.
TEST(PlotCli, LayersOfAWorkloadAndTornadoOfItsConstants) {
  test::Folder f;
  const std::string ergon = "'" + test::binary_dir() + "/bin/ergon'", folder = "'" + f.path.string() + "'";
  test::Output layers = test::ergon("plot layers resnet18 --out " + folder);
  EXPECT_EQ(layers.exit_code, 0) << layers.err;
  EXPECT_TRUE(has(layers.out, "wrote ")) << layers.out;
  EXPECT_TRUE(has(test::read_file(f / "layers.dat"), "\"conv1\""));
  ASSERT_EQ(test::ergon("run resnet18 --precision int4,int8 --out " + folder).exit_code, 0);
  test::Output tornado =
      test::shell(ergon + " explain " + folder + "/run.json --json | " + ergon + " plot tornado - --out " + folder);
  ASSERT_EQ(tornado.exit_code, 0) << tornado.err;
  const std::string svg = test::read_file(f / "tornado.svg");
  for (const char *words : {"resnet18, int4", "arch edge (native mac, equal PE count), tech horowitz-45nm", "dram (",
                            "all together", "first of 2 points"})
    EXPECT_TRUE(has(svg, words)) << words;
  EXPECT_FALSE(has(svg, "on no listed constant")); // every joule has a constant in the list
}

// Straight from the store: the same picture as from its export; --where leaves rows out.
TEST(PlotCli, AStoreAndItsExportGiveTheSamePicture) {
  test::Folder f;
  const std::string ergon = "'" + test::binary_dir() + "/bin/ergon'", spec = f / "s.yaml",
                    store = "'" + f / "s.db" + "'";
  std::ofstream(spec)
      << "name: s\nworkloads: [hand-worked]\narchs: [tiny]\nprecisions: [int8, int4]\nfusions: [none, epilogue]\n";
  ASSERT_EQ(test::ergon("sweep run '" + spec + "' --store " + store).exit_code, 0);
  test::Output direct = test::ergon("plot pareto " + store + " --out '" + f / "a" + "'");
  ASSERT_EQ(direct.exit_code, 0) << direct.err;
  test::Output piped = test::shell(ergon + " sweep export --json --store " + store + " | " + ergon +
                                   " plot pareto - --out '" + f / "b" + "'");
  ASSERT_EQ(piped.exit_code, 0) << piped.err;
  EXPECT_EQ(test::read_file(f / "a/pareto.svg"), test::read_file(f / "b/pareto.svg"));
  EXPECT_TRUE(has(test::read_file(f / "a/pareto.dat"), "int4"));
  test::Output part = test::ergon("plot pareto " + store + " --where precision=int8 --out '" + f / "c" + "'");
  ASSERT_EQ(part.exit_code, 0) << part.err;
  EXPECT_FALSE(has(test::read_file(f / "c/pareto.dat"), "int4"));
  test::Output none = test::ergon("plot pareto " + store + " --where precision=int3 --out '" + f / "d" + "'");
  EXPECT_EQ(none.exit_code, 65) << none.err;
  test::Output wrong = test::ergon("plot pareto " + store + " --where precison=int8 --out '" + f / "d" + "'");
  EXPECT_EQ(wrong.exit_code, 64) << wrong.err;
}

TEST(PlotCli, ThePageNamesEveryPlot) {
  const std::string page = test::read_file(std::string(ERGON_TEST_SOURCE_DIR) + "/docs/plots.md");
  const std::string list = test::ergon("list plots").out;
  int plots = 0;
  ERG_EACH(erg_plot, item) {
    plots++;
    EXPECT_TRUE(has(page, std::string("| `") + (*item)->name + "` |")) << (*item)->name;
    EXPECT_TRUE(has(list, (*item)->name));
  }
  EXPECT_GE(plots, 9);
}
