// SPDX-License-Identifier: GPL-3.0-or-later
// The command on a full disk, in a folder that cannot be written, on a store of another model version and on a damaged
// one: a message, an exit code, and what was stored stays.
#include "sweep.hpp"
#include <cerrno>
#include <cstring>
#include <sqlite3.h>
#include <sys/mount.h>
#include <unistd.h>

namespace {

struct Files {
  test::Folder folder;
  std::string spec = folder / "s.yaml", store = folder / "a.db";
  Files() { test::write_file(spec, sweep::small(40)); }
  std::string line(const std::string &at) const {
    return "'" + test::binary_dir() + "/bin/ergon' sweep run '" + spec + "' -q --store '" + at + "'";
  }
};

long long rows(const std::string &path) {
  test::Output o = test::ergon("sweep status --store '" + path + "'");
  long long count = -1;
  EXPECT_EQ(o.exit_code, 0) << o.err;
  std::sscanf(o.out.c_str() + o.out.find(": ") + 2, "%lld rows", &count);
  return count;
}

void execute(const std::string &path, const char *sql) {
  sqlite3 *db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
}

} // namespace

// A quarter of the rows is stored first: 440, or 2 MB.
TEST(SweepFaults, ALimitOnFilesEndsTheRunAndTheSameCommandGoesOn) {
  Files f;
  ASSERT_EQ(test::shell(f.line(f.store) + " --chunk 0/4").exit_code, 0);
  ASSERT_EQ(rows(f.store), 440);
  test::Output o = test::shell("trap '' XFSZ; ulimit -f 2000; " + f.line(f.store));
  EXPECT_EQ(o.exit_code, ERG_ERR_IO) << o.out << o.err;
  EXPECT_NE(o.err.find("a.db"), std::string::npos) << o.err;
  const long long stored = rows(f.store);
  EXPECT_GE(stored, 440);
  EXPECT_LT(stored, 1760);
  o = test::shell(f.line(f.store));
  EXPECT_EQ(o.exit_code, 0) << o.err;
  EXPECT_NE(o.out.find(" " + std::to_string(stored) + " were stored already"), std::string::npos) << o.out;
  ASSERT_EQ(test::shell(f.line(f.folder / "calm.db")).exit_code, 0);
  EXPECT_EQ(sweep::dump(f.store), sweep::dump(f.folder / "calm.db"));
}

TEST(SweepFaults, AFullDiskSaysSo) {
  Files f;
  const std::string disk = f.folder / "disk";
  std::filesystem::create_directory(disk);
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=10m") != 0)
    GTEST_SKIP() << "a small disk cannot be mounted here: " << std::strerror(errno);
  const std::string line = f.line(disk + "/a.db");
  EXPECT_EQ(test::shell(line + " --chunk 0/4").exit_code, 0);
  EXPECT_EQ(mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, "size=4m"), 0) << std::strerror(errno);
  test::Output o = test::shell(line);
  EXPECT_EQ(o.exit_code, ERG_ERR_IO) << o.out << o.err;
  EXPECT_NE(o.err.find("the disk is full; rows stored so far are safe, the same command goes on"), std::string::npos)
      << o.err;
  const long long stored = rows(disk + "/a.db");
  EXPECT_GE(stored, 440);
  EXPECT_LT(stored, 1760);
  // Room is made: the same command does the rest.
  EXPECT_EQ(mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, "size=50m"), 0) << std::strerror(errno);
  o = test::shell(line);
  EXPECT_EQ(o.exit_code, 0) << o.err;
  EXPECT_NE(o.out.find(" " + std::to_string(stored) + " were stored already"), std::string::npos) << o.out;
  EXPECT_EQ(rows(disk + "/a.db"), 1760);
  EXPECT_EQ(umount2(disk.c_str(), MNT_DETACH), 0);
  // Too small from the start: for the tables, for SQLite's shared memory, for rows.
  for (int kib : {16, 32, 36, 40, 44, 48, 96, 400}) {
    ASSERT_EQ(mount("tmpfs", disk.c_str(), "tmpfs", 0, ("size=" + std::to_string(kib) + "k").c_str()), 0);
    o = test::shell(line);
    EXPECT_EQ(o.exit_code, ERG_ERR_IO) << kib << " KiB: " << o.err;
    EXPECT_NE(o.err.find("the disk is full"), std::string::npos) << kib << " KiB: " << o.err;
    EXPECT_EQ(umount2(disk.c_str(), MNT_DETACH), 0);
  }
}

TEST(SweepFaults, AFolderThatCannotBeWritten) {
  Files f;
  std::filesystem::permissions(f.folder.path, std::filesystem::perms(0755));
  ASSERT_EQ(test::shell(f.line(f.store)).exit_code, 0);
  const std::string nobody = getuid() == 0 ? "setpriv --reuid 65534 --clear-groups " : "",
                    folder = f.folder / "readonly";
  std::filesystem::create_directory(folder);
  std::filesystem::permissions(folder, std::filesystem::perms(0555));
  test::Output o = test::shell(nobody + f.line(folder + "/b.db"));
  EXPECT_EQ(o.exit_code, ERG_ERR_CREATE) << o.out << o.err;
  EXPECT_NE(o.err.find("b.db: cannot be"), std::string::npos) << o.err;
  // A store that may be read and not written.
  std::filesystem::copy_file(f.store, folder + "/a.db");
  std::filesystem::permissions(folder + "/a.db", std::filesystem::perms(0444));
  const std::string before = test::read_file(folder + "/a.db");
  o = test::shell(nobody + f.line(folder + "/a.db"));
  EXPECT_EQ(o.exit_code, ERG_ERR_CREATE) << o.out << o.err;
  EXPECT_EQ(test::read_file(folder + "/a.db"), before);
  std::filesystem::permissions(folder, std::filesystem::perms(0755));
}

TEST(SweepFaults, AnotherModelVersionOrADamagedStoreIsLeftAlone) {
  Files f;
  ASSERT_EQ(test::shell(f.line(f.store)).exit_code, 0);
  const std::string old = f.folder / "old.db", damaged = f.folder / "damaged.db";
  std::filesystem::copy_file(f.store, old);
  execute(old, "UPDATE meta SET value = 1 WHERE name = 'model_version'; PRAGMA wal_checkpoint(TRUNCATE)");
  std::string before = test::read_file(old);
  for (const std::string &line :
       {f.line(old), "'" + test::binary_dir() + "/bin/ergon' sweep merge '" + f.store + "' --store '" + old + "'"}) {
    test::Output o = test::shell(line);
    EXPECT_EQ(o.exit_code, ERG_ERR_DATA) << line;
    EXPECT_NE(o.err.find("model version 1"), std::string::npos) << o.err;
    EXPECT_NE(o.err.find("nothing was changed, give another --store"), std::string::npos) << o.err;
    EXPECT_EQ(test::read_file(old), before);
  }
  test::Output read = test::ergon("sweep query --limit 1 --store '" + old + "'");
  EXPECT_EQ(read.exit_code, 0) << "it can be read";
  EXPECT_NE(read.err.find("holds results of model version 1"), std::string::npos) << read.err;
  std::string bytes = test::read_file(f.store);
  ASSERT_GT(bytes.size(), 100000u);
  for (size_t i = 8192; i < bytes.size(); i += 5) bytes[i] = 'z';
  test::write_file(damaged, bytes);
  for (const char *verb : {"query", "export --csv", "price --tech horowitz-45nm"}) {
    test::Output o = test::ergon(std::string("sweep ") + verb + " --store '" + damaged + "'");
    EXPECT_EQ(o.exit_code, ERG_ERR_DATA) << verb;
    EXPECT_NE(o.err.find("the store is damaged; nothing was changed"), std::string::npos) << o.err;
    EXPECT_EQ(test::read_file(damaged), bytes);
  }
}

TEST(SweepFaults, ProgressKeepsNumberAndUnitApart) {
  Files f;
  test::write_file(f.spec, sweep::small(1));
  std::string line = f.line(f.store);
  line.replace(line.find(" -q"), 3, "");
  test::Output o = test::shell(line);
  ASSERT_EQ(o.exit_code, 0);
  EXPECT_NE(o.err.find("100 %  44/44 point  "), std::string::npos) << o.err;
  for (size_t at = 0; (at = o.err.find("point/s", at)) != std::string::npos; at++)
    EXPECT_TRUE(o.err[at - 1] == ' ' || (o.err[at - 1] == 'k' && o.err[at - 2] == ' ')) << o.err;
}
