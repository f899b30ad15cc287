#include "control/room/command_runner.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <absl/time/clock.h>

#include "control/room/log_rules.h"
#include "control/status_reason.h"
#include "process/failpoint.h"
#include "process/log.h"

namespace confab::control {
namespace {

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

uint64_t ConnectionOf(const RoomCommand& command) {
  return std::get<EdgeReply>(command.reply).connection;
}

}  // namespace

const storage::Actor& CommandRunner::ActorOf(const RoomCommand& command) {
  static const storage::Actor system;
  return command.actor == nullptr ? system : *command.actor;
}

Step CommandRunner::Run(Room& room, RoomCommand& c) {
  return std::visit(
      Overloaded{
          [&](JoinRequest& join) { return RunJoin(room, c, join); },
          [&](LeaveRequest&) { return RunLeave(room, c); },
          [&](PostRequest&) { return RunPost(room, c); },
          [&](ChangeMessageRequest& change) { return RunChangeMessage(room, c, change); },
          [&](MarkReadRequest& mark) { return RunMarkRead(room, c, mark); },
          [&](TypingRequest& typing) { return RunTyping(room, c, typing); },
          [&](ReadRequest& read) { return RunRead(room, c, read); },
          [&](EnrollRequest&) { return RunEnroll(room, c); },
          [&](QuitRequest&) { return RunQuit(room, c); },
          [&](AddRequest& add) {
            return RunChange(room, c, room.DecideAdd(ActorOf(c), add.members, c.key, absl::Now()));
          },
          [&](RemoveRequest& remove) {
            return RunChange(room, c,
                             room.DecideRemove(ActorOf(c), remove.users, c.key, absl::Now()));
          },
          [&](PersonRequest& person) {
            return RunChange(room, c,
                             room.DecidePerson(ActorOf(c), person.change, c.key, absl::Now()));
          },
          [&](UpdateRequest& update) {
            return RunChange(room, c,
                             room.DecideUpdate(ActorOf(c), update.changes, c.key, absl::Now()));
          },
          [&](CreateRequest&) { return Step::kWriteAndBlock; },
          [&](DeleteRequest&) { return Step::kWriteAndBlock; },
          [&](AnnounceRequest& announce) { return RunAnnounce(room, c, announce); },
          [&](TailRequest& tail) { return RunTail(c, tail); },
      },
      c.request);
}

void CommandRunner::Refuse(RoomCommand& command, const absl::Status& why) {
  if (std::holds_alternative<AnnounceRequest>(command.request)) {
    log_.audience().UnsubscribeEverybody(command.edge, 0);
  } else if (auto* tail = std::get_if<TailRequest>(&command.request)) {
    if (!tail->seat->is_cancelled) tail->seat->sink->End(why);
  } else {
    tools_.results.Refuse(command, why);
  }
}

Step CommandRunner::Deny(RoomCommand& command, const Verdict& verdict) {
  if (verdict.kind == Verdict::Kind::kLoad) return Step::kLoad;
  tools_.results.Refuse(command, verdict.reason, verdict.message, verdict.retry_after_ms);
  return Step::kAnswered;
}

// True, once for each command: `seq` is not published yet, but the log may hold it.
bool CommandRunner::NeedsLog(int64_t seq, bool& has_synced) const {
  if (seq <= log_.published_seq()) return false;
  return !std::exchange(has_synced, true);
}

Step CommandRunner::RunJoin(Room& room, RoomCommand& command, JoinRequest& join) {
  if (!log_.audience().CanSubscribe(*command.edge)) return Step::kPark;
  const Verdict verdict = room.DecideJoin(ActorOf(command).id, absl::Now());
  if (verdict.kind == Verdict::Kind::kEnroll && join.must_be_member) {
    tools_.results.Refuse(command, v1::REASON_NOT_A_MEMBER, "you are not a member of this room");
    return Step::kAnswered;
  }
  if (verdict.kind == Verdict::Kind::kEnroll && !join.is_enrolled) {
    command.append.events = room.DecideEnroll(*command.actor, command.key).events;
    return Step::kWriteAndBlock;
  }
  if (verdict.kind != Verdict::Kind::kAllow) return Deny(command, verdict);
  // "Members as of seq p" and the subscription that starts behind p are one state.
  if (log_.published_seq() < room.member_seq()) return Step::kSync;
  if (join.after_seq && NeedsLog(*join.after_seq, join.has_synced)) return Step::kSync;
  if (join.after_seq && *join.after_seq > log_.published_seq()) {
    tools_.results.Refuse(command, v1::REASON_RESYNC,
                          "afterSeq is not in this room's log: load its history anew");
    return Step::kAnswered;
  }
  log_.audience().Subscribe(command.edge, ConnectionOf(command));
  tools_.watch.OnSubscribed(command.actor->id, command.edge, ConnectionOf(command));
  tools_.results.Joined(command, verdict.membership.role, log_.published_seq());
  return Step::kAnswered;
}

Step CommandRunner::RunLeave(Room& room, RoomCommand& command) {
  const Verdict verdict = room.DecideLeave(ActorOf(command).id);
  if (verdict.kind != Verdict::Kind::kAllow) return Deny(command, verdict);
  log_.audience().UnsubscribeConnection(command.edge, ConnectionOf(command), log_.published_seq());
  tools_.results.Left(command);
  return Step::kAnswered;
}

Step CommandRunner::RunPost(Room& room, RoomCommand& command) {
  const storage::UserId& sender = ActorOf(command).id;
  if (sender.empty()) return Step::kWrite;
  const Verdict verdict = room.DecidePost(sender, command.append.events.front().dedup, absl::Now());
  return verdict.kind == Verdict::Kind::kAllow ? Step::kWrite : Deny(command, verdict);
}

Step CommandRunner::RunTyping(Room& room, RoomCommand& command, const TypingRequest& typing) {
  const storage::UserId& user = ActorOf(command).id;
  // Who is muted meanwhile may still take back what he showed.
  const RoomAct act = typing.is_typing ? RoomAct::kType : RoomAct::kSubscribe;
  const Verdict verdict = room.Decide(user, act, absl::Now());
  if (verdict.kind != Verdict::Kind::kAllow) return Deny(command, verdict);
  typing_.Set(user, typing.is_typing, command.edge, ConnectionOf(command));
  tools_.results.TypingTaken(command);
  return Step::kAnswered;
}

// Whose message it is the store knows: it looks when the room's row is locked.
Step CommandRunner::RunChangeMessage(Room& room, RoomCommand& command,
                                     const ChangeMessageRequest& change) {
  const storage::UserId& actor = ActorOf(command).id;
  command.append.audit = change.note;
  if (actor.empty()) return Step::kWrite;
  const bool is_edit = command.append.events[0].kind == storage::EventKind::kMessageEdited;
  const absl::Time now = absl::Now();
  const Verdict others =
      room.Decide(actor, is_edit ? RoomAct::kEditOthers : RoomAct::kDeleteOthers, now);
  command.append.is_own_only = others.kind != Verdict::Kind::kAllow;
  if (!command.append.is_own_only) return Step::kWrite;
  command.append.audit = nullptr;
  const Verdict own = room.Decide(actor, is_edit ? RoomAct::kEditOwn : RoomAct::kDeleteOwn, now);
  return own.kind == Verdict::Kind::kAllow ? Step::kWrite : Deny(command, own);
}

Step CommandRunner::RunMarkRead(Room& room, RoomCommand& command, const MarkReadRequest& mark) {
  const storage::UserId& user = ActorOf(command).id;
  const Verdict verdict = room.Decide(user, RoomAct::kMarkRead, absl::Now());
  if (verdict.kind != Verdict::Kind::kAllow) return Deny(command, verdict);
  command.kind = CommitJob::Kind::kMovePointers;
  // One's own message is read, whether the store knows of it yet or not.
  const int64_t own = tools_.own_pointers.Find(user, room.id());
  command.moves = {{room.id(), user, std::max(mark.seq, own), true}};
  return Step::kWrite;
}

Step CommandRunner::RunRead(Room& room, RoomCommand& command, ReadRequest& read) {
  int64_t end_seq = std::numeric_limits<int64_t>::max();
  const storage::UserId& user = ActorOf(command).id;
  if (!user.empty()) {
    const Verdict verdict = read.is_replay ? room.DecideReplay(user, read.query.after_seq)
                                           : room.Decide(user, RoomAct::kRead, absl::Now());
    if (verdict.kind != Verdict::Kind::kAllow) return Deny(command, verdict);
    if (verdict.membership.role == storage::Role::kNone) end_seq = verdict.membership.changed_seq;
  }
  if (!read.page && !read.shared) return Step::kReadPage;
  const int64_t version = read.page ? read.page->member_seq : read.shared->member_seq;
  // The page shows a later member list than the one that was asked: refresh and ask again.
  if (!user.empty() && version > room.member_seq()) return Step::kLoad;
  if (read.page) {
    AnswerRead(command, read.query, end_seq, *std::move(read.page));
  } else {
    AnswerRead(command, read.query, end_seq, *std::move(read.shared));
  }
  return Step::kAnswered;
}

template <typename Page>
void CommandRunner::AnswerRead(RoomCommand& command, const storage::EventQuery& query,
                               int64_t end_seq, Page page) {
  if (auto refusal = CutPage(query, log_.published_seq(), end_seq, page)) {
    tools_.results.Refuse(command, refusal->reason, std::move(refusal->message));
  } else {
    tools_.results.Page(command, std::move(page));
  }
}

Step CommandRunner::RunEnroll(Room& room, RoomCommand& command) {
  const Verdict verdict = room.DecideJoin(ActorOf(command).id, absl::Now());
  if (verdict.kind == Verdict::Kind::kEnroll) {
    command.append.events = room.DecideEnroll(*command.actor, command.key).events;
    return Step::kWriteAndBlock;
  }
  if (verdict.kind != Verdict::Kind::kAllow) return Deny(command, verdict);
  tools_.results.Enrolled(command, verdict.membership.role, log_.published_seq());
  return Step::kAnswered;
}

Step CommandRunner::RunQuit(Room& room, RoomCommand& command) {
  MemberChange change = room.DecideQuit(ActorOf(command), command.key);
  if (change.verdict.kind != Verdict::Kind::kAllow) return Deny(command, change.verdict);
  if (!change.events.empty()) {
    command.append.events = std::move(change.events);
    return Step::kWriteAndBlock;
  }
  tools_.results.Quitted(command);
  return Step::kAnswered;
}

Step CommandRunner::RunChange(Room& room, RoomCommand& command, MemberChange change) {
  if (change.verdict.kind != Verdict::Kind::kAllow) return Deny(command, change.verdict);
  if (!change.events.empty()) {
    command.append.events = std::move(change.events);
    return Step::kWriteAndBlock;
  }
  AnswerChange(command, room, 0);
  return Step::kAnswered;
}

void CommandRunner::AnswerChange(RoomCommand& command, const Room& room, size_t changed) {
  if (const auto* person = std::get_if<PersonRequest>(&command.request)) {
    const storage::UserId& user = person->change.user;
    const Membership* now = room.Peek(user);
    tools_.results.Person(command, ToRecord(user, now == nullptr ? Membership{} : *now));
  } else if (std::holds_alternative<UpdateRequest>(command.request)) {
    tools_.results.Updated(command, {room.settings(), room.id(), log_.published_seq(),
                                     room.member_seq(), room.created_at()});
  } else {
    tools_.results.Give(command,
                        MembersChanged{static_cast<int32_t>(changed), log_.published_seq()});
  }
}

Step CommandRunner::RunAnnounce(Room& room, RoomCommand& command, AnnounceRequest& announce) {
  const std::shared_ptr<Attachment>& edge = command.edge;
  if (!edge->is_attached()) return Step::kAnswered;
  if (!CheckUsers(room, announce)) return Step::kLoad;
  if (log_.published_seq() < room.member_seq()) return Step::kSync;
  if (NeedsLog(announce.delivered_seq, announce.has_synced)) return Step::kSync;
  if (announce.delivered_seq > log_.published_seq()) {
    process::LogError("an edge has events that are not in the store: was it restored?",
                      {{"room", room.id().value},
                       {"edge", edge->edge_id()},
                       {"delivered_seq", announce.delivered_seq},
                       {"last_seq", log_.published_seq()}});
    log_.audience().UnsubscribeEverybody(edge, 0);
    return Step::kAnswered;
  }
  if (!announce.suspects.empty()) return Step::kScan;
  for (const auto& [user, end_seq] : announce.ended) {
    log_.audience().UnsubscribeUser(edge, user.value, end_seq);
  }
  log_.audience().Resume(edge, announce.delivered_seq);
  return Step::kAnswered;
}

Step CommandRunner::RunTail(RoomCommand& command, TailRequest& tail) {
  const int64_t after = tail.after_seq.value_or(log_.published_seq());
  if (NeedsLog(after, tail.has_synced)) return Step::kSync;
  if (after > log_.published_seq()) {
    Refuse(command, RefusalStatus(v1::REASON_RESYNC, "after_seq is not in this room's log"));
    return Step::kAnswered;
  }
  tail.seat->position = after;
  log_.audience().AddTail(tail.seat);
  return Step::kAnswered;
}

bool CommandRunner::Settle(RoomCommand& command, const Room* room) {
  if (auto* join = std::get_if<JoinRequest>(&command.request)) {
    join->is_enrolled = true;
    return false;
  }
  if (std::holds_alternative<PostRequest>(command.request)) {
    CONFAB_FAILPOINT(kAckBefore);
    tools_.results.Posted(command);
  } else if (std::holds_alternative<ChangeMessageRequest>(command.request)) {
    tools_.results.MessageChanged(command);
  } else if (std::holds_alternative<EnrollRequest>(command.request)) {
    tools_.results.Enrolled(command, storage::Role::kMember, log_.published_seq());
  } else if (std::holds_alternative<QuitRequest>(command.request)) {
    tools_.results.Quitted(command);
  } else if (room != nullptr) {
    AnswerChange(command, *room, command.append.events.size());
  } else {
    tools_.results.Refuse(command, v1::REASON_ROOM_NOT_FOUND, "the room is gone");
  }
  return true;
}

}  // namespace confab::control
