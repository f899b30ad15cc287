// control_connection.h: a connection to one control, made again whenever it is asked for.
// Owns: the channel, or what gRPC makes it of.   Used by: grpc_control_link.
// Threads: one at a time.
// Fails: nobody is there: no channel.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <grpcpp/channel.h>
#include <grpcpp/support/channel_arguments.h>

#include "process/tls_material.h"

namespace confab::edge {

class ControlConnection {
 public:
  virtual ~ControlConnection() = default;

  // A channel on which somebody has answered within `limit`; null: nobody has. Ends what was
  // connected before, if anything is left of it.
  virtual std::shared_ptr<grpc::Channel> Connect(std::chrono::milliseconds limit) = 0;

  // Ends the connection under the calls on it, which end with that. gRPC by itself ends none, and
  // notices no dead peer, while it waits for a socket to take more: the ping of its keepalive waits
  // behind that, and so does the end of a cancelled call. The kernel ends such a wait where the
  // socket is TCP's (TCP_USER_TIMEOUT, which gRPC sets to its keepalive's time-out), and nobody
  // where it is a Unix one: of those this does, of others nothing.
  virtual void Cut() = 0;
};

// `target`: unix:PATH or HOST:PORT, as CheckControlTarget takes them; `tls` as ControlCredentials.
std::unique_ptr<ControlConnection> ConnectionTo(const std::string& target,
                                                const process::TlsMaterial* tls,
                                                const grpc::ChannelArguments& arguments);

// Into control of this process.
std::unique_ptr<ControlConnection> ConnectionInProcess(std::shared_ptr<grpc::Channel> channel);

}  // namespace confab::edge
