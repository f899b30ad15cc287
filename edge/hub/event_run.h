// event_run.h: events of one topic that are told together, and to whom they are not.
// Owns: nothing.   Used by: io_thread (finds them), hub, joined_frames.
// Threads: confined to the io thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "confab/v1/edge_link.pb.h"

#include "edge/recovery/offset.h"
#include "edge/transport/transport.h"

namespace confab::edge {

struct EventRun {
  struct Told {
    const v1::RoomEvent* event = nullptr;
    std::uint64_t number = 0;  // Of the stamp, when it is encoded.

    std::int64_t seq() const { return event->event().seq(); }
  };

  std::string_view topic;
  std::vector<Told> events;  // By seq. What they point to outlives the run.
  // What else is said there stands between the events: they are told one by one.
  std::vector<const Transport*> apart;
  OffsetStamp* stamp = nullptr;  // Null: no frame has an offset.
  // Of a frame that holds several events.
  std::size_t frame_bytes_limit = SIZE_MAX;
};

}  // namespace confab::edge
