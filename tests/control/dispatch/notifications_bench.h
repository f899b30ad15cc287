// notifications_bench.h: control with words for telling things, and edges that count.
// Threads: caller serialises.
#pragma once

#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "control/dispatch/notification_calls.h"
#include "storage/inbox.h"
#include "tests/control/dispatch/control_bench.h"

namespace confab::control {

inline OpenedConnection Opened(uint64_t connection, const std::string& user,
                               const std::string& role = "") {
  OpenedConnection opened;
  opened.connection = connection;
  opened.user = storage::UserId(user);
  opened.role_context = role;
  return opened;
}

inline v1::OutgoingNotification Note(const std::string& event = "sale") {
  v1::OutgoingNotification what;
  what.set_event(event);
  what.set_json("{}");
  return what;
}
inline v1::OutgoingNotification ToUser(const std::string& user, const std::string& event = "sale") {
  v1::OutgoingNotification what = Note(event);
  what.set_user_id(user);
  return what;
}
inline v1::OutgoingNotification Logged(const std::string& user, const std::string& event = "sale",
                                       const std::string& key = "") {
  v1::OutgoingNotification what = ToUser(user, event);
  what.set_delivery_class(v1::DELIVERY_CLASS_LOGGED);
  what.set_idempotency_key(key);
  return what;
}

class NotificationsTest : public ControlBench {
 protected:
  // The user's inbox was looked at before anything is told: else there may be a line of it.
  void OpenAnn(TestEdge& edge) {
    const int before = store_->calls(storage::StoreCall::kReadInboxHeads);
    edge.Send(Opened(1, "ann"));
    const Deadline until = Soon();
    while (store_->calls(storage::StoreCall::kReadInboxHeads) == before &&
           std::chrono::steady_clock::now() < until) {
      std::this_thread::yield();
    }
  }
  absl::StatusOr<v1::NotificationOutcome> Notify(const v1::OutgoingNotification& what) {
    Awaited<v1::NotificationOutcome> outcome;
    NotificationCalls(*dispatcher_).Notify(what, "shop", Soon(), outcome.callback());
    return outcome.Get();
  }
  v1::NotificationOutcome Told(const v1::OutgoingNotification& what) {
    auto outcome = Notify(what);
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    return outcome.ok() ? *outcome : v1::NotificationOutcome();
  }
  storage::InboxPage Inbox(const std::string& user, int64_t after = 0) {
    Awaited<storage::InboxPage> page;
    NotificationCalls(*dispatcher_).ReadInbox(storage::UserId(user), after, page.callback());
    auto answer = page.Get();
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? *answer : storage::InboxPage();
  }
  // The edge answers to what it was sent with that line: it has handed it to so many.
  static void Report(TestEdge& edge, const std::string& line, uint32_t connections) {
    ASSERT_TRUE(edge.stream().AwaitLine(line));
    for (const v1::ControlItem& item : edge.stream().items()) {
      const v1::PushedNotification& pushed =
          item.has_direct() ? item.direct().notification() : item.broadcast().notification();
      if (LineOf(item) != line || pushed.report() == 0) continue;
      v1::NotificationReport report;
      report.set_report(pushed.report());
      report.set_connections(connections);
      edge.Send(report);
    }
  }
};

}  // namespace confab::control
