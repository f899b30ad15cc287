// data_dialect.h: a dialect read from a file: tables of events, acks and what they are made from.
// Owns: its tables.   Used by: dialect_loader (makes), dialect_set (holds).
// Threads: immutable; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <google/protobuf/descriptor.h>

#include "edge/dialect/dialect.h"
#include "edge/dialect/inbound_event.h"
#include "edge/dialect/json_template.h"

namespace confab::edge {

// An event as it goes out: ["name",{…}].
struct OutboundEvent {
  std::string name;      // As JSON.
  JsonTemplate whole;    // Name and payload.
  JsonTemplate payload;  // An object, for pages of events; empty where none is needed.
};

// Templates by the number of a oneof's field. Each is written from that field's message.
template <typename Template>
class TemplateTable {
 public:
  struct Entry {
    const google::protobuf::FieldDescriptor* field = nullptr;
    const google::protobuf::FieldDescriptor* command = nullptr;  // That a result answers.
    Template made;
    MessageReader read = nullptr;  // Of `field`.
  };

  void Set(Entry entry) {
    entry.read = FindMessageReader(entry.field);
    const auto number = static_cast<size_t>(entry.field->number());
    if (entries_.size() <= number) entries_.resize(number + 1);
    entries_[number] = std::make_unique<const Entry>(std::move(entry));
  }
  // nullptr if there is none.
  const Entry* Find(int number) const {
    const auto index = static_cast<size_t>(number);
    return index < entries_.size() ? entries_[index].get() : nullptr;
  }

 private:
  std::vector<std::unique_ptr<const Entry>> entries_;
};

// The kinds of v1::Signal that a dialect names apart.
enum class SignalKind : uint8_t {
  kTyping,
  kPresenceOnline,
  kPresenceOffline,
  kPresenceSnapshot,
  kReadPointer,
};
inline constexpr size_t kSignalKinds = 5;

struct DialectTables {
  std::string name;
  DialectConnect connect;
  bool tells_every_refusal = false;
  absl::flat_hash_map<std::string, InboundEvent> inbound;
  TemplateTable<OutboundEvent> events;         // Of v1::Event.
  TemplateTable<JsonTemplate> acks;            // Of v1::Result.
  TemplateTable<OutboundEvent> confirmations;  // Of v1::Result.
  TemplateTable<JsonTemplate> refusals;        // Of v1::Command.
  JsonTemplate other_refusal;
  std::optional<OutboundEvent> error;
  std::optional<OutboundEvent> connected;
  std::optional<OutboundEvent> closing;
  std::optional<OutboundEvent> expiring;
  std::optional<OutboundEvent> resync;
  std::optional<OutboundEvent> notification;
  bool can_ack_inbox = false;
  bool asks_inbox_acks = false;
  std::array<std::optional<OutboundEvent>, kSignalKinds> signals;
  std::vector<std::string> description;  // For people, line by line.
};

class DataDialect final : public Dialect, private ListWriter {
 public:
  explicit DataDialect(DialectTables tables) : tables_(std::move(tables)) {}

  std::string_view name() const override { return tables_.name; }
  const DialectConnect& connect() const override { return tables_.connect; }
  bool tells_every_refusal() const override { return tables_.tells_every_refusal; }
  std::optional<v1::Error> Translate(std::string_view event,
                                     std::span<const boost::json::value> args,
                                     std::string_view text, v1::Command& command) const override;
  bool EncodeEvent(const v1::Event& event, std::string_view actor_email,
                   std::string& out) const override;
  bool EncodeAck(const v1::Command& command, const v1::Result& result,
                 std::string& out) const override;
  bool EncodeRefusal(const v1::Command& command, const v1::Error& error,
                     std::string& out) const override;
  bool EncodeConfirmation(const v1::Command& command, const v1::Result& result,
                          std::string& out) const override;
  bool EncodeError(const v1::Error& error, std::string& out) const override;
  bool EncodeConnected(std::string_view connection_id, const v1::User& user,
                       std::string& out) const override;
  bool EncodeClosing(uint32_t code, std::string_view reason, uint32_t retry_after_ms,
                     std::string& out) const override;
  bool EncodeExpiring(const v1::TokenExpiring& expiring, std::string& out) const override;
  bool EncodeResync(std::string_view room_id, std::string& out) const override;
  bool EncodeSignal(const v1::Signal& signal, std::string& out) const override;
  bool EncodeNotification(const v1::Notification& notification, std::string_view payload,
                          std::string& out) const override;
  bool has_notifications() const override { return tables_.notification.has_value(); }
  bool can_ack_inbox() const override { return tables_.can_ack_inbox; }
  bool asks_inbox_acks() const override { return tables_.asks_inbox_acks; }

  // What each event maps to, line by line.
  const std::vector<std::string>& description() const { return tables_.description; }

 private:
  void AppendEvents(const google::protobuf::RepeatedFieldRef<v1::Event>& events,
                    std::string& out) const override;
  void AppendRooms(const google::protobuf::RepeatedFieldRef<v1::ResumedRoom>& rooms,
                   std::string& out) const override;

  const DialectTables tables_;
};

}  // namespace confab::edge
