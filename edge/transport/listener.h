// listener.h: accepts sockets of one io thread and reads what they ask for: an upgrade becomes a
// WebSocketTransport, anything else gets an answer and is closed.
// Owns: the listening socket.   Used by: io_thread.
// Threads: confined to the io thread, except Open (before the thread runs).
// Fails: Open with INVALID_ARGUMENT (address) or FAILED_PRECONDITION (taken). Later never: without
// descriptors it waits for some.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "edge/auth/origin_policy.h"
#include "edge/transport/websocket_transport.h"

namespace confab::edge {

struct ListenerLimits {
  absl::Duration header_time = absl::Seconds(10);
  std::uint32_t header_bytes = 8 * 1024;
  std::size_t connections = 100'000;  // Of this thread; more are closed at once.
};

class Listener {
 public:
  // `home` and `origins` outlive the listener and all its transports.
  Listener(TransportHome& home, const OriginPolicy& origins, ListenerLimits limits);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Listens with SO_REUSEPORT, so that each io thread has the same port; port 0 takes any free one.
  // Answers the port. The first listener fails where another process has the port. Accepting
  // begins when the loop runs.
  absl::StatusOr<std::uint16_t> Open(const std::string& host, std::uint16_t port, bool is_first);

  // Accepts no more. Requests that are being read are given up.
  void Close();

 private:
  class Acceptor;
  std::shared_ptr<Acceptor> acceptor_;
};

}  // namespace confab::edge
