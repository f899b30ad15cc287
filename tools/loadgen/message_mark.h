// message_mark.h: the content of a message, which says whose it is and shows any change of it.
// Threads: immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace confab::loadgen {

struct MessageMark {
  uint32_t sender = 0;
  uint64_t number = 0;  // Of the sender's messages, from 0.

  friend bool operator==(const MessageMark&, const MessageMark&) = default;
};

// Room for the numbers, and what a server takes.
inline constexpr size_t kContentBytesMin = 40;
inline constexpr size_t kContentBytesLimit = 16 * 1024;

// Writes and reads contents of one size. They hold nothing that JSON escapes.
class MarkedContent {
 public:
  explicit MarkedContent(size_t bytes);  // REQUIRES: within the limits above.

  void Append(const MessageMark& mark, std::string& out) const;
  // nullopt: this is not what was written.
  std::optional<MessageMark> Read(std::string_view content) const;

 private:
  std::string filler_;  // As long as a whole content.
};

}  // namespace confab::loadgen
