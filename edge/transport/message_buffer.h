// message_buffer.h: where the messages of one socket are read to. A short one fits into the object, a
// longer one gets memory of its own. Who sends long ones in a row keeps 1 KiB of it: so its messages
// come by one read each, without an allocation and a timer; an idle socket has none.
// Measured by transport/read_message.
// Owns: the bytes of the message under way.   Used by: websocket_transport.
// Threads: confined to the io thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace confab::edge {

class MessageBuffer {
 public:
  // What every socket has: heartbeats, joins and acks fit.
  static constexpr std::size_t kInlineBytes = 256;
  // Below Beast's own 1,536, so that it never takes two reads for what arrived in one.
  static constexpr std::size_t kKeptBytes = 1024;

  // Where the next bytes go; never empty. What Finish gave is gone.
  std::span<char> Space();

  // `n` bytes came there, and the message is not whole. False: there was room for more, so that is a
  // fragment's end, or all that has arrived. `bytes_limit`: messages are no longer, as a rule.
  bool Add(std::size_t n, std::size_t bytes_limit);
  // A message is under way, of which a part is here.
  bool is_assembling() const { return is_assembling_; }

  // `n` bytes came there, and the message is whole. Valid until Space or Clear.
  std::string_view Finish(std::size_t n);

  // The client has shown that it lives, with nothing to say: what is kept for its long messages goes
  // with the next one.
  void OnHeartbeat() { long_messages_ = 0; }

  // Gives the memory back. REQUIRES: nothing is read to Space.
  void Clear();

  bool holds_memory() const { return block_ != nullptr; }

 private:
  // A packet of Engine.IO without a body; a native heartbeat is a control frame (OnHeartbeat).
  static constexpr std::size_t kHeartbeatBytes = 2;
  // Since the last heartbeat. One is the token of every CONNECT.
  static constexpr std::uint8_t kLongMessages = 2;

  void Grow(std::size_t bytes_limit);
  void Reallocate(std::size_t capacity);
  char* bytes() { return block_ != nullptr ? block_.get() : inline_.data(); }

  std::unique_ptr<char[]> block_;  // Null: inline_ is in use.
  std::uint32_t capacity_ = kInlineBytes;
  std::uint32_t size_ = 0;          // Of the message under way.
  std::uint8_t long_messages_ = 0;  // Of more than fits into the object; up to kLongMessages.
  bool is_assembling_ = false;
  bool is_finished_ = false;
  std::array<char, kInlineBytes> inline_{};
};

}  // namespace confab::edge
