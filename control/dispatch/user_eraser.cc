#include "control/dispatch/user_eraser.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "control/dispatch/recorded_act.h"
#include "control/status_reason.h"

namespace confab::control {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int32_t kPageRooms = 1000;
constexpr auto kStepDeadline = std::chrono::seconds(10);  // As for a step of retention.

absl::Status Stopping() {
  return RefusalStatus(v1::REASON_UNAVAILABLE, "control is stopping; ask again");
}

}  // namespace

void UserEraser::Start() {
  const bool is_taken = lanes_->readers().Run(
      [self = shared_from_this()](bool is_stopping) {
        const absl::Status status =
            is_stopping ? Stopping() : self->ReadRooms(self->lanes_->store());
        if (!status.ok()) {
          self->progress_(status);
        } else {
          self->report_.rooms_total = static_cast<int64_t>(self->rooms_.size());
          self->Record();
        }
      },
      ReadShare::kCalls);
  if (!is_taken) {
    progress_(RefusalStatus(v1::REASON_UNAVAILABLE, "too many reads wait; try again",
                            CommitQueue::kRetryAfterMs));
  }
}

absl::Status UserEraser::ReadRooms(storage::Store& store) {
  while (true) {
    const auto page =
        store.ListRoomsEver(user_, rooms_.empty() ? storage::RoomId() : rooms_.back(), kPageRooms);
    if (!page.ok()) return page.status();
    rooms_.insert(rooms_.end(), page->begin(), page->end());
    if (page->size() < static_cast<size_t>(kPageRooms)) return absl::OkStatus();
  }
}

// Before anything is gone: whatever becomes of this process, the act stands in the audit table.
void UserEraser::Record() {
  RecordAct(*lanes_, "user.erase", asker_, user_, Clock::now() + kStepDeadline,
            [self = shared_from_this()](const absl::Status& recorded) {
              if (!recorded.ok()) return self->Fail(recorded);
              self->Step(absl::ZeroDuration());
            });
}

void UserEraser::Fail(const absl::Status& status) {
  progress_(absl::IsUnavailable(status) ? Stopping() : status);
}

void UserEraser::Step(absl::Duration pause) {
  if (report_.rooms == report_.rooms_total) {
    report_.is_done = true;
    Report();
    return;
  }
  const storage::RoomId& room = rooms_[static_cast<size_t>(report_.rooms)];
  auto job = std::make_unique<UpkeepJob>(
      CommitJob::Kind::kErase, room,
      [self = shared_from_this()](UpkeepJob& done) { self->OnStep(done); });
  job->user = user_;
  job->after_seq = after_seq_;
  lanes_->Post(lanes_->LaneOf(room), [self = shared_from_this(), job = std::move(job),
                                      pause](RoomLane& rooms) mutable {
    rooms.Later(pause, [self = std::move(self), job = std::move(job), &rooms]() mutable {
      self->step_began_ = Clock::now();
      job->deadline = self->step_began_ + kStepDeadline;
      rooms.Push(std::move(job));
    });
  });
}

void UserEraser::OnStep(const UpkeepJob& job) {
  if (!job.status.ok() && !absl::IsNotFound(job.status)) {
    return Fail(job.status);
  }
  const bool is_room_done = !job.status.ok() || job.erase.is_done;
  report_.messages += job.erase.messages;
  after_seq_ = is_room_done ? 0 : job.erase.next_seq;
  if (is_room_done) ++report_.rooms;
  const auto now = Clock::now();
  if (now - reported_ > absl::ToChronoNanoseconds(kReportEvery) && !Report()) return;
  Step(std::max(absl::FromChrono(now - step_began_) * kPauseFactor, kPauseMin));
}

bool UserEraser::Report() {
  reported_ = Clock::now();
  return progress_(report_);
}

}  // namespace confab::control
