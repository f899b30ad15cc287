#include "edge/dialect/data_dialect.h"

#include "edge/dialect/event_arguments.h"
#include "edge/protocol/json_text.h"
#include "proto/reason.h"

namespace confab::edge {

namespace {

namespace pb = google::protobuf;

// The message of a oneof's field; an empty one if that is not what is set.
const pb::Message* Inner(const pb::Message& message, const pb::FieldDescriptor* field) {
  return &message.GetReflection()->GetMessage(message, field);
}

// A result's own message, and what it answers for "$command.…".
TemplateInput InputOf(const v1::Result& result, const pb::FieldDescriptor* field,
                      const v1::Command& command, const pb::FieldDescriptor* asked) {
  return {.roots = {Inner(result, field), Inner(command, asked)}};
}

TemplateInput InputOf(const v1::Event& event, const TemplateTable<OutboundEvent>::Entry& entry,
                      std::string_view actor_email) {
  return {.roots = {&entry.read(event, entry.field), &event}, .extras = {{{actor_email, 0}}}};
}

TemplateInput InputOf(const v1::Notification& notification, std::string_view payload,
                      const v1::Event& event) {
  return {.roots = {&notification, &event}, .extras = {{{notification.event(), 0}, {payload, 0}}}};
}

// Of a room's log.
TemplateInput InputOf(const v1::Event& event) {
  const v1::Notification& notification = event.notification_posted().notification();
  return InputOf(notification, notification.json(), event);
}

}  // namespace

std::optional<v1::Error> DataDialect::Translate(std::string_view event,
                                                std::span<const boost::json::value> args,
                                                std::string_view text, v1::Command& command) const {
  const auto found = tables_.inbound.find({event.data(), event.size()});
  if (found == tables_.inbound.end()) return UnknownEvent(event);
  return found->second.Read(event, args, text, command);
}

bool DataDialect::EncodeEvent(const v1::Event& event, std::string_view actor_email,
                              std::string& out) const {
  if (event.has_notification_posted()) {
    if (!tables_.notification) return false;
    tables_.notification->whole.Append(InputOf(event), out);
    return true;
  }
  const auto* found = tables_.events.Find(event.body_case());
  if (found == nullptr) return false;
  found->made.whole.Append(InputOf(event, *found, actor_email), out);
  return true;
}

void DataDialect::AppendEvents(const pb::RepeatedFieldRef<v1::Event>& events,
                               std::string& out) const {
  out.push_back('[');
  bool is_first = true;
  for (const v1::Event& event : events) {
    const auto* found = tables_.events.Find(event.body_case());
    const OutboundEvent* made = found == nullptr ? nullptr : &found->made;
    if (event.has_notification_posted() && tables_.notification) made = &*tables_.notification;
    if (made == nullptr || made->payload.empty()) continue;
    if (!is_first) out.push_back(',');
    is_first = false;
    out.append(R"({"event":)");
    out.append(made->name);
    // The payload goes on where its own brace would stand.
    const size_t brace = out.size();
    made->payload.Append(found == nullptr ? InputOf(event) : InputOf(event, *found, {}), out);
    if (out.size() == brace + 2) {
      out.erase(brace, 1);
    } else {
      out[brace] = ',';
    }
  }
  out.push_back(']');
}

// Each as the ack of its joinRoom would be, which is an array of one argument, or of none.
void DataDialect::AppendRooms(const pb::RepeatedFieldRef<v1::ResumedRoom>& rooms,
                              std::string& out) const {
  out.push_back('{');
  bool is_first = true;
  for (const v1::ResumedRoom& room : rooms) {
    if (!is_first) out.push_back(',');
    is_first = false;
    AppendJsonString(room.room_id(), out);
    out.push_back(':');
    v1::Command join;
    join.mutable_join_room()->set_room_id(room.room_id());
    v1::Result result;
    if (room.has_joined()) *result.mutable_join_room() = room.joined();
    if (room.has_error()) *result.mutable_error() = room.error();
    const size_t bracket = out.size();
    EncodeAck(join, result, out);
    out.pop_back();
    out.erase(bracket, 1);
    if (out.size() == bracket) out.append("null");
  }
  out.push_back('}');
}

bool DataDialect::EncodeAck(const v1::Command& command, const v1::Result& result,
                            std::string& out) const {
  if (result.has_error()) return EncodeRefusal(command, result.error(), out);
  if (result.result_case() == v1::Result::RESULT_NOT_SET) {
    return EncodeRefusal(command, MakeError(v1::REASON_INTERNAL, "result without content"), out);
  }
  const auto* found = tables_.acks.Find(result.result_case());
  if (found == nullptr) {
    out.append("[]");
    return true;
  }
  TemplateInput input = InputOf(result, found->field, command, found->command);
  input.lists = this;
  found->made.Append(input, out);
  return true;
}

bool DataDialect::EncodeRefusal(const v1::Command& command, const v1::Error& error,
                                std::string& out) const {
  const auto* found = tables_.refusals.Find(command.command_case());
  if (found == nullptr) {
    tables_.other_refusal.Append({.roots = {&error}}, out);
  } else {
    found->made.Append({.roots = {&error, Inner(command, found->field)}}, out);
  }
  return true;
}

bool DataDialect::EncodeConfirmation(const v1::Command& command, const v1::Result& result,
                                     std::string& out) const {
  const auto* found = tables_.confirmations.Find(result.result_case());
  if (found == nullptr) return false;
  found->made.whole.Append(InputOf(result, found->field, command, found->command), out);
  return true;
}

bool DataDialect::EncodeError(const v1::Error& error, std::string& out) const {
  if (!tables_.error) return false;
  tables_.error->whole.Append({.roots = {&error}}, out);
  return true;
}

bool DataDialect::EncodeConnected(std::string_view connection_id, const v1::User& user,
                                  std::string& out) const {
  if (!tables_.connected) return false;
  tables_.connected->whole.Append({.roots = {&user}, .extras = {{{connection_id, 0}}}}, out);
  return true;
}

bool DataDialect::EncodeClosing(uint32_t code, std::string_view reason, uint32_t retry_after_ms,
                                std::string& out) const {
  if (!tables_.closing) return false;
  tables_.closing->whole.Append({.extras = {{{{}, code}, {reason, 0}, {{}, retry_after_ms}}}}, out);
  return true;
}

bool DataDialect::EncodeExpiring(const v1::TokenExpiring& expiring, std::string& out) const {
  if (!tables_.expiring) return false;
  tables_.expiring->whole.Append({.roots = {&expiring}}, out);
  return true;
}

bool DataDialect::EncodeResync(std::string_view room_id, std::string& out) const {
  if (!tables_.resync) return false;
  tables_.resync->whole.Append({.extras = {{{room_id, 0}}}}, out);
  return true;
}

bool DataDialect::EncodeSignal(const v1::Signal& signal, std::string& out) const {
  const auto append = [&](SignalKind kind, const pb::Message& body) {
    const std::optional<OutboundEvent>& found = tables_.signals[static_cast<size_t>(kind)];
    if (found) found->whole.Append({.roots = {&body}}, out);
    return found.has_value();
  };
  switch (signal.body_case()) {
    case v1::Signal::kTyping:
      return append(SignalKind::kTyping, signal.typing());
    case v1::Signal::kPresence:
      return append(signal.presence().is_online() ? SignalKind::kPresenceOnline
                                                  : SignalKind::kPresenceOffline,
                    signal.presence());
    case v1::Signal::kPresenceSnapshot:
      return append(SignalKind::kPresenceSnapshot, signal.presence_snapshot());
    case v1::Signal::kReadPointer:
      return append(SignalKind::kReadPointer, signal.read_pointer());
    case v1::Signal::BODY_NOT_SET:
      break;
  }
  return false;
}

bool DataDialect::EncodeNotification(const v1::Notification& notification, std::string_view payload,
                                     std::string& out) const {
  if (!tables_.notification) return false;
  tables_.notification->whole.Append(InputOf(notification, payload, v1::Event::default_instance()),
                                     out);
  return true;
}

}  // namespace confab::edge
