// room_service.h: RoomService over gRPC: translates and asks the dispatcher; no rules.
// Used by: control.cc.
// Threads: any thread (gRPC's call in, lanes answer).
// Fails: every refusal is a gRPC status with its reason in the details.
#pragma once

#include "confab/v1/room_service.grpc.pb.h"

#include "control/api/unary_call.h"
#include "control/room/room_change.h"

namespace confab::control {

class RoomService final : public v1::RoomService::CallbackService {
 public:
  explicit RoomService(const ApiParts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* CreateRoom(grpc::CallbackServerContext* context,
                                       const v1::CreateRoomRequest* request,
                                       v1::CreateRoomResponse* response) override;
  grpc::ServerUnaryReactor* GetRoom(grpc::CallbackServerContext* context,
                                    const v1::GetRoomRequest* request,
                                    v1::GetRoomResponse* response) override;
  grpc::ServerUnaryReactor* ListRooms(grpc::CallbackServerContext* context,
                                      const v1::ListRoomsRequest* request,
                                      v1::ListRoomsResponse* response) override;
  grpc::ServerUnaryReactor* DeleteRoom(grpc::CallbackServerContext* context,
                                       const v1::DeleteRoomRequest* request,
                                       v1::DeleteRoomResponse* response) override;
  grpc::ServerUnaryReactor* AddMembers(grpc::CallbackServerContext* context,
                                       const v1::AddMembersRequest* request,
                                       v1::AddMembersResponse* response) override;
  grpc::ServerUnaryReactor* RemoveMembers(grpc::CallbackServerContext* context,
                                          const v1::RemoveMembersRequest* request,
                                          v1::RemoveMembersResponse* response) override;
  grpc::ServerUnaryReactor* ListMembers(grpc::CallbackServerContext* context,
                                        const v1::ListMembersRequest* request,
                                        v1::ListMembersResponse* response) override;
  grpc::ServerUnaryReactor* SetMemberRole(grpc::CallbackServerContext* context,
                                          const v1::SetMemberRoleRequest* request,
                                          v1::SetMemberRoleResponse* response) override;
  grpc::ServerUnaryReactor* UpdateRoom(grpc::CallbackServerContext* context,
                                       const v1::UpdateRoomRequest* request,
                                       v1::UpdateRoomResponse* response) override;
  grpc::ServerUnaryReactor* BanMember(grpc::CallbackServerContext* context,
                                      const v1::BanMemberRequest* request,
                                      v1::BanMemberResponse* response) override;
  grpc::ServerUnaryReactor* UnbanMember(grpc::CallbackServerContext* context,
                                        const v1::UnbanMemberRequest* request,
                                        v1::UnbanMemberResponse* response) override;
  grpc::ServerUnaryReactor* MuteMember(grpc::CallbackServerContext* context,
                                       const v1::MuteMemberRequest* request,
                                       v1::MuteMemberResponse* response) override;
  grpc::ServerUnaryReactor* UnmuteMember(grpc::CallbackServerContext* context,
                                         const v1::UnmuteMemberRequest* request,
                                         v1::UnmuteMemberResponse* response) override;

 private:
  // Fills response->member.
  template <typename Response>
  void Change(const UnaryCall& call, const grpc::CallbackServerContext& context,
              PersonChange change, const std::string& room, Response* response);

  const ApiParts parts_;
};

}  // namespace confab::control
