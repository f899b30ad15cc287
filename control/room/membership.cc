#include "control/room/membership.h"

#include "storage/restriction.h"

namespace confab::control {

using storage::EventKind;
using storage::Role;

namespace {

absl::Time EndIn(const storage::NewEvent& event) {
  return storage::ReadRestriction(event.content).value_or(absl::UnixEpoch());
}

}  // namespace

Membership MembershipOf(const storage::MemberRecord& record) {
  return {record.role, record.changed_seq, record.changed_at, record.banned_until,
          record.muted_until};
}

storage::MemberRecord ToRecord(const storage::UserId& user, const Membership& membership) {
  return {user,
          membership.role,
          membership.changed_seq,
          membership.changed_at,
          membership.banned_until,
          membership.muted_until};
}

void Apply(const storage::NewEvent& event, int64_t seq, absl::Time at, Membership& membership) {
  const auto give = [&](Role role) {
    if (membership.role == role) return;
    membership.role = role;
    membership.changed_seq = seq;
    membership.changed_at = at;
  };
  switch (event.kind) {
    case EventKind::kMemberAdded:
      membership.banned_until = absl::UnixEpoch();
      return give(event.role);
    case EventKind::kMemberRoleChanged:
      return give(event.role);
    case EventKind::kMemberRemoved:
      return give(Role::kNone);
    case EventKind::kMemberBanned:
      membership.banned_until = EndIn(event);
      return give(Role::kNone);
    case EventKind::kMemberUnbanned:
      membership.banned_until = absl::UnixEpoch();
      return;
    case EventKind::kMemberMuted:
      membership.muted_until = EndIn(event);
      return;
    case EventKind::kMemberUnmuted:
      membership.muted_until = absl::UnixEpoch();
      return;
    case EventKind::kMessagePosted:
    case EventKind::kMessageEdited:
    case EventKind::kMessageDeleted:
    case EventKind::kRoomUpdated:
    case EventKind::kNotificationPosted:
      return;
  }
}

}  // namespace confab::control
