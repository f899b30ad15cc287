#include "edge/connection/engineio_session.h"

#include <chrono>
#include <optional>
#include <utility>

#include "edge/protocol/engineio_codec.h"
#include "edge/protocol/engineio_payload.h"
#include "edge/protocol/websocket_frame.h"

namespace confab::edge {

namespace {

// Packets that ask for nothing: a client sends a pong in 25 s, and acks nobody asked for never.
constexpr RateLimit kIdlePacketRate{.per_period = 10, .burst = 50};

}  // namespace

EngineIoSession::EngineIoSession(SessionHome& home, const OpenRequest& request,
                                 Transport& transport)
    : home_(home),
      transport_(&transport),
      sid_(request.sid),
      heartbeat_(*this, home.wheel, home.heartbeat, request.accepted_at),
      is_polling_(request.is_polling),
      wants_base64_(request.wants_base64) {}

std::string& EngineIoSession::BeginText() {
  BeginWebSocketFrame(home_.scratch);
  return home_.scratch;
}

void EngineIoSession::FinishText() {
  transport_->SendBytes(FinishWebSocketFrame(WebSocketOpcode::kText, home_.scratch),
                        DeliveryClass::kControl);
}

void EngineIoSession::SendBinary(std::string_view payload) {
  if (wants_base64_) {
    return SendText([&](std::string& out) { AppendBase64Packet(payload, out); });
  }
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
      .payload_bytes_limit = home_.message_bytes_limit,
      .offers_websocket = is_polling_};
  SendText([&](std::string& out) { out += EncodeEngineIoOpen(open); });
}

void EngineIoSession::OnMessage(bool is_binary, std::string_view message) {
  if (is_binary) return app_->OnMessage(true, message);  // Always a message, without a type digit.
  if (message.starts_with(kEngineIoBase64)) {
    const std::optional<std::string> bytes = DecodeBase64Packet(message);
    return bytes ? app_->OnMessage(true, *bytes) : Close(CloseReason::kBadPacket);
  }
  const absl::StatusOr<EngineIoPacket> packet = DecodeEngineIo(message);
  if (!packet.ok()) return Close(CloseReason::kBadPacket);
  switch (packet->type) {
    case EngineIoType::kMessage:
      return app_->OnMessage(false, packet->body);
    case EngineIoType::kPong:
      heartbeat_.OnPong();
      return CountIdlePacket();
    case EngineIoType::kPing:  // Version 4 pings from the server only.
      return Close(CloseReason::kBadPacket);
    case EngineIoType::kClose:
      return Close(CloseReason::kNormal);
    case EngineIoType::kOpen:
    case EngineIoType::kUpgrade:
    case EngineIoType::kNoop:
      return CountIdlePacket();
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
  app_->OnClosing(reason);
  transport_->Close(reason);
}

void EngineIoSession::BeginDrain(absl::Duration delay) {
  is_draining_ = true;
  app_->SayDraining(delay);
  heartbeat_.EndIn(delay);
}

void EngineIoSession::OnEndDue() {
  is_ending_ = true;
  GoOnEnding();
}

void EngineIoSession::GoOnEnding() {
  if (is_ending_ && app_->EndCommands()) Shut(CloseReason::kDraining);
}

void EngineIoSession::CountIdlePacket() {
  if (idle_packets_.Take(kIdlePacketRate, std::chrono::steady_clock::now()) != 0) {
    Shut(CloseReason::kRateLimited);
  }
}

void EngineIoSession::SendPing() {
  SendText([](std::string& out) { out += kEngineIoPing; });
}

}  // namespace confab::edge
