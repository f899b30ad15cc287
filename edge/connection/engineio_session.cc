#include "edge/connection/engineio_session.h"

#include <utility>

#include "edge/protocol/engineio_codec.h"
#include "edge/protocol/websocket_frame.h"

namespace confab::edge {

EngineIoSession::EngineIoSession(SessionHome& home, const OpenRequest& request,
                                 Transport& transport, std::string sid)
    : home_(home),
      transport_(&transport),
      sid_(std::move(sid)),
      heartbeat_(*this, home.wheel, home.heartbeat, request.accepted_at) {}

std::string& EngineIoSession::BeginText() {
  BeginWebSocketFrame(home_.scratch);
  return home_.scratch;
}

void EngineIoSession::FinishText() {
  transport_->SendBytes(FinishWebSocketFrame(WebSocketOpcode::kText, home_.scratch),
                        DeliveryClass::kControl);
}

void EngineIoSession::SendBinary(std::string_view payload) {
  BeginText().append(payload);
  transport_->SendBytes(FinishWebSocketFrame(WebSocketOpcode::kBinary, home_.scratch),
                        DeliveryClass::kControl);
}

void EngineIoSession::OnOpen() {
  const EngineIoOpen open{
      .sid = sid_,
      .ping_interval_ms =
          static_cast<std::uint32_t>(absl::ToInt64Milliseconds(home_.heartbeat.ping_interval)),
      .ping_timeout_ms =
          static_cast<std::uint32_t>(absl::ToInt64Milliseconds(home_.heartbeat.ping_timeout)),
      .payload_bytes_limit = home_.message_bytes_limit};
  SendText([&](std::string& out) { out += EncodeEngineIoOpen(open); });
}

void EngineIoSession::OnMessage(bool is_binary, std::string_view message) {
  if (is_binary) return app_->OnMessage(true, message);  // Always a message, without a type digit.
  const absl::StatusOr<EngineIoPacket> packet = DecodeEngineIo(message);
  if (!packet.ok()) return Close(CloseReason::kBadPacket);
  switch (packet->type) {
    case EngineIoType::kMessage:
      return app_->OnMessage(false, packet->body);
    case EngineIoType::kPong:
      return heartbeat_.OnPong();
    case EngineIoType::kPing:  // Version 4 pings from the server only.
      return Close(CloseReason::kBadPacket);
    case EngineIoType::kClose:
      return Close(CloseReason::kNormal);
    case EngineIoType::kOpen:
    case EngineIoType::kUpgrade:
    case EngineIoType::kNoop:
      return;
  }
}

void EngineIoSession::MoveTo(Transport& transport) {
  transport_ = &transport;
  app_->OnMoved(transport);
}

void EngineIoSession::Shut(CloseReason reason) {
  app_->SayClosing(reason);
  Close(reason);
}

void EngineIoSession::Close(CloseReason reason) {
  heartbeat_.Stop();
  transport_->Close(reason);
}

void EngineIoSession::SendPing() {
  SendText([](std::string& out) { out += kEngineIoPing; });
}

}  // namespace confab::edge
