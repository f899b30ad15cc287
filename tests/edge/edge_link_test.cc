#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_fixture.h"

namespace confab::tests {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

using EdgeLink = EdgeTest;

TEST_F(EdgeLink, HoldsANewConnectionUntilControlIsThere) {
  StartEdge(false);
  WsClient client(edge_->address());
  ASSERT_EQ(client.Upgrade(kSocketIoTarget), 101);
  client.Read();
  client.SendText("40{\"token\":\"" + TokenFor("alice") + "\"}");
  EXPECT_EQ(client.Read(std::chrono::milliseconds(100)), std::nullopt);

  control_->Attach();

  EXPECT_THAT(client.Read().value_or(""), StartsWith("40{\"sid\":\""));
}

TEST_F(EdgeLink, ClosesAHeldConnectionWithoutConnectErrorWhenControlStaysAway) {
  config_.connect_hold = absl::Milliseconds(300);
  StartEdge(false);
  WsClient client(edge_->address());
  ASSERT_EQ(client.Upgrade(kSocketIoTarget), 101);
  client.Read();

  client.SendText("40{\"token\":\"" + TokenFor("alice") + "\"}");

  EXPECT_EQ(client.Read(), std::nullopt);  // The close frame came first.
}

TEST_F(EdgeLink, RefusesCommandsInTimeWhileControlIsAway) {
  config_.command_deadline = absl::Seconds(1);
  StartEdge();
  control_->AddMember("1", "alice");
  WsClient alice = OpenSocketIo("alice");
  Ask(alice, 0, "joinRoom", "{\"roomId\":\"1\"}");

  control_->SetSilent(true);
  const std::string with_key =
      Ask(alice, 1, "sendMessage", "{\"roomId\":\"1\",\"content\":\"a\",\"clientMsgId\":\"k\"}");
  const std::string without_key =
      Ask(alice, 2, "sendMessage", "{\"roomId\":\"1\",\"content\":\"b\"}");
  control_->Detach();
  const std::string never_sent =
      Ask(alice, 3, "sendMessage", "{\"roomId\":\"1\",\"content\":\"c\"}");

  EXPECT_THAT(with_key, HasSubstr("\"UNAVAILABLE\""));
  EXPECT_THAT(without_key, HasSubstr("\"OUTCOME_UNKNOWN\""));
  EXPECT_THAT(never_sent, HasSubstr("\"UNAVAILABLE\""));
}

TEST_F(EdgeLink, AnnouncesItselfAnewAndMissesNothing) {
  StartEdge();
  control_->AddMember("1", "alice");
  WsClient alice = OpenSocketIo("alice");
  Ask(alice, 0, "joinRoom", "{\"roomId\":\"1\"}");
  control_->Post("1", "first");
  ASSERT_THAT(alice.Read().value_or(""), HasSubstr("\"seq\":1,"));

  control_->Detach();
  control_->Post("1", "while away");
  control_->Attach();
  control_->Post("1", "afterwards");

  EXPECT_THAT(alice.Read().value_or(""), HasSubstr("\"seq\":2,"));
  EXPECT_THAT(alice.Read().value_or(""), HasSubstr("\"seq\":3,"));
  const std::vector<v1::EdgeItem> sent = control_->Sent();
  const auto hello = std::find_if(sent.rbegin(), sent.rend(),
                                  [](const v1::EdgeItem& item) { return item.has_hello(); });
  ASSERT_NE(hello, sent.rend());
  EXPECT_EQ(hello->hello().edge_id(), "edge-under-test");
  ASSERT_EQ(hello->hello().rooms_size(), 1);
  EXPECT_EQ(hello->hello().rooms(0).delivered_seq(), 1);
  ASSERT_EQ(hello->hello().connections_size(), 1);
  EXPECT_EQ(hello->hello().connections(0).opened().user().id(), "alice");
  EXPECT_THAT(hello->hello().connections(0).room_ids(), testing::ElementsAre("1"));
}

TEST_F(EdgeLink, SendsAnUnansweredCommandAgainUnderItsNumber) {
  StartEdge();
  control_->AddMember("1", "alice");
  WsClient alice = OpenSocketIo("alice");
  control_->SetSilent(true);
  alice.SendText("429[\"sendMessage\",{\"roomId\":\"1\",\"content\":\"a\"}]");
  ASSERT_TRUE(control_->WaitUntil(
      [](const auto& sent) { return !sent.empty() && sent.back().has_command(); }));

  control_->Detach();
  control_->SetSilent(false);
  control_->Attach();

  EXPECT_THAT(alice.Read().value_or(""), StartsWith("439[{\"ok\":true"));
  std::vector<std::uint64_t> numbers;
  for (const v1::EdgeItem& item : control_->Sent()) {
    if (item.has_command()) numbers.push_back(item.command().request());
  }
  ASSERT_EQ(numbers.size(), 2u);
  EXPECT_EQ(numbers[0], numbers[1]);
}

TEST_F(EdgeLink, GivesAStreamUpWhenAnEventIsMissing) {
  StartEdge();
  control_->AddMember("1", "alice");
  WsClient alice = OpenSocketIo("alice");
  Ask(alice, 0, "joinRoom", "{\"roomId\":\"1\"}");

  v1::ControlItem item;
  item.mutable_broadcast()->add_topics("room:1");
  item.mutable_broadcast()->mutable_event()->mutable_event()->set_seq(7);
  control_->Say(std::move(item));

  for (int i = 0; i < 100 && edge_->Readiness().ok(); ++i) {
    EXPECT_EQ(alice.Read(std::chrono::milliseconds(20)), std::nullopt);
  }
  EXPECT_FALSE(edge_->Readiness().ok());
}

TEST_F(EdgeLink, IgnoresAnEventThatCameAlready) {
  StartEdge();
  control_->AddMember("1", "alice");
  WsClient alice = OpenSocketIo("alice");
  Ask(alice, 0, "joinRoom", "{\"roomId\":\"1\"}");
  control_->Post("1", "once");
  alice.Read();

  v1::ControlItem item;
  item.mutable_broadcast()->add_topics("room:1");
  item.mutable_broadcast()->mutable_event()->mutable_event()->set_seq(1);
  control_->Say(std::move(item));
  control_->Post("1", "next");

  EXPECT_THAT(alice.Read().value_or(""), HasSubstr("\"seq\":2,"));
}

TEST_F(EdgeLink, LetsASubscribeGoThatComesAfterItsJoinHasExpired) {
  config_.command_deadline = absl::Milliseconds(300);
  StartEdge();
  control_->AddMember("1", "alice");
  WsClient alice = OpenSocketIo("alice");
  control_->SetSilent(true);
  ASSERT_THAT(Ask(alice, 0, "joinRoom", "{\"roomId\":\"1\"}"), HasSubstr("\"UNAVAILABLE\""));
  uint64_t connection = 0;
  for (const v1::EdgeItem& item : control_->Sent()) {
    if (item.has_connection_opened()) connection = item.connection_opened().connection();
  }

  v1::ControlItem late;
  late.mutable_subscribe()->set_connection(connection);
  late.mutable_subscribe()->set_topic("room:1");
  late.mutable_subscribe()->set_from_seq(6);
  control_->Say(std::move(late));
  v1::ControlItem event;
  event.mutable_broadcast()->add_topics("room:1");
  event.mutable_broadcast()->mutable_event()->mutable_event()->set_seq(7);
  event.mutable_broadcast()->mutable_event()->mutable_event()->mutable_message_posted();
  control_->Say(std::move(event));

  EXPECT_TRUE(control_->WaitUntil(
      [](const auto& sent) { return !sent.empty() && sent.back().has_topic_released(); }));
  EXPECT_EQ(alice.Read(std::chrono::milliseconds(100)), std::nullopt)
      << "a client that knows event 7 resumes behind it, and never gets what it missed before";
}

TEST_F(EdgeLink, ReleasesATopicWithItsLastConnection) {
  StartEdge();
  control_->AddMember("1", "alice");
  {
    WsClient alice = OpenSocketIo("alice");
    Ask(alice, 0, "joinRoom", "{\"roomId\":\"1\"}");
  }

  EXPECT_TRUE(control_->WaitUntil([](const auto& sent) {
    const auto released = std::find_if(sent.begin(), sent.end(), [](const v1::EdgeItem& item) {
      return item.has_topic_released();
    });
    const auto closed = std::find_if(sent.begin(), sent.end(), [](const v1::EdgeItem& item) {
      return item.has_connection_closed();
    });
    return released != sent.end() && closed != sent.end() &&
           released->topic_released().topic() == "room:1" &&
           released->topic_released().subscribes_seen() == 1;
  }));
}

TEST_F(EdgeLink, ClosesAConnectionWhenControlSaysSo) {
  StartEdge();
  WsClient alice = OpenSocketIo("alice");
  ASSERT_TRUE(control_->WaitUntil(
      [](const auto& sent) { return !sent.empty() && sent.back().has_connection_opened(); }));

  v1::ControlItem item;
  item.mutable_close_connection()->set_connection(
      control_->Sent().back().connection_opened().connection());
  item.mutable_close_connection()->set_code(4503);
  control_->Say(std::move(item));

  EXPECT_EQ(alice.ReadClose(), 4503);
}

}  // namespace
}  // namespace confab::tests
