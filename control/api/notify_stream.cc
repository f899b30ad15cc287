#include "control/api/notify_stream.h"

#include <chrono>
#include <utility>

#include <absl/base/thread_annotations.h>

#include "control/api/grpc_status.h"
#include "control/status_reason.h"
#include "process/mutex.h"

namespace confab::control {

// At most one read or the Finish is under way; whoever starts one has noted it under the lock
// before, so that the stream lives until it returns.
class NotifyStream::Sum {
 public:
  Sum(NotifyStream* stream, v1::NotifyStreamResponse& response,
      std::function<void(const absl::Status&)> on_finish)
      : stream_(stream), response_(&response), on_finish_(std::move(on_finish)) {}

  // One more is under way.
  void Begin() {
    const process::MutexLock lock(mu_);
    ++under_way_;
  }

  // True: the next may be read now. False: an End will start that, so the caller has to be done with
  // the stream: what is read next must not overtake the one before.
  bool GoesOn() {
    const process::MutexLock lock(mu_);
    is_paused_ = under_way_ >= kUnderWayLimit;
    return !is_paused_;
  }

  void End(uint64_t index, const absl::StatusOr<v1::NotificationOutcome>& told) {
    bool reads_on = false;
    bool ends = false;
    {
      const process::MutexLock lock(mu_);
      --under_way_;
      if (response_ != nullptr) Add(index, told);
      reads_on = std::exchange(is_paused_, false);
      ends = EndsNow();
    }
    if (reads_on) stream_->StartRead(&stream_->request_);
    if (ends) Finish(absl::OkStatus());
  }

  // Nothing more is read.
  void OnEnd() {
    bool ends = false;
    {
      const process::MutexLock lock(mu_);
      has_ended_ = true;
      ends = EndsNow();
    }
    if (ends) Finish(absl::OkStatus());
  }

  void Finish(const absl::Status& status) {
    on_finish_(status);
    stream_->Finish(ToGrpc(status));
  }

  void OnDone() {
    const process::MutexLock lock(mu_);
    response_ = nullptr;
  }

 private:
  bool EndsNow() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (!has_ended_ || under_way_ > 0 || is_finished_) return false;
    is_finished_ = true;
    return true;
  }

  void Add(uint64_t index, const absl::StatusOr<v1::NotificationOutcome>& told)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (told.ok()) {
      response_->set_accepted(response_->accepted() + 1);
      response_->set_connections(response_->connections() + told->connections());
      response_->set_stored(response_->stored() + (told->stored() ? 1 : 0));
      return;
    }
    response_->set_refused(response_->refused() + 1);
    if (response_->refusals_size() >= kRefusalsLimit) return;
    v1::NotifyStreamRefusal& refusal = *response_->add_refusals();
    refusal.set_index(index);
    *refusal.mutable_error() = ErrorOf(told.status());
  }

  NotifyStream* const stream_;  // Lives until Finish, which waits for what is under way.
  process::Mutex mu_;
  v1::NotifyStreamResponse* response_ ABSL_GUARDED_BY(mu_);
  const std::function<void(const absl::Status&)> on_finish_;
  size_t under_way_ ABSL_GUARDED_BY(mu_) = 0;
  bool is_paused_ ABSL_GUARDED_BY(mu_) = false;
  bool has_ended_ ABSL_GUARDED_BY(mu_) = false;
  bool is_finished_ ABSL_GUARDED_BY(mu_) = false;
};

NotifyStream::NotifyStream(NotificationCalls calls, std::string service,
                           v1::NotifyStreamResponse& response, const absl::Status& admitted,
                           std::function<void(const absl::Status&)> on_finish)
    : calls_(calls),
      service_(std::move(service)),
      sum_(std::make_shared<Sum>(this, response, std::move(on_finish))) {
  if (admitted.ok()) {
    StartRead(&request_);
  } else {
    sum_->Finish(admitted);
  }
}

void NotifyStream::OnReadDone(bool ok) {
  if (!ok) return sum_->OnEnd();
  v1::OutgoingNotification what = std::move(*request_.mutable_notification());
  sum_->Begin();
  calls_.Notify(
      std::move(what), service_, Deadline::max(),
      [sum = sum_, index = index_++](const absl::StatusOr<v1::NotificationOutcome>& told) {
        sum->End(index, told);
      });
  if (sum_->GoesOn()) StartRead(&request_);
}

void NotifyStream::OnDone() {
  sum_->OnDone();
  delete this;
}

}  // namespace confab::control
