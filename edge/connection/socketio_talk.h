// socketio_talk.h: Socket.IO v5 over one Engine.IO session: who has joined which namespace, and the
// order of packets: CONNECT first, attachments behind their header, nothing behind the end.
// Owns: the namespaces, a packet whose attachments are still to come.
// Used by: engineio_session (as its app), the namespaces (to speak and to end).
// Threads: confined to the io thread.
// Fails: bad packets close the session, all namespaces with it; a refused CONNECT is told.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/inlined_vector.h>

#include "edge/connection/engineio_session.h"
#include "edge/connection/rate_limit.h"
#include "edge/connection/session_home.h"
#include "edge/connection/socketio_namespace.h"
#include "edge/protocol/socketio_codec.h"

namespace confab::edge {

class SocketIoTalk final : public EngineIoApp {
 public:
  // `engine` owns this object.
  SocketIoTalk(EngineIoSession& engine, OpenRequest request, SocketIoNamespaceMaker make);
  ~SocketIoTalk() override;

  void OnMessage(bool is_binary, std::string_view body) override;
  void OnDrained() override;
  void OnDegraded(std::span<const Dropped> dropped) override;
  void OnMoved(Transport& transport) override;
  void SayClosing(CloseReason reason) override;
  void SayDraining(absl::Duration delay) override;
  void OnClosing(CloseReason reason) override;
  bool EndCommands() override;
  Heartbeat::SteadyTime CheckTokens(Heartbeat::SteadyTime now) override;

  // For the namespaces.
  EngineIoSession& engine() { return engine_; }
  const OpenRequest& request() const { return request_; }
  // Its CONNECT was answered.
  void OnJoined() { UpdatePhase(); }
  // Ends one namespace: with DISCONNECT where the client is not to come back by itself and has
  // others, else with the whole session.
  void Shut(const SocketIoNamespace& ended, CloseReason reason);
  // A packet with attachments, which follow it directly: no other packet of this session comes in
  // between. `append` adds the whole text packet to the string given.
  template <typename Append, typename Attachments>
  void SendBinary(Append&& append, const Attachments& attachments) {
    engine_.SendText(append);
    for (const auto& attachment : attachments) engine_.SendBinary(attachment);
  }

 private:
  class BinaryPacket;

  struct Joined {
    std::string_view nsp;  // Of the home's list.
    std::unique_ptr<SocketIoNamespace> behind;
    // We have ended it. What the client sends before it has read so is passed over.
    bool is_over = false;
  };

  void OnAttachment(std::string_view bytes);
  void OnPacket(const SocketIoPacket& packet, std::span<const std::string> attachments);
  void OnConnect(const SocketIoPacket& packet);
  void Refuse(std::string_view nsp, const v1::Error& error);
  void SayEnd(const Joined& one, CloseReason reason);
  void Close(CloseReason reason);
  void UpdatePhase();
  bool HasLive() const;
  Joined* Find(std::string_view nsp);
  void Drop(Joined* joined);

  EngineIoSession& engine_;
  const OpenRequest request_;
  const SocketIoNamespaceMaker make_;
  // A namespace's name is its own, the list has one entry nearly always.
  absl::InlinedVector<Joined, 1> namespaces_;
  std::unique_ptr<BinaryPacket> incomplete_;
  RateBucket connects_;
  bool is_over_ = false;  // Closed; what still comes is of no interest.
};

}  // namespace confab::edge
