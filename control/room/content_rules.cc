#include "control/room/content_rules.h"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "control/room/json_check.h"
#include "storage/record_check.h"

namespace confab::control {
namespace {

Refusal BadRequest(std::string message) { return {v1::REASON_BAD_REQUEST, std::move(message)}; }

// REQUIRES: valid UTF-8.
size_t CountCodePoints(std::string_view text) {
  const auto starts = [](char c) { return (static_cast<uint8_t>(c) & 0xC0u) != 0x80u; };
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), starts));
}

std::optional<Refusal> CheckContent(std::string_view content, bool may_be_empty) {
  if (content.empty() && may_be_empty) return std::nullopt;
  if (content.empty()) return Refusal{v1::REASON_CONTENT_SIZE, "the content is empty"};
  if (content.size() > kContentBytesLimit) {
    return Refusal{v1::REASON_CONTENT_SIZE,
                   fmt::format("the content has {} bytes; at most {} are allowed", content.size(),
                               kContentBytesLimit)};
  }
  if (!storage::IsStorableText(content)) {
    return BadRequest("the content is not valid UTF-8 or contains NUL");
  }
  // Fewer bytes than the limit cannot be more code points.
  if (content.size() > kContentCodePointsLimit &&
      CountCodePoints(content) > kContentCodePointsLimit) {
    return Refusal{v1::REASON_CONTENT_SIZE,
                   fmt::format("the content has {} characters; at most {} are allowed",
                               CountCodePoints(content), kContentCodePointsLimit)};
  }
  return std::nullopt;
}

std::optional<Refusal> CheckBody(std::string_view body) {
  if (body.empty()) return std::nullopt;
  if (body.size() > kBodyBytesLimit) {
    return Refusal{
        v1::REASON_CONTENT_SIZE,
        fmt::format("the body has {} bytes; at most {} are allowed", body.size(), kBodyBytesLimit)};
  }
  if (IsJson(body)) return std::nullopt;
  return BadRequest(
      fmt::format("the body is no JSON, or nested more than {} deep", kBodyDepthLimit));
}

std::optional<Refusal> CheckType(std::string_view type) {
  if (type.size() > kTypeBytesLimit) {
    return BadRequest(fmt::format("type has at most {} bytes", kTypeBytesLimit));
  }
  if (type == "system") return BadRequest("the type \"system\" is reserved");
  if (!storage::IsStorableText(type)) return BadRequest("type is not valid UTF-8 or contains NUL");
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> CheckId(std::string_view id, std::string_view what) {
  if (id.empty()) return BadRequest(fmt::format("{} is missing", what));
  return CheckOptionalKey(id, what);
}

std::optional<Refusal> CheckOptionalKey(std::string_view key, std::string_view what) {
  if (key.size() > kKeyBytesLimit) {
    return BadRequest(fmt::format("{} has at most {} bytes", what, kKeyBytesLimit));
  }
  if (!storage::IsStorableText(key)) {
    return BadRequest(fmt::format("{} is not valid UTF-8 or contains NUL", what));
  }
  return std::nullopt;
}

std::optional<Refusal> CheckMessage(std::string_view content, std::string_view type,
                                    std::string_view reply_to, std::string_view body) {
  if (auto refusal = CheckContent(content, !body.empty())) return refusal;
  if (auto refusal = CheckBody(body)) return refusal;
  if (auto refusal = CheckType(type)) return refusal;
  return CheckOptionalKey(reply_to, "replyTo");
}

std::optional<Refusal> CheckMentions(absl::Span<const storage::UserId> users) {
  if (users.size() > kMentionsLimit) {
    return BadRequest(fmt::format("a message mentions at most {} users", kMentionsLimit));
  }
  for (const storage::UserId& user : users) {
    if (auto refusal = CheckId(user.value, "a mentioned user's id")) return refusal;
  }
  return std::nullopt;
}

std::string TypeOr(std::string_view type, std::string_view body) {
  if (!type.empty()) return std::string(type);
  return body.empty() ? "text" : "custom";
}

}  // namespace confab::control
