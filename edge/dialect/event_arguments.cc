#include "edge/dialect/event_arguments.h"

#include <fmt/format.h>

#include "edge/protocol/json_member.h"
#include "edge/protocol/json_text.h"
#include "proto/reason.h"

namespace confab::edge {
namespace {

namespace json = boost::json;

// DESIGN.md section 7.
constexpr size_t kEventNameBytesLimit = 64;

// Boost.JSON gives plain digits an integer type; "1.0", "1e2" and "-0" are doubles or negative.
std::optional<int64_t> PlainInteger(const json::value& value) {
  if (const int64_t* number = value.if_int64()) {
    if (*number >= 0 && *number <= kJsonIntegerMax) return *number;
  }
  return std::nullopt;
}

}  // namespace

EventArguments::EventArguments(std::string_view event, std::span<const json::value> args,
                               std::string_view text, bool is_read)
    : event_(event), text_(text) {
  if (!args.empty()) fields_ = args.front().if_object();
  if (fields_ == nullptr && is_read) Refuse("the argument must be an object");
}

void EventArguments::RefuseMissing(std::string_view field) { RefuseField(field, "is missing"); }

std::optional<std::string> EventArguments::Id(std::string_view field, const json::value& value) {
  if (const json::string* text = value.if_string()) return std::string(text->data(), text->size());
  if (const auto number = PlainInteger(value)) return std::to_string(*number);
  RefuseField(field, "must be a string, or a whole number from 0 to 9007199254740991");
  return std::nullopt;
}

std::optional<std::string> EventArguments::Text(std::string_view field, const json::value& value) {
  if (const json::string* text = value.if_string()) return std::string(text->data(), text->size());
  RefuseField(field, "must be a string");
  return std::nullopt;
}

std::optional<int64_t> EventArguments::Integer(std::string_view field, const json::value& value) {
  const std::optional<int64_t> number = PlainInteger(value);
  if (!number) RefuseField(field, "must be a whole number from 0 to 9007199254740991");
  return number;
}

std::optional<bool> EventArguments::Bool(std::string_view field, const json::value& value) {
  if (const bool* is_set = value.if_bool()) return *is_set;
  RefuseField(field, "must be true or false");
  return std::nullopt;
}

std::optional<int> EventArguments::Word(std::string_view field, const json::value& value,
                                        const std::vector<std::string>& words) {
  const json::string* text = value.if_string();
  std::string known;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i].empty()) continue;
    if (text != nullptr && words[i] == std::string_view(text->data(), text->size())) {
      return static_cast<int>(i);
    }
    known += fmt::format("{}{}", known.empty() ? "" : ", ", words[i]);
  }
  RefuseField(field, fmt::format("must be one of {}", known));
  return std::nullopt;
}

std::vector<std::string> EventArguments::Ids(std::string_view field, const json::value& value) {
  std::vector<std::string> ids;
  const json::array* array = value.if_array();
  if (array == nullptr) {
    RefuseField(field, "must be an array");
    return ids;
  }
  for (const json::value& element : *array) {
    std::optional<std::string> id = Id(field, element);
    if (!id) return {};
    ids.push_back(*std::move(id));
  }
  return ids;
}

std::vector<std::pair<std::string, int64_t>> EventArguments::Seqs(std::string_view field,
                                                                  const json::value& value) {
  std::vector<std::pair<std::string, int64_t>> seqs;
  const json::object* object = value.if_object();
  if (object == nullptr) {
    RefuseField(field, "must be an object");
    return seqs;
  }
  seqs.reserve(object->size());
  for (const json::key_value_pair& member : *object) {
    const std::optional<int64_t> seq = PlainInteger(member.value());
    if (!seq) {
      RefuseField(field, "must hold whole numbers from 0 to 9007199254740991");
      return {};
    }
    seqs.emplace_back(std::string(member.key().data(), member.key().size()), *seq);
  }
  return seqs;
}

std::optional<google::protobuf::Timestamp> EventArguments::Time(std::string_view field,
                                                                const json::value& value) {
  const json::string* text = value.if_string();
  std::optional<google::protobuf::Timestamp> time;
  if (text != nullptr) time = ParseTime({text->data(), text->size()});
  if (!time) RefuseField(field, "must be a time as in 2026-11-21T07:35:00Z");
  return time;
}

std::optional<std::string_view> EventArguments::Json(std::string_view field) {
  // The event's name stands before the argument.
  const std::optional<std::string_view> argument = FindJsonElement(text_, 1);
  const auto found = argument ? FindJsonMember(*argument, field) : std::nullopt;
  if (!found) RefuseField(field, "must be named without escapes");
  return found;
}

const json::value* EventArguments::Find(std::string_view field) const {
  if (fields_ == nullptr) return nullptr;
  const json::value* value = fields_->if_contains({field.data(), field.size()});
  return value == nullptr || value->is_null() ? nullptr : value;
}

void EventArguments::Refuse(std::string_view what) {
  refusal_ = MakeError(v1::REASON_BAD_REQUEST, fmt::format("{}: {}", event_, what));
}

void EventArguments::RefuseField(std::string_view field, std::string_view what) {
  if (!refusal_) Refuse(fmt::format("{} {}", field, what));
}

v1::Error UnknownEvent(std::string_view event) {
  if (event.empty()) return MakeError(v1::REASON_UNKNOWN_COMMAND, "an event needs a name");
  if (event.size() > kEventNameBytesLimit) {
    return MakeError(v1::REASON_UNKNOWN_COMMAND,
                     fmt::format("the event's name exceeds {} bytes", kEventNameBytesLimit));
  }
  return MakeError(v1::REASON_UNKNOWN_COMMAND, fmt::format("no event is named \"{}\"", event));
}

}  // namespace confab::edge
