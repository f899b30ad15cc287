#include "storage/postgres/postgres_status.h"

#include <type_traits>

#include <gtest/gtest.h>
#include <pqxx/pqxx>

namespace confab::storage {
namespace {

using Code = absl::StatusCode;

Code Running(const std::exception& error) {
  return PostgresStatus(error, PostgresPhase::kRunning).code();
}
Code Committing(const std::exception& error) {
  return PostgresStatus(error, PostgresPhase::kCommitting).code();
}

// These have other constructors in libpqxx 7.
template <typename Error>
Error Make(const char* sql_state) {
  if constexpr (std::is_constructible_v<Error, std::string, std::string, const char*>) {
    return Error("x", "q", sql_state);
  } else {
    return Error("x");
  }
}

TEST(PostgresStatus, TranslatesSqlStatesAsItsTableSays) {
  const std::pair<const char*, Code> cases[] = {
      {"08006", Code::kUnavailable},
      {"22021", Code::kInvalidArgument},
      {"23505", Code::kInvalidArgument},
      {"25006", Code::kUnavailable},
      {"25P03", Code::kUnavailable},
      {"28P01", Code::kFailedPrecondition},
      {"3D000", Code::kFailedPrecondition},
      {"40001", Code::kUnavailable},
      {"40P01", Code::kUnavailable},
      {"42501", Code::kFailedPrecondition},
      {"42P01", Code::kFailedPrecondition},
      {"42601", Code::kInternal},
      {"53100", Code::kResourceExhausted},
      {"53300", Code::kResourceExhausted},
      {"54000", Code::kInvalidArgument},
      {"55P03", Code::kUnavailable},
      {"57014", Code::kDeadlineExceeded},
      {"57P01", Code::kUnavailable},
      {"58030", Code::kUnavailable},
      {"XX000", Code::kInternal},
      {"", Code::kInternal},
  };
  for (const auto& [state, expected] : cases) {
    EXPECT_EQ(CodeOfSqlState(state), expected) << state;
  }
}

TEST(PostgresStatus, BeforeCommitEveryFailureChangedNothing) {
  EXPECT_EQ(Running(pqxx::broken_connection("gone")), Code::kUnavailable);
  EXPECT_EQ(Running(pqxx::sql_error("x", "q", "23505")), Code::kInvalidArgument);
  EXPECT_EQ(Running(Make<pqxx::deadlock_detected>("40P01")), Code::kUnavailable);
  EXPECT_EQ(Running(Make<pqxx::serialization_failure>("40001")), Code::kUnavailable);
  EXPECT_EQ(Running(pqxx::failure("x")), Code::kUnavailable);
  EXPECT_EQ(Running(pqxx::usage_error("x")), Code::kInternal);
  EXPECT_EQ(Running(std::bad_alloc()), Code::kInternal);
}

TEST(PostgresStatus, WhileCommittingOnlyTheServersRefusalIsCertain) {
  EXPECT_EQ(Committing(pqxx::in_doubt_error("x")), Code::kUnknown);
  EXPECT_EQ(Committing(Make<pqxx::statement_completion_unknown>("40003")), Code::kUnknown);
  EXPECT_EQ(Committing(pqxx::broken_connection("gone")), Code::kUnknown);
  EXPECT_EQ(Committing(pqxx::sql_error("x", "q", "57P01")), Code::kUnknown);
  EXPECT_EQ(Committing(pqxx::sql_error("x", "q", "08006")), Code::kUnknown);
  EXPECT_EQ(Committing(pqxx::sql_error("x", "q")), Code::kUnknown);
  EXPECT_EQ(Committing(pqxx::usage_error("x")), Code::kUnknown);
  EXPECT_EQ(Committing(pqxx::sql_error("x", "q", "23505")), Code::kInvalidArgument);
  EXPECT_EQ(Committing(pqxx::sql_error("x", "q", "53100")), Code::kResourceExhausted);
  EXPECT_EQ(Committing(Make<pqxx::serialization_failure>("40001")), Code::kUnavailable);
}

TEST(PostgresStatus, IsTheSameOfWhatLibpqHas) {
  const auto running = [](std::string_view state) {
    return PostgresStatus(state, "x", PostgresPhase::kRunning).code();
  };
  const auto committing = [](std::string_view state) {
    return PostgresStatus(state, "x", PostgresPhase::kCommitting).code();
  };
  EXPECT_EQ(running(""), Code::kUnavailable);
  EXPECT_EQ(committing(""), Code::kUnknown);
  EXPECT_EQ(running("57P01"), Code::kUnavailable);
  for (const char* in_doubt : {"57P01", "57P02", "08006", "40003"}) {
    EXPECT_EQ(committing(in_doubt), Code::kUnknown) << in_doubt;
  }
  const std::pair<const char*, Code> refused[] = {
      {"23505", Code::kInvalidArgument},   {"40001", Code::kUnavailable},
      {"53100", Code::kResourceExhausted}, {"57014", Code::kDeadlineExceeded},
      {"25P03", Code::kUnavailable},       {"XX000", Code::kInternal}};
  for (const auto& [state, code] : refused) {
    EXPECT_EQ(running(state), code) << state;
    EXPECT_EQ(committing(state), code) << state;
  }
  EXPECT_EQ(PostgresStatus("23505", "key\n", PostgresPhase::kRunning).message(),
            "PostgreSQL: key (23505)");
}

}  // namespace
}  // namespace confab::storage
