// upgrade_probe.h: a WebSocket that may take over a polling session: `2probe`, `3probe`, and with `5`
// the session moves. Whatever else happens ends the probe alone.
// Owns: a share of the polling transport.   Used by: websocket_transport (as its session until then).
// Threads: confined to the io thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <absl/functional/any_invocable.h>

#include "edge/connection/session.h"
#include "edge/transport/timer_wheel.h"
#include "edge/transport/transport_home.h"

namespace confab::edge {

class UpgradeProbe final : public Session, private TimerWheel::Entry {
 public:
  // Takes the session of `from`; the probe goes by that, in a turn of its own.
  using Adopt = absl::AnyInvocable<void(PollingTransport& from)>;

  // `websocket` outlives this object.
  UpgradeProbe(TransportHome& home, std::string sid, Transport& websocket, Adopt adopt);
  ~UpgradeProbe() override;

  void OnOpen() override;
  void OnMessage(bool is_binary, std::string_view message) override;
  void OnPong() override {}
  void OnDrained() override {}
  void Shut(CloseReason reason) override { websocket_.Close(reason); }
  void OnClosed() override { Leave(); }

  // The polling session has ended.
  void OnSessionOver();

 private:
  void OnTimer() override { GiveUp(CloseReason::kHandshakeTimeout); }
  void GiveUp(CloseReason reason);
  void Leave();

  TransportHome& home_;
  const std::string sid_;
  Transport& websocket_;
  Adopt adopt_;
  std::shared_ptr<PollingTransport> polling_;  // Null before and after the probe.
  bool is_probed_ = false;
};

}  // namespace confab::edge
