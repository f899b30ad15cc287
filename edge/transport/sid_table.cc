#include "edge/transport/sid_table.h"

#include <utility>

namespace confab::edge {

void SidTable::AddPolling(std::string_view sid, std::shared_ptr<PollingTransport> transport) {
  polling_.emplace(sid, std::move(transport));
}

void SidTable::RemovePolling(std::string_view sid) {
  // The transport owns the sid that is looked for: it goes after the entry.
  const std::shared_ptr<PollingTransport> leaving = FindPolling(sid);
  polling_.erase(sid);
}

SidState SidTable::StateOf(std::string_view sid) const {
  if (polling_.contains(sid)) return SidState::kPolling;
  return on_websocket_.contains(sid) ? SidState::kWebSocket : SidState::kUnknown;
}

std::shared_ptr<PollingTransport> SidTable::FindPolling(std::string_view sid) const {
  const auto it = polling_.find(sid);
  return it == polling_.end() ? nullptr : it->second;
}

void SidTable::Clear() {
  // Taken out first: what goes may look itself up.
  const auto leaving = std::move(polling_);
  polling_.clear();
}

}  // namespace confab::edge
