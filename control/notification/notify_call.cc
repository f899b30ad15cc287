#include "control/notification/notify_call.h"

#include <utility>

#include <fmt/format.h>

#include "control/fanout/own_topics.h"

namespace confab::control {

using Outgoing = v1::OutgoingNotification;

namespace {

constexpr char kAll[] = "all";

}  // namespace

std::string LaneKeyOf(const Outgoing& notification) {
  switch (notification.target_case()) {
    case Outgoing::kUserId:
      return notification.user_id();
    case Outgoing::kRole:
      return notification.role();
    case Outgoing::kRoomId:
      return notification.room_id();
    case Outgoing::kConnectionId:
      return notification.connection_id();
    case Outgoing::kEverybody:
    case Outgoing::TARGET_NOT_SET:
      break;
  }
  return kAll;
}

std::string TopicOf(const Outgoing& what) {
  switch (what.target_case()) {
    case Outgoing::kUserId:
      return TopicOfUser(what.user_id());
    case Outgoing::kRole:
      return TopicOfRole(what.role());
    case Outgoing::kRoomId:
      return fmt::format("room:{}", what.room_id());
    case Outgoing::kConnectionId:
      return fmt::format("connection:{}", what.connection_id());
    case Outgoing::kEverybody:
    case Outgoing::TARGET_NOT_SET:
      break;
  }
  return kAll;
}

std::string DedupOf(const NotifyCall& call) {
  const std::string& own = call.what.idempotency_key();
  if (!own.empty()) return fmt::format("{}\n{}/{}", call.service.size(), call.service, own);
  if (!call.edge_key.empty()) return fmt::format("edge\n{}", call.edge_key);
  return fmt::format("id\n{}", call.made.notification_id());
}

bool MayBeRepeated(const NotifyCall& call) {
  return !call.what.idempotency_key().empty() || !call.edge_key.empty();
}

std::string KeyOf(const NotifyCall& call) {
  return fmt::format("{}\n{}", TopicOf(call.what), DedupOf(call));
}

v1::PushedNotification PushOf(const NotifyCall& call) {
  v1::PushedNotification pushed;
  *pushed.mutable_notification() = call.made;
  pushed.set_delivery_class(call.what.delivery_class());
  pushed.set_priority(call.what.priority());
  pushed.set_ttl_ms(call.what.ttl_ms());
  if (call.what.delivery_class() == v1::DELIVERY_CLASS_LATEST) {
    pushed.set_conflation_key(
        fmt::format("{}\n{}\n{}", TopicOf(call.what), call.what.event(), call.what.key()));
  }
  return pushed;
}

v1::ControlItem BroadcastOf(const NotifyCall& call, v1::PushedNotification pushed) {
  v1::ControlItem item;
  item.mutable_broadcast()->add_topics(TopicOf(call.what));
  *item.mutable_broadcast()->mutable_notification() = std::move(pushed);
  return item;
}

v1::NotificationOutcome OutcomeOf(const NotifyCall& call, size_t connections) {
  v1::NotificationOutcome outcome;
  outcome.set_notification_id(call.made.notification_id());
  outcome.set_connections(static_cast<uint32_t>(connections));
  outcome.set_connections_exact(true);
  return outcome;
}

bool IsLogged(const NotifyCall& call) {
  return call.what.delivery_class() == v1::DELIVERY_CLASS_LOGGED;
}

}  // namespace confab::control
