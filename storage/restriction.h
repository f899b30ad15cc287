// restriction.h: until when somebody is banned or muted: a time, the epoch for not at all, the
// infinite future for until it is lifted; and how events and tables keep it.
// Threads: pure.
#pragma once

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <absl/time/time.h>

namespace confab::storage {

// Microseconds since 1970: 0 not at all, the greatest number until it is lifted.
inline int64_t RestrictionColumn(absl::Time until) {
  return until == absl::InfiniteFuture() ? std::numeric_limits<int64_t>::max()
                                         : absl::ToUnixMicros(until);
}
inline absl::Time RestrictionEnd(int64_t column) {
  if (column <= 0) return absl::UnixEpoch();
  return column == std::numeric_limits<int64_t>::max() ? absl::InfiniteFuture()
                                                       : absl::FromUnixMicros(column);
}

// The content of a kMemberBanned and kMemberMuted: the column's digits.
inline std::string RestrictionText(absl::Time until) {
  return std::to_string(RestrictionColumn(until));
}
// nullopt: that is none.
inline std::optional<absl::Time> ReadRestriction(std::string_view text) {
  int64_t column = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), column);
  if (error != std::errc() || end != text.data() + text.size() || column <= 0) return std::nullopt;
  return RestrictionEnd(column);
}

}  // namespace confab::storage
