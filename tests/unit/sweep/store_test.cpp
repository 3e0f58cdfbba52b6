// SPDX-License-Identifier: GPL-3.0-or-later
// The store: rows come back as they went in, once each; and every way in which it can be wrong.
#include "sweep.hpp"
#include <csignal>
#include <cstring>
#include <sqlite3.h>
#include <sys/resource.h>
#include <unistd.h>

namespace {

erg_sweep_row row_of(int number) {
  erg_sweep_row row{};
  std::snprintf(row.key, sizeof row.key, "%064x", number);
  row.cells[ERG_SWEEP_STATUS] = {true, {.text = "ok"}};
  row.cells[ERG_SWEEP_WORKLOAD] = {true, {.text = number % 2 ? "odd" : "even, \"quoted\"\n"}};
  row.cells[ERG_SWEEP_CYCLES].known = true;
  row.cells[ERG_SWEEP_CYCLES].integer = int64_t{1} << (number % 62);
  row.cells[ERG_SWEEP_ENERGY_PJ].known = true;
  row.cells[ERG_SWEEP_ENERGY_PJ].real = 1.0 / (number + 3);
  return row;
}

struct Store {
  test::Error error;
  erg_store *store = nullptr;
  erg_status status;
  explicit Store(const std::string &path, bool create = true) {
    status = erg_store_open(path.c_str(), create, &store, &error);
  }
  erg_stored find(const char *key) {
    erg_stored stored = ERG_NOT_STORED;
    EXPECT_EQ(erg_store_find(store, key, &stored, &error), ERG_OK) << error.message();
    return stored;
  }
  ~Store() {
    if (status == ERG_OK) erg_store_close(store);
  }
};

void execute(const std::string &path, const char *sql) {
  sqlite3 *db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
}

} // namespace

TEST(SweepStore, RowsComeBackOnceEach) {
  test::Folder folder;
  const std::string path = folder / "a.db";
  for (int round = 0; round < 2; round++) {
    Store s(path);
    ASSERT_EQ(s.status, ERG_OK) << s.error.message();
    for (int i = 0; i < 2500; i++) {
      erg_sweep_row row = row_of(i);
      EXPECT_EQ(s.find(row.key), round == 1 ? ERG_STORED : ERG_NOT_STORED);
      ASSERT_EQ(erg_store_put(s.store, &row, &s.error), ERG_OK) << s.error.message();
    }
    ASSERT_EQ(erg_store_flush(s.store, &s.error), ERG_OK);
    EXPECT_EQ(erg_store_count(s.store, nullptr), 2500);
  }
  Store s(path, false);
  int seen = 0;
  const char *where[] = {"workload=odd", nullptr};
  erg_store_query query{where, "-energy_pj", 0};
  struct Context {
    int *seen;
    double last = 1e9;
  } context{&seen};
  auto use = [](void *c, const erg_sweep_row *row, erg_error *) {
    auto &context = *static_cast<Context *>(c);
    const int number = static_cast<int>(std::strtol(row->key + 48, nullptr, 16));
    const erg_sweep_row expected = row_of(number);
    EXPECT_EQ(number % 2, 1);
    EXPECT_STREQ(row->cells[ERG_SWEEP_WORKLOAD].text, "odd");
    EXPECT_EQ(row->cells[ERG_SWEEP_CYCLES].integer, expected.cells[ERG_SWEEP_CYCLES].integer);
    EXPECT_EQ(row->cells[ERG_SWEEP_ENERGY_PJ].real, expected.cells[ERG_SWEEP_ENERGY_PJ].real);
    EXPECT_FALSE(row->cells[ERG_SWEEP_REASON].known);
    EXPECT_LT(row->cells[ERG_SWEEP_ENERGY_PJ].real, context.last);
    context.last = row->cells[ERG_SWEEP_ENERGY_PJ].real;
    ++*context.seen;
    return ERG_OK;
  };
  ASSERT_EQ(erg_store_each(s.store, &query, use, &context, &s.error), ERG_OK) << s.error.message();
  EXPECT_EQ(seen, 1250);
  const char *wrong[] = {"workloads=odd", nullptr};
  query = {wrong, nullptr, 0};
  EXPECT_EQ(erg_store_each(s.store, &query, use, &context, &s.error), ERG_ERR_USAGE);
  EXPECT_NE(s.error.message().find("did you mean workload"), std::string::npos) << s.error.message();
}

TEST(SweepStore, MergingAddsWhatIsMissing) {
  test::Folder folder;
  for (int shard = 0; shard < 2; shard++) {
    Store s(folder / (shard ? "b.db" : "a.db"));
    for (int i = shard * 50; i < shard * 50 + 100; i++) {
      erg_sweep_row row = row_of(i);
      ASSERT_EQ(erg_store_put(s.store, &row, &s.error), ERG_OK);
    }
  }
  Store s(folder / "a.db");
  int64_t added = 0;
  ASSERT_EQ(erg_store_merge(s.store, (folder / "b.db").c_str(), &added, &s.error), ERG_OK) << s.error.message();
  EXPECT_EQ(added, 50);
  EXPECT_EQ(erg_store_count(s.store, "ok"), 150);
  EXPECT_EQ(erg_store_merge(s.store, (folder / "c.db").c_str(), &added, &s.error), ERG_ERR_NO_INPUT);
}

TEST(SweepStore, WhatIsNoStoreIsLeftAsItIs) {
  test::Folder folder;
  EXPECT_EQ(Store(folder / "none.db", false).status, ERG_ERR_NO_INPUT);
  EXPECT_EQ(Store(folder / "no/such/folder.db").status, ERG_ERR_CREATE);
  EXPECT_EQ(Store(folder.path).status, ERG_ERR_CREATE) << "a folder";
  const std::string text = folder / "text.db", words(5000, 'x');
  test::write_file(text, words);
  Store a(text);
  EXPECT_EQ(a.status, ERG_ERR_DATA);
  EXPECT_NE(a.error.message().find("nothing was changed"), std::string::npos) << a.error.message();
  EXPECT_EQ(test::read_file(text), words);
  const std::string other = folder / "other.db";
  execute(other, "CREATE TABLE mine(x); INSERT INTO mine VALUES (1)");
  const std::string before = test::read_file(other);
  EXPECT_EQ(Store(other).status, ERG_ERR_DATA) << "somebody else's database";
  EXPECT_EQ(test::read_file(other), before);
}

TEST(SweepStore, AnotherModelVersionIsReadButNotWritten) {
  test::Folder folder;
  const std::string path = folder / "a.db";
  {
    Store s(path);
    erg_sweep_row row = row_of(1);
    ASSERT_EQ(erg_store_put(s.store, &row, &s.error), ERG_OK);
  }
  execute(path, "UPDATE meta SET value = 1 WHERE name = 'model_version'");
  Store write(path);
  EXPECT_EQ(write.status, ERG_ERR_DATA);
  EXPECT_NE(write.error.message().find("model version 1"), std::string::npos) << write.error.message();
  Store read(path, false);
  ASSERT_EQ(read.status, ERG_OK) << read.error.message();
  EXPECT_EQ(erg_store_model_version(read.store), 1);
  EXPECT_EQ(erg_store_count(read.store, nullptr), 1);
}

TEST(SweepStore, ADamagedStoreSaysSo) {
  test::Folder folder;
  const std::string path = folder / "a.db";
  {
    Store s(path);
    for (int i = 0; i < 3000; i++) {
      erg_sweep_row row = row_of(i);
      ASSERT_EQ(erg_store_put(s.store, &row, &s.error), ERG_OK);
    }
  }
  std::string bytes = test::read_file(path);
  ASSERT_GT(bytes.size(), 100000u);
  for (size_t i = 20000; i < bytes.size() - 4096; i += 7) bytes[i] = 'z';
  test::write_file(path, bytes);
  Store s(path, false);
  erg_store_query query{};
  std::string text;
  erg_status status = s.status == ERG_OK ? erg_store_each(s.store, &query, sweep::to_csv, &text, &s.error) : s.status;
  EXPECT_EQ(status, ERG_ERR_DATA);
  EXPECT_NE(s.error.message().find("damaged"), std::string::npos) << s.error.message();
  EXPECT_EQ(test::read_file(path), bytes);
}

// A limit on the size of files stands for a full disk: SQLite meets the same error in a write.
TEST(SweepStore, AFullDiskLosesNothingThatWasStored) {
  test::Folder folder;
  const std::string path = folder / "a.db";
  signal(SIGXFSZ, SIG_IGN);
  struct rlimit old, limit;
  getrlimit(RLIMIT_FSIZE, &old);
  limit = old;
  limit.rlim_cur = 300 * 1024;
  int stored = 0;
  {
    Store s(path);
    setrlimit(RLIMIT_FSIZE, &limit);
    erg_status status = ERG_OK;
    for (int i = 0; i < 20000 && status == ERG_OK; i++) {
      erg_sweep_row row = row_of(i);
      status = erg_store_put(s.store, &row, &s.error);
      if (status == ERG_OK && i % 100 == 99) status = erg_store_flush(s.store, &s.error);
      if (status == ERG_OK && i % 100 == 99) stored = i + 1;
    }
    EXPECT_EQ(status, ERG_ERR_IO) << s.error.message();
    setrlimit(RLIMIT_FSIZE, &old);
  }
  EXPECT_GT(stored, 100);
  Store s(path);
  ASSERT_EQ(s.status, ERG_OK) << s.error.message();
  EXPECT_GE(erg_store_count(s.store, nullptr), stored);
  for (int i = 0; i < stored; i++) ASSERT_EQ(s.find(row_of(i).key), ERG_STORED) << i;
}

// A disk can be full when a row is looked for, as well as when one is written or many are committed: a transaction of
// more pages than SQLite keeps in memory writes some out to read others. What is then said is the disk, not a
// consequence of it; the next row begins anew, and the store holds whole transactions.
TEST(SweepStore, ADiskThatFillsWhileLookingIsSaid) {
  signal(SIGXFSZ, SIG_IGN);
  struct rlimit old, limit;
  getrlimit(RLIMIT_FSIZE, &old);
  const std::string wide(8000, 'x');
  auto row_at = [&](unsigned i) {
    erg_sweep_row row = row_of(1);
    std::snprintf(row.key, sizeof row.key, "%064x", i * 2654435761u); // scattered, as hashes are
    row.cells[ERG_SWEEP_REASON] = {true, {.text = wide.c_str()}};
    return row;
  };
  int while_looking = 0;
  for (rlim_t kib = 2100; kib < 3700; kib += 40) {
    test::Folder folder;
    const std::string path = folder / "a.db";
    {
      Store s(path);
      limit = old;
      limit.rlim_cur = kib * 1024;
      setrlimit(RLIMIT_FSIZE, &limit);
      erg_status status = ERG_OK;
      erg_sweep_row row = row_at(0);
      EXPECT_EQ(erg_store_put(s.store, &row, &s.error), ERG_OK);
      EXPECT_EQ(erg_store_flush(s.store, &s.error), ERG_OK);
      for (unsigned i = 1; i < 1000 && status == ERG_OK; i++) {
        row = row_at(i);
        status = erg_store_put(s.store, &row, &s.error);
        erg_stored stored = ERG_STORED;
        for (unsigned k = 0; k < 4 && status == ERG_OK; k++) {
          status = erg_store_find(s.store, row_at(i * (k + 7919)).key, &stored, &s.error);
          while_looking += status != ERG_OK;
        }
      }
      setrlimit(RLIMIT_FSIZE, &old);
      EXPECT_EQ(status, ERG_ERR_IO) << kib << " KiB: " << s.error.message();
      EXPECT_EQ(s.error.message().find("transaction"), std::string::npos) << s.error.message();
      EXPECT_EQ(erg_store_count(s.store, nullptr), 1);
      row = row_at(0xffff);
      EXPECT_EQ(erg_store_put(s.store, &row, &s.error), ERG_OK) << s.error.message();
      EXPECT_EQ(erg_store_flush(s.store, &s.error), ERG_OK) << s.error.message();
    }
    Store s(path);
    ASSERT_EQ(s.status, ERG_OK) << s.error.message();
    EXPECT_EQ(erg_store_count(s.store, nullptr), 2) << kib << " KiB";
  }
  RecordProperty("while_looking", while_looking);
  EXPECT_GT(while_looking, 0) << "no limit was met while a row was looked for: the test shows nothing";
}
