// result_writer.h: answers commands: a Result to an edge, or the callback of a service's call.
// Owns: the callbacks of one turn; they run at its end, when edges have what caused them.
// Used by: live_room, room_lane (Flush).
// Threads: confined to the lane (counters are shared).
// Fails: never.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>

#include "confab/v1/types.pb.h"

#include "control/fanout/edge_outbox.h"
#include "control/room/room_command.h"
#include "storage/audit.h"

namespace confab::process {
class Counter;
class Metrics;
}  // namespace confab::process

namespace confab::control {

class ResultWriter {
 public:
  ResultWriter(process::Metrics& metrics, EdgeOutbox& outbox);

  // Each answers the command; it is done with afterwards.
  void Refuse(RoomCommand& command, absl::Status why);
  void Refuse(RoomCommand& command, v1::Reason reason, std::string message,
              uint32_t retry_after_ms = 0);
  void Joined(RoomCommand& command, storage::Role role, int64_t last_seq);
  void Left(RoomCommand& command);
  void Posted(RoomCommand& command);          // From its outcome.
  void MessageChanged(RoomCommand& command);  // Likewise.
  void TypingTaken(RoomCommand& command);
  void Enrolled(RoomCommand& command, storage::Role role, int64_t last_seq);
  void Quitted(RoomCommand& command);
  void Created(RoomCommand& command);  // From its record.
  void Person(RoomCommand& command, const storage::MemberRecord& record);
  void Updated(RoomCommand& command, const storage::RoomRecord& record);
  void MarkedRead(RoomCommand& command);  // From its pointer.
  void Page(RoomCommand& command, storage::EventPage page);
  void Page(RoomCommand& command, const SharedPage& page);  // REQUIRES: an edge asks.

  // Answers a service's call. REQUIRES: the reply is a Callback<T>.
  template <typename T>
  void Give(RoomCommand& command, T value) {
    Count(v1::REASON_UNSPECIFIED);
    deferred_.push_back([done = std::move(std::get<Callback<T>>(command.reply)),
                         value = std::move(value)]() mutable { done(std::move(value)); });
  }

  // What was refused of recorded acts since the last time; what is beyond the limit of a batch is
  // not recorded.
  bool has_refused() const { return !refused_.empty(); }
  std::vector<storage::AuditRecord> TakeRefused() { return std::exchange(refused_, {}); }

  // Runs the callbacks. REQUIRES: the outbox was flushed.
  void Flush();

 private:
  v1::Result& AddResult(RoomCommand& command);
  void Count(v1::Reason reason);  // UNSPECIFIED: it was done.

  EdgeOutbox& outbox_;
  std::array<process::Counter*, v1::Reason_ARRAYSIZE> counters_{};
  std::vector<absl::AnyInvocable<void()>> deferred_;
  std::vector<storage::AuditRecord> refused_;
};

}  // namespace confab::control
