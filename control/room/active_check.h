// active_check.h: makes sure that nobody else has written to the store before something is answered
// from memory that the store would be asked for otherwise.
// Owns: who waits for the store's word.
// Used by: log_reader.
// Threads: confined to the lane.
// Fails: UNAVAILABLE where the store cannot be asked, or another control is or was active.
//
// A question to the store begins after whoever it is asked for has come, so what is in memory then
// is no older than the question. All who come while one is under way share the next; they are told a
// few in each turn, so that what they have for an edge is handed over before the next look at it.
// Questions have a reader of their own: the answer may hang where all other reads are well.
#pragma once

#include <cstddef>
#include <vector>

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>

#include "control/lane/lane.h"
#include "control/lane/read_gate.h"
#include "storage/store.h"

namespace confab::control {

class ActiveCheck {
 public:
  using Done = absl::AnyInvocable<void(const absl::Status&)>;

  // Each has up to a page of 256 KiB: 1 MiB of what a lane adds to an edge's stream unseen.
  static constexpr size_t kToldATurn = 4;

  ActiveCheck(Lane& lane, ReadGate& reads, storage::Store& store)
      : lane_(lane), reads_(reads), store_(store) {}
  ActiveCheck(const ActiveCheck&) = delete;
  ActiveCheck& operator=(const ActiveCheck&) = delete;

  // As many may wait as the rooms of the lane have reads under way.
  void Ask(Done done);

 private:
  void AskStore();
  void OnAnswer(std::vector<Done> asked, const absl::Status& status);
  void Tell(std::vector<Done> asked, size_t next, const absl::Status& status);

  Lane& lane_;
  ReadGate& reads_;
  storage::Store& store_;
  std::vector<Done> waiting_;  // For the next question.
  bool is_asking_ = false;
};

}  // namespace confab::control
