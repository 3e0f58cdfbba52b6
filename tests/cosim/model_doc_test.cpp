// SPDX-License-Identifier: GPL-3.0-or-later
// The hand-worked tables of docs/model.md, read from the page: folds against the RTL, cycle by cycle; counters against
// the models.
#include "../unit/sim/bench.hpp"
#include <map>

namespace {

using Row = std::map<std::string, std::string>;

std::vector<std::string> cells(const std::string &line) {
  std::vector<std::string> out;
  std::string cell;
  std::istringstream text(line.substr(1));
  while (std::getline(text, cell, '|')) {
    size_t first = cell.find_first_not_of(' '), last = cell.find_last_not_of(' ');
    out.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
  }
  return out;
}

// Rows of the table whose header line is `header`.
std::vector<Row> table(const std::string &header) {
  std::istringstream page(test::read_file(ERGON_TEST_SOURCE_DIR "/docs/model.md"));
  std::vector<Row> rows;
  std::string line;
  while (std::getline(page, line) && line != header) {
  }
  std::getline(page, line); // the rule below the header
  std::vector<std::string> names = cells(header);
  while (std::getline(page, line) && line.rfind("|", 0) == 0) {
    std::vector<std::string> values = cells(line);
    EXPECT_EQ(values.size(), names.size()) << line;
    Row row;
    for (size_t i = 0; i < names.size() && i < values.size(); i++) row[names[i]] = values[i];
    rows.push_back(row);
  }
  return rows;
}

std::string span(const std::vector<int> &cycles) {
  if (cycles.empty()) return "";
  EXPECT_EQ(cycles.back() - cycles.front() + 1, static_cast<int>(cycles.size())) << "no gap inside a fold";
  std::string first = std::to_string(cycles.front());
  return cycles.size() == 1 ? first : first + "-" + std::to_string(cycles.back());
}

// Runs the table's folds through a 4 x 4 array that is given all it asks for, and notes when what happened.
void hold(const std::vector<Row> &folds, const std::vector<bool> &k_first, const std::vector<bool> &k_last,
          int cycles) {
  struct Seen {
    std::vector<int> weights, rows, outputs;
  };
  std::vector<Seen> seen(folds.size());
  erg_rtl_config config{4, 4, 8, 8, 32, 8, nullptr};
  erg_rtl *rtl = nullptr;
  test::Error error;
  ASSERT_EQ(erg_rtl_open(&config, nullptr, &rtl, &error), ERG_OK) << error.message();
  erg_rtl_layer layer{0, -128, 127, false, 0, 1 << 30, 31};
  erg_rtl_start(rtl, &layer);
  const std::vector<int32_t> zeros(4, 0), multiplier(4, 1 << 30), t(4, 31);
  const std::vector<int64_t> no_bias(4, 0);
  auto m_of = [&](size_t fold) { return static_cast<size_t>(std::stoi(folds[fold].at("M"))); };
  size_t weight = 0, row = 0, output = 0;
  int cycle = 0;
  while (output < folds.size() && !k_last[output]) output++;
  for (; !erg_rtl_done(rtl) && cycle < 1000; cycle++) {
    const erg_rtl_request want = *erg_rtl_requests(rtl);
    erg_rtl_supply give{};
    erg_rtl_fold command{};
    if (want.weight) {
      ASSERT_LT(weight, folds.size());
      command = {static_cast<int>(m_of(weight)), k_first[weight], k_last[weight], weight + 1 == folds.size()};
      give.weights = zeros.data(), give.fold = &command;
      seen[weight].weights.push_back(cycle);
      if (seen[weight].weights.size() == 4) weight++;
    }
    if (want.activation) {
      ASSERT_LT(row, folds.size());
      give.activations = zeros.data();
      seen[row].rows.push_back(cycle);
      if (seen[row].rows.size() == m_of(row)) row++;
    }
    if (want.constants) give.bias = no_bias.data(), give.multiplier = multiplier.data(), give.t = t.data();
    if (erg_rtl_clock(rtl, &give)) {
      ASSERT_LT(output, folds.size());
      seen[output].outputs.push_back(cycle);
      if (seen[output].outputs.size() == m_of(output)) do
          output++;
        while (output < folds.size() && !k_last[output]);
    }
  }
  EXPECT_EQ(erg_rtl_cycles(rtl), static_cast<uint64_t>(cycles));
  EXPECT_EQ(cycle, cycles);
  erg_rtl_close(rtl);
  for (size_t i = 0; i < folds.size(); i++) {
    SCOPED_TRACE("fold " + folds[i].at("fold"));
    EXPECT_EQ(folds[i].at("weights"), span(seen[i].weights));
    EXPECT_EQ(folds[i].at("rows"), span(seen[i].rows));
    EXPECT_EQ(folds[i].at("outputs"), span(seen[i].outputs));
  }
}

} // namespace

TEST(ModelDoc, TheLayersFoldsAreThoseOfTheRtl) {
  std::vector<Row> folds = table("| fold | m-tile | k-fold | M | weights | rows | outputs |");
  ASSERT_EQ(folds.size(), 6u);
  std::vector<bool> first, last;
  for (const Row &fold : folds) first.push_back(fold.at("k-fold") == "0"), last.push_back(fold.at("k-fold") == "1");
  hold(folds, first, last, 37);
}

TEST(ModelDoc, TheThreeFoldsAreThoseOfTheRtl) {
  std::vector<Row> folds = table("| fold | M | weights | rows | outputs |");
  ASSERT_EQ(folds.size(), 3u);
  std::vector<bool> all(3, true);
  hold(folds, all, all, 28);
}

TEST(ModelDoc, TheCountersAreThoseOfTheModels) {
  std::vector<Row> counters = table("| level | tensor | read | written | arithmetic |");
  Bench bench("tiny", "hand-worked");
  for (erg_model model : {ERG_MODEL_ANALYTIC, ERG_MODEL_SYSTEMC}) {
    SCOPED_TRACE(erg_model_names[model]);
    Result result(bench.point("int8", ERG_FUSION_EPILOGUE, model));
    ASSERT_EQ(result.status, ERG_OK) << result.error.message();
    std::map<std::pair<std::string, std::string>, Row> page;
    for (const Row &row : counters) page[{row.at("level"), row.at("tensor")}] = row;
    EXPECT_EQ(page.size(), counters.size());
    size_t used = 0;
    for (int level = 0; level < bench.arch.level_count + 2; level++)
      for (int tensor = 0; tensor < ERG_TENSOR_COUNT; tensor++) {
        uint64_t read = result.activity.read_bits[level][tensor], written = result.activity.write_bits[level][tensor];
        if (!read && !written) continue;
        std::string name = level < bench.arch.level_count                           ? bench.arch.levels[level].name
                           : level == ERG_LEVEL_ACCUMULATOR(bench.arch.level_count) ? "accumulator"
                                                                                    : "registers";
        auto row = page.find({name, erg_tensor_names[tensor]});
        ASSERT_NE(row, page.end()) << name << " " << erg_tensor_names[tensor] << " is not on the page";
        used++;
        EXPECT_EQ(row->second.at("read"), read ? std::to_string(read) : "") << name << " " << erg_tensor_names[tensor];
        EXPECT_EQ(row->second.at("written"), written ? std::to_string(written) : "")
            << name << " " << erg_tensor_names[tensor];
      }
    EXPECT_EQ(used, counters.size()) << "the page has counters that the model has not";
  }
}
