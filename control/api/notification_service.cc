#include "control/api/notification_service.h"

#include <atomic>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "control/api/notify_stream.h"
#include "control/dispatch/notification_calls.h"
#include "control/status_reason.h"

namespace confab::control {
namespace {

constexpr int kBatchLimit = 500;  // As a page of events; gRPC takes 1 MiB.
constexpr char kNotifyStream[] = "/confab.v1.NotificationService/NotifyStream";

}  // namespace

grpc::ServerUnaryReactor* NotificationService::Notify(grpc::CallbackServerContext* context,
                                                      const v1::NotifyRequest* request,
                                                      v1::NotifyResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.NotificationService/Notify");
  if (!call.is_admitted()) return call.reactor();
  NotificationCalls(parts_.dispatcher)
      .Notify(request->notification(), call.caller().name, DeadlineOf(*context),
              call.Answer<v1::NotificationOutcome>([response](v1::NotificationOutcome outcome) {
                *response->mutable_outcome() = std::move(outcome);
              }));
  return call.reactor();
}

grpc::ServerUnaryReactor* NotificationService::NotifyBatch(grpc::CallbackServerContext* context,
                                                           const v1::NotifyBatchRequest* request,
                                                           v1::NotifyBatchResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.NotificationService/NotifyBatch");
  if (!call.is_admitted()) return call.reactor();
  const int count = request->notifications_size();
  if (count == 0 || count > kBatchLimit) {
    return call.Finish(
        RefusalStatus(v1::REASON_BAD_REQUEST, fmt::format("notifications: 1 to {}", kBatchLimit)));
  }
  // Made before anything is asked: each answer fills its own place, on whatever lane it comes.
  for (int i = 0; i < count; ++i) response->add_results();
  auto missing = std::make_shared<std::atomic<int>>(count);
  for (int i = 0; i < count; ++i) {
    v1::NotifyResult* const result = response->mutable_results(i);
    NotificationCalls(parts_.dispatcher)
        .Notify(request->notifications(i), call.caller().name, DeadlineOf(*context),
                [call, missing, result](absl::StatusOr<v1::NotificationOutcome> told) {
                  if (told.ok()) {
                    *result->mutable_outcome() = *std::move(told);
                  } else {
                    *result->mutable_error() = ErrorOf(told.status());
                  }
                  if (missing->fetch_sub(1, std::memory_order_acq_rel) == 1) {
                    call.Finish(absl::OkStatus());
                  }
                });
  }
  return call.reactor();
}

grpc::ServerReadReactor<v1::NotifyStreamRequest>* NotificationService::NotifyStream(
    grpc::CallbackServerContext* context, v1::NotifyStreamResponse* response) {
  const absl::StatusOr<ServiceIdentity> caller = parts_.admission.Admit(*context, kNotifyStream);
  return new class NotifyStream(NotificationCalls(parts_.dispatcher),
                                caller.ok() ? caller->name : "", *response, caller.status(),
                                [metrics = &parts_.metrics](const absl::Status& status) {
                                  CountCall(*metrics, kNotifyStream, status);
                                });
}

}  // namespace confab::control
