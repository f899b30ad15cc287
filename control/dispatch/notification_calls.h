// notification_calls.h: what services tell, and users' inboxes: goes to the lane of its target.
// Owns: nothing.   Used by: api, edge_notifications.
// Threads: any thread; callbacks run exactly once each, on a lane or reader thread, or inside the
// call when it is refused at once; they must not block.
// Fails: a refusal carries its reason; UNAVAILABLE while control does not serve.
#pragma once

#include <cstdint>
#include <string>

#include "confab/v1/notification.pb.h"

#include "control/dispatch/dispatcher.h"
#include "control/room/room_calls.h"
#include "storage/inbox.h"

namespace confab::control {

class NotificationCalls {
 public:
  explicit NotificationCalls(Dispatcher& dispatcher) : dispatcher_(dispatcher) {}

  // Checked here. `service` is the caller's name. `edge_key`: what makes a command known that an edge
  // sends again after re-attaching, without a key of the service's own.
  void Notify(v1::OutgoingNotification what, std::string service, Deadline deadline,
              Callback<v1::NotificationOutcome> done, std::string edge_key = {});
  // Gives the cursor afterwards.
  void AcknowledgeInbox(storage::UserId user, int64_t inbox_seq, Deadline deadline,
                        Callback<int64_t> done);
  void ReadInbox(storage::UserId user, int64_t after_seq, Callback<storage::InboxPage> done);

 private:
  Dispatcher& dispatcher_;
};

}  // namespace confab::control
