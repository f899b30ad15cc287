// Sessions of Socket.IO that are lost and had back at the same edge, as a client sees it on the wire.
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_fixture.h"

namespace confab::tests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// What stands between `before` and the next quotation mark; "" if it does not occur.
std::string Cut(const std::string& text, const std::string& before) {
  const std::size_t at = text.find(before);
  if (at == std::string::npos) return "";
  const std::size_t from = at + before.size();
  return text.substr(from, text.find('"', from) - from);
}

// The last argument of an event.
std::string OffsetOf(const std::string& event) {
  if (!event.ends_with("\"]")) return "";
  const std::size_t from = event.rfind(",\"") + 2;
  return event.substr(from, event.size() - 2 - from);
}

struct Session {
  std::string sid;
  std::string pid;
  std::string offset;
};

class EdgeRecoveryTest : public EdgeTest {
 protected:
  void SetUp() override {
    config_.recovery = {"confab"};
    StartEdge();
    control_->AddMember("1", "alice");
    control_->AddMember("1", "bob");
  }

  // Sends CONNECT; its answer. `back`: what it wants back.
  WsClient Connect(const std::string& user, const Session& back, std::string& answer) {
    WsClient client(edge_->address());
    EXPECT_EQ(client.Upgrade(kSocketIoTarget), 101);
    EXPECT_TRUE(client.ReadUntil("\"sid\"").has_value());
    std::string auth = "40{\"token\":\"" + TokenFor(user) + "\"";
    if (!back.pid.empty()) auth += ",\"pid\":\"" + back.pid + "\"";
    if (!back.offset.empty()) auth += ",\"offset\":\"" + back.offset + "\"";
    client.SendText(auth + "}");
    answer = client.ReadUntil("40{").value_or("");
    return client;
  }

  // A client in room 1, with what it has been told.
  WsClient Join(const std::string& user, Session& session) {
    std::string answer;
    WsClient client = Connect(user, {}, answer);
    session.sid = Cut(answer, "\"sid\":\"");
    session.pid = Cut(answer, "\"pid\":\"");
    session.offset = OffsetOf(client.ReadUntil("42[\"connected\"").value_or(""));
    EXPECT_NE(session.pid, "");
    EXPECT_NE(session.offset, "");
    EXPECT_THAT(Ask(client, 1, "joinRoom", R"({"roomId":"1"})"), HasSubstr("\"ok\":true"));
    return client;
  }

  // Posts, and reads it.
  void Hear(WsClient& client, const std::string& content, Session& session) {
    control_->Post("1", content);
    const std::string event = client.ReadUntil(content).value_or("");
    ASSERT_NE(event, "");
    session.offset = OffsetOf(event);
  }

  // The seqs of the next events, up to that content.
  static std::vector<std::string> SeqsUpTo(WsClient& client, const std::string& content) {
    std::vector<std::string> seqs;
    for (;;) {
      const std::optional<std::string> event = client.ReadUntil("42[\"newMessage\"");
      if (!event) return seqs;
      const std::size_t from = event->find("\"seq\":") + 6;
      seqs.push_back(event->substr(from, event->find(',', from) - from));
      if (event->find(content) != std::string::npos) return seqs;
    }
  }

  bool AwaitClosed(std::size_t count) {
    return control_->WaitUntil([&](const std::vector<v1::EdgeItem>& sent) {
      std::size_t closed = 0;
      for (const v1::EdgeItem& item : sent) closed += item.has_connection_closed();
      return closed >= count;
    });
  }
};

TEST_F(EdgeRecoveryTest, GivesAClientThatWasCutOffItsSessionBack) {
  Session session;
  std::optional<WsClient> alice(Join("alice", session));
  Hear(*alice, "first", session);
  alice.reset();
  ASSERT_TRUE(AwaitClosed(1));
  control_->Post("1", "missed-a");
  control_->Post("1", "missed-b");

  std::string answer;
  WsClient back = Connect("alice", session, answer);

  EXPECT_EQ(Cut(answer, "\"sid\":\""), session.sid);
  EXPECT_EQ(Cut(answer, "\"pid\":\""), session.pid);
  // Before it was there again, so that it is read from the log.
  EXPECT_THAT(SeqsUpTo(back, "missed-b"), ElementsAre("2", "3"));
  Hear(back, "live", session);
}

// What came in one piece is had back from within it.
TEST_F(EdgeRecoveryTest, GivesEachEventOfABatchAnOffsetOfItsOwn) {
  Session session;
  std::optional<WsClient> alice(Join("alice", session));
  control_->PostTogether("1", {"batch-a", "batch-b", "batch-c"});
  std::vector<std::string> offsets;
  for (const char* content : {"batch-a", "batch-b", "batch-c"}) {
    offsets.push_back(OffsetOf(alice->ReadUntil(content).value_or("")));
  }
  EXPECT_NE(offsets[0], offsets[1]);
  EXPECT_NE(offsets[1], offsets[2]);
  alice.reset();
  ASSERT_TRUE(AwaitClosed(1));

  session.offset = offsets[1];
  std::string answer;
  WsClient back = Connect("alice", session, answer);

  EXPECT_EQ(Cut(answer, "\"sid\":\""), session.sid);
  EXPECT_THAT(SeqsUpTo(back, "batch-c"), ElementsAre("3"));
}

TEST_F(EdgeRecoveryTest, EndsTheOldSocketOfAClientThatIsBackBeforeItsLossIsSeen) {
  Session session;
  WsClient alice = Join("alice", session);
  Hear(alice, "first", session);
  const Session seen = session;
  Hear(alice, "second", session);

  std::string answer;
  WsClient back = Connect("alice", seen, answer);

  EXPECT_EQ(Cut(answer, "\"pid\":\""), session.pid);
  // What was on its way when it was cut off comes again.
  EXPECT_THAT(SeqsUpTo(back, "second"), ElementsAre("2"));
  EXPECT_TRUE(alice.ReadClose().has_value());
}

// With one connection a user.
class EdgeRecoveryOfOneTest : public EdgeRecoveryTest {
 protected:
  void SetUp() override {
    config_.user_connections_limit = 1;
    EdgeRecoveryTest::SetUp();
  }
};

TEST_F(EdgeRecoveryOfOneTest, AClientThatIsBackIsNotOneTooMany) {
  Session session;
  WsClient alice = Join("alice", session);
  Hear(alice, "first", session);

  std::string answer;
  WsClient back = Connect("alice", session, answer);

  EXPECT_EQ(Cut(answer, "\"pid\":\""), session.pid);
  Hear(back, "second", session);
}

TEST_F(EdgeRecoveryOfOneTest, WhoWantsBackWhatIsNotThereTakesThePlaceOfTheOldest) {
  Session session;
  WsClient alice = Join("alice", session);
  Session unknown = session;
  unknown.pid = "0123456789abcdef0123456789abcdef";

  std::string answer;
  WsClient other = Connect("alice", unknown, answer);

  EXPECT_NE(Cut(answer, "\"pid\":\""), "");
  EXPECT_EQ(alice.ReadClose(), 4504);
  EXPECT_THAT(Ask(other, 1, "joinRoom", R"({"roomId":"1"})"), HasSubstr("\"ok\":true"));
}

TEST_F(EdgeRecoveryTest, RecoversBehindTheLastReplayedEventToo) {
  Session session;
  std::optional<WsClient> alice(Join("alice", session));
  Hear(*alice, "first", session);
  alice.reset();
  ASSERT_TRUE(AwaitClosed(1));
  control_->Post("1", "missed");
  std::string answer;
  std::optional<WsClient> back(Connect("alice", session, answer));
  const std::string event = back->ReadUntil("missed").value_or("");
  session.offset = OffsetOf(event);
  ASSERT_NE(session.offset, "");
  back.reset();
  ASSERT_TRUE(AwaitClosed(2));

  WsClient again = Connect("alice", session, answer);

  EXPECT_EQ(Cut(answer, "\"pid\":\""), session.pid);
  Hear(again, "live", session);
}

// The offset of `connected` was for her alone, as are those of what is read for her afterwards.
TEST_F(EdgeRecoveryTest, TakesNothingForReadThatWasLostOnItsWay) {
  Session session;
  std::optional<WsClient> alice(Join("alice", session));
  alice.reset();
  ASSERT_TRUE(AwaitClosed(1));
  control_->Post("1", "missed");
  std::string answer;
  std::optional<WsClient> back(Connect("alice", session, answer));
  EXPECT_EQ(Cut(answer, "\"pid\":\""), session.pid);
  EXPECT_NE(OffsetOf(back->ReadUntil("missed").value_or("")), session.offset);
  back.reset();
  ASSERT_TRUE(AwaitClosed(2));

  const WsClient again = Connect("alice", session, answer);

  EXPECT_NE(Cut(answer, "\"pid\":\""), session.pid) << "it would never get what was missed";
}

TEST_F(EdgeRecoveryTest, BeginsAnewWhereALiveEventPassedAReplay) {
  Session session;
  std::optional<WsClient> alice(Join("alice", session));
  Hear(*alice, "first", session);
  alice.reset();
  ASSERT_TRUE(AwaitClosed(1));
  control_->AddMember("2", "alice");
  control_->Post("1", "missed");
  control_->HoldPages(true);
  std::string answer;
  std::optional<WsClient> back(Connect("alice", session, answer));
  EXPECT_EQ(Cut(answer, "\"pid\":\""), session.pid);
  EXPECT_THAT(Ask(*back, 1, "joinRoom", R"({"roomId":"2"})"), HasSubstr("\"ok\":true"));
  control_->Post("2", "live");
  session.offset = OffsetOf(back->ReadUntil("live").value_or(""));
  ASSERT_NE(session.offset, "");
  back.reset();
  ASSERT_TRUE(AwaitClosed(2));
  control_->HoldPages(false);

  WsClient again = Connect("alice", session, answer);

  EXPECT_NE(Cut(answer, "\"pid\":\""), session.pid);
  EXPECT_NE(Cut(answer, "\"pid\":\""), "");
  EXPECT_TRUE(again.ReadUntil("42[\"connected\"").has_value());
}

TEST_F(EdgeRecoveryTest, GivesASessionToItsUserAlone) {
  Session session;
  std::optional<WsClient> alice(Join("alice", session));
  Hear(*alice, "first", session);
  alice.reset();
  ASSERT_TRUE(AwaitClosed(1));

  std::string answer;
  const WsClient bob = Connect("bob", session, answer);
  EXPECT_NE(Cut(answer, "\"pid\":\""), session.pid);
  EXPECT_NE(Cut(answer, "\"sid\":\""), session.sid);

  const WsClient back = Connect("alice", session, answer);
  EXPECT_EQ(Cut(answer, "\"pid\":\""), session.pid);
}

TEST_F(EdgeRecoveryTest, LeavesALiveSocketToItsUser) {
  Session session;
  WsClient alice = Join("alice", session);
  Hear(alice, "first", session);

  std::string answer;
  const WsClient bob = Connect("bob", session, answer);

  EXPECT_NE(Cut(answer, "\"pid\":\""), session.pid);
  Hear(alice, "second", session);
}

TEST_F(EdgeRecoveryTest, GivesNothingBackOfWhatTheClientEnded) {
  Session session;
  std::optional<WsClient> alice(Join("alice", session));
  Hear(*alice, "first", session);
  alice->SendText("41");
  ASSERT_TRUE(AwaitClosed(1));

  std::string answer;
  const WsClient back = Connect("alice", session, answer);

  EXPECT_NE(Cut(answer, "\"pid\":\""), session.pid);
}

TEST_F(EdgeRecoveryTest, GivesNothingBackOfWhatTheServerEnded) {
  Session session;
  WsClient alice = Join("alice", session);
  Hear(alice, "first", session);
  alice.SendText("42{}");
  EXPECT_TRUE(alice.ReadClose().has_value());
  ASSERT_TRUE(AwaitClosed(1));

  std::string answer;
  const WsClient back = Connect("alice", session, answer);

  EXPECT_NE(Cut(answer, "\"pid\":\""), session.pid);
}

TEST_F(EdgeRecoveryTest, ChecksTheTokenFirst) {
  Session session;
  std::optional<WsClient> alice(Join("alice", session));
  alice.reset();
  ASSERT_TRUE(AwaitClosed(1));
  WsClient stranger(edge_->address());
  ASSERT_EQ(stranger.Upgrade(kSocketIoTarget), 101);
  ASSERT_TRUE(stranger.ReadUntil("\"sid\"").has_value());

  stranger.SendText(R"(40{"token":"none","pid":")" + session.pid + R"(","offset":")" +
                    session.offset + "\"}");

  EXPECT_THAT(stranger.ReadUntil("44{").value_or(""), HasSubstr("TOKEN_INVALID"));
  std::string answer;
  const WsClient back = Connect("alice", session, answer);
  EXPECT_EQ(Cut(answer, "\"pid\":\""), session.pid);
}

TEST_F(EdgeRecoveryTest, DoesNotLetBackInWhoWasRemoved) {
  Session session;
  std::optional<WsClient> alice(Join("alice", session));
  Hear(*alice, "first", session);
  alice.reset();
  ASSERT_TRUE(AwaitClosed(1));
  control_->RemoveMember("1", "alice");
  control_->Post("1", "secret");

  std::string answer;
  WsClient back = Connect("alice", session, answer);

  EXPECT_EQ(Cut(answer, "\"pid\":\""), session.pid);
  const std::string told = back.ReadUntil("room 1 is not resumed").value_or("");
  EXPECT_THAT(told, HasSubstr("NOT_A_MEMBER"));
  EXPECT_THAT(Ask(back, 1, "joinRoom", R"({"roomId":"1"})"), Not(HasSubstr("secret")));
}

TEST_F(EdgeRecoveryTest, IsNothingThatOtherDialectsSee) {
  WsClient client(edge_->address());
  ASSERT_EQ(client.Upgrade(std::string(kSocketIoTarget) + "&dialect=rooms"), 101);
  ASSERT_TRUE(client.ReadUntil("\"sid\"").has_value());
  client.SendText("40{\"token\":\"" + TokenFor("alice") + "\"}");
  EXPECT_THAT(client.ReadUntil("40{").value_or(""), Not(HasSubstr("pid")));
  client.SendText(R"(42["joinRoom",{"roomId":1}])");
  ASSERT_TRUE(client.ReadUntil("roomJoined").has_value());
  control_->Post("1", "hello");

  EXPECT_TRUE(client.ReadUntil("messageCreated").value_or("").ends_with("}]"));
}

}  // namespace
}  // namespace confab::tests
