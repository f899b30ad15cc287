// key_lookup.h: asks the store about the key of a notification that memory does not know, before it is
// told: it may have been stored by a control before this one. What comes for the same user meanwhile
// waits behind it, so that nothing is overtaken.
// Owns: the calls that wait.   Used by: notification_lane.
// Threads: confined to the lane.
// Fails: never; what the store does not say counts as new.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>

#include <absl/container/flat_hash_map.h>
#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>

#include "control/lane/lane.h"
#include "control/lane/read_gate.h"
#include "control/notification/notify_call.h"
#include "storage/store.h"

namespace confab::control {

class KeyLookup {
 public:
  // What one stream of a service may have under way.
  static constexpr size_t kBehindLimit = 256;

  enum class Turn {
    kNow,    // Nothing is in its way; the call is untouched.
    kLater,  // The call was taken.
    kFull,   // Too many wait already; the call is untouched.
  };
  // Goes on with a call. `first`: what was stored under its key; not is_duplicate: nothing was.
  using GoOn = absl::AnyInvocable<void(std::unique_ptr<NotifyCall>, const storage::InboxOutcome&)>;

  // All of them outlive this object.
  KeyLookup(Lane& lane, ReadPool& readers, storage::Store& store, GoOn go_on);
  KeyLookup(const KeyLookup&) = delete;
  KeyLookup& operator=(const KeyLookup&) = delete;

  // Of a call to a user. False: there is nothing to look up, only to wait behind what is.
  Turn Take(std::unique_ptr<NotifyCall>& call, bool has_to_ask);

  // REQUIRES: the pool has stopped. Goes on with all.
  void Stop() { reads_.Stop(); }

 private:
  struct Held {
    std::unique_ptr<NotifyCall> call;
    bool has_to_ask = false;
  };

  void Ask(std::unique_ptr<NotifyCall> call);
  void OnAnswer(std::unique_ptr<NotifyCall> call, const storage::InboxOutcome& first);

  ReadGate reads_;
  storage::Store& store_;
  GoOn go_on_;
  absl::flat_hash_map<storage::UserId, std::deque<Held>> behind_;  // By whom is being asked about.
};

}  // namespace confab::control
