#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_fixture.h"

namespace confab::tests {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

// HTTP requests that become no WebSocket: what keeps a connection, and what ends it.
class EdgeHttp : public EdgeTest {
 protected:
  static std::string Get(const std::string& headers = "") {
    return "GET / HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n";
  }
  static std::string Post(const std::string& headers, const std::string& body = "") {
    return "POST /nothing HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n" + body;
  }
  static std::string Length(std::size_t n) {
    return "Content-Length: " + std::to_string(n) + "\r\n";
  }
};

TEST_F(EdgeHttp, AnswersManyRequestsOnOneConnection) {
  StartEdge();
  WsClient client(edge_->address());

  for (int i = 0; i < 5; ++i) {
    client.SendRaw(Get());
    ASSERT_EQ(client.ReadStatus(), 200) << i;
    EXPECT_THAT(client.ReadBody(), HasSubstr("Confab edge"));
    client.SendRaw(Post(Length(3), "abc"));
    ASSERT_EQ(client.ReadStatus(), 404) << i;
    EXPECT_THAT(client.ReadBody(), HasSubstr("UNKNOWN_COMMAND"));
  }
  EXPECT_EQ(client.Upgrade(kSocketIoTarget), 101) << "and then becomes a WebSocket";
  EXPECT_TRUE(client.ReadUntil("\"sid\"").has_value());
}

TEST_F(EdgeHttp, AnswersPipelinedRequestsInOrder) {
  StartEdge();
  WsClient client(edge_->address());

  client.SendRaw(Get() + Post(Length(2), "xy") + Get() + WsClient::UpgradeRequest(kSocketIoTarget) +
                 WsClient::MakeFrame(1, "40{\"token\":\"" + TokenFor("alice") + "\"}"));

  for (const int status : {200, 404, 200}) {
    ASSERT_EQ(client.ReadStatus(), status);
    EXPECT_NE(client.ReadBody(), "");
  }
  ASSERT_EQ(client.ReadStatus(), 101);
  EXPECT_TRUE(client.ReadUntil("42[\"connected\"").has_value());
}

TEST_F(EdgeHttp, TakesRequestsByteByByte) {
  StartEdge();
  WsClient client(edge_->address());

  for (const char byte : Get() + Post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n")) {
    client.SendRaw(std::string_view(&byte, 1));
  }

  EXPECT_EQ(client.ReadStatus(), 200);
  client.ReadBody();
  EXPECT_EQ(client.ReadStatus(), 404);
}

TEST_F(EdgeHttp, AnswersHeadWithoutABody) {
  StartEdge();
  WsClient client(edge_->address());

  client.SendRaw("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n" + Get());

  EXPECT_EQ(client.ReadStatus(), 200);
  EXPECT_THAT(client.head(), HasSubstr("Content-Length: "));
  EXPECT_EQ(client.ReadStatus(), 200) << "the next answer follows at once";
}

TEST_F(EdgeHttp, ClosesWhereTheClientAsksForIt) {
  StartEdge();
  for (const char* request :
       {"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"}) {
    WsClient client(edge_->address());
    client.SendRaw(request);
    EXPECT_EQ(client.ReadStatus(), 200) << request;
    EXPECT_THAT(client.head(), HasSubstr("Connection: close"));
    client.ReadBody();
    EXPECT_EQ(client.ReadClose(), 1006);
  }
}

TEST_F(EdgeHttp, SaysContinueBeforeABodyThatIsAskedFor) {
  StartEdge();
  WsClient client(edge_->address());

  client.SendRaw(Post("Expect: 100-continue\r\n" + Length(3)));
  EXPECT_EQ(client.ReadStatus(), 100);
  client.SendRaw("abc");

  EXPECT_EQ(client.ReadStatus(), 404);
}

TEST_F(EdgeHttp, RefusesABodyByItsDeclaredLength) {
  StartEdge();
  for (const char* length : {"65537", "99999999999"}) {
    WsClient client(edge_->address());
    client.SendRaw(Post("Origin: http://x\r\nExpect: 100-continue\r\nContent-Length: " +
                        std::string(length) + "\r\n"));
    EXPECT_EQ(client.ReadStatus(), 413) << length;
    EXPECT_THAT(client.head(), HasSubstr("Access-Control-Allow-Origin: http://x"));
  }
  WsClient client(edge_->address());
  client.SendRaw(Post(Length(65'536), std::string(65'536, 'x')));
  EXPECT_EQ(client.ReadStatus(), 404) << "as much as is allowed";
}

TEST_F(EdgeHttp, RefusesAChunkedBodyAboveTheLimit) {
  StartEdge();
  WsClient client(edge_->address());
  const std::string chunk = "4000\r\n" + std::string(0x4000, 'x') + "\r\n";

  client.SendRaw(Post("Transfer-Encoding: chunked\r\n", chunk + chunk + chunk + chunk + chunk));

  EXPECT_EQ(client.ReadStatus(), 413);
  EXPECT_THAT(client.head(), HasSubstr("Connection: close"));
}

TEST_F(EdgeHttp, RefusesHeadersThatAreTooManyOrTooLarge) {
  StartEdge();
  std::string many;
  for (int i = 0; i < 120; ++i) many += "A" + std::to_string(i) + ": b\r\n";
  for (const std::string& headers : {many, "Long: " + std::string(9'000, 'x') + "\r\n"}) {
    WsClient client(edge_->address());
    client.SendRaw(Get(headers));
    EXPECT_EQ(client.ReadStatus(), 431);
  }
}

TEST_F(EdgeHttp, HangsUpOnWhatGoesOnBehindTheLastAnswer) {
  StartEdge();
  WsClient client(edge_->address());
  client.SendRaw(Post("Transfer-Encoding: chunked\r\n", "no chunk\r\n"));
  ASSERT_EQ(client.ReadStatus(), 400);

  EXPECT_LT(MiBTaken(client), 32) << "what two kernels hold, and a little more";
}

TEST_F(EdgeHttp, RefusesTwoWaysToSayWhereABodyEnds) {
  StartEdge();
  WsClient client(edge_->address());

  client.SendRaw(Post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nGET /"));

  EXPECT_EQ(client.ReadStatus(), 400);
}

TEST_F(EdgeHttp, HangsUpOnSlowBodiesAndIdleConnections) {
  config_.body_time_limit = absl::Seconds(1);
  config_.idle_time_limit = absl::Seconds(1);
  StartEdge();
  WsClient slow(edge_->address());
  WsClient idle(edge_->address());

  slow.SendRaw(Post(Length(3), "a"));
  idle.SendRaw(Get());

  EXPECT_EQ(slow.ReadClose(), 1006);
  EXPECT_EQ(idle.ReadStatus(), 200);
  EXPECT_THAT(idle.head(), Not(HasSubstr("Connection: close")));
  idle.ReadBody();
  EXPECT_EQ(idle.ReadClose(), 1006);
}

}  // namespace
}  // namespace confab::tests
