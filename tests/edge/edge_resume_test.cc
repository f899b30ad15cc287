#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_fixture.h"

namespace confab::tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Rooms that a client resumes at once, on whatever way it says so.
class EdgeResume : public EdgeTest {
 protected:
  void SetUp() override {
    StartEdge();
    for (const std::string room : {"1", "2"}) {
      control_->AddMember(room, "alice");
      for (int i = 0; i < 12; ++i) control_->Post(room, "before");
    }
  }

  // Up to the answer of CONNECT.
  WsClient Connect(const std::string& auth) {
    WsClient client(edge_->address());
    EXPECT_EQ(client.Upgrade(kSocketIoTarget), 101);
    EXPECT_TRUE(client.ReadUntil("\"sid\"").has_value());
    client.SendText("40{\"token\":\"" + TokenFor("alice") + "\"," + auth + "}");
    return client;
  }

  // Reads until each of both rooms has come to its event 13, in order from behind these.
  static void ExpectRooms(WsClient& client, int first, int second) {
    int seqs[] = {first, second};
    while (seqs[0] < 13 || seqs[1] < 13) {
      const std::string frame = client.ReadUntil("42[\"newMessage\"").value_or("");
      ASSERT_NE(frame, "") << "after " << seqs[0] << " and " << seqs[1];
      const int room = frame.find("\"roomId\":\"1\"") != std::string::npos ? 0 : 1;
      EXPECT_THAT(frame, HasSubstr("\"seq\":" + std::to_string(++seqs[room]) + ","));
    }
  }
};

TEST_F(EdgeResume, AsACommand) {
  WsClient alice = OpenSocketIo("alice");

  alice.SendText(R"(427["resume",{"rooms":{"1":3,"2":99,"3":0}}])");

  EXPECT_THAT(alice.ReadUntil("437[").value_or(""),
              AllOf(HasSubstr(R"("1":{"ok":true,"roomId":"1","role":"member","lastSeq":12})"),
                    HasSubstr(R"("2":{"ok":false,"error":{"reason":"RESYNC")"),
                    HasSubstr(R"("3":{"ok":false,"error":{"reason":"NOT_A_MEMBER")")));
}

TEST_F(EdgeResume, TellsAHandshakeWhichRoomItDoesNotGet) {
  WsClient alice = Connect(R"("resume":{"rooms":{"1":12,"3":0}})");

  EXPECT_THAT(alice.ReadUntil("42[\"error\"").value_or(""),
              AllOf(HasSubstr("NOT_A_MEMBER"), HasSubstr("room 3 is not resumed")));
}

TEST_F(EdgeResume, GivesEachRoomWhatItMissedThenWhatIsLive) {
  WsClient alice = Connect(R"("resume":{"rooms":{"1":3,"2":11}})");
  EXPECT_TRUE(alice.ReadUntil("42[\"connected\"").has_value());
  control_->Post("1", "after");
  control_->Post("2", "after");

  ExpectRooms(alice, 3, 11);
}

TEST_F(EdgeResume, TellsAHandshakeOfTheFutureToBeginAnew) {
  WsClient alice = Connect(R"("resume":{"rooms":{"1":99}})");

  EXPECT_TRUE(alice.ReadUntil(R"(42["resync",{"roomId":"1"}])").has_value());
}

TEST_F(EdgeResume, RefusesAHandshakeThatCannotBeRead) {
  WsClient alice = Connect(R"("resume":{"rooms":{"1":"3"}})");
  EXPECT_THAT(alice.ReadUntil("44{").value_or(""),
              AllOf(HasSubstr("BAD_REQUEST"), HasSubstr("auth.resume: rooms must hold")));
  WsClient bob = Connect(R"("resume":[])");
  EXPECT_THAT(bob.ReadUntil("44{").value_or(""), HasSubstr("must be an object"));
}

TEST_F(EdgeResume, NativelyWithConnectAndAsAFrame) {
  WsClient alice(edge_->address());
  ASSERT_EQ(alice.Upgrade("/native", "Sec-WebSocket-Protocol: confab.v1.json\r\n"), 101);
  alice.SendText("{\"connect\":{\"token\":\"" + TokenFor("alice") +
                 "\",\"resume\":{\"rooms\":{\"1\":\"12\",\"3\":\"0\"}}}}");

  EXPECT_THAT(alice.ReadUntil("\"resume\"").value_or(""),
              AllOf(HasSubstr("\"lastSeq\":\"12\""), HasSubstr("REASON_NOT_A_MEMBER")));
  alice.SendText(R"({"request":"4","resume":{"rooms":{"2":"99"}}})");
  EXPECT_THAT(alice.ReadUntil("\"resume\"").value_or(""),
              AllOf(HasSubstr("\"request\":\"4\""), HasSubstr("REASON_RESYNC")));
}

TEST_F(EdgeResume, GoesOnWhenControlComesBack) {
  control_->SetSilent(true);
  WsClient alice = Connect(R"("resume":{"rooms":{"1":3,"2":11}})");
  EXPECT_TRUE(alice.ReadUntil("42[\"connected\"").has_value());
  control_->Detach();
  control_->SetSilent(false);
  control_->Attach();
  control_->Post("1", "after");
  control_->Post("2", "after");

  ExpectRooms(alice, 3, 11);
}

}  // namespace
}  // namespace confab::tests
