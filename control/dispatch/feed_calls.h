// feed_calls.h: the feed of all rooms' events and the cursors of its consumers.
// Owns: nothing.   Used by: api.
// Threads: any thread; callbacks run exactly once each, on a lane or reader thread, or inside the
// call when it is refused at once; they must not block.
// Fails: a refusal carries its reason; UNAVAILABLE while control does not serve.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <absl/functional/any_invocable.h>
#include <absl/time/time.h>

#include "confab/v1/event_feed_service.pb.h"

#include "control/dispatch/dispatcher.h"
#include "control/room/room_calls.h"
#include "storage/feed.h"

namespace confab::control {

struct FeedDone {};

// Positions are those of feed_page.h.
class FeedCalls {
 public:
  explicit FeedCalls(Dispatcher& dispatcher) : dispatcher_(dispatcher) {}

  void Read(const std::string& position, Callback<v1::ReadFeedResponse> done);
  void ReadEnd(Callback<std::string> done);
  // Nothing: the consumer has none.
  void ReadCursor(std::string consumer, Callback<std::optional<storage::FeedCursor>> done);
  void ListCursors(Callback<std::vector<storage::FeedCursor>> done);
  void CommitCursor(std::string consumer, const std::string& position, Deadline deadline,
                    Callback<FeedDone> done);
  void DeleteCursor(std::string consumer, Deadline deadline, Callback<FeedDone> done);

  // Runs `task` after that time on a lane; drops it unrun if control stops before. REQUIRES: control
  // has served.
  void After(absl::Duration delay, absl::AnyInvocable<void()> task);

 private:
  Dispatcher& dispatcher_;
};

}  // namespace confab::control
