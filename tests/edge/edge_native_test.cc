#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "confab/v1/client.pb.h"

#include "tests/edge/edge_fixture.h"

namespace confab::tests {
namespace {

using testing::HasSubstr;

class EdgeNative : public EdgeTest {
 protected:
  WsClient Open(const std::string& protocol, const std::string& target = "/native") {
    WsClient client(edge_->address());
    EXPECT_EQ(client.Upgrade(target, "Sec-WebSocket-Protocol: " + protocol + "\r\n"), 101);
    EXPECT_THAT(client.head(), HasSubstr("Sec-WebSocket-Protocol: " + protocol));
    return client;
  }

  static v1::ServerFrame ReadFrame(WsClient& client) {
    v1::ServerFrame frame;
    frame.ParseFromString(client.Read().value_or(""));
    return frame;
  }
};

TEST_F(EdgeNative, SpeaksJson) {
  StartEdge();
  control_->AddMember("1", "alice");
  WsClient client = Open("confab.v1.json");

  client.SendText("{\"connect\":{\"token\":\"" + TokenFor("alice") + "\"}}");
  EXPECT_THAT(client.Read().value_or(""),
              testing::AllOf(HasSubstr("\"connected\""), HasSubstr("\"id\":\"alice\"")));
  client.SendText("{\"request\":\"5\",\"joinRoom\":{\"roomId\":\"1\"}}");
  EXPECT_THAT(client.Read().value_or(""),
              testing::AllOf(HasSubstr("\"request\":\"5\""), HasSubstr("ROLE_MEMBER")));
  client.SendText("{\"request\":\"6\",\"postMessage\":{\"roomId\":\"1\",\"content\":\"hi\"}}");
  EXPECT_THAT(client.Read().value_or(""),
              testing::AllOf(HasSubstr("\"event\""), HasSubstr("\"content\":\"hi\"")));
  EXPECT_THAT(client.Read().value_or(""), HasSubstr("\"seq\":\"1\""));
}

TEST_F(EdgeNative, SpeaksBinaryWithTheTokenOfTheUpgrade) {
  StartEdge();
  control_->AddMember("1", "alice");
  WsClient client = Open("confab.v1.proto", "/native?token=" + TokenFor("alice"));
  EXPECT_EQ(ReadFrame(client).connected().user().id(), "alice");

  v1::ClientFrame join;
  join.set_request(9);
  join.mutable_join_room()->set_room_id("1");
  client.SendBinary(join.SerializeAsString());
  EXPECT_EQ(ReadFrame(client).reply().request(), 9u);
  control_->Post("1", "hello");

  EXPECT_EQ(ReadFrame(client).event().message_posted().content(), "hello");
}

TEST_F(EdgeNative, RefusesAFrameItCannotReadAndStays) {
  StartEdge();
  WsClient client = Open("confab.v1.json", "/native?token=" + TokenFor("alice"));
  client.Read();

  client.SendText("{\"request\":\"3\",\"noSuchThing\":{}}");
  EXPECT_THAT(client.Read().value_or(""), HasSubstr("REASON_BAD_REQUEST"));
  client.SendText("{\"request\":\"4\",\"joinRoom\":{\"roomId\":\"1\"}}");
  EXPECT_THAT(client.Read().value_or(""), HasSubstr("REASON_NOT_A_MEMBER"));
}

TEST_F(EdgeNative, LeavesNoTraceOfInvalidUtf8InTheLog) {
  StartEdge();
  WsClient client = Open("confab.v1.proto", "/native?token=" + TokenFor("alice"));
  client.Read();

  testing::internal::CaptureStderr();
  v1::ClientFrame frame;
  frame.set_request(3);
  frame.mutable_join_room()->set_room_id("1");
  std::string bytes = frame.SerializeAsString();
  bytes.back() = '\xff';
  client.SendBinary(bytes);
  const v1::ServerFrame answer = ReadFrame(client);

  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(answer.reply().error().reason(), v1::REASON_BAD_REQUEST);
}

TEST_F(EdgeNative, ClosesAfterABadTokenAndSaysWhy) {
  StartEdge();
  WsClient client = Open("confab.v1.json", "/native?token=rubbish");

  EXPECT_THAT(client.Read().value_or(""),
              testing::AllOf(HasSubstr("\"closing\""), HasSubstr("REASON_TOKEN_INVALID")));
  EXPECT_EQ(client.ReadClose(), 4501);
}

TEST_F(EdgeNative, PingsByWebSocketAndClosesWithoutAPong) {
  config_.ping_interval = absl::Milliseconds(300);
  config_.ping_timeout = absl::Seconds(1);
  StartEdge();
  WsClient client = Open("confab.v1.json", "/native?token=" + TokenFor("alice"));
  client.Read();

  ASSERT_EQ(client.ReadFrame().value_or(WsClient::Frame()).opcode, 9);
  client.SendRaw(WsClient::MakeFrame(10, ""));
  ASSERT_EQ(client.ReadFrame().value_or(WsClient::Frame()).opcode, 9);
  EXPECT_EQ(client.ReadClose(), 4003);
}

}  // namespace
}  // namespace confab::tests
