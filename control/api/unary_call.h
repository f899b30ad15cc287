// unary_call.h: what every unary call has in common: admission, deadline, answer, count.
// Used by: room_service, message_service.
// Threads: made on gRPC's thread; the answer is given on any thread.
#pragma once

#include <string>
#include <utility>

#include <absl/status/statusor.h>
#include <grpcpp/server_context.h>

#include "control/api/admission.h"
#include "control/dispatch/dispatcher_types.h"

namespace confab::process {
class Metrics;
}

namespace confab::control {

// What the services share. All outlive them.
struct ApiParts {
  class Dispatcher& dispatcher;
  const Admission& admission;
  process::Metrics& metrics;
};

class UnaryCall {
 public:
  // `method` as in the request's path; static storage. If the caller is not admitted the call is
  // answered already: is_admitted() is false.
  UnaryCall(const ApiParts& parts, grpc::CallbackServerContext* context, const char* method);

  bool is_admitted() const { return is_admitted_; }
  const ServiceIdentity& caller() const { return caller_; }
  // For what is recorded: the service by itself, under the call's x-request-id, or a new one. The
  // answer carries it in its initial metadata.
  const Asker& asker() const { return asker_; }
  grpc::ServerUnaryReactor* reactor() const { return reactor_; }

  // Counts and ends the call. Exactly one of Finish and Answer is used, once.
  grpc::ServerUnaryReactor* Finish(const absl::Status& status) const;

  // A callback that fills the response if the answer is OK, and ends the call.
  template <typename T, typename Fill>
  Callback<T> Answer(Fill fill) const {
    return [call = *this, fill = std::move(fill)](absl::StatusOr<T> answer) mutable {
      const absl::Status status = answer.status();
      if (status.ok()) fill(*std::move(answer));
      call.Finish(status);
    };
  }

 private:
  process::Metrics* metrics_;
  const char* method_;
  grpc::ServerUnaryReactor* reactor_;
  ServiceIdentity caller_;
  Asker asker_;
  bool is_admitted_ = false;
};

// For what is recorded of a call that streams: as UnaryCall::asker().
Asker AskerOf(const ServiceIdentity& caller, grpc::CallbackServerContext& context);

// Until when an answer is of use: what the caller gave, and at most `limit` from now.
Deadline DeadlineOf(const grpc::CallbackServerContext& context);

// Counts a call by method and reason word ("OK" if it went well); logs defects of our own.
void CountCall(process::Metrics& metrics, const char* method, const absl::Status& status);

}  // namespace confab::control
