// auto_subscription.h: which rooms of its user a connection has still to join by itself, as its
// dialect says. Decides; asks nothing itself.
// Owns: rooms that wait to be joined.   Used by: own_joins.
// Threads: confined to the io thread.
// Fails: never; what control refuses for good is passed over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "confab/v1/edge_link.pb.h"

namespace confab::edge {

class AutoSubscription {
 public:
  // More than a connection may be in.
  static constexpr std::size_t kRoomsLimit = 1'000;

  // A room's id, or its beginning and a '*'. The text outlives this object.
  explicit AutoSubscription(std::string_view pattern) : pattern_(pattern) {}

  // Looks for all rooms of the user, from the beginning.
  void Restart();
  // The user has become a member by the event `seq`: the join of it starts with that.
  void OnMember(std::string_view room, std::int64_t seq);

  // What to ask control next; nullopt: nothing, or the answer to the last one is still awaited.
  std::optional<v1::Command> Next();
  bool is_waiting() const { return is_waiting_; }
  // It could not be asked: Next gives it again.
  void OnNotAsked() { is_waiting_ = false; }
  // What became of it.
  void OnResult(const v1::Result& result);
  void OnRefused(const v1::Error& why);

 private:
  struct Room {
    std::string id;
    std::int64_t after_seq = -1;  // Below 0: only what comes is wanted.
  };

  std::string_view Prefix() const;
  bool Matches(std::string_view room) const;
  void Add(std::string_view room, std::int64_t after_seq);

  const std::string_view pattern_;
  std::deque<Room> rooms_;
  std::optional<std::string> next_page_;  // Of the user's rooms: to be asked for behind these.
  bool is_waiting_ = false;
  bool has_asked_page_ = false;  // What is awaited: a page, or the first room's join.
};

}  // namespace confab::edge
