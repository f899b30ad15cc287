#include "control/room/commit_queue.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "control/room/upkeep_job.h"
#include "process/failpoint.h"
#include "process/log.h"
#include "process/metrics.h"

namespace confab::control {

namespace {

using Clock = std::chrono::steady_clock;

bool IsLate(const CommitJob& job, Clock::time_point now) { return job.deadline <= now; }

absl::Status TooLate() {
  return absl::UnavailableError("the command was not written before its deadline");
}
absl::Status Stopping() { return absl::UnavailableError("control is stopping"); }

// Leaves the jobs of that kind in `jobs`; both keep their order.
CommitQueue::Jobs CutOthers(CommitJob::Kind kind, CommitQueue::Jobs& jobs) {
  const auto is_of_kind = [kind](const auto& job) { return job->kind == kind; };
  // Nearly every turn has messages alone, and what cuts allocates. Measured by queue/commit/8.
  if (std::all_of(jobs.begin(), jobs.end(), is_of_kind)) return {};
  const auto middle = std::stable_partition(jobs.begin(), jobs.end(), is_of_kind);
  CommitQueue::Jobs others(std::make_move_iterator(middle), std::make_move_iterator(jobs.end()));
  jobs.erase(middle, jobs.end());
  return others;
}

// By contract these changed nothing; anything else that is unexpected may have.
bool HasChangedNothing(absl::StatusCode code) {
  return code == absl::StatusCode::kUnavailable || code == absl::StatusCode::kResourceExhausted ||
         code == absl::StatusCode::kDeadlineExceeded;
}

}  // namespace

class CommitQueue::Backoff {
 public:
  std::chrono::milliseconds Next() {
    return std::exchange(delay_, std::min<std::chrono::milliseconds>(delay_ * 2, kBackoffMax));
  }

 private:
  std::chrono::milliseconds delay_ = kBackoffMin;
};

CommitQueue::CommitQueue(process::Metrics& metrics, size_t lanes, Answer answer,
                         std::function<void(absl::Status)> on_fatal,
                         CommitForecast::Duration away_after)
    : answer_(std::move(answer)),
      on_fatal_(std::move(on_fatal)),
      metrics_(metrics),
      batch_events_(metrics.AddHistogram("confab_control_commit_batch_events",
                                         "Events written by one transaction",
                                         {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024})),
      commit_seconds_(metrics.AddHistogram("confab_control_commit_seconds",
                                           "Time from giving a batch to the store to its answer",
                                           process::LatencyBounds())),
      forecast_(kBatchEventsLimit, away_after),
      done_(lanes) {
  metrics_.AddGaugeFn(
      "confab_control_commit_wait_seconds", "What a message that came now would wait to be written",
      {}, [this] { return std::chrono::duration<double>(At(Clock::now()).wait).count(); }, this);
}

CommitQueue::~CommitQueue() {
  Stop();
  metrics_.RemoveGaugeFns(this);
}

void CommitQueue::Start(storage::Store& store) {
  store_ = &store;
  thread_ = std::thread([this] { Run(); });
}

void CommitQueue::Push(Jobs& jobs) {
  size_t taken = 0;
  process::MutexLock lock(mu_);
  const bool is_first = queue_.empty();
  for (; taken < jobs.size() && !is_stopping_; ++taken) {
    const size_t bytes = BytesOf(*jobs[taken]);
    if (queue_.size() >= kJobsLimit || bytes_ + bytes > kBytesLimit) break;
    bytes_ += bytes;
    queue_.push_back(std::move(jobs[taken]));
  }
  forecast_.SetWaiting(queue_.size());
  lock.Unlock();
  // Without the lock, which the committer would otherwise wait for as soon as it is awake.
  if (is_first && taken > 0) wake_.notify_one();
  jobs.erase(jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(taken));
}

void CommitQueue::Stop() {
  {
    const process::MutexLock lock(mu_);
    is_stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

bool CommitQueue::is_stopping() {
  const process::MutexLock lock(mu_);
  return is_stopping_;
}

void CommitQueue::Run() {
  EnsureWriter().IgnoreError();  // Tried again soon.
  while (true) {
    Jobs jobs = Take();
    if (jobs.empty() && is_stopping()) break;
    if (jobs.empty()) {
      Reopen();
    } else {
      Commit(std::move(jobs));
      forecast_.SeesTurnEnd(Clock::now());
    }
    Flush();
    RepairSomePointers();
  }
  Jobs rest;
  {
    const process::MutexLock lock(mu_);
    rest.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(queue_.end()));
    queue_.clear();
    bytes_ = 0;
    forecast_.SetWaiting(0);
  }
  FinishAll(std::move(rest), Stopping(), false);
  Flush();
  writer_.reset();
}

// Empty: stopping, or there is time to repair or to open a writer.
CommitQueue::Jobs CommitQueue::Take() {
  const bool is_closed = writer_ == nullptr && !is_fatal_;
  const auto probe_at = Clock::now() + CommitForecast::kProbeEvery;
  process::MutexLock lock(mu_);
  while (queue_.empty() && !is_stopping_ && !is_repairing_) {
    if (!is_closed) {
      lock.Wait(wake_);
    } else if (!lock.WaitUntil(wake_, probe_at)) {
      break;
    }
  }
  Jobs jobs;
  if (is_stopping_) return jobs;
  size_t events = 0;
  while (!queue_.empty()) {
    const CommitJob& next = *queue_.front();
    events += next.append.events.size() + next.moves.size() + (next.inbox != nullptr ? 1 : 0);
    if (!jobs.empty() && (IsAlone(next) || events > kBatchEventsLimit)) break;
    bytes_ -= BytesOf(next);
    jobs.push_back(std::move(queue_.front()));
    queue_.pop_front();
    if (IsAlone(*jobs.back())) break;
  }
  // The turn begins before the queue is seen to be empty.
  if (!jobs.empty()) forecast_.SeesTurn(Clock::now(), !IsAlone(*jobs.front()));
  forecast_.SetWaiting(queue_.size());
  return jobs;
}

void CommitQueue::Commit(Jobs jobs) {
  if (IsAlone(*jobs.front())) return CommitAlone(std::move(jobs.front()));
  // Inboxes have no order with rooms, and pointers move forward only, so it is all the same to them
  // which messages stand before them.
  Jobs others = CutOthers(CommitJob::Kind::kAppend, jobs);
  if (!jobs.empty()) CommitBatch(std::move(jobs), false);
  if (others.empty()) return;
  Jobs pointers = CutOthers(CommitJob::Kind::kInbox, others);
  if (!others.empty()) CommitBatch(std::move(others), false);
  if (!pointers.empty()) CommitPointers(std::move(pointers));
}

// `maybe_done`: an earlier attempt with these very jobs may have been committed.
void CommitQueue::CommitBatch(Jobs jobs, bool maybe_done) {
  Backoff backoff;
  while (true) {
    if (!maybe_done) FinishLate(jobs);
    if (jobs.empty()) return;
    const absl::Status status = TryBatch(jobs);
    if (status.ok()) {
      for (auto& job : jobs) Finish(std::move(job), absl::OkStatus());
      return;
    }
    if (status.code() == absl::StatusCode::kInvalidArgument) {
      if (jobs.size() == 1) return FinishAll(std::move(jobs), status, false);
      const auto middle = jobs.begin() + static_cast<std::ptrdiff_t>(jobs.size() / 2);
      Jobs second(std::make_move_iterator(middle), std::make_move_iterator(jobs.end()));
      jobs.erase(middle, jobs.end());
      CommitBatch(std::move(jobs), maybe_done);
      return CommitBatch(std::move(second), maybe_done);
    }
    NoteFailure(status);
    forecast_.SeesFailure(Clock::now());
    if (is_fatal_) return FinishAll(std::move(jobs), status, maybe_done);
    if (!HasChangedNothing(status.code())) maybe_done = true;
    const auto now = Clock::now();
    const bool is_late =
        std::all_of(jobs.begin(), jobs.end(), [now](const auto& job) { return IsLate(*job, now); });
    if (is_late || !WaitForRetry(backoff.Next())) {
      return FinishAll(std::move(jobs), maybe_done ? status : TooLate(), maybe_done);
    }
  }
}

void CommitQueue::CommitAlone(std::unique_ptr<CommitJob> job) {
  Backoff backoff;
  bool maybe_done = false;
  while (true) {
    if (IsLate(*job, Clock::now())) {
      return Finish(std::move(job),
                    maybe_done ? absl::UnknownError("the answer was lost") : TooLate(), maybe_done);
    }
    absl::Status status = TryAlone(*job);
    switch (status.code()) {
      case absl::StatusCode::kOk:
      case absl::StatusCode::kInvalidArgument:
        return Finish(std::move(job), std::move(status));
      case absl::StatusCode::kNotFound:  // Of deleting: the lost attempt may have done it.
        return Finish(std::move(job), maybe_done ? absl::OkStatus() : std::move(status));
      case absl::StatusCode::kAlreadyExists:  // Of CreateRoom: ours, or somebody's before us.
        if (maybe_done) status = absl::UnknownError("the answer to creating the room was lost");
        return Finish(std::move(job), std::move(status), maybe_done);
      default:
        break;
    }
    NoteFailure(status);
    if (is_fatal_) return Finish(std::move(job), std::move(status), maybe_done);
    if (!HasChangedNothing(status.code())) maybe_done = job->is_repeated = true;
    if (!WaitForRetry(backoff.Next())) {
      return Finish(std::move(job), maybe_done ? std::move(status) : Stopping(), maybe_done);
    }
  }
}

// An attempt that was done though its answer was lost does no harm when it is repeated.
void CommitQueue::CommitPointers(Jobs jobs) {
  Backoff backoff;
  while (true) {
    FinishLate(jobs);
    if (jobs.empty()) return;
    const absl::Status status = TryPointers(jobs);
    if (status.ok() || absl::IsInvalidArgument(status)) {
      return FinishAll(std::move(jobs), status, false);
    }
    NoteFailure(status);
    if (is_fatal_) return FinishAll(std::move(jobs), status, false);
    if (!WaitForRetry(backoff.Next())) return FinishAll(std::move(jobs), Stopping(), false);
  }
}

absl::Status CommitQueue::TryPointers(Jobs& jobs) {
  if (auto status = EnsureWriter(); !status.ok()) return status;
  std::vector<storage::PointerMove> moves;
  for (const auto& job : jobs) moves.insert(moves.end(), job->moves.begin(), job->moves.end());
  const auto outcomes = writer_->MovePointers(moves);
  if (!outcomes.ok()) return outcomes.status();
  if (outcomes->size() != moves.size()) return absl::InternalError("the store left out answers");
  auto next = outcomes->begin();
  for (const auto& job : jobs) {
    const auto end = next + static_cast<std::ptrdiff_t>(job->moves.size());
    job->pointers.assign(next, end);
    next = end;
  }
  NoteSuccess();
  return absl::OkStatus();
}

// REQUIRES: all of one kind.
absl::Status CommitQueue::TryBatch(Jobs& jobs) {
  if (auto status = EnsureWriter(); !status.ok()) return status;
  return jobs.front()->kind == CommitJob::Kind::kInbox ? TryInboxes(jobs) : TryAppend(jobs);
}

absl::Status CommitQueue::TryInboxes(Jobs& jobs) {
  std::vector<storage::InboxWrite> batch;
  batch.reserve(jobs.size());
  for (auto& job : jobs) batch.push_back(std::move(*job->inbox));
  auto outcomes = writer_->WriteInboxes(batch);
  for (size_t i = 0; i < jobs.size(); ++i) *jobs[i]->inbox = std::move(batch[i]);
  if (!outcomes.ok()) return outcomes.status();
  if (outcomes->size() != jobs.size()) return absl::InternalError("the store left out answers");
  for (size_t i = 0; i < jobs.size(); ++i) jobs[i]->inbox_outcome = std::move((*outcomes)[i]);
  forecast_.SeesSuccess();
  NoteSuccess();
  return absl::OkStatus();
}

absl::Status CommitQueue::TryAppend(Jobs& jobs) {
  std::vector<const storage::AppendRequest*> batch;
  batch.reserve(jobs.size());
  size_t events = 0;
  for (const auto& job : jobs) {
    events += job->append.events.size();
    batch.push_back(&job->append);
  }
  const auto start = Clock::now();
  CONFAB_FAILPOINT(kCommitBefore);
  auto outcomes = writer_->Append(absl::MakeConstSpan(batch));
  if (!outcomes.ok()) return outcomes.status();
  if (outcomes->size() != jobs.size()) return absl::InternalError("the store left out answers");
  CONFAB_FAILPOINT(kCommitDone);
  commit_seconds_.Observe(std::chrono::duration<double>(Clock::now() - start).count());
  batch_events_.Observe(static_cast<double>(events));
  for (size_t i = 0; i < jobs.size(); ++i) jobs[i]->outcome = std::move((*outcomes)[i]);
  forecast_.SeesSuccess();
  NoteSuccess();
  return absl::OkStatus();
}

absl::Status CommitQueue::TryAlone(CommitJob& job) {
  if (auto status = EnsureWriter(); !status.ok()) return status;
  if (job.kind == CommitJob::Kind::kAudit) return writer_->WriteAudit(job.audits);
  if (job.kind == CommitJob::Kind::kSetCursor) return writer_->SetFeedCursor(*job.cursor);
  if (job.kind == CommitJob::Kind::kDeleteCursor) {
    return writer_->DeleteFeedCursor(job.cursor->consumer);
  }
  if (job.kind == CommitJob::Kind::kDeleteRoom) {
    return writer_->DeleteRoom(job.append.room, job.audits.empty() ? nullptr : &job.audits[0]);
  }
  if (job.kind != CommitJob::Kind::kCreateRoom) return TryUpkeep(static_cast<UpkeepJob&>(job));
  auto record = writer_->CreateRoom(*job.new_room);
  if (!record.ok()) return record.status();
  job.record = *std::move(record);
  return absl::OkStatus();
}

// Each may be done again: a repeated step goes on where the first one came to.
absl::Status CommitQueue::TryUpkeep(UpkeepJob& job) {
  const storage::RoomId& room = job.append.room;
  if (job.kind == CommitJob::Kind::kSetRetention) {
    return writer_->SetRetention(room, job.retention,
                                 job.audits.empty() ? nullptr : &job.audits[0]);
  }
  if (job.kind == CommitJob::Kind::kTrim) {
    const auto step = writer_->Trim(room, kUpkeepRows);
    if (step.ok()) job.trim = *step;
    return step.status();
  }
  const auto step = writer_->Erase(room, job.user, job.after_seq, kUpkeepRows);
  if (step.ok()) job.erase = *step;
  return step.status();
}

absl::Status CommitQueue::EnsureWriter() {
  if (is_fatal_) return absl::FailedPreconditionError("this control is not the active one");
  if (writer_ != nullptr) return absl::OkStatus();
  auto writer = store_->OpenWriter();
  // Opening writes nothing, so its failure never leaves an outcome in doubt.
  if (!writer.ok()) {
    forecast_.SeesFailure(Clock::now());
    return writer.status().code() == absl::StatusCode::kFailedPrecondition
               ? writer.status()
               : absl::UnavailableError(writer.status().message());
  }
  writer_ = *std::move(writer);
  forecast_.SeesWriter(Clock::now());
  // The first step comes before the first batch: what that writes is newer than what was lost.
  is_repairing_ = !repair_.is_done;
  RepairSomePointers();
  return absl::OkStatus();
}

// A store that was away is found to be back though nobody has anything to write; that it writes
// shows with the first who has.
void CommitQueue::Reopen() {
  if (auto status = EnsureWriter(); !status.ok()) NoteFailure(status);
}

// What the process that was active before had no time to write. Without it some senders' own
// messages count as unread for them, which is no reason to keep everybody waiting.
void CommitQueue::RepairSomePointers() {
  if (!is_repairing_) return;
  auto step = writer_->RepairPointers(kRepairWindow, repair_, kRepairRooms);
  if (step.ok()) {
    repair_ = *std::move(step);
    is_repairing_ = !repair_.is_done;
    return;
  }
  process::LogWarn("read pointers of senders were not repaired",
                   {{"status", step.status().ToString()}});
  is_repairing_ = false;  // Until a writer is opened again, if that may help.
  repair_.is_done = !absl::IsUnavailable(step.status());
}

// A connection that failed once is not trusted again.
void CommitQueue::NoteFailure(const absl::Status& status) {
  forecast_.SeesNoWriter(Clock::now());
  writer_.reset();
  is_repairing_ = false;
  if (!is_failing_) {
    process::LogWarn("the store refuses to write; trying again", {{"status", status.ToString()}});
  }
  is_failing_ = true;
  if (status.code() == absl::StatusCode::kFailedPrecondition && !is_fatal_) {
    is_fatal_ = true;
    if (on_fatal_) on_fatal_(status);
  }
}

void CommitQueue::NoteSuccess() {
  if (std::exchange(is_failing_, false)) process::LogInfo("the store takes writes again");
}

void CommitQueue::Finish(std::unique_ptr<CommitJob> job, absl::Status status, bool is_unknown) {
  job->status = std::move(status);
  job->is_outcome_unknown = is_unknown;
  done_[job->lane].push_back(std::move(job));
}

void CommitQueue::FinishAll(Jobs jobs, const absl::Status& status, bool is_unknown) {
  for (auto& job : jobs) {
    // Not a copy: that would share one representation between lanes.
    Finish(std::move(job), absl::Status(status.code(), status.message()), is_unknown);
  }
}

void CommitQueue::FinishLate(Jobs& jobs) {
  const auto now = Clock::now();
  size_t kept = 0;
  for (auto& job : jobs) {
    if (IsLate(*job, now)) {
      Finish(std::move(job), TooLate());
    } else if (auto& slot = jobs[kept++]; &slot != &job) {
      slot = std::move(job);
    }
  }
  jobs.resize(kept);
}

void CommitQueue::FinishLateInQueue() {
  const auto now = Clock::now();
  const process::MutexLock lock(mu_);
  std::deque<std::unique_ptr<CommitJob>> kept;
  for (auto& job : queue_) {
    if (IsLate(*job, now)) {
      bytes_ -= BytesOf(*job);
      Finish(std::move(job), TooLate());
    } else {
      kept.push_back(std::move(job));
    }
  }
  queue_.swap(kept);
  forecast_.SetWaiting(queue_.size());
}

void CommitQueue::Flush() {
  for (size_t lane = 0; lane < done_.size(); ++lane) {
    if (!done_[lane].empty()) answer_(lane, std::exchange(done_[lane], {}));
  }
}

bool CommitQueue::WaitForRetry(std::chrono::milliseconds delay) {
  FinishLateInQueue();
  Flush();
  const auto until = Clock::now() + delay;
  process::MutexLock lock(mu_);
  while (!is_stopping_ && lock.WaitUntil(wake_, until)) {
  }
  return !is_stopping_;
}

}  // namespace confab::control
