#include "control/dispatch/edge_notifications.h"

#include <chrono>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "control/dispatch/edge_answer.h"
#include "control/dispatch/notification_calls.h"
#include "control/room/event_message.h"

namespace confab::control {
namespace {

void FillPage(storage::InboxPage& page, v1::InboxPage& out) {
  for (storage::InboxEntry& entry : page.entries) {
    v1::Notification& notification = *out.add_notifications();
    notification.set_notification_id(std::move(entry.notification.notification_id));
    notification.set_event(std::move(entry.notification.event));
    if (entry.notification.is_binary) {
      notification.set_binary(std::move(entry.notification.payload));
    } else {
      notification.set_json(std::move(entry.notification.payload));
    }
    *notification.mutable_created_at() = ToMessage(entry.notification.created_at);
    notification.set_inbox_seq(entry.seq);
  }
  out.set_through_seq(page.through_seq);
  out.set_more(page.more);
}

}  // namespace

bool AnswerNotification(Dispatcher& dispatcher, const std::shared_ptr<Attachment>& edge,
                        EdgeCommand& asked, Deadline now) {
  v1::Command& command = asked.command;
  NotificationCalls calls(dispatcher);
  if (!command.has_notify() && !command.has_read_inbox() && !command.has_ack_inbox()) return false;
  const Deadline deadline = command.deadline_ms() == 0
                                ? Deadline::max()
                                : now + std::chrono::milliseconds(command.deadline_ms());
  if (command.has_notify()) {
    std::string edge_key = fmt::format("{}{}", edge->key_prefix(), command.request());
    calls.Notify(
        std::move(*command.mutable_notify()->mutable_notification()), std::move(asked.service),
        deadline,
        Answer<v1::NotificationOutcome>(edge, command,
                                        [](v1::NotificationOutcome& told, v1::Result& result) {
                                          *result.mutable_notify() = std::move(told);
                                        }),
        std::move(edge_key));
    return true;
  }
  if (command.has_ack_inbox()) {
    auto answer = Answer<int64_t>(edge, command, [](int64_t cursor, v1::Result& result) {
      result.mutable_ack_inbox()->set_acked_seq(cursor);
    });
    calls.AcknowledgeInbox(asked.actor->id, command.ack_inbox().inbox_seq(), deadline,
                           std::move(answer));
    return true;
  }
  auto answer =
      Answer<storage::InboxPage>(edge, command, [](storage::InboxPage& page, v1::Result& result) {
        FillPage(page, *result.mutable_inbox_page());
      });
  calls.ReadInbox(asked.actor->id, command.read_inbox().after_seq(), std::move(answer));
  return true;
}

}  // namespace confab::control
