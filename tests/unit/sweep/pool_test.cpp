// SPDX-License-Identifier: GPL-3.0-or-later
// The command: any number of workers gives the same rows, a second run computes nothing, a point that kills its worker
// is a row, and every verb on empty, small and larger stores.
#include "sweep.hpp"

namespace {

struct Files {
  test::Folder folder;
  std::string spec = folder / "s.yaml";
  explicit Files(int more) { test::write_file(spec, sweep::small(more)); }
  test::Output run(const std::string &store, const std::string &more = "") {
    return test::ergon("sweep run '" + spec + "' -q --store '" + (folder / store) + "' " + more);
  }
};

} // namespace

TEST(SweepPool, AnyNumberOfWorkersGivesTheSameRows) {
  Files f(40);
  for (const char *jobs : {"1", "2", "5"}) {
    test::Output o = f.run(std::string(jobs) + ".db", std::string("--jobs ") + jobs);
    ASSERT_EQ(o.exit_code, 0) << o.err;
    EXPECT_NE(o.out.find("1760 computed"), std::string::npos) << o.out;
  }
  const std::string one = sweep::dump(f.folder / "1.db");
  EXPECT_EQ(sweep::dump(f.folder / "2.db"), one);
  EXPECT_EQ(sweep::dump(f.folder / "5.db"), one);
  test::Output again = f.run("2.db", "--jobs 2");
  EXPECT_NE(again.out.find("1760 were stored already, 0 computed"), std::string::npos) << again.out;
  EXPECT_EQ(sweep::dump(f.folder / "2.db"), one);
}

TEST(SweepPool, ChunksAndMergeGiveTheWhole) {
  Files f(10);
  ASSERT_EQ(f.run("all.db").exit_code, 0);
  for (int i = 0; i < 3; i++)
    ASSERT_EQ(f.run("shard" + std::to_string(i) + ".db", "--chunk " + std::to_string(i) + "/3").exit_code, 0);
  test::Output o = test::ergon("sweep merge '" + (f.folder / "shard0.db") + "' '" + (f.folder / "shard1.db") + "' '" +
                               (f.folder / "shard2.db") + "' --store '" + (f.folder / "merged.db") + "'");
  ASSERT_EQ(o.exit_code, 0) << o.err;
  EXPECT_EQ(sweep::dump(f.folder / "merged.db"), sweep::dump(f.folder / "all.db"));
  EXPECT_EQ(f.run("x.db", "--chunk 3/3").exit_code, ERG_ERR_USAGE);
}

TEST(SweepPool, APointThatKillsItsWorkerIsARowAndTheRestGoesOn) {
  Files f(10);
  test::Output o = f.run("a.db", "--jobs 2 --kill-at 124");
  EXPECT_EQ(o.exit_code, ERG_ERR_MISMATCH);
  EXPECT_NE(o.out.find("440 computed (40 skipped, 1 failed); 3 workers died"), std::string::npos) << o.out;
  test::Output q = test::ergon("sweep query --where status=failed --store '" + (f.folder / "a.db") + "'");
  EXPECT_NE(q.out.find("its worker died 3 times, by signal 9"), std::string::npos) << q.out;
  // All others are those of an undisturbed run.
  ASSERT_EQ(f.run("b.db").exit_code, 0);
  std::istringstream a(sweep::dump(f.folder / "a.db")), b(sweep::dump(f.folder / "b.db"));
  int differing = 0;
  for (std::string x, y; std::getline(a, x) && std::getline(b, y);) differing += x != y;
  EXPECT_LE(differing, 9) << "one row, of as many lines as its canonical text has";
}

// A front is of rows that can stand for one another: those of a store of all are those of each workload, batch and
// technology alone.
TEST(SweepPool, AFrontIsOfOneWorkloadBatchAndTechnology) {
  Files f(1);
  test::write_file(f.spec,
                   "name: fronts\nworkloads: [resnet18, mobilenetv2]\narchs: [edge]\nprecisions: [int8, fp32]\n"
                   "techs: [horowitz-45nm, jouppi-7nm]\nbatches: [1, 4]\n"
                   "axes:\n  - set: [arch.rows, arch.cols]\n    values: [8 8, 8 64, 64 8, 24 24, 32 32, 64 64]\n");
  ASSERT_EQ(f.run("all.db").exit_code, 0);
  const std::string query = "sweep query --json --front --store '" + (f.folder / "all.db") + "'";
  auto keys = [](const std::string &json) {
    std::vector<std::string> found;
    for (size_t at = 0; (at = json.find("\"key\": \"", at)) != std::string::npos; at += 8)
      found.push_back(json.substr(at + 8, 64));
    return found;
  };
  const std::vector<std::string> all = keys(test::ergon(query).out);
  std::vector<std::string> apart;
  for (const char *workload : {"mobilenetv2", "resnet18"})
    for (const char *batch : {"1", "4"})
      for (const char *technology : {"horowitz-45nm", "jouppi-7nm"}) {
        const std::vector<std::string> one =
            keys(test::ergon(query + " --where workload=" + workload + " --where batch=" + batch +
                             " --where technology=" + technology)
                     .out);
        EXPECT_GE(one.size(), 1u);
        apart.insert(apart.end(), one.begin(), one.end());
      }
  EXPECT_GT(apart.size(), 8u) << "no front has two points: the test shows little";
  EXPECT_EQ(all, apart);
  EXPECT_EQ(keys(test::ergon(query + " --limit 5").out), std::vector<std::string>(all.begin(), all.begin() + 5));
  EXPECT_NE(test::ergon("sweep query --front --store '" + (f.folder / "all.db") + "'").out.find(" on 8 fronts"),
            std::string::npos);
}

TEST(SweepPool, VerbsOverStores) {
  Files f(1);
  test::write_file(f.spec, "name: two\nworkloads: [hand-worked]\narchs: [tiny]\nprecisions: [int8]\n");
  ASSERT_EQ(f.run("one.db").exit_code, 0);
  const std::string store = " --store '" + (f.folder / "one.db") + "'";
  EXPECT_NE(test::ergon("sweep status" + store).out.find("1 rows of model version"), std::string::npos);
  EXPECT_NE(test::ergon("sweep query --front" + store).out.find("1 rows on the front"), std::string::npos);
  EXPECT_NE(test::ergon("sweep export --csv" + store).out.find("key,status,reason,workload"), std::string::npos);
  EXPECT_NE(test::ergon("sweep export --json" + store).out.find("\"schema\": \"ergon.sweep\""), std::string::npos);
  test::Output price = test::ergon("sweep price --tech horowitz-45nm,jouppi-7nm" + store);
  EXPECT_EQ(price.exit_code, 0) << price.err;
  EXPECT_NE(price.out.find("2 prices from stored counts"), std::string::npos) << price.out;
  EXPECT_NE(test::ergon("sweep plan '" + f.spec + "'").out.find("two: 1 points"), std::string::npos);
  for (const char *wrong :
       {"sweep", "sweep ruin x", "sweep run", "sweep run x --store", "sweep query", "sweep export --csv"})
    EXPECT_EQ(test::ergon(wrong).exit_code, ERG_ERR_USAGE) << wrong;
  EXPECT_EQ(test::ergon("sweep export" + store).exit_code, ERG_ERR_USAGE) << "neither --csv nor --json";
  EXPECT_EQ(test::ergon("sweep run nothing-of-that-name --store x.db").exit_code, ERG_ERR_NO_INPUT);
  EXPECT_EQ(test::ergon("sweep query --store nothing.db").exit_code, ERG_ERR_NO_INPUT);
}

TEST(SweepPool, APointWithoutATileIsSkippedWithTheReason) {
  test::Folder f;
  const std::string spec = f / "s.yaml", store = " --store '" + (f / "s.db") + "'";
  test::write_file(spec, "name: s\nworkloads: [vgg16]\narchs: [edge]\nprecisions: [fp32, int8]\ndataflows: [os]\n");
  test::Output o = test::ergon("sweep run '" + spec + "'" + store);
  EXPECT_EQ(o.exit_code, 0) << o.err;
  EXPECT_NE(o.out.find("2 computed (1 skipped, 0 failed)"), std::string::npos) << o.out;
  test::Output q = test::ergon("sweep query --where status=skipped --json" + store);
  EXPECT_NE(q.out.find("no tile fits"), std::string::npos) << q.out;
}
