#include "control/api/connection_service.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "control/room/event_message.h"
#include "control/status_reason.h"

namespace confab::control {
namespace {

using storage::UserId;

constexpr uint32_t kPageDefault = 100;
constexpr uint32_t kPageLimit = 1'000;

void Add(const UserLook& user, v1::ListConnectionsResponse& response) {
  for (const TrackedConnection& tracked : user.connections) {
    v1::ClientConnection& connection = *response.add_connections();
    connection.set_edge_id(tracked.edge_id);
    connection.set_connection(tracked.connection);
    connection.set_user_id(user.view.user.value);
    connection.set_device_id(tracked.device_id);
    connection.set_role_context(tracked.role_context);
    *connection.mutable_since() = ToMessage(tracked.since);
    connection.set_is_live(tracked.is_live);
  }
}

}  // namespace

grpc::ServerUnaryReactor* ConnectionService::ListConnections(
    grpc::CallbackServerContext* context, const v1::ListConnectionsRequest* request,
    v1::ListConnectionsResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.ConnectionService/ListConnections");
  if (!call.is_admitted()) return call.reactor();
  const uint32_t size =
      std::min(request->page_size() == 0 ? kPageDefault : request->page_size(), kPageLimit);
  calls_.ListConnections(UserId(request->user_id()), UserId(request->page_token()), size,
                         call.Answer<ConnectionsPage>([response](const ConnectionsPage& page) {
                           for (const UserLook& user : page.users) Add(user, *response);
                           if (page.has_more) {
                             response->set_next_page_token(page.users.back().view.user.value);
                           }
                         }));
  return call.reactor();
}

grpc::ServerUnaryReactor* ConnectionService::KickConnections(
    grpc::CallbackServerContext* context, const v1::KickConnectionsRequest* request,
    v1::KickConnectionsResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.ConnectionService/KickConnections");
  if (!call.is_admitted()) return call.reactor();
  if (request->edge_id().empty() != (request->connection() == 0)) {
    return call.Finish(RefusalStatus(v1::REASON_BAD_REQUEST,
                                     "edge_id and connection are given together or not at all"));
  }
  std::optional<std::pair<std::string, uint64_t>> one;
  if (request->connection() != 0) one.emplace(request->edge_id(), request->connection());
  calls_.Kick(UserId(request->user_id()), std::move(one), call.asker(), DeadlineOf(*context),
              call.Answer<size_t>([response](size_t kicked) {
                response->set_kicked(static_cast<uint32_t>(kicked));
              }));
  return call.reactor();
}

}  // namespace confab::control
