// read_gate.h: a lane's share of the read pool; answers come back as tasks of the lane.
// Owns: the reads that wait for their turn.
// Used by: live_room.
// Threads: confined to the lane (the work itself runs on a reader thread).
// Fails: never refuses; what waits is limited by what the rooms of the lane have under way (one
// load, one log read and the page reads of admitted commands each). Pages let the others go first.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>

#include <absl/functional/any_invocable.h>

#include "control/lane/lane.h"
#include "control/lane/read_pool.h"

namespace confab::control {

class ReadGate {
 public:
  // Runs on a reader thread and returns what to do on the lane. `is_stopping`: do not read.
  using Work = absl::AnyInvocable<Lane::Task(bool is_stopping)>;

  // `limit`: reads of this lane that the pool has at a time; two thirds of them may be pages.
  ReadGate(Lane& lane, ReadPool& pool, size_t limit);

  void Read(Work work, ReadShare share = ReadShare::kNeeded);

  // REQUIRES: the pool has stopped. Answers what waits; later reads are answered at once.
  void Stop();

 private:
  static constexpr absl::Duration kFullDelay = absl::Milliseconds(5);

  using Queue = std::deque<std::shared_ptr<Work>>;

  void Pass();
  bool Hand(Queue& queue, ReadShare share);
  void WaitForPool();
  void OnDone(ReadShare share, Lane::Task task);

  Lane& lane_;
  ReadPool& pool_;
  const size_t limit_;
  const size_t pages_limit_;
  size_t running_ = 0;
  size_t running_pages_ = 0;  // Of those.
  bool is_stopped_ = false;
  bool is_waiting_ = false;  // The pool was full; Pass comes again.
  Queue needed_;
  Queue pages_;
};

}  // namespace confab::control
