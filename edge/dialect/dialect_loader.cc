#include "edge/dialect/dialect_loader.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include <fmt/format.h>

#include "confab/v1/client.pb.h"

#include "edge/dialect/file_section.h"
#include "edge/protocol/json_text.h"

namespace confab::edge {

namespace {

namespace pb = google::protobuf;
using ExtraKind = TemplateScope::ExtraKind;
using Kind = LocatedJson::Kind;

// A room's id (DESIGN.md section 7), which a pattern stands for.
constexpr size_t kRoomIdBytesLimit = 128;

// The stock client means these for itself.
constexpr std::string_view kReservedNames[] = {"connect",       "connect_error", "disconnect",
                                               "disconnecting", "newListener",   "removeListener"};

constexpr std::string_view kSignalWords[kSignalKinds] = {
    "typing", "presenceOnline", "presenceOffline", "presenceSnapshot", "readPointer"};

const pb::Descriptor* SignalType(size_t kind) {
  switch (static_cast<SignalKind>(kind)) {
    case SignalKind::kTyping:
      return v1::Typing::descriptor();
    case SignalKind::kPresenceOnline:
    case SignalKind::kPresenceOffline:
      return v1::Presence::descriptor();
    case SignalKind::kPresenceSnapshot:
      return v1::PresenceSnapshot::descriptor();
    case SignalKind::kReadPointer:
      return v1::ReadPointer::descriptor();
  }
  return nullptr;
}

// The field of Result that answers a command: its name without "get_".
const pb::FieldDescriptor* ResultOf(const pb::FieldDescriptor& command) {
  std::string_view name = command.name();
  if (name.starts_with("get_")) name.remove_prefix(4);
  return v1::Result::descriptor()->FindFieldByName(std::string(name));
}

LocatedJson ArrayOf(std::vector<LocatedJson> items, size_t line) {
  LocatedJson array;
  array.kind = Kind::kArray;
  array.line = line;
  array.items = std::move(items);
  return array;
}

class DialectLoader {
 public:
  explicit DialectLoader(std::string_view file) : faults_(std::string(file)) {}

  absl::StatusOr<std::unique_ptr<DataDialect>> Load(std::string_view text) {
    if (text.size() > kDialectFileBytesLimit) {
      faults_.Add(1, fmt::format("a dialect has at most {} bytes", kDialectFileBytesLimit));
      return faults_.ToStatus();
    }
    const std::optional<LocatedJson> root = LocatedJson::Parse(text, faults_);
    if (root) ReadRoot(*root);
    if (!faults_.empty()) return faults_.ToStatus();
    return std::make_unique<DataDialect>(std::move(out_));
  }

 private:
  void ReadRoot(const LocatedJson& root) {
    const FileSection section(root, faults_, "a dialect",
                              {"$schema", "dialect", "description", "connect", "receives", "acks",
                               "refusals", "confirmations", "events", "connected", "error",
                               "closing", "expiring", "resync", "signals", "notification"});
    if (!root.is_object()) return;
    ReadName(section, root);
    section.FindText("$schema");
    section.FindText("description");
    if (const auto* connect = section.FindObject("connect")) ReadConnect(*connect);
    if (const auto* receives = section.FindObject("receives")) ReadReceives(*receives);
    if (const auto* acks = section.FindObject("acks")) ReadAcks(*acks);
    ReadRefusals(section, root);
    if (const auto* confirmations = section.FindObject("confirmations")) {
      ReadConfirmations(*confirmations);
    }
    if (const auto* events = section.FindObject("events")) ReadEvents(*events);
    ReadSingles(section);
    if (const auto* signals = section.FindObject("signals")) ReadSignals(*signals);
  }

  void ReadName(const FileSection& section, const LocatedJson& root) {
    const LocatedJson* name = section.FindName("dialect");
    if (name == nullptr) {
      if (root.Find("dialect") == nullptr)
        faults_.Add(root.line, "\"dialect\", its name, is missing");
      return;
    }
    const bool is_word = std::all_of(name->text.begin(), name->text.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
    if (!is_word) faults_.Add(name->line, "a dialect's name is made of a to z, 0 to 9 and -");
    out_.name = name->text;
  }

  void ReadConnect(const LocatedJson& connect) {
    const FileSection section(connect, faults_, "connect",
                              {"topics", "autoSubscribe", "heartbeat"});
    if (const LocatedJson* topics = connect.Find("topics")) ReadTopics(*topics);
    if (const LocatedJson* pattern = section.FindText("autoSubscribe")) {
      const size_t star = pattern->text.find('*');
      if (pattern->text.empty() || pattern->text.size() > kRoomIdBytesLimit ||
          (star != std::string::npos && star != pattern->text.size() - 1)) {
        faults_.Add(pattern->line,
                    fmt::format("\"autoSubscribe\" is a room's id of 1 to {} bytes, or its "
                                "beginning and a * at the end",
                                kRoomIdBytesLimit));
      }
      out_.connect.auto_subscribe = pattern->text;
    }
    if (const LocatedJson* heartbeat = section.FindBool("heartbeat")) {
      out_.connect.awaits_heartbeat = heartbeat->boolean;
    }
    Say("on connecting",
        fmt::format("topics{}{}, rooms {}, heartbeat {}",
                    out_.connect.has_user_topic ? " user" : "",
                    out_.connect.has_role_topic ? " role" : "",
                    out_.connect.auto_subscribe.empty() ? "none" : out_.connect.auto_subscribe,
                    out_.connect.awaits_heartbeat ? "awaited" : "as it comes"));
  }

  void ReadTopics(const LocatedJson& topics) {
    if (topics.kind != Kind::kArray) return faults_.Add(topics.line, "\"topics\" must be an array");
    for (const LocatedJson& topic : topics.items) {
      if (topic.is_string() && topic.text == "user") {
        out_.connect.has_user_topic = true;
      } else if (topic.is_string() && topic.text == "role") {
        out_.connect.has_role_topic = true;
      } else {
        faults_.Add(topic.line, "a topic is \"user\" or \"role\"");
      }
    }
  }

  void ReadReceives(const LocatedJson& receives) {
    if (receives.members.size() > kInboundEventsLimit) {
      faults_.Add(receives.line, fmt::format("at most {} events", kInboundEventsLimit));
    }
    for (const auto& [name, value] : receives.members) {
      CheckEventName(name, value.line);
      InboundEvent event = InboundEvent::Compile(value, faults_);
      Say(fmt::format("receives {}", name), event.Describe());
      out_.can_ack_inbox |= event.command() != nullptr &&
                            event.command()->number() == v1::Command::kAckInboxFieldNumber;
      out_.inbound.emplace(name, std::move(event));
    }
  }

  void ReadAcks(const LocatedJson& acks) {
    for (const auto& [name, value] : acks.members) {
      const auto [command, result] = FindAnswered(name, value);
      if (result == nullptr) continue;
      const TemplateScope scope{
          {{"", result->message_type()}, {"command", command->message_type()}}, {}};
      Say(fmt::format("acks {}", name), "");
      out_.acks.Set({result, command, Compile(ArrayOf({value}, value.line), scope), nullptr});
    }
  }

  void ReadRefusals(const FileSection& section, const LocatedJson& root) {
    const LocatedJson* refusals = section.FindObject("refusals");
    const LocatedJson* other = refusals == nullptr ? nullptr : refusals->Find("default");
    if (other == nullptr) {
      return faults_.Add(refusals == nullptr ? root.line : refusals->line,
                         "\"refusals\" needs a \"default\": what an ack of a refused event holds");
    }
    for (const auto& [name, value] : refusals->members) {
      TemplateScope scope{{{"", v1::Error::descriptor()}}, {}};
      const LocatedJson array = ArrayOf({value}, value.line);
      if (&value == other) {
        out_.other_refusal = Compile(array, scope);
        continue;
      }
      const pb::FieldDescriptor* command = FindCommand(value, name, faults_);
      if (command == nullptr) continue;
      scope.roots.push_back({"command", command->message_type()});
      Say(fmt::format("refuses {}", name), "with an ack of its own");
      out_.refusals.Set({command, nullptr, Compile(array, scope), nullptr});
    }
  }

  void ReadConfirmations(const LocatedJson& confirmations) {
    for (const auto& [name, value] : confirmations.members) {
      const auto [command, result] = FindAnswered(name, value);
      if (result == nullptr) continue;
      const TemplateScope scope{
          {{"", result->message_type()}, {"command", command->message_type()}}, {}};
      out_.confirmations.Set(
          {result, command, ReadOutbound(fmt::format("confirms {}", name), value, scope), nullptr});
    }
  }

  // Those of a room's log are told as all notifications are.
  static bool IsNotification(const pb::FieldDescriptor& body) {
    return body.number() == v1::Event::kNotificationPostedFieldNumber;
  }

  void ReadEvents(const LocatedJson& events) {
    const pb::OneofDescriptor& bodies = *v1::Event::descriptor()->FindOneofByName("body");
    for (const auto& [name, value] : events.members) {
      const pb::FieldDescriptor* body = v1::Event::descriptor()->FindFieldByCamelcaseName(name);
      if (body == nullptr || body->containing_oneof() != &bodies || IsNotification(*body)) {
        faults_.Add(value.line, fmt::format("no event of a room is named \"{}\"; there is: {}",
                                            name, OneofNames(bodies)));
        continue;
      }
      const TemplateScope scope{{{"", body->message_type()}, {"", v1::Event::descriptor()}},
                                {{"actorEmail", ExtraKind::kText}}};
      OutboundEvent made = ReadOutbound(fmt::format("tells {}", name), value, scope);
      const LocatedJson* payload = value.Find("payload");
      if (payload != nullptr && payload->is_object()) {
        made.payload = JsonTemplate::Compile(*payload, scope, ignored_);
      } else if (value.is_object()) {
        faults_.Add(value.line, "an event of a room needs a \"payload\", an object");
      }
      out_.events.Set({body, nullptr, std::move(made), nullptr});
    }
    for (int i = 0; i < bodies.field_count(); ++i) {
      if (events.Find(bodies.field(i)->camelcase_name()) != nullptr) continue;
      if (IsNotification(*bodies.field(i))) continue;
      Say(fmt::format("tells {}", bodies.field(i)->camelcase_name()), "nothing: it is skipped");
    }
  }

  void ReadSingles(const FileSection& section) {
    if (const LocatedJson* connected = section.FindObject("connected")) {
      out_.connected =
          ReadOutbound("tells connected", *connected,
                       {{{"user", v1::User::descriptor()}}, {{"connectionId", ExtraKind::kText}}});
    }
    if (const LocatedJson* error = section.FindObject("error")) {
      out_.error =
          ReadOutbound("tells error", *error, {{{"", v1::Error::descriptor()}}, {}}, "always");
      out_.tells_every_refusal = ReadFlag(*error, "always");
    }
    if (const LocatedJson* closing = section.FindObject("closing")) {
      out_.closing = ReadOutbound("tells closing", *closing,
                                  {{},
                                   {{"code", ExtraKind::kNumber},
                                    {"reason", ExtraKind::kText},
                                    {"retryAfterMs", ExtraKind::kNumber}}});
    }
    if (const LocatedJson* expiring = section.FindObject("expiring")) {
      out_.expiring =
          ReadOutbound("tells expiring", *expiring, {{{"", v1::TokenExpiring::descriptor()}}, {}});
    }
    if (const LocatedJson* resync = section.FindObject("resync")) {
      out_.resync = ReadOutbound("tells resync", *resync, {{}, {{"roomId", ExtraKind::kText}}});
    }
    if (const LocatedJson* notification = section.FindObject("notification")) {
      ReadNotification(*notification);
    }
  }

  // REQUIRES: what is received has been read.
  void ReadNotification(const LocatedJson& notification) {
    const TemplateScope scope{
        {{"", v1::Notification::descriptor()}, {"room", v1::Event::descriptor()}},
        {{"event", ExtraKind::kText}, {"payload", ExtraKind::kJson}}};
    out_.notification = ReadOutbound("tells notification", notification, scope, "ack");
    const LocatedJson* payload = notification.Find("payload");
    if (payload != nullptr && payload->is_object()) {
      out_.notification->payload = JsonTemplate::Compile(*payload, scope, ignored_);
    }
    out_.asks_inbox_acks = ReadFlag(notification, "ack");
    if (!out_.asks_inbox_acks) return;
    Say("asks for an ack of", "each notification of the inbox");
    if (out_.can_ack_inbox) {
      faults_.Add(notification.Find("ack")->line,
                  "\"ack\" and an event for ackInbox say the same in two ways: have one of them");
    }
  }

  // False where there is none.
  bool ReadFlag(const LocatedJson& value, std::string_view name) {
    const LocatedJson* flag = value.Find(name);
    if (flag != nullptr && flag->kind != Kind::kBool) {
      faults_.Add(flag->line, fmt::format("\"{}\" must be true or false", name));
    }
    return flag != nullptr && flag->boolean;
  }

  void ReadSignals(const LocatedJson& signals) {
    for (const auto& [name, value] : signals.members) {
      const auto* found = std::find(std::begin(kSignalWords), std::end(kSignalWords), name);
      if (found == std::end(kSignalWords)) {
        faults_.Add(value.line, fmt::format("no signal is named \"{}\"; there is: typing, "
                                            "presenceOnline, presenceOffline, presenceSnapshot, "
                                            "readPointer",
                                            name));
        continue;
      }
      const auto kind = static_cast<size_t>(found - std::begin(kSignalWords));
      out_.signals[kind] =
          ReadOutbound(fmt::format("tells {}", name), value, {{{"", SignalType(kind)}}, {}});
    }
  }

  // {"name": …, "payload": …}. Where the scope has an extra "event" the name may be that slot.
  OutboundEvent ReadOutbound(const std::string& what, const LocatedJson& value,
                             const TemplateScope& scope, std::string_view flag = "payload") {
    OutboundEvent made;
    const FileSection section(value, faults_, "an event to a client", {"name", "payload", flag});
    const LocatedJson* name = section.FindName("name");
    if (name == nullptr) {
      if (value.is_object() && value.Find("name") == nullptr) {
        faults_.Add(value.line, "\"name\" is missing");
      }
      return made;
    }
    const bool is_slot =
        name->text == "$event" && !scope.extras.empty() && scope.extras.front().name == "event";
    if (!is_slot) {
      CheckEventName(name->text, name->line);
      if (name->text.starts_with('$')) faults_.Add(name->line, "an event's name is no slot");
    }
    AppendJsonString(name->text, made.name);
    const LocatedJson* payload = value.Find("payload");
    std::vector<LocatedJson> items = {*name};
    if (payload != nullptr) items.push_back(*payload);
    made.whole = Compile(ArrayOf(std::move(items), value.line), scope);
    Say(what, is_slot ? "its own name" : name->text);
    return made;
  }

  JsonTemplate Compile(const LocatedJson& value, const TemplateScope& scope) {
    return JsonTemplate::Compile(value, scope, faults_);
  }

  // A command and the field of Result that answers it; nullptr and a fault if there is none.
  std::pair<const pb::FieldDescriptor*, const pb::FieldDescriptor*> FindAnswered(
      const std::string& name, const LocatedJson& value) {
    const pb::FieldDescriptor* command = FindCommand(value, name, faults_);
    return {command, command == nullptr ? nullptr : ResultOf(*command)};
  }

  void CheckEventName(std::string_view name, size_t line) {
    if (name.empty() || name.size() > kDialectNameBytesLimit) {
      faults_.Add(line, fmt::format("an event's name has 1 to {} bytes", kDialectNameBytesLimit));
    }
    if (std::find(std::begin(kReservedNames), std::end(kReservedNames), name) !=
        std::end(kReservedNames)) {
      faults_.Add(line, fmt::format("\"{}\" is reserved by Socket.IO", name));
    }
  }

  static std::string OneofNames(const pb::OneofDescriptor& oneof) {
    std::string names;
    for (int i = 0; i < oneof.field_count(); ++i) {
      names += fmt::format("{}{}", i == 0 ? "" : ", ", oneof.field(i)->camelcase_name());
    }
    return names;
  }

  void Say(std::string_view what, std::string_view maps_to) {
    out_.description.push_back(maps_to.empty() ? std::string(what)
                                               : fmt::format("{}: {}", what, maps_to));
  }

  DialectTables out_;
  FileFaults faults_;
  FileFaults ignored_{""};  // What is compiled a second time has told its faults.
};

}  // namespace

absl::StatusOr<std::unique_ptr<DataDialect>> ParseDialect(std::string_view file,
                                                          std::string_view text) {
  return DialectLoader(file).Load(text);
}

absl::StatusOr<std::unique_ptr<DataDialect>> LoadDialectFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(kDialectFileBytesLimit + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad() || (in.gcount() == 0 && !in.eof())) {
    return absl::NotFoundError(fmt::format("{}: cannot be read", path));
  }
  text.resize(static_cast<size_t>(in.gcount()));
  return ParseDialect(path, text);
}

}  // namespace confab::edge
