// The close codes that come from control, and those that no other test of the edge sees.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <absl/time/time.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "edge/transport/close_reason.h"
#include "tests/edge/edge_fixture.h"

namespace confab::tests {
namespace {

using testing::HasSubstr;

class EdgeEnds : public EdgeTest {
 protected:
  // Control ends the first connection.
  void EndByControl(std::uint32_t code) {
    v1::ControlItem item;
    item.mutable_close_connection()->set_code(code);
    ASSERT_TRUE(control_->WaitUntil([&](const auto& sent) {
      for (const v1::EdgeItem& one : sent) {
        if (!one.has_connection_opened()) continue;
        item.mutable_close_connection()->set_connection(one.connection_opened().connection());
        return true;
      }
      return false;
    }));
    control_->Say(item);
  }
};

class EdgeClose : public EdgeEnds, public testing::WithParamInterface<edge::CloseReason> {};

TEST_P(EdgeClose, TellsWhyAndComesWithItsCode) {
  const edge::CloseTraits& traits = edge::TraitsOf(GetParam());
  StartEdge();
  WsClient client = OpenSocketIo("alice");

  EndByControl(traits.code);

  EXPECT_EQ(client.Read(), "42[\"server:closing\",{\"code\":" + std::to_string(traits.code) +
                               ",\"reason\":\"" + std::string(traits.word) + "\"}]");
  // Only who is not to come back is told so.
  if (!traits.may_return) {
    EXPECT_EQ(client.Read(), "41");
  }
  EXPECT_EQ(client.ReadClose(), traits.code);
  EXPECT_THAT(metrics_.Render(),
              HasSubstr("confab_edge_closes_total{reason=\"" + std::string(traits.word) + "\"} 1"));
}

INSTANTIATE_TEST_SUITE_P(ByControl, EdgeClose,
                         testing::Values(edge::CloseReason::kInternal, edge::CloseReason::kDraining,
                                         edge::CloseReason::kSlowReader,
                                         edge::CloseReason::kForbidden,
                                         edge::CloseReason::kReplaced),
                         [](const auto& param) {
                           return std::to_string(edge::TraitsOf(param.param).code);
                         });

TEST_F(EdgeTest, ClosesNormallyWhenTheClientDoes) {
  StartEdge();
  WsClient client = OpenSocketIo("alice");

  client.SendText("1");

  EXPECT_EQ(client.ReadClose(), 1000);
  EXPECT_THAT(metrics_.Render(), HasSubstr("confab_edge_closes_total{reason=\"NORMAL\"} 1"));
}

// A client that has gone without a word never answers; others have three seconds to answer a close.
TEST_F(EdgeEnds, ForgetsAClientWhenTheCloseBegins) {
  StartEdge();
  WsClient client = OpenSocketIo("alice");
  EndByControl(4010);
  ASSERT_EQ(client.ReadClose(), 4010);

  ASSERT_TRUE(control_->WaitUntil([](const auto& sent) {
    return std::any_of(sent.begin(), sent.end(),
                       [](const auto& item) { return item.has_connection_closed(); });
  }));

  EXPECT_EQ(client.ReadClose(std::chrono::milliseconds(0)), std::nullopt)
      << "the answer is still waited for";
  client.SendRaw(WsClient::MakeFrame(8, "\x0f\xaa"));
  EXPECT_EQ(client.ReadClose(), 1006) << "and then the stream ends";
}

// A CONNECT that waits for control in vain: no word, so that the client comes back by itself.
TEST_F(EdgeTest, ClosesWhoWaitsForControlTooLong) {
  config_.connect_hold = absl::Milliseconds(250);
  StartEdge(/*is_attached=*/false);
  WsClient client(edge_->address());
  ASSERT_EQ(client.Upgrade(kSocketIoTarget), 101);
  EXPECT_TRUE(client.ReadUntil("\"sid\"").has_value());

  client.SendText("40{\"token\":\"" + TokenFor("alice") + "\"}");

  const auto frame = client.ReadFrame();
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->opcode, 8) << frame->payload;
  EXPECT_EQ(frame->payload.substr(0, 2), "\x0f\xa4") << "4004";
}

}  // namespace
}  // namespace confab::tests
