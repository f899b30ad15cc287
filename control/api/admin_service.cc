#include "control/api/admin_service.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "control/dispatch/dispatcher.h"
#include "control/room/event_message.h"
#include "control/status_reason.h"

namespace confab::control {
namespace {

constexpr uint32_t kPageDefault = 100;
constexpr uint32_t kPageLimit = 1000;  // About 500 KB of the longest entries there can be.

absl::StatusOr<storage::AuditQuery> QueryOf(const v1::ListAuditRequest& request) {
  storage::AuditQuery query;
  query.room = storage::RoomId(request.room_id());
  query.actor = storage::UserId(request.actor_id());
  query.subject = storage::UserId(request.user_id());
  query.limit = static_cast<int32_t>(
      std::min(request.page_size() == 0 ? kPageDefault : request.page_size(), kPageLimit));
  const std::string& token = request.page_token();
  if (token.empty()) return query;
  const auto [end, error] =
      std::from_chars(token.data(), token.data() + token.size(), query.before_id);
  if (error != std::errc() || end != token.data() + token.size() || query.before_id <= 0) {
    return RefusalStatus(v1::REASON_BAD_REQUEST, "page_token: is not one that was given");
  }
  return query;
}

v1::AuditEntry ToMessage(const storage::AuditRecord& record) {
  v1::AuditEntry entry;
  entry.set_id(record.id);
  *entry.mutable_at() = control::ToMessage(record.at);
  entry.set_actor_id(record.actor.value);
  entry.set_service(record.note.service);
  entry.set_act(record.note.act);
  entry.set_room_id(record.room.value);
  entry.set_user_id(record.subject.value);
  entry.set_result(record.result);
  entry.set_request_id(record.note.request_id);
  entry.set_seq(record.seq);
  return entry;
}

}  // namespace

grpc::ServerUnaryReactor* AdminService::ListAudit(grpc::CallbackServerContext* context,
                                                  const v1::ListAuditRequest* request,
                                                  v1::ListAuditResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.AdminService/ListAudit");
  if (!call.is_admitted()) return call.reactor();
  absl::StatusOr<storage::AuditQuery> query = QueryOf(*request);
  if (!query.ok()) return call.Finish(query.status());
  const int32_t size = query->limit;
  parts_.dispatcher.ListAudit(
      *std::move(query), call.Answer<std::vector<storage::AuditRecord>>(
                             [response, size](const std::vector<storage::AuditRecord>& records) {
                               for (const storage::AuditRecord& record : records) {
                                 *response->add_entries() = ToMessage(record);
                               }
                               if (response->entries_size() < size) return;
                               response->set_next_page_token(std::to_string(records.back().id));
                             }));
  return call.reactor();
}

}  // namespace confab::control
