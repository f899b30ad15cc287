#include "edge/connection/socketio_connection.h"

#include <span>
#include <utility>

#include "proto/reason.h"

namespace confab::edge {

SocketIoConnection::SocketIoConnection(EngineIoSession& engine, std::string nsp)
    : engine_(engine),
      nsp_(std::move(nsp)),
      connection_(engine.home().host, *this, engine.transport(), engine.home().socketio_encoder) {}

void SocketIoConnection::Connect(std::string_view token) {
  engine_.OnAuthenticated();
  const std::optional<v1::Error> refusal = connection_.Authenticate(token);
  if (!refusal) return;
  engine_.SendText([&](std::string& out) { AppendSocketIoConnectError(nsp_, *refusal, out); });
  engine_.Close(CloseReason::kTokenInvalid);
}

void SocketIoConnection::OnEvent(const SocketIoPacket& packet) {
  v1::Command command;
  if (!packet.unreadable.empty()) {
    return connection_.RefuseFrame(command, packet.ack_id,
                                   MakeError(v1::REASON_BAD_REQUEST, packet.unreadable));
  }
  if (packet.json == nullptr) return;
  const boost::json::array& array = packet.json->get_array();
  const std::span<const boost::json::value> args(array.data() + 1, array.size() - 1);
  if (std::optional<v1::Error> refusal =
          engine_.home().dialect.Translate(packet.event, args, command)) {
    return connection_.RefuseFrame(command, packet.ack_id, *refusal);
  }
  connection_.Ask(std::move(command), packet.ack_id);
}

void SocketIoConnection::SayConnected(std::string_view connection_id, const v1::User& user) {
  engine_.OnAdmitted();
  engine_.SendText([&](std::string& out) { AppendSocketIoConnect(nsp_, connection_id, out); });
  engine_.SendText([&](std::string& out) {
    AppendSocketIoEventPrefix(nsp_, out);
    engine_.home().dialect.EncodeConnected(connection_id, user, out);
  });
}

void SocketIoConnection::SayResult(const v1::Command& command,
                                   std::optional<std::uint64_t> reply_id,
                                   const v1::Result& result) {
  if (!reply_id) {
    if (result.has_error()) SayRefusal(command, reply_id, result.error());
    return;
  }
  engine_.SendText([&](std::string& out) {
    AppendSocketIoAckPrefix(nsp_, *reply_id, out);
    engine_.home().dialect.EncodeAck(command, result, out);
  });
}

void SocketIoConnection::SayRefusal(const v1::Command& command,
                                    std::optional<std::uint64_t> reply_id, const v1::Error& error) {
  engine_.SendText([&](std::string& out) {
    if (reply_id) {
      AppendSocketIoAckPrefix(nsp_, *reply_id, out);
      engine_.home().dialect.EncodeRefusal(command, error, out);
    } else {
      AppendSocketIoEventPrefix(nsp_, out);
      engine_.home().dialect.EncodeError(error, out);
    }
  });
}

void SocketIoConnection::SayClosing(CloseReason reason) {
  if (!connection_.is_admitted()) return;
  const CloseTraits& traits = TraitsOf(reason);
  engine_.SendText([&](std::string& out) {
    AppendSocketIoEventPrefix(nsp_, out);
    engine_.home().dialect.EncodeClosing(traits.code, traits.word, 0, out);
  });
}

}  // namespace confab::edge
