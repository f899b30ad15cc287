// sid_table.h: which Engine.IO sessions live on one io thread, and what carries each.
// Owns: the polling transports.   Used by: http_talk (finds), transports (enter and leave).
// Threads: confined to the io thread.
#pragma once

#include <memory>
#include <string_view>

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

namespace confab::edge {

class PollingTransport;

enum class SidState : char { kUnknown, kPolling, kWebSocket };

class SidTable {
 public:
  // Views of the sid are kept: whoever enters leaves before it goes.
  void AddPolling(std::string_view sid, std::shared_ptr<PollingTransport> transport);
  void RemovePolling(std::string_view sid);
  void AddWebSocket(std::string_view sid) { on_websocket_.insert(sid); }
  void RemoveWebSocket(std::string_view sid) { on_websocket_.erase(sid); }

  bool HasPolling() const { return !polling_.empty(); }
  SidState StateOf(std::string_view sid) const;
  // Null: not of a polling session.
  std::shared_ptr<PollingTransport> FindPolling(std::string_view sid) const;

  // Ends all polling sessions without a word.
  void Clear();

 private:
  absl::flat_hash_map<std::string_view, std::shared_ptr<PollingTransport>> polling_;
  absl::flat_hash_set<std::string_view> on_websocket_;
};

}  // namespace confab::edge
