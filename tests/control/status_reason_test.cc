#include "control/status_reason.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "proto/reason.h"

namespace confab::control {
namespace {

TEST(StatusReason, EveryReasonSurvivesTheWayThroughAStatus) {
  const google::protobuf::EnumDescriptor* reasons = v1::Reason_descriptor();
  for (int i = 0; i < reasons->value_count(); ++i) {
    const auto reason = static_cast<v1::Reason>(reasons->value(i)->number());
    if (reason == v1::REASON_UNSPECIFIED) continue;

    const absl::Status status = RefusalStatus(reason, "words", 250);

    EXPECT_FALSE(status.ok());
    EXPECT_EQ(static_cast<int>(status.code()), TraitsOf(reason).grpc_code);
    EXPECT_EQ(ReasonOf(status), reason);
    const v1::Error error = ErrorOf(status);
    EXPECT_EQ(error.reason(), reason);
    EXPECT_EQ(error.message(), "words");
    EXPECT_EQ(error.retryable(), TraitsOf(reason).retryable);
    EXPECT_EQ(error.retry_after_ms(), 250U);
  }
}

TEST(StatusReason, MapsTheStoresCodesByTheTable) {
  const auto reason = [](absl::StatusCode code) { return ReasonOf(absl::Status(code, "x")); };
  EXPECT_EQ(reason(absl::StatusCode::kUnavailable), v1::REASON_UNAVAILABLE);
  EXPECT_EQ(reason(absl::StatusCode::kResourceExhausted), v1::REASON_UNAVAILABLE);
  EXPECT_EQ(reason(absl::StatusCode::kDeadlineExceeded), v1::REASON_UNAVAILABLE);
  EXPECT_EQ(reason(absl::StatusCode::kFailedPrecondition), v1::REASON_UNAVAILABLE);
  EXPECT_EQ(reason(absl::StatusCode::kUnknown), v1::REASON_OUTCOME_UNKNOWN);
  EXPECT_EQ(reason(absl::StatusCode::kInvalidArgument), v1::REASON_BAD_REQUEST);
  EXPECT_EQ(reason(absl::StatusCode::kNotFound), v1::REASON_ROOM_NOT_FOUND);
  EXPECT_EQ(reason(absl::StatusCode::kAlreadyExists), v1::REASON_ROOM_EXISTS);
  EXPECT_EQ(reason(absl::StatusCode::kInternal), v1::REASON_INTERNAL);
}

TEST(StatusReason, KeepsTheStoresWordsFromTheCaller) {
  const v1::Error error = ErrorOf(absl::UnavailableError("connect to db.internal:5432 failed"));

  EXPECT_EQ(error.message().find("db.internal"), std::string::npos);
  EXPECT_TRUE(error.retryable());
}

TEST(StatusReason, AnUnreadablePayloadFallsBackToTheCode) {
  absl::Status status = absl::NotFoundError("x");
  status.SetPayload("type.googleapis.com/confab.v1.Error", absl::Cord("\xff\xff"));

  EXPECT_EQ(ErrorOf(status).reason(), v1::REASON_ROOM_NOT_FOUND);
}

}  // namespace
}  // namespace confab::control
