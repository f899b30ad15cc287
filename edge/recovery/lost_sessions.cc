#include "edge/recovery/lost_sessions.h"

#include <array>
#include <utility>

#include "edge/recovery/offset.h"

namespace confab::edge {

namespace {

// Of the maps and lists that an entry stands in.
constexpr std::size_t kEntryBytes = 128;

std::size_t BytesOf(const LostSession& session) {
  std::size_t bytes = sizeof(LostSession) + kEntryBytes + session.sid.size() +
                      session.user_id.size() + session.dialect.size() + session.nsp.size();
  for (const LostSession::Room& room : session.rooms) bytes += sizeof(room) + room.id.size();
  return bytes;
}

}  // namespace

std::string_view WordOf(RecoveryResult result) {
  constexpr std::array<std::string_view, kRecoveryResultCount> kWords = {
      "recovered", "unknown", "foreign", "bad-offset", "incomplete"};
  return kWords[static_cast<std::size_t>(result)];
}

bool GoodOffsets::Has(std::uint64_t number) const {
  if (is_none) return false;
  if (BroadcastsOf(number) >= from_broadcast) return true;
  return AloneOf(number) != 0 && AloneOf(number) >= from_alone;
}

void LostSessions::OnLive(const Pid& pid, std::uint64_t connection) {
  const process::MutexLock lock(mu_);
  const auto entry = entries_.find(pid);
  if (entry != entries_.end() && entry->second.lost != nullptr) Drop(pid);
  entries_[pid].connection = connection;
}

void LostSessions::OnOver(const Pid& pid, std::uint64_t connection) {
  const process::MutexLock lock(mu_);
  const auto entry = entries_.find(pid);
  if (entry != entries_.end() && entry->second.connection == connection) entries_.erase(entry);
}

void LostSessions::Keep(std::uint64_t connection, LostSession&& lost, SteadyTime now) {
  const process::MutexLock lock(mu_);
  const auto entry = entries_.find(lost.pid);
  if (entry == entries_.end() || entry->second.connection != connection) return;
  Add(entry->second, std::move(lost), now);
  KeepLimits(now);
}

void LostSessions::PutBack(LostSession&& lost, SteadyTime now) {
  const process::MutexLock lock(mu_);
  Entry& entry = entries_[lost.pid];
  if (entry.connection != 0 || entry.lost != nullptr) return;
  Add(entry, std::move(lost), now);
  KeepLimits(now);
}

void LostSessions::Add(Entry& entry, LostSession&& session, SteadyTime now) {
  entry.connection = 0;
  entry.lost = std::make_unique<Lost>();
  entry.lost->session = std::move(session);
  entry.lost->forget_at = now + absl::ToChronoMilliseconds(limits_.time);
  entry.lost->bytes = BytesOf(entry.lost->session);
  entry.lost->place = order_.insert(order_.end(), entry.lost->session.pid);
  bytes_ += entry.lost->bytes;
}

void LostSessions::KeepLimits(SteadyTime now) {
  while (!order_.empty()) {
    const Pid oldest = order_.front();
    const bool is_within = order_.size() <= limits_.count && bytes_ <= limits_.bytes;
    if (is_within && entries_.at(oldest).lost->forget_at > now) return;
    Drop(oldest);
  }
}

// Takes a lost one out.
void LostSessions::Drop(const Pid& pid) {
  const auto entry = entries_.find(pid);
  bytes_ -= entry->second.lost->bytes;
  order_.erase(entry->second.lost->place);
  entries_.erase(entry);
}

LostSessions::Found LostSessions::Take(const Seeker& seeker, SteadyTime now) {
  const process::MutexLock lock(mu_);
  KeepLimits(now);
  const auto entry = entries_.find(seeker.pid);
  if (entry == entries_.end()) return {};
  if (entry->second.lost == nullptr) return {.connection = entry->second.connection};
  LostSession& session = entry->second.lost->session;
  if (session.user_id != seeker.user_id || session.dialect != seeker.dialect ||
      session.nsp != seeker.nsp) {
    return {.result = RecoveryResult::kForeign};
  }
  Found found{.session = std::move(session), .result = RecoveryResult::kRecovered};
  Drop(seeker.pid);
  return found;
}

std::size_t LostSessions::Expire(SteadyTime now) {
  const process::MutexLock lock(mu_);
  KeepLimits(now);
  return order_.size();
}

}  // namespace confab::edge
