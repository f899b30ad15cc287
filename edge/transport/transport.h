// transport.h: what carries frames to one peer, as connection and hub see it (seam).
// Owns: nothing.   Used by: connection, hub. Filled by websocket_transport.
// Threads: confined to the io thread.
// Fails: Send never; a peer that takes nothing for long is closed with kSlowReader.
#pragma once

#include <cstddef>
#include <string_view>

#include "edge/transport/close_reason.h"
#include "edge/transport/outbox.h"
#include "edge/transport/shared_frame.h"

namespace confab::edge {

class Transport {
 public:
  virtual ~Transport() = default;

  // Queues a wire-ready WebSocket frame; it is written at the end of the loop's turn. After Close
  // nothing is queued any more. False: one of the classes kLatest and kDroppable, for which the peer
  // is too slow; it was not taken. What is logged may be dropped, and told by Session::OnDegraded.
  virtual bool Send(const SharedFrame& frame, DeliveryClass delivery) = 0;
  // The same for a frame of this peer alone.
  virtual void SendBytes(std::string_view frame, DeliveryClass delivery) = 0;

  // Writes what is queued, then the close frame, then ends. Session::OnClosed follows in the next
  // turn of the loop, never from within this call; the peer is not waited for.
  virtual void Close(CloseReason reason) = 0;

  // Send follows in a moment, for many transports in a row: what it will touch is fetched into the
  // cache meanwhile.
  virtual void PrefetchSend() const {}

  // True while less than half of the outbox is in use and the peer reads: room for a page of history.
  // Where the memory of the edge is nearly used up: while as good as nothing waits. After a false
  // answer Session::OnDrained is called once there is. False after Close, when Send does nothing, and
  // then nobody is called.
  virtual bool HasRoom() = 0;
  // True while less than so many bytes wait. After a false answer as above.
  virtual bool HasRoomBelow(std::size_t bytes) = 0;
};

}  // namespace confab::edge
