#include "tests/fakes/fake_control_link.h"

#include <algorithm>
#include <utility>

#include "proto/reason.h"

namespace confab::tests {

namespace {

constexpr std::chrono::seconds kPatience(5);
constexpr int kPageLimit = 10;

std::string TopicOf(const std::string& room) { return "room:" + room; }

}  // namespace

FakeControlLink::FakeControlLink() : out_(std::make_shared<v1::AttachResponse>()) {}

FakeControlLink::~FakeControlLink() { Stop(); }

void FakeControlLink::Start(edge::ControlLinkSink& sink) {
  sink_ = &sink;
  thread_ = std::thread([this] { Run(); });
}

void FakeControlLink::Stop() {
  {
    const std::lock_guard lock(mu_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void FakeControlLink::Run() {
  std::unique_lock lock(mu_);
  for (;;) {
    changed_.wait(lock,
                  [this] { return is_stopping_ || !work_.empty() || out_->items_size() > 0; });
    if (is_stopping_) return;
    if (!work_.empty()) {
      const std::function<void()> work = std::move(work_.front());
      work_.pop_front();
      lock.unlock();
      work();
      lock.lock();
      continue;
    }
    const std::uint64_t stream = stream_;
    std::shared_ptr<v1::AttachResponse> batch =
        std::exchange(out_, std::make_shared<v1::AttachResponse>());
    if (stream == 0) continue;
    lock.unlock();
    sink_->OnItems(stream, std::move(batch));
    lock.lock();
  }
}

void FakeControlLink::Attach() {
  std::unique_lock lock(mu_);
  const std::uint64_t stream = stream_ = ++last_stream_;
  subscribes_ = 0;
  is_announced_ = false;
  early_.clear();
  users_.clear();
  for (auto& [name, room] : rooms_) {
    room.subscribers.clear();
    room.is_wanted = false;
    room.last_subscribe = 0;
  }
  work_.emplace_back([this, stream] { sink_->OnStreamOpened(stream); });
  changed_.notify_all();
  changed_.wait_for(lock, kPatience, [this] { return is_announced_; });
}

void FakeControlLink::Detach() {
  std::unique_lock lock(mu_);
  const std::uint64_t stream = std::exchange(stream_, 0);
  out_->Clear();
  bool is_done = false;
  work_.emplace_back([this, stream, &is_done] {
    sink_->OnStreamClosed(stream);
    const std::lock_guard inner(mu_);
    is_done = true;
    changed_.notify_all();
  });
  changed_.notify_all();
  changed_.wait(lock, [&] { return is_done || is_stopping_; });
}

void FakeControlLink::Announce(std::uint64_t stream, std::vector<v1::Hello> chunks) {
  const std::lock_guard lock(mu_);
  if (stream != stream_) return;
  for (v1::Hello& chunk : chunks) {
    v1::EdgeItem item;
    *item.mutable_hello() = std::move(chunk);
    React(item);
    if (records_) sent_.push_back(std::move(item));
  }
  is_announced_ = true;
  for (v1::EdgeItem& item : std::exchange(early_, {})) {
    React(item);
    if (records_) sent_.push_back(std::move(item));
  }
  changed_.notify_all();
}

void FakeControlLink::Send(std::uint64_t stream, std::vector<v1::EdgeItem>& items) {
  const std::lock_guard lock(mu_);
  for (v1::EdgeItem& item : items) {
    if (stream != stream_) break;
    if (!is_announced_) {
      early_.push_back(std::move(item));
      continue;
    }
    React(item);
    if (records_) sent_.push_back(std::move(item));
  }
  items.clear();
  changed_.notify_all();
}

void FakeControlLink::Reset(std::uint64_t stream, std::string_view) {
  const std::lock_guard lock(mu_);
  if (stream != stream_) return;
  stream_ = 0;
  work_.emplace_back([this, stream] { sink_->OnStreamClosed(stream); });
  changed_.notify_all();
}

void FakeControlLink::SayLocked(v1::ControlItem item) {
  *out_->add_items() = std::move(item);
  changed_.notify_all();
}

void FakeControlLink::Say(v1::ControlItem item) {
  const std::lock_guard lock(mu_);
  SayLocked(std::move(item));
}

void FakeControlLink::Say(std::vector<v1::ControlItem> items) {
  const std::lock_guard lock(mu_);
  for (v1::ControlItem& item : items) SayLocked(std::move(item));
}

void FakeControlLink::SetSilent(bool silent) {
  const std::lock_guard lock(mu_);
  is_silent_ = silent;
}

void FakeControlLink::HoldPages(bool hold) {
  const std::lock_guard lock(mu_);
  holds_pages_ = hold;
  for (const v1::Command& command : std::exchange(held_pages_, {})) Answer(command);
}

void FakeControlLink::AddMember(const std::string& room, const std::string& user) {
  const std::lock_guard lock(mu_);
  rooms_[room].members.insert(user);
}

std::int64_t FakeControlLink::Post(const std::string& room, const std::string& content) {
  const std::lock_guard lock(mu_);
  v1::PostMessage post;
  post.set_content(content);
  Store(room, "", post, nullptr);
  return static_cast<std::int64_t>(rooms_[room].log.size());
}

void FakeControlLink::PostTogether(const std::string& room,
                                   const std::vector<std::string>& contents) {
  const std::lock_guard lock(mu_);
  for (const std::string& content : contents) {
    v1::PostMessage post;
    post.set_content(content);
    Store(room, "", post, nullptr);
  }
}

void FakeControlLink::RemoveMember(const std::string& name, const std::string& user) {
  const std::lock_guard lock(mu_);
  Room& room = rooms_[name];
  room.members.erase(user);
  v1::Event event;
  event.mutable_member_removed()->set_user_id(user);
  Append(name, std::move(event));
  v1::ControlItem item;
  item.mutable_unsubscribe()->set_topic(TopicOf(name));
  item.mutable_unsubscribe()->set_user_id(user);
  item.mutable_unsubscribe()->set_end_seq(static_cast<std::int64_t>(room.log.size()));
  SayLocked(std::move(item));
}

void FakeControlLink::React(const v1::EdgeItem& item) {
  if (item.has_hello()) {
    for (const v1::AnnouncedConnection& entry : item.hello().connections()) {
      users_[entry.opened().connection()] = entry.opened().user().id();
      for (const std::string& room : entry.room_ids()) {
        rooms_[room].subscribers[entry.opened().connection()] = 0;
      }
    }
    for (const v1::RoomPosition& entry : item.hello().rooms()) {
      rooms_[entry.room_id()].is_wanted = true;
      rooms_[entry.room_id()].edge_position = entry.delivered_seq();
    }
    if (!item.hello().last()) return;
    v1::ControlItem welcome;
    welcome.mutable_welcome()->set_control_id("fake");
    SayLocked(std::move(welcome));
    for (auto& [name, room] : rooms_) CatchUp(name, room);
  } else if (item.has_connection_opened()) {
    users_[item.connection_opened().connection()] = item.connection_opened().user().id();
  } else if (item.has_connection_closed()) {
    for (auto& [name, room] : rooms_) room.subscribers.erase(item.connection_closed().connection());
    users_.erase(item.connection_closed().connection());
  } else if (item.has_topic_released()) {
    Room& room = rooms_[item.topic_released().topic().substr(5)];
    if (item.topic_released().subscribes_seen() >= room.last_subscribe) room.is_wanted = false;
  } else if (item.has_command() && !is_silent_) {
    if (item.command().has_replay_page() && holds_pages_) {
      held_pages_.push_back(item.command());
    } else {
      Answer(item.command());
    }
  }
}

void FakeControlLink::Answer(const v1::Command& command) {
  v1::ControlItem item;
  v1::Result& result = *item.mutable_result();
  result.set_connection(command.connection());
  result.set_request(command.request());
  switch (command.command_case()) {
    case v1::Command::kJoinRoom:
      Join(command, result);
      break;
    case v1::Command::kLeaveRoom: {
      rooms_[command.leave_room().room_id()].subscribers.erase(command.connection());
      v1::ControlItem leave;
      leave.mutable_unsubscribe()->set_topic(TopicOf(command.leave_room().room_id()));
      leave.mutable_unsubscribe()->set_connection(command.connection());
      SayLocked(std::move(leave));
      result.mutable_leave_room()->set_room_id(command.leave_room().room_id());
      break;
    }
    case v1::Command::kPostMessage:
      Store(command.post_message().room_id(), users_[command.connection()], command.post_message(),
            &result);
      break;
    case v1::Command::kGetHistory:
      Page(rooms_[command.get_history().room_id()], command.get_history().after_seq(), kPageLimit,
           *result.mutable_history());
      break;
    case v1::Command::kReplayPage:
      Page(rooms_[command.replay_page().room_id()], command.replay_page().after_seq(), kPageLimit,
           *result.mutable_history());
      break;
    case v1::Command::kListRooms:
      result.mutable_rooms();
      for (const auto& [name, room] : rooms_) {
        if (!room.members.contains(users_[command.connection()])) continue;
        result.mutable_rooms()->add_rooms()->set_id(name);
      }
      break;
    case v1::Command::kCreateRoom:
    case v1::Command::kGetRoom:
    case v1::Command::kListMembers:
    case v1::Command::kBecomeMember:
    case v1::Command::kQuitRoom:
    case v1::Command::kPublish:
    case v1::Command::kUpdateRoom:
    case v1::Command::kChangeMember:
    case v1::Command::kEditMessage:
    case v1::Command::kDeleteMessage:
    case v1::Command::kMarkRead:
    case v1::Command::kReadInbox:
    case v1::Command::kNotify:
      *result.mutable_error() = MakeError(v1::REASON_UNKNOWN_COMMAND, "not faked");
      break;
    case v1::Command::kHeartbeat:
      result.mutable_heartbeat();
      break;
    case v1::Command::kAckInbox:
      result.mutable_ack_inbox()->set_acked_seq(command.ack_inbox().inbox_seq());
      break;
    case v1::Command::kRefreshToken:
      *result.mutable_error() = MakeError(v1::REASON_UNKNOWN_COMMAND, "the edge's own");
      break;
    case v1::Command::kSetStatus:
    case v1::Command::kGetPresence:
    case v1::Command::kSetTyping:
      *result.mutable_error() = MakeError(v1::REASON_UNKNOWN_COMMAND, "not passed on yet");
      break;
    case v1::Command::kResume:  // Never travels.
    case v1::Command::COMMAND_NOT_SET:
      break;
  }
  SayLocked(std::move(item));
}

void FakeControlLink::Join(const v1::Command& command, v1::Result& result) {
  const std::string& name = command.join_room().room_id();
  Room& room = rooms_[name];
  if (!room.members.contains(users_[command.connection()])) {
    *result.mutable_error() = MakeError(v1::REASON_NOT_A_MEMBER, "not a member");
    return;
  }
  const auto last = static_cast<std::int64_t>(room.log.size());
  if (command.join_room().after_seq() > last) {
    *result.mutable_error() = MakeError(v1::REASON_RESYNC, "no such position");
    return;
  }
  v1::ControlItem item;
  v1::Subscribe& subscribe = *item.mutable_subscribe();
  subscribe.set_connection(command.connection());
  subscribe.set_topic(TopicOf(name));
  subscribe.set_from_seq(last);
  SayLocked(std::move(item));
  room.last_subscribe = ++subscribes_;
  room.subscribers[command.connection()] = subscribes_;
  if (!room.is_wanted) {
    room.is_wanted = true;
    room.edge_position = last;
  }
  result.mutable_join_room()->set_room_id(name);
  result.mutable_join_room()->set_role(v1::ROLE_MEMBER);
  result.mutable_join_room()->set_last_seq(last);
}

void FakeControlLink::Store(const std::string& name, const std::string& user,
                            const v1::PostMessage& post, v1::Result* result) {
  Room& room = rooms_[name];
  if (result != nullptr && !room.members.contains(user)) {
    *result->mutable_error() = MakeError(v1::REASON_NOT_A_MEMBER, "not a member");
    return;
  }
  v1::Event event;
  event.mutable_actor()->set_id(user);
  v1::MessagePosted& message = *event.mutable_message_posted();
  message.set_message_id(name + "-" + std::to_string(room.log.size() + 1));
  message.set_content(post.content());
  message.set_client_msg_id(post.client_msg_id());
  message.set_type(post.type().empty() ? "text" : post.type());
  Append(name, std::move(event));
  if (result == nullptr) return;
  const v1::Event& stored = room.log.back();
  result->mutable_post_message()->set_message_id(stored.message_posted().message_id());
  result->mutable_post_message()->set_seq(stored.seq());
  *result->mutable_post_message()->mutable_created_at() = stored.created_at();
}

void FakeControlLink::Append(const std::string& name, v1::Event event) {
  Room& room = rooms_[name];
  event.set_room_id(name);
  event.set_seq(static_cast<std::int64_t>(room.log.size()) + 1);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  event.mutable_created_at()->set_seconds(
      std::chrono::duration_cast<std::chrono::seconds>(now).count());
  room.log.push_back(std::move(event));
  CatchUp(name, room);
}

void FakeControlLink::CatchUp(const std::string& name, Room& room) {
  if (!room.is_wanted || stream_ == 0) return;
  while (room.edge_position < static_cast<std::int64_t>(room.log.size())) {
    v1::ControlItem item;
    item.mutable_broadcast()->add_topics(TopicOf(name));
    *item.mutable_broadcast()->mutable_event()->mutable_event() =
        room.log[static_cast<std::size_t>(room.edge_position++)];
    SayLocked(std::move(item));
  }
}

void FakeControlLink::Page(const Room& room, std::int64_t after_seq, int limit,
                           v1::HistoryPage& page) {
  for (const v1::Event& event : room.log) {
    if (event.seq() <= after_seq) continue;
    if (page.events_size() == limit) {
      page.set_more(true);
      break;
    }
    *page.add_events() = event;
  }
  page.set_last_seq(static_cast<std::int64_t>(room.log.size()));
}

std::vector<v1::EdgeItem> FakeControlLink::Sent() const {
  const std::lock_guard lock(mu_);
  return sent_;
}

bool FakeControlLink::WaitUntil(
    const std::function<bool(const std::vector<v1::EdgeItem>&)>& holds) {
  std::unique_lock lock(mu_);
  return changed_.wait_for(lock, kPatience, [&] { return holds(sent_); });
}

std::size_t FakeControlLink::CountSent(v1::EdgeItem::ItemCase kind) const {
  const std::lock_guard lock(mu_);
  return static_cast<std::size_t>(
      std::count_if(sent_.begin(), sent_.end(),
                    [&](const v1::EdgeItem& item) { return item.item_case() == kind; }));
}

}  // namespace confab::tests
