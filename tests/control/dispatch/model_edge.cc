#include "tests/control/dispatch/model_edge.h"

#include <algorithm>
#include <utility>

#include <gtest/gtest.h>

namespace confab::control {
namespace {

std::string RoomOf(const std::string& topic) { return topic.substr(5); }

}  // namespace

void ModelEdge::Attach(Dispatcher& dispatcher) {
  EdgeAnnouncement hello;
  hello.edge_id = id_;
  hello.epoch = 1;
  for (const auto& [room, topic] : topics_) {
    EdgeAnnouncement::Room& announced = hello.rooms.emplace_back();
    announced.room = storage::RoomId(room);
    announced.delivered_seq = topic.position;
    std::map<std::string, bool> users;
    for (const auto& [connection, subscription] : topic.subscribers) {
      users[subscription->user] = true;
    }
    for (const auto& [user, unused] : users) announced.users.emplace_back(user);
  }
  stream_ = std::make_shared<RecordingEdgeStream>();
  cursor_ = 0;
  subscribes_seen_ = 0;
  auto attached = dispatcher.Attach(std::move(hello), stream_);
  ASSERT_TRUE(attached.ok()) << attached.status();
  attachment_ = *std::move(attached);
  Send(dispatcher);
}

void ModelEdge::Break(Dispatcher& dispatcher, bool is_told) {
  if (attachment_ != nullptr && is_told) dispatcher.Detach(attachment_);
  attachment_ = nullptr;
  // A real edge lets go of rooms without subscribers while it is away.
  for (auto it = topics_.begin(); it != topics_.end();) {
    it = it->second.subscribers.empty() ? topics_.erase(it) : std::next(it);
  }
}

v1::Command& ModelEdge::NewCommand(uint64_t connection, const std::string& user) {
  auto actor = std::make_shared<storage::Actor>();
  actor->id = storage::UserId(user);
  users_[connection] = user;
  Unanswered& entry = unanswered_[++requests_];
  entry.actor = std::move(actor);
  entry.command.set_connection(connection);
  entry.command.set_request(requests_);
  return entry.command;
}

// All that are unanswered: the newest one, or after attaching all of them.
void ModelEdge::Send(Dispatcher& dispatcher) {
  if (attachment_ == nullptr) return;
  std::vector<EdgeInput> inputs;
  for (const auto& [request, entry] : unanswered_) {
    inputs.emplace_back(EdgeCommand{entry.actor, entry.command});
  }
  if (!inputs.empty()) dispatcher.Dispatch(attachment_, std::move(inputs));
}

void ModelEdge::SendNewest(Dispatcher& dispatcher) {
  std::vector<EdgeInput> inputs;
  inputs.emplace_back(EdgeCommand{unanswered_[requests_].actor, unanswered_[requests_].command});
  dispatcher.Dispatch(attachment_, std::move(inputs));
}

void ModelEdge::Join(Dispatcher& dispatcher, uint64_t connection, const std::string& user,
                     const std::string& room) {
  NewCommand(connection, user).mutable_join_room()->set_room_id(room);
  SendNewest(dispatcher);
}

void ModelEdge::Leave(Dispatcher& dispatcher, uint64_t connection, const std::string& user,
                      const std::string& room) {
  NewCommand(connection, user).mutable_leave_room()->set_room_id(room);
  SendNewest(dispatcher);
}

void ModelEdge::Post(Dispatcher& dispatcher, uint64_t connection, const std::string& user,
                     const std::string& room, const std::string& content, const std::string& key) {
  v1::Command& command = NewCommand(connection, user);
  command.mutable_post_message()->set_room_id(room);
  command.mutable_post_message()->set_content(content);
  command.mutable_post_message()->set_client_msg_id(key);
  SendNewest(dispatcher);
}

void ModelEdge::Edit(Dispatcher& dispatcher, uint64_t connection, const Posted& message,
                     const std::string& suffix) {
  v1::EditMessage& edit = *NewCommand(connection, message.user).mutable_edit_message();
  edit.set_room_id(message.room);
  edit.set_message_id(message.message_id);
  edit.set_content(message.content + "/" + suffix);
  unanswered_[requests_].message_seq = message.seq;
  SendNewest(dispatcher);
}

void ModelEdge::Replay(Dispatcher& dispatcher, uint64_t connection, const std::string& user,
                       const std::string& room, int64_t after_seq, Edits edits) {
  v1::ReplayPage& replay = *NewCommand(connection, user).mutable_replay_page();
  replay.set_room_id(room);
  replay.set_after_seq(after_seq);
  unanswered_[requests_].edits = std::move(edits);
  SendNewest(dispatcher);
}

void ModelEdge::Process(Dispatcher& dispatcher, size_t limit) {
  if (attachment_ == nullptr) return;
  for (const v1::ControlItem& item : stream_->ItemsFrom(cursor_)) {
    if (limit-- == 0) return;
    ++cursor_;
    Take(dispatcher, item);
  }
}

void ModelEdge::Take(Dispatcher& dispatcher, const v1::ControlItem& item) {
  if (item.has_subscribe()) return TakeSubscribe(item.subscribe());
  if (item.has_unsubscribe()) return TakeUnsubscribe(dispatcher, item.unsubscribe());
  if (item.has_broadcast()) return TakeEvent(item.broadcast().event().event());
  if (item.has_result()) return TakeResult(item.result());
}

void ModelEdge::TakeSubscribe(const v1::Subscribe& subscribe) {
  ++subscribes_seen_;
  const std::string room = RoomOf(subscribe.topic());
  const auto [it, is_new] = topics_.try_emplace(room);
  Topic& topic = it->second;
  if (is_new) topic.position = subscribe.from_seq();
  EXPECT_EQ(topic.position, subscribe.from_seq()) << id_ << " " << room;
  Subscription*& place = topic.subscribers[subscribe.connection()];
  if (place != nullptr) return;  // The join was sent twice.
  auto subscription = std::make_unique<Subscription>();
  subscription->connection = subscribe.connection();
  subscription->user = users_[subscribe.connection()];
  subscription->room = room;
  subscription->from_seq = subscribe.from_seq();
  place = subscription.get();
  ledger_.push_back(std::move(subscription));
}

void ModelEdge::TakeUnsubscribe(Dispatcher& dispatcher, const v1::Unsubscribe& unsubscribe) {
  EXPECT_FALSE(unsubscribe.everybody()) << "no room was deleted";
  const std::string room = RoomOf(unsubscribe.topic());
  const auto it = topics_.find(room);
  if (it == topics_.end()) return;
  Topic& topic = it->second;
  const bool is_by_user = unsubscribe.has_user_id();
  for (auto s = topic.subscribers.begin(); s != topic.subscribers.end();) {
    const bool is_meant = is_by_user ? s->second->user == unsubscribe.user_id()
                                     : s->first == unsubscribe.connection();
    if (!is_meant) {
      ++s;
      continue;
    }
    End(topic, *s->second, is_by_user);
    s = topic.subscribers.erase(s);
  }
  ReleaseIfUnused(dispatcher, room);
}

void ModelEdge::End(Topic& topic, Subscription& subscription, bool is_by_user) {
  subscription.has_ended_by_user = is_by_user;
  subscription.ended_at = topic.position;
}

void ModelEdge::ReleaseIfUnused(Dispatcher& dispatcher, const std::string& room) {
  if (!topics_[room].subscribers.empty()) return;
  topics_.erase(room);
  v1::TopicReleased released;
  released.set_topic("room:" + room);
  released.set_subscribes_seen(subscribes_seen_);
  std::vector<EdgeInput> inputs;
  inputs.emplace_back(std::move(released));
  dispatcher.Dispatch(attachment_, std::move(inputs));
}

void ModelEdge::TakeEvent(const v1::Event& event) {
  const auto it = topics_.find(event.room_id());
  if (it == topics_.end()) return;  // Released; still under way.
  Topic& topic = it->second;
  EXPECT_EQ(event.seq(), topic.position + 1) << id_ << " " << event.room_id();
  topic.position = event.seq();
  for (const auto& [connection, subscription] : topic.subscribers) {
    subscription->received.push_back(event.seq());
  }
}

void ModelEdge::TakeResult(const v1::Result& result) {
  const auto it = unanswered_.find(result.request());
  EXPECT_TRUE(it != unanswered_.end())
      << id_ << ": request " << result.request() << " was answered twice";
  if (it == unanswered_.end()) return;
  const Unanswered asked = std::move(it->second);
  const v1::Command& command = asked.command;
  unanswered_.erase(it);
  if (result.has_history()) return TakePage(asked, result.history());
  if (result.has_edit_message()) {
    int64_t& newest = edits_[{command.edit_message().room_id(), asked.message_seq}];
    newest = std::max(newest, result.edit_message().seq());
  }
  if (!result.has_post_message()) return;
  const v1::PostMessage& post = command.post_message();
  acked_.push_back({asked.actor->id.value, post.room_id(), post.client_msg_id(),
                    result.post_message().message_id(), post.content(),
                    result.post_message().seq()});
  // The sender's own edge has the event by now.
  const auto topic = topics_.find(post.room_id());
  if (topic != topics_.end()) {
    EXPECT_GE(topic->second.position, result.post_message().seq());
  }
}

void ModelEdge::TakePage(const Unanswered& asked, const v1::HistoryPage& page) {
  int64_t seq = asked.command.replay_page().after_seq();
  for (const v1::Event& event : page.events()) {
    EXPECT_EQ(event.seq(), ++seq) << id_ << " " << page.room_id();
    if (!event.has_message_posted()) continue;
    const v1::MessagePosted& message = event.message_posted();
    EXPECT_EQ(message.edited_seq() > 0, message.content().find('/') != std::string::npos);
    const auto edit = asked.edits.find({page.room_id(), event.seq()});
    if (edit == asked.edits.end()) continue;
    EXPECT_GE(message.edited_seq(), edit->second) << "an edit was forgotten: " << event.seq();
  }
  pages_.push_back({asked.actor->id.value, page.room_id(), seq});
}

std::map<std::string, int64_t> ModelEdge::positions() const {
  std::map<std::string, int64_t> positions;
  for (const auto& [room, topic] : topics_) positions[room] = topic.position;
  return positions;
}

}  // namespace confab::control
