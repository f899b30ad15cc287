// lane_tools.h: what every room of a lane works with.
// Owns: nothing; room_lane has it all.   Used by: live_room, room_log_follower, log_reader.
// Threads: confined to the lane, except the store (any thread).
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <absl/status/status.h>

#include "control/fanout/edge_outbox.h"
#include "control/fanout/window_budget.h"
#include "control/lane/lane.h"
#include "control/lane/read_gate.h"
#include "control/room/active_check.h"
#include "control/room/commit_queue.h"
#include "control/room/member_watch.h"
#include "control/room/own_pointers.h"
#include "control/room/result_writer.h"
#include "storage/store.h"

namespace confab::process {
class Counter;
}  // namespace confab::process

namespace confab::control {

// Pages of rooms' logs, by where they came from.
struct LogReads {
  process::Counter& memory;
  process::Counter& store;
};

struct LaneTools {
  size_t lane_index = 0;
  Lane& lane;
  storage::Store& store;
  ReadGate& reads;
  EdgeOutbox& outbox;
  ResultWriter& results;
  CommitQueue::Jobs& commits;  // Handed to the commit queue at the end of the turn.
  MemberWatch& watch;
  OwnPointers& own_pointers;
  WindowBudget& windows;
  ActiveCheck& active_check;
  LogReads log_reads;
  int32_t receipt_members = 0;  // Rooms of more are not told how far somebody has read.
  bool is_stopping = false;
};

// Runs `work` on a reader thread and gives what it returns (a StatusOr) to `done` on the lane.
// UNAVAILABLE when control stops.
template <typename Work, typename Done>
void ReadStore(LaneTools& tools, Work work, Done done, ReadShare share = ReadShare::kNeeded) {
  using Answer = std::invoke_result_t<Work&, storage::Store&>;
  tools.reads.Read(
      [&store = tools.store, work = std::move(work),
       done = std::move(done)](bool is_stopping) mutable -> Lane::Task {
        auto answer =
            is_stopping ? Answer(absl::UnavailableError("control is stopping")) : work(store);
        return [done = std::move(done), answer = std::move(answer)]() mutable {
          done(std::move(answer));
        };
      },
      share);
}

}  // namespace confab::control
