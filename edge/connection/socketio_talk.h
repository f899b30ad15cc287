// socketio_talk.h: Socket.IO v5 over one Engine.IO session: namespaces, each a connection.
// Owns: the namespaces' connections.   Used by: engineio_session (as its app).
// Threads: confined to the io thread.
// Fails: bad packets close the session; a refused token is told by CONNECT_ERROR first.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <absl/container/inlined_vector.h>

#include "edge/connection/engineio_session.h"
#include "edge/connection/session_home.h"
#include "edge/protocol/socketio_codec.h"

namespace confab::edge {

class SocketIoConnection;

class SocketIoTalk final : public EngineIoApp {
 public:
  // `engine` owns this object.
  SocketIoTalk(EngineIoSession& engine, OpenRequest request);
  ~SocketIoTalk() override;

  void OnMessage(bool is_binary, std::string_view body) override;
  void OnDrained() override;
  void OnMoved(Transport& transport) override;
  void SayClosing(CloseReason reason) override;
  bool IsTokenOver(Heartbeat::SteadyTime now) const override;

 private:
  void OnPacket(const SocketIoPacket& packet);
  void OnConnect(const SocketIoPacket& packet);
  SocketIoConnection* Find(std::string_view nsp) const;

  EngineIoSession& engine_;
  const OpenRequest request_;
  // A namespace's name is its own, the list has one entry nearly always.
  absl::InlinedVector<std::unique_ptr<SocketIoConnection>, 1> namespaces_;
};

}  // namespace confab::edge
