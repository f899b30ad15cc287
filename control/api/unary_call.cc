#include "control/api/unary_call.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include "control/api/grpc_status.h"
#include "control/room/uuid7.h"
#include "control/status_reason.h"
#include "process/log.h"
#include "process/metrics.h"
#include "proto/reason.h"

namespace confab::control {
namespace {

// Control's share of the nested deadlines (edge 3 s > control 2.5 s > statement 1.5 s).
constexpr std::chrono::milliseconds kCallLimit{2500};

constexpr char kRequestId[] = "x-request-id";
constexpr size_t kRequestIdBytesLimit = 128;  // As any id.

// What the caller names it, if that can go into a log and a header; else a new one.
std::string RequestIdOf(const grpc::CallbackServerContext& context) {
  const auto entry = context.client_metadata().find(kRequestId);
  if (entry == context.client_metadata().end()) return NewUuid7();
  std::string given(entry->second.data(), entry->second.size());
  const bool is_plain =
      std::all_of(given.begin(), given.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (given.empty() || given.size() > kRequestIdBytesLimit || !is_plain) return NewUuid7();
  return given;
}

}  // namespace

UnaryCall::UnaryCall(const ApiParts& parts, grpc::CallbackServerContext* context,
                     const char* method)
    : metrics_(&parts.metrics), method_(method), reactor_(context->DefaultReactor()) {
  absl::StatusOr<ServiceIdentity> caller = parts.admission.Admit(*context, method);
  if (caller.ok()) {
    caller_ = *std::move(caller);
    asker_ = AskerOf(caller_, *context);
    is_admitted_ = true;
  } else {
    Finish(caller.status());
  }
}

Asker AskerOf(const ServiceIdentity& caller, grpc::CallbackServerContext& context) {
  Asker asker{{}, caller.name, RequestIdOf(context)};
  context.AddInitialMetadata(kRequestId, asker.request_id);
  return asker;
}

grpc::ServerUnaryReactor* UnaryCall::Finish(const absl::Status& status) const {
  CountCall(*metrics_, method_, status);
  reactor_->Finish(ToGrpc(status));
  return reactor_;
}

Deadline DeadlineOf(const grpc::CallbackServerContext& context) {
  const auto now = std::chrono::system_clock::now();
  const auto given = context.deadline();
  const auto left =
      given > now + kCallLimit
          ? std::chrono::duration_cast<std::chrono::system_clock::duration>(kCallLimit)
          : std::max(given - now, std::chrono::system_clock::duration::zero());
  return std::chrono::steady_clock::now() +
         std::chrono::duration_cast<std::chrono::steady_clock::duration>(left);
}

void CountCall(process::Metrics& metrics, const char* method, const absl::Status& status) {
  const v1::Reason reason = status.ok() ? v1::REASON_UNSPECIFIED : ReasonOf(status);
  const std::string_view word = status.ok() ? "OK" : TraitsOf(reason).word;
  metrics
      .AddCounter("confab_control_calls_total", "Calls of services and confabctl by result.",
                  {{"method", method}, {"result", std::string(word)}})
      .Add();
  if (reason == v1::REASON_INTERNAL || reason == v1::REASON_OUTCOME_UNKNOWN) {
    process::LogError("a call failed",
                      {{"method", method}, {"error", std::string(status.message())}});
  }
}

}  // namespace confab::control
