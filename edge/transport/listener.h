// listener.h: accepts the sockets of one io thread; each begins as an HTTP talk.
// Owns: the listening socket.   Used by: io_thread.
// Threads: confined to the io thread, except Open (before the thread runs).
// Fails: Open with INVALID_ARGUMENT (address) or FAILED_PRECONDITION (taken). Later never: without
// descriptors, or above the rate of HttpLimits, it waits.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "edge/transport/http_talk.h"

namespace confab::edge {

class Listener {
 public:
  // `home` outlives the listener.
  explicit Listener(HttpHome& home);
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
