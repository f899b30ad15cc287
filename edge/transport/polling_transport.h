// polling_transport.h: carries one Engine.IO session over HTTP long-polling: GETs fetch what the
// outbox holds, POSTs bring packets. Bound to its sid, never to a TCP connection.
// Owns: the queue, the session above it.   Used by: http_talk (requests), sid_table (keeps it).
// Threads: confined to the io thread.
// Fails: what breaks the protocol (two GETs at a time, a GET given up) ends the session.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "edge/transport/event_loop.h"
#include "edge/transport/http_service.h"
#include "edge/transport/send_queue.h"
#include "edge/transport/timer_wheel.h"
#include "edge/transport/transport_home.h"

namespace confab::edge {

class UpgradeProbe;

class PollingTransport final : public Transport,
                               private EventLoop::Flushable,
                               private TimerWheel::Entry,
                               private TransportList::Node,
                               private Backlog::Reader,
                               public std::enable_shared_from_this<PollingTransport> {
 public:
  // A new session of that sid; it stands in the home's table until it has ended.
  static std::shared_ptr<PollingTransport> Open(TransportHome& home, OpenRequest request);
  PollingTransport(TransportHome& home, std::string sid);

  bool Send(const SharedFrame& frame, DeliveryClass delivery) override;
  void SendBytes(std::string_view frame, DeliveryClass delivery) override;
  void Close(CloseReason reason) override;
  void PrefetchSend() const override { EventLoop::Flushable::Prefetch(); }
  bool HasRoom() override { return !is_closing_ && queue_.HasRoom(); }
  bool HasRoomBelow(std::size_t bytes) override {
    return !is_closing_ && queue_.HasRoomBelow(bytes);
  }

  // A GET. `done` is called at once if something waits, else when something does. A second one at a
  // time is refused and ends the session.
  void OnGet(HttpService::Done done);
  // Its client went away before it had the answer.
  void OnGetGone();

  // A POST has begun. False: another one is under way, which ends the session.
  bool BeginPost();
  // It is whole: its packets are taken, then it is answered.
  HttpAnswer EndPost(std::string_view payload);
  void OnPostGone();
  // It was refused for itself; the session goes on.
  void DropPost() { is_posting_ = false; }

  // A WebSocket wants to take the session over. False: there is one already, or the session ends.
  bool BeginProbe(UpgradeProbe& probe);
  // It was probed: GETs are not held any more, so that the client can pause.
  void OnProbed();
  void EndProbe();
  // The session, for the WebSocket that carries it from now on, and what was queued, in order.
  struct Leavings {
    std::unique_ptr<Session> session;
    std::vector<Outbox::Item> queue;
    std::vector<Dropped> dropped;  // Not told yet.
    bool wants_room = false;
  };
  Leavings GiveUp();

 private:
  void Flush() override;
  void OnTimer() override { Forget(); }
  void OnServerDraining(absl::Duration delay) override {
    if (!is_closing_) session_->BeginDrain(delay);
  }
  void OnServerStopping() override;
  std::size_t WaitingBytes() const override { return is_closing_ ? 0 : queue_.bytes(); }
  void Degrade() override;
  void OnStalled() override;

  void Overflow();
  SendQueue::Taken Append(const SharedFrame& frame, DeliveryClass delivery);
  void EndWith(CloseReason reason, absl::Duration wait);
  void TakePackets(std::string_view payload);
  void AnswerHeld();
  std::string TakePayload();
  void Forget();

  TransportHome& home_;
  const std::string sid_;
  SendQueue queue_;
  HttpService::Done held_;  // Of the GET that waits.
  std::unique_ptr<Session> session_;
  UpgradeProbe* probe_ = nullptr;
  absl::Duration wait_;  // For a GET, after the close.
  CloseReason reason_ = CloseReason::kNormal;
  bool is_probed_ = false;
  bool is_posting_ = false;
  bool is_overflowing_ = false;
  bool is_closing_ = false;   // Nothing goes up or down any more but the last words.
  bool is_end_said_ = false;  // The close packet, or that there is nothing to fetch.
  bool is_over_ = false;      // The last words are said, or nobody came for them.
};

}  // namespace confab::edge
