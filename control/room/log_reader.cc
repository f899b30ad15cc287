#include "control/room/log_reader.h"

#include <chrono>
#include <utility>

#include "control/fanout/room_audience.h"
#include "control/room/event_message.h"
#include "process/metrics.h"

namespace confab::control {
namespace {

// Page after page, until one reaches the event `end_seq`, the log ends, or it is more than a window
// holds. On the reader's time, the making of messages too.
absl::StatusOr<SharedPage> ReadUpTo(storage::Store& store, storage::EventQuery query,
                                    int64_t end_seq, process::Counter& reads) {
  SharedPage all;
  size_t bytes = 0;
  while (true) {
    auto page = store.ReadEvents(query);
    if (!page.ok()) return page.status();
    reads.Add();
    const bool goes_on = all.events.empty() || page->events.empty() ||
                         page->events.front().seq == all.events.back().seq() + 1;
    // Retention was here between two pages: what lies before the hole is a page of its own.
    if (!goes_on) return all;
    for (storage::EventRecord& record : page->events) {
      bytes += all.events
                   .emplace_back(MakeRoomEvent(query.room, record.seq, record.created_at,
                                               record.event, record.marks))
                   .bytes();
    }
    all.more = page->more;
    all.last_seq = page->last_seq;
    all.member_seq = page->member_seq;
    if (!page->more || page->events.empty() || all.events.back().seq() >= end_seq ||
        all.events.size() >= LogWindow::kEventsLimit || bytes >= LogWindow::kBytesLimit) {
      return all;
    }
    query.after_seq = all.events.back().seq();
  }
}

storage::EventQuery QueryOf(const storage::RoomId& room, int64_t after_seq) {
  storage::EventQuery query;
  query.room = room;
  query.after_seq = after_seq;
  query.limit = LogReader::kPageEvents;
  query.bytes_limit = LogReader::kPageBytes;
  return query;
}

absl::Status TooLate() {
  return absl::UnavailableError("the server is too busy right now; try again");
}

absl::Status Stopping() { return absl::UnavailableError("control is stopping"); }

bool IsCongested(const LogReader::Wanted& wanted) {
  return wanted.edge != nullptr &&
         wanted.edge->stream().queued_bytes() > RoomAudience::kCongestedBytes;
}

}  // namespace

void LogReader::Read(const Wanted& wanted, Done done) {
  ++pending_;
  Start({wanted, std::move(done)}, true);
}

// `joins`: it may wait for others, and they for it.
void LogReader::Start(Pending read, bool joins) {
  if (IsCongested(read.wanted)) return HoldBack(std::move(read));
  const int64_t after_seq = read.wanted.after_seq;
  if (is_open() && window_->Covers(after_seq)) {
    window_->Touch(tools_.lane.now());
    return tools_.active_check.Ask(
        [this, read = std::move(read)](const absl::Status& status) mutable {
          OnChecked(std::move(read), status);
        });
  }
  // What is needed does not stand in line with pages.
  const bool is_alike =
      read.wanted.share == ReadShare::kPages || filling_share_ == ReadShare::kNeeded;
  if (joins && is_filling_ && is_alike && filled_after_ <= after_seq) {
    waiting_.push_back(std::move(read));
  } else if (joins && !is_filling_ && IsNear(after_seq)) {
    Fill(std::move(read));
  } else {
    ReadPage(std::move(read));
  }
}

void LogReader::HoldBack(Pending read) {
  if (tools_.is_stopping) return Answer(std::move(read), Stopping());
  held_.push_back(std::move(read));
  if (std::exchange(is_release_due_, true)) return;
  ++pending_;
  tools_.lane.Delay(RoomAudience::kCongestedDelay, [this] {
    --pending_;
    is_release_due_ = false;
    Release();
  });
}

void LogReader::Release() {
  for (Pending& read : std::exchange(held_, {})) {
    if (read.wanted.deadline <= tools_.lane.now()) {
      Answer(std::move(read), TooLate());
    } else {
      Start(std::move(read), true);
    }
  }
}

void LogReader::Stop() {
  for (Pending& read : std::exchange(held_, {})) {
    Answer(std::move(read), Stopping());
  }
}

// What was there when the store was asked may be gone, or the stream full.
void LogReader::OnChecked(Pending read, const absl::Status& status) {
  if (!status.ok()) return Answer(std::move(read), status);
  const bool is_there = is_open() && window_->Covers(read.wanted.after_seq);
  if (!is_there || IsCongested(read.wanted)) return Start(std::move(read), false);
  tools_.log_reads.memory.Add();
  auto page = window_->Behind(read.wanted.after_seq, read.wanted.limits);
  Answer(std::move(read), std::move(page));
}

// So near to the end that what lies between is worth keeping. Who is at the end misses nothing.
bool LogReader::IsNear(int64_t after_seq) const {
  if (after_seq >= published_seq_) return false;
  if (is_open() && !window_->Takes(after_seq)) return false;
  return published_seq_ - after_seq <= static_cast<int64_t>(LogWindow::kEventsLimit);
}

void LogReader::Fill(Pending read) {
  if (!is_open()) {
    window_ = std::make_unique<LogWindow>(tools_.windows, published_seq_, tools_.lane.now());
  }
  is_filling_ = true;
  filled_after_ = read.wanted.after_seq;
  const storage::EventQuery query = QueryOf(room_, read.wanted.after_seq);
  filling_share_ = read.wanted.share;
  ReadStore(
      tools_,
      [query, end_seq = window_->first_seq() - 1, &reads = tools_.log_reads.store](
          storage::Store& store) { return ReadUpTo(store, query, end_seq, reads); },
      [this, version = version_, read = std::move(read)](absl::StatusOr<SharedPage> page) mutable {
        OnFilled(version, std::move(read), std::move(page));
      },
      filling_share_);
}

void LogReader::OnFilled(uint64_t version, Pending read, absl::StatusOr<SharedPage> page) {
  is_filling_ = false;
  std::vector<Pending> waiting = std::exchange(waiting_, {});
  if (!page.ok()) {
    const absl::Status status = page.status();
    Answer(std::move(read), status);
    for (Pending& other : waiting) Answer(std::move(other), status);
    return;
  }
  if (is_open() && version == version_) window_->Prepend(read.wanted.after_seq, *page);
  CutTo(read.wanted.limits, *page);
  Answer(std::move(read), std::move(page));
  // They came after the store was asked, so its answer alone may be too old for them. Whom it does not
  // serve reads alone: of reads one after the other most would come too late.
  for (Pending& other : waiting) Start(std::move(other), false);
}

void LogReader::ReadPage(Pending read) {
  storage::EventQuery query = QueryOf(room_, read.wanted.after_seq);
  query.limit = static_cast<int32_t>(read.wanted.limits.events);
  query.bytes_limit = static_cast<int32_t>(read.wanted.limits.bytes);
  const ReadShare share = read.wanted.share;
  ReadStore(
      tools_,
      [query, deadline = read.wanted.deadline,
       &reads = tools_.log_reads.store](storage::Store& store) -> absl::StatusOr<SharedPage> {
        // Whoever asked has given up: the reader is free for the next.
        if (deadline <= std::chrono::steady_clock::now()) return TooLate();
        return ReadUpTo(store, query, query.after_seq, reads);
      },
      [this, read = std::move(read)](absl::StatusOr<SharedPage> page) mutable {
        Answer(std::move(read), std::move(page));
      },
      share);
}

void LogReader::Answer(Pending read, absl::StatusOr<SharedPage> page) {
  --pending_;
  read.done(std::move(page));
}

void LogReader::OnPublished(const v1::RoomEvent& event) {
  if (is_open()) window_->Append(SharedEvent(event));
}

void LogReader::OnMessageChanged(int64_t message_seq) {
  ++version_;
  if (is_open()) window_->ForgetMessage(message_seq);
}

void LogReader::Forget() {
  ++version_;
  if (is_open()) window_->Clear();
}

void LogReader::Reset() {
  ++version_;
  window_.reset();
}

}  // namespace confab::control
