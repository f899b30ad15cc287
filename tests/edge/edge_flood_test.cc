#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_fixture.h"

namespace confab::tests {
namespace {

using testing::HasSubstr;

// Packets that keep to the protocol, too many of them.
using EdgeFlood = EdgeTest;

constexpr const char* kIdlePackets[] = {"3", "6", "0{}", "5", "43[]", "437[1]", "42"};

TEST_F(EdgeFlood, EndsWithItsSenderWherePacketsAskForNothing) {
  StartEdge();
  for (const char* packet : kIdlePackets) {
    WsClient client = OpenSocketIo("eve");
    for (int i = 0; i < 100; ++i) client.SendText(packet);

    EXPECT_TRUE(client.ReadUntil("42[\"server:closing\"").has_value()) << packet;
    EXPECT_EQ(client.ReadClose(), 4008) << packet;
  }
}

TEST_F(EdgeFlood, IsNoneBelowTheRate) {
  StartEdge();
  for (const char* packet : kIdlePackets) {
    WsClient client = OpenSocketIo("eve");
    for (int i = 0; i < 20; ++i) client.SendText(packet);

    client.SendText("40/none,");
    EXPECT_THAT(client.Read().value_or(""), HasSubstr("Invalid namespace")) << packet;
  }
}

}  // namespace
}  // namespace confab::tests
