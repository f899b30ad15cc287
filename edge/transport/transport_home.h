// transport_home.h: what all transports of one io thread share: limits, who is open, whose sid.
// Owns: the polling sessions (by their sid), the list of open transports.
// Used by: http_talk, websocket_transport, polling_transport. Made by io_thread.
// Threads: confined to the io thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <absl/time/time.h>

#include "edge/connection/session.h"
#include "edge/transport/sid.h"
#include "edge/transport/sid_table.h"
#include "edge/transport/transport.h"
#include "process/metrics.h"

namespace confab::edge {

class EventLoop;

struct TransportLimits {
  std::size_t message_bytes = 64 * 1024;
  int fragments = 1024;                             // Of a message; 0: any number.
  absl::Duration message_time = absl::Seconds(10);  // Of it too; 0: any.
  std::size_t outbox_bytes = 1024 * 1024;
  absl::Duration stall_time = absl::Seconds(10);    // Of a reader that takes nothing; 0: any.
  std::size_t outbox_budget = 256 * 1024 * 1024;    // Of this thread's frames; 0: none.
  std::size_t transports = 100'000;                 // Of this thread.
  absl::Duration upgrade_time = absl::Seconds(10);  // From a probe's 101 to its `5`.
};

// The open transports of one io thread, for its end and its figures.
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
    // The client has to go in so long, and is told.
    virtual void OnServerDraining(absl::Duration delay) = 0;
    virtual void OnServerStopping() = 0;
    // What waits there for a reader.
    virtual std::size_t WaitingBytes() const = 0;
    // Drops of it what may go.
    virtual void Degrade() = 0;

    TransportList* list_ = nullptr;
    Node* next_ = nullptr;
    Node* previous_ = nullptr;
  };

  std::size_t size() const { return size_; }
  // One delay for each.
  void DrainAll(const std::vector<absl::Duration>& delays);
  void StopAll();
  // Degrades those where most waits, while `is_over` says that it is not enough yet.
  template <typename IsOver>
  void DegradeLargest(IsOver&& is_over) {
    for (Node* node : LargestFirst()) {
      if (!is_over()) return;
      node->Degrade();
    }
  }

 private:
  std::vector<Node*> LargestFirst() const;

  Node* first_ = nullptr;
  std::size_t size_ = 0;
};

// What is counted of slow readers; each may be null.
struct SlowFigures {
  process::Counter* degraded = nullptr;
  process::Counter* stalled = nullptr;
  std::array<process::Counter*, kDeliveryClassCount> dropped{};  // Frames, by class.
};

// What all transports of one io thread share. Outlives them.
struct TransportHome {
  EventLoop& loop;
  SessionFactory& sessions;
  TransportList list;
  TransportLimits limits;
  SidPlace sid_place;  // Of the sids made here.
  SidTable sids = {};
  std::array<process::Counter*, kCloseReasonCount> closes{};  // By reason; may be null.
  SlowFigures slow = {};
  bool is_pressed = false;  // The frames of the thread are near their budget.
};

// Looks after the budget of the thread's frames: above it the largest outboxes are degraded. Not from
// within a delivery.
void KeepOutboxBudget(TransportHome& home);

}  // namespace confab::edge
