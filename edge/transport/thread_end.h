// thread_end.h: how the clients of one io thread are brought to go: one after the other (a drain), or
// all at once (a stop).
// Owns: nothing but how far it is.   Used by: io_thread.
// Threads: confined to the io thread, except Figures and stopped (any thread).
// Fails: never; who does not go by itself is left to the caller's patience.
#pragma once

#include <atomic>
#include <cstddef>
#include <future>

#include <absl/time/time.h>

#include "edge/transport/http_talk.h"
#include "edge/transport/listener.h"

namespace confab::edge {

class ThreadEnd {
 public:
  // What a drain has still before it.
  struct Figures {
    std::size_t clients = 0;   // Transports: a client with several namespaces counts once.
    std::size_t commands = 0;  // That wait for control.
    bool has_begun = false;
  };

  // All of them outlive this object.
  ThreadEnd(Listener& listener, HttpHome& http) : listener_(listener), http_(http) {}

  // Takes no new clients; each one here is told when it has to go, at most `time` from now, and is
  // served until then. Requests over HTTP are answered as ever.
  void Drain(absl::Duration time, std::size_t commands);
  // Tells everybody to come back and closes. What was asked over HTTP is answered.
  void Stop();
  // Each tick of the wheel.
  void OnTick(std::size_t commands);

  Figures figures() const;
  // Ready when a stop has come to its end. Called once.
  std::future<void> stopped() { return stopped_.get_future(); }

 private:
  void GoOnDraining(std::size_t commands);
  void GoOnStopping();

  Listener& listener_;
  HttpHome& http_;
  bool is_stopping_ = false;
  std::atomic<std::size_t> clients_ = 0;
  std::atomic<std::size_t> commands_ = 0;
  std::atomic<bool> has_begun_ = false;
  std::promise<void> stopped_;
};

}  // namespace confab::edge
