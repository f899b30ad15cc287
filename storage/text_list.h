// text_list.h: several texts in one text column, the same in every backend: "5:alice3:bob".
// Threads: pure functions.
#pragma once

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include <absl/types/span.h>

#include "storage/records.h"

namespace confab::storage {

inline std::string EncodeUsers(absl::Span<const UserId> users) {
  std::string text;
  for (const UserId& user : users) {
    text += std::to_string(user.value.size());
    text += ':';
    text += user.value;
  }
  return text;
}

// What cannot be read, and what follows it, is left out.
inline std::vector<UserId> DecodeUsers(std::string_view text) {
  std::vector<UserId> users;
  while (!text.empty()) {
    size_t size = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    const auto digits = static_cast<size_t>(end - text.data());
    if (error != std::errc() || digits == text.size() || *end != ':') break;
    text.remove_prefix(digits + 1);
    if (text.size() < size) break;
    users.emplace_back(std::string(text.substr(0, size)));
    text.remove_prefix(size);
  }
  return users;
}

}  // namespace confab::storage
