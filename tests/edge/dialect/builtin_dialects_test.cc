// Every event and ack of the built-in dialects, byte for byte, as their clients' documents show it.
// The default dialect has a file of its own.
#include <gtest/gtest.h>

#include "edge/dialect/dialect_set.h"
#include "tests/edge/dialect/dialect_fixture.h"

namespace confab::edge {
namespace {

const DialectSet& Builtin() {
  static const DialectSet set = *DialectSet::Load("");
  return set;
}

constexpr char kTime[] = R"("createdAt":"2026-11-21T07:04:05.007Z")";

class RoomsDialectTest : public DialectTest {
 protected:
  RoomsDialectTest() : DialectTest(Builtin().Find("rooms")) {}
};

class RoomsClassicDialectTest : public DialectTest {
 protected:
  RoomsClassicDialectTest() : DialectTest(Builtin().Find("rooms-classic")) {}
};

class AckedDialectTest : public DialectTest {
 protected:
  AckedDialectTest() : DialectTest(Builtin().Find("acked")) {}
};

class NamespacedDialectTest : public DialectTest {
 protected:
  NamespacedDialectTest() : DialectTest(Builtin().Find("namespaced")) {}
};

class EventsDialectTest : public DialectTest {
 protected:
  EventsDialectTest() : DialectTest(Builtin().Find("events")) {}
};

TEST_F(RoomsDialectTest, ReadsNumericRooms) {
  ASSERT_FALSE(Translate(R"(["joinRoom",{"roomId":1}])"));
  EXPECT_EQ(command_.join_room().room_id(), "1");
  ASSERT_FALSE(Translate(R"(["leaveRoom",{"roomId":1}])"));
  EXPECT_EQ(command_.leave_room().room_id(), "1");
  ASSERT_FALSE(Translate(R"(["sendMessage",{"roomId":1,"content":"Hello!"}])"));
  EXPECT_EQ(command_.post_message().room_id(), "1");
  EXPECT_EQ(command_.post_message().content(), "Hello!");
}

TEST_F(RoomsDialectTest, WritesMessageCreatedWithNumbers) {
  EXPECT_EQ(Encode(MessageOf("1", "7")),
            std::string(R"(["messageCreated",{"id":12,"messageId":"0199-m","roomId":1,)"
                        R"("senderId":7,"userId":7,"content":"hi\n😀",)") +
                kTime + "}]");
}

TEST_F(RoomsDialectTest, WritesOtherIdsAsTexts) {
  EXPECT_EQ(Encode(MessageOf("01", "u-7")),
            std::string(R"(["messageCreated",{"id":12,"messageId":"0199-m","roomId":"01",)"
                        R"("senderId":"u-7","userId":"u-7","content":"hi\n😀",)") +
                kTime + "}]");
}

TEST_F(RoomsDialectTest, ConfirmsByEvents) {
  EXPECT_EQ(Confirm(Joined("1")), R"(["roomJoined",{"roomId":1}])");
  EXPECT_EQ(Confirm(Left("1")), R"(["roomLeft",{"roomId":1}])");
  EXPECT_EQ(Confirm(Posted()), "nothing");
  EXPECT_EQ(Confirm(RefusedFor(v1::REASON_NOT_A_MEMBER)), "nothing");
}

TEST_F(RoomsDialectTest, AcksWhoAsks) {
  EXPECT_EQ(Ack(Joined("1")), R"([{"success":true,"roomId":1}])");
  EXPECT_EQ(Ack(Left("1")), R"([{"success":true,"roomId":1}])");
  EXPECT_EQ(Ack(Posted()), R"([{"success":true,"id":5,"messageId":"0199-m"}])");
  EXPECT_EQ(Ack(RefusedFor(v1::REASON_NOT_A_MEMBER)), R"([{"success":false,"error":"because"}])");
}

TEST_F(RoomsDialectTest, TellsEveryRefusalAsAnEvent) {
  EXPECT_TRUE(dialect_->tells_every_refusal());
  EXPECT_EQ(Refused(R"(["joinRoom",{}])"),
            R"([{"success":false,"error":"joinRoom: roomId is missing"}] | )"
            R"(["error",{"message":"joinRoom: roomId is missing"}])");
}

TEST_F(RoomsDialectTest, SkipsWhatHasNoName) {
  v1::Event event = EventOf("1", "7");
  event.mutable_member_added()->set_user_id("8");
  std::string out = "kept";

  EXPECT_EQ(Encode(event), "skipped");
  EXPECT_EQ(Signal(TypingIn("1", "7")), "skipped");
  EXPECT_FALSE(dialect_->EncodeConnected("c", v1::User(), out));
  EXPECT_FALSE(dialect_->EncodeClosing(1001, "SERVER_STOPPING", 0, out));
  EXPECT_FALSE(dialect_->EncodeExpiring(v1::TokenExpiring(), out));
  EXPECT_FALSE(dialect_->EncodeNotification(NoteOf("sale", "{}"), "{}", out));
  EXPECT_EQ(Encode(NotePosted("1", NoteOf("sale", "{}"))), "skipped");
  EXPECT_FALSE(dialect_->has_notifications());
  EXPECT_EQ(out, "kept");
}

TEST_F(RoomsClassicDialectTest, ShowsTheSenderAsAUser) {
  EXPECT_EQ(Encode(MessageOf("1", "7")),
            std::string(R"(["newMessage",{"id":12,"messageId":"0199-m","roomId":1,"senderId":7,)"
                        R"("userId":7,"content":"hi\n😀",)") +
                kTime + R"(,"user":{"id":7,"email":"ann@example.org","name":"Ann \"A\""}}])");
}

TEST_F(RoomsClassicDialectTest, WritesNullForAnUnknownAddress) {
  EXPECT_NE(Encode(MessageOf("1", "7"), "").find(R"("user":{"id":7,"email":null,"name":)"),
            std::string::npos);
}

TEST_F(RoomsClassicDialectTest, HasNamesOfItsOwn) {
  ASSERT_FALSE(Translate(R"(["joinRoom",{"roomId":5}])"));
  EXPECT_EQ(Confirm(Joined("5")), R"(["joinedRoom",{"roomId":5}])");
  EXPECT_EQ(Confirm(Left("5")), R"(["leftRoom",{"roomId":5}])");
  EXPECT_EQ(Refused(R"(["sendMessage",{"roomId":5}])"),
            R"([{"success":false,"error":"sendMessage: content is missing"}] | )"
            R"(["error",{"message":"sendMessage: content is missing"}])");
  EXPECT_TRUE(dialect_->tells_every_refusal());
}

TEST_F(AckedDialectTest, ReadsSendMessage) {
  ASSERT_FALSE(Translate(
      R"(["sendMessage",{"roomId":"a-uuid","clientMsgId":"c-1","type":"TEXT","content":"hi"}])"));

  EXPECT_EQ(command_.post_message().room_id(), "a-uuid");
  EXPECT_EQ(command_.post_message().client_msg_id(), "c-1");
  EXPECT_EQ(command_.post_message().type(), "TEXT");
  EXPECT_EQ(Ack(Posted()), R"([{"clientMsgId":"c-1","status":"ACCEPTED"}])");
  EXPECT_EQ(Ack(RefusedFor(v1::REASON_NOT_A_MEMBER)),
            R"([{"clientMsgId":"c-1","status":"FAILED"}])");
}

TEST_F(AckedDialectTest, AnswersAMessageOfWrongShapeAsFailed) {
  EXPECT_EQ(Refused(R"(["sendMessage",{"roomId":"r","clientMsgId":"c-1","type":"TEXT"}])"),
            R"([{"clientMsgId":"c-1","status":"FAILED"}] | )"
            R"(["error",{"message":"sendMessage: content is missing"}])");
  EXPECT_EQ(RefusalAck(R"(["sendMessage",{"roomId":1.5,"clientMsgId":"c-1"}])"),
            R"([{"clientMsgId":"c-1","status":"FAILED"}])");
  EXPECT_EQ(RefusalAck(R"(["sendMessage",{"clientMsgId":5}])"),
            R"([{"clientMsgId":null,"status":"FAILED"}])");
  EXPECT_EQ(RefusalAck(R"(["sendMessage","hi"])"), R"([{"clientMsgId":null,"status":"FAILED"}])");
  EXPECT_FALSE(dialect_->tells_every_refusal());
}

TEST_F(AckedDialectTest, AnswersJoinRoom) {
  ASSERT_FALSE(Translate(R"(["joinRoom",{"roomId":"a-uuid"}])"));
  EXPECT_EQ(Ack(Joined("a-uuid")), R"([{"success":true}])");
  EXPECT_EQ(Ack(RefusedFor(v1::REASON_NOT_A_MEMBER)), R"([{"success":false,"error":"because"}])");
  EXPECT_EQ(Refused(R"(["joinRoom",{"roomId":null}])"),
            R"([{"success":false,"error":"joinRoom: roomId is missing"}] | )"
            R"(["error",{"message":"joinRoom: roomId is missing"}])");
  EXPECT_EQ(Confirm(Joined("a-uuid")), "nothing");
}

TEST_F(AckedDialectTest, TakesAHeartbeatWithOrWithoutAnObject) {
  v1::Result result;
  result.mutable_heartbeat();
  for (const std::string payload :
       {R"(["heartbeat",{}])", R"(["heartbeat"])", R"(["heartbeat",1])"}) {
    ASSERT_FALSE(Translate(payload));
    EXPECT_TRUE(command_.has_heartbeat());
    EXPECT_EQ(Ack(result), R"([{"success":true}])");
  }
  EXPECT_TRUE(dialect_->connect().awaits_heartbeat);
}

TEST_F(AckedDialectTest, AnswersAnUnknownEvent) {
  EXPECT_EQ(Refused(R"(["leaveRoom",{"roomId":"r"}])"),
            R"([{"success":false,"error":"no event is named \"leaveRoom\""}] | )"
            R"(["error",{"message":"no event is named \"leaveRoom\""}])");
}

TEST_F(AckedDialectTest, WritesNewMessage) {
  EXPECT_EQ(Encode(MessageOf("42", "7")),
            std::string(R"(["newMessage",{"messageId":"0199-m","roomId":"42","senderId":"7",)"
                        R"("clientMsgId":"c-1","type":"text","content":"hi\n😀",)") +
                kTime + "}]");
}

TEST_F(NamespacedDialectTest, ReadsItsEvents) {
  ASSERT_FALSE(Translate(R"(["chat:send",{"chatId":"chat-123","content":"Привет!"}])"));
  EXPECT_EQ(command_.post_message().room_id(), "chat-123");
  EXPECT_EQ(command_.post_message().content(), "Привет!");
  ASSERT_FALSE(Translate(R"(["chat:join",{"chatId":"chat-123"}])"));
  EXPECT_EQ(command_.join_room().room_id(), "chat-123");
  ASSERT_FALSE(Translate(R"(["chat:leave",{"chatId":"chat-123"}])"));
  EXPECT_EQ(command_.leave_room().room_id(), "chat-123");
  ASSERT_FALSE(Translate(R"(["chat:typing",{"chatId":"chat-123","isTyping":true}])"));
  EXPECT_EQ(command_.set_typing().room_id(), "chat-123");
  EXPECT_TRUE(command_.set_typing().is_typing());
  ASSERT_FALSE(Translate(R"(["presence:ping"])"));
  EXPECT_TRUE(command_.has_heartbeat());
}

TEST_F(NamespacedDialectTest, AcksEverySuccessAlike) {
  v1::Result typing;
  typing.mutable_set_typing();
  v1::Result heartbeat;
  heartbeat.mutable_heartbeat();
  for (const v1::Result& result : {Joined("c"), Left("c"), Posted(), typing, heartbeat}) {
    EXPECT_EQ(Ack(result), R"([{"success":true}])");
  }
}

TEST_F(NamespacedDialectTest, AcksARefusal) {
  EXPECT_EQ(Ack(RefusedFor(v1::REASON_NOT_A_MEMBER)),
            R"([{"success":false,"error":"because","reason":"NOT_A_MEMBER"}])");
  EXPECT_EQ(Refused(R"(["chat:typing",{"chatId":"c","isTyping":"yes"}])"),
            R"([{"success":false,"error":"chat:typing: isTyping must be true or false",)"
            R"("reason":"BAD_REQUEST"}] | )"
            R"(["error",{"message":"chat:typing: isTyping must be true or false"}])");
  EXPECT_FALSE(dialect_->tells_every_refusal());
}

TEST_F(NamespacedDialectTest, WritesMessagesAndSignals) {
  EXPECT_EQ(Encode(MessageOf("chat-123", "7")),
            std::string(R"(["chat:message",{"id":"0199-m","content":"hi\n😀","senderId":"7",)"
                        R"("chatId":"chat-123",)") +
                kTime + "}]");
  EXPECT_EQ(Signal(TypingIn("chat-123", "7")), R"(["chat:typing",{"userId":"7","isTyping":true}])");
  EXPECT_EQ(Signal(PresenceOf("7", true)), R"(["presence:online",{"userId":"7"}])");
  EXPECT_EQ(Signal(PresenceOf("7", false)), R"(["presence:offline",{"userId":"7"}])");
  EXPECT_EQ(Signal(SnapshotOf({"7", "8"})), R"(["presence:bulk-online",{"userIds":["7","8"]}])");
  EXPECT_EQ(Signal(SnapshotOf({})), R"(["presence:bulk-online",{"userIds":[]}])");
  EXPECT_EQ(Signal(v1::Signal()), "skipped");
}

TEST_F(NamespacedDialectTest, JoinsTopicsOnConnecting) {
  EXPECT_TRUE(dialect_->connect().has_user_topic);
  EXPECT_TRUE(dialect_->connect().has_role_topic);
  EXPECT_EQ(dialect_->connect().auto_subscribe, "");
  EXPECT_FALSE(dialect_->connect().awaits_heartbeat);
}

TEST_F(EventsDialectTest, PassesAPushOnUnderItsOwnName) {
  for (const std::string name :
       {"game_started", "narrative_update", "action_result", "state_update", "player_status_update",
        "sp_update", "sp_insufficient", "sp_daily_recovery", "notification"}) {
    const std::string payload = R"({"type":")" + name + R"(","current_sp":1.50,"x":[1,{}]})";
    std::string out;

    EXPECT_TRUE(dialect_->EncodeNotification(NoteOf(name, payload), payload, out));

    EXPECT_EQ(out, "[\"" + name + "\"," + payload + "]");
    EXPECT_EQ(Encode(NotePosted("game_1", NoteOf(name, payload))), out);
  }
  EXPECT_TRUE(dialect_->has_notifications());
  EXPECT_FALSE(dialect_->can_ack_inbox());
}

TEST_F(EventsDialectTest, GreetsAndRefuses) {
  v1::User user;
  user.set_id("42");
  std::string out;
  EXPECT_TRUE(dialect_->EncodeConnected("c-7", user, out));
  EXPECT_EQ(out, R"(["connected",{"connectionId":"c-7","userId":"42"}])");
  EXPECT_EQ(Refused(R"(["attack",{}])"),
            R"([{"success":false,"error":{"reason":"UNKNOWN_COMMAND",)"
            R"("message":"no event is named \"attack\"","retryable":false}}] | )"
            R"(["error",{"reason":"UNKNOWN_COMMAND",)"
            R"("message":"no event is named \"attack\"","retryable":false}])");
  EXPECT_FALSE(dialect_->tells_every_refusal());
}

TEST_F(EventsDialectTest, SubscribesToGamesAndTheUser) {
  EXPECT_EQ(dialect_->connect().auto_subscribe, "game_*");
  EXPECT_TRUE(dialect_->connect().has_user_topic);
  EXPECT_FALSE(dialect_->connect().has_role_topic);
  EXPECT_EQ(Encode(MessageOf("game_1", "7")), "skipped");
}

class BuiltinDialectsTest : public DialectTest {};

TEST_F(BuiltinDialectsTest, AreTheSixFamilies) {
  EXPECT_EQ(Builtin().Names(), "acked, confab, events, namespaced, rooms, rooms-classic");
}

TEST_F(BuiltinDialectsTest, ShowAnAddressInRoomsClassicAlone) {
  for (std::size_t i = 0; i < Builtin().size(); ++i) {
    dialect_ = &Builtin().at(i);
    const bool shows = Encode(MessageOf("1", "7")).find("ann@example.org") != std::string::npos;
    EXPECT_EQ(shows, dialect_->name() == "rooms-classic") << dialect_->name();
  }
}

TEST_F(BuiltinDialectsTest, RefuseIdsThatAreNoPlainDigits) {
  for (const char* name : {"confab", "rooms", "rooms-classic", "acked"}) {
    dialect_ = Builtin().Find(name);
    for (const std::string id : {"1.0", "1e3", "-1", "-0", "1E0", "9007199254740992", "true"}) {
      const auto refusal = Translate("[\"joinRoom\",{\"roomId\":" + id + "}]");
      ASSERT_TRUE(refusal) << name << ' ' << id;
      EXPECT_EQ(refusal->reason(), v1::REASON_BAD_REQUEST);
      EXPECT_EQ(refusal->message(),
                "joinRoom: roomId must be a string, or a whole number from 0 to 9007199254740991");
    }
  }
}

TEST_F(BuiltinDialectsTest, TakeNoNumberWithALeadingZero) {
  EXPECT_FALSE(parser_.Parse(R"(["joinRoom",{"roomId":01}])").ok());  // It is no JSON.
}

}  // namespace
}  // namespace confab::edge
