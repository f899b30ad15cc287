// own_joins.h: what a connection joins by itself: the rooms that its client resumes, then those that
// its dialect subscribes it to. One of the two at a time, so that neither counts or doubles what the
// other does. Decides; asks nothing itself.
// Owns: both.   Used by: connection.
// Threads: confined to the io thread. Time is a parameter.
// Fails: never.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "confab/v1/edge_link.pb.h"

#include "edge/connection/auto_subscription.h"
#include "edge/connection/resumption.h"

namespace confab::edge {

class OwnJoins {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  // `pattern` is the dialect's and outlives this object; empty: it subscribes to nothing.
  explicit OwnJoins(std::string_view pattern);

  // Looks for all rooms that the dialect wants.
  void Restart();
  // The user has become a member of a room by the event `seq`.
  void OnMember(std::string_view room, std::int64_t seq);

  // REQUIRES: nothing is being resumed.
  void Resume(Resumption&& resumption) { resumption_.emplace(std::move(resumption)); }
  Resumption* resumption() { return resumption_ ? &*resumption_ : nullptr; }

  // What to ask control next; nullopt: nothing for now.
  std::optional<v1::Command> Next();
  // True: the join is one of the client's rooms.
  bool IsResumed(const v1::Command& command) const;
  // It could not be asked: Next gives it again.
  void OnNotAsked(const v1::Command& command);
  // What became of it; what was refused for now is asked again, after a pause. True: a room of the
  // client's is refused for good.
  bool OnResult(const v1::Command& command, const v1::Result& result, SteadyTime now);
  // How long the pause is still to last at least; nullopt: there is none. OnTick ends it.
  std::optional<std::chrono::milliseconds> PauseAt(SteadyTime now) const;
  void OnTick(SteadyTime now);

  // The resumption, once each of its rooms is decided.
  std::optional<Resumption> TakeDone();
  // Nothing is left to do, ever.
  bool IsIdle() const { return !auto_ && !resumption_; }

 private:
  std::optional<AutoSubscription> auto_;
  std::optional<Resumption> resumption_;
  bool is_pausing_ = false;
  SteadyTime retry_at_;  // Control said not to ask before.
};

}  // namespace confab::edge
