// slow_mode.h: who has posted when into a room that lets everybody post once in so many seconds.
// Owns: the last post of each user, bounded.   Used by: room.
// Threads: caller serialises (confined to the room's lane). Pure: time is a parameter.
// Fails: never. A restart forgets it: then everybody may post once.
#pragma once

#include <cstddef>

#include <absl/container/flat_hash_map.h>
#include <absl/time/time.h>

#include "storage/records.h"

namespace confab::control {

class SlowMode {
 public:
  // Beyond it all are forgotten, who may then post a second time too early.
  static constexpr size_t kUsersLimit = 10'000;

  // When the user may post next: `now`, or a later time. A post that may be counts, also if it is
  // refused for another reason later on; under its key it may come again.
  absl::Time Post(const storage::UserId& user, const storage::DedupKey& key, absl::Duration pace,
                  absl::Time now);
  void Clear() { last_.clear(); }

 private:
  struct LastPost {
    absl::Time at;
    storage::DedupKey key;
  };
  absl::flat_hash_map<storage::UserId, LastPost> last_;
};

}  // namespace confab::control
