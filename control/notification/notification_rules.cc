#include "control/notification/notification_rules.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "control/room/content_rules.h"
#include "control/room/json_check.h"
#include "control/status_reason.h"

namespace confab::control {
namespace {

using Outgoing = v1::OutgoingNotification;

// Socket.IO clients would take them for their own.
constexpr std::string_view kReservedNames[] = {"connect",       "connect_error", "disconnect",
                                               "disconnecting", "newListener",   "removeListener"};

absl::Status BadRequest(std::string message) {
  return RefusalStatus(v1::REASON_BAD_REQUEST, std::move(message));
}

absl::Status StatusOf(std::optional<Refusal> refusal) {
  if (!refusal) return absl::OkStatus();
  return RefusalStatus(refusal->reason, std::move(refusal->message));
}

absl::Status CheckTarget(const Outgoing& notification) {
  switch (notification.target_case()) {
    case Outgoing::kUserId:
      return StatusOf(CheckId(notification.user_id(), "user_id"));
    case Outgoing::kRole:
      return StatusOf(CheckId(notification.role(), "role"));
    case Outgoing::kRoomId:
      return StatusOf(CheckId(notification.room_id(), "room_id"));
    case Outgoing::kConnectionId:
      return StatusOf(CheckId(notification.connection_id(), "connection_id"));
    case Outgoing::kEverybody:
      return absl::OkStatus();
    case Outgoing::TARGET_NOT_SET:
      break;
  }
  return BadRequest("name a target: user_id, role, room_id, connection_id or everybody");
}

absl::Status CheckEvent(std::string_view event) {
  if (event.empty() || event.size() > kEventNameBytesLimit) {
    return BadRequest(fmt::format("event has 1 to {} bytes", kEventNameBytesLimit));
  }
  if (auto status = StatusOf(CheckOptionalKey(event, "event")); !status.ok()) return status;
  if (std::any_of(event.begin(), event.end(), [](char c) { return c >= 0 && c < ' '; })) {
    return BadRequest("event has no control characters");
  }
  if (std::find(std::begin(kReservedNames), std::end(kReservedNames), event) !=
      std::end(kReservedNames)) {
    return BadRequest(fmt::format("event: \"{}\" is reserved by Socket.IO", event));
  }
  return absl::OkStatus();
}

absl::Status CheckPayload(const Outgoing& notification) {
  const bool is_binary = notification.payload_case() == Outgoing::kBinary;
  if (notification.payload_case() == Outgoing::PAYLOAD_NOT_SET) {
    return BadRequest("set json or binary; for nothing to say json is null");
  }
  const size_t size = is_binary ? notification.binary().size() : notification.json().size();
  if (size > kNotificationBytesLimit) {
    return RefusalStatus(v1::REASON_CONTENT_SIZE,
                         fmt::format("the payload has {} bytes; at most {} are allowed", size,
                                     kNotificationBytesLimit));
  }
  if (is_binary || IsJson(notification.json())) return absl::OkStatus();
  return BadRequest(
      fmt::format("json is one JSON value of valid UTF-8, at most {} deep", kBodyDepthLimit));
}

absl::Status CheckDelivery(const Outgoing& notification) {
  const bool is_logged = notification.delivery_class() == v1::DELIVERY_CLASS_LOGGED;
  if (is_logged && !notification.has_user_id() && !notification.has_room_id()) {
    return BadRequest("delivery_class: only a user's inbox and a room's log keep notifications");
  }
  if (is_logged && notification.has_room_id() && notification.has_binary()) {
    return BadRequest("binary: a room's log takes json only");
  }
  if (notification.store_if_absent() && (is_logged || !notification.has_user_id())) {
    return BadRequest("store_if_absent: only to a user, and not logged, which is stored anyway");
  }
  if (!v1::DeliveryClass_IsValid(notification.delivery_class())) {
    return BadRequest("delivery_class: a logged, latest or droppable one");
  }
  if (!v1::NotificationPriority_IsValid(notification.priority())) {
    return BadRequest("priority: high, normal or low");
  }
  if (notification.ttl_ms() > static_cast<uint64_t>(absl::ToInt64Milliseconds(kNotificationAge))) {
    return BadRequest("ttl_ms is at most 30 days");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckNotification(const Outgoing& notification) {
  if (auto status = CheckTarget(notification); !status.ok()) return status;
  if (auto status = CheckEvent(notification.event()); !status.ok()) return status;
  if (auto status = CheckPayload(notification); !status.ok()) return status;
  if (auto status = CheckDelivery(notification); !status.ok()) return status;
  if (auto status = StatusOf(CheckOptionalKey(notification.key(), "key")); !status.ok()) {
    return status;
  }
  return StatusOf(CheckOptionalKey(notification.idempotency_key(), "idempotency_key"));
}

}  // namespace confab::control
