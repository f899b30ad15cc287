// attached_edge.h: one edge's stream: batches in, batches out.
// Owns: the reactor (itself, until gRPC is done with it), the table of the edge's connections.
// Used by: edge_link_service.
// Threads: reads come one after the other on gRPC's threads; Send and Close from any thread
// (guarded by the sender's `mu_`).
// Fails: ends the stream with a canonical code; the edge attaches again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "confab/v1/edge_link.pb.h"

#include "control/dispatch/dispatcher.h"
#include "control/edge_link/hello_reader.h"
#include "control/fanout/edge_stream.h"
#include "storage/records.h"

namespace confab::control {

class AttachedEdge final : public grpc::ServerBidiReactor<v1::AttachRequest, v1::AttachResponse> {
 public:
  // One process serves at most so many connections; ends an edge that never closes any.
  static constexpr size_t kConnectionsLimit = HelloReader::kConnectionsLimit;

  // Whose service token came with a Publish or Notify, and may call the method of gRPC that does the
  // same: the service's name.
  using AdmitService =
      std::function<absl::StatusOr<std::string>(std::string_view token, std::string_view method)>;

  // Deletes itself when gRPC is done with it. `dispatcher` and `admit_service` outlive that.
  AttachedEdge(Dispatcher& dispatcher, const std::string& control_id,
               const AdmitService& admit_service, grpc::CallbackServerContext& context);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  class Sender;

  // Who is behind a connection.
  struct Peer {
    std::shared_ptr<const storage::Actor> actor;
    std::string role_context;
    bool is_socket = false;
  };

  absl::Status Receive(v1::AttachRequest& request);
  absl::Status ReceiveHello(v1::Hello& chunk);
  absl::Status Open(v1::ConnectionOpened& opened);
  void Close(uint64_t connection);
  void OnDraining(const v1::EdgeDraining& draining);
  // Of what concerns lost sessions.
  void OnRecovery(v1::EdgeItem& item);
  absl::Status ReceiveCommand(v1::Command& command);
  void Refuse(const v1::Command& command, const absl::Status& why);
  void DispatchGathered();

  Dispatcher& dispatcher_;
  const std::string control_id_;
  const AdmitService& admit_service_;
  const std::shared_ptr<Sender> sender_;
  v1::AttachRequest request_;
  HelloReader hello_;
  std::shared_ptr<Attachment> attachment_;   // Null until Hello is complete.
  std::vector<OpenedConnection> announced_;  // Before the Hello was complete.
  absl::flat_hash_map<uint64_t, Peer> connections_;
  std::vector<EdgeInput> gathered_;  // Of the request being received.
};

}  // namespace confab::control
