#include "control/api/watch_stream.h"

#include <string>
#include <utility>

#include <absl/container/flat_hash_map.h>

#include "control/api/stream_writer.h"
#include "control/presence/presence_rounds.h"

namespace confab::control {

class WatchStream::Writer final : public PresenceSink,
                                  private StreamWriter<v1::WatchPresenceResponse> {
 public:
  using StreamWriter::StreamWriter;

  void Offer(const SharedView& view) override {
    {
      const process::MutexLock lock(mu_);
      if (has_ended()) return;
      waiting_[view->user.value] = view;
      if (waiting_.size() > kWaitingLimit) {
        waiting_.clear();
        SetEnd(absl::ResourceExhaustedError("the caller reads too slowly"));
      }
    }
    Advance(false);
  }

  bool is_gone() const override {
    const process::MutexLock lock(mu_);
    return has_ended();
  }

  void End(absl::Status why) override {
    {
      const process::MutexLock lock(mu_);
      SetEnd(std::move(why));
      waiting_.clear();
    }
    Advance(false);
  }

  void OnWriteDone(bool ok) {
    if (!ok) End(absl::CancelledError("the caller is gone"));
    Advance(true);
  }

 private:
  bool Fill(v1::WatchPresenceResponse& next) override {
    if (waiting_.empty()) return false;
    next.Clear();
    while (!waiting_.empty() && static_cast<size_t>(next.changes_size()) < kMessageLimit) {
      *next.add_changes() = ToMessage(*waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
    }
    return true;
  }

  // The newest of each user.
  absl::flat_hash_map<std::string, SharedView> waiting_ ABSL_GUARDED_BY(mu_);
};

WatchStream::WatchStream(std::function<void(const absl::Status&)> on_finish)
    : writer_(std::make_shared<Writer>(this, std::move(on_finish))) {}

WatchStream::~WatchStream() = default;

std::shared_ptr<PresenceSink> WatchStream::sink() const { return writer_; }

void WatchStream::OnWriteDone(bool ok) { writer_->OnWriteDone(ok); }
void WatchStream::OnCancel() { writer_->End(absl::CancelledError("the caller is gone")); }
void WatchStream::OnDone() { delete this; }

}  // namespace confab::control
