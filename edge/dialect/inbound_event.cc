#include "edge/dialect/inbound_event.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>

#include "edge/dialect/event_arguments.h"
#include "edge/dialect/field_reader.h"
#include "edge/dialect/file_section.h"
#include "proto/reason.h"

namespace confab::edge {

namespace {

namespace pb = google::protobuf;
using Kind = LocatedJson::Kind;

constexpr std::string_view kTypeWords[] = {"id",  "text", "integer", "bool", "word",
                                           "ids", "time", "json",    "seqs"};

// A client's JSON number has 53 bits; what is larger than the field is its greatest value.
void SetInteger(pb::Message& message, const pb::FieldDescriptor* field, int64_t value) {
  const pb::Reflection& reflection = *message.GetReflection();
  switch (field->cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_INT32:
      return reflection.SetInt32(&message, field,
                                 static_cast<int32_t>(std::min<int64_t>(value, INT32_MAX)));
    case pb::FieldDescriptor::CPPTYPE_UINT32:
      return reflection.SetUInt32(&message, field,
                                  static_cast<uint32_t>(std::min<int64_t>(value, UINT32_MAX)));
    case pb::FieldDescriptor::CPPTYPE_UINT64:
      return reflection.SetUInt64(&message, field, static_cast<uint64_t>(value));
    default:
      return reflection.SetInt64(&message, field, value);
  }
}

}  // namespace

std::optional<InboundEvent::Type> InboundEvent::TypeOf(const pb::FieldDescriptor& field) {
  if (field.is_map()) {
    const pb::Descriptor& entry = *field.message_type();
    const bool is_of_seqs = entry.map_key()->type() == pb::FieldDescriptor::TYPE_STRING &&
                            entry.map_value()->type() == pb::FieldDescriptor::TYPE_INT64;
    return is_of_seqs ? std::optional(Type::kSeqs) : std::nullopt;
  }
  if (field.is_repeated()) {
    return field.type() == pb::FieldDescriptor::TYPE_STRING ? std::optional(Type::kIds)
                                                            : std::nullopt;
  }
  switch (field.cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_STRING:
      return HoldsJson(field) ? Type::kJson : Type::kText;
    case pb::FieldDescriptor::CPPTYPE_MESSAGE:
      return field.message_type() == pb::Timestamp::descriptor() ? std::optional(Type::kTime)
                                                                 : std::nullopt;
    case pb::FieldDescriptor::CPPTYPE_BOOL:
      return Type::kBool;
    case pb::FieldDescriptor::CPPTYPE_INT32:
    case pb::FieldDescriptor::CPPTYPE_INT64:
    case pb::FieldDescriptor::CPPTYPE_UINT32:
    case pb::FieldDescriptor::CPPTYPE_UINT64:
      return Type::kInteger;
    case pb::FieldDescriptor::CPPTYPE_ENUM:
      return Type::kWord;
    default:
      return std::nullopt;
  }
}

InboundEvent InboundEvent::Compile(const LocatedJson& value, FileFaults& faults) {
  InboundEvent made;
  const FileSection section(value, faults, "an event of a client",
                            {"command", "fields", "refused"});
  if (const LocatedJson* refused = section.FindText("refused")) {
    made.refused_ = refused->text;
    if (refused->text.empty()) faults.Add(refused->line, "\"refused\" says why");
    if (value.members.size() > 1) faults.Add(value.line, "\"refused\" stands alone");
    return made;
  }
  const LocatedJson* command = section.FindText("command");
  if (command == nullptr) {
    if (value.is_object()) faults.Add(value.line, "\"command\" is missing");
    return made;
  }
  made.command_ = FindCommand(*command, command->text, faults);
  const LocatedJson* fields = section.FindObject("fields");
  if (made.command_ == nullptr || fields == nullptr) return made;
  for (const auto& [name, field] : fields->members) {
    CompileField(*made.command_->message_type(), name, field, faults, made);
  }
  return made;
}

void InboundEvent::CompileField(const pb::Descriptor& command, std::string_view name,
                                const LocatedJson& value, FileFaults& faults, InboundEvent& out) {
  Field field;
  field.target = command.FindFieldByCamelcaseName(std::string(name));
  const std::optional<Type> type = field.target == nullptr ? std::nullopt : TypeOf(*field.target);
  if (!type) {
    return faults.Add(value.line, fmt::format("{} has no field \"{}\" that an event can fill; "
                                              "there is: {}",
                                              command.name(), name, FieldNames(command)));
  }
  field.type = *type;
  if (field.type == Type::kWord) field.words = EnumWords(*field.target->enum_type());
  const FileSection section(value, faults, "a field",
                            {"from", "type", "required", "default", "value"});
  if (!value.is_object()) return;
  const std::string_view word = kTypeWords[static_cast<size_t>(field.type)];
  if (const LocatedJson* given = section.FindText("type")) {
    if (given->text == "id" && field.type == Type::kText) {
      field.type = Type::kId;
    } else if (given->text != word) {
      faults.Add(given->line, fmt::format("\"{}\" takes {}{}", name, word,
                                          field.type == Type::kText ? " or id" : ""));
    }
  }
  if (const LocatedJson* required = section.FindBool("required")) {
    field.is_required = required->boolean;
  }
  if (const LocatedJson* from = section.FindName("from")) field.from = from->text;
  CompileDefault(name, value, faults, field);
  out.reads_argument_ = out.reads_argument_ || !field.from.empty();
  out.fields_.push_back(std::move(field));
}

void InboundEvent::CompileDefault(std::string_view name, const LocatedJson& value,
                                  FileFaults& faults, Field& field) {
  const LocatedJson* fixed = value.Find("value");
  const LocatedJson* otherwise = value.Find("default");
  if ((value.Find("from") == nullptr) == (fixed == nullptr)) {
    faults.Add(value.line, fmt::format("\"{}\" has either \"from\" or \"value\"", name));
  }
  if (fixed != nullptr && field.is_required) {
    faults.Add(fixed->line, "\"required\" is for what a client gives");
  }
  if (otherwise != nullptr && (fixed != nullptr || field.is_required)) {
    faults.Add(otherwise->line, "\"default\" is for what is neither required nor fixed");
  }
  const LocatedJson* given = fixed != nullptr ? fixed : otherwise;
  if (given == nullptr) return;
  field.has_default = true;
  if (SetDefault(*given, field)) return;
  faults.Add(given->line,
             fmt::format("\"{}\" takes {}", name, kTypeWords[static_cast<size_t>(field.type)]));
}

bool InboundEvent::SetDefault(const LocatedJson& value, Field& field) {
  switch (field.type) {
    case Type::kId:
    case Type::kText:
      field.text = value.text;
      return value.kind == Kind::kString;
    case Type::kInteger:
      field.integer = value.integer;
      return value.kind == Kind::kInteger && value.integer >= 0 && value.integer <= kJsonIntegerMax;
    case Type::kBool:
      field.boolean = value.boolean;
      return value.kind == Kind::kBool;
    case Type::kWord: {
      const auto word = std::find(field.words.begin(), field.words.end(), value.text);
      field.integer = word - field.words.begin();
      return value.kind == Kind::kString && !value.text.empty() && word != field.words.end();
    }
    case Type::kIds:  // These come from clients alone.
    case Type::kTime:
    case Type::kJson:
    case Type::kSeqs:
      return false;
  }
  return false;
}

void InboundEvent::SetToDefault(const Field& field, pb::Message& message) {
  const pb::Reflection& reflection = *message.GetReflection();
  switch (field.type) {
    case Type::kId:
    case Type::kText:
      return reflection.SetString(&message, field.target, field.text);
    case Type::kInteger:
      return SetInteger(message, field.target, field.integer);
    case Type::kBool:
      return reflection.SetBool(&message, field.target, field.boolean);
    case Type::kWord:
      return reflection.SetEnumValue(&message, field.target, static_cast<int>(field.integer));
    case Type::kIds:
    case Type::kTime:
    case Type::kJson:
    case Type::kSeqs:
      return;
  }
}

void InboundEvent::SetSeqs(const Field& field, const boost::json::value& value, EventArguments& in,
                           pb::Message& message) {
  const pb::Descriptor& type = *field.target->message_type();
  for (auto& [room, seq] : in.Seqs(field.from, value)) {
    pb::Message& entry = *message.GetReflection()->AddMessage(&message, field.target);
    entry.GetReflection()->SetString(&entry, type.map_key(), std::move(room));
    entry.GetReflection()->SetInt64(&entry, type.map_value(), seq);
  }
}

void InboundEvent::SetFrom(const Field& field, const boost::json::value& value, EventArguments& in,
                           pb::Message& message) {
  const pb::Reflection& reflection = *message.GetReflection();
  switch (field.type) {
    case Type::kId:
    case Type::kText: {
      auto text = field.type == Type::kId ? in.Id(field.from, value) : in.Text(field.from, value);
      if (text) reflection.SetString(&message, field.target, *std::move(text));
      return;
    }
    case Type::kInteger:
      if (const auto number = in.Integer(field.from, value)) {
        SetInteger(message, field.target, *number);
      }
      return;
    case Type::kBool:
      if (const auto is_set = in.Bool(field.from, value)) {
        reflection.SetBool(&message, field.target, *is_set);
      }
      return;
    case Type::kWord:
      if (const auto number = in.Word(field.from, value, field.words)) {
        reflection.SetEnumValue(&message, field.target, *number);
      }
      return;
    case Type::kIds:
      for (std::string& id : in.Ids(field.from, value)) {
        reflection.AddString(&message, field.target, std::move(id));
      }
      return;
    case Type::kTime:
      if (const auto time = in.Time(field.from, value)) {
        reflection.MutableMessage(&message, field.target)->CopyFrom(*time);
      }
      return;
    case Type::kJson:
      if (const auto text = in.Json(field.from)) {
        reflection.SetString(&message, field.target, std::string(*text));
      }
      return;
    case Type::kSeqs:
      return SetSeqs(field, value, in, message);
  }
}

std::optional<v1::Error> InboundEvent::Read(std::string_view event,
                                            std::span<const boost::json::value> args,
                                            std::string_view text, v1::Command& command) const {
  if (!refused_.empty()) {
    return MakeError(v1::REASON_UNKNOWN_COMMAND, fmt::format("{}: {}", event, refused_));
  }
  pb::Message& message = *command.GetReflection()->MutableMessage(&command, command_);
  EventArguments in(event, args, text, reads_argument_);
  for (const Field& field : fields_) {
    const boost::json::value* value = field.from.empty() ? nullptr : in.Find(field.from);
    if (value != nullptr) {
      SetFrom(field, *value, in, message);
    } else if (field.is_required) {
      in.RefuseMissing(field.from);
    } else if (field.has_default) {
      SetToDefault(field, message);
    }
  }
  return in.TakeRefusal();
}

std::string InboundEvent::Describe() const {
  if (!refused_.empty()) return "refused: " + refused_;
  if (command_ == nullptr) return "";
  std::string text = command_->camelcase_name();
  for (const Field& field : fields_) {
    text += fmt::format("{}{}", &field == &fields_.front() ? " {" : ", ",
                        field.target->camelcase_name());
    if (field.from.empty()) {
      text += " fixed";
      continue;
    }
    text += fmt::format(" <- {} ({}{}{})", field.from, kTypeWords[static_cast<size_t>(field.type)],
                        field.is_required ? ", required" : "",
                        field.has_default ? ", with a default" : "");
  }
  return fields_.empty() ? text : text + "}";
}

}  // namespace confab::edge
