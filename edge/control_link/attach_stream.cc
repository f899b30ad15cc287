#include "edge/control_link/attach_stream.h"

#include <utility>

#include "edge/control_link/received_batch.h"
#include "process/failpoint.h"

namespace confab::edge {

AttachStream::AttachStream(std::uint64_t number, ControlLinkSink& sink)
    : number_(number), sink_(sink) {}

void AttachStream::Open(const std::shared_ptr<grpc::Channel>& channel, const std::string& token) {
  if (!token.empty()) context_.AddMetadata("authorization", "Bearer " + token);
  stub_ = v1::EdgeLinkService::NewStub(channel);
  stub_->async()->Attach(&context_, this);
  AddHold();  // Writes start outside of reactions.
  StartCall();
  // Reading begins afterwards, so that no item overtakes this.
  sink_.OnStreamOpened(number_);
  reading_ = MakeReceivedBatch();
  StartRead(reading_.get());
}

bool AttachStream::TakeBatch() {
  if (!is_announced_ || is_writing_ || is_over_ || !queue_.Take(writing_)) return false;
  is_writing_ = true;
  write_began_ = std::chrono::steady_clock::now();
  return true;
}

void AttachStream::Announce(std::vector<v1::Hello> chunks) {
  bool is_ready = false;
  {
    const process::MutexLock lock(mu_);
    for (v1::Hello& chunk : chunks) {
      v1::EdgeItem item;
      item.mutable_hello()->Swap(&chunk);
      queue_.Push(std::move(item));
    }
    for (v1::EdgeItem& item : std::exchange(early_, {})) queue_.Push(std::move(item));
    is_announced_ = true;
    is_ready = TakeBatch();
  }
  if (is_ready) Write();
}

void AttachStream::Send(std::vector<v1::EdgeItem>& items) {
  bool is_ready = false;
  bool is_too_much = false;
  {
    const process::MutexLock lock(mu_);
    for (v1::EdgeItem& item : items) {
      if (is_announced_) {
        queue_.Push(std::move(item));
      } else {
        early_.push_back(std::move(item));
      }
    }
    is_too_much = queue_.bytes() > kQueueBytesLimit;
    is_ready = !is_too_much && TakeBatch();
  }
  items.clear();
  if (is_ready) Write();
  if (is_too_much) Cancel();
}

void AttachStream::Write() {
  CONFAB_FAILPOINT(kLinkWrite);
  StartWrite(&writing_);
}

void AttachStream::OnReadDone(bool ok) {
  if (ok) {
    {
      const process::MutexLock lock(mu_);
      has_answered_ = true;
    }
    sink_.OnItems(number_, std::move(reading_));
    reading_ = MakeReceivedBatch();
    StartRead(reading_.get());
    return;
  }
  bool is_idle = false;
  {
    const process::MutexLock lock(mu_);
    is_over_ = true;
    is_idle = !is_writing_;
  }
  // While a write is under way its end does this.
  if (is_idle) RemoveHold();
}

void AttachStream::OnWriteDone(bool ok) {
  bool is_ready = false;
  bool is_last = false;
  writing_.Clear();  // Without the lock, which io threads want.
  {
    const process::MutexLock lock(mu_);
    is_writing_ = false;
    is_last = is_over_;
    is_ready = ok && TakeBatch();
  }
  if (is_ready) Write();
  if (is_last) RemoveHold();
}

void AttachStream::OnDone(const grpc::Status& status) {
  const process::MutexLock lock(mu_);
  status_ = status;
  is_done_ = true;
  // Under the lock: the waiter destroys this object.
  ended_.notify_all();
}

bool AttachStream::WaitFor(std::chrono::milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  process::MutexLock lock(mu_);
  while (!is_done_ && lock.WaitUntil(ended_, until)) {
  }
  return is_done_;
}

grpc::Status AttachStream::status() const {
  const process::MutexLock lock(mu_);
  return status_;
}

bool AttachStream::IsStalledFor(std::chrono::milliseconds time) const {
  const process::MutexLock lock(mu_);
  return is_writing_ && std::chrono::steady_clock::now() - write_began_ > time;
}

bool AttachStream::has_answered() const {
  const process::MutexLock lock(mu_);
  return has_answered_;
}

}  // namespace confab::edge
