#include "edge/http_api/request_fields.h"

#include <algorithm>
#include <cassert>
#include <charconv>

#include <fmt/format.h>

#include "edge/http_api/http_path.h"
#include "edge/protocol/json_member.h"
#include "edge/protocol/json_text.h"
#include "edge/protocol/utf8.h"
#include "proto/reason.h"

namespace confab::edge {
namespace {

namespace json = boost::json;

// Beyond that JavaScript cannot count.
constexpr int64_t kNumberMax = 9'007'199'254'740'991;
constexpr char kNumberWanted[] = "must be a whole number from 0 to 9007199254740991";

// Plain digits without leading zeros.
std::optional<int64_t> NumberOf(std::string_view digits) {
  if (digits.empty() || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
  if (!std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return std::nullopt;
  }
  int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || number > kNumberMax) return std::nullopt;
  return number;
}

}  // namespace

void RequestFields::PathId(const char* field, std::size_t place, std::string& id) {
  std::optional<std::string> decoded = DecodePathSegment(segments_.at(place));
  if (!decoded || !IsUtf8(*decoded)) {
    return Refuse(field, "in the path must be UTF-8, percent-encoded");
  }
  id = *std::move(decoded);
}

std::optional<int64_t> RequestFields::QueryNumber(const char* field) {
  if (!target_.Has(field)) return std::nullopt;
  const std::optional<int64_t> number = NumberOf(target_.Get(field));
  if (!number) Refuse(field, kNumberWanted);
  return number;
}

void RequestFields::QueryText(const char* field, std::string& text) {
  const std::string_view found = target_.Get(field);
  if (!IsUtf8(found)) return Refuse(field, "must be UTF-8, percent-encoded");
  text = found;
}

std::optional<google::protobuf::Timestamp> RequestFields::QueryTime(const char* field) {
  if (!target_.Has(field)) return std::nullopt;
  std::optional<google::protobuf::Timestamp> time = ParseTime(target_.Get(field));
  if (!time) Refuse(field, "must be a time as in 2026-11-21T07:35:00Z");
  return time;
}

void RequestFields::BodyIds(const char* field,
                            google::protobuf::RepeatedPtrField<std::string>& ids) {
  const json::value* value = Find(body(), field);
  if (value == nullptr) return;
  if (!value->is_array()) return Refuse(field, "must be an array");
  for (const json::value& element : value->get_array()) {
    const json::object wrapped({{field, element}});
    BodyId(wrapped, field, true, *ids.Add());
  }
}

void RequestFields::BodyJson(const char* field, std::string& text) {
  if (Find(body(), field) == nullptr) return;
  const std::optional<std::string_view> found = FindJsonMember(text_, field);
  if (!found) return Refuse(field, "must be named without escapes");
  text = *found;
}

void RequestFields::BodyId(const json::object& object, const char* field, bool is_required,
                           std::string& id) {
  const json::value* value = Find(object, field);
  if (value == nullptr) {
    if (is_required) Refuse(field, "is missing");
    return;
  }
  // Boost.JSON gives plain digits an integer type; "1.0" and "1e2" are doubles.
  const int64_t* number = value->if_int64();
  if (const json::string* text = value->if_string()) {
    id.assign(text->data(), text->size());
  } else if (number != nullptr && *number >= 0 && *number <= kNumberMax) {
    id = std::to_string(*number);
  } else {
    Refuse(field, "must be a string, or a whole number from 0 to 9007199254740991");
  }
}

void RequestFields::BodyText(const json::object& object, const char* field, std::string& text) {
  const json::value* value = Find(object, field);
  if (value == nullptr) return;
  if (const json::string* found = value->if_string()) {
    text.assign(found->data(), found->size());
  } else {
    Refuse(field, "must be a string");
  }
}

std::optional<bool> RequestFields::BodyBool(const json::object& object, const char* field) {
  const json::value* value = Find(object, field);
  if (value == nullptr) return std::nullopt;
  if (const bool* found = value->if_bool()) return *found;
  Refuse(field, "must be true or false");
  return std::nullopt;
}

std::optional<int64_t> RequestFields::BodyNumber(const json::object& object, const char* field) {
  const json::value* value = Find(object, field);
  if (value == nullptr) return std::nullopt;
  const int64_t* number = value->if_int64();
  if (number != nullptr && *number >= 0 && *number <= kNumberMax) return *number;
  Refuse(field, kNumberWanted);
  return std::nullopt;
}

void RequestFields::Key(const char* field, std::string& key) {
  BodyText(body(), field, key);
  if (request_.idempotency_key.empty()) return;
  if (!IsUtf8(request_.idempotency_key)) return Refuse("Idempotency-Key", "must be UTF-8");
  if (!key.empty() && key != request_.idempotency_key) {
    return Refuse(field, "and the header Idempotency-Key differ: give one of them");
  }
  key = request_.idempotency_key;
}

std::string RequestFields::Token() const {
  return std::string(request_.authorization.empty() ? target_.Get("token")
                                                    : request_.authorization);
}

void RequestFields::ServiceToken(std::string& token) {
  token = Token();
  // A protobuf string that is no UTF-8 would end the stream.
  if (IsUtf8(token)) return;
  token.clear();
  Refuse("the token", "must be a JWT");
}

const json::object& RequestFields::body() const {
  assert(body_ != nullptr);
  return *body_;
}

const json::value* RequestFields::Find(const json::object& object, std::string_view field) {
  const json::value* value = object.if_contains({field.data(), field.size()});
  return value == nullptr || value->is_null() ? nullptr : value;
}

void RequestFields::Refuse(std::string_view field, std::string_view what) {
  if (!refusal_) refusal_ = MakeError(v1::REASON_BAD_REQUEST, fmt::format("{} {}", field, what));
}

}  // namespace confab::edge
