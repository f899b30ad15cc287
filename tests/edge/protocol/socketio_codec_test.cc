#include "edge/protocol/socketio_codec.h"

#include <gtest/gtest.h>

#include "proto/reason.h"

namespace confab::edge {
namespace {

// Keeps text and parser alive as long as the packet.
class SocketIoCodec : public testing::Test {
 protected:
  absl::Status Decode(std::string body) {
    body_ = std::move(body);
    return DecodeSocketIo(body_, parser_, packet_);
  }

  // What closes the connection.
  void ExpectBad(const std::string& body) {
    EXPECT_TRUE(absl::IsInvalidArgument(Decode(body))) << body;
  }

  std::string body_;
  JsonParser parser_;
  SocketIoPacket packet_;
};

TEST_F(SocketIoCodec, ReadsConnectWithoutPayload) {
  ASSERT_TRUE(Decode("0").ok());

  EXPECT_EQ(packet_.type, SocketIoType::kConnect);
  EXPECT_EQ(packet_.nsp, "/");
  EXPECT_FALSE(packet_.has_payload());
  EXPECT_EQ(packet_.json, nullptr);
}

TEST_F(SocketIoCodec, ReadsConnectWithAuth) {
  ASSERT_TRUE(Decode(R"(0{"token":"abc"})").ok());

  ASSERT_NE(packet_.json, nullptr);
  EXPECT_EQ(packet_.json->at("token"), "abc");
}

TEST_F(SocketIoCodec, ReadsANamespaceWithAndWithoutComma) {
  ASSERT_TRUE(Decode("0/admin").ok());
  EXPECT_EQ(packet_.nsp, "/admin");
  EXPECT_FALSE(packet_.has_payload());

  ASSERT_TRUE(Decode("0/admin,").ok());
  EXPECT_EQ(packet_.nsp, "/admin");
  EXPECT_FALSE(packet_.has_payload());

  ASSERT_TRUE(Decode("0/admin,{}").ok());
  EXPECT_EQ(packet_.nsp, "/admin");
  EXPECT_EQ(packet_.payload, "{}");
}

TEST_F(SocketIoCodec, TakesTheNamespaceWhole) {
  ASSERT_TRUE(Decode(R"(2/a-b?x=1-2,7["e"])").ok());

  EXPECT_EQ(packet_.nsp, "/a-b?x=1-2");
  EXPECT_EQ(packet_.ack_id, 7u);
}

TEST_F(SocketIoCodec, ReadsAnEvent) {
  ASSERT_TRUE(Decode(R"(2["sendMessage",{"a":1}])").ok());

  EXPECT_EQ(packet_.type, SocketIoType::kEvent);
  EXPECT_EQ(packet_.event, "sendMessage");
  EXPECT_EQ(packet_.ack_id, std::nullopt);
  EXPECT_EQ(packet_.json->as_array().at(1).at("a"), 1);
  EXPECT_EQ(packet_.unreadable, "");
}

TEST_F(SocketIoCodec, KeepsThePayloadsTextExactly) {
  const std::string payload = R"(["e",1.0,1e2,{"b":1,"a":"ä\/"}, 12345678901234567890])";

  ASSERT_TRUE(Decode("2" + payload).ok());

  EXPECT_EQ(packet_.payload, payload);
}

TEST_F(SocketIoCodec, TellsAckIdZeroFromNone) {
  ASSERT_TRUE(Decode(R"(20["e"])").ok());

  EXPECT_EQ(packet_.ack_id, 0u);
}

TEST_F(SocketIoCodec, ReadsTheLargestAckId) {
  ASSERT_TRUE(Decode(R"(218446744073709551615["e"])").ok());

  EXPECT_EQ(packet_.ack_id, UINT64_MAX);
}

TEST_F(SocketIoCodec, RefusesAckIdsItCouldNotReturn) {
  ExpectBad(R"(218446744073709551616["e"])");
  ExpectBad(R"(2007["e"])");
}

TEST_F(SocketIoCodec, ReadsAnAck) {
  ASSERT_TRUE(Decode(R"(3/n,12["x"])").ok());

  EXPECT_EQ(packet_.type, SocketIoType::kAck);
  EXPECT_EQ(packet_.nsp, "/n");
  EXPECT_EQ(packet_.ack_id, 12u);
}

TEST_F(SocketIoCodec, ReadsDisconnect) {
  ASSERT_TRUE(Decode("1").ok());
  EXPECT_EQ(packet_.type, SocketIoType::kDisconnect);

  ASSERT_TRUE(Decode("1/n,").ok());
  EXPECT_EQ(packet_.nsp, "/n");
}

TEST_F(SocketIoCodec, PermitsTheEventNameError) {
  ASSERT_TRUE(Decode(R"(2["error"])").ok());

  EXPECT_EQ(packet_.event, "error");
}

// PROTOCOL.md section 2: "Bad packets".
TEST_F(SocketIoCodec, ClosesOnBadPackets) {
  ExpectBad("");              // Message "4" alone.
  ExpectBad("7");             // Unknown types.
  ExpectBad("a");             //
  ExpectBad("2{");            // JSON errors.
  ExpectBad(R"(2["x")");      //
  ExpectBad(R"(2["x"]])");    //
  ExpectBad("2{}");           // Not an array.
  ExpectBad("2[]");           // Without a name.
  ExpectBad(R"(2abc["x"])");  // Neither namespace nor ack id.
  ExpectBad(R"(2-1["x"])");   //
  ExpectBad(R"(2"x")");       //
  ExpectBad("2null");         //
  ExpectBad("2[null]");       // A name of another type.
  ExpectBad("2[{}]");         //
  ExpectBad("2[true]");       //
  ExpectBad("2[[\"x\"]]");    //
  ExpectBad("0[]");           // CONNECT with anything but an object.
  ExpectBad("0null");         //
  ExpectBad(R"(0"token")");   //
  ExpectBad("0{");            //
  ExpectBad("07{}");          //
  ExpectBad("1[]");           // DISCONNECT with payload.
  ExpectBad("1{}");           //
  ExpectBad("17");            //
  ExpectBad("3{}");           // An ack is an array.
  ExpectBad(R"(31"x")");      //
}

TEST_F(SocketIoCodec, ClosesOnAClientsConnectError) {
  ExpectBad(R"(4{"message":"x"})");
  ExpectBad("4");
}

TEST_F(SocketIoCodec, ClosesOnReservedEventNames) {
  for (const std::string name : {"connect", "connect_error", "disconnect", "disconnecting",
                                 "newListener", "removeListener"}) {
    ExpectBad("2[\"" + name + "\"]");
  }
}

TEST_F(SocketIoCodec, ReadsABinaryEvent) {
  ASSERT_TRUE(Decode(R"(52-/n,7["x",{"_placeholder":true,"num":1},{"a":[)"
                     R"({"_placeholder":true,"num":0}]}])")
                  .ok());

  EXPECT_EQ(packet_.type, SocketIoType::kBinaryEvent);
  EXPECT_EQ(packet_.attachments, 2u);
  EXPECT_EQ(packet_.nsp, "/n");
  EXPECT_EQ(packet_.ack_id, 7u);
  EXPECT_EQ(packet_.event, "x");
}

TEST_F(SocketIoCodec, ReadsABinaryAck) {
  ASSERT_TRUE(Decode(R"(61-789[{"_placeholder":true,"num":0}])").ok());

  EXPECT_EQ(packet_.type, SocketIoType::kBinaryAck);
  EXPECT_EQ(packet_.attachments, 1u);
  EXPECT_EQ(packet_.ack_id, 789u);
}

TEST_F(SocketIoCodec, LetsABinaryPacketBeWithoutAttachmentsOrPlaceholders) {
  ASSERT_TRUE(Decode(R"(50-["x"])").ok());
  EXPECT_EQ(packet_.attachments, 0u);
  EXPECT_EQ(packet_.event, "x");

  ASSERT_TRUE(Decode(R"(52-["x",{"_placeholder":false,"num":7}])").ok());
  EXPECT_EQ(packet_.attachments, 2u);
}

TEST_F(SocketIoCodec, TakesTenAttachmentsAndNoMore) {
  ASSERT_TRUE(Decode(R"(510-["x"])").ok());
  EXPECT_EQ(packet_.attachments, 10u);

  ExpectBad(R"(511-["x"])");
  ExpectBad(R"(599999999999999999999-["x"])");
}

TEST_F(SocketIoCodec, ClosesOnANumberOfAttachmentsThatIsNone) {
  ExpectBad(R"(5["x"])");
  ExpectBad(R"(5-["x"])");
  ExpectBad(R"(51["x"])");
  ExpectBad(R"(51.5-["x"])");
  ExpectBad(R"(5-1-["x"])");
  ExpectBad(R"(501-["x"])");
  ExpectBad(R"(5 1-["x"])");
  ExpectBad(R"(5x-["x"])");
  ExpectBad("51");
}

TEST_F(SocketIoCodec, ClosesOnPlaceholdersThatNameNoAttachment) {
  ExpectBad(R"(51-["x",{"_placeholder":true,"num":1}])");
  ExpectBad(R"(51-["x",{"_placeholder":true,"num":-1}])");
  ExpectBad(R"(51-["x",{"_placeholder":true,"num":0.0}])");
  ExpectBad(R"(51-["x",{"_placeholder":true,"num":"0"}])");
  ExpectBad(R"(51-["x",{"_placeholder":true}])");
  ExpectBad(R"(50-["x",{"_placeholder":true,"num":0}])");
  ExpectBad(R"(51-["x",{"a":[{"_placeholder":true,"num":18446744073709551615}]}])");
  ExpectBad(R"(61-7[{"_placeholder":true,"num":1}])");
}

TEST_F(SocketIoCodec, ClosesOnAnAttachmentNamedTwice) {
  ExpectBad(R"(52-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}])");
}

TEST_F(SocketIoCodec, ChecksBinaryPacketsLikeOthers) {
  ExpectBad(R"(51-[])");
  ExpectBad(R"(51-{})");
  ExpectBad(R"(51-["connect",{"_placeholder":true,"num":0}])");
  ExpectBad(R"(61-7{})");
  ExpectBad(R"(51-abc["x"])");
}

TEST_F(SocketIoCodec, KeepsTheConnectionOnABinaryEventNestedTooDeep) {
  ASSERT_TRUE(Decode("51-5[\"x\"," + std::string(40, '[') + std::string(40, ']') + "]").ok());

  EXPECT_EQ(packet_.attachments, 1u);
  EXPECT_NE(packet_.unreadable, "");
}

TEST_F(SocketIoCodec, TakesProtoForANameLikeAnyOther) {
  ASSERT_TRUE(Decode(R"(2["x",{"__proto__":{"_placeholder":true},"constructor":1}])").ok());

  EXPECT_TRUE(packet_.json->as_array().at(1).as_object().contains("__proto__"));
}

TEST_F(SocketIoCodec, ClosesOnAnEndlessNamespace) {
  ASSERT_TRUE(Decode("0/" + std::string(127, 'n')).ok());

  ExpectBad("0/" + std::string(128, 'n'));
}

// PROTOCOL.md section 2: "Harmless".
TEST_F(SocketIoCodec, IgnoresAnEventWithoutPayload) {
  ASSERT_TRUE(Decode("2").ok());
  EXPECT_EQ(packet_.json, nullptr);

  ASSERT_TRUE(Decode("212").ok());
  EXPECT_EQ(packet_.json, nullptr);
}

TEST_F(SocketIoCodec, LetsANumberBeAnEventsName) {
  ASSERT_TRUE(Decode("2[1]").ok());

  EXPECT_EQ(packet_.event, "");
  EXPECT_NE(packet_.json, nullptr);
}

TEST_F(SocketIoCodec, LetsAcksGoWithoutIdOrPayload) {
  ASSERT_TRUE(Decode(R"(3["x"])").ok());
  EXPECT_EQ(packet_.ack_id, std::nullopt);

  ASSERT_TRUE(Decode("37").ok());
  EXPECT_EQ(packet_.ack_id, 7u);
}

TEST_F(SocketIoCodec, TakesPlaceholdersOfAPlainEventForWhatTheyAre) {
  ASSERT_TRUE(Decode(R"(2["x",{"_placeholder":true,"num":0}])").ok());

  EXPECT_EQ(packet_.json->as_array().size(), 2u);
}

TEST_F(SocketIoCodec, KeepsTheConnectionOnAnEventNestedTooDeep) {
  ASSERT_TRUE(Decode("25[\"x\"," + std::string(40, '[') + std::string(40, ']') + "]").ok());

  EXPECT_EQ(packet_.ack_id, 5u);
  EXPECT_EQ(packet_.json, nullptr);
  EXPECT_NE(packet_.unreadable, "");
}

TEST_F(SocketIoCodec, KeepsTheConnectionOnHalfASurrogatePair) {
  ASSERT_TRUE(Decode(R"(25["sendMessage",{"content":"cut \ud83d"}])").ok());

  EXPECT_EQ(packet_.ack_id, 5u);
  EXPECT_NE(packet_.unreadable, "");
}

TEST_F(SocketIoCodec, ClosesOnAConnectItCannotRead) {
  ExpectBad(R"(0{"token":"\ud83d"})");
  ExpectBad("0{\"a\":" + std::string(40, '[') + std::string(40, ']') + "}");
}

TEST_F(SocketIoCodec, ForgetsThePacketBefore) {
  ASSERT_TRUE(Decode(R"(2/n,5["x"])").ok());

  ASSERT_TRUE(Decode("1").ok());

  EXPECT_EQ(packet_.nsp, "/");
  EXPECT_EQ(packet_.ack_id, std::nullopt);
  EXPECT_EQ(packet_.event, "");
  EXPECT_EQ(packet_.json, nullptr);
}

TEST(SocketIoEncoders, WriteConnect) {
  std::string out;

  AppendSocketIoConnect("/", "s-1", {}, out);
  out.push_back('\n');
  AppendSocketIoConnect("/ns", "s\"2", {}, out);

  EXPECT_EQ(out, "40{\"sid\":\"s-1\"}\n40/ns,{\"sid\":\"s\\\"2\"}");
}

TEST(SocketIoEncoders, WriteConnectWithASecret) {
  std::string out;

  AppendSocketIoConnect("/", "s-1", "0123", out);

  EXPECT_EQ(out, R"(40{"sid":"s-1","pid":"0123"})");
}

TEST(SocketIoEncoders, WriteConnectErrorWithItsReason) {
  std::string out;

  AppendSocketIoConnectError("/", MakeError(v1::REASON_TOKEN_EXPIRED, "too late"), out);

  EXPECT_EQ(out, R"(44{"message":"too late","data":{"reason":"TOKEN_EXPIRED","message":"too late",)"
                 R"("retryable":false}})");
}

TEST(SocketIoEncoders, WriteInvalidNamespace) {
  std::string out;

  AppendSocketIoInvalidNamespace("/ns", out);

  EXPECT_EQ(out, R"(44/ns,{"message":"Invalid namespace"})");
}

TEST(SocketIoEncoders, WriteDisconnect) {
  std::string out;

  AppendSocketIoDisconnect("/", out);
  out.push_back('\n');
  AppendSocketIoDisconnect("/ns", out);

  EXPECT_EQ(out, "41\n41/ns,");
}

TEST(SocketIoEncoders, WriteThePrefixOfEventsAndAcks) {
  std::string out;

  AppendSocketIoEventPrefix("/", out);
  out.append("[1]\n");
  AppendSocketIoEventPrefix("/ns", out);
  out.append("[1]\n");
  AppendSocketIoAckPrefix("/", 0, out);
  out.append("[]\n");
  AppendSocketIoAckPrefix("/ns", UINT64_MAX, out);
  out.append("[]");

  EXPECT_EQ(out, "42[1]\n42/ns,[1]\n430[]\n43/ns,18446744073709551615[]");
}

TEST(SocketIoEncoders, WriteThePrefixOfPacketsWithAttachments) {
  std::string out;

  AppendSocketIoBinaryEventPrefix("/", 2, out);
  out.append("[1]\n");
  AppendSocketIoBinaryEventPrefix("/ns", 10, out);
  out.append("[1]\n");
  AppendSocketIoBinaryAckPrefix("/", 1, 0, out);
  out.append("[1]\n");
  AppendSocketIoBinaryAckPrefix("/ns", 1, 789, out);
  out.append("[1]");

  EXPECT_EQ(out, "452-[1]\n4510-/ns,[1]\n461-0[1]\n461-/ns,789[1]");
}

TEST(SocketIoEncoders, WriteARefusalWithItsDelay) {
  std::string out;

  AppendErrorObject(MakeError(v1::REASON_RATE_LIMITED, "more than 10/s", 250), out);

  EXPECT_EQ(out, R"({"reason":"RATE_LIMITED","message":"more than 10/s","retryable":true,)"
                 R"("retryAfterMs":250})");
}

}  // namespace
}  // namespace confab::edge
