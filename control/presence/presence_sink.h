// presence_sink.h: seam; where the presence of those who are watched goes (api's WatchPresence
// fills it).
// Used by: room_presence, user_lane.
// Threads: called on any lane, several at a time; must not block.
// Fails: never.
#pragma once

#include <memory>
#include <vector>

#include <absl/status/status.h>

#include "control/presence/presence_view.h"

namespace confab::control {

class PresenceSink {
 public:
  virtual ~PresenceSink() = default;
  // The user looks like this now.
  virtual void Offer(const SharedView& view) = 0;
  // Nothing is offered any more.
  virtual void End(absl::Status why) = 0;
  // Nobody listens any more.
  virtual bool is_gone() const = 0;
};

using PresenceSinks = std::vector<std::shared_ptr<PresenceSink>>;

// Offers to all, and lets go of those that are gone.
inline void OfferToAll(PresenceSinks& sinks, const SharedView& view) {
  std::erase_if(sinks, [](const auto& sink) { return sink->is_gone(); });
  for (const auto& sink : sinks) sink->Offer(view);
}

inline void EndAll(const PresenceSinks& sinks) {
  for (const auto& sink : sinks) sink->End(absl::UnavailableError("control is stopping"));
}

}  // namespace confab::control
