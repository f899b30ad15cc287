#include "edge/connection/event_encoder.h"

#include <cstdint>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "confab/v1/client.pb.h"

#include "edge/dialect/dialect_loader.h"
#include "edge/dialect/dialect_set.h"
#include "edge/protocol/websocket_frame.h"

namespace confab::edge {
namespace {

class EventEncoderTest : public testing::Test {
 protected:
  static v1::Notification Note(const std::string& event) {
    v1::Notification note;
    note.set_event(event);
    return note;
  }
  const DialectSet dialects_ = DialectSet::Load("").value();
  std::string scratch_;
};

TEST_F(EventEncoderTest, WritesANotificationAsAnEvent) {
  const SocketIoEventEncoder encoder(0, *dialects_.Find("events"), "/game");
  v1::Notification note = Note("sale");
  note.set_json("{\"a\" : 1.50}");

  const SharedFrame frame = encoder.Encode(note, scratch_);

  std::string_view frames = frame.bytes();
  const WebSocketFrameView view = CutWebSocketFrame(frames);
  EXPECT_EQ(view.payload, "42/game,[\"sale\",{\"a\" : 1.50}]");
  EXPECT_TRUE(frames.empty());
}

TEST_F(EventEncoderTest, WritesBytesAsAnAttachmentBehindTheirEvent) {
  const SocketIoEventEncoder encoder(0, *dialects_.Find("events"), "/");
  v1::Notification note = Note("image");
  note.set_binary(std::string(70'000, '\xff'));

  const SharedFrame frame = encoder.Encode(note, scratch_);

  std::string_view frames = frame.bytes();
  const WebSocketFrameView event = CutWebSocketFrame(frames);
  EXPECT_EQ(event.opcode, WebSocketOpcode::kText);
  EXPECT_EQ(event.payload, "451-[\"image\",{\"_placeholder\":true,\"num\":0}]");
  const WebSocketFrameView bytes = CutWebSocketFrame(frames);
  EXPECT_EQ(bytes.opcode, WebSocketOpcode::kBinary);
  EXPECT_EQ(bytes.payload, note.binary());
  EXPECT_TRUE(frames.empty());
}

TEST_F(EventEncoderTest, AsksForAnAckOfWhatStandsInAnInboxWhereTheDialectDoes) {
  const auto dialect = ParseDialect("x.json", R"({"dialect": "x", "refusals": {"default": {}},
      "notification": {"name": "$event", "payload": "$payload", "ack": true}})");
  ASSERT_TRUE(dialect.ok()) << dialect.status();
  const SocketIoEventEncoder main(0, **dialect, "/");
  const SocketIoEventEncoder other(1, **dialect, "/game");
  v1::Notification note = Note("sale");
  note.set_json("[1]");
  v1::Notification image = Note("image");
  image.set_binary("abc");
  const auto first_of = [&](const SocketIoEventEncoder& encoder, const v1::Notification& told) {
    const SharedFrame frame = encoder.EncodeLogged(told, scratch_);
    std::string_view frames = frame.bytes();
    return std::string(CutWebSocketFrame(frames).payload);
  };
  EXPECT_EQ(first_of(main, note), "42[\"sale\",[1]]") << "live alone: nobody waits for an ack";

  note.set_inbox_seq(7);
  image.set_inbox_seq(8);

  EXPECT_EQ(first_of(main, note), "427[\"sale\",[1]]");
  EXPECT_EQ(first_of(other, note), "42/game,7[\"sale\",[1]]");
  EXPECT_EQ(first_of(main, image), "451-8[\"image\",{\"_placeholder\":true,\"num\":0}]");
  EXPECT_EQ(first_of(other, image), "451-/game,8[\"image\",{\"_placeholder\":true,\"num\":0}]");
  EXPECT_TRUE(main.asks_inbox_acks());
  EXPECT_FALSE(main.can_ack_inbox());
}

TEST_F(EventEncoderTest, AsksForNoAckInTheDialectsThatAreBuiltIn) {
  v1::Notification note = Note("sale");
  note.set_json("1");
  note.set_inbox_seq(7);
  for (std::size_t i = 0; i < dialects_.size(); ++i) {
    const SocketIoEventEncoder encoder(i, dialects_.at(i), "/");
    const SharedFrame frame = encoder.Encode(note, scratch_);
    EXPECT_FALSE(encoder.asks_inbox_acks());
    if (!frame) continue;
    std::string_view frames = frame.bytes();
    EXPECT_EQ(CutWebSocketFrame(frames).payload.substr(0, 3), "42[") << dialects_.at(i).name();
  }
}

TEST_F(EventEncoderTest, AddsTheOffsetBehindEverythingElse) {
  const std::string beginning = "e.1.";
  OffsetStamp stamp(beginning);
  const SocketIoEventEncoder encoder(0, *dialects_.Find("events"), "/", &stamp);
  v1::Notification text = Note("sale");
  text.set_json("7");
  v1::Notification binary = Note("image");
  binary.set_binary("bytes");
  stamp.Set(NumberOf(0, 5));

  const SharedFrame first = encoder.Encode(text, scratch_);
  stamp.Set(NumberOf(0, 6));
  const SharedFrame second = encoder.Encode(binary, scratch_);

  std::string_view frames = first.bytes();
  EXPECT_EQ(CutWebSocketFrame(frames).payload, R"(42["sale",7,"e.1.5"])");
  frames = second.bytes();
  EXPECT_EQ(CutWebSocketFrame(frames).payload,
            R"(451-["image",{"_placeholder":true,"num":0},"e.1.6"])");
  EXPECT_EQ(CutWebSocketFrame(frames).payload, "bytes");
}

TEST_F(EventEncoderTest, HasNoFrameWhereADialectHasNoName) {
  const SocketIoEventEncoder encoder(0, *dialects_.Find("rooms"), "/");

  EXPECT_FALSE(encoder.Encode(Note("sale"), scratch_));
  EXPECT_FALSE(encoder.can_notify());
}

TEST_F(EventEncoderTest, WritesANotificationNatively) {
  const NativeEventEncoder encoder(0, NativeForm::kBinary);
  v1::Notification note = Note("sale");
  note.set_json("1");
  note.set_inbox_seq(7);

  const SharedFrame kept = encoder.Encode(note, scratch_);

  std::string_view frames = kept.bytes();
  const WebSocketFrameView view = CutWebSocketFrame(frames);
  v1::ServerFrame frame;
  ASSERT_TRUE(frame.ParseFromArray(view.payload.data(), static_cast<int>(view.payload.size())));
  EXPECT_EQ(frame.notification().event(), "sale");
  EXPECT_EQ(frame.notification().inbox_seq(), 7);
  EXPECT_TRUE(encoder.can_ack_inbox());
}

TEST(EventEncoderKeys, TellRoomsEncodersAndTheInboxApart) {
  const NativeEventEncoder json(0, NativeForm::kJson);
  const NativeEventEncoder binary(1, NativeForm::kBinary);
  std::set<std::uint64_t> keys = {json.KeyOfInbox(), binary.KeyOfInbox()};
  for (int i = 0; i < 1'000; ++i) {
    keys.insert(json.KeyOfRoom(std::to_string(i)));
    keys.insert(binary.KeyOfRoom(std::to_string(i)));
  }

  EXPECT_EQ(keys.size(), 2'002u);
  EXPECT_EQ(keys.count(0), 0u);
  EXPECT_EQ(json.KeyOfRoom("7"), json.KeyOfRoom(std::string("7")));
}

TEST(EventEncoderKeys, GoWithWhatIsLoggedAlone) {
  const NativeEventEncoder encoder(1, NativeForm::kJson);
  std::string scratch;
  v1::Event event;
  event.set_room_id("7");
  event.set_seq(12);
  event.mutable_message_deleted();
  v1::Notification notification;
  notification.set_event("x");

  const SharedFrame logged = encoder.EncodeLogged(event, {}, scratch);
  EXPECT_EQ(logged.place().key, encoder.KeyOfRoom("7"));
  EXPECT_EQ(logged.place().seq, 12);
  EXPECT_EQ(encoder.EncodeLogged(notification, scratch).place().key, 0u);
  notification.set_inbox_seq(3);
  EXPECT_EQ(encoder.EncodeLogged(notification, scratch).place().key, encoder.KeyOfInbox());
  EXPECT_FALSE(encoder.EncodeLogged(v1::Event(), {}, scratch)) << "no name for it";
}

}  // namespace
}  // namespace confab::edge
