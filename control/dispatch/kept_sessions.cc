#include "control/dispatch/kept_sessions.h"

#include <iterator>
#include <utility>

namespace confab::control {
namespace {

// Places in list and map, and what strings take beside their text.
constexpr size_t kEntryBytes = 256;

}  // namespace

bool IsAskedFor(const v1::LostSession& session, const v1::RecoveryQuestion& asked) {
  return session.pid() == asked.pid() && session.user_id() == asked.user_id() &&
         session.dialect() == asked.dialect() && session.namespace_() == asked.namespace_();
}

size_t KeptSessions::BytesOf(const Entry& entry) {
  return kEntryBytes + entry.edge_id.size() + 2 * entry.pid.size() + entry.session.size();
}

void KeptSessions::Keep(const std::string& edge_id, uint64_t epoch,
                        const v1::SessionHandedOver& handed, SteadyTime now) {
  Tidy(now);
  const std::string& pid = handed.session().pid();
  if (const auto before = by_pid_.find(pid); before != by_pid_.end()) Drop(before->second);
  entries_.push_back({.edge_id = edge_id,
                      .epoch = epoch,
                      .n = handed.n(),
                      .pid = pid,
                      .session = handed.session().SerializeAsString(),
                      .until = now + kLife});
  by_pid_[pid] = std::prev(entries_.end());
  bytes_ += BytesOf(entries_.back());
  while (entries_.size() > count_limit_ || bytes_ > bytes_limit_) Drop(entries_.begin());
}

std::optional<v1::LostSession> KeptSessions::Take(const v1::RecoveryQuestion& asked,
                                                  SteadyTime now) {
  Tidy(now);
  const auto found = by_pid_.find(asked.pid());
  if (found == by_pid_.end()) return std::nullopt;
  const Entry& entry = *found->second;
  if (entry.edge_id != asked.edge_id() || entry.epoch != asked.epoch() || entry.n != asked.n()) {
    return std::nullopt;
  }
  v1::LostSession session;
  if (!session.ParseFromString(entry.session) || !IsAskedFor(session, asked)) return std::nullopt;
  Drop(found->second);
  return session;
}

void KeptSessions::Tidy(SteadyTime now) {
  while (!entries_.empty() && entries_.front().until <= now) Drop(entries_.begin());
}

void KeptSessions::Drop(Entries::iterator entry) {
  bytes_ -= BytesOf(*entry);
  by_pid_.erase(entry->pid);
  entries_.erase(entry);
}

}  // namespace confab::control
