// room_settings.h: what can be changed of a room, and how the event of such a change keeps it.
// Threads: pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/text_map.h"

namespace confab::storage {

struct RoomSettings {
  std::string topic;
  bool is_public = false;
  bool is_archived = false;       // Nothing is posted any more.
  bool is_read_only = false;      // Only moderators and owners post.
  int32_t slow_mode_seconds = 0;  // 0: none.
  TextMap metadata = {};          // Whatever those who run the room want to find there.
  friend bool operator==(const RoomSettings&, const RoomSettings&) = default;
};

// The content of a kRoomUpdated: all settings as they are since then.
std::string EncodeSettings(const RoomSettings& settings);
// nullopt: that is none.
std::optional<RoomSettings> DecodeSettings(std::string_view text);

}  // namespace confab::storage
