#include "edge/transport/polling_calls.h"

#include <utility>

namespace confab::edge {

PollingGet::PollingGet(std::shared_ptr<PollingTransport> transport)
    : transport_(std::move(transport)) {}

PollingGet::~PollingGet() {
  if (transport_ != nullptr) transport_->OnGetGone();
}

PollingPost::PollingPost(std::shared_ptr<PollingTransport> transport)
    : transport_(std::move(transport)) {}

PollingPost::~PollingPost() {
  if (transport_ != nullptr) transport_->OnPostGone();
}

HttpAnswer PollingPost::End(std::string_view body) {
  return std::exchange(transport_, nullptr)->EndPost(body);
}

void PollingPost::OnAnswered() {
  if (transport_ != nullptr) std::exchange(transport_, nullptr)->DropPost();
}

std::unique_ptr<HttpCall> BeginPollingPost(TransportHome& home, std::string_view sid) {
  std::shared_ptr<PollingTransport> transport = home.sids.FindPolling(sid);
  if (!transport->BeginPost()) return nullptr;
  return std::make_unique<PollingPost>(std::move(transport));
}

}  // namespace confab::edge
