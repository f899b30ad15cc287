// feed.h: the events of all rooms in one order, and how far its readers have come.
// Threads: immutable values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <absl/time/time.h>

#include "storage/records.h"

namespace confab::storage {

// Where an event stands in the feed: by the number its transaction has in the store, then by room and
// seq. Nothing is ever added before a position that was read.
struct FeedPosition {
  int64_t number = 0;
  RoomId room;
  int64_t seq = 0;
  friend bool operator==(const FeedPosition&, const FeedPosition&) = default;
  friend auto operator<=>(const FeedPosition&, const FeedPosition&) = default;
};

struct FeedPage {
  std::vector<FeedPosition> events;  // Ascending; of each room without a hole, removed ones aside.
  bool at_end = false;               // There were no more.
};

// A consumer's cursor.
struct FeedCursor {
  std::string consumer;  // 1 to 64 bytes.
  FeedPosition position;
  absl::Time committed_at;
};

}  // namespace confab::storage
