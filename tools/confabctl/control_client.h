// control_client.h: a channel to control with the caller's token, and what its failures mean.
// Owns: the channel.   Used by: the verbs.
// Threads: caller serialises.
// Fails: Open and Explain print one line and give the exit code.
#pragma once

#include <memory>
#include <string>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include "confab/v1/admin_service.grpc.pb.h"
#include "confab/v1/connection_service.grpc.pb.h"
#include "confab/v1/edge_service.grpc.pb.h"
#include "confab/v1/message_service.grpc.pb.h"
#include "confab/v1/presence_service.grpc.pb.h"
#include "confab/v1/room_service.grpc.pb.h"

#include "tools/confabctl/command_line.h"

namespace confab::ctl {

class ControlClient {
 public:
  // Null after a failure, which was printed; *exit is its code then. Without `needs_token` no
  // token is asked for.
  static std::unique_ptr<ControlClient> Open(const Invocation& run, Exit* exit,
                                             bool needs_token = true);

  v1::RoomService::Stub& rooms() { return *rooms_; }
  v1::MessageService::Stub& messages() { return *messages_; }
  v1::PresenceService::Stub& presence() { return *presence_; }
  v1::ConnectionService::Stub& connections() { return *connections_; }
  v1::EdgeService::Stub& edges() { return *edges_; }
  v1::AdminService::Stub& admin() { return *admin_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  // Puts the token into `context`.
  void Prepare(grpc::ClientContext& context) const;

  // A unary call within --timeout.
  template <typename Stub, typename Request, typename Response>
  grpc::Status Ask(Stub& stub,
                   grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                   const Request& request, Response* response) const {
    grpc::ClientContext context;
    Prepare(context);
    context.set_deadline(absl::ToChronoTime(absl::Now() + run_.timeout));
    return (stub.*method)(&context, request, response);
  }

  // The same; prints what went wrong.
  //   if (Exit e = client->Call(client->rooms(), &v1::RoomService::Stub::GetRoom, request,
  //                             &response); e != Exit::kDone) return e;
  template <typename Stub, typename Request, typename Response>
  Exit Call(Stub& stub,
            grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
            const Request& request, Response* response) const {
    return Explain(Ask(stub, method, request, response));
  }

  // Whether anybody answers, before a stream that would wait for control to come back.
  Exit Probe() const;

  // kDone if OK; else says what happened and what to do next.
  Exit Explain(const grpc::Status& status) const;

 private:
  ControlClient(const Invocation& run, std::string address, std::string token,
                std::unique_ptr<process::TlsMaterial> tls);

  const Invocation& run_;
  const std::string address_;
  const std::string token_;
  const std::unique_ptr<process::TlsMaterial> tls_;  // Null: without. Outlives the channel.
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::RoomService::Stub> rooms_;
  std::unique_ptr<v1::MessageService::Stub> messages_;
  std::unique_ptr<v1::PresenceService::Stub> presence_;
  std::unique_ptr<v1::ConnectionService::Stub> connections_;
  std::unique_ptr<v1::EdgeService::Stub> edges_;
  std::unique_ptr<v1::AdminService::Stub> admin_;
};

// True: the call did not end by Confab's word; the connection broke, or there is none.
bool IsBroken(const grpc::Status& status);

// The reason word of google.rpc.ErrorInfo in the details; empty if the status did not come from
// Confab itself.
std::string ReasonWordOf(const grpc::Status& status);

}  // namespace confab::ctl
