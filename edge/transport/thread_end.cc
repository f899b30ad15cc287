#include "edge/transport/thread_end.h"

#include <random>

#include "edge/transport/drain_slots.h"

namespace confab::edge {

void ThreadEnd::Drain(absl::Duration time, std::size_t commands) {
  if (http_.is_draining || is_stopping_) return;
  http_.is_draining = true;
  TransportList& list = http_.transports.list;
  std::random_device seed;
  list.DrainAll(DrawSlots(list.size(), time, seed()));
  GoOnDraining(commands);
}

// A polling session needs new connections: nginx makes one for each request, and so does Node.js.
void ThreadEnd::GoOnDraining(std::size_t commands) {
  if (!http_.transports.sids.HasPolling()) listener_.Close();
  clients_.store(http_.transports.list.size(), std::memory_order_relaxed);
  commands_.store(commands, std::memory_order_relaxed);
  has_begun_.store(true, std::memory_order_release);
}

void ThreadEnd::Stop() {
  is_stopping_ = true;
  http_.is_stopping = true;
  listener_.Close();
  http_.transports.list.StopAll();
}

// A polling session fetches its farewell over a connection that is idle until then: so those go last.
void ThreadEnd::GoOnStopping() {
  if (http_.transports.list.size() > 0) return;
  StopHttpTalks(http_);
  if (!http_.talks.empty()) return;
  is_stopping_ = false;
  stopped_.set_value();
}

void ThreadEnd::OnTick(std::size_t commands) {
  if (http_.is_draining) GoOnDraining(commands);
  if (is_stopping_) GoOnStopping();
}

ThreadEnd::Figures ThreadEnd::figures() const {
  const bool has_begun = has_begun_.load(std::memory_order_acquire);
  return {.clients = clients_.load(std::memory_order_relaxed),
          .commands = commands_.load(std::memory_order_relaxed),
          .has_begun = has_begun};
}

}  // namespace confab::edge
