#include "control/api/presence_service.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "control/api/watch_stream.h"
#include "control/presence/presence_rounds.h"
#include "control/status_reason.h"

namespace confab::control {
namespace {

using storage::RoomId;
using storage::UserId;

constexpr int kGetLimit = 500;
constexpr int kWatchLimit = 1'000;
constexpr uint32_t kPageDefault = 100;
constexpr uint32_t kPageLimit = 1'000;
constexpr char kWatchPresence[] = "/confab.v1.PresenceService/WatchPresence";

template <typename Ids>
std::vector<UserId> UsersOf(const Ids& ids) {
  std::vector<UserId> users;
  for (const std::string& id : ids) users.emplace_back(id);
  return users;
}

v1::UserPresence ToMessage(const UserLook& look) {
  v1::UserPresence user;
  *user.mutable_presence() = ToMessage(look.view);
  std::map<std::string, uint32_t> devices;
  for (const TrackedConnection& connection : look.connections) {
    if (connection.is_live) ++devices[connection.device_id];
  }
  for (const auto& [id, connections] : devices) {
    v1::OnlineDevice& device = *user.add_devices();
    device.set_device_id(id);
    device.set_connection_count(connections);
  }
  return user;
}

absl::StatusOr<PresenceCalls::Target> TargetOf(const v1::WatchPresenceRequest& request) {
  PresenceCalls::Target target;
  if (request.has_room_id()) target.room = RoomId(request.room_id());
  if (!request.has_users()) return target;
  if (request.users().user_ids().empty() || request.users().user_ids_size() > kWatchLimit) {
    return RefusalStatus(v1::REASON_BAD_REQUEST, "users.user_ids names 1 to 1,000 users");
  }
  target.users = UsersOf(request.users().user_ids());
  return target;
}

}  // namespace

grpc::ServerUnaryReactor* PresenceService::GetPresence(grpc::CallbackServerContext* context,
                                                       const v1::GetPresenceRequest* request,
                                                       v1::GetPresenceResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.PresenceService/GetPresence");
  if (!call.is_admitted()) return call.reactor();
  if (request->user_ids().empty() || request->user_ids_size() > kGetLimit) {
    return call.Finish(RefusalStatus(v1::REASON_BAD_REQUEST, "user_ids names 1 to 500 users"));
  }
  calls_.Get(UsersOf(request->user_ids()),
             call.Answer<std::vector<UserLook>>([response](const std::vector<UserLook>& users) {
               for (const UserLook& user : users) *response->add_users() = ToMessage(user);
             }));
  return call.reactor();
}

grpc::ServerUnaryReactor* PresenceService::ListPresence(grpc::CallbackServerContext* context,
                                                        const v1::ListPresenceRequest* request,
                                                        v1::ListPresenceResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.PresenceService/ListPresence");
  if (!call.is_admitted()) return call.reactor();
  const uint32_t size =
      std::min(request->page_size() == 0 ? kPageDefault : request->page_size(), kPageLimit);
  calls_.List(RoomId(request->room_id()), UserId(), UserId(request->page_token()), size,
              call.Answer<RoomLook>([response](const RoomLook& look) {
                for (const SharedView& view : look.online) {
                  *response->add_users() = ToMessage(*view);
                }
                response->set_online_count(look.online_count);
                response->set_member_count(look.member_count);
                if (look.has_more) {
                  response->set_next_page_token(look.online.back()->user.value);
                }
              }));
  return call.reactor();
}

grpc::ServerWriteReactor<v1::WatchPresenceResponse>* PresenceService::WatchPresence(
    grpc::CallbackServerContext* context, const v1::WatchPresenceRequest* request) {
  auto* stream = new WatchStream([metrics = &parts_.metrics](const absl::Status& status) {
    CountCall(*metrics, kWatchPresence, status);
  });
  const absl::StatusOr<ServiceIdentity> caller = parts_.admission.Admit(*context, kWatchPresence);
  if (!caller.ok()) {
    stream->Refuse(caller.status());
    return stream;
  }
  absl::StatusOr<PresenceCalls::Target> target = TargetOf(*request);
  if (!target.ok()) {
    stream->Refuse(target.status());
    return stream;
  }
  calls_.Watch(*std::move(target), stream->sink(),
               [sink = stream->sink()](const absl::StatusOr<bool>& watched) {
                 if (!watched.ok()) sink->End(watched.status());
               });
  return stream;
}

}  // namespace confab::control
