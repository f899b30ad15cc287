// content_rules.h: what ids and messages may look like, whoever sends them.
// Threads: pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <absl/types/span.h>

#include "confab/v1/types.pb.h"

#include "storage/records.h"

namespace confab::control {

inline constexpr size_t kContentCodePointsLimit = 4000;  // A long read, not a document.
inline constexpr size_t kContentBytesLimit = 16 * 1024;  // Four bytes for each code point.
inline constexpr size_t kTypeBytesLimit = 32;            // A word, not a payload.
inline constexpr size_t kBodyBytesLimit = 16 * 1024;     // As much as the content may have.
inline constexpr size_t kMentionsLimit = 50;             // A team; who means all says so.
inline constexpr size_t kKeyBytesLimit = 128;            // Like an id: room for two UUIDs and more.

// Why something is refused.
struct Refusal {
  v1::Reason reason = v1::REASON_BAD_REQUEST;
  std::string message;
};

// 1 to 128 bytes of UTF-8 without NUL. `what` names it in the message.
std::optional<Refusal> CheckId(std::string_view id, std::string_view what);

// An id or a key that may be missing.
std::optional<Refusal> CheckOptionalKey(std::string_view key, std::string_view what);

// The texts of a message; `type` as given, before its default. The content may be empty beside a
// body.
std::optional<Refusal> CheckMessage(std::string_view content, std::string_view type,
                                    std::string_view reply_to, std::string_view body);
std::optional<Refusal> CheckMentions(absl::Span<const storage::UserId> users);

// What stands for a type that was not given.
std::string TypeOr(std::string_view type, std::string_view body);

}  // namespace confab::control
