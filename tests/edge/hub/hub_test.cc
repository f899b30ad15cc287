#include "edge/hub/hub.h"

#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/connection/connection_fakes.h"

namespace confab::edge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using tests::NumberEncoder;
using tests::RecordingHost;
using tests::RecordingTransport;
using tests::RecordingWire;

// A connection of that user, with everything it needs.
struct Peer {
  Peer(uint64_t id, const std::string& user, const EventEncoder& encoder)
      : connection(host, wire, transport, encoder) {
    const std::string token =
        process::SignJwt({{"sub", user}, {"exp", absl::ToUnixSeconds(absl::Now()) + 3'600}},
                         *process::JwtKey::FromSecret(std::string(32, 's')));
    EXPECT_FALSE(connection.Authenticate(token));
    connection.Admit(id, "name");
  }

  const std::vector<std::string>& sent() const { return transport.sent; }

  RecordingHost host;
  RecordingWire wire;
  RecordingTransport transport;
  Connection connection;
};

class HubTest : public testing::Test {
 protected:
  size_t Deliver(int64_t seq, const std::string& topic = "room:r", uint64_t except = 0) {
    v1::RoomEvent event;
    event.mutable_event()->set_room_id("r");
    event.mutable_event()->set_seq(seq);
    return hub_.Deliver(topic, except, event);
  }

  NumberEncoder socketio_{0};
  NumberEncoder native_{1};
  Hub hub_{2};
  Peer ann_{1, "ann", socketio_};
  Peer bob_{2, "bob", socketio_};
  Peer cat_{3, "cat", native_};
};

TEST_F(HubTest, FollowsAConnectionToItsNewTransport) {
  hub_.Subscribe("room:r", ann_.connection, 4);
  RecordingTransport other;

  ann_.connection.MoveTo(other);
  hub_.OnMoved(ann_.connection);

  EXPECT_EQ(Deliver(5), 1u);
  EXPECT_EQ(other.sent.size(), 1u);
  EXPECT_THAT(ann_.sent(), IsEmpty());
}

TEST_F(HubTest, SaysHowFarAConnectionIsInEachTopic) {
  hub_.SubscribeOwn("user:ann", ann_.connection);
  hub_.Subscribe("room:r", ann_.connection, 4);
  hub_.GoLive("room:r", ann_.connection, 7);
  Deliver(5);

  const std::vector<Hub::Standing> standings = Hub::StandingOf(ann_.connection);

  ASSERT_EQ(standings.size(), 2u);
  EXPECT_EQ(standings[0].topic, "user:ann");
  EXPECT_EQ(standings[1].topic, "room:r");
  EXPECT_EQ(standings[1].since, 4);
  EXPECT_EQ(standings[1].after_seq, 7);
  EXPECT_EQ(standings[1].position, 5);
  EXPECT_EQ(hub_.LiveBehind("room:r", ann_.connection), 7);
  hub_.Hold("room:r", ann_.connection);
  EXPECT_EQ(hub_.LiveBehind("room:r", ann_.connection), 0);
  EXPECT_EQ(hub_.LiveBehind("room:r", bob_.connection), 0);
}

TEST_F(HubTest, DeliversToEverySubscriberInItsOwnForm) {
  for (Peer* peer : {&ann_, &bob_, &cat_}) hub_.Subscribe("room:r", peer->connection, 4);

  EXPECT_EQ(Deliver(5), 3u);
  EXPECT_EQ(Deliver(6), 3u);

  EXPECT_THAT(ann_.sent(), ElementsAre("0:5", "0:6"));
  EXPECT_THAT(bob_.sent(), ElementsAre("0:5", "0:6"));
  EXPECT_THAT(cat_.sent(), ElementsAre("1:5", "1:6"));
  EXPECT_EQ(socketio_.encoded, 2) << "once an event, not once a socket";
}

TEST_F(HubTest, DeliversNothingOfOtherTopics) {
  hub_.Subscribe("room:r", ann_.connection, 0);
  hub_.Subscribe("room:s", bob_.connection, 0);

  EXPECT_EQ(Deliver(1, "room:s"), 1u);
  EXPECT_EQ(Deliver(1, "room:none"), 0u);

  EXPECT_THAT(ann_.sent(), IsEmpty());
  EXPECT_THAT(bob_.sent(), ElementsAre("0:1"));
}

TEST_F(HubTest, LeavesTheExceptedConnectionOut) {
  hub_.Subscribe("room:r", ann_.connection, 0);
  hub_.Subscribe("room:r", bob_.connection, 0);

  EXPECT_EQ(Deliver(1, "room:r", 1), 1u);

  EXPECT_THAT(ann_.sent(), IsEmpty());
  EXPECT_THAT(bob_.sent(), ElementsAre("0:1"));
}

TEST_F(HubTest, DeliversNothingUpToWhereASubscriptionStarts) {
  hub_.Subscribe("room:r", ann_.connection, 0);
  hub_.Subscribe("room:r", bob_.connection, 2);  // Ann's edge is catching up.

  Deliver(1);
  Deliver(2);
  Deliver(3);

  EXPECT_THAT(ann_.sent(), ElementsAre("0:1", "0:2", "0:3"));
  EXPECT_THAT(bob_.sent(), ElementsAre("0:3"));
}

TEST_F(HubTest, SkipsAHeldSubscriberUntilItGoesLive) {
  hub_.Subscribe("room:r", ann_.connection, 4);
  hub_.Hold("room:r", ann_.connection, 1);

  EXPECT_EQ(Deliver(5), 0u);
  EXPECT_EQ(hub_.PositionOf("room:r", ann_.connection), 5);
  hub_.GoLive("room:r", ann_.connection, 6);  // Its last page had 6 already.
  EXPECT_EQ(Deliver(6), 0u);
  EXPECT_EQ(Deliver(7), 1u);

  EXPECT_THAT(ann_.sent(), ElementsAre("0:7"));
}

TEST_F(HubTest, HoldsASubscriberBackAndSaysFromWhereItWasToGetEverything) {
  hub_.Subscribe("room:r", ann_.connection, 4);
  Deliver(5);

  EXPECT_EQ(hub_.Hold("room:r", ann_.connection), 4);
  EXPECT_EQ(Deliver(6), 0u);
  hub_.GoLive("room:r", ann_.connection, 6);
  EXPECT_EQ(Deliver(7), 1u);

  EXPECT_EQ(hub_.Hold("room:r", bob_.connection), std::nullopt);
  EXPECT_EQ(hub_.Hold("room:s", ann_.connection), std::nullopt);
}

// The queue drops while the hub goes through the subscribers: nobody is touched before it is told.
TEST_F(HubTest, DeliversToTheOthersWhileOneIsDegraded) {
  class FullTransport final : public Transport {
   public:
    bool Send(const SharedFrame& frame, DeliveryClass) override {
      dropped.push_back({.key = frame.place().key, .first_seq = frame.place().seq});
      return true;
    }
    void SendBytes(std::string_view, DeliveryClass) override {}
    void Close(CloseReason) override {}
    bool HasRoom() override { return false; }
    bool HasRoomBelow(std::size_t) override { return false; }
    std::vector<Dropped> dropped;
  };
  FullTransport full;
  for (Peer* peer : {&ann_, &bob_, &cat_}) hub_.Subscribe("room:r", peer->connection, 4);
  bob_.connection.MoveTo(full);
  hub_.OnMoved(bob_.connection);

  EXPECT_EQ(Deliver(5), 3u);
  EXPECT_EQ(Deliver(6), 3u);

  EXPECT_THAT(ann_.sent(), ElementsAre("0:5", "0:6"));
  EXPECT_THAT(cat_.sent(), ElementsAre("1:5", "1:6"));
  ASSERT_EQ(full.dropped.size(), 2u);
  EXPECT_EQ(full.dropped[0].key, socketio_.KeyOfRoom("r"));
  EXPECT_EQ(full.dropped[0].first_seq, 5);
}

TEST_F(HubTest, TellsASecondSubscribeFromTheFirst) {
  const Hub::Joined first = hub_.Subscribe("room:r", ann_.connection, 4);
  Deliver(5);
  const Hub::Joined second = hub_.Subscribe("room:r", ann_.connection, 5);

  EXPECT_TRUE(first.is_new);
  EXPECT_EQ(first.since, 4);
  EXPECT_FALSE(second.is_new);
  EXPECT_EQ(second.since, 4) << "it has everything behind 4";
  EXPECT_EQ(Deliver(6), 1u);
  EXPECT_EQ(hub_.subscriptions(), 1u);
}

TEST_F(HubTest, KeepsTheOthersWhenOneLeaves) {
  for (Peer* peer : {&ann_, &bob_, &cat_}) hub_.Subscribe("room:r", peer->connection, 0);

  EXPECT_TRUE(hub_.Unsubscribe("room:r", ann_.connection));
  EXPECT_FALSE(hub_.Unsubscribe("room:r", ann_.connection));
  Deliver(1);
  EXPECT_TRUE(hub_.Unsubscribe("room:r", cat_.connection)) << "it has another place now";
  Deliver(2);

  EXPECT_THAT(ann_.sent(), IsEmpty());
  EXPECT_THAT(bob_.sent(), ElementsAre("0:1", "0:2"));
  EXPECT_THAT(cat_.sent(), ElementsAre("1:1"));
  EXPECT_EQ(hub_.subscriptions(), 1u);
}

TEST_F(HubTest, UnsubscribesEveryConnectionOfAUser) {
  Peer second_ann(4, "ann", socketio_);
  for (Peer* peer : {&ann_, &bob_, &second_ann}) hub_.Subscribe("room:r", peer->connection, 0);
  hub_.Subscribe("room:s", ann_.connection, 0);

  std::vector<Connection*> ended;
  for (const Hub::Ended& one : hub_.UnsubscribeUser("room:r", "ann")) {
    EXPECT_EQ(one.since, 0);
    ended.push_back(one.connection);
  }
  EXPECT_THAT(ended, UnorderedElementsAre(&ann_.connection, &second_ann.connection));
  Deliver(1);
  Deliver(1, "room:s");

  EXPECT_THAT(ann_.sent(), ElementsAre("0:1")) << "of the other room";
  EXPECT_THAT(second_ann.sent(), IsEmpty());
  EXPECT_THAT(bob_.sent(), ElementsAre("0:1"));
}

TEST_F(HubTest, UnsubscribesEverybody) {
  hub_.Subscribe("room:r", ann_.connection, 0);
  hub_.Subscribe("room:r", cat_.connection, 0);

  EXPECT_THAT(hub_.UnsubscribeAll("room:r"),
              UnorderedElementsAre(&ann_.connection, &cat_.connection));

  EXPECT_EQ(Deliver(1), 0u);
  EXPECT_EQ(hub_.subscriptions(), 0u);
}

TEST_F(HubTest, ForgetsAConnectionThatIsGone) {
  for (const std::string topic : {"room:a", "room:b", "room:c"}) {
    hub_.Subscribe(topic, ann_.connection, 0);
  }
  hub_.Subscribe("room:b", bob_.connection, 0);
  EXPECT_THAT(Hub::TopicsOf(ann_.connection), UnorderedElementsAre("room:a", "room:b", "room:c"));

  hub_.Remove(ann_.connection);

  EXPECT_THAT(Hub::TopicsOf(ann_.connection), IsEmpty());
  EXPECT_EQ(Deliver(1, "room:a"), 0u);
  EXPECT_EQ(Deliver(1, "room:b"), 1u);
  EXPECT_THAT(ann_.sent(), IsEmpty());
}

TEST_F(HubTest, NamesTopicsThatLostTheirLastSubscriber) {
  hub_.Subscribe("room:r", ann_.connection, 0);
  hub_.Subscribe("room:r", bob_.connection, 0);
  hub_.Subscribe("room:s", cat_.connection, 0);

  hub_.Remove(ann_.connection);
  EXPECT_THAT(hub_.TakeEmptied(), IsEmpty());
  hub_.Remove(bob_.connection);
  hub_.UnsubscribeUser("room:s", "cat");

  EXPECT_THAT(hub_.TakeEmptied(), UnorderedElementsAre("room:r", "room:s"));
  EXPECT_THAT(hub_.TakeEmptied(), IsEmpty());
  EXPECT_FALSE(hub_.Has("room:r"));
}

TEST_F(HubTest, KnowsThePositionOfSubscribersOnly) {
  hub_.Subscribe("room:r", ann_.connection, 4);

  EXPECT_EQ(hub_.PositionOf("room:r", ann_.connection), 4);
  EXPECT_EQ(hub_.PositionOf("room:r", bob_.connection), std::nullopt);
  EXPECT_EQ(hub_.PositionOf("room:s", ann_.connection), std::nullopt);
}

TEST_F(HubTest, SkipsWhatHasNoNameForTheReader) {
  hub_.Subscribe("room:r", ann_.connection, 0);
  v1::RoomEvent unnamed;
  unnamed.mutable_event()->set_room_id("unnamed");
  unnamed.mutable_event()->set_seq(1);

  EXPECT_EQ(hub_.Deliver("room:r", 0, unnamed), 0u);

  EXPECT_THAT(ann_.sent(), IsEmpty());
  EXPECT_EQ(hub_.PositionOf("room:r", ann_.connection), 1);
}

v1::Signal TypingOf(const std::string& user) {
  v1::Signal signal;
  signal.mutable_typing()->set_room_id("r");
  signal.mutable_typing()->set_user_id(user);
  return signal;
}

Hub::Topics TopicsOf(std::initializer_list<const char*> names) {
  Hub::Topics topics;
  for (const char* name : names) topics.Add(name);
  return topics;
}

TEST_F(HubTest, TellsASignalOfSeveralTopicsToEachOnce) {
  for (Peer* peer : {&ann_, &bob_, &cat_}) hub_.SubscribeOwn("role:dev", peer->connection);
  hub_.SubscribeOwn("user:ann", ann_.connection);

  const auto audience = hub_.AudienceOf(TopicsOf({"user:ann", "role:dev", "user:none"}));

  EXPECT_EQ(hub_.Deliver(audience, 0, TypingOf("eve")), 3u);
  EXPECT_THAT(ann_.sent(), ElementsAre("0:eve"));
  EXPECT_THAT(bob_.sent(), ElementsAre("0:eve"));
  EXPECT_THAT(cat_.sent(), ElementsAre("1:eve"));
  EXPECT_EQ(socketio_.encoded, 1) << "once a dialect, not once a socket";
}

TEST_F(HubTest, SparesTheConnectionThatASignalComesFrom) {
  hub_.Subscribe("room:r", ann_.connection, 0);
  hub_.Subscribe("room:r", bob_.connection, 0);

  EXPECT_EQ(hub_.Deliver(hub_.AudienceOf(TopicsOf({"room:r"})), 1, TypingOf("ann")), 1u);

  EXPECT_THAT(ann_.sent(), IsEmpty());
  EXPECT_THAT(bob_.sent(), ElementsAre("0:ann"));
}

TEST_F(HubTest, CountsATopicOfItsOwnAsNoRoom) {
  hub_.SubscribeOwn("user:ann", ann_.connection);
  hub_.SubscribeOwn("user:ann", ann_.connection);
  hub_.Subscribe("room:r", ann_.connection, 0);
  EXPECT_EQ(ann_.connection.own_topics, 1u);
  EXPECT_EQ(hub_.subscriptions(), 1u);

  hub_.Remove(ann_.connection);

  EXPECT_EQ(ann_.connection.own_topics, 0u);
  EXPECT_EQ(hub_.subscriptions(), 0u);
  EXPECT_THAT(hub_.TakeEmptied(), UnorderedElementsAre("user:ann", "room:r"));
}

TEST_F(HubTest, FindsEveryOneOfManyInManyTopics) {
  std::vector<std::unique_ptr<Peer>> peers;
  for (uint64_t i = 0; i < 50; ++i) {
    peers.push_back(std::make_unique<Peer>(100 + i, "u", socketio_));
    for (uint64_t t = 0; t <= i % 5; ++t) {
      hub_.Subscribe("room:" + std::to_string(t), peers.back()->connection, 0);
    }
  }
  // Every second one goes, in an order unlike that of their coming.
  for (size_t i = 0; i < 50; i += 2) hub_.Remove(peers[(i * 7) % 50]->connection);

  for (int t = 0; t < 5; ++t) Deliver(1, "room:" + std::to_string(t));

  for (size_t i = 0; i < 50; ++i) {
    EXPECT_EQ(peers[i]->sent().size(), i % 2 == 0 ? 0 : i % 5 + 1) << i;
  }
}

}  // namespace
}  // namespace confab::edge
