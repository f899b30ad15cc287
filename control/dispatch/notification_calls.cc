#include "control/dispatch/notification_calls.h"

#include <algorithm>
#include <utility>

#include <absl/time/clock.h>

#include "control/dispatch/command_translator.h"
#include "control/dispatch/store_read.h"
#include "control/notification/notification_rules.h"
#include "control/room/event_message.h"
#include "control/room/uuid7.h"

namespace confab::control {

using storage::UserId;

namespace {

absl::Status BadRequest(std::string message) {
  return RefusalStatus(v1::REASON_BAD_REQUEST, std::move(message));
}

}  // namespace

void NotificationCalls::Notify(v1::OutgoingNotification what, std::string service,
                               Deadline deadline, Callback<v1::NotificationOutcome> done,
                               std::string edge_key) {
  if (!dispatcher_.is_serving()) return done(NotServing());
  if (auto status = CheckNotification(what); !status.ok()) return done(status);
  if (auto refusal = CheckId(service, "the service's name")) {
    return done(ToStatus(*std::move(refusal)));
  }
  auto call = std::make_unique<NotifyCall>();
  call->made.set_notification_id(NewUuid7());
  call->made.set_event(what.event());
  if (what.has_binary()) {
    call->made.set_binary(std::move(*what.mutable_binary()));
  } else {
    call->made.set_json(std::move(*what.mutable_json()));
  }
  *call->made.mutable_created_at() = ToMessage(absl::Now());
  call->what = std::move(what);
  call->service = std::move(service);
  call->edge_key = std::move(edge_key);
  call->deadline = dispatcher_.DeadlineOf(deadline);
  call->done = std::move(done);
  const size_t lane = dispatcher_.lanes().LaneOf(call->what);
  dispatcher_.lanes().PostNotifications(
      lane, [call = std::move(call)](NotificationLane& notifications) mutable {
        notifications.Notify(std::move(call));
      });
}

void NotificationCalls::AcknowledgeInbox(UserId user, int64_t inbox_seq, Deadline deadline,
                                         Callback<int64_t> done) {
  if (!dispatcher_.is_serving()) return done(NotServing());
  // An empty id would be the system.
  if (auto refusal = CheckId(user.value, "the user's id")) {
    return done(ToStatus(*std::move(refusal)));
  }
  if (inbox_seq < 0) return done(BadRequest("inboxSeq is negative"));
  const size_t lane = dispatcher_.lanes().LaneOf(user);
  auto call = std::make_unique<AckCall>();
  call->user = std::move(user);
  call->inbox_seq = inbox_seq;
  call->deadline = dispatcher_.DeadlineOf(deadline);
  call->done = std::move(done);
  dispatcher_.lanes().PostNotifications(
      lane, [call = std::move(call)](NotificationLane& notifications) mutable {
        notifications.Acknowledge(std::move(call));
      });
}

void NotificationCalls::ReadInbox(UserId user, int64_t after_seq,
                                  Callback<storage::InboxPage> done) {
  if (auto refusal = CheckId(user.value, "the user's id")) {
    return done(ToStatus(*std::move(refusal)));
  }
  storage::InboxQuery query;
  query.user = std::move(user);
  query.after_seq = std::max<int64_t>(after_seq, 0);
  query.now = absl::Now();
  ReadStore<storage::InboxPage>(
      dispatcher_,
      [query = std::move(query)](storage::Store& store) { return store.ReadInbox(query); },
      std::move(done));
}

}  // namespace confab::control
