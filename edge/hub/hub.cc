#include "edge/hub/hub.h"

#include <algorithm>
#include <chrono>

namespace confab::edge {

namespace {
// Subscribers whose memory is fetched while others get their frame: some 20 ns each, against 100
// for memory that nobody fetched.
constexpr std::size_t kPrefetchAhead = 6;

// Who has missed that somebody types has missed nothing; of the others only the newest matters.
DeliveryClass ClassOf(const v1::Signal& signal) {
  return signal.has_typing() ? DeliveryClass::kDroppable : DeliveryClass::kLatest;
}
}  // namespace

HubTopic* Hub::Find(std::string_view topic) const {
  const auto it = topics_.find(topic);
  return it == topics_.end() ? nullptr : it->second.get();
}

HubTopic::Subscriber* Hub::FindIn(HubTopic& topic, const Connection& connection) {
  for (const Connection::Subscription& subscription : connection.subscriptions) {
    if (subscription.topic == &topic) return &topic.subscribers_[subscription.index];
  }
  return nullptr;
}

HubTopic& Hub::Make(std::string_view name, std::int64_t position, bool is_own) {
  auto made = std::make_unique<HubTopic>(name, position, is_own);
  HubTopic& topic = *made;
  topics_.emplace(topic.name(), std::move(made));
  return topic;
}

void Hub::Add(HubTopic& topic, Connection& connection, std::int64_t from_seq) {
  connection.subscriptions.push_back(
      {.topic = &topic, .index = static_cast<std::uint32_t>(topic.subscribers_.size())});
  topic.subscribers_.push_back({.connection = &connection,
                                .transport = &connection.transport(),
                                .encoder = &connection.encoder(),
                                .after_seq = from_seq,
                                .since = from_seq});
}

void Hub::SubscribeOwn(std::string_view name, Connection& connection) {
  HubTopic* topic = Find(name);
  if (topic == nullptr) topic = &Make(name, 0, true);
  if (FindIn(*topic, connection) != nullptr) return;
  Add(*topic, connection, 0);
  ++connection.own_topics;
}

Hub::Joined Hub::Subscribe(std::string_view name, Connection& connection, std::int64_t from_seq) {
  HubTopic* topic = Find(name);
  if (topic == nullptr) topic = &Make(name, from_seq, false);
  if (const HubTopic::Subscriber* subscriber = FindIn(*topic, connection)) {
    return {.is_new = false, .since = subscriber->since};
  }
  Add(*topic, connection, from_seq);
  ++subscriptions_;
  return {.is_new = true, .since = from_seq};
}

void Hub::Hold(std::string_view name, const Connection& connection, std::int64_t since) {
  HubTopic* topic = Find(name);
  if (topic == nullptr) return;
  if (HubTopic::Subscriber* subscriber = FindIn(*topic, connection)) {
    subscriber->after_seq = kHeld;
    subscriber->since = std::min(subscriber->since, since);
  }
}

std::optional<std::int64_t> Hub::Hold(std::string_view name, const Connection& connection) {
  HubTopic* topic = Find(name);
  HubTopic::Subscriber* subscriber = topic == nullptr ? nullptr : FindIn(*topic, connection);
  if (subscriber == nullptr) return std::nullopt;
  subscriber->after_seq = kHeld;
  return subscriber->since;
}

void Hub::GoLive(std::string_view name, const Connection& connection, std::int64_t after_seq) {
  HubTopic* topic = Find(name);
  if (topic == nullptr) return;
  if (HubTopic::Subscriber* subscriber = FindIn(*topic, connection)) {
    subscriber->after_seq = after_seq;
  }
}

// The last subscriber takes the place of the dropped one.
void Hub::Drop(HubTopic& topic, std::size_t index) {
  auto& subscribers = topic.subscribers_;
  auto& of_dropped = subscribers[index].connection->subscriptions;
  of_dropped.erase(
      std::find_if(of_dropped.begin(), of_dropped.end(),
                   [&](const Connection::Subscription& entry) { return entry.topic == &topic; }));
  if (of_dropped.empty()) of_dropped.shrink_to_fit();
  if (topic.is_own_) --subscribers[index].connection->own_topics;
  if (index + 1 < subscribers.size()) {
    subscribers[index] = subscribers.back();
    for (Connection::Subscription& entry : subscribers[index].connection->subscriptions) {
      if (entry.topic == &topic) entry.index = static_cast<std::uint32_t>(index);
    }
  }
  subscribers.pop_back();
  if (!topic.is_own_) --subscriptions_;
}

void Hub::Forget(HubTopic& topic) {
  if (!topic.subscribers_.empty()) return;
  emptied_.push_back(topic.name());
  // A copy: the key goes with the topic.
  topics_.erase(topics_.find(std::string_view(emptied_.back())));
}

std::optional<std::int64_t> Hub::Unsubscribe(std::string_view name, Connection& connection) {
  HubTopic* topic = Find(name);
  if (topic == nullptr) return std::nullopt;
  const HubTopic::Subscriber* subscriber = FindIn(*topic, connection);
  if (subscriber == nullptr) return std::nullopt;
  const std::int64_t since = subscriber->since;
  Drop(*topic, static_cast<std::size_t>(subscriber - topic->subscribers_.data()));
  Forget(*topic);
  return since;
}

std::vector<Hub::Ended> Hub::UnsubscribeUser(std::string_view name, std::string_view user_id) {
  std::vector<Ended> ended;
  HubTopic* topic = Find(name);
  if (topic == nullptr) return ended;
  for (std::size_t i = topic->subscribers_.size(); i-- > 0;) {
    const HubTopic::Subscriber subscriber = topic->subscribers_[i];
    if (subscriber.connection->user_id() != user_id) continue;
    ended.push_back({.connection = subscriber.connection, .since = subscriber.since});
    Drop(*topic, i);
  }
  Forget(*topic);
  return ended;
}

std::vector<Connection*> Hub::UnsubscribeAll(std::string_view name) {
  std::vector<Connection*> dropped;
  HubTopic* topic = Find(name);
  if (topic == nullptr) return dropped;
  while (!topic->subscribers_.empty()) {
    dropped.push_back(topic->subscribers_.back().connection);
    Drop(*topic, topic->subscribers_.size() - 1);
  }
  Forget(*topic);
  return dropped;
}

void Hub::OnMoved(const Connection& connection) {
  for (const Connection::Subscription& entry : connection.subscriptions) {
    entry.topic->subscribers_[entry.index].transport = &connection.transport();
  }
}

void Hub::Remove(Connection& connection) {
  while (!connection.subscriptions.empty()) {
    const Connection::Subscription entry = connection.subscriptions.back();
    HubTopic& topic = *entry.topic;
    Drop(topic, entry.index);
    Forget(topic);
  }
}

std::optional<std::int64_t> Hub::PositionOf(std::string_view name,
                                            const Connection& connection) const {
  HubTopic* topic = Find(name);
  if (topic == nullptr || FindIn(*topic, connection) == nullptr) return std::nullopt;
  return topic->position_;
}

std::vector<std::string> Hub::TopicsOf(const Connection& connection) {
  std::vector<std::string> names;
  for (const Connection::Subscription& entry : connection.subscriptions) {
    names.push_back(entry.topic->name());
  }
  return names;
}

std::vector<Hub::Standing> Hub::StandingOf(const Connection& connection) {
  std::vector<Standing> all;
  all.reserve(connection.subscriptions.size());
  for (const Connection::Subscription& entry : connection.subscriptions) {
    const HubTopic::Subscriber& subscriber = entry.topic->subscribers_[entry.index];
    all.push_back({.topic = entry.topic->name(),
                   .since = subscriber.since,
                   .after_seq = subscriber.after_seq,
                   .position = entry.topic->position_});
  }
  return all;
}

std::int64_t Hub::LiveBehind(std::string_view name, const Connection& connection) const {
  HubTopic* topic = Find(name);
  const HubTopic::Subscriber* subscriber = topic == nullptr ? nullptr : FindIn(*topic, connection);
  return subscriber == nullptr || subscriber->after_seq == kHeld ? 0 : subscriber->after_seq;
}

std::size_t Hub::Deliver(std::string_view name, std::uint64_t except, const v1::RoomEvent& event) {
  HubTopic* topic = Find(name);
  if (topic == nullptr) return 0;
  const std::int64_t seq = event.event().seq();
  topic->position_ = std::max(topic->position_, seq);
  std::size_t count = 0;
  frames_.Begin(event);
  const std::vector<HubTopic::Subscriber>& subscribers = topic->subscribers_;
  for (std::size_t i = 0; i < subscribers.size(); ++i) {
    if (i + 2 * kPrefetchAhead < subscribers.size()) {
      __builtin_prefetch(subscribers[i + 2 * kPrefetchAhead].transport);
      subscribers[i + kPrefetchAhead].transport->PrefetchSend();
    }
    // Sending never changes the subscribers: what ends a connection comes by a turn of the loop.
    const HubTopic::Subscriber& subscriber = subscribers[i];
    if (subscriber.after_seq >= seq) continue;
    if (except != 0 && subscriber.connection->id() == except) continue;
    const SharedFrame& frame = frames_.Get(*subscriber.encoder);
    if (!frame) continue;
    subscriber.transport->Send(frame, DeliveryClass::kLogged);
    ++count;
  }
  frames_.Clear();
  return count;
}

void Hub::Deliver(const EventRun& run) {
  apart_.clear();
  counts_.assign(run.events.size(), 0);
  joined_.Begin(run);
  const HubTopic* topic = Find(run.topic);
  if (topic == nullptr) return;
  const std::vector<HubTopic::Subscriber>& subscribers = topic->subscribers_;
  for (std::size_t i = 0; i < subscribers.size(); ++i) {
    if (i + 2 * kPrefetchAhead < subscribers.size()) {
      __builtin_prefetch(subscribers[i + 2 * kPrefetchAhead].transport);
      subscribers[i + kPrefetchAhead].transport->PrefetchSend();
    }
    const HubTopic::Subscriber& subscriber = subscribers[i];
    if (std::find(run.apart.begin(), run.apart.end(), subscriber.transport) != run.apart.end()) {
      apart_.push_back(subscriber.connection);
    } else {
      DeliverAll(subscriber, run);
    }
  }
}

void Hub::DeliverAll(const HubTopic::Subscriber& subscriber, const EventRun& run) {
  if (subscriber.after_seq < run.events.front().seq()) {
    for (const SharedFrame& frame : joined_.ForReader(*subscriber.encoder)) {
      subscriber.transport->Send(frame, DeliveryClass::kLogged);
    }
    return;
  }
  // It is live from within the run on, or not at all.
  for (std::size_t i = 0; i < run.events.size(); ++i) {
    if (subscriber.after_seq >= run.events[i].seq()) continue;
    const SharedFrame& frame = joined_.Of(*subscriber.encoder, i);
    if (!frame) continue;
    subscriber.transport->Send(frame, DeliveryClass::kLogged);
    ++counts_[i];
  }
}

std::size_t Hub::DeliverApart(const EventRun& run, std::size_t event) {
  std::size_t count = counts_[event] + joined_.ReadersOf(event);
  const std::int64_t seq = run.events[event].seq();
  if (HubTopic* topic = Find(run.topic)) {
    topic->position_ = std::max(topic->position_, seq);
    for (const Connection* connection : apart_) {
      const HubTopic::Subscriber* subscriber = FindIn(*topic, *connection);
      if (subscriber == nullptr || subscriber->after_seq >= seq) continue;
      const SharedFrame& frame = joined_.Of(*subscriber->encoder, event);
      if (!frame) continue;
      subscriber->transport->Send(frame, DeliveryClass::kLogged);
      ++count;
    }
  }
  if (event + 1 == run.events.size()) joined_.Clear();
  return count;
}

std::vector<Connection*> Hub::AudienceOf(const Topics& topics) const {
  std::vector<Connection*> audience;
  for (const std::string& name : topics) {
    const HubTopic* topic = Find(name);
    if (topic == nullptr) continue;
    for (const HubTopic::Subscriber& subscriber : topic->subscribers_) {
      audience.push_back(subscriber.connection);
    }
  }
  if (topics.size() > 1) {
    std::sort(audience.begin(), audience.end());
    audience.erase(std::unique(audience.begin(), audience.end()), audience.end());
  }
  return audience;
}

std::size_t Hub::Deliver(const std::vector<Connection*>& audience, std::uint64_t except,
                         const v1::Signal& signal) {
  std::size_t count = 0;
  const DeliveryClass delivery = ClassOf(signal);
  frames_.Begin(signal);
  for (Connection* connection : audience) {
    if (except != 0 && connection->id() == except) continue;
    const SharedFrame& frame = frames_.Get(connection->encoder());
    if (!frame) continue;
    connection->Tell(signal, frame, delivery);
    ++count;
  }
  frames_.Clear();
  return count;
}

std::size_t Hub::Deliver(const std::vector<Connection*>& audience,
                         const v1::PushedNotification& pushed) {
  if (pushed.notification().event().empty()) return audience.size();
  std::size_t count = 0;
  const auto now = std::chrono::steady_clock::now();
  frames_.Begin(pushed.notification());
  for (Connection* connection : audience) {
    const SharedFrame& frame = frames_.Get(connection->encoder());
    if (!frame) continue;
    connection->outlet().Offer(pushed, frame, now);
    ++count;
  }
  frames_.Clear();
  return count;
}

}  // namespace confab::edge
