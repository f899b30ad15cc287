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
  v1::Command command;  // With connection and request number.
  std::optional<std::uint64_t>
      reply_id;        // Ack id or native request number; nullopt: no answer wanted.
  SteadyTime sent_at;  // When the client asked, for latency figures.
  SteadyTime deadline;
  bool was_sent = false;  // Reached the link at least once: may have been done.
};

// What a client is told when no Result came in time: UNAVAILABLE if the command cannot have been
// done, changes nothing, or is safe to repeat (own client_msg_id); else OUTCOME_UNKNOWN.
v1::Error ErrorOfExpiry(const PendingRequest& request);

class PendingRequests {
 public:
  // DESIGN.md section 4: control takes 4,096 commands in flight of one edge; more would only queue.
  static constexpr std::size_t kCountLimit = 4'096;
  // Of what the commands carry; 256 of the largest messages.
  static constexpr std::size_t kBytesLimit = 16 * 1024 * 1024;

  // `thread_index` becomes the low byte of every request number.
  explicit PendingRequests(std::uint8_t thread_index, std::size_t count_limit = kCountLimit,
                           std::size_t bytes_limit = kBytesLimit);

  // Gives the command its request number and keeps it. The result is valid until the next call of a
  // non-const method. nullptr: too much is waiting, to be refused as UNAVAILABLE with a short
  // retry_after; `command` is untouched then.
  const PendingRequest* Add(v1::Command&& command, std::optional<std::uint64_t> reply_id,
                            SteadyTime now, SteadyTime deadline);

  // The link has taken this command.
  void MarkSent(std::uint64_t request);

  // Its Result came. nullopt: not waiting (answered already, expired, connection gone): ignore it.
  std::optional<PendingRequest> Complete(std::uint64_t request);

  // Everything unanswered, oldest first: what to send again after re-attaching (or for the first
  // time). deadline_ms of each is set to what is left at `now`; what is past its deadline is left
  // out, Expire answers it. Pointers are valid until the next call of a non-const method.
  std::vector<const v1::Command*> Unanswered(SteadyTime now);

  // Takes out what is past its deadline, oldest first.
  std::vector<PendingRequest> Expire(SteadyTime now);

  // The connection is gone: nobody waits any more. Returns how many were dropped.
  std::size_t Drop(std::uint64_t connection);

  std::size_t size() const { return size_; }
  std::size_t bytes() const { return bytes_; }

 private:
  PendingRequest* Find(std::uint64_t request);
  PendingRequest Take(std::size_t index);
  void PopAnswered();

  const std::uint8_t thread_index_;
  const std::size_t count_limit_;
  const std::size_t bytes_limit_;
  // Request numbers are dense: the slot of number n is n - first_. Answered ones leave a hole that
  // goes when it comes to the front.
  std::deque<std::optional<PendingRequest>> slots_;
  std::uint64_t first_ = 1;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace confab::edge
