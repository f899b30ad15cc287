#include "storage/postgres/pq_transaction.h"

#include <string>

#include <absl/time/clock.h>
#include <gmock/gmock.h>

#include "tests/storage/postgres/postgres_words.h"
#include "tests/support/postgres.h"

namespace confab::storage {
namespace {

using testing_support::PostgresServer;

constexpr PreparedStatement kStatements[] = {
    {"add", "INSERT INTO kept (name) VALUES ($1)"},
    {"count", "SELECT count(*), 'as ' || $1 FROM kept"},
    {"fail", "SELECT 1 / $1::bigint"},
    {"wait", "SELECT pg_sleep($1::float8)"},
    {"end", "SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep($1::float8)"},
    {"repeat", "SELECT $1::text FROM generate_series(1, $2::bigint)"},
    {"names", "SELECT n FROM unnest($1::text[]) n"},
    {"rows", "SELECT k.name, k.number FROM unnest($1::kept[]) k"},
};

// A session on a table whose names are unique, which only COMMIT looks at.
class PqTransactionTest : public testing::Test {
 protected:
  PqTransactionTest() {
    server_.Execute("CREATE TABLE " + schema_ +
                    ".kept (name text UNIQUE DEFERRABLE INITIALLY DEFERRED, number bigint)");
    options_.statement_timeout = absl::Seconds(2);
    target_ = *PostgresTargetOf(PostgresServer::UrlOf(server_.socket_dir(), schema_), options_);
    auto opened = PostgresConnection::Open(target_, watchdog_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    connection_ = *std::move(opened);
    EXPECT_TRUE(connection_->Prepare(PqTransactionStatements()).ok());
    EXPECT_TRUE(connection_->Prepare(kStatements).ok());
  }

  std::string Kept() { return server_.Execute("SELECT count(*) FROM " + schema_ + ".kept"); }
  // libpqxx has the session again, outside any transaction.
  void ExpectUsable() {
    ASSERT_FALSE(connection_->is_broken());
    const auto rows = connection_->Query("count", std::string("x"));
    ASSERT_TRUE(rows.ok()) << rows.status();
    EXPECT_EQ(server_.Execute("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in "
                              "transaction%' AND application_name = 'confab'"),
              "0");
  }

  PostgresServer& server_ = PostgresServer::Shared();
  const std::string schema_ = server_.NewSchema();
  StoreOptions options_;
  PostgresTarget target_;
  Watchdog watchdog_;
  std::unique_ptr<PostgresConnection> connection_;
};

TEST_F(PqTransactionTest, AnswersWhatWasAskedInOrderAndCommits) {
  {
    PqTransaction transaction(*connection_);
    transaction.Send("add", std::string("a"));
    transaction.Send("count", std::string("text"));
    const auto answers = transaction.Ask();
    ASSERT_TRUE(answers.ok()) << answers.status();
    ASSERT_EQ(answers->size(), 2u);
    EXPECT_EQ((*answers)[0].size(), 0);
    EXPECT_EQ((*answers)[1].Int(0, 0), 1);
    EXPECT_EQ((*answers)[1].Text(0, 1), "as text");
    EXPECT_EQ(Kept(), "0");
    transaction.Send("add", std::string("b"));
    transaction.Send("add", std::string(""));

    EXPECT_TRUE(transaction.Commit().ok());
  }
  EXPECT_EQ(Kept(), "3");
  ExpectUsable();
}

TEST_F(PqTransactionTest, CanBeRepeatedOnOneSession) {
  for (int i = 0; i < 20; ++i) {
    PqTransaction transaction(*connection_);
    transaction.Send("count", std::string("x"));
    const auto answers = transaction.Ask();
    ASSERT_TRUE(answers.ok()) << answers.status();
    EXPECT_EQ(answers->front().Int(0, 0), i);
    transaction.Send("add", std::to_string(i));
    ASSERT_TRUE(transaction.Commit().ok());
  }
  ExpectUsable();
}

TEST_F(PqTransactionTest, WhatIsNotCommittedIsRolledBack) {
  {
    PqTransaction transaction(*connection_);
    transaction.Send("add", std::string("a"));
    ASSERT_TRUE(transaction.Ask().ok());
  }
  EXPECT_EQ(Kept(), "0");
  ExpectUsable();
}

TEST_F(PqTransactionTest, AFailureInEitherTripLeavesNothingAndTheSession) {
  {
    PqTransaction transaction(*connection_);
    transaction.Send("add", std::string("a"));
    transaction.Send("fail", 0);
    transaction.Send("count", std::string("x"));
    EXPECT_TRUE(absl::IsInvalidArgument(transaction.Ask().status()));
  }
  ExpectUsable();
  {
    PqTransaction transaction(*connection_);
    transaction.Send("fail", 1);
    ASSERT_TRUE(transaction.Ask().ok());
    transaction.Send("add", std::string("a"));
    transaction.Send("fail", 0);
    transaction.Send("add", std::string("b"));
    const auto status = transaction.Commit();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  }
  EXPECT_EQ(Kept(), "0");
  ExpectUsable();
}

TEST_F(PqTransactionTest, WhatCommitItselfRefusesIsRefused) {
  {
    PqTransaction transaction(*connection_);
    transaction.Send("add", std::string("same"));
    ASSERT_TRUE(transaction.Ask().ok());
    transaction.Send("add", std::string("same"));
    const auto status = transaction.Commit();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  }
  EXPECT_EQ(Kept(), "0");
  ExpectUsable();
}

TEST_F(PqTransactionTest, AStatementEndsAtItsLimitAndTheSessionGoesOn) {
  ASSERT_TRUE(connection_->Execute("SET statement_timeout = 200").ok());
  {
    PqTransaction transaction(*connection_);
    transaction.Send("wait", 60);
    EXPECT_TRUE(absl::IsDeadlineExceeded(transaction.Ask().status()));
  }
  ExpectUsable();
}

TEST_F(PqTransactionTest, ASessionThatTheServerEndsHasDoneNothingBeforeCommit) {
  {
    PqTransaction transaction(*connection_);
    transaction.Send("count", std::string("x"));
    ASSERT_TRUE(transaction.Ask().ok());
    transaction.Send("add", std::string("a"));
    transaction.Send("end", 60);
    const auto status = transaction.Commit();
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  }
  EXPECT_TRUE(connection_->is_broken());
  EXPECT_EQ(Kept(), "0");
}

TEST_F(PqTransactionTest, ASessionThatEndedBetweenTheTripsHasDoneNothing) {
  {
    PqTransaction transaction(*connection_);
    transaction.Send("count", std::string("x"));
    ASSERT_TRUE(transaction.Ask().ok());
    server_.Execute(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name ="
        " 'confab' AND state = 'idle in transaction'");
    transaction.Send("add", std::string("a"));
    const auto status = transaction.Commit();
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  }
  EXPECT_TRUE(connection_->is_broken());
  EXPECT_EQ(Kept(), "0");
}

TEST_F(PqTransactionTest, AnAnswerThatDoesNotComeIsGivenUp) {
  ASSERT_TRUE(connection_->SetStatementLimit(absl::Milliseconds(300)).ok());
  ASSERT_TRUE(connection_->Execute("SET statement_timeout = 0").ok());
  const absl::Time start = absl::Now();
  {
    PqTransaction transaction(*connection_);
    transaction.Send("wait", 60);
    const auto status = transaction.Ask().status();
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  }
  EXPECT_TRUE(connection_->has_timed_out());
  EXPECT_TRUE(connection_->is_broken());
  EXPECT_LT(absl::Now() - start, kBound);
}

// More in both directions than the sockets hold: neither side may wait for the other to read first.
TEST_F(PqTransactionTest, TripsMayBeLargerThanWhatTheSocketsHold) {
  ASSERT_TRUE(connection_->SetStatementLimit(kBound).ok());  // One limit for the 20 MB of them.
  const std::string large(1 << 20, 'x');
  PqTransaction transaction(*connection_);
  for (int i = 0; i < 4; ++i) transaction.Send("repeat", large, 4);
  const auto answers = transaction.Ask();

  ASSERT_TRUE(answers.ok()) << answers.status();
  ASSERT_EQ(answers->size(), 4u);
  EXPECT_EQ(answers->back().size(), 4);
  EXPECT_EQ(answers->back().Text(3, 0), large);
  EXPECT_TRUE(transaction.Commit().ok());
}

TEST_F(PqTransactionTest, BinaryArraysArriveAsTheyAre) {
  BinaryArray names(kTextType);
  const std::vector<std::string> texts = {"", "NULL", "a\"b\\c", "{x}", "z\xC3\xBC", "two\nlines"};
  for (const std::string& text : texts) names.Add(text);
  BinaryArray none(kTextType);
  const std::string type = server_.Execute("SELECT '" + schema_ + ".kept'::regtype::oid::bigint");
  BinaryRows rows(static_cast<PostgresType>(std::stoul(type)), 2, 0);
  for (const std::string& text : texts) {
    rows.BeginRow();
    rows.Text(text);
    rows.Int8(-7);
  }
  PqTransaction transaction(*connection_);
  transaction.Send("names", names.Finish());
  transaction.Send("names", none.Finish());
  transaction.Send("rows", rows.Finish());
  const auto answers = transaction.Ask();

  ASSERT_TRUE(answers.ok()) << answers.status();
  ASSERT_EQ((*answers)[0].size(), static_cast<int>(texts.size()));
  EXPECT_EQ((*answers)[1].size(), 0);
  ASSERT_EQ((*answers)[2].size(), static_cast<int>(texts.size()));
  for (int i = 0; i < (*answers)[0].size(); ++i) {
    EXPECT_EQ((*answers)[0].Text(i, 0), texts[static_cast<size_t>(i)]);
    EXPECT_EQ((*answers)[2].Text(i, 0), texts[static_cast<size_t>(i)]);
    EXPECT_EQ((*answers)[2].Int(i, 1), -7);
  }
}

}  // namespace
}  // namespace confab::storage
