// SPDX-License-Identifier: GPL-3.0-or-later
// Loss against energy: means and spreads over seeds, clouds, what is left out.
#include "plot_support.hpp"

using namespace plots;

namespace {

struct Point {
  int seed;
  const char *net, *training, *series, *budget;
  double energy_pj, loss;
};

json_t *study(const std::vector<Point> &points) {
  json_t *rows = json_array();
  for (const Point &p : points)
    json_array_append_new(rows, std::isfinite(p.loss)
                                    ? json_pack("[i,s,s,s,s,s,f,f]", p.seed, p.net, "fused", p.training, p.series,
                                                p.budget, p.energy_pj, p.loss)
                                    : json_pack("[i,s,s,s,s,s,n,n]", p.seed, p.net, "-", "-", p.series, p.budget));
  return json_pack("{s:s, s:i, s:{s:s, s:i}, s:[{s:s, s:i, s:[s,s,s,s,s,s,s,s], s:o}]}", "schema", "ergon.study",
                   "version", 1, "provenance", "ergon_version", "0.1.0", "model_version", 2, "studies", "name", "mixed",
                   "seeds", 2, "columns", "seed", "net", "family", "training", "series", "budget", "energy_pj",
                   "loss_increase_nat", "points", rows);
}

const double kNone = std::nan("");

} // namespace

TEST(AccuracyEnergy, MeansAndSpreadsByHandCloudsPointByPoint) {
  const std::vector<Point> points = {
      {1, "cnn", "ptq", "uniform", "4 bit", 2e6, 0.1},  {2, "cnn", "ptq", "uniform", "4 bit", 2e6, 0.3},
      {1, "cnn", "ptq", "uniform", "3 bit", 1e6, 1},    {2, "cnn", "ptq", "uniform", "3 bit", 1e6, 1},
      {1, "cnn", "ptq", "random", "4 bit", 2e6, 0.5},   {2, "cnn", "ptq", "random", "4 bit", 2e6, 0.7},
      {1, "cnn", "qat", "uniform", "4 bit", 2e6, -0.1}, {2, "cnn", "qat", "uniform", "4 bit", 2e6, 0.05},
      {1, "cnn", "-", "rank", "4 bit", 0, kNone},       {1, "mlp", "ptq", "uniform", "4 bit", 2e6, 0.2}};
  Drawn d("accuracy-energy", study(points));
  ASSERT_EQ(d.status, ERG_OK) << d.error.message();
  const std::vector<Block> drawn = blocks(d.file("dat"));
  ASSERT_EQ(drawn.size(), 2u); // qat's mean is below 0: it has no place on a logarithm
  EXPECT_EQ(drawn[0].lines.size(), 2u);
  ASSERT_EQ(drawn[1].lines.size(), 2u); // in order of energy
  EXPECT_EQ(drawn[1].lines[0][4], "3 bit");
  EXPECT_NEAR(std::stod(drawn[1].lines[1][1]), 0.2, 1e-12);
  EXPECT_NEAR(std::stod(drawn[1].lines[1][3]) - 0.2, std::sqrt(0.02), 1e-9);
  const std::string svg = d.file("svg");
  for (const char *words : {"cnn: loss increase", "1 without an increase, 1 of other networks", "uniform, ptq, fused"})
    EXPECT_NE(svg.find(words), std::string::npos) << words;
  EXPECT_EQ(svg, Drawn("accuracy-energy", study(points)).file("svg"));
}

TEST(AccuracyEnergy, OnePointIsDrawnNothingIsAMessage) {
  EXPECT_EQ(Drawn("accuracy-energy", study({{1, "cnn", "ptq", "uniform", "4 bit", 2e6, 0.1}})).status, ERG_OK);
  Drawn none("accuracy-energy", study({})),
      below("accuracy-energy", study({{1, "cnn", "ptq", "uniform", "4 bit", 2e6, -0.1}})),
      broken("accuracy-energy", study({{1, "cnn", "ptq", "uniform", "4 bit", -2e6, 0.1}}));
  for (const Drawn *d : {&none, &below}) {
    EXPECT_EQ(d->status, ERG_ERR_DATA);
    EXPECT_NE(std::string(d->error.message()).find("nothing to draw"), std::string::npos);
  }
  EXPECT_EQ(broken.status, ERG_ERR_DATA);
}
