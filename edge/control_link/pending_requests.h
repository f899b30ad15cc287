// pending_requests.h: commands of one io thread that wait for their Result. Each gets exactly one
// outcome: its Result (Complete), an Error at its deadline (Expire), or its connection is gone
// (Drop). Owns: the commands, so that they can be sent again after re-attaching.   Used by:
// io_thread. Threads: confined to the io thread. Time is a parameter. Fails: Add refuses when too
// many or too much is waiting.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "confab/v1/edge_link.pb.h"

namespace confab::edge {

using SteadyTime = std::chrono::steady_clock::time_point;

// One command under way.
struct PendingRequest {
  v1::Command command;               // With connection and request number.
  std::optional<uint64_t> reply_id;  // Ack id or native request number; nullopt: no answer wanted.
  SteadyTime sent_at;                // When the client asked, for latency figures.
  SteadyTime deadline;
  bool was_sent = false;  // Reached the link at least once: may have been done.
};

// What a client is told when no Result came in time: UNAVAILABLE if the command cannot have been
// done, changes nothing, or is safe to repeat (own client_msg_id); else OUTCOME_UNKNOWN.
v1::Error ErrorOfExpiry(const PendingRequest& request);

class PendingRequests {
 public:
  // DESIGN.md section 4: control takes 4,096 commands in flight of one edge; more would only queue.
  static constexpr size_t kCountLimit = 4'096;
  // Of what the commands carry; 256 of the largest messages.
  static constexpr size_t kBytesLimit = 16 * 1024 * 1024;

  // `thread_index` becomes the low byte of every request number.
  explicit PendingRequests(uint8_t thread_index, size_t count_limit = kCountLimit,
                           size_t bytes_limit = kBytesLimit);

  // Gives the command its request number and keeps it. The result is valid until the next call of a
  // non-const method. nullptr: too much is waiting, to be refused as UNAVAILABLE with a short
  // retry_after; `command` is untouched then.
  const PendingRequest* Add(v1::Command&& command, std::optional<uint64_t> reply_id, SteadyTime now,
                            SteadyTime deadline);

  // The link has taken this command.
  void MarkSent(uint64_t request);

  // Its Result came. nullopt: not waiting (answered already, expired, connection gone): ignore it.
  std::optional<PendingRequest> Complete(uint64_t request);

  // Everything unanswered, oldest first: what to send again after re-attaching (or for the first
  // time). deadline_ms of each is set to what is left at `now`; what is past its deadline is left
  // out, Expire answers it. Pointers are valid until the next call of a non-const method.
  std::vector<const v1::Command*> Unanswered(SteadyTime now);

  // Takes out what is past its deadline, oldest first.
  std::vector<PendingRequest> Expire(SteadyTime now);

  // The connection is gone: nobody waits any more. Returns how many were dropped.
  size_t Drop(uint64_t connection);

  size_t size() const { return size_; }
  size_t bytes() const { return bytes_; }

 private:
  struct Slot {
    std::optional<PendingRequest> request;  // Nothing: answered.
    size_t bytes = 0;
  };
  // One command that waits long keeps the slots behind it; so many slots a command at most.
  static constexpr size_t kHolesPerRequest = 16;

  Slot* Find(uint64_t request);
  PendingRequest Take(Slot& slot);
  void PopAnswered();

  const uint8_t thread_index_;
  const size_t count_limit_;
  const size_t bytes_limit_;
  // Request numbers are dense: the slot of number n is n - first_. Answered ones leave a hole that
  // goes when it comes to the front.
  std::deque<Slot> slots_;
  uint64_t first_ = 1;
  size_t size_ = 0;
  size_t bytes_ = 0;
};

}  // namespace confab::edge
