#include <algorithm>
#include <cstddef>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_fixture.h"

namespace confab::tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

// Namespaces of a Socket.IO client: each a connection of its own on one Engine.IO session.
class EdgeNamespace : public EdgeTest {
 protected:
  EdgeNamespace() { config_.namespaces = {"/", "/game", "/a-b?x=1"}; }

  // Up to and with the open packet.
  WsClient OpenEngine(const std::string& query = "") {
    WsClient client(edge_->address());
    EXPECT_EQ(client.Upgrade(kSocketIoTarget + query), 101);
    EXPECT_THAT(client.Read().value_or(""), StartsWith("0{"));
    return client;
  }
  // `head`: "40" or "40/nsp,".
  static void Connect(WsClient& client, const std::string& head, const std::string& user,
                      const std::string& more = "") {
    client.SendText(head + "{\"token\":\"" + TokenFor(user) + "\"" + more + "}");
  }
  // Reads the CONNECT's answer and `connected`; the sid.
  static std::string ReadJoined(WsClient& client, const std::string& head) {
    const std::string answer = client.Read().value_or("");
    EXPECT_THAT(answer, StartsWith(head + "{\"sid\":\""));
    EXPECT_THAT(client.Read().value_or(""), StartsWith("42" + head.substr(2) + "[\"connected\""));
    return answer.substr(head.size());
  }
  // Control was told of so many connections opened, or closed.
  bool IsTold(v1::EdgeItem::ItemCase kind, std::ptrdiff_t count) {
    return control_->WaitUntil([&](const auto& sent) {
      return std::count_if(sent.begin(), sent.end(), [&](const v1::EdgeItem& item) {
               return item.item_case() == kind;
             }) == count;
    });
  }
  // Control closes the user's connection.
  void EndByControl(const std::string& user, std::uint32_t code) {
    v1::ControlItem item;
    item.mutable_close_connection()->set_code(code);
    ASSERT_TRUE(control_->WaitUntil([&](const auto& sent) {
      for (const v1::EdgeItem& one : sent) {
        if (one.connection_opened().user().id() != user) continue;
        item.mutable_close_connection()->set_connection(one.connection_opened().connection());
        return true;
      }
      return false;
    }));
    control_->Say(item);
  }
  // Everything sent before was taken, and the session lives.
  static void ExpectAlive(WsClient& client, const std::string& nsp = "") {
    client.SendText("42" + nsp + "99[\"nothing\",{}]");
    EXPECT_THAT(client.Read().value_or(""),
                AllOf(StartsWith("43" + nsp + "99["), HasSubstr("UNKNOWN_COMMAND")));
  }
};

TEST_F(EdgeNamespace, IsAConnectionOfItsOwn) {
  StartEdge();
  WsClient client = OpenEngine();

  Connect(client, "40", "alice");
  const std::string main_sid = ReadJoined(client, "40");
  Connect(client, "40/game,", "bob");
  const std::string game_sid = ReadJoined(client, "40/game,");

  EXPECT_NE(main_sid, game_sid);
  EXPECT_TRUE(IsTold(v1::EdgeItem::kConnectionOpened, 2));
  ExpectAlive(client);
  ExpectAlive(client, "/game,");
}

TEST_F(EdgeNamespace, TakesAnyOrderAndAnyConfiguredName) {
  StartEdge();
  WsClient client = OpenEngine();

  Connect(client, "40/a-b?x=1,", "alice");
  ReadJoined(client, "40/a-b?x=1,");

  ExpectAlive(client, "/a-b?x=1,");
}

TEST_F(EdgeNamespace, GetsEventsUnderItsOwnName) {
  StartEdge();
  control_->AddMember("1", "alice");
  WsClient client = OpenEngine();
  Connect(client, "40", "alice");
  ReadJoined(client, "40");
  Connect(client, "40/game,", "alice");
  ReadJoined(client, "40/game,");
  client.SendText("42/game,0[\"joinRoom\",{\"roomId\":\"1\"}]");
  ASSERT_THAT(client.Read().value_or(""), StartsWith("43/game,0[{\"ok\":true"));

  control_->Post("1", "for the game alone");
  EXPECT_THAT(client.Read().value_or(""), StartsWith("42/game,[\"newMessage\""));
  ASSERT_THAT(Ask(client, 1, "joinRoom", "{\"roomId\":\"1\"}"), HasSubstr("\"ok\":true"));
  control_->Post("1", "for both");

  const std::string first = client.Read().value_or("");
  const std::string second = client.Read().value_or("");
  EXPECT_THAT(first, StartsWith("42/game,[\"newMessage\""));
  EXPECT_THAT(second, StartsWith("42[\"newMessage\""));
  EXPECT_EQ(first.substr(8), second.substr(2));
}

TEST_F(EdgeNamespace, EndsAloneWhenTheClientDisconnects) {
  StartEdge();
  control_->AddMember("1", "alice");
  WsClient client = OpenEngine();
  Connect(client, "40", "alice");
  ReadJoined(client, "40");
  Connect(client, "40/game,", "alice");
  ReadJoined(client, "40/game,");
  client.SendText("42/game,0[\"joinRoom\",{\"roomId\":\"1\"}]");
  client.Read();

  client.SendText("41/game,");
  EXPECT_TRUE(control_->WaitUntil(
      [](const auto& sent) { return !sent.empty() && sent.back().has_topic_released(); }));
  control_->Post("1", "unheard");

  ExpectAlive(client);
  EXPECT_TRUE(IsTold(v1::EdgeItem::kConnectionClosed, 1));
}

TEST_F(EdgeNamespace, CanBeJoinedAgainUnderANewSid) {
  StartEdge();
  WsClient client = OpenEngine();
  Connect(client, "40", "alice");
  const std::string first = ReadJoined(client, "40");

  client.SendText("41");
  Connect(client, "40", "alice");

  EXPECT_NE(ReadJoined(client, "40"), first);
  ExpectAlive(client);
}

TEST_F(EdgeNamespace, LeavesAnEngineThatWaitsForAnotherConnect) {
  // The ping may be two ticks of the wheel (250 ms each) late, and has to come first.
  config_.open_time_limit = absl::Seconds(2);
  config_.ping_interval = absl::Milliseconds(500);
  StartEdge();
  WsClient client = OpenEngine();
  Connect(client, "40", "alice");
  ReadJoined(client, "40");

  client.SendText("41");

  EXPECT_EQ(client.Read(), "2");  // It goes on, though not for ever.
  client.SendText("3");
  EXPECT_EQ(client.ReadClose(), 4002);
}

TEST_F(EdgeNamespace, ClosesOnPacketsOfANamespaceThatWasNotJoined) {
  StartEdge();
  for (const char* packet : {"42/game,[\"joinRoom\",{}]", "41/game", "43/game,1[]",
                             "451-/game,[\"x\",{\"_placeholder\":true,\"num\":0}]"}) {
    WsClient client = OpenSocketIo("alice");
    client.SendText(packet);
    EXPECT_EQ(client.ReadClose(), 4400) << packet;
  }
}

TEST_F(EdgeNamespace, ClosesOnASecondConnect) {
  StartEdge();
  WsClient client = OpenSocketIo("alice");

  Connect(client, "40", "alice");

  EXPECT_EQ(client.ReadClose(), 4400);
}

TEST_F(EdgeNamespace, ClosesOnASecondConnectWhileTheFirstIsHeld) {
  StartEdge(false);
  WsClient client = OpenEngine();
  Connect(client, "40", "alice");

  Connect(client, "40", "alice");

  EXPECT_EQ(client.ReadClose(), 4400);
}

TEST_F(EdgeNamespace, IsRefusedAloneWhereAnotherIsJoined) {
  StartEdge();
  WsClient client = OpenSocketIo("alice");

  client.SendText("40/game,{\"token\":\"rubbish\"}");

  EXPECT_THAT(client.Read().value_or(""), AllOf(StartsWith("44/game,{\"message\":"),
                                                HasSubstr("\"data\":{\"reason\":\"TOKEN_INVALID\""),
                                                HasSubstr("\"retryable\":false")));
  ExpectAlive(client);
  Connect(client, "40/game,", "alice");
  ReadJoined(client, "40/game,");
}

TEST_F(EdgeNamespace, EndsWithTheSessionWhereItIsRefusedAndAlone) {
  StartEdge();
  WsClient client = OpenEngine();

  client.SendText("40/game,{\"token\":\"rubbish\"}");

  EXPECT_THAT(client.Read().value_or(""), StartsWith("44/game,{"));
  EXPECT_EQ(client.ReadClose(), 4501);
}

TEST_F(EdgeNamespace, IsHeldUntilControlIsThere) {
  StartEdge(false);
  WsClient client = OpenEngine();
  Connect(client, "40", "alice");
  Connect(client, "40/game,", "bob");

  control_->Attach();

  // Which of them is first is nobody's business.
  const std::string both = client.Read().value_or("") + client.Read().value_or("") +
                           client.Read().value_or("") + client.Read().value_or("");
  EXPECT_THAT(both, AllOf(HasSubstr("40{\"sid\""), HasSubstr("40/game,{\"sid\"")));
}

TEST_F(EdgeNamespace, LeavesNoGhostWhenItGoesWhileItIsHeld) {
  StartEdge(false);
  WsClient stays = OpenEngine();
  Connect(stays, "40", "alice");
  stays.SendText("41");
  Connect(stays, "40/game,", "bob");
  {
    WsClient goes = OpenEngine();
    Connect(goes, "40", "carol");
    goes.SendText("42[\"too early\"]");
    EXPECT_EQ(goes.ReadClose(), 4400);
  }

  control_->Attach();

  ReadJoined(stays, "40/game,");
  ExpectAlive(stays, "/game,");
  EXPECT_EQ(control_->CountSent(v1::EdgeItem::kConnectionOpened), 1u);
}

TEST_F(EdgeNamespace, IsEndedByControlWithoutTheOthers) {
  StartEdge();
  WsClient client = OpenEngine();
  Connect(client, "40", "alice");
  ReadJoined(client, "40");
  Connect(client, "40/game,", "bob");
  ReadJoined(client, "40/game,");

  EndByControl("bob", 4503);

  EXPECT_THAT(client.Read().value_or(""),
              AllOf(StartsWith("42/game,[\"server:closing\""), HasSubstr("4503")));
  EXPECT_EQ(client.Read(), "41/game,");
  client.SendText("42/game,[\"sent before that was read\"]");
  ExpectAlive(client);
  EXPECT_TRUE(IsTold(v1::EdgeItem::kConnectionClosed, 1));
}

TEST_F(EdgeNamespace, EndsForGoodWithDisconnectBeforeTheClose) {
  StartEdge();
  WsClient client = OpenSocketIo("alice");

  EndByControl("alice", 4503);

  EXPECT_THAT(client.Read().value_or(""), StartsWith("42[\"server:closing\""));
  EXPECT_EQ(client.Read(), "41");
  EXPECT_EQ(client.ReadClose(), 4503);
}

TEST_F(EdgeNamespace, LimitsConnects) {
  config_.rate_joins = "1/3";
  StartEdge();
  WsClient client = OpenEngine();

  for (int i = 0; i < 10; ++i) client.SendText("40/none,");

  EXPECT_EQ(client.ReadClose(), 4008);
}

TEST_F(EdgeNamespace, SpeaksTheDialectTheClientNames) {
  StartEdge();
  WsClient by_auth = OpenEngine("&dialect=none");
  Connect(by_auth, "40", "alice", ",\"dialect\":\"confab\"");
  ReadJoined(by_auth, "40");

  WsClient by_query = OpenEngine("&dialect=confab");
  Connect(by_query, "40", "alice", ",\"dialect\":null");
  ReadJoined(by_query, "40");
}

TEST_F(EdgeNamespace, RefusesADialectNobodyKnows) {
  StartEdge();
  for (const char* dialect : {"\"klingon\"", "7", "{}", "\"\""}) {
    WsClient client = OpenEngine();
    Connect(client, "40", "alice", std::string(",\"dialect\":") + dialect);
    EXPECT_THAT(client.Read().value_or(""),
                AllOf(StartsWith("44{\"message\":\"no such dialect; there is: "),
                      HasSubstr("BAD_REQUEST"), HasSubstr("\"retryable\":false")));
    EXPECT_EQ(client.ReadClose(), 4503);
  }
  WsClient client = OpenEngine("&dialect=klingon");
  Connect(client, "40", "alice");
  EXPECT_THAT(client.Read().value_or(""), StartsWith("44{"));
}

TEST_F(EdgeNamespace, TellsControlOfTheDevice) {
  StartEdge();
  WsClient client = OpenEngine("&deviceId=phone%201");
  Connect(client, "40", "alice");
  ReadJoined(client, "40");

  ASSERT_TRUE(control_->WaitUntil([](const auto& sent) {
    return !sent.empty() && sent.back().connection_opened().device_id() == "phone 1";
  }));
}

TEST_F(EdgeNamespace, RefusesADeviceIdThatIsNoName) {
  StartEdge();
  WsClient named = OpenEngine("&deviceId=%d0%90%d0%bd%d0%bd%d0%b0%27s%20phone");
  Connect(named, "40", "alice");
  ReadJoined(named, "40");
  for (const std::string& id : {std::string("%ff"), std::string("%0a"), std::string(129, 'x')}) {
    WsClient client = OpenEngine("&deviceId=" + id);
    Connect(client, "40", "alice");
    EXPECT_THAT(client.Read().value_or(""), AllOf(StartsWith("44{"), HasSubstr("deviceId")));
  }
}

}  // namespace
}  // namespace confab::tests
