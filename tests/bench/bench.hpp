// SPDX-License-Identifier: GPL-3.0-or-later
// Ratios of google-benchmark runs. A benchmark is named "case/method"; the table behind the runs has a line a case and a
// column a method, in work per CPU second, each divided by the first method of the case. Machines are shared: CPU time,
// the median of --benchmark_repetitions=N when there are several, and only ratios of one run mean anything.
#pragma once
#include <algorithm>
#include <benchmark/benchmark.h>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace bench {

class Ratios : public benchmark::ConsoleReporter {
public:
  Ratios() : ConsoleReporter(OO_Tabular) {}
  void ReportRuns(const std::vector<Run> &runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run &run : runs) {
      if (run.error_occurred || run.run_type != Run::RT_Iteration) continue;
      std::string name = run.run_name.function_name;
      auto at = name.rfind('/');
      auto &methods = rates_[place(cases_, name.substr(0, at))];
      methods[place(methods_, name.substr(at + 1))].push_back(run.counters.at("items_per_second").value);
    }
  }
  void print(const char *unit, double scale) const {
    std::printf("\n%-64s", (std::string("first of a line: ") + unit + "; others: times that").c_str());
    for (const std::string &method : methods_) std::printf(" %12s", method.c_str());
    std::printf("\n");
    for (const auto &[index, methods] : rates_) {
      std::printf("%-64s", cases_[index].c_str());
      for (size_t m = 0; m < methods_.size(); m++) {
        auto found = methods.find(m), base = methods.begin();
        if (found == methods.end())
          std::printf(" %12s", "-");
        else if (found == base)
          std::printf(" %12.4g", median(found->second) * scale);
        else
          std::printf(" %12.3g", median(found->second) / median(base->second));
      }
      std::printf("\n");
    }
  }

private:
  std::vector<std::string> cases_, methods_;
  std::map<size_t, std::map<size_t, std::vector<double>>> rates_;

  static size_t place(std::vector<std::string> &names, const std::string &name) {
    auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) found = names.insert(names.end(), name);
    return static_cast<size_t>(found - names.begin());
  }
  static double median(std::vector<double> v) {
    std::sort(v.begin(), v.end());
    return v.size() % 2 ? v[v.size() / 2] : (v[v.size() / 2 - 1] + v[v.size() / 2]) / 2;
  }
};

// Runs what was registered and prints the table.
inline int run(int argc, char **argv, const char *unit, double scale) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  Ratios ratios;
  if (!benchmark::RunSpecifiedBenchmarks(&ratios)) return 1; // nothing matched the filter
  ratios.print(unit, scale);
  return 0;
}

} // namespace bench
