// lane_bed.h: one room on a lane with one edge that follows it; between a decision and its publishing
// nothing is written, so that what the lane itself does can be measured.
// Owns: all of it.   Used by: room_bench.
// Threads: the lane's until the room is loaded, then the benchmark's: the lane has nothing to do.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "control/dispatch/dispatcher_types.h"
#include "control/edge_link/stream_outbox.h"
#include "control/room/live_room.h"
#include "process/metrics.h"
#include "tests/fakes/memory_store.h"

namespace confab::control {

// Queues and batches what it is given, as an edge's stream does. No gRPC.
class BatchingStream final : public EdgeStream {
 public:
  using EdgeStream::Send;
  uint64_t Send(ItemBatch batch) override;
  size_t queued_bytes() const override { return outbox_.bytes(); }
  void Close(absl::Status /*why*/) override {}

  int64_t items() const { return items_; }

 private:
  StreamOutbox outbox_;
  StreamWrite write_;
  int64_t items_ = 0;
};

class LaneBed final : private MemberWatch {
 public:
  LaneBed();
  ~LaneBed();

  // As the edge's stream gives it to the dispatcher.
  EdgeCommand Post();
  // Checked and made into a command of the room.
  std::unique_ptr<RoomCommand> Translated();
  void Submit(std::unique_ptr<RoomCommand> command) { room_.Submit(std::move(command)); }
  // What was decided is stored, then published and answered.
  void Commit();
  // The turn's end: the edge gets its items.
  void Flush();

  int64_t items() const { return stream_->items(); }

 private:
  void OnMember(const storage::RoomId&, const storage::UserId&, int64_t) override {}
  void OnSubscribed(const storage::UserId&, const std::shared_ptr<Attachment>&, uint64_t) override {
  }
  void OnRead(const storage::UserId&, v1::Signal, Passed) override {}
  void OnDeleted(const storage::RoomId&) override {}
  void OnLogRewritten(const storage::RoomId&) override {}

  void Load();

  process::Metrics metrics_;
  storage::MemoryStore store_;
  Lane lane_;
  ReadPool readers_{1};
  ReadGate reads_{lane_, readers_, 1};
  ActiveCheck active_check_{lane_, reads_, store_};
  WindowBudget windows_;
  EdgeOutbox outbox_;
  ResultWriter results_{metrics_, outbox_};
  CommitQueue::Jobs commits_;
  OwnPointers own_pointers_;
  LaneTools tools_;
  LiveRoom room_;

  const std::shared_ptr<BatchingStream> stream_ = std::make_shared<BatchingStream>();
  const std::shared_ptr<Attachment> edge_ = std::make_shared<Attachment>("edge-1", 1, stream_);
  const std::shared_ptr<const storage::Actor> actor_;
  EdgeCommand sample_;
  int64_t requests_ = 0;
  int64_t last_seq_ = 0;
  Deadline start_;
};

}  // namespace confab::control
