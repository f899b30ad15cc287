// Both commit shapes where things go wrong: answers that get lost, rivals that commit while a batch
// waits for its locks, tables that grow.
#include <string>
#include <thread>
#include <vector>

#include <absl/time/clock.h>
#include <gmock/gmock.h>

#include "storage/postgres/postgres_store.h"
#include "tests/storage/postgres/postgres_words.h"
#include "tests/support/postgres.h"
#include "tests/support/postgres_proxy.h"

namespace confab::storage {
namespace {

using Kind = AppendOutcome::Kind;
using testing_support::PostgresProxy;
using testing_support::PostgresServer;
using testing_support::PostgresSession;

// The limit up to which a batch takes one round trip: always, or never.
class PostgresCommit : public testing::TestWithParam<int> {
 protected:
  PostgresCommit() { options_.one_trip_limit = GetParam(); }
  bool is_one_trip() const { return GetParam() > 0; }

  // One message appended, with a fault on the way to the server, and appended again.
  void AppendTwice(void (PostgresProxy::*fault)()) {
    PostgresServer& server = PostgresServer::Shared();
    PostgresProxy proxy(server.socket_dir());
    const auto store =
        OpenOrFail(PostgresServer::UrlOf(proxy.socket_dir(), server.NewSchema()), options_);
    const auto writer = WriterOf(*store);
    CreateRoom(*writer, "a");
    (proxy.*fault)();
    const auto lost = writer->Append(Message("a", "k"));
    EXPECT_TRUE(proxy.has_struck());
    EXPECT_EQ(lost.status().code(), absl::StatusCode::kUnknown) << lost.status();
    again_ = writer->Append(Message("a", "k"));
    ASSERT_TRUE(again_.ok()) << again_.status();
    EXPECT_EQ(LastSeq(*store, "a"), 2);
  }

  StoreOptions options_;
  absl::StatusOr<std::vector<AppendOutcome>> again_;  // What the second append answered.
};
INSTANTIATE_TEST_SUITE_P(Shapes, PostgresCommit, testing::Values(4096, 0), [](const auto& param) {
  return param.param > 0 ? "OneTrip" : "Statements";
});

TEST_P(PostgresCommit, ALostAnswerIsUnknownAndTheSameBatchIsThenARetry) {
  ASSERT_NO_FATAL_FAILURE(AppendTwice(&PostgresProxy::LoseNextCommitAnswer));
  EXPECT_EQ(again_->at(0).kind, Kind::kDuplicate);
  EXPECT_EQ(again_->at(0).first_seq, 2);
  EXPECT_EQ(again_->at(0).message_id, "id of k");
}

TEST_P(PostgresCommit, OneThatNeverArrivedIsUnknownTooAndTheSameBatchIsThenStored) {
  ASSERT_NO_FATAL_FAILURE(AppendTwice(&PostgresProxy::LoseNextCommit));
  EXPECT_EQ(again_->at(0).kind, Kind::kStored);
}

TEST_P(PostgresCommit, AServerThatStopsAnsweringIsGivenUpInTime) {
  PostgresServer server;
  options_.statement_timeout = absl::Seconds(1);
  const auto store = OpenOrFail(server.NewSchemaUrl(), options_);
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

  // What is one statement may be done once the server goes on; the first of two trips did nothing.
  EXPECT_EQ(append.status().code(),
            is_one_trip() ? absl::StatusCode::kUnknown : absl::StatusCode::kUnavailable)
      << append.status();
  EXPECT_TRUE(absl::IsUnavailable(read.status())) << read.status();
  EXPECT_GE(appended, options_.statement_timeout);
  EXPECT_LT(waited, kBound);
  EXPECT_TRUE(*store->IsActive());
  const auto after = writer->Append(Message("a", "k"));
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->at(0).first_seq, 2);
  EXPECT_EQ(LastSeq(*store, "a"), 2);
}

TEST_P(PostgresCommit, OneThatTakesTooLongEndsAtItsLimitAndTheSessionGoesOn) {
  PostgresServer& server = PostgresServer::Shared();
  const std::string schema = server.NewSchema();
  options_.statement_timeout = absl::Milliseconds(500);
  const auto store = OpenOrFail(PostgresServer::UrlOf(server.socket_dir(), schema), options_);
  const auto writer = WriterOf(*store);
  CreateRoom(*writer, "a");

  PostgresSession holder(server);
  holder.Execute("BEGIN; SELECT * FROM " + schema + ".rooms FOR UPDATE");
  const auto blocked = writer->Append(Message("a", "k"));
  holder.Execute("ROLLBACK");

  EXPECT_TRUE(absl::IsDeadlineExceeded(blocked.status())) << blocked.status();
  EXPECT_TRUE(writer->Append(Message("a", "k")).ok());
}

// The feed's order hangs on it.
TEST_P(PostgresCommit, EachRowNamesTheTransactionThatStoredIt) {
  PostgresServer& server = PostgresServer::Shared();
  const std::string schema = server.NewSchema();
  const auto store = OpenOrFail(PostgresServer::UrlOf(server.socket_dir(), schema), options_);
  const auto writer = WriterOf(*store);
  CreateRoom(*writer, "a");
  std::vector<AppendRequest> batch = Message("a", "first");
  batch.push_back(Message("a", "second").front());

  ASSERT_TRUE(writer->Append(Message("a", "alone")).ok());
  ASSERT_TRUE(writer->Append(batch).ok());

  const std::string events = schema + ".events";
  EXPECT_EQ(server.Execute("SELECT count(*) FROM " + events + " WHERE tx <> xmin::text::bigint"),
            "0");
  EXPECT_EQ(server.Execute("SELECT string_agg(n::text, ' ' ORDER BY tx) FROM (SELECT tx, count(*) n"
                           " FROM " +
                           events + " GROUP BY tx) t"),
            "1 1 2");
}

TEST(PostgresCommitShape, AHandfulOfMessagesIsOneRoundTrip) {
  PostgresServer& server = PostgresServer::Shared();
  PostgresProxy proxy(server.socket_dir());
  const auto store = OpenOrFail(PostgresServer::UrlOf(proxy.socket_dir(), server.NewSchema()));
  const auto writer = WriterOf(*store);
  CreateRoom(*writer, "a");
  CreateRoom(*writer, "b");
  std::vector<AppendRequest> batch;
  for (int i = 0; i < StoreOptions{}.one_trip_limit; ++i) {
    batch.push_back(Message(i % 2 == 0 ? "a" : "b", std::to_string(i)).front());
  }

  int before = proxy.requests();
  ASSERT_TRUE(writer->Append(Message("a", "alone")).ok());
  EXPECT_EQ(proxy.requests() - before, 1);
  before = proxy.requests();
  ASSERT_TRUE(writer->Append(batch).ok());
  EXPECT_EQ(proxy.requests() - before, 1);
  before = proxy.requests();
  ASSERT_TRUE(writer->Append(batch).ok());
  EXPECT_GT(proxy.requests() - before, 1) << "a retry is answered by the other shape";
}

TEST(PostgresCommitShape, AnyOtherBatchIsTwoRoundTrips) {
  PostgresServer& server = PostgresServer::Shared();
  PostgresProxy proxy(server.socket_dir());
  const auto store = OpenOrFail(PostgresServer::UrlOf(proxy.socket_dir(), server.NewSchema()));
  const auto writer = WriterOf(*store);
  CreateRoom(*writer, "a");
  std::vector<AppendRequest> batch;
  for (int i = 0; i < 2 * StoreOptions{}.one_trip_limit; ++i) {
    batch.push_back(Message("a", std::to_string(i)).front());
  }
  std::vector<AppendRequest> answer = Message("a", "an answer");
  answer[0].events[0].reply_to = "id of 0";
  std::vector<AppendRequest> edit = Message("a", "an edit");
  edit[0].events[0].kind = EventKind::kMessageEdited;
  edit[0].events[0].message_id = "id of 1";

  for (const auto& appended : {batch, answer, edit}) {
    const int before = proxy.requests();
    const auto outcomes = writer->Append(appended);
    ASSERT_TRUE(outcomes.ok()) << outcomes.status();
    EXPECT_EQ(outcomes->front().kind, Kind::kStored);
    EXPECT_EQ(proxy.requests() - before, 2);
  }
}

// A rival changes room "a" while a batch of ours waits for it. `size` 2: with room "b" before it.
class PostgresRival : public testing::TestWithParam<std::tuple<int, int>> {
 protected:
  PostgresRival() {
    StoreOptions options;
    options.one_trip_limit = std::get<0>(GetParam());
    store_ = OpenOrFail(PostgresServer::UrlOf(server_.socket_dir(), schema_), options);
    writer_ = WriterOf(*store_);
    CreateRoom(*writer_, "a");
    CreateRoom(*writer_, "b");
  }

  // The outcome for a message with key "k" in room "a", which the rival locks before, and changes
  // by `change` after the batch was given to the server.
  AppendOutcome AppendWhile(const std::string& change) {
    std::vector<AppendRequest> batch = Message("a", "k");
    if (std::get<1>(GetParam()) == 2) batch.insert(batch.begin(), Message("b", "k").front());
    PostgresSession rival(server_);
    rival.Execute("SET search_path = " + schema_ +
                  "; BEGIN; SELECT * FROM rooms WHERE id = 'a' FOR UPDATE");
    absl::StatusOr<std::vector<AppendOutcome>> outcomes;
    std::thread appending([&] { outcomes = writer_->Append(batch); });
    server_.Await("SELECT count(*) FROM pg_locks WHERE NOT granted", "1");
    rival.Execute(change);
    locked_until_ = absl::FromUnixMicros(std::stoll(
        rival.Execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")));
    rival.Execute("COMMIT");
    appending.join();
    EXPECT_TRUE(outcomes.ok()) << outcomes.status();
    if (!outcomes.ok()) return {};
    if (batch.size() == 2) {
      EXPECT_EQ(outcomes->front().kind, Kind::kStored);
      EXPECT_EQ(outcomes->front().first_seq, 2);
    }
    EXPECT_EQ(LastSeq(*store_, "b"), static_cast<int64_t>(batch.size()));
    return outcomes->back();
  }

  static std::string Insert(const std::string& key, int64_t created_at) {
    const std::string time = std::to_string(created_at);
    return "UPDATE rooms SET last_seq = 2, last_at = " + time +
           " WHERE id = 'a'; INSERT INTO events SELECT 'a', 2, 1, 0, " + time +
           ", 'ann', '', '', 'c" + key + "', 'the rival''s', 'text', 'hello', '', ''";
  }

  PostgresServer& server_ = PostgresServer::Shared();
  const std::string schema_ = server_.NewSchema();
  absl::Time locked_until_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<StoreWriter> writer_;
};
INSTANTIATE_TEST_SUITE_P(Shapes, PostgresRival,
                         testing::Combine(testing::Values(4096, 0), testing::Values(1, 2)),
                         [](const auto& param) {
                           return std::string(std::get<0>(param.param) > 0 ? "OneTrip"
                                                                           : "Statements") +
                                  std::to_string(std::get<1>(param.param));
                         });

// Year 2100: the rival's clock is far ahead of ours.
constexpr int64_t kAhead = 4'102'444'800'000'000;

TEST_P(PostgresRival, ItsEventIsCountedAndItsTimeIsNotUndercut) {
  const auto outcome = AppendWhile(Insert("other", kAhead));

  EXPECT_EQ(outcome.kind, Kind::kStored);
  EXPECT_EQ(outcome.first_seq, 3);
  EXPECT_EQ(outcome.created_at, absl::FromUnixMicros(kAhead));
  EXPECT_EQ(LastSeq(*store_, "a"), 3);
}

TEST_P(PostgresRival, ItsKeyMakesOursARetry) {
  const auto outcome = AppendWhile(Insert("k", kAhead));

  EXPECT_EQ(outcome.kind, Kind::kDuplicate);
  EXPECT_EQ(outcome.first_seq, 2);
  EXPECT_EQ(outcome.message_id, "the rival's");
  EXPECT_EQ(outcome.created_at, absl::FromUnixMicros(kAhead));
  EXPECT_EQ(LastSeq(*store_, "a"), 2);
}

TEST_P(PostgresRival, ItsMembershipEventMakesOursStale) {
  const auto outcome = AppendWhile("UPDATE rooms SET last_seq = 2, member_seq = 2 WHERE id = 'a'");

  EXPECT_EQ(outcome.kind, Kind::kStaleMembers);
  EXPECT_EQ(outcome.member_seq, 2);
  EXPECT_EQ(LastSeq(*store_, "a"), 2);
}

TEST_P(PostgresRival, ItsDeletionOfTheRoomConcernsThatRoomAlone) {
  const auto outcome = AppendWhile("UPDATE rooms SET state = 1 WHERE id = 'a'");

  EXPECT_EQ(outcome.kind, Kind::kRoomNotFound);
}

// Its events are still there, and so is the key.
TEST_P(PostgresRival, ARetryInARoomThatItDeletesFindsNoRoom) {
  ASSERT_TRUE(writer_->Append(Message("a", "k")).ok());

  const auto outcome = AppendWhile("UPDATE rooms SET state = 1 WHERE id = 'a'");

  EXPECT_EQ(outcome.kind, Kind::kRoomNotFound);
}

TEST_P(PostgresRival, WhatWaitedForItTakesItsTimeAfterwards) {
  const auto outcome = AppendWhile("UPDATE rooms SET last_at = 1 WHERE id = 'a'");

  EXPECT_EQ(outcome.kind, Kind::kStored);
  EXPECT_GE(outcome.created_at, locked_until_);
}

TEST_P(PostgresCommit, PlansUseIndexesWhateverTheSizeOfTheTables) {
  PostgresServer& server = PostgresServer::Shared();
  for (const int rooms : {500, 100'000}) {
    const std::string schema = server.NewSchema();
    auto store = OpenOrFail(PostgresServer::UrlOf(server.socket_dir(), schema), options_);
    auto writer = WriterOf(*store);
    server.Execute("SET search_path = " + schema +
                   "; INSERT INTO rooms SELECT 'r' || n, '', false, 1, 1, 1, 1, 1, 0 FROM "
                   "generate_series(1, " +
                   std::to_string(rooms) +
                   ") n; INSERT INTO events SELECT 'r' || n, 1, 1, 0, 1, 'ann', '', '', 'c1', '', "
                   "'', '', '', '' FROM generate_series(1, " +
                   std::to_string(rooms) + ") n; ANALYZE");
    std::vector<AppendRequest> batch;
    for (int i = 1; i <= 64; ++i) {
      batch.push_back(Message("r" + std::to_string(i * 7), "k").front());
    }
    for (int round = 0; round < 10; ++round) {
      for (AppendRequest& request : batch) request.events[0].dedup.key += "x";
      const auto outcomes = writer->Append(batch);
      ASSERT_TRUE(outcomes.ok()) << outcomes.status();
    }
    for (int i = 1; i <= 10; ++i) {
      const auto one = writer->Append(Message("r" + std::to_string(i * 49), "alone"));
      ASSERT_TRUE(one.ok()) << one.status();
    }
    ASSERT_TRUE(store->ReadRoom(RoomId("r7"), {UserId("ann")}).ok());
    ASSERT_TRUE(store->ReadEvents({RoomId("r7"), 0, -1, 5, 500}).ok());
    ASSERT_TRUE(store->ReadEvents({RoomId("r7"), -1, -1, 5, 500}).ok());
    ASSERT_TRUE(store->ListRooms(RoomId("r5"), UserId(), 5).ok());
    ASSERT_TRUE(store->ListRooms(RoomId("r5"), UserId("ann"), 5).ok());
    ASSERT_TRUE(store->ListMembers(RoomId("r7"), MemberFilter::kMembers, UserId(), 5).ok());

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
