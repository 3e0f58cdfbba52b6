// SPDX-License-Identifier: GPL-3.0-or-later
// Lists of points, the list of what a store lacks, and the trail of a pool.
extern "C" {
#include "../../../sweep/trail.h"
}
#include "sweep.hpp"

namespace {

struct Ranges : erg_index_ranges {
  Ranges() : erg_index_ranges{} {}
  ~Ranges() { erg_ranges_free(this); }
  std::string text() const {
    std::string out;
    for (int64_t i = 0; i < count; i++)
      out += std::to_string(items[i].first) + "-" + std::to_string(items[i].last) + " ";
    return out;
  }
};

std::string hash_of_all(const erg_sweep *s, const std::string &store, const std::string &missing, int64_t failed = 0) {
  test::Error error;
  erg_store *open = nullptr;
  EXPECT_EQ(erg_store_open(store.c_str(), true, &open, &error), ERG_OK) << error.message();
  Ranges list;
  char plan[65] = "";
  int64_t failures = -1;
  EXPECT_EQ(erg_sweep_missing(s, open, false, &list, &failures, plan, &error), ERG_OK) << error.message();
  EXPECT_EQ(list.text(), missing);
  EXPECT_EQ(failures, failed);
  erg_store_close(open);
  return plan;
}

} // namespace

TEST(SweepRanges, NeighboursJoinAndOrderStays) {
  Ranges r;
  for (int64_t point : {3, 4, 5, 9, 1, 2}) ASSERT_TRUE(erg_ranges_add(&r, point, point));
  ASSERT_TRUE(erg_ranges_add(&r, 3, 100));
  EXPECT_EQ(r.text(), "3-5 9-9 1-100 ");
  EXPECT_EQ(r.points, 6 + 98);
}

TEST(SweepRanges, ALineOfAFile) {
  test::Folder folder;
  const std::string path = folder / "points";
  test::Error error;
  test::write_file(path, "0-9 12\n\n13 15-19");
  const char *lines[] = {"0-9 12-12 ", nullptr, "13-13 15-19 "};
  for (int line : {0, 2}) {
    Ranges r;
    ASSERT_EQ(erg_ranges_load(path.c_str(), line, 3, 20, &r, &error), ERG_OK) << error.message();
    EXPECT_EQ(r.text(), lines[line]);
  }
  for (int64_t lines_said : {2, 4}) {
    Ranges r;
    EXPECT_EQ(erg_ranges_load(path.c_str(), 0, lines_said, 20, &r, &error), ERG_ERR_DATA) << lines_said;
  }
  Ranges beyond;
  EXPECT_EQ(erg_ranges_load(path.c_str(), 2, 3, 19, &beyond, &error), ERG_ERR_DATA) << "19 is the 20th point";
  EXPECT_EQ(erg_ranges_load((path + "x").c_str(), 0, 3, 20, &beyond, &error), ERG_ERR_NO_INPUT);
  for (const char *wrong : {"9-0", "x", "1,2", "-3", "1-", "1-2-3", "0x3", "1  2", "99999999999999999999", " 1"}) {
    test::write_file(path, std::string(wrong) + "\n");
    Ranges r;
    EXPECT_EQ(erg_ranges_load(path.c_str(), 0, 1, 20, &r, &error), ERG_ERR_DATA) << wrong;
    EXPECT_EQ(r.items, nullptr);
  }
}

TEST(SweepRanges, WhatAStoreLacksAndAHashThatMovesWithTheFiles) {
  test::Folder folder;
  const std::string store = folder / "a.db", net = folder / "net.yaml", spec = folder / "s.yaml";
  const std::string words = test::ergon("show workload hand-worked").out;
  test::write_file(net, words);
  const std::string text = "name: x\nworkloads: [\"" + net +
                           "\"]\narchs: [tiny]\nwidths: {weight: [2, 3, 4, 5], activation: [2, 3, 4, 5]}\n";
  test::write_file(spec, text);
  sweep::Sweep s(text);
  ASSERT_EQ(s.status, ERG_OK) << s.error.message();
  const std::string hash = hash_of_all(&s, store, "0-15 ");
  EXPECT_EQ(hash.size(), 64u);
  test::write_file(folder / "points", "1-3 7\n5\n");
  const std::string run = "sweep run '" + spec + "' -q --store '" + store + "' ";
  test::Output o = test::ergon(run + "--points '" + folder / "points' --chunk 0/2");
  ASSERT_EQ(o.exit_code, 0) << o.err;
  EXPECT_NE(o.out.find("4 points: 0 were stored already, 4 computed"), std::string::npos) << o.out;
  EXPECT_EQ(hash_of_all(&s, store, "0-0 4-6 8-15 "), hash);
  // A point that fails is not missing, until it is to be tried again.
  EXPECT_EQ(test::ergon(run + "--kill-at 6").exit_code, ERG_ERR_MISMATCH);
  EXPECT_EQ(hash_of_all(&s, store, "", 1), hash);
  o = test::ergon(run);
  EXPECT_EQ(o.exit_code, 0);
  EXPECT_NE(o.out.find("16 were stored already, 0 computed"), std::string::npos) << o.out;
  o = test::ergon(run + "--retry-failed --kill-at 6");
  EXPECT_EQ(o.exit_code, ERG_ERR_MISMATCH) << "it fails again";
  EXPECT_NE(o.out.find("15 were stored already, 1 computed (0 skipped, 1 failed)"), std::string::npos) << o.out;
  hash_of_all(&s, store, "", 1);
  o = test::ergon(run + "--retry-failed");
  EXPECT_EQ(o.exit_code, 0);
  EXPECT_NE(o.out.find("15 were stored already, 1 computed (0 skipped, 0 failed)"), std::string::npos) << o.out;
  hash_of_all(&s, store, "");
  ASSERT_EQ(test::ergon("sweep run '" + spec + "' -q --store '" + folder / "calm.db'").exit_code, 0);
  EXPECT_EQ(sweep::dump(store), sweep::dump(folder / "calm.db"));
  test::write_file(net, words + "# other\n");
  EXPECT_NE(hash_of_all(&s, store, "0-15 "), hash);
}

TEST(SweepRanges, ATrailNamesWhatWasUnderEvaluation) {
  test::Folder folder;
  const std::string path = folder / "t.trail";
  test::Error error;
  int64_t *trail = nullptr;
  ASSERT_EQ(erg_trail_open(path.c_str(), 3, &trail, &error), ERG_OK) << error.message();
  trail[1] = 7;
  trail[2] = 40;
  Ranges r;
  erg_trail_read(path.c_str(), 40, &r);
  EXPECT_EQ(r.text(), "7-7 ") << "40 is no point";
  erg_trail_close(path.c_str(), 3, trail);
  EXPECT_FALSE(std::filesystem::exists(path));
  Ranges none;
  erg_trail_read(path.c_str(), 40, &none);
  EXPECT_EQ(none.count, 0);
  EXPECT_EQ(erg_trail_open((folder / "no/t").c_str(), 1, &trail, &error), ERG_ERR_CREATE);
}
