// polling_calls.h: one HTTP request of a polling session, from its talk's side: tells the session when
// the client goes before it has its answer.
// Owns: a share of the session's transport.   Used by: http_talk.
// Threads: confined to the io thread.
#pragma once

#include <memory>
#include <string_view>

#include "edge/transport/http_service.h"
#include "edge/transport/polling_transport.h"

namespace confab::edge {

class PollingGet final : public HttpCall {
 public:
  explicit PollingGet(std::shared_ptr<PollingTransport> transport);
  ~PollingGet() override;

  // `done` may be called within the call.
  void Begin(HttpService::Done done) { transport_->OnGet(std::move(done)); }
  void OnAnswered() override { transport_.reset(); }

 private:
  std::shared_ptr<PollingTransport> transport_;
};

class PollingPost final : public HttpCall {
 public:
  explicit PollingPost(std::shared_ptr<PollingTransport> transport);
  ~PollingPost() override;

  HttpAnswer End(std::string_view body);
  void OnAnswered() override;

 private:
  std::shared_ptr<PollingTransport> transport_;  // Null once the body was taken.
};

// Null: the session has a POST under way already, which ends it. REQUIRES: the sid is of one.
std::unique_ptr<HttpCall> BeginPollingPost(TransportHome& home, std::string_view sid);

}  // namespace confab::edge
