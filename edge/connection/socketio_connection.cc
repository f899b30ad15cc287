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

template <typename Encode>
void SocketIoConnection::SayEvent(Encode&& encode) {
  engine_.SendTextIf([&](std::string& out) {
    AppendSocketIoEventPrefix(nsp_, out);
    return encode(engine_.home().dialect, out);
  });
}

void SocketIoConnection::SayConnected(std::string_view connection_id, const v1::User& user) {
  engine_.OnAdmitted();
  engine_.SendText([&](std::string& out) { AppendSocketIoConnect(nsp_, connection_id, out); });
  SayEvent([&](const Dialect& dialect, std::string& out) {
    return dialect.EncodeConnected(connection_id, user, out);
  });
}

void SocketIoConnection::SayResult(const v1::Command& command,
                                   std::optional<std::uint64_t> reply_id,
                                   const v1::Result& result) {
  if (result.has_error()) return SayRefusal(command, reply_id, result.error());
  if (reply_id) {
    engine_.SendText([&](std::string& out) {
      AppendSocketIoAckPrefix(nsp_, *reply_id, out);
      engine_.home().dialect.EncodeAck(command, result, out);
    });
  }
  SayEvent([&](const Dialect& dialect, std::string& out) {
    return dialect.EncodeConfirmation(command, result, out);
  });
}

void SocketIoConnection::SayRefusal(const v1::Command& command,
                                    std::optional<std::uint64_t> reply_id, const v1::Error& error) {
  if (reply_id) {
    engine_.SendText([&](std::string& out) {
      AppendSocketIoAckPrefix(nsp_, *reply_id, out);
      engine_.home().dialect.EncodeRefusal(command, error, out);
    });
    if (!engine_.home().dialect.tells_every_refusal()) return;
  }
  SayEvent(
      [&](const Dialect& dialect, std::string& out) { return dialect.EncodeError(error, out); });
}

void SocketIoConnection::SayClosing(CloseReason reason) {
  if (!connection_.is_admitted()) return;
  const CloseTraits& traits = TraitsOf(reason);
  SayEvent([&](const Dialect& dialect, std::string& out) {
    return dialect.EncodeClosing(traits.code, traits.word, 0, out);
  });
}

}  // namespace confab::edge
