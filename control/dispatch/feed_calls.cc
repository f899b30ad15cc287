#include "control/dispatch/feed_calls.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <absl/time/clock.h>
#include <fmt/format.h>

#include "control/dispatch/command_translator.h"
#include "control/dispatch/feed_page.h"
#include "control/dispatch/store_read.h"
#include "control/room/content_rules.h"

namespace confab::control {

namespace {

absl::Status BadRequest(std::string message) {
  return RefusalStatus(v1::REASON_BAD_REQUEST, std::move(message));
}

constexpr size_t kConsumerBytesLimit = 64;
constexpr size_t kConsumersLimit = 64;  // Each is read from time to time, and is kept for ever.

absl::Status CheckConsumer(std::string_view consumer) {
  if (consumer.size() > kConsumerBytesLimit) {
    return BadRequest(fmt::format("consumer has 1 to {} bytes", kConsumerBytesLimit));
  }
  auto refusal = CheckId(consumer, "consumer");
  return refusal ? ToStatus(*std::move(refusal)) : absl::OkStatus();
}

// Alone in its transaction: cursors move once a page, not once an event.
class CursorJob final : public CommitJob {
 public:
  explicit CursorJob(Callback<FeedDone> done) : done_(std::move(done)) { is_command = false; }
  ~CursorJob() override {  // Dropped unanswered: its lane has ended.
    if (done_ != nullptr) done_(NotServing());
  }
  void Answer() override {
    auto done = std::exchange(done_, nullptr);
    if (status.ok()) return done(FeedDone{});
    done(absl::IsNotFound(status) ? BadRequest("consumer: there is no such cursor") : status);
  }

 private:
  Callback<FeedDone> done_;
};

void WriteCursor(Dispatcher& dispatcher, CommitJob::Kind kind,
                 std::unique_ptr<storage::FeedCursor> cursor, Deadline deadline,
                 Callback<FeedDone> done) {
  auto job = std::make_unique<CursorJob>(std::move(done));
  job->kind = kind;
  job->deadline = dispatcher.DeadlineOf(deadline);
  job->cursor = std::move(cursor);
  dispatcher.lanes().Post(
      0, [job = std::move(job)](RoomLane& rooms) mutable { rooms.Push(std::move(job)); });
}

}  // namespace

void FeedCalls::Read(const std::string& position, Callback<v1::ReadFeedResponse> done) {
  const auto after = FeedPositionOf(position);
  if (!after.ok()) return done(after.status());
  ReadStore<v1::ReadFeedResponse>(
      dispatcher_, [after = *after](storage::Store& store) { return ReadFeedPage(store, after); },
      std::move(done));
}

void FeedCalls::ReadEnd(Callback<std::string> done) {
  ReadStore<std::string>(
      dispatcher_,
      [](storage::Store& store) -> absl::StatusOr<std::string> {
        const auto end = store.ReadFeedEnd();
        if (!end.ok()) return end.status();
        return ToText(*end);
      },
      std::move(done));
}

void FeedCalls::ReadCursor(std::string consumer,
                           Callback<std::optional<storage::FeedCursor>> done) {
  using Found = std::optional<storage::FeedCursor>;
  if (auto status = CheckConsumer(consumer); !status.ok()) return done(status);
  ReadStore<Found>(
      dispatcher_,
      [consumer = std::move(consumer)](storage::Store& store) -> absl::StatusOr<Found> {
        const auto cursors = store.ListFeedCursors();
        if (!cursors.ok()) return cursors.status();
        for (const storage::FeedCursor& cursor : *cursors) {
          if (cursor.consumer == consumer) return cursor;
        }
        return std::nullopt;
      },
      std::move(done));
}

void FeedCalls::ListCursors(Callback<std::vector<storage::FeedCursor>> done) {
  ReadStore<std::vector<storage::FeedCursor>>(
      dispatcher_, [](storage::Store& store) { return store.ListFeedCursors(); }, std::move(done));
}

void FeedCalls::CommitCursor(std::string consumer, const std::string& position, Deadline deadline,
                             Callback<FeedDone> done) {
  if (auto status = CheckConsumer(consumer); !status.ok()) return done(status);
  if (position.empty()) return done(BadRequest("position is missing"));
  auto parsed = FeedPositionOf(position);
  if (!parsed.ok()) return done(parsed.status());
  auto cursor = std::make_unique<storage::FeedCursor>();
  cursor->consumer = std::move(consumer);
  cursor->position = *std::move(parsed);
  cursor->committed_at = absl::Now();
  // How many there are is looked up first; two at once may make one too many, which harms nobody.
  ListCursors(
      [&dispatcher = dispatcher_, cursor = std::move(cursor), deadline,
       done = std::move(done)](absl::StatusOr<std::vector<storage::FeedCursor>> cursors) mutable {
        if (!cursors.ok()) return done(cursors.status());
        const bool is_known = std::any_of(cursors->begin(), cursors->end(), [&](const auto& other) {
          return other.consumer == cursor->consumer;
        });
        if (!is_known && cursors->size() >= kConsumersLimit) {
          return done(
              RefusalStatus(v1::REASON_LIMIT_REACHED,
                            fmt::format("there are {} consumers; delete one", kConsumersLimit)));
        }
        WriteCursor(dispatcher, CommitJob::Kind::kSetCursor, std::move(cursor), deadline,
                    std::move(done));
      });
}

void FeedCalls::DeleteCursor(std::string consumer, Deadline deadline, Callback<FeedDone> done) {
  if (!dispatcher_.is_serving()) return done(NotServing());
  if (auto status = CheckConsumer(consumer); !status.ok()) return done(status);
  auto cursor = std::make_unique<storage::FeedCursor>();
  cursor->consumer = std::move(consumer);
  WriteCursor(dispatcher_, CommitJob::Kind::kDeleteCursor, std::move(cursor), deadline,
              std::move(done));
}

void FeedCalls::After(absl::Duration delay, absl::AnyInvocable<void()> task) {
  dispatcher_.lanes().Post(0, [delay, task = std::move(task)](RoomLane& rooms) mutable {
    rooms.Later(delay, std::move(task));
  });
}

}  // namespace confab::control
