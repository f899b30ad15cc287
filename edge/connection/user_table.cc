#include "edge/connection/user_table.h"

#include <algorithm>

#include <absl/hash/hash.h>
#include <absl/strings/string_view.h>

namespace confab::edge {

void UserTable::SetLimit(std::size_t connections_limit) {
  const process::MutexLock lock(mu_);
  connections_limit_ = connections_limit;
}

std::size_t UserTable::size() const {
  const process::MutexLock lock(mu_);
  return shares_.size();
}

UserTable::Entered UserTable::Enter(std::string_view user, std::uint64_t connection) {
  const std::uint64_t key = absl::Hash<absl::string_view>()({user.data(), user.size()});
  const process::MutexLock lock(mu_);
  std::unique_ptr<UserShare>& share = shares_[key];
  if (share == nullptr) {
    share = std::make_unique<UserShare>();
    share->user_ = key;
  } else if (share->holders_ == 0) {
    --gone_;
  }
  ++share->holders_;
  return {.share = share.get(), .replaced = connection == 0 ? 0 : Add(*share, connection)};
}

std::uint64_t UserTable::Count(UserShare& share, std::uint64_t connection) {
  const process::MutexLock lock(mu_);
  return Add(share, connection);
}

std::uint64_t UserTable::Add(UserShare& share, std::uint64_t connection) {
  auto& connections = share.connections_;
  connections.push_back(connection);
  if (connections_limit_ == 0 || connections.size() <= connections_limit_) return 0;
  const std::uint64_t oldest = connections.front();
  connections.erase(connections.begin());
  return oldest;
}

void UserTable::Leave(UserShare& share, std::uint64_t connection,
                      std::chrono::steady_clock::time_point now) {
  const process::MutexLock lock(mu_);
  auto& connections = share.connections_;
  // It is not there if it was replaced.
  const auto it = std::find(connections.begin(), connections.end(), connection);
  if (it != connections.end()) connections.erase(it);
  if (--share.holders_ > 0) return;
  if (share.sends_.IsFull(now)) {
    shares_.erase(share.user_);
    return;
  }
  if (++gone_ > gone_limit_) ForgetGone(now);
}

void UserTable::ForgetGone(std::chrono::steady_clock::time_point now) {
  const auto forget = [&](bool only_full) {
    gone_ -= absl::erase_if(shares_, [&](const auto& entry) {
      const UserShare& share = *entry.second;
      return share.holders_ == 0 && (!only_full || share.sends_.IsFull(now));
    });
  };
  forget(true);
  // The rate of single users is no defence against so many at once.
  if (gone_ > gone_limit_) forget(false);
}

}  // namespace confab::edge
