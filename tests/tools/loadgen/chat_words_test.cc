#include "tools/loadgen/chat_words.h"

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "edge/protocol/engineio_codec.h"
#include "edge/protocol/json_text.h"
#include "edge/protocol/socketio_codec.h"

namespace confab::loadgen {
namespace {

using testing::HasSubstr;

// As an edge reads it.
class Heard {
 public:
  explicit Heard(std::string text) : text_(std::move(text)) {
    const auto packet = edge::DecodeEngineIo(text_);
    EXPECT_TRUE(packet.ok());
    EXPECT_EQ(packet->type, edge::EngineIoType::kMessage);
    EXPECT_TRUE(edge::DecodeSocketIo(packet->body, parser_, packet_).ok()) << text_;
  }
  const edge::SocketIoPacket& packet() const { return packet_; }
  const boost::json::object& argument() const { return packet_.json->as_array().at(1).as_object(); }

 private:
  std::string text_;
  edge::JsonParser parser_;
  edge::SocketIoPacket packet_;
};

TEST(ChatWords, ShowATokenInTheConnectPacket) {
  std::string text;
  AppendConnectPacket("a.b.c", text);

  const Heard heard(text);

  EXPECT_EQ(heard.packet().type, edge::SocketIoType::kConnect);
  EXPECT_EQ(heard.packet().json->at("token").as_string(), "a.b.c");
  EXPECT_EQ(heard.packet().json->at("dialect").as_string(), "confab");
}

TEST(ChatWords, JoinAndSendWithAnAcknowledgement) {
  std::string join;
  AppendJoinPacket("de\"n", 0, join);
  std::string send;
  AppendMessagePacket({.room = "den", .key = "k-1", .content = "hello"}, 12, send);

  const Heard joined(join);
  const Heard sent(send);

  EXPECT_EQ(joined.packet().event, "joinRoom");
  EXPECT_EQ(joined.packet().ack_id, 0U);
  EXPECT_EQ(joined.argument().at("roomId").as_string(), "de\"n");
  EXPECT_EQ(sent.packet().event, "sendMessage");
  EXPECT_EQ(sent.packet().ack_id, 12U);
  EXPECT_EQ(sent.argument().at("content").as_string(), "hello");
  EXPECT_EQ(sent.argument().at("clientMsgId").as_string(), "k-1");
}

TEST(ChatWords, ReadAcknowledgements) {
  const auto good = boost::json::parse(R"([{"ok":true,"messageId":"m","seq":7,"lastSeq":9}])");
  const auto bad = boost::json::parse(
      R"([{"ok":false,"error":{"reason":"RATE_LIMITED","message":"slow","retryable":true,"retryAfterMs":250}}])");

  const Answer yes = ReadAnswer(&good);
  const Answer no = ReadAnswer(&bad);

  EXPECT_TRUE(yes.is_ok);
  EXPECT_EQ(yes.seq, 7);
  EXPECT_EQ(yes.last_seq, 9);
  EXPECT_FALSE(no.is_ok);
  EXPECT_EQ(no.reason, "RATE_LIMITED");
  EXPECT_TRUE(no.is_retryable);
  EXPECT_EQ(no.retry_after_ms, 250);
}

TEST(ChatWords, TakeNothingForAnAcknowledgementThatIsNone) {
  for (const char* text : {"[]", "[5]", "{}", "null"}) {
    const auto json = boost::json::parse(text);
    const Answer answer = ReadAnswer(&json);
    EXPECT_FALSE(answer.is_ok) << text;
    EXPECT_FALSE(answer.message.empty()) << text;
  }
  EXPECT_FALSE(ReadAnswer(nullptr).is_ok);
}

TEST(ChatWords, ReadWhyATokenWasRefused) {
  std::string reason;
  std::string what = "refused";

  ReadConnectError(boost::json::parse(
                       R"({"message":"the signature is wrong","data":{"reason":"TOKEN_INVALID"}})"),
                   reason, what);
  EXPECT_EQ(reason, "TOKEN_INVALID");
  EXPECT_EQ(what, "the signature is wrong");
  ReadConnectError(boost::json::parse("[]"), reason, what);
  EXPECT_EQ(what, "the signature is wrong");
}

TEST(ChatWords, ReadWhyAConnectionWasClosed) {
  EXPECT_EQ(CloseText(""), "the server closed without a code");
  EXPECT_EQ(CloseText("\x0f\xa9SLOW_READER"), "the server closed with 4009 SLOW_READER");
  EXPECT_EQ(CloseReasonIn("\x0f\xa9SLOW_READER"), "SLOW_READER");
  EXPECT_EQ(CloseReasonIn("\x0f\xa9too slow"), "");
  EXPECT_EQ(CloseReasonIn(""), "");
  EXPECT_EQ(ReasonIn(R"(["server:closing",{"code":4010,"reason":"DRAINING"}])"), "DRAINING");
  EXPECT_EQ(ReasonIn("[]"), "");
}

TEST(ChatWords, AskForAnUpgrade) {
  std::string request;
  AppendUpgradeRequest("here:80", "/socket.io/?EIO=4&transport=websocket", request);

  EXPECT_THAT(request,
              testing::StartsWith("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nHost: here:80\r\n"));
  EXPECT_THAT(request, testing::EndsWith("\r\n\r\n"));
}

}  // namespace
}  // namespace confab::loadgen
