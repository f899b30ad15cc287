// notify_call.h: what a service wants told and what a user has dealt with, on their way through a lane.
// Threads: values; a call is in one thread's hands at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <absl/status/status.h>

#include "confab/v1/edge_link.pb.h"
#include "confab/v1/notification.pb.h"
#include "confab/v1/types.pb.h"

#include "control/room/room_calls.h"
#include "storage/records.h"

namespace confab::control {

// One thing a service wants told, checked by notification_rules.
struct NotifyCall {
  NotifyCall() = default;
  NotifyCall(const NotifyCall&) = delete;
  NotifyCall& operator=(const NotifyCall&) = delete;
  ~NotifyCall() {  // Dropped unanswered: its lane has ended.
    if (done != nullptr) done(absl::UnavailableError("control is stopping"));
  }

  v1::OutgoingNotification what;
  v1::Notification made;  // As clients get it; without inbox_seq.
  std::string service;
  std::string edge_key;  // Of an edge's command; empty: a service called control itself.
  Deadline deadline;
  Callback<v1::NotificationOutcome> done;
};

struct AckCall {
  AckCall() = default;
  AckCall(const AckCall&) = delete;
  AckCall& operator=(const AckCall&) = delete;
  ~AckCall() {
    if (done != nullptr) done(absl::UnavailableError("control is stopping"));
  }

  storage::UserId user;
  int64_t inbox_seq = 0;
  Deadline deadline;
  Callback<int64_t> done;  // Gets the cursor afterwards.
};

// What decides the lane of a notification: its target.
std::string LaneKeyOf(const v1::OutgoingNotification& notification);

// What edges fan it out on: "user:ann".
std::string TopicOf(const v1::OutgoingNotification& what);

// What a retry is known by within one target. Without a key of the service's own an edge may still
// send its command again after re-attaching, and a batch be written again after a lost answer.
std::string DedupOf(const NotifyCall& call);
// The same where the store does not know it.
std::string KeyOf(const NotifyCall& call);
// True: the same may come again, as a call of its own.
bool MayBeRepeated(const NotifyCall& call);

bool IsLogged(const NotifyCall& call);

v1::PushedNotification PushOf(const NotifyCall& call);
v1::ControlItem BroadcastOf(const NotifyCall& call, v1::PushedNotification pushed);
v1::NotificationOutcome OutcomeOf(const NotifyCall& call, size_t connections);

}  // namespace confab::control
