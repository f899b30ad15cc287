// What a Connection asks by itself: the rooms that its client resumes, and those of its dialect.
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "edge/connection/connection.h"
#include "proto/reason.h"

namespace confab::edge {

void Connection::ResumeOnConnect(v1::Resume&& resume, std::optional<std::uint64_t> reply_id) {
  circumstances().resume = std::make_unique<v1::Command>();
  *circumstances_->resume->mutable_resume() = std::move(resume);
  circumstances_->resume_reply_id = reply_id;
}

OwnJoins& Connection::own_joins() {
  if (own_joins_ == nullptr) {
    own_joins_ = std::make_unique<OwnJoins>(connect_ == nullptr ? std::string_view()
                                                                : connect_->auto_subscribe);
  }
  return *own_joins_;
}

// What the client resumes goes first.
void Connection::BeginOwnJoins() {
  if (connect_ != nullptr && !connect_->auto_subscribe.empty()) own_joins().Restart();
  if (circumstances_ != nullptr && circumstances_->resume != nullptr) {
    const std::unique_ptr<v1::Command> resume = std::move(circumstances_->resume);
    if (recovery_ != nullptr) recovery_->OnResuming();
    Resume(std::move(*resume), circumstances_->resume_reply_id);
  }
  AskByItself();
}

void Connection::OnAttached() {
  if (own_joins_ != nullptr) own_joins_->Restart();
  AskByItself();
}

void Connection::OnAddedTo(std::string_view room, std::int64_t seq) {
  if (own_joins_ != nullptr) own_joins_->OnMember(room, seq);
  AskByItself();
}

// All or nothing: half of the rooms would be a guess which.
std::optional<v1::Error> Connection::CheckResume(const v1::Resume& resume) {
  if (own_joins_ != nullptr && own_joins_->resumption() != nullptr) {
    return MakeError(v1::REASON_BAD_REQUEST, "rooms are being resumed: wait until that is done");
  }
  const std::size_t limit = host_.limits().rooms;
  if (limit == 0) return std::nullopt;  // The size of a message remains.
  std::size_t rooms = subscriptions.size() - own_topics;
  const auto wanted = static_cast<std::size_t>(resume.rooms_size());
  if (wanted <= limit) {
    for (const auto& [room, seq] : resume.rooms()) {
      if (!host_.PositionOf(*this, room)) ++rooms;
    }
  }
  if (wanted <= limit && rooms <= limit) return std::nullopt;
  return MakeError(v1::REASON_LIMIT_REACHED,
                   fmt::format("a connection can be in {} rooms: none was resumed", limit));
}

void Connection::Resume(v1::Command&& command, std::optional<std::uint64_t> reply_id) {
  if (const std::optional<v1::Error> refusal = CheckResume(command.resume())) {
    const bool is_another_under_way = own_joins_ != nullptr && own_joins_->resumption() != nullptr;
    if (recovery_ != nullptr && recovery_->is_resuming() && !is_another_under_way) {
      recovery_->OnResumed();
      recovery_->Invalidate();  // As below: it is in none of the session's rooms.
    }
    return Refuse(command, reply_id, *refusal);
  }
  own_joins().Resume(Resumption(std::move(command), reply_id, std::chrono::steady_clock::now()));
  AskByItself();
  EndResume();
}

void Connection::EndResume() {
  if (own_joins_ == nullptr) return;
  std::optional<Resumption> done = own_joins_->TakeDone();
  if (!done) return;
  if (recovery_ != nullptr) recovery_->OnResumed();
  wire_.SayResult(done->command(), done->reply_id(), done->TakeAnswer());
  if (own_joins_->IsIdle()) own_joins_.reset();
  AskByItself();  // What waited for this.
}

// Another edge does better.
void Connection::GiveUpResume() {
  if (own_joins_ == nullptr || own_joins_->resumption() == nullptr) return;
  has_given_up_ = true;
  own_joins_->resumption()->GiveUp(
      MakeError(v1::REASON_UNAVAILABLE, "this server is being emptied"));
  EndResume();
}

// To a client that waits for no answer. One that is lost before it hears this is not to be had back,
// as if it were still in the room.
void Connection::SayNotResumed(const std::string& room, const v1::Error& error) {
  if (recovery_ != nullptr) recovery_->Invalidate();
  if (error.reason() == v1::REASON_RESYNC && wire_.SayResync(room)) return;
  v1::Command join;
  join.mutable_join_room()->set_room_id(room);
  v1::Error named = error;
  named.set_message(fmt::format("room {:.128} is not resumed: {}", room, error.message()));
  Refuse(join, std::nullopt, named);
}

// What the client says of a room itself counts, also while that waits to be resumed: who joins it
// gets what it has missed all the same, and not twice; who leaves it is not joined any more.
void Connection::HeedResume(v1::Command& command) {
  if (own_joins_ == nullptr || own_joins_->resumption() == nullptr) return;
  if (command.has_leave_room()) {
    own_joins_->resumption()->OnLeft(command.leave_room().room_id());
    return EndResume();
  }
  if (!command.has_join_room() || command.join_room().has_after_seq()) return;
  const auto position = own_joins_->resumption()->PositionOf(command.join_room().room_id());
  if (position) command.mutable_join_room()->set_after_seq(*position);
}

// A few at a time: a connection that comes back is not to flood control with its rooms.
void Connection::AskByItself() {
  if (own_joins_ == nullptr || !is_admitted_ || is_ending_) return;
  while (std::optional<v1::Command> command = own_joins_->Next()) {
    if (!AskOne(*std::move(command))) return;
  }
  const auto pause = own_joins_->PauseAt(std::chrono::steady_clock::now());
  if (pause) host_.ReplayLater(*this, *pause);
}

// False: it may be asked later, of which the host tells.
bool Connection::AskOne(v1::Command&& command) {
  const std::size_t limit = host_.limits().rooms;
  const bool is_full = limit > 0 && subscriptions.size() - own_topics >= limit;
  // Those that are resumed were counted at their beginning.
  if (command.has_join_room() && is_full && !own_joins_->IsResumed(command)) {
    v1::Result refusal;
    *refusal.mutable_error() = MakeError(v1::REASON_LIMIT_REACHED, "");
    own_joins_->OnResult(command, refusal, std::chrono::steady_clock::now());
    return true;
  }
  command.set_connection(id_);
  if (command.has_join_room()) {
    RememberJoin(command.join_room());
    catchup_->joins.back().is_resumed = own_joins_->IsResumed(command);
  }
  if (host_.Forward(std::move(command), std::nullopt)) return true;
  // It was not taken, so it is whole. NOLINTNEXTLINE(bugprone-use-after-move)
  if (command.has_join_room()) catchup_->joins.pop_back();
  Tidy();
  own_joins_->OnNotAsked(command);
  return false;
}

// The client did not ask for each of them, so it is told of success, as of any join, and of what it
// is to do something about.
void Connection::OnAutomatic(const v1::Command& command, const v1::Result& result) {
  const bool is_quiet = IsQuiet(command);
  const bool is_refused = own_joins_ != nullptr &&
                          own_joins_->OnResult(command, result, std::chrono::steady_clock::now());
  if (command.has_join_room()) {
    const std::string& room = command.join_room().room_id();
    if (!result.has_error() && !is_quiet) wire_.SayResult(command, std::nullopt, result);
    if (is_refused && !own_joins_->resumption()->reply_id()) SayNotResumed(room, result.error());
    EndJoin(room, !result.has_error());
  }
  AskByItself();
  EndResume();
}

}  // namespace confab::edge
