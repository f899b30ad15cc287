#include "control/api/tail_stream.h"

#include <utility>

#include "control/api/stream_writer.h"

namespace confab::control {

class TailStream::Sink final : public TailSink, private StreamWriter<v1::TailEventsResponse> {
 public:
  using StreamWriter::StreamWriter;

  bool Offer(const v1::Event& event) override {
    {
      const process::MutexLock lock(mu_);
      if (has_ended()) return true;  // Nobody waits for it.
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
      SetEnd(std::move(why));
    }
    Advance(false);
  }

  void Cancel() {
    {
      const process::MutexLock lock(mu_);
      SetEnd(absl::CancelledError("the caller is gone"));
      waiting_.Clear();
    }
    Advance(false);
  }

  // True: the tail has to be resumed.
  bool OnWriteDone(bool ok) {
    if (!ok) Cancel();
    Advance(true);
    const process::MutexLock lock(mu_);
    return std::exchange(is_starved_, false) && !has_ended();
  }

 private:
  bool Fill(v1::TailEventsResponse& next) override {
    if (waiting_.events_size() == 0) return false;
    next.Swap(&waiting_);
    waiting_.Clear();
    waiting_bytes_ = 0;
    return true;
  }

  v1::TailEventsResponse waiting_ ABSL_GUARDED_BY(mu_);
  size_t waiting_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  bool is_starved_ ABSL_GUARDED_BY(mu_) = false;
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
