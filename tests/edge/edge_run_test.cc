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
  void SetUp() override {
    StartEdge();
    for (const char* user : {"alice", "bob"}) control_->AddMember("1", user);
  }

  WsClient Join(const std::string& user) {
    WsClient client = OpenSocketIo(user);
    EXPECT_THAT(Ask(client, 1, "joinRoom", R"({"roomId":"1"})"), HasSubstr("\"ok\":true"));
    return client;
  }

  // The contents of the next so many messages, and the acks between them.
  static std::vector<std::string> Heard(WsClient& client, int count) {
    std::vector<std::string> heard;
    for (int i = 0; i < count; ++i) {
      const std::string packet = client.Read().value_or("");
      const std::string before = "\"content\":\"";
      const std::size_t at = packet.find(before);
      if (at == std::string::npos) {
        heard.push_back(packet.substr(0, 4));
      } else {
        const std::size_t from = at + before.size();
        heard.push_back(packet.substr(from, packet.find('"', from) - from));
      }
    }
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
  control_->SetSilent(true);
  alice.SendText(R"(422["sendMessage",{"roomId":"1","content":"b"}])");
  v1::ControlItem posted;
  v1::Result& result = *posted.mutable_result();
  ASSERT_TRUE(control_->WaitUntil([&](const std::vector<v1::EdgeItem>& sent) {
    for (const v1::EdgeItem& item : sent) {
      if (!item.command().has_post_message()) continue;
      result.set_connection(item.command().connection());
      result.set_request(item.command().request());
      return true;
    }
    return false;
  }));
  result.mutable_post_message()->set_message_id("m");
  result.mutable_post_message()->set_seq(2);

  control_->Say({Event(1, "a"), Event(2, "b"), std::move(posted), Event(3, "c"), Event(4, "d")});

  EXPECT_THAT(Heard(alice, 5), ElementsAre("a", "b", "432[", "c", "d"));
  EXPECT_THAT(Heard(bob, 4), ElementsAre("a", "b", "c", "d"));
}

}  // namespace
}  // namespace confab::tests
