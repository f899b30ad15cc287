// What becomes of a populated file when a newer program opens it.
#include <filesystem>
#include <stdlib.h>

#include <gmock/gmock.h>

#include "storage/sqlite/sqlite_connection.h"
#include "storage/sqlite/sqlite_schema.h"
#include "storage/sqlite/sqlite_store.h"

namespace confab::storage {
namespace {

class SqliteMigration : public testing::Test {
 protected:
  SqliteMigration() {
    std::string pattern = testing::TempDir() + "/confab-sqlite-XXXXXX";
    dir_ = mkdtemp(pattern.data());
    path_ = dir_ + "/c.db";
  }
  ~SqliteMigration() override { std::filesystem::remove_all(dir_); }

  // The file as the program left it that knew so many migrations.
  void MigrateTo(size_t version) {
    const auto status = MigrateSqlite(path_, SqliteMigrations().first(version));
    ASSERT_TRUE(status.ok()) << status;
  }
  void Execute(const std::string& sql) {
    const auto status = (*SqliteConnection::Open(path_, false))->Execute(sql);
    ASSERT_TRUE(status.ok()) << status;
  }
  std::string ReadOne(const std::string& sql) {
    return *(*SqliteConnection::Open(path_, true))->ReadOne(sql);
  }
  std::unique_ptr<SqliteStore> Open() {
    auto store = SqliteStore::Open(path_, {});
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  static bool BecomesActive(SqliteStore& store) {
    const auto is_active = store.TryBecomeActive();
    EXPECT_TRUE(is_active.ok()) << is_active.status();
    return is_active.ok() && *is_active;
  }

  std::string dir_;
  std::string path_;
};

TEST_F(SqliteMigration, AStandbyLeavesTheSchemaAloneUntilItIsActive) {
  MigrateTo(2);
  auto older = FileLock::TryAcquire(path_ + ".lock");
  ASSERT_TRUE(older.ok() && older->has_value());
  const auto store = Open();

  EXPECT_FALSE(BecomesActive(*store));
  EXPECT_EQ(ReadOne("PRAGMA user_version"), "2");
  older->reset();
  EXPECT_TRUE(BecomesActive(*store));
  EXPECT_EQ(ReadOne("PRAGMA user_version"), std::to_string(SqliteMigrations().size()));
}

TEST_F(SqliteMigration, AStandbyThatSawANewerOneAtWorkDoesNotFollowIt) {
  const auto store = Open();
  Execute("PRAGMA user_version = 99");

  const auto refused = store->TryBecomeActive();

  EXPECT_TRUE(absl::IsFailedPrecondition(refused.status())) << refused.status();
  EXPECT_FALSE(*store->IsActive());
}

TEST_F(SqliteMigration, MembersHaveReadWhatStoodThereWhenTheyCameAndTheirOwnMessages) {
  MigrateTo(2);
  Execute(
      "INSERT INTO rooms (id, topic, is_public, first_seq, last_seq, member_seq, created_at,"
      " last_at, state) VALUES ('a', '', 0, 1, 8, 8, 1, 8, 0), ('gone', '', 0, 1, 8, 8, 1, 8, 1);"
      "INSERT INTO members (room_id, user_id, role, changed_seq, changed_at)"
      " VALUES ('a', 'ann', 4, 1, 1), ('a', 'bob', 2, 2, 1), ('a', 'cy', 2, 6, 1),"
      " ('a', 'dan', 0, 8, 1), ('gone', 'ann', 4, 1, 1);"
      "INSERT INTO events (room_id, seq, kind, created_at, actor_id, actor_name, actor_email,"
      " dedup_key, message_id, type, content, reply_to, subject, role)"
      " SELECT 'a', column1, column2, column1, column3, '', '', 'k' || column1, '', '', '', '', '',"
      " 0 FROM (VALUES (1, 4, ''), (2, 4, ''), (3, 1, 'ann'), (4, 1, 'bob'), (5, 1, 'ann'),"
      " (6, 4, ''), (7, 1, 'ann'), (8, 5, 'dan'))");
  const auto store = Open();
  ASSERT_TRUE(BecomesActive(*store));

  const auto read = [&](const std::string& user) {
    const auto rooms = store->ListMemberships(UserId(user), RoomId(""), 10);
    EXPECT_TRUE(rooms.ok() && rooms->size() == 1u) << rooms.status();
    return rooms.ok() && !rooms->empty() ? rooms->front().read : ReadPosition{-1, -1};
  };
  EXPECT_EQ(read("ann"), (ReadPosition{7, 0}));
  EXPECT_EQ(read("bob"), (ReadPosition{4, 2}));
  EXPECT_EQ(read("cy"), (ReadPosition{6, 1}));
  EXPECT_EQ(ReadOne("SELECT count(*) FROM read_pointers"), "3");
}

}  // namespace
}  // namespace confab::storage
