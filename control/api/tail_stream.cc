#include "control/api/tail_stream.h"

#include <optional>
#include <utility>

#include <absl/base/thread_annotations.h>

#include "control/api/grpc_status.h"
#include "process/mutex.h"

namespace confab::control {

// At most one write or the Finish is under way; whoever starts one has set is_writing_ or
// is_finished_ under the lock before, so that the stream lives until it returns.
class TailStream::Sink final : public TailSink {
 public:
  Sink(TailStream* stream, std::function<void(const absl::Status&)> on_finish)
      : stream_(stream), on_finish_(std::move(on_finish)) {}

  bool Offer(const v1::Event& event) override {
    {
      const process::MutexLock lock(mu_);
      if (is_finished_ || end_.has_value()) return true;  // Nobody waits for it.
      const size_t bytes = event.ByteSizeLong();
      if (waiting_bytes_ > 0 && waiting_bytes_ + bytes > kWaitingBytesLimit) {
        is_starved_ = true;
        return false;
      }
      *waiting_.add_events() = event;
      waiting_bytes_ += bytes;
    }
    Advance(false);
    return true;
  }

  void End(absl::Status why) override {
    {
      const process::MutexLock lock(mu_);
      if (!end_.has_value()) end_ = std::move(why);
    }
    Advance(false);
  }

  void Cancel() {
    {
      const process::MutexLock lock(mu_);
      end_ = absl::CancelledError("the caller is gone");
      waiting_.Clear();
    }
    Advance(false);
  }

  // True: the tail has to be resumed.
  bool OnWriteDone(bool ok) {
    if (!ok) Cancel();
    Advance(true);
    const process::MutexLock lock(mu_);
    return std::exchange(is_starved_, false) && !is_finished_;
  }

 private:
  // Starts what can be started now.
  void Advance(bool write_is_done) {
    std::optional<absl::Status> end;
    {
      const process::MutexLock lock(mu_);
      if (write_is_done) is_writing_ = false;
      if (is_writing_ || is_finished_) return;
      if (waiting_.events_size() > 0) {
        is_writing_ = true;
        writing_.Swap(&waiting_);
        waiting_.Clear();
        waiting_bytes_ = 0;
      } else if (end_.has_value()) {
        is_finished_ = true;
        end = end_;
      } else {
        return;
      }
    }
    if (end.has_value()) {
      on_finish_(*end);
      stream_->Finish(ToGrpc(*end));
    } else {
      stream_->StartWrite(&writing_);
    }
  }

  TailStream* const stream_;  // Not to be touched once is_finished_.
  const std::function<void(const absl::Status&)> on_finish_;
  v1::TailEventsResponse writing_;  // Belongs to gRPC while is_writing_.
  process::Mutex mu_;
  v1::TailEventsResponse waiting_ ABSL_GUARDED_BY(mu_);
  size_t waiting_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  bool is_writing_ ABSL_GUARDED_BY(mu_) = false;
  bool is_starved_ ABSL_GUARDED_BY(mu_) = false;
  bool is_finished_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mu_);
};

TailStream::TailStream(std::function<void(const absl::Status&)> on_finish)
    : sink_(std::make_shared<Sink>(this, std::move(on_finish))) {}

TailStream::~TailStream() = default;

void TailStream::Refuse(const absl::Status& why) { sink_->End(why); }

void TailStream::Follow(std::unique_ptr<Tail> tail) { tail_ = std::move(tail); }

std::shared_ptr<TailSink> TailStream::sink() const { return sink_; }

// Not before Follow: gRPC calls back once the stream was given to it.
void TailStream::OnWriteDone(bool ok) {
  if (sink_->OnWriteDone(ok)) tail_->Resume();
}

void TailStream::OnCancel() { sink_->Cancel(); }

void TailStream::OnDone() { delete this; }

}  // namespace confab::control
