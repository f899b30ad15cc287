// notify_stream.h: one NotifyStream call: reads notifications, has each told, sums up.
// Owns: itself (gone when gRPC is done with the call and every answer has come).
// Used by: notification_service.
// Threads: any thread (lanes and gRPC meet under `mu_`); calls out only after letting go of it.
// Fails: a notification that is refused is counted; the stream goes on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <grpcpp/support/server_callback.h>

#include "confab/v1/notification_service.pb.h"

#include "control/dispatch/notification_calls.h"

namespace confab::control {

class NotifyStream final : public grpc::ServerReadReactor<v1::NotifyStreamRequest> {
 public:
  // Told at a time; then reading pauses, and the caller's writes with it.
  static constexpr size_t kUnderWayLimit = 256;
  static constexpr int kRefusalsLimit = 20;  // Shown; all are counted.

  // `admitted` not OK: the call ends with it. `on_finish` is told how it ended.
  NotifyStream(NotificationCalls calls, std::string service, v1::NotifyStreamResponse& response,
               const absl::Status& admitted, std::function<void(const absl::Status&)> on_finish);

  void OnReadDone(bool ok) override;
  void OnDone() override;

 private:
  // What answers still to come hold on to.
  class Sum;

  NotificationCalls calls_;
  const std::string service_;
  const std::shared_ptr<Sum> sum_;
  v1::NotifyStreamRequest request_;
  uint64_t index_ = 0;
};

}  // namespace confab::control
