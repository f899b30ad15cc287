#include "control/edge_link/edge_link_service.h"

#include <utility>

#include "control/api/grpc_status.h"
#include "control/status_reason.h"

namespace confab::control {
namespace {

class RefusedStream final : public grpc::ServerBidiReactor<v1::AttachRequest, v1::AttachResponse> {
 public:
  explicit RefusedStream(const absl::Status& why) { Finish(ToGrpc(why)); }
  void OnDone() override { delete this; }
};

}  // namespace

EdgeLinkService::EdgeLinkService(Dispatcher& dispatcher, std::string control_id, Admit admit,
                                 AdmitService admit_service)
    : dispatcher_(dispatcher),
      control_id_(std::move(control_id)),
      admit_(std::move(admit)),
      admit_service_(std::move(admit_service)) {}

grpc::ServerBidiReactor<v1::AttachRequest, v1::AttachResponse>* EdgeLinkService::Attach(
    grpc::CallbackServerContext* context) {
  absl::Status status = admit_(*context);
  if (status.ok() && !dispatcher_.is_serving()) {
    status = RefusalStatus(v1::REASON_UNAVAILABLE, "this control is not the active one; try again");
  }
  if (!status.ok()) return new RefusedStream(status);
  return new AttachedEdge(dispatcher_, control_id_, admit_service_, *context);
}

}  // namespace confab::control
