// edge_recovery.h: finds the session that a Socket.IO client wants back among those of this edge, and
// what it lacks of each room. One that is still alive is ended first: its client has come back before
// anybody noticed that it was gone.
// Owns: the sessions.   Used by: io_thread, edge (for other edges' questions).
// Threads: any thread.
// Fails: never; why there is no session is part of the answer.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <absl/functional/any_invocable.h>

#include "confab/v1/recovery.pb.h"

#include "edge/recovery/lost_sessions.h"
#include "edge/recovery/offset.h"

namespace confab::edge {

class Distributor;

class EdgeRecovery {
 public:
  struct Question {
    std::string pid;
    std::string user_id;  // Of a verified token.
    std::string dialect;
    std::string nsp;
    std::uint64_t number =
        0;  // Of an offset of this edge's; 0: the client had nothing of the session.
  };
  struct Answer {
    RecoveryResult result = RecoveryResult::kUnknown;
    std::optional<v1::LostSession> session = std::nullopt;
  };
  using Done = absl::AnyInvocable<void(Answer)>;

  // Closes the socket of that connection, if it has that session of that user, and calls `done`
  // when it is gone.
  using EndSocket =
      std::function<void(std::uint64_t connection, const Pid& pid, const std::string& user_id,
                         absl::AnyInvocable<void()> done)>;

  // `distributor` outlives this object, and keeps its broadcasts in mind.
  EdgeRecovery(Distributor& distributor, const LostSessions::Limits& limits)
      : distributor_(distributor), sessions_(limits) {}

  // Before the first Find.
  void SetEndSocket(EndSocket end_socket) { end_socket_ = std::move(end_socket); }

  // The session is gone here then. `done` is called once: within the call, or later by any thread.
  void Find(Question question, Done done);

  // What Find told of was for nobody: its client has gone meanwhile.
  void PutBack(const v1::LostSession& session);

  LostSessions& sessions() { return sessions_; }

 private:
  Answer Take(const Question& question, const Pid& pid, std::uint64_t& alive);
  Answer Locate(LostSession&& lost, std::uint64_t number);

  Distributor& distributor_;
  LostSessions sessions_;
  EndSocket end_socket_;
};

// What is told of a session where it stood still when it was lost: the positions hold, whatever the
// offset.
LostSession StandingSession(const v1::LostSession& session);

}  // namespace confab::edge
