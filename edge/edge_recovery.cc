#include "edge/edge_recovery.h"

#include <chrono>
#include <utility>

#include "edge/distributor.h"

namespace confab::edge {

void EdgeRecovery::Find(Question question, Done done) {
  const std::optional<Pid> pid = ParsePid(question.pid);
  if (!pid) return done({});
  std::uint64_t alive = 0;
  Answer answer = Take(question, *pid, alive);
  if (alive == 0) return done(std::move(answer));
  const std::string user_id = question.user_id;
  end_socket_(alive, *pid, user_id,
              [this, pid = *pid, question = std::move(question), done = std::move(done)]() mutable {
                // Who is alive even now is somebody else.
                std::uint64_t still_alive = 0;
                done(Take(question, pid, still_alive));
              });
}

EdgeRecovery::Answer EdgeRecovery::Take(const Question& question, const Pid& pid,
                                        std::uint64_t& alive) {
  LostSessions::Found found = sessions_.Take(
      {.pid = pid, .user_id = question.user_id, .dialect = question.dialect, .nsp = question.nsp},
      std::chrono::steady_clock::now());
  alive = found.connection;
  if (!found.session) return {.result = alive == 0 ? found.result : RecoveryResult::kForeign};
  return Locate(*std::move(found.session), question.number);
}

EdgeRecovery::Answer EdgeRecovery::Locate(LostSession&& lost, std::uint64_t number) {
  if (!lost.offsets.Has(number)) return {.result = RecoveryResult::kIncomplete};
  std::vector<std::string_view> names;
  names.reserve(lost.rooms.size());
  for (const LostSession::Room& room : lost.rooms) names.push_back(room.id);
  std::vector<std::int64_t> first_behind(lost.rooms.size(),
                                         0);  // It has nothing but what it began behind.
  if (number != 0 && !lost.stands_still()) {
    auto looked_up = distributor_.FirstBehind(BroadcastsOf(number), names);
    if (!looked_up) return {.result = RecoveryResult::kBadOffset};
    first_behind = *std::move(looked_up);
  }
  v1::LostSession session;
  session.set_pid(TextOfPid(lost.pid));
  session.set_sid(std::move(lost.sid));
  session.set_user_id(std::move(lost.user_id));
  session.set_dialect(std::move(lost.dialect));
  session.set_namespace_(std::move(lost.nsp));
  for (std::size_t i = 0; i < lost.rooms.size(); ++i) {
    LostSession::Room& room = lost.rooms[i];
    v1::LostRoom& told = *session.add_rooms();
    told.set_after_seq(room.Before(first_behind[i]));
    told.set_room_id(std::move(room.id));
  }
  return {.result = RecoveryResult::kRecovered, .session = std::move(session)};
}

void EdgeRecovery::PutBack(const v1::LostSession& session) {
  sessions_.PutBack(StandingSession(session), std::chrono::steady_clock::now());
}

LostSession StandingSession(const v1::LostSession& session) {
  LostSession lost;
  lost.pid = ParsePid(session.pid()).value_or(Pid());
  lost.sid = session.sid();
  lost.user_id = session.user_id();
  lost.dialect = session.dialect();
  lost.nsp = session.namespace_();
  for (const v1::LostRoom& room : session.rooms()) {
    lost.rooms.push_back(
        {.id = room.room_id(), .since = room.after_seq(), .position = room.after_seq()});
  }
  return lost;
}

}  // namespace confab::edge
