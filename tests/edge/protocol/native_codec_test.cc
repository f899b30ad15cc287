#include "edge/protocol/native_codec.h"

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

v1::ClientFrame PostFrame() {
  v1::ClientFrame frame;
  frame.set_request(7);
  frame.mutable_post_message()->set_room_id("r");
  frame.mutable_post_message()->set_content("hi");
  return frame;
}

absl::Status DecodeJson(std::string_view text, v1::ClientFrame& frame) {
  return DecodeClientFrame(NativeForm::kJson, text, frame);
}

TEST(NativeCodec, KnowsItsSubprotocols) {
  EXPECT_EQ(NativeFormOf("confab.v1.json"), NativeForm::kJson);
  EXPECT_EQ(NativeFormOf("confab.v1.proto"), NativeForm::kBinary);
  EXPECT_EQ(NativeFormOf("confab.v2.json"), std::nullopt);
  EXPECT_EQ(NativeFormOf(""), std::nullopt);
}

TEST(NativeCodec, ReadsABinaryFrame) {
  v1::ClientFrame frame;

  const absl::Status status =
      DecodeClientFrame(NativeForm::kBinary, PostFrame().SerializeAsString(), frame);

  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(frame.request(), 7u);
  EXPECT_EQ(frame.post_message().content(), "hi");
}

TEST(NativeCodec, ReadsAJsonFrame) {
  v1::ClientFrame frame;

  const absl::Status status = DecodeJson(
      R"({"request":7,"postMessage":{"roomId":"r","content":"hi","clientMsgId":"c"}})", frame);

  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(frame.request(), 7u);
  EXPECT_EQ(frame.post_message().room_id(), "r");
  EXPECT_EQ(frame.post_message().client_msg_id(), "c");
}

TEST(NativeCodec, TakesNumbersAsStringsToo) {
  v1::ClientFrame frame;

  ASSERT_TRUE(
      DecodeJson(R"({"request":"18446744073709551615","joinRoom":{"roomId":"r","afterSeq":"5"}})",
                 frame)
          .ok());

  EXPECT_EQ(frame.request(), UINT64_MAX);
  EXPECT_EQ(frame.join_room().after_seq(), 5);
}

TEST(NativeCodec, NamesAnUnknownJsonField) {
  v1::ClientFrame frame;

  const absl::Status status =
      DecodeJson(R"({"request":7,"postMessage":{"roomId":"r","contents":"hi"}})", frame);

  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_NE(status.message().find("contents"), absl::string_view::npos) << status;
}

TEST(NativeCodec, TellsTheRequestOfARefusedJsonFrame) {
  v1::ClientFrame frame;

  EXPECT_FALSE(DecodeJson(R"({"request":"7","nonsense":{}})", frame).ok());

  EXPECT_EQ(frame.request(), 7u);
  EXPECT_EQ(frame.frame_case(), v1::ClientFrame::FRAME_NOT_SET);
}

TEST(NativeCodec, TellsNoRequestWhereNoneCanBeRead) {
  for (const std::string_view text : {R"({"request":-1,"x":1})", R"({"request":{},"x":1})",
                                      R"({"request":1.5,"x":1})", R"({"x":1})", "{\"request\":7"}) {
    v1::ClientFrame frame = PostFrame();

    EXPECT_FALSE(DecodeJson(text, frame).ok()) << text;

    EXPECT_EQ(frame.request(), 0u) << text;
  }
}

TEST(NativeCodec, RefusesJsonThatIsNoObject) {
  for (const std::string_view text :
       {"", " ", "[]", "null", "5", "\"x\"", "nonsense", "{} {}", "{\"request\":}"}) {
    v1::ClientFrame frame;
    EXPECT_TRUE(absl::IsInvalidArgument(DecodeJson(text, frame))) << text;
  }
}

TEST(NativeCodec, RefusesWrongTypes) {
  for (const std::string_view text :
       {R"({"joinRoom":{"roomId":{}}})", R"({"joinRoom":5})", R"({"joinRoom":{"afterSeq":"x"}})",
        R"({"joinRoom":{"afterSeq":1.5}})", R"({"joinRoom":{"roomId":["r"]}})"}) {
    v1::ClientFrame frame;
    EXPECT_TRUE(absl::IsInvalidArgument(DecodeJson(text, frame))) << text;
  }
}

TEST(NativeCodec, RefusesTwoKindsInOneFrame) {
  v1::ClientFrame frame;

  EXPECT_FALSE(DecodeJson(R"({"joinRoom":{"roomId":"r"},"leaveRoom":{"roomId":"r"}})", frame).ok());
}

TEST(NativeCodec, RefusesJsonNestedTooDeep) {
  v1::ClientFrame frame;

  const absl::Status status = DecodeJson("{\"a\":" + std::string(40'000, '['), frame);

  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_NE(status.message().find("nested"), absl::string_view::npos) << status;
}

TEST(NativeCodec, RefusesWhatIsTooLarge) {
  v1::ClientFrame large = PostFrame();
  large.mutable_post_message()->set_content(std::string(kClientFrameBytesLimit, 'x'));
  v1::ClientFrame frame;

  const absl::Status status =
      DecodeClientFrame(NativeForm::kBinary, large.SerializeAsString(), frame);

  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_NE(status.message().find("65536"), absl::string_view::npos) << status;
}

TEST(NativeCodec, RefusesBrokenBinary) {
  const std::string whole = PostFrame().SerializeAsString();
  v1::ClientFrame frame;

  EXPECT_FALSE(
      DecodeClientFrame(NativeForm::kBinary, whole.substr(0, whole.size() - 1), frame).ok());

  EXPECT_EQ(frame.request(), 7u) << "the refusal can name the request";
  EXPECT_EQ(frame.frame_case(), v1::ClientFrame::FRAME_NOT_SET);
}

TEST(NativeCodec, RefusesInvalidUtf8InBothForms) {
  v1::ClientFrame bad = PostFrame();
  bad.mutable_post_message()->set_content("\xff");
  v1::ClientFrame frame;

  EXPECT_FALSE(DecodeClientFrame(NativeForm::kBinary, bad.SerializeAsString(), frame).ok());
  EXPECT_FALSE(DecodeJson("{\"leaveRoom\":{\"roomId\":\"\xff\"}}", frame).ok());
}

TEST(NativeCodec, LetsAFrameOfANewerClientThrough) {
  // Field 900, a length-delimited one that this version does not know.
  const std::string newer("\x08\x05\xa2\x38\x01x", 6);
  v1::ClientFrame frame;

  ASSERT_TRUE(DecodeClientFrame(NativeForm::kBinary, newer, frame).ok());

  EXPECT_EQ(frame.request(), 5u);
  EXPECT_EQ(frame.frame_case(), v1::ClientFrame::FRAME_NOT_SET);
}

TEST(NativeCodec, WritesBinaryThatReadsBack) {
  v1::ServerFrame frame;
  frame.mutable_reply()->set_request(9);
  frame.mutable_reply()->mutable_post_message()->set_seq(3);
  std::string out = "head";

  AppendServerFrame(NativeForm::kBinary, frame, out);

  v1::ServerFrame read;
  ASSERT_EQ(out.substr(0, 4), "head");
  ASSERT_TRUE(read.ParseFromString(out.substr(4)));
  EXPECT_EQ(read.reply().post_message().seq(), 3);
}

TEST(NativeCodec, WritesProto3Json) {
  v1::ServerFrame frame;
  frame.mutable_event()->set_room_id("r");
  frame.mutable_event()->set_seq(3);
  frame.mutable_event()->mutable_created_at()->set_seconds(0);
  frame.mutable_event()->mutable_created_at()->set_nanos(5'000'000);
  frame.mutable_event()->mutable_message_posted()->set_message_id("m");
  std::string out = "head";

  AppendServerFrame(NativeForm::kJson, frame, out);

  EXPECT_EQ(out, R"(head{"event":{"roomId":"r","seq":"3","createdAt":"1970-01-01T00:00:00.005Z",)"
                 R"("messagePosted":{"messageId":"m"}}})");
}

}  // namespace
}  // namespace confab::edge
