#include "control/room/room_lane.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "control/room/commit_forecast.h"
#include "control/room/upkeep_job.h"
#include "control/status_reason.h"
#include "process/log.h"
#include "process/metrics.h"

namespace confab::control {

using storage::RoomId;

namespace {

// What was refused is not worth more of the committer's time.
constexpr auto kAuditPatience = std::chrono::seconds(10);
// What is refused within it is recorded together.
constexpr absl::Duration kAuditPause = absl::Seconds(1);

void LogUnrecorded(const CommitJob& job) {
  process::LogWarn("refused acts are not in the audit table",
                   {{"count", static_cast<int64_t>(job.audits.size())},
                    {"first", job.audits.front().note.act},
                    {"status", job.status.ToString()}});
}

// What is sent again if it is refused goes first; whatever else the queue takes is rare or has no
// sender who waits for it.
CommitForecast::Rank RankOf(const CommitJob& job) {
  using Rank = CommitForecast::Rank;
  if (job.kind == CommitJob::Kind::kInbox) {
    return job.inbox->notification ? Rank::kSend : Rank::kOther;
  }
  if (job.kind != CommitJob::Kind::kAppend) return Rank::kOther;
  const RoomRequest& request = static_cast<const RoomCommand&>(job).request;
  const bool is_send = std::holds_alternative<PostRequest>(request) ||
                       std::holds_alternative<ChangeMessageRequest>(request);
  return is_send ? Rank::kSend : Rank::kChange;
}

absl::Status Hopeless(const CommitForecast::Outlook& outlook) {
  return RefusalStatus(v1::REASON_UNAVAILABLE,
                       outlook.is_away ? "nothing can be stored right now; try again"
                                       : "too much waits to be stored; try again",
                       outlook.retry_after_ms());
}

// What it did to the log stands in no event of it.
bool RewritesLog(const CommitJob& job) {
  if (job.kind == CommitJob::Kind::kErase) return true;
  if (job.kind != CommitJob::Kind::kTrim) return false;
  // The first of two times may have removed what the second did not find any more.
  if (!job.status.ok() || job.is_repeated) return true;
  return static_cast<const UpkeepJob&>(job).trim.rows > 0;
}

LogReads LogReadsOf(process::Metrics& metrics) {
  constexpr const char* kName = "confab_control_log_reads_total";
  constexpr const char* kHelp = "Pages read of rooms' logs, by where they came from";
  return {metrics.AddCounter(kName, kHelp, {{"from", "memory"}}),
          metrics.AddCounter(kName, kHelp, {{"from", "store"}})};
}

// Some senders' pointers on their way into the store.
struct OwnPointersJob : CommitJob {
  explicit OwnPointersJob(OwnPointers& own) : own_pointers(own) {
    kind = Kind::kMovePointers;
    is_command = false;
  }
  void Answer() override {
    if (status.ok()) {
      own_pointers.OnWritten(moves);
    } else {
      own_pointers.OnFailed(moves);
    }
  }
  OwnPointers& own_pointers;
};

}  // namespace

RoomLane::RoomLane(const Parts& parts, size_t rooms_limit)
    : commit_queue_(*parts.commits),
      rooms_gauge_(parts.metrics->AddGauge("confab_control_rooms", "Rooms in memory")),
      refused_early_(parts.metrics->AddCounter(
          "confab_control_refused_early_total",
          "What was refused at once because it would not have been written in time")),
      windows_gauge_(parts.metrics->AddGauge("confab_control_log_window_bytes",
                                             "Newest events of rooms that are read, in memory")),
      rooms_limit_(rooms_limit),
      own_pointers_delay_(parts.own_pointers_delay),
      reads_(*parts.lane, *parts.readers, parts.reads_limit),
      activity_reads_(*parts.lane, *parts.activity_reader, 1),
      active_check_(*parts.lane, activity_reads_, *parts.store),
      results_(*parts.metrics, outbox_),
      tools_{parts.index,
             *parts.lane,
             *parts.store,
             reads_,
             outbox_,
             results_,
             commits_,
             *parts.watch,
             own_pointers_,
             windows_,
             active_check_,
             LogReadsOf(*parts.metrics),
             parts.receipt_members} {}

LiveRoom* RoomLane::Find(const RoomId& id) {
  const auto it = rooms_.find(id);
  return it == rooms_.end() ? nullptr : it->second.get();
}

LiveRoom& RoomLane::RoomOf(const RoomId& id) {
  LiveRoom* room = Find(id);
  if (room == nullptr) {
    if (rooms_.size() >= std::max(rooms_limit_, rooms_kept_ * 2)) DropUnused();
    room = (rooms_[id] = std::make_unique<LiveRoom>(id, tools_)).get();
    rooms_gauge_.Add(1);
  }
  room->used = ++uses_;
  return *room;
}

// Drops the older half of the rooms that nobody needs.
void RoomLane::DropUnused() {
  std::vector<uint64_t> used;
  for (const auto& [id, room] : rooms_) {
    if (room->is_idle()) used.push_back(room->used);
  }
  if (!used.empty()) {
    const auto middle = used.begin() + static_cast<std::ptrdiff_t>(used.size() / 2);
    std::nth_element(used.begin(), middle, used.end());
    const size_t dropped = absl::erase_if(rooms_, [limit = *middle](const auto& entry) {
      return entry.second->used <= limit && entry.second->is_idle();
    });
    rooms_gauge_.Add(-static_cast<int64_t>(dropped));
  }
  rooms_kept_ = rooms_.size();
}

// While the store is away a message is refused before its room is asked: a room that is just being
// loaded would keep it until its deadline.
void RoomLane::Submit(std::vector<std::unique_ptr<RoomCommand>> commands) {
  const CommitForecast::Outlook outlook = commit_queue_.At(tools_.lane.now());
  const bool is_hopeless = outlook.is_away && !outlook.takes_probe && !tools_.is_stopping;
  for (auto& command : commands) {
    if (is_hopeless && RankOf(*command) == CommitForecast::Rank::kSend) {
      refused_early_.Add();
      results_.Refuse(*command, Hopeless(outlook));
      continue;
    }
    LiveRoom& room = RoomOf(command->room());
    room.Submit(std::move(command));
  }
}

void RoomLane::OnCommitted(CommitQueue::Jobs jobs) {
  for (auto& job : jobs) {
    if (!job->is_command) {
      // Before anybody is told that it was done.
      if (RewritesLog(*job)) tools_.watch.OnLogRewritten(job->append.room);
      job->Answer();
      continue;
    }
    if (job->kind == CommitJob::Kind::kAudit) {
      if (!job->status.ok()) LogUnrecorded(*job);
      continue;
    }
    auto* command = static_cast<RoomCommand*>(job.release());
    command->home->OnCommitted(std::unique_ptr<RoomCommand>(command));
  }
}

void RoomLane::ForgetLog(const RoomId& id) {
  if (LiveRoom* room = Find(id)) room->ForgetLog();
}

std::vector<std::shared_ptr<Attachment>> RoomLane::EdgesOf(const RoomId& id) {
  LiveRoom* room = Find(id);
  if (room == nullptr) return {};
  return room->audience().edges();
}

void RoomLane::Release(const Attachment& edge, const RoomId& id, uint64_t subscribes_seen) {
  if (LiveRoom* room = Find(id)) room->audience().Release(edge, subscribes_seen);
}

void RoomLane::Detach(const Attachment& edge) {
  for (const auto& [id, room] : rooms_) room->audience().Detach(edge);
}

void RoomLane::ResumeTail(const RoomId& id, const std::shared_ptr<TailSeat>& seat) {
  if (LiveRoom* room = Find(id)) room->audience().ResumeTail(seat);
}

void RoomLane::RemoveTail(const RoomId& id, const std::shared_ptr<TailSeat>& seat) {
  if (LiveRoom* room = Find(id)) room->audience().RemoveTail(seat);
}

// As late as may be: who posts again meanwhile is written once for both.
void RoomLane::PlanOwnPointers() {
  if (is_write_planned_ || own_pointers_.empty()) return;
  is_write_planned_ = true;
  tools_.lane.Delay(own_pointers_delay_, [this] {
    is_write_planned_ = false;
    WriteOwnPointers();
  });
}

void RoomLane::WriteOwnPointers() {
  while (true) {
    auto moves = own_pointers_.TakeUnwritten(CommitQueue::kBatchEventsLimit);
    if (moves.empty()) return;
    auto job = std::make_unique<OwnPointersJob>(own_pointers_);
    job->lane = tools_.lane_index;
    job->deadline = tools_.lane.now() + absl::ToChronoNanoseconds(CommitQueue::kOwnPointersDelay);
    job->moves = std::move(moves);
    commits_.push_back(std::move(job));
  }
}

void RoomLane::SweepRetention(absl::Duration round) {
  sweep_ = std::make_unique<RetentionSweep>(tools_, round);
  sweep_->Start();
}

void RoomLane::Push(std::unique_ptr<CommitJob> job) {
  job->lane = tools_.lane_index;
  commits_.push_back(std::move(job));
}

void RoomLane::EndTurn() {
  PlanOwnPointers();
  PushCommits();
  WaitForRefused();
  TidyWindows();
  outbox_.Flush();
  results_.Flush();
}

void RoomLane::TidyWindows() {
  windows_.CloseExcess();
  const auto bytes = static_cast<int64_t>(windows_.bytes());
  if (bytes != window_bytes_) windows_gauge_.Add(bytes - std::exchange(window_bytes_, bytes));
  if (windows_.empty() || std::exchange(is_window_check_due_, true)) return;
  tools_.lane.Delay(kWindowTime, [this] {
    is_window_check_due_ = false;
    windows_.CloseUnread(tools_.lane.now() - absl::ToChronoNanoseconds(kWindowTime));
  });
}

void RoomLane::PushCommits() {
  while (!commits_.empty()) {
    auto refused = TakeHopeless();
    commit_queue_.Push(commits_);
    for (auto& job : std::exchange(commits_, {})) {
      job->status =
          RefusalStatus(v1::REASON_UNAVAILABLE, "too many messages wait to be stored; try again",
                        CommitQueue::kRetryAfterMs);
      refused.push_back(std::move(job));
    }
    // What waited behind a refused one may come next.
    OnCommitted(std::move(refused));
  }
}

// Takes what is better refused at once out of commits_. If the committer has nothing to do, the
// first of it stays: that finds out whether the store is back.
CommitQueue::Jobs RoomLane::TakeHopeless() {
  CommitQueue::Jobs hopeless;
  const auto now = tools_.lane.now();
  CommitForecast::Outlook outlook = commit_queue_.At(now);
  if (!outlook.is_tight()) return hopeless;
  size_t kept = 0;
  for (auto& job : commits_) {
    const auto rank = RankOf(*job);
    if (outlook.Refuses(rank, now, job->deadline) && !outlook.TakeProbe()) {
      job->status = Hopeless(outlook);
      hopeless.push_back(std::move(job));
      continue;
    }
    job->deadline = outlook.Deadline(rank, now, job->deadline);
    if (auto& slot = commits_[kept++]; &slot != &job) slot = std::move(job);
  }
  commits_.resize(kept);
  refused_early_.Add(hopeless.size());
  return hopeless;
}

// A commit a turn would let whoever is refused slow down everybody's messages.
void RoomLane::WaitForRefused() {
  if (!results_.has_refused() || std::exchange(waits_for_refused_, true)) return;
  tools_.lane.Delay(kAuditPause, [this] {
    waits_for_refused_ = false;
    PushRefused();
  });
}

void RoomLane::PushRefused() {
  std::vector<storage::AuditRecord> refused = results_.TakeRefused();
  // What is refused because control stops is nobody's act.
  if (refused.empty() || tools_.is_stopping) return;
  auto job = std::make_unique<CommitJob>();
  job->kind = CommitJob::Kind::kAudit;
  job->lane = tools_.lane_index;
  job->deadline = tools_.lane.now() + kAuditPatience;
  job->audits = std::move(refused);
  commits_.push_back(std::move(job));  // With what else the turn has to commit, at its end.
}

void RoomLane::Stop() {
  tools_.is_stopping = true;
  for (const auto& [id, room] : rooms_) room->Stop();
  reads_.Stop();
  activity_reads_.Stop();
}

}  // namespace confab::control
