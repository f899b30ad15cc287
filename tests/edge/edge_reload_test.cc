#include <fstream>
#include <string>

#include <absl/time/clock.h>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_fixture.h"
#include "tests/process/signing_key.h"
#include "tests/process/temp_dir.h"

namespace confab::tests {
namespace {

using process::SigningKey;
using testing::HasSubstr;

// An edge whose user tokens are signed by an issuer that renews its keys.
class EdgeReload : public EdgeTest {
 protected:
  EdgeReload() {
    config_.user_secret_file.clear();
    config_.user_keys_file = dir_.Path("keys.json");
    Publish({{&old_, "old"}});
  }

  using Named = std::pair<const SigningKey*, const char*>;
  void Publish(std::initializer_list<Named> keys) {
    boost::json::array list;
    for (const auto& [key, kid] : keys) {
      boost::json::object jwk = key->PublicJwk();
      jwk["kid"] = kid;
      list.push_back(std::move(jwk));
    }
    dir_.Write("keys.json", boost::json::serialize(boost::json::object{{"keys", std::move(list)}}));
  }

  static std::string TokenOf(const SigningKey& key, const std::string& kid) {
    return key.Token(
        fmt::format(R"({{"alg":"EdDSA","kid":"{}"}})", kid),
        fmt::format(R"({{"sub":"ann","exp":{}}})", absl::ToUnixSeconds(absl::Now()) + 3600));
  }

  // A client that has shown this token; what it was answered.
  WsClient Connect(const std::string& token, std::string& answer) {
    WsClient client(edge_->address());
    EXPECT_EQ(client.Upgrade(kSocketIoTarget), 101);
    EXPECT_TRUE(client.ReadUntil("\"sid\"").has_value());
    client.SendText("40{\"token\":\"" + token + "\"}");
    answer = client.ReadUntil("4").value_or("");
    return client;
  }

  // Each io thread takes the keys in a moment of its own: asked until as many agree as make sure.
  bool IsLetIn(const std::string& token) {
    std::string answer;
    Connect(token, answer);
    return answer.starts_with("40");
  }
  bool BecomesLetIn(const std::string& token, bool is_let_in) {
    constexpr int kEnough = 8;
    const absl::Time until = absl::Now() + absl::Seconds(5);
    for (int agreed = 0; agreed < kEnough && absl::Now() < until;) {
      agreed = IsLetIn(token) == is_let_in ? agreed + 1 : 0;
      if (agreed == kEnough) return true;
    }
    return false;
  }

  process::TempDir dir_;
  const SigningKey old_ = SigningKey::Ed25519();
  const SigningKey new_ = SigningKey::Ed25519();
};

TEST_F(EdgeReload, RotatesKeysAndKeepsWhoIsConnected) {
  StartEdge();
  std::string answer;
  WsClient stays = Connect(TokenOf(old_, "old"), answer);
  ASSERT_THAT(answer, testing::StartsWith("40"));
  ASSERT_FALSE(IsLetIn(TokenOf(new_, "new")));

  Publish({{&old_, "old"}, {&new_, "new"}});
  ASSERT_TRUE(edge_->Reload().ok());
  EXPECT_TRUE(BecomesLetIn(TokenOf(new_, "new"), true));
  EXPECT_TRUE(IsLetIn(TokenOf(old_, "old")));

  Publish({{&new_, "new"}});
  ASSERT_TRUE(edge_->Reload().ok());
  EXPECT_TRUE(BecomesLetIn(TokenOf(old_, "old"), false));
  EXPECT_TRUE(IsLetIn(TokenOf(new_, "new")));
  EXPECT_THAT(Ask(stays, 1, "joinRoom", R"({"roomId":"none"})"), HasSubstr("NOT_A_MEMBER"));
}

TEST_F(EdgeReload, KeepsTheOldKeysWhenTheFileIsBroken) {
  StartEdge();

  dir_.Write("keys.json", R"({"keys":[{"kty":"OKP","crv":"Ed25519","kid":"new","x":"AA"}]})");
  const absl::Status broken = edge_->Reload();
  std::filesystem::remove(dir_.Path("keys.json"));
  const absl::Status gone = edge_->Reload();

  EXPECT_THAT(std::string(broken.message()), HasSubstr("keys.json: key 0 (kid \"new\"): x of Ed"));
  EXPECT_EQ(gone.code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(IsLetIn(TokenOf(old_, "old")));
  const std::string figures = metrics_.Render();
  EXPECT_THAT(figures, HasSubstr("confab_edge_reloads_total{result=\"failed\"} 2"));
  EXPECT_THAT(figures, HasSubstr("confab_edge_reloads_total{result=\"ok\"} 0"));
}

TEST_F(EdgeReload, IsRefusedBeforeTheStart) {
  edge::Edge edge(config_, metrics_, std::make_unique<FakeControlLink>());

  EXPECT_EQ(edge.Reload().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(EdgeReload, AFaultyFileStopsTheStart) {
  dir_.Write("keys.json", "{}");
  edge::Edge edge(config_, metrics_, std::make_unique<FakeControlLink>());

  EXPECT_THAT(std::string(edge.Start().message()),
              HasSubstr("--user-keys-file: " + dir_.Path("keys.json") + ": is no JWKS document"));
}

}  // namespace
}  // namespace confab::tests
