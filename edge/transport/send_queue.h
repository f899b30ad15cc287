// send_queue.h: the outbox of one transport, and what happens to frames while its reader is slow. A
// reader that keeps up: everything waits in its order. Tight, from half of the limit to a quarter:
// what is only live is not queued. Degraded, where something does not fit: logged frames are dropped
// and noted until the session knows what to read again; then tight.
// Owns: the outbox, the backlog while there is one.   Used by: output_layer, polling_transport.
// Threads: confined to the io thread.
// Fails: by Taken::kTooMuch; a reader that takes nothing is told to Backlog::Reader.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "edge/transport/backlog.h"
#include "edge/transport/outbox.h"
#include "edge/transport/transport_home.h"

namespace confab::edge {

class SendQueue {
 public:
  enum class Taken : std::uint8_t {
    kQueued,
    kPassed,   // Droppable or latest, and the reader is slow: it is not queued.
    kNoted,    // Logged: it will be read again.
    kTooMuch,  // May not be dropped, and does not fit.
  };

  // Both outlive this object.
  SendQueue(Backlog::Reader& reader, TransportHome& home);
  ~SendQueue();
  SendQueue(const SendQueue&) = delete;
  SendQueue& operator=(const SendQueue&) = delete;

  Taken Append(const SharedFrame& frame, DeliveryClass delivery) {
    if (backlog_ != nullptr || !outbox_.TryAppend(frame, delivery)) {
      return AppendSlowly(frame, delivery);
    }
    Account(static_cast<std::ptrdiff_t>(frame.size()));
    return Taken::kQueued;
  }

  const Outbox& outbox() const { return outbox_; }
  bool empty() const { return outbox_.empty(); }
  std::size_t bytes() const { return outbox_.bytes(); }

  // The first `bytes` were taken.
  void Consume(std::size_t bytes);
  // Takes the first frame out, whole. REQUIRES: as Outbox::TakeFront.
  Outbox::Item TakeFront();
  // The reader is there, though there may have been nothing to take.
  void OnReady() {
    if (backlog_ != nullptr) OnTaken();
  }

  // Logged frames were dropped, and nobody was told yet what is to be read again.
  bool has_dropped() const { return backlog_ != nullptr && backlog_->has_dropped(); }
  std::vector<Dropped> TakeDropped();

  // Drops what may go, as if it did not fit.
  void Degrade();

  // True while less than so many bytes wait, and the reader is there. After a false answer
  // HasRoomAgain is true once.
  bool HasRoomBelow(std::size_t bytes);
  // The same for a page of what is read again.
  bool HasRoom();
  bool HasRoomAgain();
  bool wants_room() const { return room_wanted_ > 0; }

  // Forgets what waits and that the reader was slow; the rest of a frame that is partly sent stays.
  void DropUnsent();

 private:
  // While the frames of a thread are near its budget a page is asked for where as good as nothing
  // waits.
  static constexpr std::size_t kRoomUnderPressure = 16 * 1024;

  Taken AppendSlowly(const SharedFrame& frame, DeliveryClass delivery);
  void BeginBacklog();
  void OnTaken();
  void Note(FramePlace place);
  void CountDropped(DeliveryClass delivery);
  void Account(std::ptrdiff_t bytes);

  TransportHome& home_;
  Backlog::Reader& reader_;
  std::unique_ptr<Backlog> backlog_;  // Null: the reader keeps up.
  Outbox outbox_;
  std::size_t room_wanted_ = 0;  // Below so many bytes HasRoomAgain; 0: nobody asks.
};

}  // namespace confab::edge
