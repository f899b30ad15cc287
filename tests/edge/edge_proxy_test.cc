#include <string>

#include <absl/time/time.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_fixture.h"
#include "tests/process/temp_dir.h"
#include "tests/support/tls_files.h"

namespace confab::tests {
namespace {

using std::chrono::milliseconds;

// A proxy in front of the edge that names its clients by the PROXY protocol. One session an address
// is allowed, so that it shows which address counts.
class EdgeProxy : public EdgeTest {
 protected:
  EdgeProxy() {
    config_.trusted_proxies = {"127.0.0.0/8"};
    config_.proxy_protocol = true;
    config_.address_sessions_limit = 1;
  }

  static std::string For(const std::string& client) {
    return "PROXY TCP4 " + client + " 10.0.0.1 4711 443\r\n";
  }
  WsClient Connect(const std::string& header) {
    WsClient client(edge_->address());
    client.SendRaw(header);
    return client;
  }
};

TEST_F(EdgeProxy, SaysWhoTheClientIs) {
  StartEdge();
  WsClient ann = Connect(For("203.0.113.7"));
  WsClient second = Connect(For("203.0.113.7"));
  WsClient ben = Connect(For("203.0.113.8"));

  EXPECT_EQ(ann.Upgrade(kSocketIoTarget), 101);
  EXPECT_EQ(second.Upgrade(kSocketIoTarget), 429);
  EXPECT_EQ(ben.Upgrade(kSocketIoTarget), 101);
}

TEST_F(EdgeProxy, SaysItForEveryRequestOfTheConnection) {
  StartEdge();
  WsClient ann = Connect(For("203.0.113.7") + WsClient::UpgradeRequest(kSocketIoTarget));
  ASSERT_EQ(ann.ReadStatus(), 101);
  WsClient polling = Connect(For("203.0.113.7"));

  for (int i = 0; i < 3; ++i) {
    polling.SendRaw("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(polling.ReadStatus(), 429) << i;
    polling.ReadBody();
  }
}

TEST_F(EdgeProxy, BelievesWhatATrustedClientForwards) {
  StartEdge();
  const std::string forwarded = "X-Forwarded-For: 203.0.113.7\r\n";
  WsClient first = Connect(For("127.0.0.9"));
  WsClient second = Connect(For("127.0.0.9"));
  WsClient liar = Connect(For("203.0.113.8"));

  EXPECT_EQ(first.Upgrade(kSocketIoTarget, forwarded), 101);
  EXPECT_EQ(second.Upgrade(kSocketIoTarget, forwarded), 429);
  EXPECT_EQ(liar.Upgrade(kSocketIoTarget, forwarded), 101) << "counts as 203.0.113.8";
}

TEST_F(EdgeProxy, MaySpeakForItself) {
  StartEdge();
  WsClient client = Connect("PROXY UNKNOWN\r\n");

  client.SendRaw("GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n");

  EXPECT_EQ(client.ReadStatus(), 200);
}

TEST_F(EdgeProxy, IsHungUpOnWithoutAHeader) {
  config_.header_time_limit = absl::Milliseconds(300);
  StartEdge();
  WsClient plain = Connect("GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n");
  WsClient silent = Connect("");
  WsClient slow = Connect("PROXY TCP4 203.0.");

  for (WsClient* client : {&plain, &silent, &slow}) {
    EXPECT_EQ(client->ReadToEnd(), "");
    EXPECT_EQ(client->ReadClose(milliseconds(0)), 1006);
  }
}

TEST_F(EdgeProxy, IsNoBusinessOfOthers) {
  config_.trusted_proxies = {"10.0.0.0/8"};
  StartEdge();
  WsClient plain = Connect("GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n");
  WsClient liar = Connect(For("203.0.113.7") + "GET / HTTP/1.1\r\nHost: x\r\n\r\n");

  EXPECT_EQ(plain.ReadStatus(), 200);
  EXPECT_EQ(liar.ReadStatus(), 400);
}

TEST_F(EdgeProxy, SpeaksBeforeTls) {
  const process::TempDir folder;
  const TlsFiles files = MakeTlsFiles(folder.Path(""), "served");
  config_.tls_cert_file = files.cert_file;
  config_.tls_key_file = files.key_file;
  StartEdge();
  WsClient ann = Connect(For("203.0.113.7"));
  WsClient second = Connect(For("203.0.113.7"));
  ann.ShakeHands(files.cert_file);
  second.ShakeHands(files.cert_file);

  EXPECT_EQ(ann.Upgrade(kSocketIoTarget), 101);
  EXPECT_EQ(second.Upgrade(kSocketIoTarget), 429);
}

TEST_F(EdgeProxy, DoesNotHoldUpTheEnd) {
  StartEdge();
  WsClient silent = Connect("PROXY ");
  const auto began = std::chrono::steady_clock::now();

  edge_->Stop(absl::Seconds(10));

  EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds(5'000));
  EXPECT_EQ(silent.ReadClose(), 1006);
}

}  // namespace
}  // namespace confab::tests
