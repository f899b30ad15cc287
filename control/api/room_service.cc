#include "control/api/room_service.h"

#include <algorithm>
#include <utility>

#include "control/api/translate.h"
#include "control/dispatch/dispatcher.h"
#include "control/room/audit_trail.h"
#include "control/room/event_message.h"

namespace confab::control {
namespace {

using storage::RoomId;
using storage::UserId;

constexpr uint32_t kPageDefault = 100;
constexpr uint32_t kPageLimit = 1000;  // About 450 KB of the longest rooms there can be.

int32_t PageSize(uint32_t asked) {
  return static_cast<int32_t>(std::min(asked == 0 ? kPageDefault : asked, kPageLimit));
}

using Kind = PersonChange::Kind;
// Nothing where everything is kept.
void SetRetention(const storage::Retention& retention, v1::Room& room) {
  if (retention == storage::Retention{}) return;
  room.mutable_retention()->set_max_age_seconds(absl::ToInt64Seconds(retention.max_age));
  room.mutable_retention()->set_max_messages(retention.max_messages);
}

// `rooms` holds one more than the page if there are more.
template <typename Record>
void FillRooms(const std::vector<Record>& rooms, int32_t size, v1::ListRoomsResponse& response) {
  for (const Record& room : rooms) {
    if (response.rooms_size() == size) {
      response.set_next_page_token(response.rooms(size - 1).id());
      return;
    }
    *response.add_rooms() = ToMessage(room);
  }
}

}  // namespace

template <typename Response>
void RoomService::Change(const UnaryCall& call, const grpc::CallbackServerContext& context,
                         PersonChange change, const std::string& room, Response* response) {
  parts_.dispatcher.ChangeMember(
      RoomId(room), call.asker(), std::move(change), DeadlineOf(context),
      call.Answer<storage::MemberRecord>([response](const storage::MemberRecord& member) {
        *response->mutable_member() = ToMessage(member);
      }));
}

grpc::ServerUnaryReactor* RoomService::CreateRoom(grpc::CallbackServerContext* context,
                                                  const v1::CreateRoomRequest* request,
                                                  v1::CreateRoomResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.RoomService/CreateRoom");
  if (!call.is_admitted()) return call.reactor();
  auto members = MembersOf(request->members());
  if (!members.ok()) return call.Finish(members.status());
  const absl::StatusOr<bool> is_public = IsPublic(request->visibility());
  if (!is_public.ok()) return call.Finish(is_public.status());
  storage::NewRoom room;
  room.id = RoomId(request->room_id());
  room.topic = request->topic();
  room.is_public = *is_public;
  room.members = *std::move(members);
  room.audit = NoteOf("room.create", call.asker());
  parts_.dispatcher.CreateRoom(
      std::move(room), DeadlineOf(*context),
      call.Answer<storage::RoomRecord>([response](const storage::RoomRecord& record) {
        *response->mutable_room() = ToMessage(record);
      }));
  return call.reactor();
}

grpc::ServerUnaryReactor* RoomService::GetRoom(grpc::CallbackServerContext* context,
                                               const v1::GetRoomRequest* request,
                                               v1::GetRoomResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.RoomService/GetRoom");
  if (!call.is_admitted()) return call.reactor();
  parts_.dispatcher.GetRoom(RoomId(request->room_id()), UserId(),
                            call.Answer<RoomWithCount>([response](const RoomWithCount& found) {
                              *response->mutable_room() = ToMessage(found.room);
                              response->mutable_room()->set_member_count(found.member_count);
                              SetRetention(found.retention, *response->mutable_room());
                            }));
  return call.reactor();
}

grpc::ServerUnaryReactor* RoomService::ListRooms(grpc::CallbackServerContext* context,
                                                 const v1::ListRoomsRequest* request,
                                                 v1::ListRoomsResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.RoomService/ListRooms");
  if (!call.is_admitted()) return call.reactor();
  const int32_t size = PageSize(request->page_size());
  if (!request->user_id().empty()) {
    parts_.dispatcher.ListMemberships(
        UserId(request->user_id()), RoomId(request->page_token()), size + 1,
        call.Answer<std::vector<storage::MembershipRecord>>(
            [response, size](const std::vector<storage::MembershipRecord>& rooms) {
              FillRooms(rooms, size, *response);
            }));
    return call.reactor();
  }
  parts_.dispatcher.ListRooms(RoomId(request->page_token()), UserId(request->user_id()), size + 1,
                              call.Answer<std::vector<storage::RoomRecord>>(
                                  [response, size](const std::vector<storage::RoomRecord>& rooms) {
                                    FillRooms(rooms, size, *response);
                                  }));
  return call.reactor();
}

grpc::ServerUnaryReactor* RoomService::DeleteRoom(grpc::CallbackServerContext* context,
                                                  const v1::DeleteRoomRequest* request,
                                                  v1::DeleteRoomResponse* /*response*/) {
  const UnaryCall call(parts_, context, "/confab.v1.RoomService/DeleteRoom");
  if (!call.is_admitted()) return call.reactor();
  parts_.dispatcher.DeleteRoom(RoomId(request->room_id()), call.asker(), DeadlineOf(*context),
                               call.Answer<RoomDeleted>([](RoomDeleted) {}));
  return call.reactor();
}

grpc::ServerUnaryReactor* RoomService::AddMembers(grpc::CallbackServerContext* context,
                                                  const v1::AddMembersRequest* request,
                                                  v1::AddMembersResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.RoomService/AddMembers");
  if (!call.is_admitted()) return call.reactor();
  auto members = MembersOf(request->members());
  if (!members.ok()) return call.Finish(members.status());
  parts_.dispatcher.AddMembers(RoomId(request->room_id()), call.asker(), *std::move(members),
                               DeadlineOf(*context),
                               call.Answer<MembersChanged>([response](MembersChanged changed) {
                                 response->set_changed(static_cast<uint32_t>(changed.changed));
                                 response->set_last_seq(changed.last_seq);
                               }));
  return call.reactor();
}

grpc::ServerUnaryReactor* RoomService::RemoveMembers(grpc::CallbackServerContext* context,
                                                     const v1::RemoveMembersRequest* request,
                                                     v1::RemoveMembersResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.RoomService/RemoveMembers");
  if (!call.is_admitted()) return call.reactor();
  std::vector<UserId> users;
  for (const std::string& user : request->user_ids()) users.emplace_back(user);
  parts_.dispatcher.RemoveMembers(RoomId(request->room_id()), call.asker(), std::move(users),
                                  DeadlineOf(*context),
                                  call.Answer<MembersChanged>([response](MembersChanged changed) {
                                    response->set_removed(static_cast<uint32_t>(changed.changed));
                                    response->set_last_seq(changed.last_seq);
                                  }));
  return call.reactor();
}

grpc::ServerUnaryReactor* RoomService::ListMembers(grpc::CallbackServerContext* context,
                                                   const v1::ListMembersRequest* request,
                                                   v1::ListMembersResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.RoomService/ListMembers");
  if (!call.is_admitted()) return call.reactor();
  const int32_t size = PageSize(request->page_size());
  parts_.dispatcher.ListMembers(
      RoomId(request->room_id()),
      request->is_of_banned() ? storage::MemberFilter::kBanned : storage::MemberFilter::kMembers,
      UserId(), UserId(request->page_token()), size,
      call.Answer<std::vector<storage::MemberRecord>>(
          [response, size](const std::vector<storage::MemberRecord>& members) {
            for (const storage::MemberRecord& member : members) {
              *response->add_members() = ToMessage(member);
            }
            if (response->members_size() >= size) {
              response->set_next_page_token(members.back().user.value);
            }
          }));
  return call.reactor();
}

grpc::ServerUnaryReactor* RoomService::SetMemberRole(grpc::CallbackServerContext* context,
                                                     const v1::SetMemberRoleRequest* request,
                                                     v1::SetMemberRoleResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.RoomService/SetMemberRole");
  if (!call.is_admitted()) return call.reactor();
  const absl::StatusOr<storage::Role> role = RoleOf(request->role(), storage::Role::kNone);
  if (!role.ok()) return call.Finish(role.status());
  Change(call, *context, {Kind::kRole, UserId(request->user_id()), *role}, request->room_id(),
         response);
  return call.reactor();
}

grpc::ServerUnaryReactor* RoomService::UpdateRoom(grpc::CallbackServerContext* context,
                                                  const v1::UpdateRoomRequest* request,
                                                  v1::UpdateRoomResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.RoomService/UpdateRoom");
  if (!call.is_admitted()) return call.reactor();
  parts_.dispatcher.UpdateRoom(
      RoomId(request->room_id()), call.asker(), request->changes(), DeadlineOf(*context),
      call.Answer<storage::RoomRecord>([response](const storage::RoomRecord& record) {
        *response->mutable_room() = ToMessage(record);
      }));
  return call.reactor();
}

grpc::ServerUnaryReactor* RoomService::BanMember(grpc::CallbackServerContext* context,
                                                 const v1::BanMemberRequest* request,
                                                 v1::BanMemberResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.RoomService/BanMember");
  if (!call.is_admitted()) return call.reactor();
  Change(call, *context,
         {Kind::kBan, UserId(request->user_id()), storage::Role::kNone, request->seconds()},
         request->room_id(), response);
  return call.reactor();
}

grpc::ServerUnaryReactor* RoomService::UnbanMember(grpc::CallbackServerContext* context,
                                                   const v1::UnbanMemberRequest* request,
                                                   v1::UnbanMemberResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.RoomService/UnbanMember");
  if (!call.is_admitted()) return call.reactor();
  Change(call, *context, {Kind::kUnban, UserId(request->user_id())}, request->room_id(), response);
  return call.reactor();
}

grpc::ServerUnaryReactor* RoomService::MuteMember(grpc::CallbackServerContext* context,
                                                  const v1::MuteMemberRequest* request,
                                                  v1::MuteMemberResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.RoomService/MuteMember");
  if (!call.is_admitted()) return call.reactor();
  Change(call, *context,
         {Kind::kMute, UserId(request->user_id()), storage::Role::kNone, request->seconds()},
         request->room_id(), response);
  return call.reactor();
}

grpc::ServerUnaryReactor* RoomService::UnmuteMember(grpc::CallbackServerContext* context,
                                                    const v1::UnmuteMemberRequest* request,
                                                    v1::UnmuteMemberResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.RoomService/UnmuteMember");
  if (!call.is_admitted()) return call.reactor();
  Change(call, *context, {Kind::kUnmute, UserId(request->user_id())}, request->room_id(), response);
  return call.reactor();
}

}  // namespace confab::control
