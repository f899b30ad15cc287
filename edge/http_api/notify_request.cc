#include "edge/http_api/notify_request.h"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include <absl/strings/escaping.h>
#include <boost/json/object.hpp>

namespace confab::edge {
namespace {

namespace json = boost::json;

void ReadTarget(RequestFields& in, v1::OutgoingNotification& what) {
  const json::object& body = in.body();
  const json::value* everybody = RequestFields::Find(body, "everybody");
  int targets = everybody != nullptr ? 1 : 0;
  for (const char* field : {"userId", "role", "roomId", "connectionId"}) {
    targets += RequestFields::Find(body, field) != nullptr ? 1 : 0;
  }
  if (targets != 1) {
    return in.Refuse("userId, role, roomId, connectionId or everybody:",
                     "exactly one of them is given");
  }
  if (everybody != nullptr) {
    what.mutable_everybody();
    if (!everybody->is_bool() || !everybody->get_bool()) in.Refuse("everybody", "must be true");
  } else if (RequestFields::Find(body, "userId") != nullptr) {
    in.BodyId(body, "userId", true, *what.mutable_user_id());
  } else if (RequestFields::Find(body, "roomId") != nullptr) {
    in.BodyId(body, "roomId", true, *what.mutable_room_id());
  } else if (RequestFields::Find(body, "role") != nullptr) {
    in.BodyId(body, "role", true, *what.mutable_role());
  } else {
    in.BodyText(body, "connectionId", *what.mutable_connection_id());
  }
}

// Missing is null; bytes come as base64.
void ReadPayload(RequestFields& in, v1::OutgoingNotification& what) {
  const json::object& body = in.body();
  if (RequestFields::Find(body, "payloadBase64") == nullptr) {
    what.set_json("null");
    return in.BodyJson("payload", *what.mutable_json());
  }
  std::string text;
  in.BodyText(body, "payloadBase64", text);
  if (body.contains("payload")) return in.Refuse("payload and payloadBase64:", "give one of them");
  if (!absl::Base64Unescape(text, what.mutable_binary())) {
    in.Refuse("payloadBase64", "must be base64");
  }
}

template <typename Enum>
Enum ReadWord(RequestFields& in, const char* field, std::string_view words,
              std::initializer_list<std::pair<std::string_view, Enum>> table) {
  std::string word;
  in.BodyText(in.body(), field, word);
  if (word.empty()) return static_cast<Enum>(0);
  for (const auto& [name, value] : table) {
    if (name == word) return value;
  }
  in.Refuse(field, std::string("must be ") + std::string(words));
  return static_cast<Enum>(0);
}

}  // namespace

void ReadNotify(RequestFields& in, v1::Command& command) {
  v1::Notify& notify = *command.mutable_notify();
  v1::OutgoingNotification& what = *notify.mutable_notification();
  in.ServiceToken(*notify.mutable_service_token());
  ReadTarget(in, what);
  if (RequestFields::Find(in.body(), "event") == nullptr) in.Refuse("event", "is missing");
  in.BodyText(in.body(), "event", *what.mutable_event());
  ReadPayload(in, what);
  what.set_delivery_class(
      ReadWord<v1::DeliveryClass>(in, "delivery", "logged, latest or droppable",
                                  {{"logged", v1::DELIVERY_CLASS_LOGGED},
                                   {"latest", v1::DELIVERY_CLASS_LATEST},
                                   {"droppable", v1::DELIVERY_CLASS_DROPPABLE}}));
  what.set_priority(
      ReadWord<v1::NotificationPriority>(in, "priority", "high, normal or low",
                                         {{"high", v1::NOTIFICATION_PRIORITY_HIGH},
                                          {"normal", v1::NOTIFICATION_PRIORITY_NORMAL},
                                          {"low", v1::NOTIFICATION_PRIORITY_LOW}}));
  in.BodyText(in.body(), "key", *what.mutable_key());
  in.Key("idempotencyKey", *what.mutable_idempotency_key());
  if (const json::value* ttl = RequestFields::Find(in.body(), "ttlMs")) {
    const int64_t* number = ttl->if_int64();
    if (number == nullptr || *number < 0) return in.Refuse("ttlMs", "must be a whole number");
    what.set_ttl_ms(static_cast<uint64_t>(*number));
  }
  if (const json::value* store = RequestFields::Find(in.body(), "storeIfAbsent")) {
    if (!store->is_bool()) return in.Refuse("storeIfAbsent", "must be true or false");
    what.set_store_if_absent(store->get_bool());
  }
}

}  // namespace confab::edge
