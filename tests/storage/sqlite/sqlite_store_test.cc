// What only SQLite can do wrong: the file, its mode and settings, its lock, a writer that waits.
#include "storage/sqlite/sqlite_store.h"

#include <filesystem>
#include <stdlib.h>
#include <sys/stat.h>

#include <absl/time/clock.h>
#include <gmock/gmock.h>

#include "storage/sqlite/sqlite_connection.h"
#include "storage/sqlite/sqlite_writer.h"

namespace confab::storage {
namespace {

class SqliteStoreTest : public testing::Test {
 protected:
  SqliteStoreTest() {
    std::string pattern = testing::TempDir() + "/confab-sqlite-XXXXXX";
    dir_ = mkdtemp(pattern.data());
    path_ = dir_ + "/c.db";
  }
  ~SqliteStoreTest() override { std::filesystem::remove_all(dir_); }

  std::unique_ptr<SqliteStore> Open() {
    auto store = SqliteStore::Open(path_, {});
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  std::unique_ptr<SqliteConnection> Connect() { return *SqliteConnection::Open(path_, false); }

  std::string dir_;
  std::string path_;
};

NewRoom Room(const std::string& id) {
  NewRoom room;
  room.id = RoomId(id);
  room.members = {{UserId("ann"), Role::kOwner}};
  return room;
}

TEST_F(SqliteStoreTest, EveryConnectionIsWalAndSynchronousFull) {
  Open();
  for (const bool is_read_only : {false, true}) {
    const auto connection = SqliteConnection::Open(path_, is_read_only);

    ASSERT_TRUE(connection.ok()) << connection.status();
    EXPECT_EQ(*(*connection)->ReadOne("PRAGMA journal_mode"), "wal");
    EXPECT_EQ(*(*connection)->ReadOne("PRAGMA synchronous"), "2");
    EXPECT_EQ(*(*connection)->ReadOne("PRAGMA query_only"), is_read_only ? "1" : "0");
  }
}

TEST_F(SqliteStoreTest, OnlyTheOwnerMayReadTheFiles) {
  const auto store = Open();
  ASSERT_TRUE(*store->TryBecomeActive());
  const auto writer = store->OpenWriter();
  ASSERT_TRUE((*writer)->CreateRoom(Room("a")).ok());

  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    struct stat file {};
    ASSERT_EQ(stat((path_ + suffix).c_str(), &file), 0) << suffix;
    EXPECT_EQ(file.st_mode & 0777, 0600u) << suffix;
  }
}

TEST_F(SqliteStoreTest, RefusesANewerSchemaAndAFileThatIsNoDatabase) {
  Open();
  ASSERT_TRUE(Connect()->Execute("PRAGMA user_version = 99").ok());
  const auto newer = SqliteStore::Open(path_, {});
  EXPECT_TRUE(absl::IsFailedPrecondition(newer.status()));
  EXPECT_THAT(newer.status().ToString(), testing::HasSubstr("99"));

  const std::string other = dir_ + "/text";
  FILE* file = fopen(other.c_str(), "w");
  for (int i = 0; i < 1000; ++i) fputs("not a database\n", file);
  fclose(file);
  EXPECT_TRUE(absl::IsFailedPrecondition(SqliteStore::Open(other, {}).status()));
}

TEST_F(SqliteStoreTest, AReplacedLockFileEndsTheActivity) {
  const auto store = Open();
  ASSERT_TRUE(*store->TryBecomeActive());
  ASSERT_TRUE(*store->IsActive());

  std::filesystem::remove(path_ + ".lock");

  EXPECT_FALSE(*store->IsActive());
  EXPECT_TRUE(absl::IsFailedPrecondition(store->OpenWriter().status()));
}

TEST_F(SqliteStoreTest, AWriterThatFindsTheFileLockedGivesUpInTime) {
  const auto store = Open();
  ASSERT_TRUE(*store->TryBecomeActive());
  const auto writer = store->OpenWriter();
  const auto other = Connect();
  ASSERT_TRUE(other->Execute("BEGIN IMMEDIATE").ok());

  const absl::Time start = absl::Now();
  const auto refused = (*writer)->CreateRoom(Room("a"));
  const absl::Duration waited = absl::Now() - start;
  ASSERT_TRUE(other->Execute("ROLLBACK").ok());

  EXPECT_TRUE(absl::IsUnavailable(refused.status())) << refused.status();
  EXPECT_GE(waited, absl::Milliseconds(1500));
  EXPECT_LT(waited, absl::Seconds(10));
  EXPECT_TRUE((*writer)->CreateRoom(Room("a")).ok());
}

TEST_F(SqliteStoreTest, ReadersSeeWhatIsCommittedWhileAWriterWrites) {
  const auto store = Open();
  ASSERT_TRUE(*store->TryBecomeActive());
  ASSERT_TRUE((*store->OpenWriter())->CreateRoom(Room("a")).ok());
  const auto other = Connect();
  ASSERT_TRUE(other->Execute("BEGIN IMMEDIATE; UPDATE rooms SET last_seq = 9").ok());

  const auto before = store->ReadRoom(RoomId("a"), {});
  ASSERT_TRUE(other->Execute("COMMIT").ok());
  const auto after = store->ReadRoom(RoomId("a"), {});

  EXPECT_EQ(before->room.last_seq, 1);
  EXPECT_EQ(after->room.last_seq, 9);
}

TEST_F(SqliteStoreTest, AReadThatTakesTooLongEndsAtItsLimit) {
  const auto connection = Connect();
  connection->SetDeadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(50));

  const auto endless = connection->ReadOne(
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n");

  EXPECT_TRUE(absl::IsDeadlineExceeded(endless.status())) << endless.status();
}

TEST_F(SqliteStoreTest, ADeletedRoomIsEmptiedBeforeItComesAgain) {
  const auto store = Open();
  ASSERT_TRUE(*store->TryBecomeActive());
  const auto writer = store->OpenWriter();
  ASSERT_TRUE((*writer)->CreateRoom(Room("a")).ok());
  // Left over as if the process had died right after the deletion.
  ASSERT_TRUE(
      Connect()
          ->Execute("UPDATE rooms SET state = 1, last_seq = 5001;"
                    "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE"
                    " i < 5001) INSERT INTO events (room_id, seq, kind, created_at, actor_id,"
                    " actor_name, actor_email, dedup_key, message_id, type, content,"
                    " reply_to, subject, role) SELECT 'a', i, 1, i, 'ann', '', '',"
                    " 'c' || i, '', '', '', '', '', 0 FROM n")
          .ok());

  EXPECT_TRUE(absl::IsNotFound(store->ReadRoom(RoomId("a"), {}).status()));
  const auto again = (*writer)->CreateRoom(Room("a"));

  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->last_seq, 5002);
  EXPECT_EQ(*Connect()->ReadOne("SELECT count(*) FROM events WHERE room_id = 'a'"), "1");
}

TEST_F(SqliteStoreTest, OpeningAWriterEmptiesWhatADeletionLeft) {
  const auto store = Open();
  ASSERT_TRUE(*store->TryBecomeActive());
  ASSERT_TRUE((*store->OpenWriter())->CreateRoom(Room("a")).ok());
  ASSERT_TRUE(Connect()->Execute("UPDATE rooms SET state = 1").ok());

  ASSERT_TRUE(store->OpenWriter().ok());

  EXPECT_EQ(*Connect()->ReadOne("SELECT count(*) FROM events WHERE room_id = 'a'"), "0");
  EXPECT_EQ(*Connect()->ReadOne("SELECT count(*) FROM members"), "0");
  EXPECT_EQ(*Connect()->ReadOne("SELECT state FROM rooms"), "2");
}

}  // namespace
}  // namespace confab::storage
