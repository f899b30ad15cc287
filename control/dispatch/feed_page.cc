#include "control/dispatch/feed_page.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "control/room/event_message.h"
#include "control/status_reason.h"

namespace confab::control {

using storage::EventRecord;
using storage::FeedPosition;

namespace {

constexpr int32_t kPageEvents = 500;               // As a page of a room's log.
constexpr size_t kPageBytes = 1024 * 1024;         // A quarter of what gRPC takes at once.
constexpr int32_t kRunBytes = 1024 * 1024 + 1024;  // Of one room's events: no less than a page.

// True: the number and the slash behind it are cut off.
bool CutNumber(std::string_view& text, int64_t& number) {
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ec != std::errc() || number < 0) return false;
  text.remove_prefix(static_cast<size_t>(end.ptr - text.data()));
  if (text.empty() || text[0] != '/') return false;
  text.remove_prefix(1);
  return true;
}

// How many events from `first` on are one room's and follow one another.
size_t RunLength(const std::vector<FeedPosition>& events, size_t first) {
  size_t end = first + 1;
  while (end < events.size() && events[end].room == events[first].room &&
         events[end].seq == events[end - 1].seq + 1) {
    ++end;
  }
  return end - first;
}

// False: the page is full before the run's end; `reached` is the last event it holds or passes.
absl::StatusOr<bool> AddRun(storage::Store& store, const std::vector<FeedPosition>& events,
                            size_t first, size_t length, size_t& bytes, size_t& reached,
                            v1::ReadFeedResponse& page) {
  storage::EventQuery query;
  query.room = events[first].room;
  query.after_seq = events[first].seq - 1;
  query.limit = static_cast<int32_t>(length);
  query.bytes_limit = kRunBytes;
  auto found = store.ReadEvents(query);
  reached = first + length - 1;
  if (absl::IsNotFound(found.status())) return true;  // The room is gone, and its log with it.
  if (!found.ok()) return found.status();
  const int64_t last_seq = events[reached].seq;
  for (EventRecord& record : found->events) {
    if (record.seq > last_seq) break;
    bytes += record.event.content.size() + record.event.body.size();
    if (page.events_size() > 0 && bytes > kPageBytes) {
      // The page holds something, so there is one before.
      reached = first + static_cast<size_t>(record.seq - events[first].seq) - 1;
      return false;
    }
    v1::FeedEvent& event = *page.add_events();
    event.set_actor_email(record.event.actor.email);
    *event.mutable_event() = MakeEvent(record);
  }
  const int64_t read_seq = found->events.empty() ? last_seq : found->events.back().seq;
  if (found->more && read_seq < last_seq) {
    reached = first + static_cast<size_t>(read_seq - events[first].seq);
    return false;
  }
  return true;
}

}  // namespace

std::string ToText(const FeedPosition& position) {
  return fmt::format("{}/{}/{}", position.number, position.seq, position.room.value);
}

absl::StatusOr<FeedPosition> FeedPositionOf(std::string_view text) {
  FeedPosition position;
  if (text.empty()) return position;
  if (!CutNumber(text, position.number) || !CutNumber(text, position.seq)) {
    return RefusalStatus(v1::REASON_BAD_REQUEST, "position: give one that the feed gave");
  }
  position.room = storage::RoomId(std::string(text));
  return position;
}

absl::StatusOr<v1::ReadFeedResponse> ReadFeedPage(storage::Store& store,
                                                  const FeedPosition& after) {
  const auto feed = store.ReadFeed(after, kPageEvents);
  if (!feed.ok()) return feed.status();
  v1::ReadFeedResponse page;
  page.set_position(ToText(after));
  size_t bytes = 0;
  for (size_t first = 0; first < feed->events.size();) {
    const size_t length = RunLength(feed->events, first);
    size_t reached = first;
    const auto is_whole = AddRun(store, feed->events, first, length, bytes, reached, page);
    if (!is_whole.ok()) return is_whole.status();
    page.set_position(ToText(feed->events[reached]));
    if (!*is_whole) return page;
    first += length;
  }
  page.set_at_end(feed->at_end);
  return page;
}

}  // namespace confab::control
