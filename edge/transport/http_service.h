// http_service.h: who answers HTTP requests that are neither an upgrade nor Engine.IO (seam).
// Owns: nothing.   Used by: the HTTP talk. Filled by io_thread with the HTTP API.
// Threads: confined to the io thread.
#pragma once

#include <memory>
#include <string_view>

#include <absl/functional/any_invocable.h>

#include "edge/transport/http_answer.h"

namespace confab::edge {

// A request that waits for its answer. Destroyed before: its client has gone, `done` is not called.
class HttpCall {
 public:
  virtual ~HttpCall() = default;
  // The answer was handed to the kernel whole, or the request was refused for itself. Destroyed
  // without: nobody knows whether the answer arrived.
  virtual void OnAnswered() {}
};

class HttpService {
 public:
  using Done = absl::AnyInvocable<void(HttpAnswer)>;

  virtual ~HttpService() = default;

  // Answers any path and method. `body` is whole and within the limit of a message; both are only
  // looked at within the call. `done` is called exactly once: within the call (nullptr comes back)
  // or later, in a turn of its own, while the HttpCall lives; it may destroy the HttpCall.
  virtual std::unique_ptr<HttpCall> Serve(const HttpRequestView& request, std::string_view body,
                                          Done done) = 0;
};

}  // namespace confab::edge
