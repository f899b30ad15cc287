// What a read costs: a deadline that has passed already lets through what needs no second look at
// the clock, which is some 2,000 steps of SQLite's machine.
#include "storage/sqlite/sqlite_reader.h"

#include <filesystem>
#include <stdlib.h>

#include <gmock/gmock.h>

#include "storage/sqlite/sqlite_store.h"

namespace confab::storage {
namespace {

class SqliteReaderTest : public testing::Test {
 protected:
  SqliteReaderTest() {
    std::string pattern = testing::TempDir() + "/confab-sqlite-XXXXXX";
    dir_ = mkdtemp(pattern.data());
    const auto store = SqliteStore::Open(path(), {});
    EXPECT_TRUE(store.ok()) << store.status();
    const auto is_active = (*store)->TryBecomeActive();
    EXPECT_TRUE(is_active.ok() && *is_active) << is_active.status();
  }
  ~SqliteReaderTest() override { std::filesystem::remove_all(dir_); }

  std::string path() const { return dir_ + "/c.db"; }
  // `insert` may select i, 1 to 10,002, from n.
  void Execute(const std::string& insert) {
    const auto connection = SqliteConnection::Open(path(), false);
    const auto status = (*connection)
                            ->Execute(
                                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                                "WHERE i < 10002) " +
                                insert);
    ASSERT_TRUE(status.ok()) << status;
  }
  // Room a, which kept the last two of 10,002 events.
  void FillRoom() {
    Execute(
        "INSERT INTO rooms (id, topic, is_public, first_seq, last_seq, member_seq, created_at,"
        " last_at, state) SELECT 'a', '', 0, 10001, 10002, 0, 1, 1, 0");
    Execute(
        "INSERT INTO events (room_id, seq, kind, created_at, actor_id, actor_name, actor_email,"
        " dedup_key, message_id, type, content, reply_to, subject, role)"
        " SELECT 'a', i, 1, i, 'ann', '', '', 'c' || i, '', '', '', '', '', 0 FROM n");
  }
  std::unique_ptr<SqliteReader> Hurried() {
    auto reader = SqliteReader::Open(path(), absl::ZeroDuration());
    EXPECT_TRUE(reader.ok()) << reader.status();
    return *std::move(reader);
  }

  std::string dir_;
};

TEST_F(SqliteReaderTest, APageDoesNotWalkOverWhatRetentionHasRemoved) {
  FillRoom();

  for (const auto& [after, before] : {std::pair{0, -1}, {5000, -1}, {-1, 10002}, {-1, -1}}) {
    const auto page = Hurried()->ReadEvents({RoomId("a"), after, before, 1});

    ASSERT_TRUE(page.ok()) << after << " " << before << ": " << page.status();
    ASSERT_EQ(page->events.size(), 1u);
    EXPECT_EQ(page->events[0].seq, after >= 0 || before > 0 ? 10001 : 10002);
    EXPECT_TRUE(page->more == (after >= 0 || before < 0));
  }
}

TEST_F(SqliteReaderTest, WhoIsBannedIsFoundWithoutWalkingOverTheMembers) {
  FillRoom();
  Execute(
      "INSERT INTO members (room_id, user_id, role, changed_seq, changed_at, banned_until)"
      " SELECT 'a', printf('user%05d', i), 1, 1, 1, iif(i = 9999, 9223372036854775807, 0) FROM n");

  const auto banned = Hurried()->ListMembers(RoomId("a"), MemberFilter::kBanned, UserId(), 10);

  ASSERT_TRUE(banned.ok()) << banned.status();
  ASSERT_EQ(banned->size(), 1u);
  EXPECT_EQ(banned->at(0).user, UserId("user09999"));
}

}  // namespace
}  // namespace confab::storage
