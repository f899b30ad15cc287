// websocket_transport.h: one WebSocket: reads messages for its session, writes its outbox.
// Owns: the socket with everything on it, the session above it.   Used by: listener (Accept).
// Threads: confined to the io thread. Keeps itself alive while an operation is under way.
// Fails: whatever a peer does ends this socket at most, with a close code where one can be sent.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include <absl/time/time.h>

#include "edge/connection/session.h"
#include "edge/transport/transport.h"
#include "process/metrics.h"

namespace confab::edge {

class EventLoop;

struct TransportLimits {
  std::size_t message_bytes = 64 * 1024;
  int fragments = 1024;
  absl::Duration message_time = absl::Seconds(10);
  std::size_t outbox_bytes = 1024 * 1024;
};

// The open transports of one io thread, for its stop and its figures.
class TransportList {
 public:
  class Node {
   public:
    Node() = default;
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

   protected:
    virtual ~Node() { Leave(); }
    void Join(TransportList& list);
    void Leave();

   private:
    friend class TransportList;
    virtual void OnServerStopping() = 0;

    TransportList* list_ = nullptr;
    Node* next_ = nullptr;
    Node* previous_ = nullptr;
  };

  std::size_t size() const { return size_; }
  void StopAll();

 private:
  Node* first_ = nullptr;
  std::size_t size_ = 0;
};

// What all transports of one io thread share. Outlives them.
struct TransportHome {
  EventLoop& loop;
  SessionFactory& sessions;
  TransportList list;
  TransportLimits limits;
  std::array<process::Counter*, kCloseReasonCount> closes{};  // By reason; may be null.
};

}  // namespace confab::edge
