#include "control/api/watch_stream.h"

#include <optional>
#include <utility>

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>

#include "control/api/grpc_status.h"
#include "control/presence/presence_rounds.h"
#include "process/mutex.h"

namespace confab::control {

// At most one write or the Finish is under way; whoever starts one has set is_writing_ or
// is_finished_ under the lock before, so that the stream lives until it returns.
class WatchStream::Writer final : public PresenceSink {
 public:
  Writer(WatchStream* stream, std::function<void(const absl::Status&)> on_finish)
      : stream_(stream), on_finish_(std::move(on_finish)) {}

  void Offer(const SharedView& view) override {
    {
      const process::MutexLock lock(mu_);
      if (end_.has_value()) return;
      waiting_[view->user.value] = view;
      if (waiting_.size() > kWaitingLimit) {
        waiting_.clear();
        end_ = absl::ResourceExhaustedError("the caller reads too slowly");
      }
    }
    Advance(false);
  }

  bool is_gone() const override {
    const process::MutexLock lock(mu_);
    return end_.has_value();
  }

  void End(absl::Status why) override {
    {
      const process::MutexLock lock(mu_);
      if (!end_.has_value()) end_ = std::move(why);
      waiting_.clear();
    }
    Advance(false);
  }

  void OnWriteDone(bool ok) {
    if (!ok) End(absl::CancelledError("the caller is gone"));
    Advance(true);
  }

 private:
  void Fill() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    writing_.Clear();
    while (!waiting_.empty() && static_cast<size_t>(writing_.changes_size()) < kMessageLimit) {
      *writing_.add_changes() = ToMessage(*waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
    }
  }

  // Starts what can be started now.
  void Advance(bool write_is_done) {
    std::optional<absl::Status> end;
    {
      const process::MutexLock lock(mu_);
      if (write_is_done) is_writing_ = false;
      if (is_writing_ || is_finished_) return;
      if (!waiting_.empty()) {
        is_writing_ = true;
        Fill();
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

  WatchStream* const stream_;  // Not to be touched once is_finished_.
  const std::function<void(const absl::Status&)> on_finish_;
  v1::WatchPresenceResponse writing_;  // Belongs to gRPC while is_writing_.
  mutable process::Mutex mu_;
  // The newest of each user.
  absl::flat_hash_map<std::string, SharedView> waiting_ ABSL_GUARDED_BY(mu_);
  bool is_writing_ ABSL_GUARDED_BY(mu_) = false;
  bool is_finished_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mu_);
};

WatchStream::WatchStream(std::function<void(const absl::Status&)> on_finish)
    : writer_(std::make_shared<Writer>(this, std::move(on_finish))) {}

WatchStream::~WatchStream() = default;

std::shared_ptr<PresenceSink> WatchStream::sink() const { return writer_; }

void WatchStream::OnWriteDone(bool ok) { writer_->OnWriteDone(ok); }
void WatchStream::OnCancel() { writer_->End(absl::CancelledError("the caller is gone")); }
void WatchStream::OnDone() { delete this; }

}  // namespace confab::control
