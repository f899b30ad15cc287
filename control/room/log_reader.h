// log_reader.h: reads one room's log forward for whoever is behind, edges, tails and connections:
// from memory while the room is hot, else from the store.
// Owns: the window, reads that wait for one under way.
// Used by: room_log_follower.
// Threads: confined to the room's lane.
// Fails: each read is answered once, with the store's status; what waits is limited by the commands
// that edges have under way and by who follows the room. From memory pages come faster than a stream
// takes them: those of an edge whose stream is congested are held back, until their deadline.
//
// The first read behind the end opens the window: what is published from then on is kept, and what
// the read brings is put before it. Who comes while it is under way waits for it instead of reading
// the same again, but not for a second one: what an edit has overtaken is not kept. A room that nobody reads behind has no window and pays nothing.
//
// What is answered from memory is what the store would have said: everything is written by this
// process, what changes a message or the log forgets it here before that is told to anybody, and
// before each page the store is asked whether this is still the active process (active_check).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>

#include "control/fanout/edge_registry.h"
#include "control/fanout/log_window.h"
#include "control/fanout/shared_page.h"
#include "control/room/lane_tools.h"
#include "control/room/room_calls.h"
#include "storage/records.h"

namespace confab::control {

class LogReader {
 public:
  // The log behind `after_seq`: at most `limits`, at least one event if there is one.
  struct Wanted {
    int64_t after_seq = 0;
    PageLimits limits;
    ReadShare share = ReadShare::kNeeded;
    Deadline deadline = Deadline::max();  // Nobody waits for it any longer.
    // Into whose stream it goes: it is not read while that is congested. Null: who asks looks himself.
    std::shared_ptr<const Attachment> edge = nullptr;
  };
  using Done = absl::AnyInvocable<void(absl::StatusOr<SharedPage>)>;

  // Of one page from the store, as clients are given them.
  static constexpr int32_t kPageEvents = 500;
  static constexpr int32_t kPageBytes = 256 * 1024;

  // `published_seq`: the last event that was published; the owner's, who changes it.
  LogReader(const storage::RoomId& room, LaneTools& tools, const int64_t& published_seq)
      : room_(room), tools_(tools), published_seq_(published_seq) {}
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;

  bool is_idle() const { return pending_ == 0; }

  // What comes may go beyond the published position.
  void Read(const Wanted& wanted, Done done);

  // Null: there is none.
  const LogWindow* window() const { return is_open() ? window_.get() : nullptr; }

  // --- What is published is kept only while this is true.
  bool is_open() const { return window_ != nullptr && window_->is_open(); }
  void OnPublished(const v1::RoomEvent& event);
  // Before the event that says so is published.
  void OnMessageChanged(int64_t message_seq);
  // The log holds less than before, or says less of its events.
  void Forget();
  // It is another log, or goes on elsewhere.
  void Reset();

  // Control stops: answers what was held back.
  void Stop();

 private:
  struct Pending {
    Wanted wanted;
    Done done;
  };

  void Start(Pending read, bool joins);
  void HoldBack(Pending read);
  void Release();
  void OnChecked(Pending read, const absl::Status& status);
  bool IsNear(int64_t after_seq) const;
  void Fill(Pending read);
  void OnFilled(uint64_t version, Pending read, absl::StatusOr<SharedPage> page);
  void ReadPage(Pending read);
  void Answer(Pending read, absl::StatusOr<SharedPage> page);

  const storage::RoomId& room_;
  LaneTools& tools_;
  const int64_t& published_seq_;
  std::unique_ptr<LogWindow> window_;
  bool is_filling_ = false;
  int64_t filled_after_ = 0;  // Where the read that fills it begins.
  ReadShare filling_share_ = ReadShare::kNeeded;
  std::vector<Pending> waiting_;  // For that read.
  std::vector<Pending> held_;     // Their edges' streams are congested.
  bool is_release_due_ = false;
  uint64_t version_ = 0;  // What was read from the store before it changed is not kept.
  size_t pending_ = 0;    // Reads that will be answered, and delays.
};

}  // namespace confab::control
