#include "edge/connection/socketio_session.h"

#include <array>
#include <span>
#include <sys/random.h>
#include <utility>

#include <absl/strings/escaping.h>

#include "edge/protocol/engineio_codec.h"
#include "edge/protocol/websocket_frame.h"
#include "proto/reason.h"

namespace confab::edge {

namespace {

// The engine's sid is a secret: it alone will authorise polling requests.
std::string NewEngineSid() {
  std::array<char, 18> bytes{};
  // Never short for so few bytes once the kernel's pool is seeded, which is long before us.
  [[maybe_unused]] const ssize_t n = ::getrandom(bytes.data(), bytes.size(), 0);
  return absl::WebSafeBase64Escape(std::string(bytes.data(), bytes.size()));
}

// auth.token of the CONNECT payload.
std::string_view TokenOf(const boost::json::value* auth) {
  if (auth == nullptr || !auth->is_object()) return {};
  const boost::json::value* token = auth->get_object().if_contains("token");
  if (token == nullptr || !token->is_string()) return {};
  return {token->get_string().data(), token->get_string().size()};
}

}  // namespace

SocketIoSession::SocketIoSession(SessionHome& home, OpenRequest request, Transport& transport)
    : home_(home),
      transport_(transport),
      connection_(home.host, *this, transport, home.socketio_encoder),
      heartbeat_(*this, home.wheel, home.heartbeat, request.accepted_at),
      upgrade_token_(std::move(request.token)) {}

template <typename Append>
void SocketIoSession::SendText(Append&& append) {
  BeginWebSocketFrame(home_.scratch);
  append(home_.scratch);
  transport_.SendBytes(FinishWebSocketFrame(WebSocketOpcode::kText, home_.scratch),
                       DeliveryClass::kControl);
}

void SocketIoSession::OnOpen() {
  const std::string sid = NewEngineSid();
  const EngineIoOpen open{
      .sid = sid,
      .ping_interval_ms =
          static_cast<std::uint32_t>(absl::ToInt64Milliseconds(home_.heartbeat.ping_interval)),
      .ping_timeout_ms =
          static_cast<std::uint32_t>(absl::ToInt64Milliseconds(home_.heartbeat.ping_timeout)),
      .payload_bytes_limit = home_.message_bytes_limit};
  SendText([&](std::string& out) { out += EncodeEngineIoOpen(open); });
}

void SocketIoSession::OnMessage(bool is_binary, std::string_view message) {
  // Binary belongs to events with attachments, which are not built yet.
  if (is_binary) return End(CloseReason::kBadPacket);
  const absl::StatusOr<EngineIoPacket> packet = DecodeEngineIo(message);
  if (!packet.ok()) return End(CloseReason::kBadPacket);
  switch (packet->type) {
    case EngineIoType::kMessage: {
      SocketIoPacket decoded;
      if (!DecodeSocketIo(packet->body, home_.json, decoded).ok()) {
        return End(CloseReason::kBadPacket);
      }
      return OnPacket(decoded);
    }
    case EngineIoType::kPong:
      return heartbeat_.OnPong();
    case EngineIoType::kPing:  // Version 4 pings from the server only.
      return End(CloseReason::kBadPacket);
    case EngineIoType::kClose:
      return End(CloseReason::kNormal);
    case EngineIoType::kOpen:
    case EngineIoType::kUpgrade:
    case EngineIoType::kNoop:
      return;
  }
}

void SocketIoSession::OnPacket(const SocketIoPacket& packet) {
  if (packet.type == SocketIoType::kConnect) return OnConnect(packet);
  // Anything else of a namespace that was not joined.
  if (packet.nsp != "/" || !connection_.is_admitted()) return End(CloseReason::kBadPacket);
  switch (packet.type) {
    case SocketIoType::kEvent:
      return OnEvent(packet);
    case SocketIoType::kDisconnect:
      return End(CloseReason::kNormal);
    case SocketIoType::kAck:  // We ask for none.
      return;
    case SocketIoType::kConnect:
    case SocketIoType::kConnectError:
    case SocketIoType::kBinaryEvent:
    case SocketIoType::kBinaryAck:
      return End(CloseReason::kBadPacket);
  }
}

void SocketIoSession::OnConnect(const SocketIoPacket& packet) {
  if (packet.nsp != "/") {
    return SendText([&](std::string& out) { AppendSocketIoInvalidNamespace(packet.nsp, out); });
  }
  if (connection_.is_authenticated()) return End(CloseReason::kBadPacket);
  std::string_view token = TokenOf(packet.json);
  if (token.empty()) token = upgrade_token_;
  heartbeat_.OnAuthenticated();
  const std::optional<v1::Error> refusal = connection_.Authenticate(token);
  upgrade_token_ = std::string();
  if (!refusal) return;
  SendText([&](std::string& out) { AppendSocketIoConnectError("/", *refusal, out); });
  End(CloseReason::kTokenInvalid);
}

void SocketIoSession::OnEvent(const SocketIoPacket& packet) {
  v1::Command command;
  if (!packet.unreadable.empty()) {
    return connection_.RefuseFrame(command, packet.ack_id,
                                   MakeError(v1::REASON_BAD_REQUEST, packet.unreadable));
  }
  if (packet.json == nullptr) return;
  const boost::json::array& array = packet.json->get_array();
  const std::span<const boost::json::value> args(array.data() + 1, array.size() - 1);
  if (std::optional<v1::Error> refusal = home_.dialect.Translate(packet.event, args, command)) {
    return connection_.RefuseFrame(command, packet.ack_id, *refusal);
  }
  connection_.Ask(std::move(command), packet.ack_id);
}

void SocketIoSession::SayConnected(std::string_view connection_id, const v1::User& user) {
  heartbeat_.OnAdmitted();
  SendText([&](std::string& out) { AppendSocketIoConnect("/", connection_id, out); });
  SendText([&](std::string& out) {
    AppendSocketIoEventPrefix("/", out);
    home_.dialect.EncodeConnected(connection_id, user, out);
  });
}

void SocketIoSession::SayResult(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                                const v1::Result& result) {
  if (!reply_id) {
    if (result.has_error()) SayRefusal(command, reply_id, result.error());
    return;
  }
  SendText([&](std::string& out) {
    AppendSocketIoAckPrefix("/", *reply_id, out);
    home_.dialect.EncodeAck(command, result, out);
  });
}

void SocketIoSession::SayRefusal(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                                 const v1::Error& error) {
  SendText([&](std::string& out) {
    if (reply_id) {
      AppendSocketIoAckPrefix("/", *reply_id, out);
      home_.dialect.EncodeRefusal(command, error, out);
    } else {
      AppendSocketIoEventPrefix("/", out);
      home_.dialect.EncodeError(error, out);
    }
  });
}

void SocketIoSession::Shut(CloseReason reason) {
  if (connection_.is_admitted()) {
    const CloseTraits& traits = TraitsOf(reason);
    SendText([&](std::string& out) {
      AppendSocketIoEventPrefix("/", out);
      home_.dialect.EncodeClosing(traits.code, traits.word, 0, out);
    });
  }
  End(reason);
}

void SocketIoSession::End(CloseReason reason) {
  heartbeat_.Stop();
  transport_.Close(reason);
}

void SocketIoSession::SendPing() {
  SendText([](std::string& out) { out += kEngineIoPing; });
}

}  // namespace confab::edge
