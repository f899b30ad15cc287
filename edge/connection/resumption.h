// resumption.h: the rooms that a client resumes, on their way to be joined, a few at a time, and what
// became of each. Decides; asks nothing itself.
// Owns: rooms that wait, the answer.   Used by: own_joins.
// Threads: confined to the io thread. Time is a parameter.
// Fails: never; what is refused for good is part of the answer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "confab/v1/edge_link.pb.h"

namespace confab::edge {

class Resumption {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  // Joins under way at once: enough that 100 rooms take no 100 round trips, and few enough that a
  // connection does not hold the turns of its whole thread.
  static constexpr std::size_t kAtOnce = 8;
  // From then on a room that control cannot take now is told so: a control that starts anew, or a
  // standby, is there long before.
  static constexpr std::chrono::seconds kPatience{60};

  // `command` is a Resume. `reply_id`: whom its answer is for; nullopt: nobody waits for one.
  Resumption(v1::Command&& command, std::optional<std::uint64_t> reply_id, SteadyTime now);

  // The client's, its rooms taken out.
  const v1::Command& command() const { return command_; }
  std::optional<std::uint64_t> reply_id() const { return reply_id_; }

  // What to ask control next; nullopt: nothing for now.
  std::optional<v1::Command> Next();
  // It could not be asked: Next gives it again.
  void OnNotAsked(std::string_view room);
  // What became of it. True: it is refused for good, which may be news to the client; else it is
  // joined, is asked again, or was left.
  bool OnResult(std::string_view room, const v1::Result& result, SteadyTime now);
  // The client leaves the room: it is not to be joined any more.
  void OnLeft(std::string_view room);

  // Nothing more is asked: what is not decided yet is refused so.
  void GiveUp(const v1::Error& why);

  // What the client has of a room that is neither decided nor left.
  std::optional<std::int64_t> PositionOf(std::string_view room) const;

  bool IsDone() const { return waiting_.empty() && asked_.empty(); }
  // REQUIRES: IsDone.
  v1::Result TakeAnswer();

 private:
  struct Room {
    std::string id;
    std::int64_t after_seq = 0;
    bool is_left = false;
  };

  v1::ResumedRoom& Outcome(const Room& room);
  void RefuseLeft(const Room& room);

  v1::Command command_;
  const std::optional<std::uint64_t> reply_id_;
  const SteadyTime patient_until_;
  std::deque<Room> waiting_;
  std::vector<Room> asked_;
  v1::ResumeResult answer_;
};

}  // namespace confab::edge
