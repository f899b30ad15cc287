// Events that come together, as clients see them on the wire.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_fixture.h"

namespace confab::tests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

v1::ControlItem Event(std::int64_t seq, const std::string& content) {
  v1::ControlItem item;
  item.mutable_broadcast()->add_topics("room:1");
  v1::Event& event = *item.mutable_broadcast()->mutable_event()->mutable_event();
  event.set_room_id("1");
  event.set_seq(seq);
  event.mutable_message_posted()->set_content(content);
  return item;
}

class EdgeRun : public EdgeTest {
 protected:
  EdgeRun() { config_.namespaces = {"/", "/game"}; }

  void SetUp() override {
    StartEdge();
    for (const char* user : {"alice", "bob"}) control_->AddMember("1", user);
  }

  WsClient Join(const std::string& user) {
    WsClient client = OpenSocketIo(user);
    EXPECT_THAT(Ask(client, 1, "joinRoom", R"({"roomId":"1"})"), HasSubstr("\"ok\":true"));
    return client;
  }

  // Has the client send that, which control does not answer; gives the Result that would.
  v1::ControlItem Post(WsClient& client, std::int64_t seq, const std::string& content) {
    control_->SetSilent(true);
    client.SendText("422[\"sendMessage\",{\"roomId\":\"1\",\"content\":\"" + content + "\"}]");
    v1::ControlItem posted;
    v1::Result& result = *posted.mutable_result();
    EXPECT_TRUE(control_->WaitUntil([&](const std::vector<v1::EdgeItem>& sent) {
      for (const v1::EdgeItem& item : sent) {
        if (!item.command().has_post_message()) continue;
        result.set_connection(item.command().connection());
        result.set_request(item.command().request());
        return true;
      }
      return false;
    }));
    result.mutable_post_message()->set_message_id("m");
    result.mutable_post_message()->set_seq(seq);
    return posted;
  }

  // Of a message; of another packet its head.
  static std::string ContentOf(const std::string& packet) {
    const std::string before = "\"content\":\"";
    const std::size_t at = packet.find(before);
    if (at == std::string::npos) return packet.substr(0, 4);
    const std::size_t from = at + before.size();
    return packet.substr(from, packet.find('"', from) - from);
  }
  // Of the next so many packets.
  static std::vector<std::string> Heard(WsClient& client, int count) {
    std::vector<std::string> heard;
    for (int i = 0; i < count; ++i) heard.push_back(ContentOf(client.Read().value_or("")));
    return heard;
  }
};

TEST_F(EdgeRun, IsToldToEverybodyEventByEvent) {
  WsClient alice = Join("alice");
  WsClient bob = Join("bob");
  std::vector<std::string> contents;
  for (int i = 0; i < 200; ++i) contents.push_back(std::to_string(i) + std::string(300, 'x'));

  control_->PostTogether("1", contents);

  EXPECT_EQ(Heard(alice, 200), contents);
  EXPECT_EQ(Heard(bob, 200), contents);
}

// Who has sent one of the messages gets its ack where it stands among the events.
TEST_F(EdgeRun, KeepsAcksInTheirPlace) {
  WsClient alice = Join("alice");
  WsClient bob = Join("bob");
  v1::ControlItem posted = Post(alice, 2, "b");

  control_->Say({Event(1, "a"), Event(2, "b"), std::move(posted), Event(3, "c"), Event(4, "d")});

  EXPECT_THAT(Heard(alice, 5), ElementsAre("a", "b", "432[", "c", "d"));
  EXPECT_THAT(Heard(bob, 4), ElementsAre("a", "b", "c", "d"));
}

// What comes behind the event that removed somebody is for the others alone.
TEST_F(EdgeRun, EndsForWhoIsRemovedAmidstIt) {
  WsClient alice = Join("alice");
  WsClient bob = Join("bob");
  v1::ControlItem removed;
  removed.mutable_unsubscribe()->set_topic("room:1");
  removed.mutable_unsubscribe()->set_user_id("bob");
  removed.mutable_unsubscribe()->set_end_seq(2);

  control_->Say({Event(1, "a"), Event(2, "b"), std::move(removed), Event(3, "c"), Event(4, "d")});

  EXPECT_THAT(Heard(alice, 4), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(Heard(bob, 2), ElementsAre("a", "b"));
  bob.SendText(R"(427["nothing",{}])");
  EXPECT_THAT(Heard(bob, 1), ElementsAre("437["));
}

// On a socket with several, where one of them has asked.
TEST_F(EdgeRun, KeepsTheOrderOfEachNamespace) {
  WsClient alice = Join("alice");
  alice.SendText("40/game,{\"token\":\"" + TokenFor("alice") + "\"}");
  ASSERT_TRUE(alice.ReadUntil("42/game,[\"connected\"").has_value());
  alice.SendText(R"(42/game,1["joinRoom",{"roomId":"1"}])");
  ASSERT_TRUE(alice.ReadUntil("43/game,1[").has_value());
  v1::ControlItem posted = Post(alice, 2, "b");

  control_->Say({Event(1, "a"), Event(2, "b"), std::move(posted), Event(3, "c"), Event(4, "d")});

  std::vector<std::string> of_root;
  std::vector<std::string> of_game;
  for (int i = 0; i < 9; ++i) {
    const std::string packet = alice.Read().value_or("");
    (packet.starts_with("42/game,") ? of_game : of_root).push_back(ContentOf(packet));
  }
  EXPECT_THAT(of_root, ElementsAre("a", "b", "432[", "c", "d"));
  EXPECT_THAT(of_game, ElementsAre("a", "b", "c", "d"));
}

}  // namespace
}  // namespace confab::tests
