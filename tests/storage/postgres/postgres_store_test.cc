// What only PostgreSQL can do wrong: servers that die, stop, lose answers; locks that get lost.
#include "storage/postgres/postgres_store.h"

#include <string>
#include <thread>

#include <absl/time/clock.h>
#include <gmock/gmock.h>

#include "storage/open_store.h"
#include "tests/support/postgres.h"
#include "tests/support/postgres_proxy.h"

namespace confab::storage {
namespace {

using Kind = AppendOutcome::Kind;
using testing_support::PostgresProxy;
using testing_support::PostgresServer;
using testing_support::PostgresSession;

// Long enough for a loaded machine, short enough to be no wait for ever.
constexpr auto kBound = absl::Seconds(10);

std::unique_ptr<Store> OpenOrFail(const std::string& url, const StoreOptions& options = {}) {
  auto store = OpenStore(url, options);
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

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

std::unique_ptr<StoreWriter> WriterOf(Store& store) {
  const auto is_active = store.TryBecomeActive();
  EXPECT_TRUE(is_active.ok() && *is_active) << is_active.status();
  auto writer = store.OpenWriter();
  EXPECT_TRUE(writer.ok()) << writer.status();
  return writer.ok() ? *std::move(writer) : nullptr;
}

void CreateRoom(StoreWriter& writer, const std::string& id) {
  NewRoom room;
  room.id = RoomId(id);
  room.members = {{UserId("ann"), Role::kOwner}};
  const auto record = writer.CreateRoom(room);
  ASSERT_TRUE(record.ok()) << record.status();
}

std::vector<AppendRequest> Message(const std::string& room, const std::string& key) {
  NewEvent event;
  event.actor.id = UserId("ann");
  event.dedup = {DedupKey::Space::kClient, key};
  event.message_id = "id of " + key;
  event.content = "hello";
  return {{RoomId(room), 1, {event}}};
}

int64_t LastSeq(Store& store, const std::string& room) {
  const auto snapshot = store.ReadRoom(RoomId(room), {});
  EXPECT_TRUE(snapshot.ok()) << snapshot.status();
  return snapshot.ok() ? snapshot->room.last_seq : -1;
}

// Ends the sessions of the schema's store that hold or await the named advisory lock.
void CutActiveSession(PostgresServer& server, const std::string& schema) {
  // The key is a 64-bit hash: pg_locks shows its halves.
  server.Execute(
      "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' AND"
      " (classid::bigint << 32) | objid::bigint = hashtextextended('confab/active/" +
      schema + "', 0)");
}

TEST(PostgresStore, ALostAnswerToCommitIsUnknownAndTheSameBatchIsThenARetry) {
  PostgresServer& server = PostgresServer::Shared();
  PostgresProxy proxy(server.socket_dir());
  const auto store = OpenOrFail(PostgresServer::UrlOf(proxy.socket_dir(), server.NewSchema()));
  const auto writer = WriterOf(*store);
  CreateRoom(*writer, "a");

  proxy.LoseNextCommitAnswer();
  const auto lost = writer->Append(Message("a", "k"));
  const auto again = writer->Append(Message("a", "k"));

  EXPECT_TRUE(proxy.has_struck());
  EXPECT_EQ(lost.status().code(), absl::StatusCode::kUnknown) << lost.status();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->at(0).kind, Kind::kDuplicate);
  EXPECT_EQ(again->at(0).first_seq, 2);
  EXPECT_EQ(again->at(0).message_id, "id of k");
  EXPECT_EQ(LastSeq(*store, "a"), 2);
}

TEST(PostgresStore, ACommitThatNeverArrivedIsUnknownTooAndTheSameBatchIsThenStored) {
  PostgresServer& server = PostgresServer::Shared();
  PostgresProxy proxy(server.socket_dir());
  const auto store = OpenOrFail(PostgresServer::UrlOf(proxy.socket_dir(), server.NewSchema()));
  const auto writer = WriterOf(*store);
  CreateRoom(*writer, "a");

  proxy.LoseNextCommit();
  const auto lost = writer->Append(Message("a", "k"));
  const auto again = writer->Append(Message("a", "k"));

  EXPECT_EQ(lost.status().code(), absl::StatusCode::kUnknown) << lost.status();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->at(0).kind, Kind::kStored);
  EXPECT_EQ(LastSeq(*store, "a"), 2);
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
  EXPECT_TRUE(store->IsActive()) << "nobody else can have become active";
  server.Start();

  EXPECT_TRUE(store->Ping().ok());
  EXPECT_TRUE(store->IsActive());
  const auto after = writer->Append(Message("a", "during"));
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->at(0).first_seq, 3);
  EXPECT_EQ(LastSeq(*store, "a"), 3);
}

TEST(PostgresStore, AServerThatStopsAnsweringIsGivenUpInTime) {
  PostgresServer server;
  StoreOptions options;
  options.statement_timeout = absl::Seconds(1);
  const auto store = OpenOrFail(server.NewSchemaUrl(), options);
  const auto writer = WriterOf(*store);
  CreateRoom(*writer, "a");
  ASSERT_EQ(LastSeq(*store, "a"), 1);

  server.Pause();
  const absl::Time start = absl::Now();
  const auto append = writer->Append(Message("a", "k"));
  const absl::Duration appended = absl::Now() - start;
  const auto read = store->ReadRoom(RoomId("a"), {});
  const absl::Duration waited = absl::Now() - start;
  server.Resume();

  EXPECT_TRUE(absl::IsUnavailable(append.status())) << append.status();
  EXPECT_TRUE(absl::IsUnavailable(read.status())) << read.status();
  EXPECT_GE(appended, options.statement_timeout);
  EXPECT_LT(waited, kBound);
  EXPECT_TRUE(store->IsActive());
  const auto after = writer->Append(Message("a", "k"));
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(LastSeq(*store, "a"), 2);
}

TEST(PostgresStore, AStatementThatTakesTooLongEndsAtItsLimitAndTheSessionGoesOn) {
  PostgresServer& server = PostgresServer::Shared();
  const std::string schema = server.NewSchema();
  StoreOptions options;
  options.statement_timeout = absl::Milliseconds(500);
  const auto store = OpenOrFail(PostgresServer::UrlOf(server.socket_dir(), schema), options);
  const auto writer = WriterOf(*store);
  CreateRoom(*writer, "a");

  PostgresSession holder(server);
  holder.Execute("BEGIN; SELECT * FROM " + schema + ".rooms FOR UPDATE");
  const auto blocked = writer->Append(Message("a", "k"));
  holder.Execute("ROLLBACK");

  EXPECT_TRUE(absl::IsDeadlineExceeded(blocked.status())) << blocked.status();
  EXPECT_TRUE(writer->Append(Message("a", "k")).ok());
}

TEST(PostgresStore, TakesItsLockAgainIfNobodyElseWasActiveMeanwhile) {
  PostgresServer& server = PostgresServer::Shared();
  const std::string schema = server.NewSchema();
  const auto store = OpenOrFail(PostgresServer::UrlOf(server.socket_dir(), schema));
  const auto writer = WriterOf(*store);
  CreateRoom(*writer, "a");

  CutActiveSession(server, schema);

  EXPECT_TRUE(store->IsActive());
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
  EXPECT_FALSE(second->IsActive());
  // Nobody is active yet, so what the first one commits now is in nobody's way.
  EXPECT_TRUE(old_writer->Append(Message("a", "last words")).ok());
  old_writer.reset();

  EXPECT_TRUE(BecomesActive(*second));
  EXPECT_TRUE(second->IsActive());
  EXPECT_FALSE(first->IsActive());
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
  EXPECT_FALSE(first->IsActive());
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

  EXPECT_FALSE(first->IsActive());
  EXPECT_FALSE(first->IsActive());
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
  ASSERT_NE(OpenOrFail(url), nullptr);
  server.Execute("INSERT INTO " + schema + ".confab_migrations VALUES (99, 'later')");

  const auto newer = OpenStore(url, {});
  const auto missing = OpenStore(PostgresServer::UrlOf(server.socket_dir(), "none"), {});

  EXPECT_TRUE(absl::IsFailedPrecondition(newer.status()));
  EXPECT_THAT(newer.status().ToString(), testing::HasSubstr("99"));
  EXPECT_TRUE(absl::IsFailedPrecondition(missing.status()));
  EXPECT_THAT(missing.status().ToString(), testing::HasSubstr("schema"));
}

TEST(PostgresStore, ManyThatOpenAtOnceMigrateOnce) {
  PostgresServer& server = PostgresServer::Shared();
  const std::string schema = server.NewSchema();
  const std::string url = PostgresServer::UrlOf(server.socket_dir(), schema);
  std::vector<std::thread> openers;
  for (int i = 0; i < 6; ++i) openers.emplace_back([&] { EXPECT_NE(OpenOrFail(url), nullptr); });
  for (std::thread& opener : openers) opener.join();

  EXPECT_EQ(server.Execute("SELECT count(*) FROM " + schema + ".confab_migrations"), "1");
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

TEST(PostgresStore, PlansUseIndexesWhateverTheSizeOfTheTables) {
  PostgresServer& server = PostgresServer::Shared();
  for (const int rooms : {500, 100'000}) {
    const std::string schema = server.NewSchema();
    auto store = OpenOrFail(PostgresServer::UrlOf(server.socket_dir(), schema));
    server.Execute("SET search_path = " + schema +
                   "; INSERT INTO rooms SELECT 'r' || n, '', false, 1, 1, 1, 1, 1, 0 FROM "
                   "generate_series(1, " +
                   std::to_string(rooms) +
                   ") n; INSERT INTO events SELECT 'r' || n, 1, 1, 0, 1, 'ann', '', '', 'c1', '', "
                   "'', '', '', '' FROM generate_series(1, " +
                   std::to_string(rooms) + ") n; ANALYZE");
    auto writer = WriterOf(*store);
    std::vector<AppendRequest> batch;
    for (int i = 1; i <= 64; ++i) {
      batch.push_back(Message("r" + std::to_string(i * 7), "k").front());
    }
    for (int round = 0; round < 10; ++round) {
      for (AppendRequest& request : batch) request.events[0].dedup.key += "x";
      const auto outcomes = writer->Append(batch);
      ASSERT_TRUE(outcomes.ok()) << outcomes.status();
    }
    ASSERT_TRUE(store->ReadRoom(RoomId("r7"), {UserId("ann")}).ok());
    ASSERT_TRUE(store->ReadEvents({RoomId("r7"), 0, -1, 5, 500}).ok());
    ASSERT_TRUE(store->ReadEvents({RoomId("r7"), -1, -1, 5, 500}).ok());
    ASSERT_TRUE(store->ListRooms(RoomId("r5"), UserId(), 5).ok());
    ASSERT_TRUE(store->ListRooms(RoomId("r5"), UserId("ann"), 5).ok());
    ASSERT_TRUE(store->ListMembers(RoomId("r7"), UserId(), 5).ok());

    // A session's statistics are complete once it has ended.
    writer.reset();
    store.reset();
    server.Await("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'confab'", "0");
    EXPECT_EQ(server.Execute("SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE "
                             "schemaname = '" +
                             schema + "' AND relname IN ('rooms', 'events', 'members')"),
              "0");
  }
}

}  // namespace
}  // namespace confab::storage
