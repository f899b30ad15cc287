#include "edge/hello.h"

#include <fmt/format.h>

namespace confab::edge {

namespace {

constexpr std::string_view kRoomPrefix = "room:";
constexpr std::size_t kTagBytes = 8;  // Tag and length before each element, with room to spare.

class HelloWriter {
 public:
  HelloWriter(const EdgeIdentity& identity, std::size_t bytes_limit)
      : identity_(identity), bytes_limit_(bytes_limit) {
    Begin();
  }

  // The chunk that has room for so many bytes.
  v1::Hello& Reserve(std::size_t bytes) {
    bytes += kTagBytes;
    if (used_ + bytes > bytes_limit_ && used_ > empty_) Begin();
    used_ += bytes;
    return chunks_.back();
  }

  std::vector<v1::Hello> Finish() {
    chunks_.back().set_last(true);
    return std::move(chunks_);
  }

 private:
  void Begin() {
    v1::Hello& chunk = chunks_.emplace_back();
    chunk.set_edge_id(identity_.edge_id);
    chunk.set_epoch(identity_.epoch);
    chunk.set_version(identity_.version);
    empty_ = used_ = chunk.ByteSizeLong() + 2 * kTagBytes;
  }

  const EdgeIdentity& identity_;
  const std::size_t bytes_limit_;
  std::size_t empty_ = 0;
  std::size_t used_ = 0;
  std::vector<v1::Hello> chunks_;
};

}  // namespace

std::string TopicOfRoom(std::string_view room) {
  std::string topic(kRoomPrefix);
  topic += room;
  return topic;
}

std::string_view RoomOfTopic(std::string_view topic) {
  if (!topic.starts_with(kRoomPrefix)) return {};
  return topic.substr(kRoomPrefix.size());
}

std::vector<std::string> RoomsAmong(const std::vector<std::string>& topics) {
  std::vector<std::string> rooms;
  for (const std::string& topic : topics) {
    if (const std::string_view room = RoomOfTopic(topic); !room.empty()) rooms.emplace_back(room);
  }
  return rooms;
}

std::vector<std::string> OwnTopics(std::string_view user, std::string_view role) {
  std::vector<std::string> topics{fmt::format("user:{}", user)};
  if (!role.empty()) topics.push_back(fmt::format("role:{}", role));
  return topics;
}

std::vector<v1::Hello> BuildHello(const EdgeIdentity& identity,
                                  const std::vector<std::pair<std::string, std::int64_t>>& topics,
                                  std::vector<v1::AnnouncedConnection> connections,
                                  std::size_t bytes_limit) {
  HelloWriter writer(identity, bytes_limit);
  for (const auto& [topic, position] : topics) {
    const std::string_view room = RoomOfTopic(topic);
    if (room.empty()) continue;
    v1::RoomPosition entry;
    entry.set_room_id(std::string(room));
    entry.set_delivered_seq(position);
    *writer.Reserve(entry.ByteSizeLong()).add_rooms() = std::move(entry);
  }
  for (v1::AnnouncedConnection& connection : connections) {
    *writer.Reserve(connection.ByteSizeLong()).add_connections() = std::move(connection);
  }
  return writer.Finish();
}

}  // namespace confab::edge
