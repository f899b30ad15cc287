// recovery_words.h: lost sessions and questions about them, in few words.
// Threads: values.
#pragma once

#include <cstdint>
#include <string>

#include "confab/v1/recovery.pb.h"

namespace confab::control {

// Ann's, in room "a", of dialect "confab" and namespace "/".
inline v1::LostSession Lost(const std::string& pid, const std::string& sid = "sid") {
  v1::LostSession session;
  session.set_pid(pid);
  session.set_sid(sid);
  session.set_user_id("ann");
  session.set_dialect("confab");
  session.set_namespace_("/");
  session.add_rooms()->set_room_id("a");
  session.mutable_rooms(0)->set_after_seq(4);
  return session;
}

inline v1::SessionHandedOver HandedOver(const std::string& pid, uint64_t n,
                                        const std::string& sid = "sid") {
  v1::SessionHandedOver handed;
  *handed.mutable_session() = Lost(pid, sid);
  handed.set_n(n);
  return handed;
}

// Ann's, about that session, with the offset `edge`.1.`n`.
inline v1::RecoveryQuestion QuestionOf(const std::string& pid, const std::string& edge, uint64_t n,
                                       uint64_t ticket = 7) {
  v1::RecoveryQuestion question;
  question.set_ticket(ticket);
  question.set_edge_id(edge);
  question.set_epoch(1);
  question.set_n(n);
  question.set_pid(pid);
  question.set_user_id("ann");
  question.set_dialect("confab");
  question.set_namespace_("/");
  return question;
}

}  // namespace confab::control
