// grpc_server.h: gRPC's server with control's limits, health and, if switched on, reflection.
// Owns: the server and its Unix socket.   Used by: control.cc.
// Threads: caller serialises; SetServing from any thread.
// Fails: Start with FAILED_PRECONDITION (address taken) or INVALID_ARGUMENT.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <grpcpp/channel.h>
#include <grpcpp/server.h>

#include "control/api/grpc_address.h"
#include "control/control_config.h"

namespace confab::control {

class GrpcServer {
 public:
  // The services outlive the server. Health says NOT_SERVING until SetServing(true).
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(
      const ControlConfig& config, const std::vector<grpc::Service*>& services);
  ~GrpcServer();  // Shuts down at once, if it runs.
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // With the port as bound.
  std::string address() const { return address_.ToString(); }

  void SetServing(bool is_serving);

  // Reads the TLS files again; new connections meet them within two seconds, calls under way stay.
  // An error leaves those in use.
  absl::Status Reload();

  // A channel without sockets; its calls show `key` (Admission::in_process_key).
  std::shared_ptr<grpc::Channel> InProcessChannel(const std::string& key);

  // Takes no more calls; calls still under way at `deadline` are cancelled. Returns when all
  // handlers have ended.
  void Shutdown(absl::Duration deadline);

 private:
  GrpcServer(GrpcAddress address, std::unique_ptr<process::TlsMaterial> tls,
             std::unique_ptr<grpc::Server> server);

  const GrpcAddress address_;
  const std::unique_ptr<process::TlsMaterial> tls_;  // Null: without TLS.
  const std::unique_ptr<grpc::Server> server_;
};

}  // namespace confab::control
