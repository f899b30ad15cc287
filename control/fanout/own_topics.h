// own_topics.h: which edges hold the topics that connections have by themselves ("user:7",
// "role:teacher"), of one lane.
// Owns: for each topic the edges with connections that have it.
// Used by: user_lane.
// Threads: confined to the lane.
// Fails: never; what is for a detached edge is dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/types/span.h>

#include "confab/v1/edge_link.pb.h"

#include "control/fanout/edge_outbox.h"
#include "control/fanout/edge_registry.h"

namespace confab::control {

std::string TopicOfUser(std::string_view user);
std::string TopicOfRole(std::string_view role);

// Who is passed over when a topic is told.
struct Passed {
  std::shared_ptr<Attachment> edge;  // Of the connection; null: none.
  uint64_t connection = 0;
  std::vector<std::shared_ptr<Attachment>> told;  // Edges that have told whoever has the topic.
};

class OwnTopics {
 public:
  // What one Broadcast names at most: some 20 KB of ids.
  static constexpr size_t kTopicsLimit = 512;

  explicit OwnTopics(EdgeOutbox& outbox) : outbox_(outbox) {}

  // One more, one less connection of the edge has the topic.
  void Add(const std::string& topic, const std::shared_ptr<Attachment>& edge);
  void Remove(const std::string& topic, const Attachment& edge);
  // None of the edge's connections has any.
  void Detach(const Attachment& edge);

  // Sends `what` to the topics, by one Broadcast to each edge that holds any of them (or more, if
  // they are many). Returns how many connections have them; one with two topics counts twice.
  size_t Broadcast(absl::Span<const std::string> topics, const v1::Broadcast& what);
  // The edges that hold a topic, and how many connections have it there.
  struct Audience {
    std::vector<std::shared_ptr<Attachment>> edges;
    size_t connections = 0;
  };
  Audience AudienceOf(const std::string& topic) const;
  // Something live, to one topic.
  void Signal(const std::string& topic, const v1::Signal& signal, const Passed& passed);

  size_t size() const { return topics_.size(); }

 private:
  struct Holder {
    std::shared_ptr<Attachment> edge;
    size_t connections = 0;
  };
  using Holders = std::vector<Holder>;  // One for each edge; mostly one.

  EdgeOutbox& outbox_;
  absl::flat_hash_map<std::string, Holders> topics_;
};

}  // namespace confab::control
