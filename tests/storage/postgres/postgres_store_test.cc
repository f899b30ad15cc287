// What only PostgreSQL can do wrong: servers that die, stop, lose answers; locks that get lost.
#include "storage/postgres/postgres_store.h"

#include <string>
#include <thread>

#include <absl/time/clock.h>
#include <gmock/gmock.h>

#include "storage/open_store.h"
#include "storage/postgres/postgres_schema.h"
#include "tests/storage/postgres/postgres_words.h"
#include "tests/support/postgres.h"

namespace confab::storage {
namespace {

using testing_support::PostgresServer;
using testing_support::PostgresSession;

// A session that was closed ends at the server a moment later.
bool BecomesActive(Store& store) {
  const absl::Time end = absl::Now() + kBound;
  while (absl::Now() < end) {
    const auto is_active = store.TryBecomeActive();
    if (is_active.ok() && *is_active) return true;
    absl::SleepFor(absl::Milliseconds(5));
  }
  return false;
}

// Ends the sessions of the schema's store that hold or await the named advisory lock.
void CutActiveSession(PostgresServer& server, const std::string& schema) {
  // The key is a 64-bit hash: pg_locks shows its halves.
  server.Execute(
      "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' AND"
      " (classid::bigint << 32) | objid::bigint = hashtextextended('confab/active/" +
      schema + "', 0)");
}

TEST(PostgresStore, AServerThatWasKilledIsUnavailableAndEverythingRecoversWithIt) {
  PostgresServer server;
  const auto store = OpenOrFail(server.NewSchemaUrl());
  const auto writer = WriterOf(*store);
  CreateRoom(*writer, "a");
  ASSERT_TRUE(writer->Append(Message("a", "before")).ok());
  ASSERT_EQ(LastSeq(*store, "a"), 2);

  server.Kill();
  EXPECT_TRUE(absl::IsUnavailable(writer->Append(Message("a", "during")).status()));
  EXPECT_TRUE(absl::IsUnavailable(writer->Append(Message("a", "during")).status()));
  EXPECT_TRUE(absl::IsUnavailable(store->ReadRoom(RoomId("a"), {}).status()));
  EXPECT_TRUE(absl::IsUnavailable(store->Ping()));
  EXPECT_TRUE(absl::IsUnavailable(store->OpenWriter().status()));
  EXPECT_TRUE(absl::IsUnavailable(store->IsActive().status()))
      << "nobody else can have become active";
  server.Start();

  EXPECT_TRUE(store->Ping().ok());
  EXPECT_TRUE(*store->IsActive());
  const auto after = writer->Append(Message("a", "during"));
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->at(0).first_seq, 3);
  EXPECT_EQ(LastSeq(*store, "a"), 3);
}

// What a dump of a server that has made more transactions brings.
TEST(PostgresStore, IsNotOpenedWithEventsOfTransactionsThatTheServerHasNotMade) {
  PostgresServer& server = PostgresServer::Shared();
  const std::string schema = server.NewSchema();
  const std::string url = PostgresServer::UrlOf(server.socket_dir(), schema);
  {
    const auto store = OpenOrFail(url);
    const auto writer = WriterOf(*store);
    CreateRoom(*writer, "a");
    ASSERT_TRUE(writer->Append(Message("a", "before")).ok());
    ASSERT_TRUE(writer->SetFeedCursor({"search", {1, RoomId("a"), 1}, absl::Now()}).ok());
  }
  EXPECT_TRUE(OpenStore(url, {}).ok());
  const std::string events = schema + ".events";
  const std::string cursors = schema + ".feed_cursors";

  server.Execute("UPDATE " + events + " SET tx = tx + 1000000000");
  const auto refused = OpenStore(url, {});
  EXPECT_TRUE(absl::IsFailedPrecondition(refused.status())) << refused.status();
  EXPECT_THAT(refused.status().message(), testing::HasSubstr("Restoring a dump"));
  server.Execute("UPDATE " + events + " SET tx = 0");
  server.Execute("UPDATE " + cursors + " SET number = 1000000000");
  EXPECT_TRUE(absl::IsFailedPrecondition(OpenStore(url, {}).status()));
  server.Execute("UPDATE " + cursors + " SET number = 0, room_id = '', seq = 0");

  const auto store = OpenOrFail(url);
  const auto page = store->ReadFeed({}, 100);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->events.size(), 2u);
}

TEST(PostgresStore, TakesItsLockAgainIfNobodyElseWasActiveMeanwhile) {
  PostgresServer& server = PostgresServer::Shared();
  const std::string schema = server.NewSchema();
  const auto store = OpenOrFail(PostgresServer::UrlOf(server.socket_dir(), schema));
  const auto writer = WriterOf(*store);
  CreateRoom(*writer, "a");

  CutActiveSession(server, schema);

  EXPECT_TRUE(*store->IsActive());
  EXPECT_TRUE(store->OpenWriter().ok());
  const auto second = OpenOrFail(PostgresServer::UrlOf(server.socket_dir(), schema));
  EXPECT_FALSE(*second->TryBecomeActive());
}

TEST(PostgresStore, ASuccessorWaitsForTheWritersOfWhoLostTheLock) {
  PostgresServer& server = PostgresServer::Shared();
  const std::string schema = server.NewSchema();
  const std::string url = PostgresServer::UrlOf(server.socket_dir(), schema);
  const auto first = OpenOrFail(url);
  auto old_writer = WriterOf(*first);
  CreateRoom(*old_writer, "a");
  const auto second = OpenOrFail(url);

  CutActiveSession(server, schema);
  EXPECT_FALSE(*second->TryBecomeActive()) << "the first one's writer still lives";
  EXPECT_FALSE(*second->IsActive());
  // Nobody is active yet, so what the first one commits now is in nobody's way.
  EXPECT_TRUE(old_writer->Append(Message("a", "last words")).ok());
  old_writer.reset();

  EXPECT_TRUE(BecomesActive(*second));
  EXPECT_TRUE(*second->IsActive());
  EXPECT_FALSE(*first->IsActive());
  EXPECT_TRUE(absl::IsFailedPrecondition(first->OpenWriter().status()));
  EXPECT_TRUE(second->OpenWriter().ok());
}

TEST(PostgresStore, AWriterWhoseStoreLostTheLockCannotConnectAgain) {
  PostgresServer& server = PostgresServer::Shared();
  const std::string schema = server.NewSchema();
  const std::string url = PostgresServer::UrlOf(server.socket_dir(), schema);
  const auto first = OpenOrFail(url);
  const auto old_writer = WriterOf(*first);
  CreateRoom(*old_writer, "a");
  const auto second = OpenOrFail(url);

  // All sessions of the first one die; the second one is quicker.
  server.Execute(
      "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'"
      " AND (classid::bigint << 32) | objid::bigint IN"
      " (hashtextextended('confab/active/" +
      schema + "', 0), hashtextextended('confab/fence/" + schema + "', 0))");
  ASSERT_TRUE(*second->TryBecomeActive());
  const auto new_writer = second->OpenWriter();
  ASSERT_TRUE(new_writer.ok()) << new_writer.status();
  old_writer->Append(Message("a", "k")).IgnoreError();  // Finds its session dead.
  const auto refused = old_writer->Append(Message("a", "k"));

  EXPECT_TRUE(absl::IsFailedPrecondition(refused.status())) << refused.status();
  EXPECT_FALSE(*first->IsActive());
  EXPECT_EQ((*new_writer)->Append(Message("a", "k"))->at(0).first_seq, 2);
}

TEST(PostgresStore, AStoreThatWasPassedOverStaysInactiveEvenIfTheLockIsFreeAgain) {
  PostgresServer& server = PostgresServer::Shared();
  const std::string schema = server.NewSchema();
  const std::string url = PostgresServer::UrlOf(server.socket_dir(), schema);
  const auto first = OpenOrFail(url);
  ASSERT_TRUE(*first->TryBecomeActive());
  CutActiveSession(server, schema);
  {
    const auto second = OpenOrFail(url);
    ASSERT_TRUE(*second->TryBecomeActive());
  }

  EXPECT_FALSE(*first->IsActive());
  EXPECT_FALSE(*first->IsActive());
  EXPECT_TRUE(absl::IsFailedPrecondition(first->OpenWriter().status()));
}

TEST(PostgresStore, SchemasOfOneDatabaseHaveLocksOfTheirOwn) {
  PostgresServer& server = PostgresServer::Shared();
  const auto one = OpenOrFail(server.NewSchemaUrl());
  const auto other = OpenOrFail(server.NewSchemaUrl());

  EXPECT_TRUE(*one->TryBecomeActive());
  EXPECT_TRUE(*other->TryBecomeActive());
}

TEST(PostgresStore, RefusesSettingsThatCanLoseACommitAndNamesThem) {
  PostgresServer& server = PostgresServer::Shared();
  const std::string url = server.NewSchemaUrl();
  const std::string unsafe = url + "%20-csynchronous_commit%3Doff";

  const auto refused = OpenStore(unsafe, {});
  StoreOptions options;
  options.allow_unsafe_durability = true;

  EXPECT_TRUE(absl::IsFailedPrecondition(refused.status()));
  EXPECT_THAT(refused.status().ToString(), testing::HasSubstr("synchronous_commit = off"));
  EXPECT_TRUE(OpenStore(unsafe, options).ok());
}

TEST(PostgresStore, RefusesAServerWithoutFsync) {
  PostgresServer server({"fsync=off"});

  const auto refused = OpenStore(server.NewSchemaUrl(), {});

  EXPECT_TRUE(absl::IsFailedPrecondition(refused.status()));
  EXPECT_THAT(refused.status().ToString(), testing::HasSubstr("fsync = off"));
}

TEST(PostgresStore, RefusesANewerSchemaAndOneThatDoesNotExist) {
  PostgresServer& server = PostgresServer::Shared();
  const std::string schema = server.NewSchema();
  const std::string url = PostgresServer::UrlOf(server.socket_dir(), schema);
  ASSERT_TRUE(*OpenOrFail(url)->TryBecomeActive());
  server.Execute("INSERT INTO " + schema + ".confab_migrations VALUES (99, 'later')");

  const auto newer = OpenStore(url, {});
  const auto missing = OpenStore(PostgresServer::UrlOf(server.socket_dir(), "none"), {});

  EXPECT_TRUE(absl::IsFailedPrecondition(newer.status()));
  EXPECT_THAT(newer.status().ToString(), testing::HasSubstr("99"));
  EXPECT_TRUE(absl::IsFailedPrecondition(missing.status()));
  EXPECT_THAT(missing.status().ToString(), testing::HasSubstr("schema"));
}

// Rows are written in the order of the columns, not by their names.
TEST(PostgresStore, RefusesToWriteToATableWithOtherColumnsThanItKnows) {
  PostgresServer& server = PostgresServer::Shared();
  const std::string schema = server.NewSchema();
  const auto store = OpenOrFail(PostgresServer::UrlOf(server.socket_dir(), schema));
  ASSERT_TRUE(*store->TryBecomeActive());
  const std::string alter = "ALTER TABLE " + schema + ".events ";

  server.Execute(alter + "ADD COLUMN words text NOT NULL DEFAULT ''");
  const auto refused = store->OpenWriter().status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_THAT(refused.message(), testing::HasSubstr("words"));
  server.Execute(alter + "DROP COLUMN words");
  EXPECT_TRUE(store->OpenWriter().ok());
  server.Execute(alter + "RENAME content TO words");
  server.Execute(alter + "RENAME body TO content");
  server.Execute(alter + "RENAME words TO body");
  EXPECT_TRUE(absl::IsFailedPrecondition(store->OpenWriter().status()));
  server.Execute(alter + "RENAME content TO words");
  server.Execute(alter + "RENAME body TO content");
  server.Execute(alter + "RENAME words TO body");

  // A column that was dropped leaves a hole in the row's type, which is no column of it.
  const auto writer = WriterOf(*store);
  CreateRoom(*writer, "a");
  EXPECT_EQ(LastSeq(*store, "a"), 1);
}

TEST(PostgresStore, ManyThatStartAtOnceMigrateOnce) {
  PostgresServer& server = PostgresServer::Shared();
  const std::string schema = server.NewSchema();
  const std::string url = PostgresServer::UrlOf(server.socket_dir(), schema);
  std::vector<std::thread> openers;
  for (int i = 0; i < 6; ++i) {
    openers.emplace_back([&] { EXPECT_TRUE(BecomesActive(*OpenOrFail(url))); });
  }
  for (std::thread& opener : openers) opener.join();

  EXPECT_EQ(server.Execute("SELECT count(*) FROM " + schema + ".confab_migrations"),
            std::to_string(PostgresMigrations().size()));
}

TEST(PostgresStore, AServerThatIsNotThereIsUnavailableAtOpening) {
  EXPECT_TRUE(absl::IsUnavailable(
      OpenStore("postgresql:///postgres?host=/tmp/no-such-directory", {}).status()));
  EXPECT_TRUE(absl::IsUnavailable(OpenStore("postgresql://127.0.0.1:1/none", {}).status()));
}

TEST(PostgresStore, ADeletedRoomIsEmptiedInStepsAndTheRestGoesLater) {
  PostgresServer& server = PostgresServer::Shared();
  const std::string schema = server.NewSchema();
  const std::string url = PostgresServer::UrlOf(server.socket_dir(), schema);
  const auto store = OpenOrFail(url);
  auto writer = WriterOf(*store);
  CreateRoom(*writer, "a");
  // Left over as if the process had died right after the deletion.
  server.Execute("UPDATE " + schema + ".rooms SET state = 1, last_seq = 5001; INSERT INTO " +
                 schema +
                 ".events SELECT 'a', n, 1, 0, n, 'ann', '', '', 'c' || n, '', '', '', '', '' "
                 "FROM generate_series(2, 5001) n");

  EXPECT_TRUE(absl::IsNotFound(store->ReadRoom(RoomId("a"), {}).status()));
  CreateRoom(*writer, "a");
  EventQuery all;
  all.room = RoomId("a");
  all.after_seq = 0;
  const auto page = store->ReadEvents(all);

  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->events.size(), 1u);
  EXPECT_EQ(page->events[0].seq, 5002);
  EXPECT_EQ(server.Execute("SELECT count(*) FROM " + schema + ".events"), "1");
  EXPECT_EQ(server.Execute("SELECT count(*) FROM " + schema + ".members"), "1");
}

TEST(PostgresStore, ReadersThatAreAllLentAreWaitedForInVainForABoundedTime) {
  PostgresServer& server = PostgresServer::Shared();
  const std::string schema = server.NewSchema();
  StoreOptions options;
  options.reader_connections = 1;
  options.acquire_timeout = absl::Milliseconds(50);
  const auto store = OpenOrFail(PostgresServer::UrlOf(server.socket_dir(), schema), options);
  ASSERT_TRUE(*store->TryBecomeActive());
  ASSERT_TRUE(store->Ping().ok());

  PostgresSession holder(server);
  holder.Execute("BEGIN; LOCK TABLE " + schema + ".rooms");
  std::thread reader([&] { store->ReadRoom(RoomId("a"), {}).IgnoreError(); });
  server.Await("SELECT count(*) FROM pg_locks WHERE NOT granted", "1");
  const auto refused = store->ReadRoom(RoomId("a"), {});
  holder.Execute("ROLLBACK");
  reader.join();

  EXPECT_TRUE(absl::IsResourceExhausted(refused.status())) << refused.status();
  EXPECT_TRUE(absl::IsNotFound(store->ReadRoom(RoomId("a"), {}).status()));
}

}  // namespace
}  // namespace confab::storage
