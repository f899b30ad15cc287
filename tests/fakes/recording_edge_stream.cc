#include "tests/fakes/recording_edge_stream.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "proto/reason.h"

namespace confab::control {
namespace {

// "sale#3", with the place in the inbox.
std::string LineOfPushed(const v1::PushedNotification& pushed) {
  if (pushed.notification().event().empty()) return "count";
  return fmt::format("{}#{}", pushed.notification().event(), pushed.notification().inbox_seq());
}

std::string LineOfEvent(const v1::Event& event) {
  switch (event.body_case()) {
    case v1::Event::kMessagePosted:
      return fmt::format("event {} {}", event.seq(), event.message_posted().content());
    case v1::Event::kMemberAdded:
      return fmt::format("member_added {} {}", event.seq(), event.member_added().user_id());
    case v1::Event::kMemberRemoved:
      return fmt::format("member_removed {} {}", event.seq(), event.member_removed().user_id());
    case v1::Event::kMemberRoleChanged:
      return fmt::format("member_role {} {}", event.seq(), event.member_role_changed().user_id());
    case v1::Event::kRoomUpdated:
      return fmt::format("room_updated {} {}", event.seq(),
                         fmt::join(event.room_updated().changed(), ","));
    case v1::Event::kMemberBanned:
      return fmt::format("member_banned {} {}", event.seq(), event.member_banned().user_id());
    case v1::Event::kMemberUnbanned:
      return fmt::format("member_unbanned {} {}", event.seq(), event.member_unbanned().user_id());
    case v1::Event::kMemberMuted:
      return fmt::format("member_muted {} {}", event.seq(), event.member_muted().user_id());
    case v1::Event::kMemberUnmuted:
      return fmt::format("member_unmuted {} {}", event.seq(), event.member_unmuted().user_id());
    case v1::Event::kMessageEdited:
      return fmt::format("edited {} {} {}", event.seq(), event.message_edited().message_seq(),
                         event.message_edited().content());
    case v1::Event::kMessageDeleted:
      return fmt::format("deleted {} {}", event.seq(), event.message_deleted().message_seq());
    case v1::Event::kNotificationPosted:
      return fmt::format("notification {} {}", event.seq(),
                         event.notification_posted().notification().event());
    case v1::Event::BODY_NOT_SET:
      break;
  }
  return fmt::format("unknown {}", event.seq());
}

std::string LineOfLive(const v1::Broadcast& broadcast) {
  std::string topics;
  for (const std::string& topic : broadcast.topics()) {
    if (!topics.empty()) topics += ',';
    topics += topic;
  }
  if (broadcast.has_membership()) {
    return fmt::format("member {} {}", topics, broadcast.membership().room_id());
  }
  if (broadcast.has_notification()) {
    return fmt::format("notify {} {}", topics, LineOfPushed(broadcast.notification()));
  }
  return fmt::format("signal {} {}", topics, LineOf(broadcast.signal()));
}

std::string TargetOf(const v1::Unsubscribe& unsubscribe) {
  switch (unsubscribe.target_case()) {
    case v1::Unsubscribe::kConnection:
      return fmt::format("connection {}", unsubscribe.connection());
    case v1::Unsubscribe::kUserId:
      return fmt::format("user {}", unsubscribe.user_id());
    case v1::Unsubscribe::kEverybody:
      return "everybody";
    case v1::Unsubscribe::TARGET_NOT_SET:
      break;
  }
  return "nobody";
}

}  // namespace

std::string LineOf(const v1::Signal& signal) {
  if (signal.has_typing()) {
    const v1::Typing& typing = signal.typing();
    return fmt::format("typing {} {} {}", typing.room_id(), typing.user_id(), typing.is_typing());
  }
  if (signal.has_presence()) {
    const v1::Presence& presence = signal.presence();
    if (!presence.is_online()) return fmt::format("presence {} offline", presence.user_id());
    const bool is_dnd = presence.status() == v1::PRESENCE_STATUS_DND;
    return fmt::format("presence {} {}", presence.user_id(), is_dnd ? "dnd" : "online");
  }
  if (signal.has_read_pointer()) {
    const v1::ReadPointer& pointer = signal.read_pointer();
    return fmt::format("read {} {} {}", pointer.room_id(), pointer.user_id(), pointer.seq());
  }
  std::string line = "snapshot";
  for (const std::string& user : signal.presence_snapshot().user_ids()) line += " " + user;
  return line;
}

std::string LineOf(const v1::ControlItem& item) {
  switch (item.item_case()) {
    case v1::ControlItem::kBroadcast:
      if (!item.broadcast().has_event()) return LineOfLive(item.broadcast());
      return LineOfEvent(item.broadcast().event().event());
    case v1::ControlItem::kResult:
      return fmt::format(
          "result {} {}", item.result().request(),
          item.result().has_error() ? TraitsOf(item.result().error().reason()).word : "ok");
    case v1::ControlItem::kSubscribe:
      return fmt::format("subscribe {} {} {}", item.subscribe().connection(),
                         item.subscribe().topic(), item.subscribe().from_seq());
    case v1::ControlItem::kUnsubscribe:
      return fmt::format("unsubscribe {} {} {}", item.unsubscribe().topic(),
                         TargetOf(item.unsubscribe()), item.unsubscribe().end_seq());
    case v1::ControlItem::kWelcome:
      return "welcome";
    case v1::ControlItem::kCloseConnection:
      return fmt::format("close {}", item.close_connection().connection());
    case v1::ControlItem::kDirect:
      return fmt::format("direct {} {}", item.direct().connection(),
                         item.direct().has_notification()
                             ? LineOfPushed(item.direct().notification())
                             : LineOf(item.direct().signal()));
    case v1::ControlItem::kInboxState:
      return fmt::format("inbox {} {}-{}", item.inbox_state().connection(),
                         item.inbox_state().acked_seq(), item.inbox_state().last_seq());
    case v1::ControlItem::kDrain:
      return fmt::format("drain {}", item.drain().drain_ms());
    case v1::ControlItem::kRecoveryQuestion:
      return fmt::format("recover? {} {} {}", item.recovery_question().edge_id(),
                         item.recovery_question().n(), item.recovery_question().user_id());
    case v1::ControlItem::kRecoveryAnswer:
      return fmt::format("recover {} {}", item.recovery_answer().ticket(),
                         item.recovery_answer().has_session()
                             ? item.recovery_answer().session().sid()
                             : "nothing");
    case v1::ControlItem::ITEM_NOT_SET:
      break;
  }
  return "nothing";
}

uint64_t RecordingEdgeStream::Send(ItemBatch batch) {
  const std::lock_guard lock(mu_);
  const uint64_t before = subscribes_;
  for (v1::ControlItem& item : *batch->mutable_items()) {
    if (item.has_subscribe()) ++subscribes_;
    items_.push_back(std::move(item));
  }
  changed_.notify_all();
  return before;
}

size_t RecordingEdgeStream::queued_bytes() const {
  const std::lock_guard lock(mu_);
  return queued_bytes_;
}

void RecordingEdgeStream::Close(absl::Status why) {
  const std::lock_guard lock(mu_);
  closed_ = std::move(why);
  changed_.notify_all();
}

void RecordingEdgeStream::SetQueuedBytes(size_t bytes) {
  const std::lock_guard lock(mu_);
  queued_bytes_ = bytes;
}

std::optional<absl::Status> RecordingEdgeStream::closed() const {
  const std::lock_guard lock(mu_);
  return closed_;
}

std::vector<v1::ControlItem> RecordingEdgeStream::items() const { return ItemsFrom(0); }

std::vector<v1::ControlItem> RecordingEdgeStream::ItemsFrom(size_t from) const {
  const std::lock_guard lock(mu_);
  if (from >= items_.size()) return {};
  return {items_.begin() + static_cast<std::ptrdiff_t>(from), items_.end()};
}

std::vector<std::string> RecordingEdgeStream::lines() const { return LinesFrom(0); }

std::vector<std::string> RecordingEdgeStream::LinesFrom(size_t from) const {
  const std::lock_guard lock(mu_);
  std::vector<std::string> lines;
  for (size_t i = from; i < items_.size(); ++i) lines.push_back(LineOf(items_[i]));
  return lines;
}

size_t RecordingEdgeStream::size() const {
  const std::lock_guard lock(mu_);
  return items_.size();
}

bool RecordingEdgeStream::Await(const std::function<bool()>& is_true) {
  std::unique_lock lock(mu_);
  return changed_.wait_for(lock, std::chrono::seconds(10), is_true);
}

v1::Result RecordingEdgeStream::AwaitResult(uint64_t request) {
  v1::Result result;
  const bool is_there = Await([&] {
    for (const v1::ControlItem& item : items_) {
      if (!item.has_result() || item.result().request() != request) continue;
      result = item.result();
      return true;
    }
    return false;
  });
  if (!is_there) result.mutable_error()->set_message("no result within 10 s");
  return result;
}

bool RecordingEdgeStream::AwaitLine(const std::string& line) {
  return Await([&] {
    return std::any_of(items_.begin(), items_.end(),
                       [&](const v1::ControlItem& item) { return LineOf(item) == line; });
  });
}

bool RecordingEdgeStream::AwaitSize(size_t size) {
  return Await([&] { return items_.size() >= size; });
}

}  // namespace confab::control
