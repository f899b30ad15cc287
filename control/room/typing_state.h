// typing_state.h: who types in one room, and when others are to be told.
// Owns: an entry for each user who types or has just done so.
// Used by: room_typing.
// Threads: caller serialises (confined to the room's lane). Pure: no clock, no I/O.
// Fails: never; users beyond the limit type unseen.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "storage/records.h"

namespace confab::control {

class TypingState {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Others are told of one user this often at most …
  static constexpr std::chrono::seconds kInterval{2};
  // … and that it is over this long after the user was last heard to type.
  static constexpr std::chrono::seconds kEnd{6};
  // More than anybody can look at; some 100 KB.
  static constexpr size_t kTypistsLimit = 1'000;

  // The user types. True: others are to be told.
  bool Begin(const storage::UserId& user, Time now);
  // The user types no more. True: others are to be told.
  bool End(const storage::UserId& user, Time now);
  // Those for whom it is over by itself; others are to be told of each.
  std::vector<storage::UserId> Expire(Time now);
  // When to ask Expire again.
  std::optional<Time> NextAt() const;

  bool empty() const { return typists_.empty(); }

 private:
  struct Typist {
    Time told_at;           // That the user types.
    Time ends_at;           // While shown: when it is over.
    bool is_shown = false;  // Others think that the user types.
  };
  static Time DueAt(const Typist& typist);

  absl::flat_hash_map<storage::UserId, Typist> typists_;
};

}  // namespace confab::control
