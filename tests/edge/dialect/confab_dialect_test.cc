// The default dialect, byte for byte: what its clients and the tests of the whole system rely on.
#include <gtest/gtest.h>

#include "edge/dialect/dialect_set.h"
#include "edge/protocol/json_text.h"
#include "proto/reason.h"

namespace confab::edge {
namespace {

class ConfabDialectTest : public testing::Test {
 protected:
  // `payload` is the whole array of the event, its name in front.
  std::optional<v1::Error> Translate(const std::string& payload) {
    const auto value = parser_.Parse(payload);
    EXPECT_TRUE(value.ok()) << payload;
    const auto& items = (*value)->as_array();
    const auto& name = items.front().as_string();
    command_.Clear();
    return dialect_.Translate({name.data(), name.size()}, std::span(items).subspan(1), payload,
                              command_);
  }

  void ExpectBad(const std::string& payload, const std::string& message) {
    const auto refusal = Translate(payload);
    ASSERT_TRUE(refusal) << payload;
    EXPECT_EQ(refusal->reason(), v1::REASON_BAD_REQUEST) << payload;
    EXPECT_EQ(refusal->message(), message);
    EXPECT_FALSE(refusal->retryable());
  }

  std::string Encode(const v1::Event& event) {
    std::string out;
    EXPECT_TRUE(dialect_.EncodeEvent(event, "ann@example.org", out));
    return out;
  }

  std::string Ack(const v1::Result& result) {
    std::string out;
    EXPECT_TRUE(dialect_.EncodeAck(command_, result, out));
    return out;
  }

  const DialectSet set_ = *DialectSet::Load("");
  const Dialect& dialect_ = *set_.Find("confab");
  JsonParser parser_;
  v1::Command command_;
};

v1::Event BaseEvent() {
  v1::Event event;
  event.set_room_id("room-1");
  event.set_seq(12);
  event.mutable_created_at()->set_seconds(1'795'244'645);
  event.mutable_created_at()->set_nanos(7'000'000);
  event.mutable_actor()->set_id("ann");
  event.mutable_actor()->set_name("Ann \"A\"");
  return event;
}

v1::Event MessageEvent() {
  v1::Event event = BaseEvent();
  v1::MessagePosted& message = *event.mutable_message_posted();
  message.set_message_id("0199-m");
  message.set_client_msg_id("c-1");
  message.set_type("text");
  message.set_content("hi\n😀");
  return event;
}

TEST_F(ConfabDialectTest, ReadsSendMessage) {
  const auto refusal = Translate(
      R"(["sendMessage",{"roomId":"r","content":"hi","clientMsgId":"c","type":"md","replyTo":"m"}])");

  ASSERT_FALSE(refusal);
  const v1::PostMessage& post = command_.post_message();
  EXPECT_EQ(post.room_id(), "r");
  EXPECT_EQ(post.content(), "hi");
  EXPECT_EQ(post.client_msg_id(), "c");
  EXPECT_EQ(post.type(), "md");
  EXPECT_EQ(post.reply_to(), "m");
}

TEST_F(ConfabDialectTest, LeavesOutWhatIsOptional) {
  ASSERT_FALSE(Translate(R"(["sendMessage",{"roomId":"r","content":"hi"}])"));

  EXPECT_EQ(command_.post_message().client_msg_id(), "");
  EXPECT_EQ(command_.post_message().type(), "");
  EXPECT_EQ(command_.post_message().reply_to(), "");
}

TEST_F(ConfabDialectTest, TakesNullForMissing) {
  ASSERT_FALSE(Translate(R"(["sendMessage",{"roomId":"r","content":"hi","clientMsgId":null}])"));
  EXPECT_EQ(command_.post_message().client_msg_id(), "");

  ExpectBad(R"(["sendMessage",{"roomId":null,"content":"hi"}])", "sendMessage: roomId is missing");
}

TEST_F(ConfabDialectTest, IgnoresFieldsAndArgumentsItDoesNotKnow) {
  ASSERT_FALSE(Translate(R"(["leaveRoom",{"roomId":"r","colour":"red"},"more"])"));

  EXPECT_EQ(command_.leave_room().room_id(), "r");
}

TEST_F(ConfabDialectTest, ReadsJoinRoom) {
  ASSERT_FALSE(Translate(R"(["joinRoom",{"roomId":"r"}])"));
  EXPECT_EQ(command_.join_room().room_id(), "r");
  EXPECT_FALSE(command_.join_room().has_after_seq());

  ASSERT_FALSE(Translate(R"(["joinRoom",{"roomId":"r","afterSeq":0}])"));
  ASSERT_TRUE(command_.join_room().has_after_seq());
  EXPECT_EQ(command_.join_room().after_seq(), 0);
}

TEST_F(ConfabDialectTest, ReadsLeaveRoom) {
  ASSERT_FALSE(Translate(R"(["leaveRoom",{"roomId":"r"}])"));

  EXPECT_EQ(command_.leave_room().room_id(), "r");
}

TEST_F(ConfabDialectTest, ReadsGetHistory) {
  ASSERT_FALSE(Translate(R"(["getHistory",{"roomId":"r","beforeSeq":9,"afterSeq":3,"limit":20}])"));

  EXPECT_EQ(command_.get_history().room_id(), "r");
  EXPECT_EQ(command_.get_history().before_seq(), 9);
  EXPECT_EQ(command_.get_history().after_seq(), 3);
  EXPECT_EQ(command_.get_history().limit(), 20u);

  ASSERT_FALSE(Translate(R"(["getHistory",{"roomId":"r"}])"));
  EXPECT_FALSE(command_.get_history().has_before_seq());
  EXPECT_FALSE(command_.get_history().has_after_seq());
  EXPECT_EQ(command_.get_history().limit(), 0u);
}

TEST_F(ConfabDialectTest, DoesNotWrapALargeLimitAround) {
  ASSERT_FALSE(Translate(R"(["getHistory",{"roomId":"r","limit":4294967297}])"));

  EXPECT_EQ(command_.get_history().limit(), UINT32_MAX);
}

TEST_F(ConfabDialectTest, SetsNothingButTheCommand) {
  ASSERT_FALSE(Translate(R"(["leaveRoom",{"roomId":"r"}])"));

  EXPECT_EQ(command_.connection(), 0u);
  EXPECT_EQ(command_.request(), 0u);
  EXPECT_EQ(command_.deadline_ms(), 0u);
}

TEST_F(ConfabDialectTest, TakesPlainDigitsForAnId) {
  ASSERT_FALSE(Translate(R"(["leaveRoom",{"roomId":0}])"));
  EXPECT_EQ(command_.leave_room().room_id(), "0");

  ASSERT_FALSE(Translate(R"(["leaveRoom",{"roomId":9007199254740991}])"));
  EXPECT_EQ(command_.leave_room().room_id(), "9007199254740991");
}

TEST_F(ConfabDialectTest, RefusesOtherNumbersForAnId) {
  for (const std::string number : {"-1", "-0", "1.0", "1.5", "1e2", "9007199254740992",
                                   "18446744073709551615", "99999999999999999999"}) {
    ExpectBad("[\"leaveRoom\",{\"roomId\":" + number + "}]",
              "leaveRoom: roomId must be a string, or a whole number from 0 to 9007199254740991");
  }
}

TEST_F(ConfabDialectTest, RefusesOtherTypesForAnId) {
  for (const std::string value : {"true", "[]", "{}", "[\"r\"]"}) {
    ExpectBad("[\"leaveRoom\",{\"roomId\":" + value + "}]",
              "leaveRoom: roomId must be a string, or a whole number from 0 to 9007199254740991");
  }
}

TEST_F(ConfabDialectTest, NamesTheMissingField) {
  ExpectBad(R"(["sendMessage",{"content":"hi"}])", "sendMessage: roomId is missing");
  ExpectBad(R"(["editMessage",{"roomId":"r"}])", "editMessage: messageId is missing");
  ExpectBad(R"(["deleteMessage",{"messageId":"m"}])", "deleteMessage: roomId is missing");
  ExpectBad(R"(["markRead",{"roomId":"r"}])", "markRead: seq is missing");
  ExpectBad(R"(["joinRoom",{}])", "joinRoom: roomId is missing");
  ExpectBad(R"(["leaveRoom",{}])", "leaveRoom: roomId is missing");
  ExpectBad(R"(["getHistory",{}])", "getHistory: roomId is missing");
}

TEST_F(ConfabDialectTest, NamesTheFieldOfAWrongType) {
  ExpectBad(R"(["sendMessage",{"roomId":"r","content":5}])",
            "sendMessage: content must be a string");
  ExpectBad(R"(["sendMessage",{"roomId":"r","content":"x","clientMsgId":5}])",
            "sendMessage: clientMsgId must be a string");
  ExpectBad(R"(["sendMessage",{"roomId":"r","content":"x","type":[]}])",
            "sendMessage: type must be a string");
  ExpectBad(R"(["sendMessage",{"roomId":"r","content":"x","replyTo":{}}])",
            "sendMessage: replyTo must be a string");
  for (const std::string value : {"\"5\"", "-1", "1.5", "true", "9007199254740992"}) {
    ExpectBad("[\"joinRoom\",{\"roomId\":\"r\",\"afterSeq\":" + value + "}]",
              "joinRoom: afterSeq must be a whole number from 0 to 9007199254740991");
  }
  ExpectBad(R"(["getHistory",{"roomId":"r","limit":"5"}])",
            "getHistory: limit must be a whole number from 0 to 9007199254740991");
  ExpectBad(R"(["getHistory",{"roomId":"r","beforeSeq":"5"}])",
            "getHistory: beforeSeq must be a whole number from 0 to 9007199254740991");
}

TEST_F(ConfabDialectTest, NamesTheFirstThingWrong) {
  ExpectBad(R"(["sendMessage",{"roomId":[],"content":5}])",
            "sendMessage: roomId must be a string, or a whole number from 0 to 9007199254740991");
}

TEST_F(ConfabDialectTest, WantsAnObject) {
  for (const std::string rest : {"", ",null", ",\"r\"", ",5", ",[]"}) {
    ExpectBad("[\"joinRoom\"" + rest + "]", "joinRoom: the argument must be an object");
  }
}

TEST_F(ConfabDialectTest, RefusesUnknownEvents) {
  const auto refusal = Translate(R"(["sendmessage",{"roomId":"r","content":"x"}])");

  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason(), v1::REASON_UNKNOWN_COMMAND);
  EXPECT_EQ(refusal->message(), "no event is named \"sendmessage\"");
}

TEST_F(ConfabDialectTest, DoesNotRepeatAnEndlessEventName) {
  const auto refusal = Translate("[\"" + std::string(60'000, 'x') + "\"]");

  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason(), v1::REASON_UNKNOWN_COMMAND);
  EXPECT_EQ(refusal->message(), "the event's name exceeds 64 bytes");
}

TEST_F(ConfabDialectTest, WritesNewMessage) {
  EXPECT_EQ(Encode(MessageEvent()),
            R"(["newMessage",{"roomId":"room-1","seq":12,"messageId":"0199-m","senderId":"ann",)"
            R"("sender":{"id":"ann","name":"Ann \"A\""},"clientMsgId":"c-1","type":"text",)"
            R"("content":"hi\n😀","createdAt":"2026-11-21T07:04:05.007Z"}])");
}

TEST_F(ConfabDialectTest, WritesReplyToOnlyIfThereIsOne) {
  v1::Event event = MessageEvent();
  event.mutable_message_posted()->set_reply_to("0198-r");

  EXPECT_NE(Encode(event).find(R"("content":"hi\n😀","replyTo":"0198-r","createdAt")"),
            std::string::npos);
}

TEST_F(ConfabDialectTest, WritesNullWhereTheSenderGaveNoId) {
  v1::Event event = MessageEvent();
  event.mutable_message_posted()->clear_client_msg_id();

  EXPECT_NE(Encode(event).find(R"(,"clientMsgId":null,)"), std::string::npos);
}

TEST_F(ConfabDialectTest, ShowsNobodysAddress) {
  EXPECT_EQ(Encode(MessageEvent()).find("example.org"), std::string::npos);
}

TEST_F(ConfabDialectTest, LeavesARoomsDigitsAString) {
  v1::Event event = MessageEvent();
  event.set_room_id("42");

  EXPECT_NE(Encode(event).find(R"({"roomId":"42",)"), std::string::npos);
}

TEST_F(ConfabDialectTest, WritesMemberJoined) {
  v1::Event event = BaseEvent();
  event.mutable_member_added()->set_user_id("bob");
  event.mutable_member_added()->set_role(v1::ROLE_MODERATOR);

  EXPECT_EQ(Encode(event),
            R"(["memberJoined",{"roomId":"room-1","seq":12,"userId":"bob","role":"moderator",)"
            R"("createdAt":"2026-11-21T07:04:05.007Z","by":"ann"}])");
}

TEST_F(ConfabDialectTest, NamesNobodyForTheSystem) {
  v1::Event event = BaseEvent();
  event.clear_actor();
  event.mutable_member_added()->set_user_id("bob");
  event.mutable_member_added()->set_role(v1::ROLE_READER);

  EXPECT_EQ(Encode(event),
            R"(["memberJoined",{"roomId":"room-1","seq":12,"userId":"bob","role":"reader",)"
            R"("createdAt":"2026-11-21T07:04:05.007Z"}])");
}

TEST_F(ConfabDialectTest, WritesMemberLeft) {
  v1::Event event = BaseEvent();
  event.mutable_member_removed()->set_user_id("bob");

  EXPECT_EQ(Encode(event), R"(["memberLeft",{"roomId":"room-1","seq":12,"userId":"bob",)"
                           R"("createdAt":"2026-11-21T07:04:05.007Z","by":"ann"}])");
}

TEST_F(ConfabDialectTest, WritesMemberUpdated) {
  v1::Event event = BaseEvent();
  event.mutable_member_role_changed()->set_user_id("bob");
  event.mutable_member_role_changed()->set_role(v1::ROLE_OWNER);

  EXPECT_EQ(Encode(event),
            R"(["memberUpdated",{"roomId":"room-1","seq":12,"userId":"bob","role":"owner",)"
            R"("createdAt":"2026-11-21T07:04:05.007Z","by":"ann"}])");
}

TEST_F(ConfabDialectTest, WritesBansAndMutes) {
  v1::Event event = BaseEvent();
  event.mutable_member_banned()->set_user_id("bob");
  EXPECT_EQ(Encode(event),
            R"(["memberLeft",{"roomId":"room-1","seq":12,"userId":"bob","banned":true,)"
            R"("createdAt":"2026-11-21T07:04:05.007Z","by":"ann"}])");
  event.mutable_member_muted()->mutable_until()->set_seconds(1);
  EXPECT_NE(Encode(event).find(R"("muted":true,"until":"1970-01-01T00:00:01.000Z",)"),
            std::string::npos);
}
TEST_F(ConfabDialectTest, WritesRoomUpdatedWithItsMetadata) {
  v1::Event event = BaseEvent();
  v1::RoomUpdated& update = *event.mutable_room_updated();
  update.add_changed("metadata");
  update.set_visibility(v1::ROOM_VISIBILITY_PUBLIC);
  update.mutable_metadata()->insert({{"b", "\""}, {"a", "1"}});
  EXPECT_EQ(Encode(event),
            R"(["roomUpdated",{"roomId":"room-1","seq":12,"changed":["metadata"],"topic":"",)"
            R"("visibility":"public","isArchived":false,"isReadOnly":false,"slowModeSeconds":0,)"
            R"("metadata":{"a":"1","b":"\""},"createdAt":"2026-11-21T07:04:05.007Z","by":"ann"}])");
}

TEST_F(ConfabDialectTest, SkipsAnEventOfANewerControl) {
  std::string out = "kept";

  EXPECT_FALSE(dialect_.EncodeEvent(BaseEvent(), "", out));

  EXPECT_EQ(out, "kept");
}

TEST_F(ConfabDialectTest, AcksJoinRoom) {
  v1::Result result;
  result.mutable_join_room()->set_room_id("7");
  result.mutable_join_room()->set_role(v1::ROLE_MEMBER);
  result.mutable_join_room()->set_last_seq(0);

  EXPECT_EQ(Ack(result), R"([{"ok":true,"roomId":"7","role":"member","lastSeq":0}])");
}

TEST_F(ConfabDialectTest, AcksLeaveRoom) {
  v1::Result result;
  result.mutable_leave_room()->set_room_id("7");

  EXPECT_EQ(Ack(result), R"([{"ok":true,"roomId":"7"}])");
}

TEST_F(ConfabDialectTest, AcksSendMessage) {
  v1::Result result;
  result.mutable_post_message()->set_message_id("0199-m");
  result.mutable_post_message()->set_seq(5);
  result.mutable_post_message()->mutable_created_at()->set_seconds(0);

  EXPECT_EQ(Ack(result),
            R"([{"ok":true,"messageId":"0199-m","seq":5,"createdAt":"1970-01-01T00:00:00.000Z"}])");
}

TEST_F(ConfabDialectTest, AcksGetHistory) {
  v1::Result result;
  v1::HistoryPage& page = *result.mutable_history();
  *page.add_events() = BaseEvent();  // Of a kind without a name.
  *page.add_events() = MessageEvent();
  *page.add_events() = BaseEvent();
  page.mutable_events(2)->mutable_member_removed()->set_user_id("bob");
  page.set_more(true);

  EXPECT_EQ(Ack(result),
            R"([{"ok":true,"events":[)"
            R"({"event":"newMessage","roomId":"room-1","seq":12,"messageId":"0199-m",)"
            R"("senderId":"ann","sender":{"id":"ann","name":"Ann \"A\""},"clientMsgId":"c-1",)"
            R"("type":"text","content":"hi\n😀","createdAt":"2026-11-21T07:04:05.007Z"},)"
            R"({"event":"memberLeft","roomId":"room-1","seq":12,"userId":"bob",)"
            R"("createdAt":"2026-11-21T07:04:05.007Z","by":"ann"}],"more":true}])");
}

TEST_F(ConfabDialectTest, AcksARefusal) {
  v1::Result result;
  *result.mutable_error() = MakeError(v1::REASON_NOT_A_MEMBER, "not a member of \"7\"");

  EXPECT_EQ(Ack(result),
            R"([{"ok":false,"error":{"reason":"NOT_A_MEMBER","message":"not a member of \"7\"",)"
            R"("retryable":false}}])");
}

TEST_F(ConfabDialectTest, AcksAResultItDoesNotKnowAsADefect) {
  EXPECT_NE(Ack(v1::Result()).find(R"([{"ok":false,"error":{"reason":"INTERNAL")"),
            std::string::npos);
}

TEST_F(ConfabDialectTest, TellsARefusalOfAnUnackedEvent) {
  std::string out;

  EXPECT_TRUE(dialect_.EncodeError(MakeError(v1::REASON_UNAVAILABLE, "away", 200), out));

  EXPECT_EQ(out, R"(["error",{"reason":"UNAVAILABLE","message":"away","retryable":true,)"
                 R"("retryAfterMs":200}])");
}

TEST_F(ConfabDialectTest, WritesConnected) {
  v1::User user;
  user.set_id("42");
  user.set_name("Ann");
  std::string out;

  EXPECT_TRUE(dialect_.EncodeConnected("c-7", user, out));

  EXPECT_EQ(out, R"(["connected",{"connectionId":"c-7","user":{"id":"42","name":"Ann"}}])");
}

TEST_F(ConfabDialectTest, WritesServerClosing) {
  std::string out;

  EXPECT_TRUE(dialect_.EncodeClosing(4010, "DRAINING", 1'500, out));
  EXPECT_TRUE(dialect_.EncodeClosing(1001, "SERVER_STOPPING", 0, out));

  EXPECT_EQ(out, R"(["server:closing",{"code":4010,"reason":"DRAINING","retryAfterMs":1500}])"
                 R"(["server:closing",{"code":1001,"reason":"SERVER_STOPPING"}])");
}

TEST_F(ConfabDialectTest, ReadsAndAcksRefreshToken) {
  ASSERT_FALSE(Translate(R"(["refreshToken",{"token":"a.b.c"}])"));
  EXPECT_EQ(command_.refresh_token().token(), "a.b.c");
  v1::Result result;
  result.mutable_refresh_token()->mutable_expires_at()->set_seconds(1'795'158'245);

  EXPECT_EQ(Ack(result), R"([{"ok":true,"expiresAt":"2026-11-20T07:04:05.000Z"}])");
}

TEST_F(ConfabDialectTest, RefusesARefreshWithoutAToken) {
  const auto error = Translate(R"(["refreshToken",{}])");

  ASSERT_TRUE(error);
  EXPECT_EQ(error->message(), "refreshToken: token is missing");
}

TEST_F(ConfabDialectTest, ReadsAStatusByItsWord) {
  ASSERT_FALSE(Translate(R"(["setStatus",{"status":"dnd","text":"in a talk"}])"));
  EXPECT_EQ(command_.set_status().status(), v1::PRESENCE_STATUS_DND);
  EXPECT_EQ(command_.set_status().text(), "in a talk");
  v1::Result result;
  result.mutable_set_status();
  EXPECT_EQ(Ack(result), R"([{"ok":true}])");

  ExpectBad(R"(["setStatus",{"status":"asleep"}])",
            "setStatus: status must be one of online, away, dnd");
  ExpectBad(R"(["setStatus",{"status":2}])", "setStatus: status must be one of online, away, dnd");
  ExpectBad(R"(["setStatus",{"status":""}])", "setStatus: status must be one of online, away, dnd");
  ExpectBad(R"(["setStatus",{}])", "setStatus: status is missing");
}

TEST_F(ConfabDialectTest, WritesWhoIsOnlineOfARoom) {
  ASSERT_FALSE(Translate(R"(["getPresence",{"roomId":"den","limit":2,"after":"ann"}])"));
  EXPECT_EQ(command_.get_presence().page_size(), 2u);
  EXPECT_EQ(command_.get_presence().page_token(), "ann");
  v1::Result result;
  v1::PresencePage& page = *result.mutable_presence();
  page.set_room_id("den");
  page.add_user_ids("ben");
  page.set_online_count(2);
  page.set_member_count(300);

  EXPECT_EQ(Ack(result), R"([{"ok":true,"roomId":"den","online":["ben"],"onlineCount":2,)"
                         R"("memberCount":300}])");
}

TEST_F(ConfabDialectTest, WritesPresence) {
  v1::Signal signal;
  v1::Presence& presence = *signal.mutable_presence();
  presence.set_user_id("ben");
  presence.set_is_online(true);
  presence.set_status(v1::PRESENCE_STATUS_AWAY);
  presence.set_text("back at 5");
  std::string online;
  std::string offline;

  EXPECT_TRUE(dialect_.EncodeSignal(signal, online));
  presence.Clear();
  presence.set_user_id("ben");
  presence.mutable_last_seen()->set_seconds(1'795'158'245);
  EXPECT_TRUE(dialect_.EncodeSignal(signal, offline));

  EXPECT_EQ(online, R"(["presence",{"userId":"ben","status":"away","text":"back at 5"}])");
  EXPECT_EQ(offline, R"(["presence",{"userId":"ben","status":"offline",)"
                     R"("lastSeen":"2026-11-20T07:04:05.000Z"}])");
}

TEST_F(ConfabDialectTest, WritesTokenExpiring) {
  v1::TokenExpiring expiring;
  expiring.mutable_expires_at()->set_seconds(1'795'158'245);
  std::string out;

  EXPECT_TRUE(dialect_.EncodeExpiring(expiring, out));

  EXPECT_EQ(out, R"(["token:expiring",{"expiresAt":"2026-11-20T07:04:05.000Z"}])");
}

}  // namespace
}  // namespace confab::edge
