// hello.h: what an edge announces on a new stream, cut into chunks. Pure.
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "confab/v1/edge_link.pb.h"

namespace confab::edge {

struct EdgeIdentity {
  std::string edge_id;
  std::uint64_t epoch = 0;
  std::string version;
};

// DESIGN.md section 5; control takes 1 MiB a message.
inline constexpr std::size_t kHelloBytesLimit = 512 * 1024;

// "room:<id>" and back. RoomOfTopic: empty if the topic is no room's.
std::string TopicOfRoom(std::string_view room);
std::string_view RoomOfTopic(std::string_view topic);

// The rooms whose topics are among these.
std::vector<std::string> RoomsAmong(const std::vector<std::string>& topics);

// What a connection has by itself beside "all": "user:<id>", and "role:<role>" if there is one.
std::vector<std::string> OwnTopics(std::string_view user, std::string_view role);
inline constexpr std::string_view kTopicOfAll = "all";

// At least one chunk; the last one says so.
std::vector<v1::Hello> BuildHello(const EdgeIdentity& identity,
                                  const std::vector<std::pair<std::string, std::int64_t>>& topics,
                                  std::vector<v1::AnnouncedConnection> connections,
                                  std::size_t bytes_limit = kHelloBytesLimit);

}  // namespace confab::edge
