#include "control/fanout/own_topics.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace confab::control {

std::string TopicOfUser(std::string_view user) { return fmt::format("user:{}", user); }
std::string TopicOfRole(std::string_view role) { return fmt::format("role:{}", role); }

void OwnTopics::Add(const std::string& topic, const std::shared_ptr<Attachment>& edge) {
  if (!edge->is_attached()) return;  // Nobody would take it away again.
  Holders& holders = topics_[topic];
  for (Holder& holder : holders) {
    if (holder.edge == edge) {
      ++holder.connections;
      return;
    }
  }
  holders.push_back({edge, 1});
}

void OwnTopics::Remove(const std::string& topic, const Attachment& edge) {
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return;
  Holders& holders = found->second;
  std::erase_if(holders, [&](Holder& holder) {
    return holder.edge.get() == &edge && --holder.connections == 0;
  });
  if (holders.empty()) topics_.erase(found);
}

void OwnTopics::Detach(const Attachment& edge) {
  absl::erase_if(topics_, [&](auto& entry) {
    std::erase_if(entry.second, [&](const Holder& holder) { return holder.edge.get() == &edge; });
    return entry.second.empty();
  });
}

size_t OwnTopics::Broadcast(absl::Span<const std::string> topics, const v1::Broadcast& what) {
  struct Open {
    const std::shared_ptr<Attachment>* edge = nullptr;
    v1::Broadcast broadcast;
  };
  const auto send = [&](Open& open) {
    *outbox_.Add(*open.edge).mutable_broadcast() = std::exchange(open.broadcast, what);
  };
  std::vector<Open> open;
  size_t connections = 0;
  for (const std::string& topic : topics) {
    const auto found = topics_.find(topic);
    if (found == topics_.end()) continue;
    for (const Holder& holder : found->second) {
      if (!holder.edge->is_attached()) continue;
      connections += holder.connections;
      auto entry = std::find_if(open.begin(), open.end(), [&](const Open& other) {
        return other.edge->get() == holder.edge.get();
      });
      if (entry == open.end()) entry = open.insert(entry, Open{&holder.edge, what});
      entry->broadcast.add_topics(topic);
      if (static_cast<size_t>(entry->broadcast.topics_size()) == kTopicsLimit) send(*entry);
    }
  }
  for (Open& entry : open) {
    if (entry.broadcast.topics_size() > 0) send(entry);
  }
  return connections;
}

OwnTopics::Audience OwnTopics::AudienceOf(const std::string& topic) const {
  Audience audience;
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return audience;
  for (const Holder& holder : found->second) {
    if (!holder.edge->is_attached()) continue;
    audience.edges.push_back(holder.edge);
    audience.connections += holder.connections;
  }
  return audience;
}

void OwnTopics::Signal(const std::string& topic, const v1::Signal& signal, const Passed& passed) {
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return;
  for (const Holder& holder : found->second) {
    const bool is_told =
        std::find(passed.told.begin(), passed.told.end(), holder.edge) != passed.told.end();
    if (is_told || !holder.edge->is_attached()) continue;
    v1::Broadcast& broadcast = *outbox_.Add(holder.edge).mutable_broadcast();
    broadcast.add_topics(topic);
    if (holder.edge == passed.edge) broadcast.set_except_connection(passed.connection);
    *broadcast.mutable_signal() = signal;
  }
}

}  // namespace confab::control
