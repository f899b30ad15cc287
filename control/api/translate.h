// translate.h: the store's records as RoomService says them, and back. Events, roles and times are
// said in room/event_message.
// Threads: pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <absl/status/statusor.h>
#include <google/protobuf/repeated_ptr_field.h>

#include "confab/v1/room_service.pb.h"
#include "confab/v1/types.pb.h"

#include "storage/records.h"

namespace confab::control {

void Fill(const storage::RoomRecord& record, v1::Room* room);
void Fill(const storage::MemberRecord& record, v1::Member* member);

// BAD_REQUEST for a value that is no role; unset where `unset` is kNone.
absl::StatusOr<storage::Role> RoleOf(v1::Role role, storage::Role unset);

// ROLE_MEMBER where no role is given. BAD_REQUEST for a value that is no role.
absl::StatusOr<std::vector<std::pair<storage::UserId, storage::Role>>> MembersOf(
    const google::protobuf::RepeatedPtrField<v1::NewMember>& members);

}  // namespace confab::control
