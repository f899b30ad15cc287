#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_fixture.h"
#include "tests/edge/socketio_echo.h"

namespace confab::tests {
namespace {

// The edge's Socket.IO talk with an echo behind it: what is carried comes back to the byte.
class EdgeEcho : public testing::Test {
 protected:
  // Up to and with "auth".
  WsClient Open(const std::string& connect = "40") {
    WsClient client("127.0.0.1:" + std::to_string(port_));
    EXPECT_EQ(client.Upgrade(kSocketIoTarget), 101);
    client.Read();
    client.SendText(connect);
    client.Read();
    return client;
  }

  SocketIoEcho echo_;
  std::uint16_t port_ = echo_.Start();
};

TEST_F(EdgeEcho, CarriesThePayloadOfConnect) {
  WsClient client = Open(R"(40/custom,{"token":"abc", "n":1.0})");

  EXPECT_EQ(client.Read(), R"(42/custom,["auth",{"token":"abc", "n":1.0}])");
}

TEST_F(EdgeEcho, CarriesJsonToTheByte) {
  WsClient client = Open();
  client.Read();
  const std::string arguments =
      R"(,1.0,-0,1e2,12345678901234567890,0.1e-400, {"b":1,"a":[] ,"b":2,"":null},"ä\/\u00e4\ud83d\ude00",)"
      R"("\ud800","\udc00x",{"_placeholder":true,"num":7},{"__proto__":{"x":1}}])";

  client.SendText("42[ \"message\"" + arguments);
  EXPECT_EQ(client.Read(), "42[\"message-back\"" + arguments);

  client.SendText("420[\"message-with-ack\"" + arguments);
  EXPECT_EQ(client.Read(), "430[" + arguments.substr(1));
}

TEST_F(EdgeEcho, KeepsAckIdsAsTheyAre) {
  WsClient client = Open();
  client.Read();

  client.SendText(R"(420["message-with-ack"])");
  EXPECT_EQ(client.Read(), "430[]");
  client.SendText(R"(4218446744073709551615["message-with-ack",1])");
  EXPECT_EQ(client.Read(), "4318446744073709551615[1]");
  client.SendText(R"(4218446744073709551616["message-with-ack",1])");
  EXPECT_EQ(client.ReadClose(), 4400);
}

TEST_F(EdgeEcho, CarriesAttachmentsInTheirOrder) {
  WsClient client = Open();
  client.Read();
  const std::string arguments =
      R"({"a":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0}])";

  client.SendText("452-7[\"message-with-ack\"," + arguments);
  client.SendBinary("first");
  client.SendBinary("");

  EXPECT_EQ(client.Read(), "462-7[" + arguments);
  EXPECT_EQ(client.Read(), "first");
  EXPECT_EQ(client.Read(), "");
}

TEST_F(EdgeEcho, TellsARetryableRefusalByTheCloseAlone) {
  WsClient client("127.0.0.1:" + std::to_string(port_));
  ASSERT_EQ(client.Upgrade(kSocketIoTarget), 101);
  client.Read();

  client.SendText(R"(40{"refuse":"UNAVAILABLE"})");

  // CONNECT_ERROR would keep the stock client away for good.
  const std::optional<WsClient::Frame> frame = client.ReadFrame();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->opcode, 8);
  EXPECT_EQ(frame->payload.substr(0, 2), "\x0f\xa4") << "4004";
}

}  // namespace
}  // namespace confab::tests
