// Readers that are too slow for what their rooms say: degraded, then healed from the log; closed only
// where they take nothing at all.
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_fixture.h"
#include "tests/support/eventually.h"

namespace confab::tests {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kPolling[] = "/socket.io/?EIO=4&transport=polling";
constexpr int kPosts = 300;  // Of 8 KB: an outbox and what two kernels hold are full long before.

class EdgeSlowReader : public EdgeTest {
 protected:
  EdgeSlowReader() { config_.outbox_bytes_limit = 256 * 1024; }

  // A Socket.IO client that is `connected`, with a small receive buffer.
  WsClient OpenSmall(const std::string& user) {
    WsClient client(edge_->address(), 4096);
    EXPECT_EQ(client.Upgrade(kSocketIoTarget), 101);
    client.SendText("40{\"token\":\"" + TokenFor(user) + "\"}");
    EXPECT_TRUE(client.ReadUntil("42[\"connected\"").has_value());
    return client;
  }
  void PostMany(int count = kPosts) {
    for (int i = 0; i < count; ++i) control_->Post("1", std::string(8'000, 'x'));
  }
  bool IsCounted(const std::string& counter) {
    const process::Counter& figure = metrics_.AddCounter(counter, "");
    return Eventually([&] { return figure.value() > 0; });
  }
  static std::string Seq(int seq) { return "\"seq\":" + std::to_string(seq) + ","; }
  static void ExpectSeqs(WsClient& client, int first, int last) {
    for (int seq = first; seq <= last; ++seq) {
      ASSERT_THAT(client.Read().value_or(""), HasSubstr(Seq(seq)));
    }
  }

  // --- polling
  std::string Do(const std::string& method, const std::string& sid, const std::string& body = "") {
    WsClient client(edge_->address());
    client.SendRaw(
        method + " " + kPolling + (sid.empty() ? "" : "&sid=" + sid) + " HTTP/1.1\r\nHost: x\r\n" +
        (method == "POST" ? "Content-Length: " + std::to_string(body.size()) + "\r\n" : "") +
        "\r\n" + body);
    EXPECT_EQ(client.ReadStatus(), 200);
    return client.ReadBody();
  }
  // Joined to room 1 over polling.
  std::string JoinPolling(const std::string& user) {
    const std::string open = Do("GET", "");
    const std::string sid = open.substr(9, open.find('"', 9) - 9);
    Do("POST", sid, "40{\"token\":\"" + TokenFor(user) + "\"}");
    std::string got;
    while (got.find("\"connected\"") == std::string::npos) got += Do("GET", sid);
    Do("POST", sid, "421[\"joinRoom\",{\"roomId\":\"1\"}]");
    EXPECT_THAT(Do("GET", sid), StartsWith("431["));
    return sid;
  }
};

TEST_F(EdgeSlowReader, GetsEverythingOnceAndInOrderWhenItReadsAgain) {
  StartEdge();
  control_->AddMember("1", "sleepy");
  control_->AddMember("1", "awake");
  WsClient sleepy = OpenSmall("sleepy");
  WsClient awake = OpenSocketIo("awake");
  Ask(sleepy, 0, "joinRoom", "{\"roomId\":\"1\"}");
  Ask(awake, 0, "joinRoom", "{\"roomId\":\"1\"}");

  for (int seq = 1; seq <= kPosts; ++seq) {
    PostMany(1);
    EXPECT_THAT(awake.Read().value_or(""), HasSubstr(Seq(seq)));
  }
  ASSERT_TRUE(IsCounted("confab_edge_degraded_total"));
  ExpectSeqs(sleepy, 1, kPosts);

  PostMany(1);
  ExpectSeqs(sleepy, kPosts + 1, kPosts + 1);
  ExpectSeqs(awake, kPosts + 1, kPosts + 1);
}

TEST_F(EdgeSlowReader, IsClosedWhenItTakesNothingForTheStallTime) {
  config_.stall_time_limit = absl::Seconds(1);
  StartEdge();
  control_->AddMember("1", "sleepy");
  WsClient sleepy = OpenSmall("sleepy");
  Ask(sleepy, 0, "joinRoom", "{\"roomId\":\"1\"}");

  PostMany();
  ASSERT_TRUE(IsCounted("confab_edge_stalled_total"));

  // With the code, where it reads again before the server goes without it.
  const std::optional<int> code = sleepy.ReadClose();
  EXPECT_THAT(code.value_or(0), AnyOf(4009, 1006));
  EXPECT_EQ(
      metrics_.AddCounter("confab_edge_closes_total", "", {{"reason", "SLOW_READER"}}).value(), 1u);
}

TEST_F(EdgeSlowReader, GetsNothingBehindTheEventThatRemovesIt) {
  StartEdge();
  control_->AddMember("1", "sleepy");
  WsClient sleepy = OpenSmall("sleepy");
  Ask(sleepy, 0, "joinRoom", "{\"roomId\":\"1\"}");

  PostMany();
  control_->RemoveMember("1", "sleepy");
  PostMany(10);
  ASSERT_TRUE(IsCounted("confab_edge_degraded_total"));

  ExpectSeqs(sleepy, 1, kPosts);
  EXPECT_THAT(sleepy.Read().value_or(""),
              testing::AllOf(HasSubstr("memberLeft"), HasSubstr(Seq(kPosts + 1))));
  sleepy.SendText("40/none,");
  EXPECT_THAT(sleepy.Read().value_or(""), HasSubstr("Invalid namespace"));
}

TEST_F(EdgeSlowReader, IsHealedWhenControlHasComeBack) {
  StartEdge();
  control_->AddMember("1", "sleepy");
  WsClient sleepy = OpenSmall("sleepy");
  Ask(sleepy, 0, "joinRoom", "{\"roomId\":\"1\"}");
  PostMany();
  ASSERT_TRUE(IsCounted("confab_edge_degraded_total"));

  control_->Detach();
  control_->Attach();

  ExpectSeqs(sleepy, 1, kPosts);
  PostMany(1);
  ExpectSeqs(sleepy, kPosts + 1, kPosts + 1);
}

TEST_F(EdgeSlowReader, IsHealedOverPolling) {
  StartEdge();
  control_->AddMember("1", "ann");
  const std::string sid = JoinPolling("ann");
  PostMany(60);
  ASSERT_TRUE(IsCounted("confab_edge_degraded_total"));

  std::string got;
  while (got.find(Seq(60)) == std::string::npos) got += Do("GET", sid);

  std::size_t at = 0;
  for (int seq = 1; seq <= 60; ++seq) {
    at = got.find("\"seq\":", at);
    ASSERT_NE(at, std::string::npos) << seq;
    ASSERT_EQ(got.compare(at, Seq(seq).size(), Seq(seq)), 0) << seq;
    ++at;
  }
  EXPECT_EQ(got.find("\"seq\":", at), std::string::npos);
}

TEST_F(EdgeSlowReader, TakesWhatItIsOwedAlongFromPollingToWebSocket) {
  StartEdge();
  control_->AddMember("1", "ann");
  const std::string sid = JoinPolling("ann");
  PostMany(60);
  ASSERT_TRUE(IsCounted("confab_edge_degraded_total"));

  WsClient client(edge_->address());
  ASSERT_EQ(client.Upgrade(std::string(kSocketIoTarget) + "&sid=" + sid), 101);
  client.SendText("2probe");
  EXPECT_EQ(client.Read(), "3probe");
  client.SendText("5");

  ExpectSeqs(client, 1, 60);
  PostMany(1);
  ExpectSeqs(client, 61, 61);
}

TEST_F(EdgeSlowReader, IsHealedInEachOfItsNamespaces) {
  config_.namespaces = {"/", "/game"};
  StartEdge();
  control_->AddMember("1", "ann");
  WsClient client = OpenSmall("ann");
  client.SendText("40/game,{\"token\":\"" + TokenFor("ann") + "\"}");
  ASSERT_TRUE(client.ReadUntil("42/game,[\"connected\"").has_value());
  Ask(client, 0, "joinRoom", "{\"roomId\":\"1\"}");
  client.SendText("42/game,1[\"joinRoom\",{\"roomId\":\"1\"}]");
  ASSERT_TRUE(client.ReadUntil("43/game,1[").has_value());

  PostMany();
  ASSERT_TRUE(IsCounted("confab_edge_degraded_total"));

  int of_root = 0;
  int of_game = 0;
  while (of_root < kPosts || of_game < kPosts) {
    const std::string event = client.Read().value_or("");
    int& seen = event.starts_with("42/game,") ? of_game : of_root;
    ASSERT_THAT(event, HasSubstr(Seq(++seen)));
  }
}

TEST_F(EdgeSlowReader, IsOneOfTheLargestThatTheBudgetOfTheEdgeDegrades) {
  config_.io_threads = 1;
  config_.outbox_bytes_limit = 1024 * 1024;
  config_.outbox_budget = 1024 * 1024;
  StartEdge();
  // Each in a room of its own: no frame is shared, and no outbox of the three is full.
  std::vector<WsClient> clients;
  for (const std::string user : {"ann", "ben", "cat"}) {
    control_->AddMember(user, user);
    clients.push_back(OpenSmall(user));
    Ask(clients.back(), 0, "joinRoom", "{\"roomId\":\"" + user + "\"}");
  }
  constexpr int kEach = 170;
  for (int i = 0; i < kEach; ++i) {
    for (const char* room : {"ann", "ben", "cat"}) control_->Post(room, std::string(5'000, 'x'));
  }

  ASSERT_TRUE(IsCounted("confab_edge_degraded_total"));
  for (WsClient& client : clients) ExpectSeqs(client, 1, kEach);
}

}  // namespace
}  // namespace confab::tests
