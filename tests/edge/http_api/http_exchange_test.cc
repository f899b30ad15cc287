#include "edge/http_api/http_exchange.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <absl/time/clock.h>
#include <boost/json/object.hpp>
#include <gtest/gtest.h>

#include "process/jwt.h"
#include "tests/edge/connection/connection_fakes.h"

namespace confab::edge {
namespace {

// Admits at once while `is_attached`; else remembers who waits.
class AdmittingHost final : public ConnectionHost {
 public:
  const ConnectionLimits& limits() const override { return fake_.limits(); }
  const TokenVerifier& tokens() const override { return fake_.tokens(); }
  void Enter(Connection& connection) override {
    opened.push_back(connection.Describe());
    waiting = &connection;
    if (is_attached) Admit();
  }
  void Leave(Connection&) override { ++left; }
  void OnMoved(Connection&) override {}
  bool Forward(v1::Command&& command, std::optional<uint64_t>) override {
    if (is_full) return false;
    forwarded.push_back(std::move(command));
    return true;
  }
  std::optional<int64_t> PositionOf(const Connection&, std::string_view) override { return {}; }
  void GoLive(Connection&, std::string_view, int64_t) override {}
  std::optional<int64_t> Hold(Connection&, std::string_view) override { return {}; }
  std::vector<std::string> RoomsOf(const Connection&) override { return {}; }
  void Unsubscribe(Connection&, std::string_view) override {}
  void ReplayLater(Connection&, std::chrono::milliseconds) override {}
  void CountRefusal(v1::Reason) override {}
  void CountDropped(const PushQueue::Dropped&) override {}

  void Admit() { waiting->Admit(++last_id, "name"); }

  bool is_attached = true;
  bool is_full = false;
  Connection* waiting = nullptr;
  uint64_t last_id = 0;
  int left = 0;
  std::vector<v1::ConnectionOpened> opened;
  std::vector<v1::Command> forwarded;

 private:
  tests::RecordingHost fake_;
};

class HttpExchangeTest : public testing::Test {
 protected:
  HttpExchangeTest() {
    ask_.command.mutable_get_room()->set_room_id("a");
    boost::json::object claims;
    claims["sub"] = "ann";
    claims["exp"] = absl::ToUnixSeconds(absl::Now() + absl::Hours(1));
    ask_.token = process::SignJwt(claims, *process::JwtKey::FromSecret(std::string(32, 's')));
  }

  void Begin() {
    exchange_ = std::make_unique<HttpExchange>(home_, ask_, [this](HttpAnswer answer) {
      answer_ = std::move(answer);
      exchange_.reset();
    });
  }
  // What is ready now.
  void Turn() {
    loop_.Post([this] { loop_.Post([this] { loop_.Post([this] { loop_.Stop(); }); }); });
    loop_.Run();
  }

  AdmittingHost host_;
  EventLoop loop_;
  tests::NumberEncoder encoder_{0};
  HttpExchangeHome home_{host_, loop_, encoder_, absl::Seconds(3)};
  HttpAsk ask_;
  std::optional<HttpAnswer> answer_;
  std::unique_ptr<HttpExchange> exchange_;
};

TEST_F(HttpExchangeTest, IsAConnectionForOneCommand) {
  Begin();

  ASSERT_EQ(host_.opened.size(), 1u);
  EXPECT_TRUE(host_.opened[0].is_http_request());
  EXPECT_EQ(host_.opened[0].user().id(), "ann");
  ASSERT_EQ(host_.forwarded.size(), 1u);
  EXPECT_EQ(host_.forwarded[0].connection(), 1u);
  EXPECT_EQ(host_.forwarded[0].get_room().room_id(), "a");

  v1::Result result;
  result.mutable_room()->set_id("a");
  host_.waiting->OnResult(host_.forwarded[0], std::nullopt, result);
  EXPECT_FALSE(answer_);  // In a turn of its own.
  Turn();

  EXPECT_EQ(answer_->status, 200);
  EXPECT_EQ(exchange_, nullptr);
  EXPECT_EQ(host_.left, 1);
}

TEST_F(HttpExchangeTest, AsksNothingWithoutAGoodToken) {
  ask_.token = "bad";
  Begin();
  Turn();
  EXPECT_EQ(answer_->status, 401);
  EXPECT_TRUE(host_.opened.empty());
  EXPECT_TRUE(host_.forwarded.empty());
  EXPECT_EQ(host_.left, 0);
}

TEST_F(HttpExchangeTest, OpensForNobodyWhenAServiceAsks) {
  ask_.caller = ApiRoute::Caller::kService;
  ask_.token.clear();
  ask_.command.mutable_publish()->set_service_token("svc");
  Begin();
  ASSERT_EQ(host_.opened.size(), 1u);
  EXPECT_EQ(host_.opened[0].user().id(), "");
  EXPECT_EQ(host_.forwarded.at(0).publish().service_token(), "svc");
}

TEST_F(HttpExchangeTest, WaitsForControlAndThenAsks) {
  host_.is_attached = false;
  Begin();
  EXPECT_TRUE(host_.forwarded.empty());
  host_.Admit();
  EXPECT_EQ(host_.forwarded.size(), 1u);
}

TEST_F(HttpExchangeTest, GivesUpWhenControlStaysAway) {
  host_.is_attached = false;
  Begin();
  for (int i = 0; i < 20; ++i) loop_.wheel().Tick();
  Turn();
  EXPECT_EQ(answer_->status, 503);
  EXPECT_TRUE(host_.forwarded.empty());
  EXPECT_EQ(host_.left, 1);
}

TEST_F(HttpExchangeTest, AnswersWhatTheHostSaysInsteadOfAResult) {
  Begin();
  v1::Error unknown;
  unknown.set_reason(v1::REASON_OUTCOME_UNKNOWN);
  host_.waiting->OnExpired(host_.forwarded[0], std::nullopt, unknown);
  Turn();
  EXPECT_EQ(answer_->status, 500);
}

TEST_F(HttpExchangeTest, RefusesWhenTooMuchWaitsForControl) {
  host_.is_full = true;
  Begin();
  Turn();
  EXPECT_EQ(answer_->status, 503);
}

TEST_F(HttpExchangeTest, AnswersNobodyWhoHasGone) {
  Begin();
  exchange_.reset();
  EXPECT_EQ(host_.left, 1);
  Turn();
  EXPECT_FALSE(answer_);
}

}  // namespace
}  // namespace confab::edge
