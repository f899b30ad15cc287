#include <string>
#include <sys/resource.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_fixture.h"

namespace confab::tests {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// What peers do to a socket. Each case ends with a neighbour that is still served.
class EdgeTransport : public EdgeTest {
 protected:
  void TearDown() override {
    if (edge_ == nullptr) return;
    WsClient neighbour = OpenSocketIo("neighbour");
    EXPECT_THAT(Ask(neighbour, 1, "joinRoom", "{\"roomId\":\"none\"}"), HasSubstr("NOT_A_MEMBER"));
  }

  std::string Get(const std::string& request) {
    WsClient client(edge_->address());
    client.SendRaw(request);
    return client.ReadToEnd();
  }
};

TEST_F(EdgeTransport, AnswersPlainRequests) {
  StartEdge();

  EXPECT_THAT(Get("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              HasSubstr("This is a Confab edge"));
  EXPECT_THAT(Get("GET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Get("GET /socket.io/?EIO=4&transport=x HTTP/1.1\r\nConnection: close\r\n\r\n"),
              HasSubstr("{\"code\":0,\"message\":\"Transport unknown\"}"));
  EXPECT_THAT(Get(WsClient::UpgradeRequest("/socket.io/?EIO=3&transport=websocket")),
              HasSubstr("{\"code\":5,\"message\":\"Unsupported protocol version\"}"));
  EXPECT_THAT(Get(WsClient::UpgradeRequest(kSocketIoTarget, "Origin: https://evil.example\r\n")),
              testing::AllOf(StartsWith("HTTP/1.1 403"), HasSubstr("\"code\":4")));
}

TEST_F(EdgeTransport, RefusesAPortThatAnotherEdgeHas) {
  StartEdge();
  edge::EdgeConfig config = config_;
  config.listen = edge_->address();
  process::Metrics metrics;
  edge::Edge second(config, metrics, std::make_unique<FakeControlLink>());

  const absl::Status status = second.Start();

  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
}

TEST_F(EdgeTransport, RefusesWhatIsNoProperUpgrade) {
  StartEdge();
  std::string short_key = WsClient::UpgradeRequest(kSocketIoTarget);
  short_key.replace(short_key.find("dGhl"), 24, "abcd");
  std::string old_version = WsClient::UpgradeRequest(kSocketIoTarget);
  old_version.replace(old_version.find("Version: 13"), 11, "Version: 8 ");

  EXPECT_THAT(Get(short_key), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Get(old_version), StartsWith("HTTP/1.1 400"));
}

TEST_F(EdgeTransport, SurvivesGarbageInsteadOfHttp) {
  StartEdge();

  EXPECT_THAT(Get(std::string("\x16\x03\x01\x02\x00\x01", 6) + "\r\n\r\n"),
              testing::AnyOf(StartsWith("HTTP/1.1 400"), testing::IsEmpty()));
  EXPECT_THAT(Get("GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\n\r\n"),
              StartsWith("HTTP/1.1 431"));
}

TEST_F(EdgeTransport, HangsUpOnSlowHeaders) {
  config_.header_time_limit = absl::Seconds(1);
  StartEdge();
  WsClient client(edge_->address());

  client.SendRaw("GET / HTTP/1.1\r\nHo");

  EXPECT_EQ(client.ReadClose(), 1006);
}

TEST_F(EdgeTransport, HangsUpOnWhoeverShowsNoToken) {
  config_.open_time_limit = absl::Seconds(1);
  StartEdge();
  WsClient client(edge_->address());
  ASSERT_EQ(client.Upgrade(kSocketIoTarget), 101);

  EXPECT_EQ(client.ReadClose(), 4002);
}

TEST_F(EdgeTransport, ReadsFramesThatCameWithTheUpgradeRequest) {
  StartEdge();
  WsClient client(edge_->address());

  client.SendRaw(WsClient::UpgradeRequest(kSocketIoTarget) +
                 WsClient::MakeFrame(1, "40{\"token\":\"" + TokenFor("alice") + "\"}"));

  ASSERT_EQ(client.ReadStatus(), 101);
  EXPECT_TRUE(client.ReadUntil("42[\"connected\"").has_value());
}

TEST_F(EdgeTransport, PutsFragmentsTogether) {
  StartEdge();
  WsClient client = OpenSocketIo("alice");
  const std::string message = "425[\"joinRoom\",{\"roomId\":\"" + std::string(100, 'x') + "\"}]";

  for (std::size_t i = 0; i < message.size(); ++i) {
    client.SendRaw(
        WsClient::MakeFrame(i == 0 ? 1 : 0, message.substr(i, 1), i + 1 == message.size()));
    if (i % 50 == 20) client.SendRaw(WsClient::MakeFrame(9, "between"));
  }

  EXPECT_THAT(client.Read().value_or(""), StartsWith("435["));
}

TEST_F(EdgeTransport, TakesAMessageUpToTheLimitAndNoneAbove) {
  StartEdge();
  WsClient client = OpenSocketIo("alice");
  const std::string head = "426[\"nothing\",\"";
  const std::string tail = "\"]";

  client.SendText(head + std::string(65'536 - head.size() - tail.size(), 'a') + tail);
  EXPECT_THAT(client.Read().value_or(""), StartsWith("436["));
  client.SendText(head + std::string(65'537 - head.size() - tail.size(), 'a') + tail);

  EXPECT_EQ(client.ReadClose(), 1009);
}

TEST_F(EdgeTransport, ClosesOnAHugeDeclaredLength) {
  StartEdge();
  WsClient client = OpenSocketIo("alice");

  client.SendRaw(std::string("\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 14));

  EXPECT_EQ(client.ReadClose(), 1009);
}

TEST_F(EdgeTransport, ClosesOnInvalidUtf8AndUnmaskedFrames) {
  StartEdge();
  WsClient client = OpenSocketIo("alice");
  client.SendText("42[\"\xff\xfe\"]");
  EXPECT_EQ(client.ReadClose(), 1007);

  WsClient other = OpenSocketIo("bob");
  other.SendRaw(std::string("\x81\x01") + "3");
  EXPECT_EQ(other.ReadClose(), 1002);
}

TEST_F(EdgeTransport, EndsEndlessFragments) {
  config_.fragments_limit = 64;
  StartEdge();
  WsClient client = OpenSocketIo("alice");

  client.SendRaw(WsClient::MakeFrame(1, "4", false));
  bool is_taken = true;
  for (int i = 0; i < 100'000 && is_taken; ++i) {
    is_taken = client.SendRaw(WsClient::MakeFrame(0, "2", false));
  }

  EXPECT_THAT(client.ReadClose(), testing::AnyOf(testing::Eq(4400), testing::Eq(1006)));
}

TEST_F(EdgeTransport, EndsEndlessEmptyFragments) {
  StartEdge();
  WsClient client = OpenSocketIo("alice");
  std::string many = WsClient::MakeFrame(1, "", false);
  for (int i = 0; i < 1000; ++i) many += WsClient::MakeFrame(0, "", false);

  // 4,096 reads of 1,536 bytes are 6 MB.
  bool is_taken = true;
  for (int i = 0; i < 4000 && is_taken; ++i) is_taken = client.SendRaw(many);

  EXPECT_FALSE(is_taken && client.ReadClose(std::chrono::milliseconds(2000)) == std::nullopt);
}

TEST_F(EdgeTransport, EndsAMessageThatTakesTooLong) {
  config_.message_time_limit = absl::Seconds(1);
  StartEdge();
  WsClient client = OpenSocketIo("alice");

  client.SendRaw(WsClient::MakeFrame(1, "42", false));

  EXPECT_EQ(client.ReadClose(), 4400);
}

TEST_F(EdgeTransport, TakesAnyNumberOfFragmentsWhereThatIsOff) {
  config_.fragments_limit = 0;
  StartEdge();
  WsClient client = OpenSocketIo("alice");
  const std::string text = "421[\"nothing\",\"" + std::string(3'000, 'x') + "\"]";
  std::string frames;
  for (std::size_t i = 0; i < text.size(); ++i) {
    frames += WsClient::MakeFrame(i == 0 ? 1 : 0, text.substr(i, 1), i + 1 == text.size());
  }

  client.SendRaw(frames);

  EXPECT_THAT(client.Read().value_or(""), StartsWith("431[{\"ok\":false"));
}

TEST_F(EdgeTransport, WaitsForTheRestOfAMessageWhereItsTimeIsOff) {
  config_.message_time_limit = absl::ZeroDuration();
  config_.open_time_limit = absl::Seconds(2);
  config_.io_threads = 1;
  StartEdge();
  WsClient client = OpenSocketIo("alice");
  WsClient other = OpenSocketIo("bob");
  client.SendRaw(WsClient::MakeFrame(1, "421[\"nothing\",", false));
  other.SendText("451-2[\"nothing\",{\"_placeholder\":true,\"num\":0}]");

  // The same timers tell when some time has passed.
  WsClient stranger(edge_->address());
  ASSERT_EQ(stranger.Upgrade(kSocketIoTarget), 101);
  EXPECT_EQ(stranger.ReadClose(), 4002);
  client.SendRaw(WsClient::MakeFrame(0, "{}]"));
  other.SendBinary("bytes");

  EXPECT_THAT(client.Read().value_or(""), StartsWith("431[{\"ok\":false"));
  EXPECT_THAT(other.Read().value_or(""), StartsWith("432[{\"ok\":false"));
}

TEST_F(EdgeTransport, EndsAPingFlood) {
  StartEdge();
  WsClient client = OpenSocketIo("alice");

  for (int i = 0; i < 200; ++i) client.SendRaw(WsClient::MakeFrame(9, "ping"));

  EXPECT_EQ(
      client.Read(),
      "42[\"server:closing\",{\"code\":4008,\"reason\":\"RATE_LIMITED\",\"retryAfterMs\":1000}]");
  EXPECT_EQ(client.ReadClose(), 4008);
}

TEST_F(EdgeTransport, ClosesOnPacketsThatAreNone) {
  StartEdge();
  for (const char* packet : {"", "x", "2", "4", "45", "42{}", "42[", "40[]"}) {
    WsClient client = OpenSocketIo("alice");
    client.SendText(packet);
    EXPECT_EQ(client.ReadClose(), 4400) << packet;
  }
}

TEST_F(EdgeTransport, HangsUpOnWhatGoesOnBehindItsCloseFrame) {
  StartEdge();
  WsClient client(edge_->address());
  ASSERT_EQ(client.Upgrade(kSocketIoTarget), 101);
  client.SendRaw(WsClient::MakeFrame(3, "no such frame"));
  ASSERT_EQ(client.ReadClose(), 1002);

  EXPECT_LT(MiBTaken(client), 32) << "what two kernels hold, and a little more";
}

TEST_F(EdgeTransport, DeliversToAReaderThatIsSlowButReads) {
  StartEdge();
  control_->AddMember("1", "slow");
  WsClient slow(edge_->address(), 4096);
  ASSERT_EQ(slow.Upgrade(kSocketIoTarget), 101);
  slow.SendText("40{\"token\":\"" + TokenFor("slow") + "\"}");
  ASSERT_TRUE(slow.ReadUntil("42[\"connected\"").has_value());
  Ask(slow, 0, "joinRoom", "{\"roomId\":\"1\"}");

  for (int seq = 1; seq <= 100; ++seq) control_->Post("1", std::string(8'000, 'x'));

  for (int seq = 1; seq <= 100; ++seq) {
    ASSERT_THAT(slow.Read().value_or(""), HasSubstr("\"seq\":" + std::to_string(seq) + ","));
  }
}

TEST_F(EdgeTransport, PausesReplayWhileTheReaderIsSlow) {
  config_.outbox_bytes_limit = 256 * 1024;
  StartEdge();
  control_->AddMember("1", "slow");
  for (int seq = 1; seq <= 200; ++seq) control_->Post("1", std::string(8'000, 'x'));
  WsClient slow(edge_->address(), 4096);
  ASSERT_EQ(slow.Upgrade(kSocketIoTarget), 101);
  slow.SendText("40{\"token\":\"" + TokenFor("slow") + "\"}");
  ASSERT_TRUE(slow.ReadUntil("42[\"connected\"").has_value());

  Ask(slow, 0, "joinRoom", "{\"roomId\":\"1\",\"afterSeq\":0}");

  for (int seq = 1; seq <= 200; ++seq) {
    ASSERT_THAT(slow.Read().value_or(""), HasSubstr("\"seq\":" + std::to_string(seq) + ","));
  }
}

TEST_F(EdgeTransport, WaitsForDescriptorsWhenThereAreNone) {
  StartEdge();
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  std::vector<WsClient> sockets;
  // Descriptors are handed out from below: with the limit at the next one accepting fails.
  sockets.emplace_back(edge_->address());
  ASSERT_EQ(sockets.back().Upgrade(kSocketIoTarget), 101);
  WsClient waiting(edge_->address());
  rlimit tight = before;
  tight.rlim_cur = 3;
  ::setrlimit(RLIMIT_NOFILE, &tight);

  waiting.SendRaw(WsClient::UpgradeRequest(kSocketIoTarget));
  const int without = waiting.ReadStatus(std::chrono::milliseconds(100));
  ::setrlimit(RLIMIT_NOFILE, &before);

  // Accepted before the limit fell, or half a second after it rose.
  EXPECT_TRUE(without == 101 || waiting.ReadStatus() == 101);
}

}  // namespace
}  // namespace confab::tests
