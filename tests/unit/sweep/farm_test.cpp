// SPDX-License-Identifier: GPL-3.0-or-later
// Farms without a farm: `sbatch` and `squeue` are scripts on PATH that keep what they were told and run the jobs here.
// What a real Slurm does is tried in slurm_test.cpp.
#include "farm.hpp"

namespace {

// Files in FAKE steer it: `hold` (jobs wait), `drop` (tasks of arrays do not run), `mute` (squeue fails), `refuse`.
const char *const kSbatch = R"sh(#!/bin/sh
if [ -e "$FAKE/refuse" ]; then
  echo 'sbatch: error: invalid partition specified: nowhere' >&2
  exit 1
fi
n=$(cat "$FAKE/next" 2>/dev/null || echo 1)
echo $((n + 1)) >"$FAKE/next"
printf '%s\n' "$@" >"$FAKE/job-$n.args"
last=
after=
for word; do
  case $word in
  --array=0-*) last=${word#--array=0-} ;;
  --dependency=afterany:*) after=${word#--dependency=afterany:} ;;
  esac
done
cp "$word" "$FAKE/job-$n.sh"
: >"$FAKE/live-$n"
unset ERGON_DATA
cd /
(
  while [ -e "$FAKE/hold" ] || { [ -n "$after" ] && [ -e "$FAKE/live-$after" ]; }; do sleep 0.02; done
  task=0
  while [ -n "$last" ] && [ "$task" -le "$last" ]; do
    [ -e "$FAKE/drop" ] || SLURM_ARRAY_TASK_ID=$task sh "$FAKE/job-$n.sh"
    task=$((task + 1))
  done
  [ -n "$last" ] || sh "$FAKE/job-$n.sh"
  rm "$FAKE/live-$n"
) >/dev/null 2>&1 </dev/null &
echo "$n"
)sh";

const char *const kSqueue = R"sh(#!/bin/sh
if [ -e "$FAKE/mute" ]; then
  echo 'squeue: error: Unable to contact slurm controller' >&2
  exit 1
fi
printf '%s\n' "$@" >"$FAKE/squeue.args"
for file in "$FAKE"/live-*; do
  [ -e "$file" ] || continue
  state=RUNNING
  [ ! -e "$FAKE/hold" ] || state=PENDING
  echo "${file##*-}|$state|Priority"
done
)sh";

struct Fake : farm::Desk {
  std::filesystem::path fake = folder.path / "fake", bin = folder.path / "bin";
  explicit Fake(int more) : farm::Desk(more) {
    std::filesystem::create_directory(fake);
    std::filesystem::create_directory(bin);
    for (auto [name, text] : {std::pair("sbatch", kSbatch), std::pair("squeue", kSqueue)}) {
      test::write_file(bin / name, text);
      std::filesystem::permissions(bin / name, std::filesystem::perms::owner_all);
    }
    // Data in a folder with blanks, found through the environment alone, which the queue does not pass on.
    const std::filesystem::path data = folder.path / "the data";
    std::filesystem::copy(test::binary_dir() + "/share/ergon", data, std::filesystem::copy_options::recursive);
    before = "FAKE=" + farm::quote(fake) + " PATH=" + farm::quote(bin) + ":$PATH ERGON_DATA='../the data'";
  }
  ~Fake() { // whatever still runs must not outlive its folder
    set("drop"), unset("hold");
    for (int i = 0; i < 500 && live(); i++) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  void set(const char *name) const { test::write_file(fake / name, ""); }
  void unset(const char *name) const { std::filesystem::remove(fake / name); }
  bool live() const {
    for (const auto &entry : std::filesystem::directory_iterator(fake))
      if (entry.path().filename().string().rfind("live-", 0) == 0) return true;
    return false;
  }
  // The end of the work, and of the job that found it.
  std::string wait(double most_s) const {
    std::string state = farm::Desk::wait(most_s);
    for (int i = 0; i < 1000 && live(); i++) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return state;
  }
  std::string words(int job) const { return test::read_file(fake / ("job-" + std::to_string(job) + ".args")); }
  std::string points(int round) const {
    return test::read_file(path(store + ".farm/round-" + std::to_string(round) + "/points"));
  }
};

constexpr int kRows = 44; // of sweep::small(1)

} // namespace

TEST(SweepFarm, AnArrayAndTheJobBehindItGiveTheRowsOfOneProcess) {
  Fake f(6);
  test::Output o = f.submit("--chunk-points 60 --partition 'two words' --time 1:00:00 --jobs 2 "
                            "--sbatch-option=--mem=1G --sbatch-option '--comment=a; touch x'");
  ASSERT_EQ(o.exit_code, 0) << o.err;
  EXPECT_NE(o.out.find("264 of 264 points are missing: 5 tasks as slurm job 1, job 2 merges behind them; round 1 of at "
                       "most 3"),
            std::string::npos)
      << o.out;
  ASSERT_EQ(f.wait(60), "complete") << f.logs();
  EXPECT_EQ(f.rows(), f.calm());
  const std::string folder = f.path("results.db.farm");
  const std::string array = f.words(1);
  EXPECT_EQ(array.substr(0, array.find('\n')), "--parsable");
  for (const char *word : {"--array=0-4\n", "--no-requeue\n", "--cpus-per-task=2\n", "--partition=two words\n",
                           "--time=1:00:00\n", "--mem=1G\n", "--comment=a; touch x\n", "--output=/dev/null\n"})
    EXPECT_NE(array.find(word), std::string::npos) << word << array;
  EXPECT_EQ(array.substr(array.size() - folder.size() - 18), "\n" + folder + "/round-1/task.sh\n") << array;
  EXPECT_NE(f.words(2).find("--dependency=afterany:1\n"), std::string::npos) << f.words(2);
  EXPECT_EQ(f.words(2).find("--array"), std::string::npos) << f.words(2);
  EXPECT_FALSE(std::filesystem::exists(f.path("x"))) << "a shell read an option";
  EXPECT_FALSE(std::filesystem::exists(folder + "/round-1/0.db")) << "shards go once they are merged";
  EXPECT_TRUE(std::filesystem::exists(folder + "/round-1/0.log"));
}

TEST(SweepFarm, TasksFindTheUsersData) {
  Fake f(1);
  ASSERT_FALSE(std::filesystem::is_symlink(f.folder.path / "the data/nets"));
  test::write_file(f.folder.path / "the data/nets/only-here.yaml", test::read_file(f.path("my net.yaml")));
  test::write_file(f.path("my spec.yaml"), "name: x\nworkloads: [only-here]\narchs: [tiny]\n");
  test::Output o = f.submit();
  ASSERT_EQ(o.exit_code, 0) << o.err;
  ASSERT_EQ(f.wait(20), "complete") << f.logs();
  EXPECT_EQ(f.record("round"), "1") << f.logs();
}

TEST(SweepFarm, ScriptsPassShellcheck) {
  if (test::shell("command -v shellcheck").exit_code != 0) GTEST_SKIP() << "shellcheck is not installed";
  Fake f(1);
  test::Output o = f.submit("--dry-run --kill-at 3");
  ASSERT_EQ(o.exit_code, 0) << o.err;
  EXPECT_NE(o.out.find("Nothing was submitted"), std::string::npos) << o.out;
  EXPECT_EQ(f.words(1), "");
  EXPECT_EQ(f.record("state"), "") << "a dry run is no submission";
  const std::string round = farm::quote(f.path("results.db.farm/round-1"));
  test::Output check = test::shell("shellcheck " + round + "/task.sh " + round + "/reconcile.sh");
  EXPECT_EQ(check.exit_code, 0) << check.out;
  // The printed command lines are what a shell needs to do the same.
  size_t begin = o.out.find("\nsbatch ") + 1;
  test::Output line =
      test::shell("cd /; " + f.before + "; export FAKE PATH; " + o.out.substr(begin, o.out.find('\n', begin) - begin));
  EXPECT_EQ(line.out, "1\n") << line.err;
  EXPECT_NE(f.words(1).find("\n" + f.path("results.db.farm/round-1/task.sh") + "\n"), std::string::npos) << f.words(1);
}

TEST(SweepFarm, SubmittingTwiceIsSubmittingOnce) {
  Fake f(2);
  f.set("hold");
  ASSERT_EQ(f.submit().exit_code, 0);
  test::Output again = f.submit();
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_NE(again.out.find("slurm jobs 1 and 2 are at work, round 1 of at most 3; nothing was submitted"),
            std::string::npos)
      << again.out;
  EXPECT_NE(test::read_file(f.fake / "squeue.args").find("--name=small-"), std::string::npos);
  test::Output elsewhere = f.run("submit './my spec.yaml' --store \"../$(basename \"$PWD\")/./results.db\"");
  EXPECT_NE(elsewhere.out.find("nothing was submitted"), std::string::npos) << "the same store by another path";
  test::Output status = f.run("status --store results.db");
  EXPECT_NE(status.out.find("small on slurm: under way, round 1 of at most 3, 1 tasks"), std::string::npos)
      << status.out;
  EXPECT_NE(status.out.find("tasks, job 1: 0 running, 1 waiting (Priority)"), std::string::npos) << status.out;
  // Not knowing whether jobs are at work is no reason to submit them again.
  f.set("mute");
  test::Output mute = f.submit();
  EXPECT_EQ(mute.exit_code, ERG_ERR_TOOL);
  EXPECT_NE(mute.err.find("Unable to contact"), std::string::npos) << mute.err;
  EXPECT_NE(f.run("status --store results.db").out.find("the queue does not answer: squeue failed"), std::string::npos);
  f.unset("mute");
  f.write(2, "seed: 7\n");
  test::Output other = f.submit();
  EXPECT_EQ(other.exit_code, ERG_ERR_USAGE);
  EXPECT_NE(other.err.find("another specification"), std::string::npos) << other.err;
  f.write(2);
  EXPECT_EQ(f.words(3), "") << "nothing of it was submitted";
  f.unset("hold");
  ASSERT_EQ(f.wait(60), "complete") << f.logs();
  const std::string rows = f.rows();
  EXPECT_EQ(rows, f.calm());
  test::Output done = f.submit();
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_NE(done.out.find("all 88 points are stored in results.db (0 failed); nothing to submit"), std::string::npos)
      << done.out;
  EXPECT_EQ(f.words(3), "");
  // One more value on an axis: only its points.
  f.write(3);
  ASSERT_EQ(f.submit().exit_code, 0);
  EXPECT_EQ(f.points(2), "88-131\n");
  ASSERT_EQ(f.wait(60), "complete") << f.logs();
  EXPECT_EQ(f.rows(), f.calm());
}

TEST(SweepFarm, WhatIsMissingIsSubmittedAgainAndInTheEndGivenUp) {
  Fake f(1);
  f.set("drop");
  ASSERT_EQ(f.submit("--rounds 2 --chunk-points 20").exit_code, 0);
  ASSERT_EQ(f.wait(60), "incomplete") << f.logs();
  EXPECT_EQ(f.record("round"), "2");
  EXPECT_EQ(f.record("missing"), std::to_string(kRows));
  EXPECT_NE(f.logs().find("44 points are missing, their tasks ended without them"), std::string::npos) << f.logs();
  test::Output status = f.run("status --store results.db");
  EXPECT_NE(status.out.find("incomplete, round 2 of at most 2"), std::string::npos) << status.out;
  EXPECT_NE(status.out.find("`ergon sweep submit` with the same"), std::string::npos) << status.out;
  test::Output hand = f.run("reconcile --store results.db");
  EXPECT_EQ(hand.exit_code, ERG_ERR_MISMATCH) << "given up: another round needs another submit";
  EXPECT_NE(hand.out.find("44 of 44 points are missing after round 2"), std::string::npos) << hand.out;
  EXPECT_EQ(f.words(5), "");
  f.unset("drop");
  ASSERT_EQ(f.submit("--rounds 2 --chunk-points 20").exit_code, 0);
  ASSERT_EQ(f.wait(60), "complete") << f.logs();
  EXPECT_EQ(f.record("round"), "3");
  EXPECT_EQ(f.rows(), f.calm());
}

TEST(SweepFarm, APointThatKillsItsWorkerOrItsTaskIsARow) {
  for (const char *kill : {"--kill-at 24", "--kill-pool-at 24"}) {
    SCOPED_TRACE(kill);
    Fake f(1);
    ASSERT_EQ(f.submit(std::string("--chunk-points 20 ") + kill).exit_code, 0);
    ASSERT_EQ(f.wait(60), "complete") << f.logs();
    const bool pool = std::string(kill).find("pool") != std::string::npos;
    EXPECT_EQ(f.record("round"), pool ? "3" : "1");
    if (pool) EXPECT_EQ(f.points(2), "14-22 24-28\n23\n") << "the suspect has a task of its own";
    test::Output failed = f.run("query --where status=failed --store results.db");
    EXPECT_NE(failed.out.find("1 rows"), std::string::npos) << failed.out;
    EXPECT_NE(failed.out.find(pool ? "its task on the farm died 3 times" : "its worker died 3 times, by signal 9"),
              std::string::npos)
        << failed.out;
    // Tried again without the fault it is as if there had never been one.
    test::Output same = f.submit();
    EXPECT_NE(same.out.find("(1 failed); nothing to submit"), std::string::npos) << same.out;
    ASSERT_EQ(f.submit("--retry-failed").exit_code, 0);
    EXPECT_EQ(f.points(pool ? 4 : 2), "23\n");
    ASSERT_EQ(f.wait(60), "complete") << f.logs();
    EXPECT_EQ(f.rows(), f.calm());
  }
}

// Points are missing and others failed, and the shards that say so are still there.
TEST(SweepFarm, OldShardsDoNotStandInTheWayOfARetry) {
  Fake f(1);
  f.set("hold");
  ASSERT_EQ(f.submit("--rounds 1 --chunk-points 20 --kill-at 4").exit_code, 0);
  test::write_file(f.path("results.db.farm/round-1/2.db"), std::string(5000, 'x'));
  f.unset("hold");
  ASSERT_EQ(f.wait(60), "incomplete") << f.logs();
  EXPECT_EQ(f.record("missing"), "15");
  ASSERT_EQ(f.submit("--retry-failed").exit_code, 0);
  EXPECT_EQ(f.points(2), "3 29-43\n");
  ASSERT_EQ(f.wait(60), "complete") << f.logs();
  EXPECT_EQ(f.rows(), f.calm());
}

TEST(SweepFarm, ADamagedShardIsComputedAgain) {
  Fake f(1);
  f.set("hold");
  ASSERT_EQ(f.submit("--chunk-points 20").exit_code, 0);
  test::write_file(f.path("results.db.farm/round-1/1.db"), std::string(5000, 'x'));
  f.unset("hold");
  ASSERT_EQ(f.wait(60), "complete") << f.logs();
  EXPECT_NE(f.logs().find("note: "), std::string::npos) << f.logs();
  EXPECT_EQ(f.record("round"), "2");
  EXPECT_EQ(f.rows(), f.calm());
}

TEST(SweepFarm, AFileThatChangesOnTheWayIsSaid) {
  Fake f(1);
  f.set("hold");
  ASSERT_EQ(f.submit().exit_code, 0);
  std::string net = test::read_file(f.path("my net.yaml"));
  test::write_file(f.path("my net.yaml"), net + "# other\n");
  f.unset("hold");
  for (int i = 0; i < 3000 && f.live(); i++) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_NE(f.logs().find("changed since it was submitted"), std::string::npos) << f.logs();
  EXPECT_NE(f.run("status --store results.db").out.find("stopped"), std::string::npos);
  ASSERT_EQ(f.submit().exit_code, 0);
  EXPECT_NE(f.record("state"), "submitting");
  EXPECT_EQ(f.rows(), f.calm());
}

TEST(SweepFarm, RefusalsSayWhatToDo) {
  Fake f(1);
  const struct {
    std::string arguments;
    int exit_code;
    const char *says;
  } cases[] = {
      {"submit './my spec.yaml' --store a.db --engine lsf", ERG_ERR_USAGE, "allowed: slurm"},
      {"submit './my spec.yaml'", ERG_ERR_USAGE, "--store"},
      {"submit --store a.db", ERG_ERR_USAGE, "SPEC"},
      {"submit './my spec.yaml' --store a.db --rounds 0", ERG_ERR_USAGE, "from 1"},
      {"submit './my spec.yaml' --store a.db --sbatch-option x", ERG_ERR_USAGE, "--OPTION=VALUE"},
      {"submit './my spec.yaml' --store none/a.db", ERG_ERR_CREATE, "none/a.db.farm"},
      {"submit nothing --store a.db", ERG_ERR_NO_INPUT, "nothing"},
      {"reconcile --store a.db", ERG_ERR_NO_INPUT, "nothing was submitted"},
      {"reconcile x --store a.db", ERG_ERR_USAGE, "alone"},
      {"run './my spec.yaml' --store a.db --points p", ERG_ERR_USAGE, "--chunk"},
      {"run './my spec.yaml' --store a.db --points p --chunk 0/1", ERG_ERR_NO_INPUT, "p: "},
  };
  for (const auto &c : cases) {
    test::Output o = f.run(c.arguments);
    EXPECT_EQ(o.exit_code, c.exit_code) << c.arguments << "\n" << o.err;
    EXPECT_NE(o.err.find(c.says), std::string::npos) << c.arguments << "\n" << o.err;
  }
  f.write(30);
  test::Output many = f.submit("--chunk-points 1");
  EXPECT_EQ(many.exit_code, ERG_ERR_USAGE);
  EXPECT_NE(many.err.find("at least 2, as an array has 1000 tasks"), std::string::npos) << many.err;
  f.set("refuse");
  test::Output refused = f.submit();
  EXPECT_EQ(refused.exit_code, ERG_ERR_TOOL);
  EXPECT_NE(refused.err.find("sbatch failed: sbatch: error: invalid partition"), std::string::npos) << refused.err;
  f.unset("refuse");
  ASSERT_EQ(f.submit("-q").exit_code, 0) << "a refused submission is none";
  EXPECT_EQ(f.wait(60), "complete") << f.logs();
  f.before = "PATH=/nowhere";
  test::Output absent = f.submit();
  EXPECT_EQ(absent.exit_code, ERG_ERR_TOOL);
  for (const char *word : {"sbatch is missing", "apt-get install slurm-client", "sweep run"})
    EXPECT_NE(absent.err.find(word), std::string::npos) << absent.err;
}
