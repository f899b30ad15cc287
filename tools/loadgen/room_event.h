// room_event.h: the few fields of a delivered event that a load looks at, found in one pass and
// without a DOM: the tool is to cost less than what it measures.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

namespace confab::loadgen {

struct RoomEvent {
  std::string_view name;
  std::string_view room;     // Member roomId; empty: the event is of no room.
  int64_t seq = 0;           // 0: not an entry of a room's log.
  std::string_view content;  // As JSON writes it, escapes and all.
};

// Reads the arguments of an event, `["newMessage",{"roomId":"r","seq":7,…}]`, no further than it
// has to. False: that is no event. The views are into `arguments`.
bool ReadRoomEvent(std::string_view arguments, RoomEvent& event);

}  // namespace confab::loadgen
