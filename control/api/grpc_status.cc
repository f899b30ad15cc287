#include "control/api/grpc_status.h"

#include <string>

#include "confab/v1/types.pb.h"

#include "control/status_reason.h"
#include "google/rpc/status.pb.h"
#include "proto/reason.h"

namespace confab::control {
namespace {

constexpr char kDomain[] = "confab";

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const v1::Error error = ErrorOf(status);
  const ReasonTraits& traits = TraitsOf(error.reason());
  google::rpc::Status details;
  details.set_code(traits.grpc_code);
  details.set_message(error.message());
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(traits.word));
  info.set_domain(kDomain);
  details.add_details()->PackFrom(info);
  if (error.retry_after_ms() > 0) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(error.retry_after_ms() / 1000);
    retry.mutable_retry_delay()->set_nanos(
        static_cast<int32_t>(error.retry_after_ms() % 1000 * 1'000'000));
    details.add_details()->PackFrom(retry);
  }
  return {static_cast<grpc::StatusCode>(traits.grpc_code), error.message(),
          details.SerializeAsString()};
}

}  // namespace confab::control
