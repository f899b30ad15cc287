#include "edge/transport/upgrade_probe.h"

#include <utility>

#include "edge/protocol/engineio_codec.h"
#include "edge/protocol/websocket_frame.h"
#include "edge/transport/event_loop.h"
#include "edge/transport/polling_transport.h"

namespace confab::edge {

UpgradeProbe::UpgradeProbe(TransportHome& home, std::string sid, Transport& websocket, Adopt adopt)
    : home_(home), sid_(std::move(sid)), websocket_(websocket), adopt_(std::move(adopt)) {}

UpgradeProbe::~UpgradeProbe() { Leave(); }

// The first probe stays, and so does a session that is on WebSocket already.
void UpgradeProbe::OnOpen() {
  std::shared_ptr<PollingTransport> polling = home_.sids.FindPolling(sid_);
  if (polling == nullptr || !polling->BeginProbe(*this)) {
    return websocket_.Close(CloseReason::kBadPacket);
  }
  polling_ = std::move(polling);
  home_.loop.wheel().Arm(*this, home_.limits.upgrade_time);
}

void UpgradeProbe::OnMessage(bool is_binary, std::string_view message) {
  if (polling_ == nullptr) return;
  if (!is_binary && !is_probed_ && message == kEngineIoProbe) {
    is_probed_ = true;
    std::string frame;
    BeginWebSocketFrame(frame);
    frame += kEngineIoProbed;
    websocket_.SendBytes(FinishWebSocketFrame(WebSocketOpcode::kText, frame),
                         DeliveryClass::kControl);
    return polling_->OnProbed();
  }
  if (is_binary || !is_probed_ || message != kEngineIoUpgrade) {
    return GiveUp(CloseReason::kBadPacket);
  }
  Cancel();
  const std::shared_ptr<PollingTransport> from = std::move(polling_);
  adopt_(*from);
}

void UpgradeProbe::OnSessionOver() {
  Cancel();
  polling_.reset();
  websocket_.Close(CloseReason::kNormal);
}

void UpgradeProbe::GiveUp(CloseReason reason) {
  Leave();
  websocket_.Close(reason);
}

void UpgradeProbe::Leave() {
  Cancel();
  if (polling_ != nullptr) std::exchange(polling_, nullptr)->EndProbe();
}

}  // namespace confab::edge
