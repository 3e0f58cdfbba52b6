// SPDX-License-Identifier: GPL-3.0-or-later
// A real Slurm of three nodes: whatever is killed, and when, the store ends row for row like that of one process.
#include "slurm.hpp"
#include <sqlite3.h>

namespace {

constexpr int64_t kPoints = 44 * 300;

struct Farm : farm::Desk {
  farm::Slurm slurm;
  explicit Farm(int more = 300) : farm::Desk(more) { before = slurm.before; }

  // Rows in all shards of the first round.
  int64_t stored() const {
    int64_t sum = 0;
    for (int task = 0; task < 6; task++) {
      sqlite3 *db = nullptr;
      sqlite3_stmt *query = nullptr;
      const std::string shard = path(store + ".farm/round-1/" + std::to_string(task) + ".db");
      if (sqlite3_open_v2(shard.c_str(), &db, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK &&
          sqlite3_prepare_v2(db, "SELECT count(*) FROM points", -1, &query, nullptr) == SQLITE_OK &&
          sqlite3_step(query) == SQLITE_ROW)
        sum += sqlite3_column_int64(query, 0);
      sqlite3_finalize(query);
      sqlite3_close(db);
    }
    return sum;
  }
  bool wait_for_rows(int64_t least) const {
    for (int i = 0; i < 6000; i++, farm::Slurm::nap(5))
      if (stored() >= least || record("state") == "complete") return true;
    return false;
  }
};

std::vector<int> children_of(int parent) {
  std::istringstream list(
      test::read_file("/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) + "/children"));
  std::vector<int> all;
  for (int child; list >> child;) {
    all.push_back(child);
    for (int grandchild : children_of(child)) all.push_back(grandchild);
  }
  return all;
}

std::string command_of(int pid) {
  std::string text = test::read_file("/proc/" + std::to_string(pid) + "/cmdline");
  for (char &c : text)
    if (!c) c = ' ';
  return text;
}

// Processes whose command line holds `text` and none of this test's shells.
std::vector<int> processes(const std::string &text) {
  std::vector<int> found;
  for (const auto &entry : std::filesystem::directory_iterator("/proc")) {
    const int pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0 && pid != getpid() && command_of(pid).find(text) != std::string::npos) found.push_back(pid);
  }
  return found;
}

#define NEEDS_SLURM()                                                                                                  \
  if (!farm::Slurm::installed()) GTEST_SKIP() << "slurm-wlm and munge are not installed (scripts/setup --test)"

// Kills what `victims` names while 5 to 95 % of the rows are stored; on a fast machine that may take a few attempts.
void disturb(std::vector<int> (*victims)(const Farm &)) {
  Farm f;
  ASSERT_TRUE(f.slurm.up);
  const std::string expected = f.calm();
  bool counted = false;
  for (int attempt = 0; attempt < 5 && !counted; attempt++) {
    SCOPED_TRACE("attempt " + std::to_string(attempt));
    f.store = "results" + std::to_string(attempt) + ".db";
    ASSERT_EQ(f.submit("--chunk-points 2200").exit_code, 0);
    ASSERT_TRUE(f.wait_for_rows(kPoints / 20 + 1)) << f.logs() << f.slurm.log();
    size_t killed = 0; // none: all was done already
    for (int pid : victims(f)) killed += kill(pid, SIGKILL) == 0;
    const int64_t stored = f.stored();
    ASSERT_EQ(f.wait(300), "complete") << f.logs() << f.slurm.log();
    ASSERT_EQ(f.rows(), expected);
    counted = killed > 0 && stored >= kPoints / 20 && stored <= kPoints * 19 / 20 && f.record("round") == "2";
    std::printf("%zu processes killed with %lld of %lld rows stored; %s rounds\n", killed, (long long)stored,
                (long long)kPoints, f.record("round").c_str());
    if (!f.slurm.pid("n1")) f.slurm.start_node(1);
  }
  EXPECT_TRUE(counted) << "nothing was killed between 5 and 95 % of the rows";
}

} // namespace

TEST(SweepSlurm, ThreeNodesGiveTheRowsOfOneProcess) {
  NEEDS_SLURM();
  Farm f(30);
  ASSERT_TRUE(f.slurm.up);
  test::Output o = f.submit("--chunk-points 220 --partition all --time 5 --sbatch-option=--comment='two words'");
  ASSERT_EQ(o.exit_code, 0) << o.err;
  test::Output again = f.submit("--chunk-points 220");
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_TRUE(again.out.find("are at work") != std::string::npos || again.out.find("all 1320") != std::string::npos)
      << again.out;
  ASSERT_EQ(f.wait(120), "complete") << f.logs() << f.slurm.log();
  EXPECT_EQ(f.record("round"), "1");
  EXPECT_EQ(f.rows(), f.calm());
  test::Output done = f.submit();
  EXPECT_NE(done.out.find("all 1320 points are stored"), std::string::npos) << done.out << done.err;
  EXPECT_NE(f.run("status --store results.db").out.find("small on slurm: complete"), std::string::npos);
  EXPECT_EQ(f.submit("--partition nowhere --retry-failed").exit_code, 0) << "nothing to submit, nothing to refuse";
  f.write(31);
  test::Output refused = f.submit("--partition nowhere");
  EXPECT_EQ(refused.exit_code, ERG_ERR_TOOL);
  EXPECT_NE(refused.err.find("sbatch failed"), std::string::npos) << refused.err;
}

// The pool of a task that is still at work; its workers die with it.
TEST(SweepSlurm, AKilledTaskIsSubmittedAgain) {
  NEEDS_SLURM();
  disturb([](const Farm &f) {
    for (int task = 5; task >= 0; task--)
      for (int pid : processes("round-1/" + std::to_string(task) + ".trail"))
        if (command_of(pid).find(f.path(f.store)) != std::string::npos) return std::vector<int>{pid};
    return std::vector<int>{};
  });
}

// The daemon and all that it runs, as when a machine is switched off. Its step daemons are no longer its children.
TEST(SweepSlurm, AKilledNodeIsNoLoss) {
  NEEDS_SLURM();
  disturb([](const Farm &f) {
    std::vector<int> victims;
    for (int step : processes("slurmstepd: "))
      for (int child : children_of(step)) {
        const std::string environment = test::read_file("/proc/" + std::to_string(child) + "/environ");
        if (environment.find("SLURMD_NODENAME=n1") == std::string::npos ||
            environment.find(f.slurm.folder.path) == std::string::npos)
          continue;
        victims.push_back(step);
        victims.push_back(child);
      }
    if (!victims.empty()) victims.push_back(f.slurm.pid("n1"));
    return victims;
  });
}

// A killed controller forgets what it was told in its last seconds: jobs that it still knows go on when it is back, for
// others `status` says that nothing is at work, and the same submission does the rest.
TEST(SweepSlurm, AKilledControllerIsNoLoss) {
  NEEDS_SLURM();
  Farm f;
  ASSERT_TRUE(f.slurm.up);
  ASSERT_EQ(f.submit("--chunk-points 2200").exit_code, 0);
  const int controller = f.slurm.pid("slurmctld");
  ASSERT_GT(controller, 0);
  ASSERT_EQ(kill(controller, SIGKILL), 0);
  test::Output again = f.submit("--chunk-points 2200");
  EXPECT_EQ(again.exit_code, ERG_ERR_TOOL) << again.out;
  EXPECT_NE(again.err.find("squeue failed"), std::string::npos) << again.err;
  EXPECT_NE(f.run("status --store results.db").out.find("the queue does not answer"), std::string::npos);
  ASSERT_TRUE(f.slurm.start_controller());
  int submitted = 1;
  for (int i = 0; i < 400 && f.record("state") != "complete"; i++, farm::Slurm::nap(500)) {
    if (f.run("status --store results.db").out.find("small on slurm: stopped") == std::string::npos) continue;
    test::Output o = f.submit("--chunk-points 2200");
    ASSERT_EQ(o.exit_code, 0) << o.err;
    submitted++;
  }
  ASSERT_EQ(f.record("state"), "complete") << f.logs() << f.slurm.log();
  EXPECT_LE(submitted, 2) << "the second one is not forgotten";
  EXPECT_EQ(f.rows(), f.calm());
}

TEST(SweepSlurm, APointThatKillsItsTaskEndsAsARow) {
  NEEDS_SLURM();
  for (const char *kill : {"--kill-at 24", "--kill-pool-at 24"}) {
    SCOPED_TRACE(kill);
    Farm f(4);
    ASSERT_TRUE(f.slurm.up);
    ASSERT_EQ(f.submit(std::string("--chunk-points 40 ") + kill).exit_code, 0);
    ASSERT_EQ(f.wait(240), "complete") << f.logs() << f.slurm.log();
    test::Output failed = f.run("query --where status=failed --store results.db");
    EXPECT_NE(failed.out.find("1 rows"), std::string::npos) << failed.out;
    EXPECT_NE(failed.out.find("died 3 times"), std::string::npos) << failed.out;
    ASSERT_EQ(f.submit("--retry-failed").exit_code, 0);
    ASSERT_EQ(f.wait(120), "complete") << f.logs() << f.slurm.log();
    EXPECT_EQ(f.rows(), f.calm()) << "every other row was right, and this one is now";
  }
}
