// What becomes of a populated database when a newer program opens it.
#include <algorithm>
#include <string>
#include <vector>

#include <absl/time/clock.h>
#include <gmock/gmock.h>

#include "storage/postgres/postgres_schema.h"
#include "tests/storage/postgres/postgres_words.h"
#include "tests/support/postgres.h"

namespace confab::storage {
namespace {

using testing_support::PostgresServer;
using testing_support::PostgresSession;

class PostgresMigration : public testing::Test {
 protected:
  std::string url() const { return PostgresServer::UrlOf(server_.socket_dir(), schema_); }
  // The schema as the program left it that knew so many migrations.
  void MigrateTo(size_t version) {
    Watchdog watchdog;
    const auto target = PostgresTargetOf(url(), {});
    const auto connection = PostgresConnection::Open(*target, watchdog);
    ASSERT_TRUE(connection.ok()) << connection.status();
    const auto status = MigratePostgres(**connection, PostgresMigrations().first(version));
    ASSERT_TRUE(status.ok()) << status;
  }
  std::string Version() { return Execute("SELECT max(version) FROM confab_migrations"); }
  std::string Execute(const std::string& sql) {
    return server_.Execute("SET search_path = " + schema_ + "; " + sql);
  }

  PostgresServer& server_ = PostgresServer::Shared();
  const std::string schema_ = server_.NewSchema();
};

TEST_F(PostgresMigration, MembersHaveReadWhatStoodThereWhenTheyCameAndTheirOwnMessages) {
  MigrateTo(2);
  Execute(
      "INSERT INTO rooms SELECT id, '', false, 1, 8, 8, 1, 8, state FROM"
      " (VALUES ('a', 0), ('gone', 1)) v (id, state)");
  Execute(
      "INSERT INTO members SELECT room, u, role, seq, 1 FROM (VALUES ('a'), ('gone')) r (room),"
      " (VALUES ('ann', 4, 1), ('bob', 2, 2), ('cy', 2, 6), ('dan', 0, 8)) m (u, role, seq)");
  Execute(
      "INSERT INTO events SELECT 'a', seq, kind, 0, seq, actor, '', '', 'k' || seq, '', '', '', '',"
      " '' FROM (VALUES (1, 4, ''), (2, 4, ''), (3, 1, 'ann'), (4, 1, 'bob'), (5, 1, 'ann'),"
      " (6, 4, ''), (7, 1, 'ann'), (8, 5, 'dan')) e (seq, kind, actor)");
  const auto store = OpenOrFail(url());
  WriterOf(*store);

  const auto read = [&](const std::string& user) {
    const auto rooms = store->ListMemberships(UserId(user), RoomId(""), 10);
    EXPECT_TRUE(rooms.ok() && rooms->size() == 1u) << rooms.status();
    return rooms.ok() && !rooms->empty() ? rooms->front().read : ReadPosition{-1, -1};
  };
  EXPECT_EQ(read("ann"), (ReadPosition{7, 0}));
  EXPECT_EQ(read("bob"), (ReadPosition{4, 2}));
  EXPECT_EQ(read("cy"), (ReadPosition{6, 1}));
  EXPECT_EQ(Execute("SELECT count(*) FROM read_pointers"), "3");
}

// Another control, of an older program, holds one of its two locks: it is active, or its last writer
// still lives.
TEST_F(PostgresMigration, AStandbyLeavesTheSchemaAloneUntilItIsActive) {
  MigrateTo(2);
  for (const std::string lock : {"active", "fence"}) {
    PostgresSession older(server_);
    older.Execute("SELECT pg_advisory_lock_shared(hashtextextended('confab/" + lock + "/" +
                  schema_ + "', 0))");
    const auto store = OpenOrFail(url());

    EXPECT_FALSE(*store->TryBecomeActive()) << lock;
    EXPECT_FALSE(*store->TryBecomeActive()) << lock;
    EXPECT_EQ(Version(), "2") << lock;
  }
  const auto store = OpenOrFail(url());
  const absl::Time end = absl::Now() + kBound;
  while (!*store->TryBecomeActive()) ASSERT_LT(absl::Now(), end);  // The session ends meanwhile.

  EXPECT_EQ(Version(), std::to_string(PostgresMigrations().size()));
  EXPECT_TRUE(store->OpenWriter().ok());
}

TEST_F(PostgresMigration, AStandbyThatSawANewerOneAtWorkDoesNotFollowIt) {
  const auto store = OpenOrFail(url());
  MigrateTo(PostgresMigrations().size());
  Execute("INSERT INTO confab_migrations VALUES (99, 'later')");

  const auto refused = store->TryBecomeActive();

  EXPECT_TRUE(absl::IsFailedPrecondition(refused.status())) << refused.status();
  EXPECT_FALSE(*store->IsActive());
}

// Whole tables are read, so what keeps ordinary statements to their indexes would be in the way,
// and so would their time limit.
TEST_F(PostgresMigration, RunsWithoutTheLimitsOfOrdinaryStatementsWhichHoldAgainAfterIt) {
  Watchdog watchdog;
  const auto target = PostgresTargetOf(url(), {});
  const auto connection = PostgresConnection::Open(*target, watchdog);
  ASSERT_TRUE(connection.ok()) << connection.status();
  const Migration slow = {1, "slow",
                          "CREATE TABLE seen AS SELECT name, setting FROM pg_settings WHERE name IN"
                          " ('enable_seqscan', 'enable_hashjoin', 'enable_mergejoin');"
                          "INSERT INTO seen SELECT 'slept', pg_sleep(2)::text"};
  const auto status = MigratePostgres(**connection, absl::MakeConstSpan(&slow, 1));

  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Execute("SELECT count(*) FROM seen WHERE setting = 'on'"), "3");
  EXPECT_EQ((*(*connection)->Execute("SHOW enable_seqscan"))[0][0].as<std::string>(), "off");
  EXPECT_EQ((*(*connection)->Execute("SHOW statement_timeout"))[0][0].as<std::string>(), "1500ms");
}

TEST_F(PostgresMigration, TheFeedOfWhatWasThereBeforeIsReadPageByPage) {
  MigrateTo(4);
  Execute(
      "INSERT INTO rooms SELECT 'r' || n, '', false, 1, 1000, 1, 1, 1, 0 FROM"
      " generate_series(100, 199) n");
  Execute(
      "INSERT INTO events SELECT 'r' || n, i, 1, 0, 1, 'ann', '', '', 'c' || i, '', '', '', '', ''"
      " FROM generate_series(100, 199) n, generate_series(1, 1000) i");
  auto store = OpenOrFail(url());
  auto writer = WriterOf(*store);
  ASSERT_TRUE(writer->Append(Message("r100", "k")).ok());

  std::vector<FeedPosition> events;
  FeedPosition after;
  for (FeedPage page; !page.at_end;) {
    auto next = store->ReadFeed(after, 2000);
    ASSERT_TRUE(next.ok()) << next.status();
    page = *std::move(next);
    events.insert(events.end(), page.events.begin(), page.events.end());
    if (!events.empty()) after = events.back();
  }
  // A session's statistics are complete once it has ended.
  writer.reset();
  store.reset();
  server_.Await("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'confab'", "0");

  ASSERT_EQ(events.size(), 100'001u);
  EXPECT_TRUE(std::is_sorted(events.begin(), events.end()));
  EXPECT_EQ(events[99'999].room, RoomId("r199"));
  EXPECT_EQ(events[100'000].room, RoomId("r100"));
  EXPECT_EQ(events[100'000].seq, 1001);
  // Each row was read about once, not once a page.
  EXPECT_LT(std::stoll(Execute("SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE "
                               "schemaname = current_schema() AND relname = 'events'")),
            300'000);
  EXPECT_EQ(Execute("SELECT count(*) FROM pg_stat_user_indexes WHERE idx_scan > 0 AND"
                    " schemaname = current_schema() AND indexrelname = 'events_before_feed'"),
            "1");
}

}  // namespace
}  // namespace confab::storage
