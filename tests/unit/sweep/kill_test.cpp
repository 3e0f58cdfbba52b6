// SPDX-License-Identifier: GPL-3.0-or-later
// kill -9 of a worker, and of the pool, at random moments: what is stored stays, the same command does the rest, and
// the store is row for row that of an undisturbed run.
#include "sweep.hpp"
#include <chrono>
#include <csignal>
#include <sqlite3.h>
#include <thread>
#include <unistd.h>

namespace {

constexpr int kKills = 20;
constexpr int64_t kPoints = 44 * 400;

int64_t rows(const std::string &path) {
  sqlite3 *db = nullptr;
  sqlite3_stmt *query = nullptr;
  int64_t count = 0;
  if (sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK &&
      sqlite3_prepare_v2(db, "SELECT count(*) FROM points", -1, &query, nullptr) == SQLITE_OK &&
      sqlite3_step(query) == SQLITE_ROW)
    count = sqlite3_column_int64(query, 0);
  sqlite3_finalize(query);
  sqlite3_close(db);
  return count;
}

pid_t start(const std::string &spec, const std::string &store) {
  pid_t pid = fork();
  if (pid == 0) {
    if (!freopen("/dev/null", "w", stdout)) _exit(1);
    const std::string program = test::binary_dir() + "/bin/ergon";
    execl(program.c_str(), "ergon", "sweep", "run", spec.c_str(), "-q", "--jobs", "2", "--store", store.c_str(),
          nullptr);
    _exit(127);
  }
  return pid;
}

int worker_of(pid_t pool) {
  std::istringstream children(
      test::read_file("/proc/" + std::to_string(pool) + "/task/" + std::to_string(pool) + "/children"));
  int child = 0;
  children >> child;
  return child;
}

void disturb(bool whole_pool, uint64_t seed) {
  test::Folder folder;
  test::Random random(seed);
  const std::string spec = folder / "s.yaml", calm = folder / "calm.db";
  test::write_file(spec, sweep::small(400));
  int status = 0;
  waitpid(start(spec, calm), &status, 0);
  ASSERT_EQ(status, 0);
  ASSERT_EQ(rows(calm), kPoints);
  const std::string expected = sweep::dump(calm);
  int counted = 0;
  for (int attempt = 0; counted < kKills && attempt < 6 * kKills; attempt++) {
    SCOPED_TRACE("seed " + std::to_string(seed) + " attempt " + std::to_string(attempt));
    const std::string store = folder / ("kill" + std::to_string(attempt) + ".db");
    pid_t pool = start(spec, store);
    const int64_t until = random.range(kPoints / 20 + 1, kPoints * 9 / 10);
    int64_t stored = 0;
    int ended = 0;
    while ((stored = rows(store)) < until && !ended) {
      std::this_thread::sleep_for(std::chrono::milliseconds(random.range(1, 5)));
      ended = waitpid(pool, &status, WNOHANG);
    }
    if (ended) continue;
    const int victim = whole_pool ? pool : worker_of(pool);
    if (victim > 0) kill(victim, SIGKILL);
    if (whole_pool) waitpid(pool, &status, 0);
    stored = rows(store);
    if (!whole_pool) waitpid(pool, &status, 0);
    if (stored < kPoints / 20 || stored > kPoints * 19 / 20) continue; // too early or too late to count
    counted++;
    if (whole_pool) {
      ASSERT_NE(status, 0) << "it was killed";
      test::Output again = test::ergon("sweep run '" + spec + "' -q --jobs 2 --store '" + store + "'");
      ASSERT_EQ(again.exit_code, 0) << again.err;
      long long points = 0, known = -1, computed = -1;
      ASSERT_EQ(sscanf(again.out.c_str(), "small: %lld points: %lld were stored already, %lld computed", &points,
                       &known, &computed),
                3)
          << again.out;
      EXPECT_EQ(known, stored) << "nothing that was stored is computed again";
      EXPECT_EQ(computed, kPoints - stored);
    } else {
      ASSERT_EQ(status, 0) << "the pool forks another worker";
    }
    ASSERT_EQ(sweep::dump(store), expected);
    std::filesystem::remove(store);
  }
  EXPECT_EQ(counted, kKills) << "kills with 5 to 95 % of the rows stored";
  std::printf("%d kills counted\n", counted);
}

} // namespace

TEST(SweepKill, Workers) {
  disturb(false, 61);
}

TEST(SweepKill, TheWholePool) {
  disturb(true, 62);
}
