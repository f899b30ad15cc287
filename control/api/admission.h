// admission.h: who may call what, asked once at the start of every call.
// Owns: the verifier.   Used by: the services, control.cc (for Attach).
// Threads: immutable.
// Fails: a refusal with the reason; deny by default.
#pragma once

#include <string>
#include <string_view>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <grpcpp/server_context.h>

#include "control/auth/service_token.h"

namespace confab::control {

inline constexpr char kInProcessMetadata[] = "confab-in-process";

class Admission {
 public:
  // `is_private_socket`: the Unix socket served is of mode 0600, so whoever comes over it is the
  // user that runs this process, or root.
  Admission(ServiceTokenVerifier verifier, bool is_private_socket);

  // Who calls `method` ("/confab.v1.RoomService/GetRoom"), by the token in the metadata.
  absl::StatusOr<ServiceIdentity> Admit(const grpc::CallbackServerContext& context,
                                        std::string_view method) const;

  // The same for a token that came another way; empty: none.
  absl::StatusOr<ServiceIdentity> AdmitToken(std::string_view token, std::string_view method) const;

  // Attach: over the private socket or from within the process without a token.
  absl::Status AdmitEdge(const grpc::CallbackServerContext& context) const;

  // What a channel within the process shows in the metadata kInProcessMetadata. Random: gRPC's own
  // name of such a peer differs from version to version, and is no proof.
  const std::string& in_process_key() const { return in_process_key_; }

 private:
  const ServiceTokenVerifier verifier_;
  const std::string in_process_key_;
  const bool is_private_socket_;
};

// "Bearer x" and "x" give "x".
std::string_view WithoutBearer(std::string_view token);

}  // namespace confab::control
