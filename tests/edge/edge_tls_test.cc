#include <algorithm>
#include <chrono>
#include <filesystem>
#include <future>
#include <string>
#include <vector>

#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_fixture.h"
#include "tests/process/temp_dir.h"
#include "tests/support/eventually.h"
#include "tests/support/tls_files.h"

namespace confab::tests {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kPolling[] = "/socket.io/?EIO=4&transport=polling";

// An edge whose public port has TLS. Each case ends with a neighbour that is still served.
class EdgeTls : public EdgeTest {
 protected:
  EdgeTls() {
    first_ = MakeTlsFiles(folder_.Path(""), "first");
    config_.tls_cert_file = folder_.Path("served.crt");
    config_.tls_key_file = folder_.Path("served.key");
    Serve(first_.cert_file, first_.key_file);
  }

  void TearDown() override {
    if (edge_ == nullptr) return;
    WsClient neighbour = OpenSecureSocketIo("neighbour");
    EXPECT_THAT(Ask(neighbour, 1, "joinRoom", "{\"roomId\":\"none\"}"), HasSubstr("NOT_A_MEMBER"));
  }

  // What the options name from now on.
  void Serve(const std::string& cert_file, const std::string& key_file) {
    const auto how = std::filesystem::copy_options::overwrite_existing;
    std::filesystem::copy_file(cert_file, config_.tls_cert_file, how);
    std::filesystem::copy_file(key_file, config_.tls_key_file, how);
    trusted_ = cert_file;
  }

  WsClient Connect() { return WsClient::OverTls(edge_->address(), trusted_); }
  WsClient OpenSecureSocketIo(const std::string& user) {
    WsClient client = Connect();
    EXPECT_EQ(client.Upgrade(kSocketIoTarget), 101);
    client.SendText("40{\"token\":\"" + TokenFor(user) + "\"}");
    EXPECT_TRUE(client.ReadUntil("42[\"connected\"").has_value());
    return client;
  }

  static void Request(WsClient& client, const std::string& target, const std::string* body) {
    const std::string head = " HTTP/1.1\r\nHost: x\r\n";
    client.SendRaw(body == nullptr ? "GET " + target + head + "\r\n"
                                   : "POST " + target + head + "Content-Length: " +
                                         std::to_string(body->size()) + "\r\n\r\n" + *body);
  }
  // On a connection of its own.
  std::string Do(const std::string& target, const std::string* body = nullptr) {
    WsClient client = Connect();
    Request(client, target, body);
    EXPECT_EQ(client.ReadStatus(), 200);
    return client.ReadBody();
  }

  std::string Figure(const std::string& name) const {
    const std::string all = metrics_.Render();
    const std::size_t at = all.find("\n" + name + " ");
    if (at == std::string::npos) return "";
    return all.substr(at + name.size() + 2, all.find('\n', at + 1) - at - name.size() - 2);
  }
  std::string Handshakes(const std::string& result) const {
    return Figure("confab_edge_tls_handshakes_total{result=\"" + result + "\"}");
  }

  process::TempDir folder_;
  TlsFiles first_;
  std::string trusted_;
};

TEST_F(EdgeTls, CarriesSocketIoNativeAndHttp) {
  StartEdge();
  control_->AddMember("den", "ann");
  WsClient socket = OpenSecureSocketIo("ann");
  EXPECT_THAT(Ask(socket, 1, "joinRoom", "{\"roomId\":\"den\"}"), HasSubstr("\"ok\":true"));
  control_->Post("den", std::string(50'000, 'x'));
  EXPECT_THAT(socket.Read().value_or(""), HasSubstr(std::string(50'000, 'x')));

  WsClient native = Connect();
  EXPECT_EQ(native.Upgrade("/",
                           "Sec-WebSocket-Protocol: confab.v1.json\r\n"
                           "Authorization: Bearer " +
                               TokenFor("ann") + "\r\n"),
            101);
  EXPECT_THAT(native.Read().value_or(""), HasSubstr("\"connected\""));

  WsClient http = Connect();
  for (int i = 0; i < 3; ++i) {
    Request(http, "/", nullptr);
    EXPECT_EQ(http.ReadStatus(), 200);
    EXPECT_THAT(http.ReadBody(), HasSubstr("This is a Confab edge"));
  }
  EXPECT_EQ(Handshakes("ok"), "3");
}

TEST_F(EdgeTls, MovesPollingAndItsUpgradeBetweenThreads) {
  config_.io_threads = 4;
  config_.user_connections_limit = 0;
  StartEdge();
  control_->AddMember("den", "ann");
  constexpr int kSessions = 12;
  const std::string connect = "40{\"token\":\"" + TokenFor("ann") + "\"}";
  const std::string join = "421[\"joinRoom\",{\"roomId\":\"den\"}]";
  std::vector<WsClient> sockets;
  for (int i = 0; i < kSessions; ++i) {
    // Each request comes over a connection of its own, which any thread may get.
    const std::string open = Do(kPolling);
    const std::string sid = open.substr(9, open.find('"', 9) - 9);
    const std::string target = std::string(kPolling) + "&sid=" + sid;
    EXPECT_EQ(Do(target, &connect), "ok");
    std::string got;
    while (got.find("\"connected\"") == std::string::npos && !HasFailure()) got += Do(target);
    EXPECT_EQ(Do(target, &join), "ok");
    EXPECT_THAT(Do(target), StartsWith("431[{\"ok\":true"));

    WsClient socket = Connect();
    ASSERT_EQ(socket.Upgrade(std::string(kSocketIoTarget) + "&sid=" + sid), 101);
    socket.SendText("2probe");
    ASSERT_EQ(socket.Read(), "3probe");
    socket.SendText("5");
    sockets.push_back(std::move(socket));
  }

  control_->Post("den", "to all of them");
  for (WsClient& socket : sockets) {
    EXPECT_THAT(socket.ReadUntil("to all of them").value_or(""), StartsWith("42[\"newMessage\""));
  }
  // Three of four belong elsewhere; half of that is certain enough.
  EXPECT_GT(std::stoi(Figure("confab_edge_http_handovers_total")), kSessions * 6 * 3 / 8);
}

TEST_F(EdgeTls, HangsUpOnWhoSpeaksNoTls) {
  StartEdge();
  WsClient plain(edge_->address());

  plain.SendRaw("GET / HTTP/1.1\r\nHost: x\r\n\r\n");

  EXPECT_THAT(plain.ReadToEnd(), testing::Not(HasSubstr("HTTP")));
  EXPECT_TRUE(plain.ReadClose().has_value());
  EXPECT_EQ(Handshakes("no_tls"), "1");
}

TEST_F(EdgeTls, HangsUpOnSlowHandshakes) {
  config_.handshake_time_limit = absl::Milliseconds(300);
  StartEdge();
  WsClient silent(edge_->address());
  WsClient slow(edge_->address());

  slow.SendRaw(std::string("\x16\x03\x01\x02\x00\x01", 6));

  EXPECT_EQ(silent.ReadClose(), 1006);
  EXPECT_EQ(slow.ReadClose(), 1006);
  EXPECT_EQ(Handshakes("timeout"), "2");
}

TEST_F(EdgeTls, CountsTheHandshakeAmongTheTimeToAuthenticate) {
  config_.open_time_limit = absl::Seconds(3);
  config_.handshake_time_limit = absl::Seconds(10);
  StartEdge();
  const absl::Time start = absl::Now();
  WsClient client(edge_->address());
  ASSERT_FALSE(client.ReadClose(milliseconds(2'000)).has_value());
  client.ShakeHands(trusted_);
  ASSERT_EQ(client.Upgrade(kSocketIoTarget), 101);

  EXPECT_EQ(client.ReadClose(), 4002);
  // Counted from the handshake on it would be two seconds more.
  EXPECT_LT(absl::Now() - start, absl::Milliseconds(4'900));
}

TEST_F(EdgeTls, RenewsItsCertificateAndKeepsWhoIsConnected) {
  StartEdge();
  WsClient stays = OpenSecureSocketIo("ann");
  ASSERT_EQ(stays.peer_name(), "first");
  const TlsFiles second = MakeTlsFiles(folder_.Path(""), "second");

  Serve(second.cert_file, second.key_file);
  ASSERT_TRUE(edge_->Reload().ok());
  // Each io thread takes it in a moment of its own, before it accepts what comes later.
  for (int i = 0; i < 8; ++i) EXPECT_EQ(OpenSecureSocketIo("bob").peer_name(), "second");

  std::filesystem::copy_file(first_.key_file, config_.tls_key_file,
                             std::filesystem::copy_options::overwrite_existing);
  const absl::Status mismatched = edge_->Reload();
  std::filesystem::remove(config_.tls_cert_file);
  const absl::Status gone = edge_->Reload();

  EXPECT_THAT(std::string(mismatched.message()), HasSubstr("served.key: is not the key of"));
  EXPECT_EQ(gone.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(OpenSecureSocketIo("bob").peer_name(), "second");
  EXPECT_EQ(Figure("confab_edge_reloads_total{result=\"failed\"}"), "2");
  EXPECT_THAT(Ask(stays, 1, "joinRoom", R"({"roomId":"none"})"), HasSubstr("NOT_A_MEMBER"));
}

TEST_F(EdgeTls, ShowsWhenTheCertificateExpires) {
  StartEdge();

  const auto left =
      std::stoll(Figure("confab_edge_tls_not_after_seconds")) - absl::ToUnixSeconds(absl::Now());

  EXPECT_GT(left, 3'500);
  EXPECT_LE(left, 3'600);
}

TEST_F(EdgeTls, RefusesToStartWithFilesThatAreNoPair) {
  const TlsFiles other = MakeTlsFiles(folder_.Path(""), "other");
  config_.tls_key_file = other.key_file;
  edge::Edge edge(config_, metrics_, std::make_unique<FakeControlLink>());
  EXPECT_THAT(std::string(edge.Start().message()),
              AllOf(StartsWith("--tls-cert, --tls-key: "), HasSubstr("other.key: is not the key")));

  config_.tls_key_file.clear();
  edge::Edge half(config_, metrics_, std::make_unique<FakeControlLink>());
  EXPECT_EQ(half.Start().message(), "--tls-key is missing: TLS needs --tls-cert and --tls-key");
}

TEST_F(EdgeTls, SaysGoodbyeAtTheEndOfASession) {
  StartEdge();
  WsClient socket = OpenSecureSocketIo("ann");
  socket.SendRaw(WsClient::MakeFrame(8, "\x03\xe8"));
  EXPECT_EQ(socket.ReadClose(), 1000);
  socket.ReadToEnd();
  EXPECT_TRUE(socket.has_goodbye());

  WsClient refused = Connect();
  ASSERT_EQ(refused.Upgrade(kSocketIoTarget), 101);
  refused.SendText("40{\"token\":\"none\"}");
  EXPECT_TRUE(refused.ReadClose().has_value());
  refused.SendRaw(WsClient::MakeFrame(8, ""));
  refused.ReadToEnd();
  EXPECT_TRUE(refused.has_goodbye());

  WsClient http = Connect();
  http.SendRaw("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(http.ReadToEnd(), HasSubstr("This is a Confab edge"));
  EXPECT_TRUE(http.has_goodbye());
}

TEST_F(EdgeTls, SharesRecordsAmongFramesOfOneTurn) {
  StartEdge();
  control_->AddMember("den", "ann");
  for (int i = 0; i < 200; ++i) control_->Post("den", std::string(200, 'x'));
  WsClient client = OpenSecureSocketIo("ann");
  const int before = client.data_records();

  Ask(client, 1, "joinRoom", R"({"roomId":"den","afterSeq":0})");
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(client.Read().has_value());

  // The ack, and 20 pages of ten events.
  EXPECT_LE(client.data_records() - before, 25);
}

TEST_F(EdgeTls, DegradesAReaderThatDoesNotReadAndHealsItWhenItDoes) {
  config_.outbox_bytes_limit = 256 * 1024;
  StartEdge();
  control_->AddMember("1", "sleepy");
  control_->AddMember("1", "awake");
  WsClient sleepy = WsClient::OverTls(edge_->address(), trusted_, 4096);
  ASSERT_EQ(sleepy.Upgrade(kSocketIoTarget), 101);
  sleepy.SendText("40{\"token\":\"" + TokenFor("sleepy") + "\"}");
  ASSERT_TRUE(sleepy.ReadUntil("42[\"connected\"").has_value());
  WsClient awake = OpenSecureSocketIo("awake");
  Ask(sleepy, 0, "joinRoom", "{\"roomId\":\"1\"}");
  Ask(awake, 0, "joinRoom", "{\"roomId\":\"1\"}");

  for (int seq = 1; seq <= 300; ++seq) {
    control_->Post("1", std::string(8'000, 'x'));
    EXPECT_THAT(awake.Read().value_or(""), HasSubstr("\"seq\":" + std::to_string(seq) + ","));
  }

  const process::Counter& degraded = metrics_.AddCounter("confab_edge_degraded_total", "");
  EXPECT_TRUE(Eventually([&] { return degraded.value() > 0; }));
  for (int seq = 1; seq <= 300; ++seq) {
    ASSERT_THAT(sleepy.Read().value_or(""), HasSubstr("\"seq\":" + std::to_string(seq) + ","));
  }
}

// The same with TLS and without.
class EdgeStop : public EdgeTls, public testing::WithParamInterface<bool> {
 protected:
  EdgeStop() {
    if (!GetParam()) config_.tls_cert_file = config_.tls_key_file = "";
  }
  void TearDown() override {}
  WsClient Connect() { return GetParam() ? EdgeTls::Connect() : WsClient(edge_->address()); }
};

TEST_P(EdgeStop, AnswersWhatIsUnderWayAndSaysGoodbye) {
  StartEdge();
  WsClient idle = Connect();
  Request(idle, "/", nullptr);
  ASSERT_EQ(idle.ReadStatus(), 200);
  idle.ReadBody();
  WsClient posting = Connect();
  posting.SendRaw(
      "POST /nothing HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  ASSERT_EQ(posting.ReadStatus(), 100);
  WsClient socket = Connect();
  ASSERT_EQ(socket.Upgrade(kSocketIoTarget), 101);

  const std::future<void> stopped =
      std::async(std::launch::async, [this] { edge_->Stop(absl::Seconds(10)); });
  EXPECT_TRUE(socket.ReadClose().has_value());
  socket.SendRaw(WsClient::MakeFrame(8, ""));
  socket.ReadToEnd();
  // Who asks nothing is hung up on once the sockets are gone.
  EXPECT_EQ(idle.ReadToEnd(), "");
  EXPECT_EQ(stopped.wait_for(milliseconds(300)), std::future_status::timeout);
  posting.SendRaw("body");

  EXPECT_EQ(posting.ReadStatus(), 404);
  EXPECT_THAT(posting.head(), HasSubstr("Connection: close"));
  posting.ReadToEnd();
  stopped.wait();
  EXPECT_EQ(idle.has_goodbye(), GetParam());
  EXPECT_EQ(posting.has_goodbye(), GetParam());
  EXPECT_EQ(socket.has_goodbye(), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Edge, EdgeStop, testing::Bool(),
                         [](const auto& with) { return with.param ? "WithTls" : "WithoutTls"; });

}  // namespace
}  // namespace confab::tests
