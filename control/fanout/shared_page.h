// shared_page.h: a piece of a room's log as edges and connections are given it; each event is made
// into its message once, however many get it.
// Threads: immutable values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "confab/v1/edge_link.pb.h"

namespace confab::control {

class SharedEvent {
 public:
  explicit SharedEvent(v1::RoomEvent event)
      : event_(std::make_shared<const v1::RoomEvent>(std::move(event))),
        bytes_(event_->ByteSizeLong()) {}

  int64_t seq() const { return event_->event().seq(); }
  size_t bytes() const { return bytes_; }  // On the stream.
  const v1::RoomEvent& operator*() const { return *event_; }
  const v1::RoomEvent* operator->() const { return event_.get(); }

 private:
  std::shared_ptr<const v1::RoomEvent> event_;
  size_t bytes_;
};

// As storage::EventPage, read forward.
struct SharedPage {
  std::vector<SharedEvent> events;  // Ascending seq, contiguous.
  bool more = false;                // Further events lie behind these.
  int64_t last_seq = 0;             // Of the room, in the same snapshot.
  int64_t member_seq = 0;           // Likewise.
};

// How much of the log is wanted.
struct PageLimits {
  size_t events = 0;
  size_t bytes = 0;  // At least one event is held.
};

// Drops what is beyond the limits from the page's end.
void CutTo(const PageLimits& limits, SharedPage& page);

}  // namespace confab::control
