// An edge that is emptied: who is told what, who is served until when, and what stays open.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <absl/time/time.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_fixture.h"
#include "tests/support/eventually.h"

namespace confab::tests {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kPolling[] = "/socket.io/?EIO=4&transport=polling";
constexpr char kTold[] = "\"server:closing\",{\"code\":4010,\"reason\":\"DRAINING\"";

class EdgeDrain : public EdgeTest {
 protected:
  // Slots are drawn by thread: with one of them two clients have 0 and half of the time.
  EdgeDrain() { config_.io_threads = 1; }

  struct Answer {
    int status = 0;
    std::string head;
    std::string body;
  };
  Answer Get(const std::string& target) {
    WsClient client(edge_->address());
    client.SendRaw("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
    const int status = client.ReadStatus();
    return {status, client.head(), client.ReadBody()};
  }
  // The Draining items that control was told, each behind a Hello or not.
  std::size_t CountTold() { return control_->CountSent(v1::EdgeItem::kDraining); }
  // The port is closed by the time a client could know of the drain, but for polling sessions.
  bool IsPortOpen() { return WsClient(edge_->address()).Upgrade(kSocketIoTarget) != 0; }
};

TEST_F(EdgeDrain, TellsEachClientItsOwnDelayAndServesItUntilThen) {
  StartEdge();
  control_->AddMember("den", "ann");
  control_->AddMember("den", "ben");
  std::vector<WsClient> clients;
  clients.push_back(OpenSocketIo("ann"));
  clients.push_back(OpenSocketIo("ben"));

  edge_->BeginDrain(absl::Hours(1));

  std::vector<std::string> told;
  for (WsClient& client : clients) told.push_back(client.ReadUntil(kTold).value_or(""));
  const std::size_t later = told[0].find("retryAfterMs") != std::string::npos ? 0 : 1;
  EXPECT_THAT(told[later], HasSubstr("\"retryAfterMs\":1800000")) << "half of the time";
  EXPECT_THAT(told[1 - later], testing::Not(HasSubstr("retryAfterMs"))) << "at once";
  EXPECT_EQ(clients[1 - later].ReadClose(), 4010);
  EXPECT_THAT(Ask(clients[later], 1, "joinRoom", R"({"roomId":"den"})"), HasSubstr("\"ok\":true"));
  control_->Post("den", "still here");
  EXPECT_THAT(clients[later].Read().value_or(""), HasSubstr("still here"));
  EXPECT_FALSE(IsPortOpen());
  EXPECT_FALSE(edge_->drain_figures().is_over);
}

TEST_F(EdgeDrain, TellsNativeClientsToo) {
  StartEdge();
  WsClient client(edge_->address());
  ASSERT_EQ(client.Upgrade("/native?token=" + TokenFor("ann"),
                           "Sec-WebSocket-Protocol: confab.v1.json\r\n"),
            101);
  ASSERT_TRUE(client.ReadUntil("\"connected\"").has_value());

  edge_->BeginDrain(absl::Hours(1));

  EXPECT_THAT(client.ReadUntil("\"closing\"").value_or(""),
              AllOf(HasSubstr("4010"), HasSubstr("\"retryable\":true")));
  EXPECT_THAT(client.ReadUntil("\"closing\"").value_or(""), HasSubstr("4010")) << "now it is so";
  EXPECT_EQ(client.ReadClose(), 4010);
}

// What is asked when the slot has come is refused; what was asked before is answered, then it ends.
TEST_F(EdgeDrain, AnswersWhatIsUnderWayBeforeItCloses) {
  StartEdge();
  control_->AddMember("den", "ann");
  WsClient client = OpenSocketIo("ann");
  control_->SetSilent(true);
  client.SendText(R"(421["sendMessage",{"roomId":"den","content":"the last word"}])");
  ASSERT_TRUE(control_->WaitUntil([](const auto& sent) { return sent.back().has_command(); }));
  const v1::Command asked = control_->Sent().back().command();

  edge_->BeginDrain(absl::Hours(1));  // A single client: its slot is now.
  ASSERT_TRUE(client.ReadUntil(kTold).has_value());
  std::optional<std::string> refused;
  int ack = 1;
  while (!refused && ack < 100) {
    client.SendText("42" + std::to_string(++ack) + R"(["heartbeat",{}])");
    refused = client.Read(milliseconds(100));
  }
  EXPECT_THAT(refused.value_or(""),
              AllOf(StartsWith("43" + std::to_string(ack)), HasSubstr("UNAVAILABLE"),
                    HasSubstr("\"retryable\":true")));
  // The rest of the heartbeats is under way as well.
  for (const v1::EdgeItem& item : control_->Sent()) {
    if (!item.has_command() || item.command().request() == asked.request()) continue;
    v1::ControlItem late;
    late.mutable_result()->set_connection(item.command().connection());
    late.mutable_result()->set_request(item.command().request());
    late.mutable_result()->mutable_heartbeat();
    control_->Say(late);
  }
  for (int i = 2; i < ack; ++i) {
    EXPECT_THAT(client.Read().value_or(""), StartsWith("43" + std::to_string(i)));
  }
  EXPECT_EQ(client.ReadClose(milliseconds(0)), std::nullopt) << "the message is under way";

  v1::ControlItem done;
  done.mutable_result()->set_connection(asked.connection());
  done.mutable_result()->set_request(asked.request());
  done.mutable_result()->mutable_post_message()->set_seq(7);
  control_->Say(done);

  EXPECT_THAT(client.Read().value_or(""), AllOf(StartsWith("431["), HasSubstr("\"seq\":7")));
  EXPECT_THAT(client.Read().value_or(""), HasSubstr(kTold));
  EXPECT_EQ(client.ReadClose(), 4010);
}

TEST_F(EdgeDrain, LetsNobodyConnectOnASocketThatIsHeld) {
  StartEdge();
  std::vector<WsClient> clients;
  for (int i = 0; i < 2; ++i) {
    clients.emplace_back(edge_->address());
    ASSERT_EQ(clients.back().Upgrade(kSocketIoTarget), 101);
    ASSERT_TRUE(clients.back().ReadUntil("\"sid\"").has_value());
  }
  WsClient known = OpenSocketIo("ann");

  edge_->BeginDrain(absl::Hours(1));
  ASSERT_TRUE(known.ReadUntil(kTold).has_value());

  // One of the three goes at once; for the others it would be twenty minutes at least.
  for (WsClient& client : clients) {
    client.SendText("40{\"token\":\"" + TokenFor("ben") + "\"}");
    EXPECT_EQ(client.ReadClose(), 4010);
  }
}

TEST_F(EdgeDrain, KeepsThePortForPollingSessionsAndOpensNone) {
  StartEdge();
  std::vector<std::string> sids;
  for (int i = 0; i < 3; ++i) {
    const std::string opened = Get(kPolling).body;
    ASSERT_THAT(opened, StartsWith("0{\"sid\":\""));
    sids.push_back(opened.substr(9, opened.find('"', 9) - 9));
  }
  WsClient other = OpenSocketIo("ann");

  edge_->BeginDrain(absl::Hours(1));
  ASSERT_TRUE(other.ReadUntil(kTold).has_value());

  const Answer refused = Get(kPolling);
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.head, HasSubstr("\r\nRetry-After: 1\r\n"));
  EXPECT_THAT(refused.body, HasSubstr("being emptied"));
  // Each on a connection of its own. At most one of them had to go at once.
  int served = 0;
  for (const std::string& sid : sids) {
    WsClient ending(edge_->address());
    ending.SendRaw("POST " + std::string(kPolling) + "&sid=" + sid +
                   " HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1");
    if (ending.ReadStatus() == 200) ++served;
  }
  EXPECT_GE(served, 2);

  // The last words of a session that its client has closed wait for two seconds, those of one that had
  // to go for ten.
  EXPECT_TRUE(Eventually([this] { return !IsPortOpen(); }));
}

TEST_F(EdgeDrain, SaysSoToControlAndAgainOnALaterStream) {
  StartEdge();
  WsClient client = OpenSocketIo("ann");
  ASSERT_EQ(CountTold(), 0U);

  edge_->BeginDrain(absl::Hours(1));
  EXPECT_TRUE(control_->WaitUntil([](const auto& sent) {
    return std::any_of(sent.begin(), sent.end(),
                       [](const auto& item) { return item.has_draining(); });
  }));
  control_->Detach();
  control_->Attach();

  EXPECT_TRUE(control_->WaitUntil([](const auto& sent) {
    return std::count_if(sent.begin(), sent.end(),
                         [](const auto& item) { return item.has_draining(); }) == 2;
  }));
  for (const v1::EdgeItem& item : control_->Sent()) {
    if (!item.has_draining()) continue;
    EXPECT_GT(item.draining().remaining_ms(), 3'000'000U);
  }
}

TEST_F(EdgeDrain, IsOverWhenNobodyIsLeft) {
  StartEdge();
  {
    WsClient client = OpenSocketIo("ann");
    edge_->BeginDrain(absl::Hours(1));
    EXPECT_EQ(client.ReadClose(), 4010);
  }
  EXPECT_TRUE(Eventually([this] { return edge_->drain_figures().is_over; }));
}

TEST_F(EdgeDrain, IsWantedByControl) {
  config_.drain_time = absl::Seconds(12);
  StartEdge();
  ASSERT_FALSE(edge_->drain_wanted().has_value());
  v1::ControlItem item;
  const auto wanted = [&](std::uint32_t drain_ms, absl::Duration expected) {
    item.mutable_drain()->set_drain_ms(drain_ms);
    control_->Say(item);
    EXPECT_TRUE(Eventually([&] { return edge_->drain_wanted() == expected; })) << expected;
  };

  wanted(0, absl::Seconds(12));
  wanted(2'500, absl::Milliseconds(2'500));
}

}  // namespace
}  // namespace confab::tests
