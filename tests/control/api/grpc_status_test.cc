#include "control/api/grpc_status.h"

#include <gtest/gtest.h>

#include "control/status_reason.h"
#include "google/rpc/status.pb.h"

namespace confab::control {
namespace {

TEST(GrpcStatus, CarriesReasonAndRetryTimeInTheDetails) {
  const grpc::Status status =
      ToGrpc(RefusalStatus(v1::REASON_RATE_LIMITED, "10 sends a second", 1500));

  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(status.error_message(), "10 sends a second");
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), 8);
  EXPECT_EQ(details.message(), "10 sends a second");
  ASSERT_EQ(details.details_size(), 2);
  EXPECT_EQ(details.details(0).type_url(), "type.googleapis.com/google.rpc.ErrorInfo");
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "RATE_LIMITED");
  EXPECT_EQ(info.domain(), "confab");
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(details.details(1).UnpackTo(&retry));
  EXPECT_EQ(retry.retry_delay().seconds(), 1);
  EXPECT_EQ(retry.retry_delay().nanos(), 500'000'000);
}

TEST(GrpcStatus, TakesTheCodeOfTheReasonNotOfTheStore) {
  const grpc::Status status = ToGrpc(absl::ResourceExhaustedError("pool empty"));

  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message().find("pool"), std::string::npos);
}

TEST(GrpcStatus, LeavesOkAlone) { EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok()); }

}  // namespace
}  // namespace confab::control
