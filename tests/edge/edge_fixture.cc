#include "tests/edge/edge_fixture.h"

#include <cstdio>
#include <fstream>
#include <unistd.h>

#include <absl/time/clock.h>
#include <boost/json.hpp>

#include "process/jwt.h"

namespace confab::tests {

namespace {
constexpr char kSecret[] = "a secret of tests that has more than 32 bytes";
}  // namespace

std::string TokenFor(const std::string& user, int seconds_left, const boost::json::object& more) {
  const process::JwtKey key = *process::JwtKey::FromSecret(kSecret);
  boost::json::object claims = {{"sub", user},
                                {"name", "name of " + user},
                                {"exp", absl::ToUnixSeconds(absl::Now()) + seconds_left}};
  for (const auto& [name, value] : more) claims[name] = value;
  return process::SignJwt(claims, key);
}

EdgeTest::EdgeTest() {
  std::string pattern = testing::TempDir() + "confab_edge_XXXXXX";
  const int fd = ::mkstemp(pattern.data());
  secret_file_ = pattern;
  std::ofstream(secret_file_) << kSecret;
  ::close(fd);
  config_.listen = "127.0.0.1:0";
  config_.user_secret_file = secret_file_;
  config_.edge_id = "edge-under-test";
  config_.io_threads = 2;
}

EdgeTest::~EdgeTest() {
  edge_.reset();
  std::remove(secret_file_.c_str());
}

void EdgeTest::StartEdge(bool is_attached) {
  auto link = std::make_unique<FakeControlLink>();
  control_ = link.get();
  edge_ = std::make_unique<edge::Edge>(config_, metrics_, std::move(link));
  ASSERT_TRUE(edge_->Start().ok());
  if (is_attached) control_->Attach();
}

WsClient EdgeTest::OpenSocketIo(const std::string& user) {
  WsClient client(edge_->address());
  EXPECT_EQ(client.Upgrade(kSocketIoTarget), 101);
  EXPECT_TRUE(client.ReadUntil("\"sid\"").has_value());
  client.SendText("40{\"token\":\"" + TokenFor(user) + "\"}");
  EXPECT_TRUE(client.ReadUntil("42[\"connected\"").has_value());
  return client;
}

std::string EdgeTest::Ask(WsClient& client, int ack, const std::string& event,
                          const std::string& json) {
  client.SendText("42" + std::to_string(ack) + "[\"" + event + "\"," + json + "]");
  return client.ReadUntil("43" + std::to_string(ack) + "[").value_or("");
}

int EdgeTest::MiBTaken(WsClient& client) {
  const std::string mebibyte(1024 * 1024, 'x');
  for (int taken = 0; taken < 64; ++taken) {
    if (!client.SendRaw(mebibyte)) return taken;
  }
  return 64;
}

}  // namespace confab::tests
