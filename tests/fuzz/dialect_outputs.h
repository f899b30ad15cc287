// dialect_outputs.h: everything a dialect can tell a client, with strangers' words in it: each must
// be JSON.
#pragma once

#include <string>
#include <string_view>

#include "edge/dialect/dialect.h"
#include "edge/protocol/utf8.h"
#include "proto/reason.h"
#include "tests/fuzz/fuzz_json.h"

namespace confab::fuzz {

class DialectOutputs {
 public:
  // What is no text never reaches a dialect: protobuf refuses it.
  DialectOutputs(const edge::Dialect& dialect, std::string_view words)
      : dialect_(dialect), words_(edge::IsUtf8(words) ? words : "\"\\\n\x7f") {}

  // Answers to a command of the client.
  void CheckAnswers(const v1::Command& command) {
    const v1::Error error = MakeError(v1::REASON_NOT_A_MEMBER, words_);
    Check([&](std::string& out) { return dialect_.EncodeRefusal(command, error, out); });
    Check([&](std::string& out) { return dialect_.EncodeError(error, out); });
    v1::Result result;
    *result.mutable_error() = error;
    CheckResult(command, result);
    if (command.has_join_room()) {
      result.mutable_join_room()->set_room_id(command.join_room().room_id());
      result.mutable_join_room()->set_role(v1::ROLE_READER);
    } else if (command.has_leave_room()) {
      result.mutable_leave_room()->set_room_id(command.leave_room().room_id());
    } else if (command.has_post_message()) {
      result.mutable_post_message()->set_message_id(words_);
      result.mutable_post_message()->set_seq(1);
    } else if (command.has_get_history()) {
      *result.mutable_history()->add_events() = Message();
    } else {
      return;
    }
    CheckResult(command, result);
  }

  // What comes without having been asked for.
  void CheckEvents() {
    Check([&](std::string& out) { return dialect_.EncodeEvent(Message(), words_, out); });
    v1::Event added = Message();
    added.mutable_member_added()->set_user_id(words_);
    Check([&](std::string& out) { return dialect_.EncodeEvent(added, words_, out); });
    v1::User user;
    user.set_id(words_);
    user.set_name(words_);
    Check([&](std::string& out) { return dialect_.EncodeConnected("c-1", user, out); });
    Check([&](std::string& out) { return dialect_.EncodeClosing(4008, "RATE", 5, out); });
    v1::Signal signal;
    signal.mutable_typing()->set_room_id(words_);
    signal.mutable_typing()->set_user_id(words_);
    Check([&](std::string& out) { return dialect_.EncodeSignal(signal, out); });
    signal.mutable_presence_snapshot()->add_user_ids(words_);
    Check([&](std::string& out) { return dialect_.EncodeSignal(signal, out); });
    v1::Notification note;
    note.set_event(words_);
    note.set_notification_id(words_);
    note.set_inbox_seq(7);
    Check([&](std::string& out) { return dialect_.EncodeNotification(note, R"({"a":1})", out); });
  }

 private:
  v1::Event Message() const {
    v1::Event event;
    event.set_room_id(words_);
    event.set_seq(7);
    event.mutable_actor()->set_id(words_);
    event.mutable_actor()->set_name(words_);
    event.mutable_message_posted()->set_message_id(words_);
    event.mutable_message_posted()->set_content(words_);
    event.mutable_message_posted()->set_type(words_);
    return event;
  }

  void CheckResult(const v1::Command& command, const v1::Result& result) {
    if (!result.has_error()) {
      Check([&](std::string& out) { return dialect_.EncodeAck(command, result, out); });
    }
    Check([&](std::string& out) { return dialect_.EncodeConfirmation(command, result, out); });
  }

  template <typename Encode>
  void Check(Encode&& encode) {
    std::string out;
    if (encode(out)) {
      RequireJsonArray(out, "what a client is told is a JSON array");
    } else {
      Require(out.empty(), "what is not told leaves nothing");
    }
  }

  const edge::Dialect& dialect_;
  const std::string words_;
};

}  // namespace confab::fuzz
