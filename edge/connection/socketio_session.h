// socketio_session.h: Engine.IO v4 and Socket.IO v5 over one transport, namespace "/".
// Owns: the heartbeat, the connection.   Used by: io_thread (makes), transport.
// Threads: confined to the io thread.
// Fails: bad packets close the transport; a refused token is told by CONNECT_ERROR first.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "edge/connection/connection.h"
#include "edge/connection/heartbeat.h"
#include "edge/connection/session.h"
#include "edge/connection/session_home.h"
#include "edge/protocol/socketio_codec.h"

namespace confab::edge {

class SocketIoSession final : public Session, private ClientWire, private Heartbeat::Owner {
 public:
  // `home` and `transport` outlive this object.
  SocketIoSession(SessionHome& home, OpenRequest request, Transport& transport);

  void OnOpen() override;
  void OnMessage(bool is_binary, std::string_view message) override;
  void OnPong() override {}  // Engine.IO has pongs of its own.
  void OnDrained() override { connection_.Replay(); }
  void Shut(CloseReason reason) override;  // Also the wire's.
  void OnClosed() override { heartbeat_.Stop(); }

 private:
  void SayConnected(std::string_view connection_id, const v1::User& user) override;
  void SayResult(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                 const v1::Result& result) override;
  void SayRefusal(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                  const v1::Error& error) override;

  void SendPing() override;
  void OnTimeUp(CloseReason reason) override { Shut(reason); }
  bool IsTokenOver(Heartbeat::SteadyTime now) const override {
    return connection_.IsTokenOver(now);
  }

  void OnPacket(const SocketIoPacket& packet);
  void OnConnect(const SocketIoPacket& packet);
  void OnEvent(const SocketIoPacket& packet);
  void End(CloseReason reason);  // Without a word.
  // Builds a text frame in home_.scratch and queues it.
  template <typename Append>
  void SendText(Append&& append);

  SessionHome& home_;
  Transport& transport_;
  Connection connection_;
  Heartbeat heartbeat_;
  std::string upgrade_token_;
};

}  // namespace confab::edge
