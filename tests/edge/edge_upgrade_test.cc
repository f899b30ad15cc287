#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_fixture.h"

namespace confab::tests {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kPolling[] = "/socket.io/?EIO=4&transport=polling";

// From polling to WebSocket, as it is on the wire.
class EdgeUpgrade : public EdgeTest {
 protected:
  struct Answer {
    int status = 0;
    std::string body;
  };

  void Send(WsClient& client, const std::string& sid, const std::string* body) {
    const std::string target = kPolling + (sid.empty() ? "" : "&sid=" + sid);
    client.SendRaw(body == nullptr ? "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n"
                                   : "POST " + target + " HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                                         std::to_string(body->size()) + "\r\n\r\n" + *body);
  }
  static Answer Read(WsClient& client) {
    const int status = client.ReadStatus();
    return {status, client.ReadBody()};
  }
  Answer Get(const std::string& sid) {
    WsClient client(edge_->address());
    Send(client, sid, nullptr);
    return Read(client);
  }
  Answer Post(const std::string& sid, const std::string& body) {
    WsClient client(edge_->address());
    Send(client, sid, &body);
    return Read(client);
  }
  std::string Open() {
    const Answer answer = Get("");
    EXPECT_THAT(answer.body, HasSubstr("\"upgrades\":[\"websocket\"]"));
    return answer.body.substr(9, answer.body.find('"', 9) - 9);
  }
  // Joined to the room, with nothing left to fetch.
  std::string Join(const std::string& user, const std::string& room) {
    const std::string sid = Open();
    Post(sid, "40{\"token\":\"" + TokenFor(user) + "\"}");
    std::string got;
    while (got.find("\"connected\"") == std::string::npos) got += Get(sid).body;
    Post(sid, "421[\"joinRoom\",{\"roomId\":\"" + room + "\"}]");
    EXPECT_THAT(Get(sid).body, StartsWith("431["));
    return sid;
  }
  WsClient Probe(const std::string& sid) {
    WsClient client(edge_->address());
    EXPECT_EQ(client.Upgrade(std::string(kSocketIoTarget) + "&sid=" + sid), 101);
    return client;
  }
  static void Probed(WsClient& client) {
    client.SendText("2probe");
    EXPECT_EQ(client.Read(), "3probe");
  }
  // The session answers on this WebSocket.
  static void ExpectAlive(WsClient& client) {
    client.SendText("40/none,");
    EXPECT_THAT(client.Read().value_or(""), HasSubstr("Invalid namespace"));
  }
  void ExpectAlive(const std::string& sid) {
    EXPECT_EQ(Post(sid, "40/none,").body, "ok");
    EXPECT_THAT(Get(sid).body, HasSubstr("Invalid namespace"));
  }
};

TEST_F(EdgeUpgrade, MovesASessionThroughWhicheverThread) {
  config_.io_threads = 4;
  StartEdge();
  for (int i = 0; i < 8; ++i) {
    const std::string sid = Open();
    WsClient socket = Probe(sid);
    Probed(socket);
    EXPECT_EQ(Get(sid).body, "6");

    socket.SendText("5");

    ExpectAlive(socket);
    EXPECT_EQ(Get(sid).body, R"({"code":3,"message":"Bad request"})");
    EXPECT_EQ(Post(sid, "6").body, R"({"code":3,"message":"Bad request"})");
  }
}

TEST_F(EdgeUpgrade, EndsTheHeldGetAndSaysNothingFirst) {
  StartEdge();
  const std::string sid = Open();
  WsClient held(edge_->address());
  Send(held, sid, nullptr);
  EXPECT_EQ(held.ReadStatus(milliseconds(50)), 0);
  WsClient socket = Probe(sid);
  EXPECT_EQ(socket.Read(milliseconds(50)), std::nullopt);

  Probed(socket);

  EXPECT_EQ(Read(held).body, "6");
}

TEST_F(EdgeUpgrade, TakesTheQueueAlongInOrder) {
  StartEdge();
  control_->AddMember("den", "ann");
  const std::string sid = Join("ann", "den");
  WsClient socket = Probe(sid);
  Probed(socket);
  for (int i = 1; i <= 20; ++i) control_->Post("den", "before " + std::to_string(i));

  socket.SendText("5");
  EXPECT_THAT(socket.Read().value_or(""), HasSubstr("\"seq\":1,"));
  for (int i = 21; i <= 40; ++i) control_->Post("den", "after " + std::to_string(i));

  for (int seq = 2; seq <= 40; ++seq) {
    ASSERT_THAT(socket.Read().value_or(""), HasSubstr("\"seq\":" + std::to_string(seq) + ","));
  }
}

TEST_F(EdgeUpgrade, KeepsMessagesOnPollingUntilItIsDone) {
  StartEdge();
  control_->AddMember("den", "ann");
  const std::string sid = Join("ann", "den");
  WsClient socket = Probe(sid);
  Probed(socket);

  control_->Post("den", "while probing");

  std::string got;
  while (got.find("while probing") == std::string::npos) {
    const Answer answer = Get(sid);
    ASSERT_EQ(answer.status, 200);
    got += answer.body;
  }
  socket.SendText("5");
  ExpectAlive(socket);
}

TEST_F(EdgeUpgrade, ClosesAProbeThatSaysAnythingElse) {
  StartEdge();
  const std::string sid = Open();
  for (const char* packet : {"5", "2", "4hello", "2probes", "3", "", "x"}) {
    WsClient socket = Probe(sid);
    socket.SendText(packet);
    EXPECT_EQ(socket.ReadClose(), 4400) << packet;
  }
  WsClient binary = Probe(sid);
  binary.SendBinary("2probe");
  EXPECT_EQ(binary.ReadClose(), 4400);
  WsClient late = Probe(sid);
  Probed(late);
  late.SendText("4too early");
  EXPECT_EQ(late.ReadClose(), 4400);
  WsClient twice = Probe(sid);
  Probed(twice);
  twice.SendText("2probe");
  EXPECT_EQ(twice.ReadClose(), 4400);

  ExpectAlive(sid);
}

TEST_F(EdgeUpgrade, ClosesAProbeThatTakesTooLong) {
  config_.upgrade_time_limit = absl::Milliseconds(500);
  StartEdge();
  const std::string sid = Open();
  WsClient silent = Probe(sid);
  EXPECT_EQ(silent.ReadClose(), 4002);
  WsClient probed = Probe(sid);
  Probed(probed);
  EXPECT_EQ(probed.ReadClose(), 4002);

  ExpectAlive(sid);
}

TEST_F(EdgeUpgrade, LetsAProbeGoAwayAndAnotherCome) {
  StartEdge();
  const std::string sid = Open();
  {
    WsClient gone = Probe(sid);
    Probed(gone);
  }
  ExpectAlive(sid);
  std::optional<std::string> answer;
  for (int i = 0; i < 100 && !answer; ++i) {  // The end of the first may be seen a little later.
    WsClient socket = Probe(sid);
    socket.SendText("2probe");
    answer = socket.Read();
  }
  EXPECT_EQ(answer, "3probe");
}

TEST_F(EdgeUpgrade, LetsTheFirstProbeAndTheFirstWebSocketStay) {
  StartEdge();
  const std::string sid = Open();
  WsClient first = Probe(sid);
  Probed(first);
  WsClient second = Probe(sid);
  EXPECT_EQ(second.ReadClose(), 4400);
  first.SendText("5");
  ExpectAlive(first);

  WsClient third = Probe(sid);
  EXPECT_EQ(third.ReadClose(), 4400);

  ExpectAlive(first);
}

TEST_F(EdgeUpgrade, ClosesTheProbeOfASessionThatEnds) {
  StartEdge();
  const std::string sid = Open();
  WsClient socket = Probe(sid);
  Probed(socket);

  Post(sid, "1");

  EXPECT_EQ(socket.ReadClose(), 1000);
}

TEST_F(EdgeUpgrade, ForgetsTheSidWithItsWebSocket) {
  StartEdge();
  const std::string sid = Open();
  {
    WsClient socket = Probe(sid);
    Probed(socket);
    socket.SendText("5");
    ExpectAlive(socket);
    socket.SendText("1");
    EXPECT_EQ(socket.ReadClose(), 1000);
  }
  EXPECT_EQ(Get(sid).status, 400);
}

}  // namespace
}  // namespace confab::tests
