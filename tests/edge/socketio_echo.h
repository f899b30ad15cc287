// socketio_echo.h: an edge whose Socket.IO namespaces "/" and "/custom" echo, as the public protocol
// suites want it: no tokens, no control, the edge's own talk and codec.
// Owns: one io thread.   Used by: edge_echo_test, protocol_server.
// Threads: caller serialises.
#pragma once

#include <cstdint>
#include <memory>

#include "edge/io_thread.h"
#include "process/metrics.h"
#include "tests/fakes/fake_control_link.h"

namespace confab::tests {

// On connecting: event "auth" with the CONNECT payload. In "/": "message" is answered by
// "message-back", "message-with-ack" by its ack, both with the arguments and attachments as they
// came; every other event by nothing. A payload {"refuse":"WORD"} is refused with that reason.
class SocketIoEcho {
 public:
  SocketIoEcho();
  ~SocketIoEcho();

  // Before Start.
  edge::IoSettings& settings() { return settings_; }
  // Port 0: any free one. The port.
  std::uint16_t Start(std::uint16_t port = 0);

 private:
  edge::IoSettings settings_;
  edge::SharedTables tables_;
  process::Metrics registry_;
  edge::EdgeMetrics metrics_{registry_};
  FakeControlLink link_;
  edge::Distributor distributor_{link_, metrics_};
  std::unique_ptr<edge::IoThread> thread_;
};

}  // namespace confab::tests
