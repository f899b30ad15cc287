#include "edge/dialect/event_arguments.h"

#include <fmt/format.h>

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

EventArguments::EventArguments(std::string_view event, std::span<const json::value> args)
    : event_(event) {
  if (!args.empty()) fields_ = args.front().if_object();
  if (fields_ == nullptr) Refuse("the argument must be an object");
}

void EventArguments::RequiredId(std::string_view field, std::string& id) {
  const json::value* value = Find(field);
  if (value == nullptr) return RefuseField(field, "is missing");
  if (const json::string* text = value->if_string()) {
    id.assign(text->data(), text->size());
  } else if (const auto number = PlainInteger(*value)) {
    id = std::to_string(*number);
  } else {
    RefuseField(field, "must be a string, or a whole number from 0 to 9007199254740991");
  }
}

void EventArguments::RequiredString(std::string_view field, std::string& text) {
  if (Find(field) == nullptr) return RefuseField(field, "is missing");
  OptionalString(field, text);
}

void EventArguments::OptionalString(std::string_view field, std::string& text) {
  const json::value* value = Find(field);
  if (value == nullptr) return;
  if (const json::string* found = value->if_string()) {
    text.assign(found->data(), found->size());
  } else {
    RefuseField(field, "must be a string");
  }
}

std::optional<int64_t> EventArguments::OptionalNumber(std::string_view field) {
  const json::value* value = Find(field);
  if (value == nullptr) return std::nullopt;
  const auto number = PlainInteger(*value);
  if (!number) RefuseField(field, "must be a whole number from 0 to 9007199254740991");
  return number;
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
