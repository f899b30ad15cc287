#include "control/api/feed_stream.h"

#include <optional>
#include <utility>

#include <absl/base/thread_annotations.h>

#include "control/api/grpc_status.h"
#include "control/dispatch/feed_page.h"
#include "process/mutex.h"

namespace confab::control {

// Steps come one after the other, each begun by the end of the one before. Only a wait can be broken
// off: whoever takes it out of `stream` goes on.
struct FeedStream::Life {
  process::Mutex mu;
  FeedStream* waiting ABSL_GUARDED_BY(mu) = nullptr;
  bool is_cancelled ABSL_GUARDED_BY(mu) = false;
};

// The end of a wait: when it is over, or when control stops and forgets it.
class FeedStream::Waker {
 public:
  explicit Waker(std::shared_ptr<Life> life) : life_(std::move(life)) {}
  Waker(Waker&&) = default;
  ~Waker() {
    if (life_ == nullptr) return;  // Moved from.
    FeedStream* stream = nullptr;
    {
      const process::MutexLock lock(life_->mu);
      stream = std::exchange(life_->waiting, nullptr);
    }
    if (stream != nullptr) stream->ReadOn();
  }

 private:
  std::shared_ptr<Life> life_;
};

FeedStream::FeedStream(FeedCalls feed, v1::ReadFeedRequest request,
                       std::function<void(const absl::Status&)> on_finish)
    : feed_(feed),
      request_(std::move(request)),
      on_finish_(std::move(on_finish)),
      life_(std::make_shared<Life>()) {}

void FeedStream::Start(const absl::Status& admitted) {
  if (!admitted.ok()) return End(admitted);
  if (const auto given = FeedPositionOf(request_.after_position()); !given.ok()) {
    return End(given.status());
  }
  position_ = request_.after_position();
  if (!position_.empty()) return ReadOn();
  if (request_.consumer().empty()) return FindStart();
  feed_.ReadCursor(request_.consumer(),
                   [this](absl::StatusOr<std::optional<storage::FeedCursor>> cursor) {
                     if (!cursor.ok()) return End(cursor.status());
                     if (!cursor->has_value()) return FindStart();
                     position_ = ToText((*cursor)->position);
                     ReadOn();
                   });
}

void FeedStream::FindStart() {
  if (!request_.start_at_end()) return ReadOn();
  feed_.ReadEnd([this](absl::StatusOr<std::string> position) {
    if (!position.ok()) return End(position.status());
    position_ = *std::move(position);
    ReadOn();
  });
}

bool FeedStream::GoesOn() {
  bool is_cancelled = false;
  {
    const process::MutexLock lock(life_->mu);
    is_cancelled = life_->is_cancelled;
  }
  if (is_cancelled) End(absl::CancelledError("the caller is gone"));
  return !is_cancelled;
}

void FeedStream::ReadOn() {
  if (!GoesOn()) return;
  feed_.Read(position_,
             [this](absl::StatusOr<v1::ReadFeedResponse> page) { OnPage(std::move(page)); });
}

void FeedStream::OnPage(absl::StatusOr<v1::ReadFeedResponse> page) {
  if (!page.ok()) return End(page.status());
  const bool has_moved = page->position() != position_;
  position_ = page->position();
  page_ = *std::move(page);
  // The first answer is told even if it is empty: it says where the caller stands.
  if (page_.events_size() > 0 || has_moved || !std::exchange(has_told_position_, true)) {
    has_told_position_ = true;
    return StartWrite(&page_);
  }
  if (request_.stop_at_end()) return End(absl::OkStatus());
  Wait();
}

void FeedStream::OnWriteDone(bool ok) {
  if (!ok) return End(absl::CancelledError("the caller is gone"));
  if (!page_.at_end()) return ReadOn();
  if (request_.stop_at_end()) return End(absl::OkStatus());
  Wait();
}

void FeedStream::Wait() {
  if (!GoesOn()) return;
  {
    const process::MutexLock lock(life_->mu);
    life_->waiting = this;
  }
  feed_.After(kLookInterval, [waker = Waker(life_)] {});
}

void FeedStream::OnCancel() {
  bool was_waiting = false;
  {
    const process::MutexLock lock(life_->mu);
    life_->is_cancelled = true;
    was_waiting = std::exchange(life_->waiting, nullptr) != nullptr;
  }
  if (was_waiting) End(absl::CancelledError("the caller is gone"));
}

void FeedStream::End(const absl::Status& status) {
  on_finish_(status);
  Finish(ToGrpc(status));
}

void FeedStream::OnDone() { delete this; }

}  // namespace confab::control
