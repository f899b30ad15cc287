// What only SQLite can do wrong with inboxes: one writer for all, so one user's write must not work
// through what is others'.
#include <algorithm>
#include <filesystem>
#include <stdlib.h>

#include <gmock/gmock.h>
#include <sqlite3.h>

#include "storage/sqlite/sqlite_connection.h"
#include "storage/sqlite/sqlite_store.h"

namespace confab::storage {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

// The most instructions of SQLite's virtual machine that one statement took, of all connections that
// are opened while this lives.
class StatementMeter {
 public:
  StatementMeter() {
    most_ = 0;
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(&OnOpen));
  }
  ~StatementMeter() { sqlite3_reset_auto_extension(); }
  StatementMeter(const StatementMeter&) = delete;
  StatementMeter& operator=(const StatementMeter&) = delete;

  int most() const { return most_; }
  void Reset() { most_ = 0; }

 private:
  static int OnOpen(sqlite3* handle, const char** /*error*/, const void* /*api*/) {
    return sqlite3_trace_v2(handle, SQLITE_TRACE_PROFILE, &OnEnd, nullptr);
  }
  static int OnEnd(unsigned /*event*/, void* /*self*/, void* statement, void* /*time*/) {
    auto* ended = static_cast<sqlite3_stmt*>(statement);
    most_ = std::max(most_, sqlite3_stmt_status(ended, SQLITE_STMTSTATUS_VM_STEP, 1));
    return 0;
  }

  static inline int most_ = 0;
};

class SqliteInbox : public testing::Test {
 protected:
  SqliteInbox() {
    std::string pattern = testing::TempDir() + "/confab-sqlite-XXXXXX";
    dir_ = mkdtemp(pattern.data());
    path_ = dir_ + "/c.db";
  }
  ~SqliteInbox() override { std::filesystem::remove_all(dir_); }

  void Execute(const std::string& sql) {
    const auto status = (*SqliteConnection::Open(path_, false))->Execute(sql);
    ASSERT_TRUE(status.ok()) << status;
  }
  std::string ReadOne(const std::string& sql) {
    return *(*SqliteConnection::Open(path_, true))->ReadOne(sql);
  }

  std::string dir_;
  std::string path_;
};

TEST_F(SqliteInbox, AFullOneIsRidOfItsExpiredEntriesWithoutALookAtThoseOfOthers) {
  StatementMeter meter;
  auto store = SqliteStore::Open(path_, {});
  ASSERT_TRUE(store.ok() && *(*store)->TryBecomeActive());
  auto writer = (*store)->OpenWriter();
  ASSERT_TRUE(writer.ok()) << writer.status();
  Execute(
      "WITH RECURSIVE c(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c WHERE i < 20000)"
      " INSERT INTO notifications SELECT 'user-' || i, 1, 'id', 'note', 0, '1', 1, 2 FROM c;"
      "WITH RECURSIVE c(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c WHERE i < 1000)"
      " INSERT INTO notifications SELECT 'bob', i, 'id', 'note', 0, '1', 1,"
      " iif(i <= 10, 2, 9000000000000000) FROM c;"
      "INSERT INTO inboxes VALUES ('bob', 0, 1000)");
  NewNotification notification;
  notification.event = "note";
  notification.payload = "1";
  notification.created_at = kNow;
  notification.expires_at = kNow + absl::Hours(1);
  meter.Reset();

  const auto outcomes =
      (*writer)->WriteInboxes(std::vector<InboxWrite>{{UserId("bob"), notification}});

  const int most = meter.most();
  ASSERT_TRUE(outcomes.ok()) << outcomes.status();
  EXPECT_FALSE(outcomes->at(0).is_oldest_dropped);
  EXPECT_EQ(ReadOne("SELECT count(*) FROM notifications WHERE user_id = 'bob'"), "991");
  // 1,000 entries are counted and 200 of others tidied up, at some 4 and 25 instructions each.
  EXPECT_GT(most, 0);
  EXPECT_LT(most, 20'000);
}

}  // namespace
}  // namespace confab::storage
