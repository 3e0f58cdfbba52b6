// SPDX-License-Identifier: GPL-3.0-or-later
// What an oracle compared and skipped, held to allowed-skips.txt: a skip that is not listed fails, and so does an oracle
// that compared fewer outputs than the file states.
#pragma once
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <sstream>
#include <string>

namespace oracle {

class Ledger {
public:
  explicit Ledger(std::string oracle) : oracle_(std::move(oracle)) {
    const std::string path = std::string(ERGON_TEST_SOURCE_DIR) + "/tests/oracle/allowed-skips.txt";
    std::ifstream file(path);
    EXPECT_TRUE(file.good()) << path << ": cannot be read";
    int number = 0;
    for (std::string line; std::getline(file, line);) {
      number++;
      std::istringstream words(line);
      std::string verb, name, subject, reason;
      if (!(words >> verb) || verb[0] == '#') continue;
      words >> name >> subject;
      std::getline(words >> std::ws, reason);
      if (verb == "minimum" && !subject.empty() && subject.find_first_not_of("0123456789") == std::string::npos) {
        if (name == oracle_) minimum_ = std::stoll(subject);
      } else if ((verb == "skip" || verb == "machine") && !reason.empty()) {
        if (name == oracle_) allowed_[subject] = reason;
        if (name == oracle_ && verb == "skip") expected_.insert(subject);
      } else {
        ADD_FAILURE() << path << ":" << number << ": neither 'minimum ORACLE COUNT' nor 'skip|machine ORACLE CASE REASON'";
      }
    }
    EXPECT_GT(minimum_, 0) << path << " states no minimum for " << oracle_;
  }

  // One tensor: every element is compared, the first difference is shown in full.
  template <class Expected, class Got> void compare(const std::string &what, int64_t count, const Expected *theirs, const Got *ours) {
    int64_t wrong = 0, first = -1;
    for (int64_t i = 0; i < count; i++)
      if (static_cast<int64_t>(theirs[i]) != static_cast<int64_t>(ours[i])) {
        if (first < 0) first = i;
        wrong++;
      }
    compared_ += count;
    mismatches_ += wrong;
    EXPECT_EQ(wrong, 0) << oracle_ << " " << what << ": " << wrong << " of " << count << " differ; first at " << first << ": "
                        << oracle_ << " " << static_cast<int64_t>(theirs[first < 0 ? 0 : first]) << ", Ergon "
                        << static_cast<int64_t>(ours[first < 0 ? 0 : first]);
  }
  void add(int64_t compared, int64_t wrong) { compared_ += compared, mismatches_ += wrong; }

  // True when the file allows this skip (a 'skip' line: for this very reason); otherwise a failure.
  bool skip(const std::string &subject, const std::string &because) {
    skipped_[subject] = because;
    const auto it = allowed_.find(subject);
    if (it != allowed_.end() && (!expected_.count(subject) || it->second == because)) return true;
    ADD_FAILURE() << oracle_ << " " << subject << " was skipped (" << because << "); allowed-skips.txt does not allow that";
    return false;
  }

  // Prints the count and holds it to the file. A listed skip that did not happen is a stale line.
  void close() {
    for (const auto &[subject, because] : skipped_) std::printf("  skipped %s: %s\n", subject.c_str(), because.c_str());
    std::printf("oracle %s: %" PRId64 " outputs compared, %" PRId64 " differ; at least %" PRId64 " required; %zu skipped\n",
                oracle_.c_str(), compared_, mismatches_, minimum_, skipped_.size());
    EXPECT_GE(compared_, minimum_) << oracle_ << " compared fewer outputs than allowed-skips.txt states";
    for (const std::string &subject : expected_)
      EXPECT_TRUE(skipped_.count(subject)) << oracle_ << " " << subject << " is not skipped any more: take its line out of allowed-skips.txt";
  }

private:
  std::string oracle_;
  int64_t minimum_ = 0, compared_ = 0, mismatches_ = 0;
  std::map<std::string, std::string> allowed_, skipped_;
  std::set<std::string> expected_;
};

} // namespace oracle
