// membership.h: what one user is in a room, and what the room's events make of it.
// Threads: pure.
#pragma once

#include <cstdint>

#include <absl/time/time.h>

#include "control/room/permission.h"
#include "storage/records.h"

namespace confab::control {

struct Membership {
  storage::Role role = storage::Role::kNone;
  int64_t changed_seq = 0;  // Event that gave the role; with kNone: where the membership ended.
  absl::Time changed_at = absl::UnixEpoch();
  absl::Time banned_until = absl::UnixEpoch();  // restriction.h
  absl::Time muted_until = absl::UnixEpoch();
};

inline Standing StandingOf(const Membership& membership, absl::Time now) {
  return {membership.role, membership.banned_until > now, membership.muted_until > now, false};
}

Membership MembershipOf(const storage::MemberRecord& record);
storage::MemberRecord ToRecord(const storage::UserId& user, const Membership& membership);

// REQUIRES: the event is about this user.
void Apply(const storage::NewEvent& event, int64_t seq, absl::Time at, Membership& membership);

}  // namespace confab::control
