#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_fixture.h"
#include "tests/process/temp_dir.h"

namespace confab::tests {
namespace {

using testing::HasSubstr;

// What is told live, to topics that a connection has by itself and to rooms.
class EdgeLive : public EdgeTest {
 protected:
  void Tell(std::initializer_list<std::string> topics, const std::string& who,
            std::uint64_t except = 0) {
    v1::ControlItem item;
    for (const std::string& topic : topics) item.mutable_broadcast()->add_topics(topic);
    item.mutable_broadcast()->set_except_connection(except);
    v1::Typing& typing = *item.mutable_broadcast()->mutable_signal()->mutable_typing();
    typing.set_room_id("1");
    typing.set_user_id(who);
    typing.set_is_typing(true);
    control_->Say(std::move(item));
  }

  // The number that the edge gave to this user's only connection.
  std::uint64_t NumberOf(const std::string& user) {
    std::uint64_t number = 0;
    control_->WaitUntil([&](const std::vector<v1::EdgeItem>& sent) {
      for (const v1::EdgeItem& item : sent) {
        if (item.connection_opened().user().id() == user) {
          number = item.connection_opened().connection();
        }
      }
      return number != 0;
    });
    return number;
  }

  static std::string Typing(const std::string& who) {
    return "42[\"typing\",{\"roomId\":\"1\",\"userId\":\"" + who + "\",\"isTyping\":true}]";
  }
};

TEST_F(EdgeLive, TellsAUserWhatIsForTheUserWithoutAnySubscribe) {
  StartEdge();
  WsClient phone = OpenSocketIo("alice");
  WsClient laptop = OpenSocketIo("alice");
  WsClient bob = OpenSocketIo("bob");

  Tell({"user:alice"}, "eve");
  Tell({"user:bob", "user:alice"}, "zoe");

  for (WsClient* client : {&phone, &laptop}) {
    EXPECT_EQ(client->Read().value_or(""), Typing("eve"));
    EXPECT_EQ(client->Read().value_or(""), Typing("zoe"));
  }
  EXPECT_EQ(bob.Read().value_or(""), Typing("zoe"));
}

TEST_F(EdgeLive, TellsEverybodyWhatIsForAll) {
  StartEdge();
  WsClient alice = OpenSocketIo("alice");
  WsClient bob = OpenSocketIo("bob");

  Tell({"all", "user:alice"}, "eve");
  Tell({"user:alice", "user:bob"}, "end");

  EXPECT_EQ(alice.Read().value_or(""), Typing("eve"));
  EXPECT_EQ(alice.Read().value_or(""), Typing("end")) << "once, though two topics were hers";
  EXPECT_EQ(bob.Read().value_or(""), Typing("eve"));
}

TEST_F(EdgeLive, SparesTheConnectionThatASignalComesFrom) {
  StartEdge();
  control_->AddMember("1", "alice");
  control_->AddMember("1", "bob");
  WsClient alice = OpenSocketIo("alice");
  WsClient bob = OpenSocketIo("bob");
  Ask(alice, 0, "joinRoom", "{\"roomId\":\"1\"}");
  Ask(bob, 0, "joinRoom", "{\"roomId\":\"1\"}");

  Tell({"room:1"}, "alice", NumberOf("alice"));
  Tell({"room:1"}, "end");

  EXPECT_EQ(bob.Read().value_or(""), Typing("alice"));
  EXPECT_EQ(alice.Read().value_or(""), Typing("end"));
}

TEST_F(EdgeLive, TellsOneConnectionAlone) {
  StartEdge();
  WsClient alice = OpenSocketIo("alice");
  const std::uint64_t number = NumberOf("alice");
  WsClient other = OpenSocketIo("alice");

  v1::ControlItem item;
  item.mutable_direct()->set_connection(number);
  item.mutable_direct()->mutable_signal()->mutable_presence_snapshot()->add_user_ids("bob");
  control_->Say(std::move(item));
  Tell({"user:alice"}, "end");

  EXPECT_EQ(alice.Read().value_or(""), "42[\"presence\",{\"online\":[\"bob\"]}]");
  EXPECT_EQ(other.Read().value_or(""), Typing("end"));
}

TEST_F(EdgeLive, TellsNativeClientsASignal) {
  StartEdge();
  WsClient client(edge_->address());
  ASSERT_EQ(client.Upgrade("/native?token=" + TokenFor("alice"),
                           "Sec-WebSocket-Protocol: confab.v1.json\r\n"),
            101);
  EXPECT_THAT(client.Read().value_or(""), HasSubstr("connected"));

  Tell({"user:alice"}, "eve");

  EXPECT_EQ(client.Read().value_or(""),
            "{\"signal\":{\"typing\":{\"roomId\":\"1\",\"userId\":\"eve\",\"isTyping\":true}}}");
}

TEST_F(EdgeLive, TellsTheUsersOfAnotherRoleNothing) {
  StartEdge();
  WsClient alice = OpenSocketIo("alice");

  Tell({"role:teacher"}, "eve");
  Tell({"user:alice"}, "end");

  EXPECT_EQ(alice.Read().value_or(""), Typing("end"));
}

TEST_F(EdgeLive, CountsNoTopicOfItsOwnAgainstTheLimitOfRooms) {
  config_.rooms_limit = 1;
  StartEdge();
  control_->AddMember("1", "alice");
  WsClient alice = OpenSocketIo("alice");

  EXPECT_THAT(Ask(alice, 0, "joinRoom", "{\"roomId\":\"1\"}"), HasSubstr("\"ok\":true"));
}

TEST_F(EdgeLive, RefreshesTheLeaseThatControlNames) {
  StartEdge();
  v1::ControlItem welcome;
  welcome.mutable_welcome()->set_lease_ms(300);

  control_->Say(std::move(welcome));

  EXPECT_TRUE(control_->WaitUntil([](const std::vector<v1::EdgeItem>& sent) {
    return std::count_if(sent.begin(), sent.end(),
                         [](const v1::EdgeItem& item) { return item.has_lease_refreshed(); }) >= 3;
  }));
}

class EdgeAutoSubscribe : public EdgeTest {
 protected:
  EdgeAutoSubscribe() {
    config_.dialect_dir = directory_.path().string();
    config_.dialect = "games";
    directory_.Write("games.json", R"({
      "dialect": "games",
      "connect": {"autoSubscribe": "game_*", "heartbeat": true},
      "refusals": {"default": {"why": "$message"}},
      "confirmations": {"joinRoom": {"name": "entered", "payload": {"room": "$roomId"}}},
      "connected": {"name": "connected", "payload": {}},
      "events": {"messagePosted": {"name": "said", "payload": {"what": "$content"}}}
    })");
  }

  process::TempDir directory_;
};

TEST_F(EdgeAutoSubscribe, JoinsTheRoomsOfTheUserThatMatch) {
  StartEdge();
  for (const char* room : {"game_1", "den", "game_2"}) control_->AddMember(room, "alice");
  WsClient alice = OpenSocketIo("alice");
  EXPECT_EQ(alice.Read().value_or(""), "42[\"entered\",{\"room\":\"game_1\"}]");
  EXPECT_EQ(alice.Read().value_or(""), "42[\"entered\",{\"room\":\"game_2\"}]");

  control_->Post("den", "unheard");
  control_->Post("game_2", "heard");

  EXPECT_EQ(alice.Read().value_or(""), "42[\"said\",{\"what\":\"heard\"}]");
  EXPECT_TRUE(control_->WaitUntil([](const std::vector<v1::EdgeItem>& sent) {
    return std::any_of(sent.begin(), sent.end(), [](const v1::EdgeItem& item) {
      return item.connection_opened().awaits_heartbeat();
    });
  }));
}

TEST_F(EdgeAutoSubscribe, JoinsARoomThatTheUserIsMadeAMemberOfAndAsksAnewAfterAnAbsence) {
  StartEdge();
  WsClient alice = OpenSocketIo("alice");
  control_->AddMember("game_1", "alice");
  control_->Post("game_1", "before");
  control_->Post("game_1", "first");
  v1::ControlItem notice;
  notice.mutable_broadcast()->add_topics("user:alice");
  notice.mutable_broadcast()->mutable_membership()->set_room_id("game_1");
  notice.mutable_broadcast()->mutable_membership()->set_seq(2);
  control_->Say(notice);
  EXPECT_EQ(alice.Read().value_or(""), "42[\"entered\",{\"room\":\"game_1\"}]");
  EXPECT_EQ(alice.Read().value_or(""), "42[\"said\",{\"what\":\"first\"}]");

  control_->Detach();
  control_->AddMember("game_2", "alice");
  control_->Attach();

  EXPECT_EQ(alice.Read().value_or(""), "42[\"entered\",{\"room\":\"game_1\"}]");
  EXPECT_EQ(alice.Read().value_or(""), "42[\"entered\",{\"room\":\"game_2\"}]");
}

}  // namespace
}  // namespace confab::tests
