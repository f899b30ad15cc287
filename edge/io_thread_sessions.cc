// How an IoThread's clients of Socket.IO get their sessions back, and what is kept of those that it
// loses.
#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "edge/io_thread.h"

namespace confab::edge {

// Its client is answered as soon as it is known which session it goes on with.
void IoThread::FindSession(Connection& connection) {
  Recoverable& own = *connection.recovery();
  const std::uint64_t id = connection.id();
  const std::optional<Offset> offset = ParseOffset(own.wish().offset);
  // With the offset of another edge the client has nothing of what it was told here.
  const std::uint64_t number = offset && IsOurs(*offset) ? offset->number : 0;
  own.BeginBehind(number);
  if (!IsSeeking(connection)) return BeginSession(connection, nullptr);
  finding_.emplace(id, &connection);
  if (!offset && !own.wish().offset.empty()) {
    return EndSearch(id, {.result = RecoveryResult::kBadOffset});
  }
  recovery_->Find({.pid = own.wish().pid,
                   .user_id = connection.user_id(),
                   .dialect = std::string(own.dialect()),
                   .nsp = std::string(own.nsp()),
                   .number = number},
                  [this, id](EdgeRecovery::Answer answer) {
                    loop_->Post([this, id, answer = std::move(answer)] { OnSearched(id, answer); });
                  });
}

bool IoThread::IsSeeking(const Connection& connection) {
  return connection.recovery() != nullptr && !connection.recovery()->wish().pid.empty();
}

void IoThread::OnSearched(std::uint64_t id, const EdgeRecovery::Answer& answer) {
  if (!finding_.contains(id)) {
    if (answer.session) recovery_->PutBack(*answer.session);
    return;
  }
  const bool is_elsewhere =
      answer.result == RecoveryResult::kUnknown && AskElsewhere(*finding_.at(id));
  if (!is_elsewhere) EndSearch(id, answer);
}

// True: the answer comes by OnSessionAnswered. What is no pid is not passed on: cut off amid a
// character it would be no UTF-8, and control would end the stream of the whole edge.
bool IoThread::AskElsewhere(const Connection& connection) {
  const Recoverable& own = *connection.recovery();
  const std::optional<Offset> offset = ParseOffset(own.wish().offset);
  if (!offset || IsOurs(*offset) || !ParsePid(own.wish().pid)) return false;
  v1::RecoveryQuestion question;
  question.set_edge_id(std::string(offset->edge_id));
  question.set_epoch(offset->epoch);
  question.set_n(offset->number);
  question.set_pid(own.wish().pid);
  question.set_user_id(connection.user_id());
  question.set_dialect(std::string(own.dialect()));
  question.set_namespace_(std::string(own.nsp()));
  return AskForSession(connection.id(), std::move(question));
}

void IoThread::OnSessionAnswered(std::uint64_t connection, const v1::LostSession* session) {
  EdgeRecovery::Answer answer;
  if (session != nullptr) answer = {.result = RecoveryResult::kRecovered, .session = *session};
  EndSearch(connection, answer);
}

bool IoThread::IsOurs(const Offset& offset) const {
  return settings_.identity.edge_id == offset.edge_id && settings_.identity.epoch == offset.epoch;
}

void IoThread::EndSearch(std::uint64_t id, const EdgeRecovery::Answer& answer) {
  const auto found = finding_.find(id);
  if (found == finding_.end()) return;
  Connection& connection = *found->second;
  finding_.erase(found);
  Replace(tables_.users.Count(*connection.share(), id));
  metrics_.recoveries[static_cast<std::size_t>(answer.result)]->Add();
  BeginSession(connection, answer.session ? &*answer.session : nullptr);
}

void IoThread::BeginSession(Connection& connection, const v1::LostSession* session) {
  connection.OnSession(session);
  recovery_->sessions().OnLive(connection.recovery()->pid(), connection.id());
  LetIn(connection);
}

// The connection leaves.
void IoThread::EndSession(Connection& connection) {
  const Recoverable& own = *connection.recovery();
  if (!own.is_decided()) {
    finding_.erase(connection.id());
    return ForgetQuestion(connection.id());
  }
  // Who was not answered yet knows of no session but the one that was found for it.
  if (own.is_kept() && (connection.is_admitted() || own.found() != nullptr)) {
    recovery_->sessions().Keep(connection.id(), DescribeSession(connection),
                               std::chrono::steady_clock::now());
  } else {
    recovery_->sessions().OnOver(own.pid(), connection.id());
  }
}

LostSession IoThread::DescribeSession(const Connection& connection) const {
  const Recoverable& own = *connection.recovery();
  // It still waited for control: nothing was sent.
  if (own.found() != nullptr) return StandingSession(*own.found());
  LostSession lost{.pid = own.pid(),
                   .sid = own.sid(),
                   .user_id = connection.user_id(),
                   .dialect = std::string(own.dialect()),
                   .nsp = std::string(own.nsp()),
                   .rooms = {},
                   .offsets = own.offsets(connection.is_owed())};
  if (lost.offsets.is_none) return lost;  // Only to say why it cannot be had back.
  for (const Hub::Standing& standing : Hub::StandingOf(connection)) {
    const std::string_view room = RoomOfTopic(standing.topic);
    if (room.empty()) continue;
    // What a page held beyond the live position has gone out too.
    lost.rooms.push_back({.id = std::string(room),
                          .since = std::max(standing.since, standing.after_seq),
                          .position = standing.position});
  }
  return lost;
}

// By one thread alone.
void IoThread::ShowLostSessions() {
  if (index_ != 0 || recovery_ == nullptr) return;
  const std::size_t lost = recovery_->sessions().Expire(std::chrono::steady_clock::now());
  metrics_.lost_sessions->Set(static_cast<std::int64_t>(lost));
}

void IoThread::PostEndSocket(std::uint64_t connection, const Pid& pid, std::string user_id,
                             absl::AnyInvocable<void()> done) {
  loop_->Post(
      [this, connection, pid, user_id = std::move(user_id), done = std::move(done)]() mutable {
        Connection* found = Find(connection);
        for (Connection* waiting : waiting_) {
          if (waiting->id() == connection) found = waiting;
        }
        const bool is_it = found != nullptr && found->user_id() == user_id &&
                           found->recovery() != nullptr && found->recovery()->pid() == pid;
        if (is_it) found->Close(CloseReason::kNormal);
        // Behind the end of the session, which the transport posts.
        loop_->Post(std::move(done));
      });
}

}  // namespace confab::edge
