// socketio_connection.h: one namespace of a Socket.IO talk: its connection, and how that one speaks.
// Owns: the connection.   Used by: socketio_talk.
// Threads: confined to the io thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "edge/connection/connection.h"
#include "edge/connection/engineio_session.h"
#include "edge/protocol/socketio_codec.h"

namespace confab::edge {

class SocketIoConnection final : private ClientWire {
 public:
  // `engine` outlives this object.
  SocketIoConnection(EngineIoSession& engine, std::string nsp);

  const std::string& nsp() const { return nsp_; }
  Connection& connection() { return connection_; }
  const Connection& connection() const { return connection_; }

  // Shows the token of CONNECT. A refusal was told to the client, and the session is closed.
  void Connect(std::string_view token);
  // An EVENT of the client. REQUIRES: the connection is admitted.
  void OnEvent(const SocketIoPacket& packet);
  // The last event before the transport is closed.
  void SayClosing(CloseReason reason);

 private:
  void SayConnected(std::string_view connection_id, const v1::User& user) override;
  void SayResult(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                 const v1::Result& result) override;
  void SayRefusal(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                  const v1::Error& error) override;
  void Shut(CloseReason reason) override { engine_.Shut(reason); }

  // Sends the event that `encode(dialect, out)` appends, or nothing where it has no name.
  template <typename Encode>
  void SayEvent(Encode&& encode);

  EngineIoSession& engine_;
  const std::string nsp_;
  Connection connection_;
};

}  // namespace confab::edge
