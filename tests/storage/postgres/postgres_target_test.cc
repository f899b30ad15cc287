#include "storage/postgres/postgres_target.h"

#include <gmock/gmock.h>

namespace confab::storage {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(PostgresTarget, AddsLimitsWhereTheUrlIsSilent) {
  const auto target = PostgresTargetOf("postgresql://ann:p%27w%5C@h:5433/db", {});

  ASSERT_TRUE(target.ok()) << target.status();
  for (const char* part :
       {"user='ann'", "password='p\\'w\\\\'", "host='h'", "port='5433'", "dbname='db'",
        "connect_timeout='2'", "tcp_user_timeout='5000'", "client_encoding='UTF8'"}) {
    EXPECT_THAT(target->conninfo, HasSubstr(part));
  }
}

TEST(PostgresTarget, KeepsWhatTheUrlSays) {
  const auto target = PostgresTargetOf(
      "postgres:///db?connect_timeout=9&sslmode=verify-full&application_name=x", {});

  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_THAT(target->conninfo, HasSubstr("connect_timeout='9'"));
  EXPECT_THAT(target->conninfo, Not(HasSubstr("connect_timeout='2'")));
  EXPECT_THAT(target->conninfo, HasSubstr("sslmode='verify-full'"));
  EXPECT_THAT(target->conninfo, HasSubstr("application_name='x'"));
}

TEST(PostgresTarget, WaitsALittleLongerThanTheServerMayTake) {
  StoreOptions options;
  options.statement_timeout = absl::Milliseconds(1500);

  const auto target = PostgresTargetOf("postgresql:///db", options);

  EXPECT_EQ(target->answer_limit(), absl::Milliseconds(1750));
}

}  // namespace
}  // namespace confab::storage
