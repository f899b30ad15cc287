// hub.h: topic -> the connections of this io thread that get what is told there, and how far a room
// has come.
// Owns: the topics.   Used by: io_thread.
// Threads: confined to the io thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <google/protobuf/repeated_field.h>

#include "confab/v1/edge_link.pb.h"

#include "edge/connection/connection.h"
#include "edge/hub/event_run.h"
#include "edge/hub/frame_cache.h"
#include "edge/hub/joined_frames.h"

namespace confab::edge {

// One topic's place in the hub.
class HubTopic {
 public:
  HubTopic(std::string_view name, std::int64_t position, bool is_own)
      : name_(name), is_own_(is_own), position_(position) {}
  const std::string& name() const { return name_; }

 private:
  friend class Hub;

  struct Subscriber {
    Connection* connection = nullptr;
    // The connection's, so that delivering does not touch the connection.
    Transport* transport = nullptr;
    const EventEncoder* encoder = nullptr;
    std::int64_t after_seq = 0;  // Live events behind it are delivered; kHeld: none are.
    std::int64_t since = 0;      // Everything behind it was delivered, or will be.
  };

  const std::string name_;
  const bool is_own_;      // No room: connections have it by themselves.
  std::int64_t position_;  // Last event that passed.
  std::vector<Subscriber> subscribers_;
};

class Hub {
 public:
  explicit Hub(std::size_t encoders_count) : frames_(encoders_count), joined_(encoders_count) {}

  struct Joined {
    bool is_new = false;  // False: it was a subscriber already.
    std::int64_t since = 0;
  };
  // Live events behind from_seq reach the connection.
  Joined Subscribe(std::string_view topic, Connection& connection, std::int64_t from_seq);
  // A topic that the connection has by itself ("user:7"). What is told there has no seq.
  void SubscribeOwn(std::string_view topic, Connection& connection);
  // Live events pass the subscriber until GoLive; `since` is where its replay starts.
  void Hold(std::string_view topic, const Connection& connection, std::int64_t since);
  void GoLive(std::string_view topic, const Connection& connection, std::int64_t after_seq);
  // Live events pass the subscriber until GoLive. From where on it was to get everything; nullopt: it
  // is none.
  std::optional<std::int64_t> Hold(std::string_view topic, const Connection& connection);

  // From where on it was to get everything; nullopt: was none.
  std::optional<std::int64_t> Unsubscribe(std::string_view topic, Connection& connection);
  // The connections that were subscribers and are not any more.
  struct Ended {
    Connection* connection = nullptr;
    std::int64_t since = 0;  // As above.
  };
  std::vector<Ended> UnsubscribeUser(std::string_view topic, std::string_view user_id);
  std::vector<Connection*> UnsubscribeAll(std::string_view topic);
  // The connection's transport has changed.
  void OnMoved(const Connection& connection);
  // From every topic.
  void Remove(Connection& connection);

  // nullopt: not a subscriber.
  std::optional<std::int64_t> PositionOf(std::string_view topic,
                                         const Connection& connection) const;
  // Live events behind it are handed to the connection; 0: it is no subscriber, or none are.
  std::int64_t LiveBehind(std::string_view topic, const Connection& connection) const;
  bool Has(std::string_view topic) const { return topics_.contains(topic); }
  static std::vector<std::string> TopicsOf(const Connection& connection);
  // The same, and how far the connection is there.
  struct Standing {
    std::string_view topic;  // Views the topic.
    std::int64_t since = 0;
    std::int64_t after_seq = 0;  // Live events behind it are handed to the connection.
    std::int64_t position = 0;   // Last event that passed.
  };
  static std::vector<Standing> StandingOf(const Connection& connection);

  // Hands the event to every live subscriber but `except`. Returns to how many.
  std::size_t Deliver(std::string_view topic, std::uint64_t except, const v1::RoomEvent& event);

  // Hands all events of the run, joined where they can be, to every live subscriber whose transport is
  // not apart. To those DeliverApart hands one event after the other: it is called for each, in order,
  // before the next Deliver of a run. Returns to how many connections the event went, by either.
  // Frames of several connections of one transport may change places; those of one do not.
  void Deliver(const EventRun& run);
  std::size_t DeliverApart(const EventRun& run, std::size_t event);

  using Topics = google::protobuf::RepeatedPtrField<std::string>;
  // The connections that have any of the topics, each once.
  std::vector<Connection*> AudienceOf(const Topics& topics) const;
  // Hands the signal to all of them but `except`. Returns to how many.
  std::size_t Deliver(const std::vector<Connection*>& audience, std::uint64_t except,
                      const v1::Signal& signal);
  // The same for a notification, of which each connection takes what is for it. One that names no
  // event is only counted.
  std::size_t Deliver(const std::vector<Connection*>& audience,
                      const v1::PushedNotification& pushed);

  // Topics that lost their last subscriber since the last call; some may have a new one.
  std::vector<std::string> TakeEmptied() { return std::exchange(emptied_, {}); }

  // To rooms.
  std::size_t subscriptions() const { return subscriptions_; }

 private:
  static constexpr std::int64_t kHeld = INT64_MAX;

  void DeliverAll(const HubTopic::Subscriber& subscriber, const EventRun& run);
  HubTopic* Find(std::string_view topic) const;
  HubTopic& Make(std::string_view topic, std::int64_t position, bool is_own);
  static void Add(HubTopic& topic, Connection& connection, std::int64_t from_seq);
  static HubTopic::Subscriber* FindIn(HubTopic& topic, const Connection& connection);
  void Drop(HubTopic& topic, std::size_t index);
  void Forget(HubTopic& topic);

  // Keys are views of the topics' names. Not Abseil's hash: it does not know std::string_view here.
  absl::flat_hash_map<std::string_view, std::unique_ptr<HubTopic>, std::hash<std::string_view>,
                      std::equal_to<>>
      topics_;
  FrameCache frames_;
  JoinedFrames joined_;
  std::vector<Connection*> apart_;   // Subscribers that a run is told to event by event.
  std::vector<std::size_t> counts_;  // Of a run: who has got an event by itself.
  std::vector<std::string> emptied_;
  std::size_t subscriptions_ = 0;
};

}  // namespace confab::edge
