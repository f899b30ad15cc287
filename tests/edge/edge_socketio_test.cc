#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_fixture.h"

namespace confab::tests {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

using EdgeSocketIo = EdgeTest;

TEST_F(EdgeSocketIo, OpensTheEngineWithExactlyTheKnownKeys) {
  StartEdge();
  WsClient client(edge_->address());

  ASSERT_EQ(client.Upgrade(kSocketIoTarget), 101);
  const std::string open = client.Read().value_or("");

  EXPECT_THAT(open, StartsWith("0{\"sid\":\""));
  EXPECT_THAT(open, HasSubstr("\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000,"
                              "\"maxPayload\":65536}"));
}

TEST_F(EdgeSocketIo, ConnectsAUserWithAToken) {
  StartEdge();
  WsClient client(edge_->address());
  ASSERT_EQ(client.Upgrade(kSocketIoTarget), 101);
  client.Read();

  client.SendText("40{\"token\":\"Bearer " + TokenFor("alice") + "\"}");

  EXPECT_THAT(client.Read().value_or(""), StartsWith("40{\"sid\":\""));
  EXPECT_THAT(client.Read().value_or(""),
              HasSubstr("\"user\":{\"id\":\"alice\",\"name\":\"name of alice\"}"));
}

TEST_F(EdgeSocketIo, TakesTheTokenOfTheQuery) {
  StartEdge();
  WsClient client(edge_->address());
  ASSERT_EQ(client.Upgrade(std::string(kSocketIoTarget) + "&token=" + TokenFor("bob")), 101);
  client.Read();

  client.SendText("40");

  EXPECT_THAT(client.Read().value_or(""), StartsWith("40{\"sid\":\""));
}

TEST_F(EdgeSocketIo, RefusesABadTokenByConnectErrorAndCloses) {
  StartEdge();
  WsClient client(edge_->address());
  ASSERT_EQ(client.Upgrade(kSocketIoTarget), 101);
  client.Read();

  client.SendText("40{\"token\":\"rubbish\"}");

  EXPECT_THAT(client.Read().value_or(""),
              testing::AllOf(StartsWith("44{"), HasSubstr("TOKEN_INVALID")));
  EXPECT_EQ(client.ReadClose(), 4501);
}

TEST_F(EdgeSocketIo, RefusesOtherNamespacesAndStays) {
  StartEdge();
  WsClient client(edge_->address());
  ASSERT_EQ(client.Upgrade(kSocketIoTarget), 101);
  client.Read();

  client.SendText("40/admin,");

  EXPECT_EQ(client.Read(), "44/admin,{\"message\":\"Invalid namespace\"}");
  client.SendText("40{\"token\":\"" + TokenFor("alice") + "\"}");
  EXPECT_THAT(client.Read().value_or(""), StartsWith("40{\"sid\":\""));
}

TEST_F(EdgeSocketIo, DeliversAMessageToEveryMemberBeforeItsAck) {
  StartEdge();
  control_->AddMember("1", "alice");
  control_->AddMember("1", "bob");
  WsClient alice = OpenSocketIo("alice");
  WsClient bob = OpenSocketIo("bob");
  ASSERT_THAT(Ask(alice, 0, "joinRoom", "{\"roomId\":\"1\"}"), HasSubstr("\"ok\":true"));
  ASSERT_THAT(Ask(bob, 0, "joinRoom", "{\"roomId\":1}"), HasSubstr("\"lastSeq\":0"));

  alice.SendText(
      "427[\"sendMessage\",{\"roomId\":\"1\",\"content\":\"hi\",\"clientMsgId\":\"c1\"}]");

  EXPECT_THAT(alice.Read().value_or(""),
              testing::AllOf(StartsWith("42[\"newMessage\",{"), HasSubstr("\"seq\":1")));
  EXPECT_THAT(alice.Read().value_or(""), StartsWith("437[{\"ok\":true,\"messageId\":"));
  EXPECT_THAT(bob.Read().value_or(""), HasSubstr("\"content\":\"hi\""));
}

TEST_F(EdgeSocketIo, TellsARefusalToTheOneWhoAsked) {
  StartEdge();
  control_->AddMember("1", "alice");
  WsClient stranger = OpenSocketIo("mallory");

  EXPECT_THAT(Ask(stranger, 3, "joinRoom", "{\"roomId\":\"1\"}"), HasSubstr("NOT_A_MEMBER"));
  EXPECT_THAT(Ask(stranger, 4, "noSuchEvent", "{}"), HasSubstr("UNKNOWN_COMMAND"));
  EXPECT_THAT(Ask(stranger, 5, "sendMessage", "{\"roomId\":{}}"), HasSubstr("BAD_REQUEST"));
  stranger.SendText("42[\"joinRoom\",{\"roomId\":\"1\"}]");
  EXPECT_THAT(stranger.Read().value_or(""), StartsWith("42[\"error\",{"));
  stranger.SendText("427[8,{}]");  // A number is a legal name, and none of ours.
  EXPECT_THAT(stranger.Read().value_or(""),
              testing::AllOf(StartsWith("437["), HasSubstr("UNKNOWN_COMMAND")));
}

TEST_F(EdgeSocketIo, SendsNothingAfterLeaveRoom) {
  StartEdge();
  control_->AddMember("1", "alice");
  WsClient alice = OpenSocketIo("alice");
  Ask(alice, 0, "joinRoom", "{\"roomId\":\"1\"}");

  ASSERT_THAT(Ask(alice, 1, "leaveRoom", "{\"roomId\":\"1\"}"), HasSubstr("\"ok\":true"));
  control_->Post("1", "unheard");

  EXPECT_THAT(Ask(alice, 2, "nothing", "{}"), StartsWith("432["));
  EXPECT_TRUE(control_->WaitUntil([](const auto& sent) {
    return !sent.empty() && sent.back().has_topic_released();
  }) || control_->CountSent(v1::EdgeItem::kTopicReleased) == 1);
}

TEST_F(EdgeSocketIo, ReplaysWhatWasMissedAndThenGoesLive) {
  StartEdge();
  control_->AddMember("1", "alice");
  for (int i = 1; i <= 35; ++i) control_->Post("1", "old");
  WsClient alice = OpenSocketIo("alice");

  alice.SendText("420[\"joinRoom\",{\"roomId\":\"1\",\"afterSeq\":2}]");
  const std::string ack = alice.Read().value_or("");
  control_->Post("1", "new");

  EXPECT_THAT(ack, StartsWith("430[{\"ok\":true"));
  for (int seq = 3; seq <= 36; ++seq) {
    EXPECT_THAT(alice.Read().value_or(""), HasSubstr("\"seq\":" + std::to_string(seq) + ","));
  }
}

TEST_F(EdgeSocketIo, HoldsLiveEventsBackWhileReplaying) {
  StartEdge();
  control_->AddMember("1", "alice");
  for (int i = 1; i <= 5; ++i) control_->Post("1", "old");
  WsClient alice = OpenSocketIo("alice");
  control_->HoldPages(true);
  alice.SendText("420[\"joinRoom\",{\"roomId\":\"1\",\"afterSeq\":0}]");
  ASSERT_THAT(alice.Read().value_or(""), StartsWith("430["));

  control_->Post("1", "live while the page is being read");
  control_->HoldPages(false);

  for (int seq = 1; seq <= 6; ++seq) {
    EXPECT_THAT(alice.Read().value_or(""), HasSubstr("\"seq\":" + std::to_string(seq) + ","));
  }
  control_->Post("1", "after");
  EXPECT_THAT(alice.Read().value_or(""), HasSubstr("\"seq\":7,"));
}

TEST_F(EdgeSocketIo, ReplaysUpToTheEventThatEndedTheSubscription) {
  StartEdge();
  control_->AddMember("1", "alice");
  for (int i = 1; i <= 5; ++i) control_->Post("1", "old");
  WsClient alice = OpenSocketIo("alice");
  control_->HoldPages(true);
  Ask(alice, 0, "joinRoom", "{\"roomId\":\"1\",\"afterSeq\":3}");

  control_->RemoveMember("1", "alice");
  control_->Post("1", "not for her");
  control_->HoldPages(false);

  EXPECT_THAT(alice.Read().value_or(""), HasSubstr("\"seq\":4,"));
  EXPECT_THAT(alice.Read().value_or(""), HasSubstr("\"seq\":5,"));
  EXPECT_THAT(alice.Read().value_or(""), HasSubstr("\"memberLeft\""));
  EXPECT_THAT(Ask(alice, 1, "nothing", "{}"), StartsWith("431["));
}

TEST_F(EdgeSocketIo, PingsAndClosesWhenNoPongComes) {
  config_.ping_interval = absl::Milliseconds(300);
  config_.ping_timeout = absl::Seconds(1);
  StartEdge();
  WsClient client = OpenSocketIo("alice");

  EXPECT_EQ(client.Read(), "2");
  client.SendText("3");
  EXPECT_EQ(client.Read(), "2");
  EXPECT_THAT(client.Read().value_or(""), HasSubstr("\"server:closing\""));
  EXPECT_EQ(client.ReadClose(), 4003);
}

TEST_F(EdgeSocketIo, LimitsCommandsWithATimeToWait) {
  config_.rate_frames = "1/3";
  StartEdge();
  WsClient client = OpenSocketIo("alice");

  std::string answer;
  for (int i = 0; i < 100 && answer.find("RATE_LIMITED") == std::string::npos; ++i) {
    answer = Ask(client, i, "joinRoom", "{\"roomId\":\"1\"}");
  }

  EXPECT_THAT(answer, testing::AllOf(HasSubstr("RATE_LIMITED"), HasSubstr("retryAfterMs")));
}

TEST_F(EdgeSocketIo, LimitsTheRoomsOfAConnection) {
  config_.rooms_limit = 2;
  StartEdge();
  for (const char* room : {"1", "2", "3"}) control_->AddMember(room, "alice");
  WsClient client = OpenSocketIo("alice");
  Ask(client, 0, "joinRoom", "{\"roomId\":\"1\"}");
  Ask(client, 1, "joinRoom", "{\"roomId\":\"2\"}");

  EXPECT_THAT(Ask(client, 2, "joinRoom", "{\"roomId\":\"3\"}"), HasSubstr("LIMIT_REACHED"));
}

TEST_F(EdgeSocketIo, TellsClientsToComeBackWhenItStops) {
  StartEdge();
  WsClient client = OpenSocketIo("alice");

  edge_->Stop(absl::Seconds(5));

  EXPECT_THAT(client.Read().value_or(""), HasSubstr("\"server:closing\""));
  EXPECT_EQ(client.ReadClose(), 1001);
}

}  // namespace
}  // namespace confab::tests
