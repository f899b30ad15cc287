// dialect_fixture.h: a dialect under test, and the few things every family is told.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include <gtest/gtest.h>

#include "edge/dialect/dialect.h"
#include "edge/protocol/json_text.h"
#include "proto/reason.h"

namespace confab::edge {

inline v1::Event EventOf(const std::string& room, const std::string& actor) {
  v1::Event event;
  event.set_room_id(room);
  event.set_seq(12);
  event.mutable_created_at()->set_seconds(1'795'244'645);
  event.mutable_created_at()->set_nanos(7'000'000);
  event.mutable_actor()->set_id(actor);
  event.mutable_actor()->set_name("Ann \"A\"");
  return event;
}

inline v1::Event MessageOf(const std::string& room, const std::string& actor) {
  v1::Event event = EventOf(room, actor);
  v1::MessagePosted& message = *event.mutable_message_posted();
  message.set_message_id("0199-m");
  message.set_client_msg_id("c-1");
  message.set_type("text");
  message.set_content("hi\n😀");
  return event;
}

class DialectTest : public testing::Test {
 protected:
  explicit DialectTest(const Dialect* dialect = nullptr) : dialect_(dialect) {}

  // `payload` is the whole array of the event, its name in front.
  std::optional<v1::Error> Translate(const std::string& payload) {
    const auto value = parser_.Parse(payload);
    EXPECT_TRUE(value.ok()) << payload;
    const auto& items = (*value)->as_array();
    const auto& name = items.front().as_string();
    command_.Clear();
    return dialect_->Translate({name.data(), name.size()}, std::span(items).subspan(1), payload,
                               command_);
  }

  // What the client is told when it is refused for the shape of its event: "ack | event".
  std::string Refused(const std::string& payload) {
    const auto refusal = Translate(payload);
    if (!refusal) return "not refused";
    std::string ack;
    std::string event;
    EXPECT_TRUE(dialect_->EncodeRefusal(command_, *refusal, ack));
    if (!dialect_->EncodeError(*refusal, event)) event = "-";
    return ack + " | " + event;
  }

  // What alone the ack of a refusal says.
  std::string RefusalAck(const std::string& payload) {
    const std::string both = Refused(payload);
    return both.substr(0, both.find(" | "));
  }

  std::string Encode(const v1::Event& event, const std::string& email = "ann@example.org") {
    std::string out;
    return dialect_->EncodeEvent(event, email, out) ? out : "skipped";
  }
  std::string Ack(const v1::Result& result) {
    std::string out;
    EXPECT_TRUE(dialect_->EncodeAck(command_, result, out));
    return out;
  }
  std::string Confirm(const v1::Result& result) {
    std::string out;
    return dialect_->EncodeConfirmation(command_, result, out) ? out : "nothing";
  }
  std::string Signal(const v1::Signal& signal) {
    std::string out;
    return dialect_->EncodeSignal(signal, out) ? out : "skipped";
  }

  static v1::Notification NoteOf(const std::string& event, const std::string& json) {
    v1::Notification note;
    note.set_notification_id("0199-n");
    note.set_event(event);
    note.set_json(json);
    note.mutable_created_at()->set_seconds(1'700'000'000);
    return note;
  }
  static v1::Event NotePosted(const std::string& room, const v1::Notification& note) {
    v1::Event event;
    event.set_room_id(room);
    event.set_seq(4);
    *event.mutable_notification_posted()->mutable_notification() = note;
    return event;
  }

  static v1::Result Joined(const std::string& room) {
    v1::Result result;
    result.mutable_join_room()->set_room_id(room);
    result.mutable_join_room()->set_role(v1::ROLE_MEMBER);
    return result;
  }
  static v1::Result Left(const std::string& room) {
    v1::Result result;
    result.mutable_leave_room()->set_room_id(room);
    return result;
  }
  static v1::Result Posted() {
    v1::Result result;
    result.mutable_post_message()->set_message_id("0199-m");
    result.mutable_post_message()->set_seq(5);
    return result;
  }
  static v1::Result RefusedFor(v1::Reason reason) {
    v1::Result result;
    *result.mutable_error() = MakeError(reason, "because");
    return result;
  }
  static v1::Signal TypingIn(const std::string& room, const std::string& user) {
    v1::Signal signal;
    signal.mutable_typing()->set_room_id(room);
    signal.mutable_typing()->set_user_id(user);
    signal.mutable_typing()->set_is_typing(true);
    return signal;
  }
  static v1::Signal PresenceOf(const std::string& user, bool is_online) {
    v1::Signal signal;
    signal.mutable_presence()->set_user_id(user);
    signal.mutable_presence()->set_is_online(is_online);
    return signal;
  }
  static v1::Signal SnapshotOf(std::initializer_list<const char*> users) {
    v1::Signal signal;
    signal.mutable_presence_snapshot();
    for (const char* user : users) signal.mutable_presence_snapshot()->add_user_ids(user);
    return signal;
  }

  const Dialect* dialect_;
  JsonParser parser_;
  v1::Command command_;
};

}  // namespace confab::edge
