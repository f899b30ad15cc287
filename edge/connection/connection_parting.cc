// What another edge has to know of a Connection to go on in its place.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "edge/connection/connection.h"

namespace confab::edge {

// Where a room is being replayed the client has what was handed over of it, and nothing that came
// live meanwhile. What it still lacks of a room that it has left by now nobody else can tell it, nor
// what it was to resume. Where frames were dropped that we are not told of yet (the last words may
// have had no room but theirs), or the transport is closed already, positions say too much.
bool Connection::DescribeLost(v1::LostSession& session) const {
  if (!is_admitted_ || has_given_up_ || !transport_->HasRoomBelow(SIZE_MAX)) return false;
  const auto replay_of = [&](const std::string& room) -> const RoomReplay* {
    if (catchup_ == nullptr) return nullptr;
    const auto found = std::find_if(catchup_->replays.begin(), catchup_->replays.end(),
                                    [&](const RoomReplay& one) { return one.room() == room; });
    return found == catchup_->replays.end() ? nullptr : &*found;
  };
  if (catchup_ != nullptr && std::any_of(catchup_->replays.begin(), catchup_->replays.end(),
                                         [](const RoomReplay& one) { return one.is_ending(); })) {
    return false;
  }
  session.set_user_id(user_id_);
  for (std::string& room : host_.RoomsOf(*this)) {
    const RoomReplay* replay = replay_of(room);
    const std::optional<std::int64_t> position =
        replay != nullptr ? replay->after_seq() : host_.PositionOf(*this, room);
    if (!position) continue;
    const std::int64_t live_behind = replay != nullptr ? 0 : host_.LiveBehind(*this, room);
    v1::LostRoom& lost = *session.add_rooms();
    lost.set_room_id(std::move(room));
    lost.set_after_seq(std::max(*position, live_behind));
  }
  return true;
}

}  // namespace confab::edge
