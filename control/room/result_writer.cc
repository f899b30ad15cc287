#include "control/room/result_writer.h"

#include <type_traits>

#include "control/room/audit_trail.h"
#include "control/room/event_message.h"
#include "control/status_reason.h"
#include "process/metrics.h"
#include "proto/reason.h"
#include "storage/record_check.h"

namespace confab::control {
namespace {

// Who may not is worth a row; who names a room that is not there, or may come again, is not.
bool IsRecorded(const absl::Status& refusal) {
  const v1::Reason reason = ReasonOf(refusal);
  return reason != v1::REASON_ROOM_NOT_FOUND && !TraitsOf(reason).retryable;
}

}  // namespace

ResultWriter::ResultWriter(process::Metrics& metrics, EdgeOutbox& outbox) : outbox_(outbox) {
  for (size_t i = 0; i < counters_.size(); ++i) {
    const auto reason = static_cast<v1::Reason>(i);
    const std::string word =
        reason == v1::REASON_UNSPECIFIED ? "OK" : std::string(TraitsOf(reason).word);
    counters_[i] =
        &metrics.AddCounter("confab_control_commands_total",
                            "Commands and calls answered, by result", {{"result", word}});
  }
}

void ResultWriter::Count(v1::Reason reason) { counters_[static_cast<size_t>(reason)]->Add(); }

v1::Result& ResultWriter::AddResult(RoomCommand& command) {
  const EdgeReply& reply = std::get<EdgeReply>(command.reply);
  v1::Result& result = *outbox_.Add(command.edge).mutable_result();
  result.set_connection(reply.connection);
  result.set_request(reply.request);
  command.edge->Release();
  return result;
}

void ResultWriter::Refuse(RoomCommand& command, absl::Status why) {
  Count(ReasonOf(why));
  if (command.append.audit != nullptr && IsRecorded(why) &&
      refused_.size() < storage::kAuditBatchLimit) {
    refused_.push_back(AuditOf(command, why));
  }
  std::visit(
      [&](auto& reply) {
        using R = std::decay_t<decltype(reply)>;
        if constexpr (std::is_same_v<R, EdgeReply>) {
          *AddResult(command).mutable_error() = ErrorOf(why);
        } else if constexpr (!std::is_same_v<R, std::monostate>) {
          deferred_.push_back(
              [done = std::move(reply), why = std::move(why)]() mutable { done(std::move(why)); });
        }
      },
      command.reply);
}

void ResultWriter::Refuse(RoomCommand& command, v1::Reason reason, std::string message,
                          uint32_t retry_after_ms) {
  Refuse(command, RefusalStatus(reason, std::move(message), retry_after_ms));
}

void ResultWriter::Joined(RoomCommand& command, storage::Role role, int64_t last_seq) {
  Count(v1::REASON_UNSPECIFIED);
  v1::JoinRoomResult& joined = *AddResult(command).mutable_join_room();
  joined.set_room_id(command.room().value);
  joined.set_role(ToMessage(role));
  joined.set_last_seq(last_seq);
}

void ResultWriter::Left(RoomCommand& command) {
  Count(v1::REASON_UNSPECIFIED);
  AddResult(command).mutable_leave_room()->set_room_id(command.room().value);
}

void ResultWriter::Enrolled(RoomCommand& command, storage::Role role, int64_t last_seq) {
  Count(v1::REASON_UNSPECIFIED);
  v1::BecomeMemberResult& enrolled = *AddResult(command).mutable_become_member();
  enrolled.set_room_id(command.room().value);
  enrolled.set_role(ToMessage(role));
  enrolled.set_last_seq(last_seq);
}

void ResultWriter::Quitted(RoomCommand& command) {
  Count(v1::REASON_UNSPECIFIED);
  AddResult(command).mutable_quit_room()->set_room_id(command.room().value);
}

void ResultWriter::Created(RoomCommand& command) {
  if (!std::holds_alternative<EdgeReply>(command.reply)) {
    return Give(command, std::move(command.record));
  }
  Count(v1::REASON_UNSPECIFIED);
  *AddResult(command).mutable_room() = ToMessage(command.record);
}

void ResultWriter::TypingTaken(RoomCommand& command) {
  Count(v1::REASON_UNSPECIFIED);
  AddResult(command).mutable_set_typing();
}

void ResultWriter::Person(RoomCommand& command, const storage::MemberRecord& record) {
  if (!std::holds_alternative<EdgeReply>(command.reply)) return Give(command, record);
  Count(v1::REASON_UNSPECIFIED);
  *AddResult(command).mutable_change_member() = ToMessage(record);
}

void ResultWriter::Updated(RoomCommand& command, const storage::RoomRecord& record) {
  if (!std::holds_alternative<EdgeReply>(command.reply)) return Give(command, record);
  Count(v1::REASON_UNSPECIFIED);
  *AddResult(command).mutable_room() = ToMessage(record);
}

void ResultWriter::Posted(RoomCommand& command) {
  storage::AppendOutcome& outcome = command.outcome;
  if (!std::holds_alternative<EdgeReply>(command.reply)) {
    return Give(command, PostedMessage{std::move(outcome.message_id), outcome.first_seq,
                                       outcome.created_at});
  }
  Count(v1::REASON_UNSPECIFIED);
  v1::PostMessageResult& posted = *AddResult(command).mutable_post_message();
  posted.set_message_id(std::move(outcome.message_id));
  posted.set_seq(outcome.first_seq);
  *posted.mutable_created_at() = ToMessage(outcome.created_at);
}

void ResultWriter::MessageChanged(RoomCommand& command) {
  storage::AppendOutcome& outcome = command.outcome;
  if (!std::holds_alternative<EdgeReply>(command.reply)) {
    return Give(command, PostedMessage{std::move(outcome.message_id), outcome.first_seq,
                                       outcome.created_at});
  }
  Count(v1::REASON_UNSPECIFIED);
  const auto fill = [&outcome](auto& changed) {
    changed.set_message_id(std::move(outcome.message_id));
    changed.set_seq(outcome.first_seq);
    *changed.mutable_created_at() = ToMessage(outcome.created_at);
  };
  v1::Result& result = AddResult(command);
  if (command.append.events[0].kind == storage::EventKind::kMessageEdited) {
    fill(*result.mutable_edit_message());
  } else {
    fill(*result.mutable_delete_message());
  }
}

void ResultWriter::MarkedRead(RoomCommand& command) {
  Count(v1::REASON_UNSPECIFIED);
  const storage::ReadPosition& position = command.pointers.at(0).position;
  v1::MarkReadResult& marked = *AddResult(command).mutable_mark_read();
  marked.set_room_id(command.room().value);
  marked.set_seq(position.seq);
  marked.set_unread_count(position.unread);
}

void ResultWriter::Page(RoomCommand& command, storage::EventPage page) {
  if (!std::holds_alternative<EdgeReply>(command.reply)) return Give(command, std::move(page));
  Count(v1::REASON_UNSPECIFIED);
  v1::HistoryPage& history = *AddResult(command).mutable_history();
  history.set_room_id(command.room().value);
  for (storage::EventRecord& event : page.events) FillEvent(event, *history.add_events());
  history.set_more(page.more);
  history.set_last_seq(page.last_seq);
}

void ResultWriter::Page(RoomCommand& command, const SharedPage& page) {
  Count(v1::REASON_UNSPECIFIED);
  v1::HistoryPage& history = *AddResult(command).mutable_history();
  history.set_room_id(command.room().value);
  history.mutable_events()->Reserve(static_cast<int>(page.events.size()));
  for (const SharedEvent& event : page.events) *history.add_events() = event->event();
  history.set_more(page.more);
  history.set_last_seq(page.last_seq);
}

void ResultWriter::Flush() {
  // A callback may give the lane more to answer.
  while (!deferred_.empty()) {
    auto callbacks = std::exchange(deferred_, {});
    for (auto& callback : callbacks) callback();
  }
}

}  // namespace confab::control
