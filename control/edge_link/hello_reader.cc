#include "control/edge_link/hello_reader.h"

#include <algorithm>
#include <utility>

namespace confab::control {

absl::Status HelloReader::Add(v1::Hello& chunk) {
  if (chunk.edge_id().empty() || chunk.edge_id().size() > kEdgeIdBytesLimit) {
    return absl::InvalidArgumentError("edge_id has 1 to 128 bytes");
  }
  if (!has_identity_) {
    has_identity_ = true;
    hello_.edge_id = chunk.edge_id();
    hello_.epoch = chunk.epoch();
    hello_.version = chunk.version();
  } else if (hello_.edge_id != chunk.edge_id() || hello_.epoch != chunk.epoch()) {
    return absl::InvalidArgumentError("the chunks of a Hello name different edges");
  }
  if (auto status = AddRooms(chunk); !status.ok()) return status;
  if (auto status = AddUsers(chunk); !status.ok()) return status;
  is_complete_ = chunk.last();
  return absl::OkStatus();
}

absl::Status HelloReader::AddRooms(v1::Hello& chunk) {
  for (v1::RoomPosition& position : *chunk.mutable_rooms()) {
    if (position.delivered_seq() < 0) {
      return absl::InvalidArgumentError("delivered_seq is negative");
    }
    if (hello_.rooms.size() >= kRoomsLimit) {
      return absl::InvalidArgumentError("too many rooms are announced");
    }
    if (!rooms_.emplace(position.room_id(), hello_.rooms.size()).second) continue;
    EdgeAnnouncement::Room& room = hello_.rooms.emplace_back();
    room.delivered_seq = position.delivered_seq();
    room.room = storage::RoomId(std::move(*position.mutable_room_id()));
  }
  return absl::OkStatus();
}

// Rooms come before the connections that refer to them.
absl::Status HelloReader::AddUsers(const v1::Hello& chunk) {
  connections_ += static_cast<size_t>(chunk.connections_size());
  if (connections_ > kConnectionsLimit) {
    return absl::InvalidArgumentError("too many connections are announced");
  }
  for (const v1::AnnouncedConnection& connection : chunk.connections()) {
    for (const std::string& id : connection.room_ids()) {
      const auto room = rooms_.find(id);
      if (room == rooms_.end()) {
        orphans_.push_back({connection.opened().connection(), id});
      } else {
        hello_.rooms[room->second].users.emplace_back(connection.opened().user().id());
      }
    }
  }
  return absl::OkStatus();
}

EdgeAnnouncement HelloReader::Take() {
  for (EdgeAnnouncement::Room& room : hello_.rooms) {
    std::sort(room.users.begin(), room.users.end());
    room.users.erase(std::unique(room.users.begin(), room.users.end()), room.users.end());
  }
  rooms_.clear();
  return std::move(hello_);
}

}  // namespace confab::control
