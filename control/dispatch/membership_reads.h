// membership_reads.h: how far a user has read his rooms: what the store has, moved on by what the
// user has posted and the store may not know of as read yet.
// Threads: any thread; the gathered is given on a lane, or where the last lane let go of it.
#pragma once

#include <cstdint>
#include <vector>

#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>

#include "control/dispatch/room_lanes.h"
#include "storage/store.h"

namespace confab::control {

// Asks all lanes; a lane that has ended has nothing to tell.
void GatherOwnPointers(RoomLanes& lanes, const storage::UserId& user,
                       absl::AnyInvocable<void(std::vector<storage::PointerMove>)> done);

absl::StatusOr<std::vector<storage::MembershipRecord>> ReadMemberships(
    storage::Store& store, const storage::UserId& user, const storage::RoomId& after, int32_t limit,
    const std::vector<storage::PointerMove>& own);

}  // namespace confab::control
