// notification_outlet.h: what services tell one connection, from the hub to its outbox: the inbox in
// its order, everything else as its class and priority allow; and signals that wait for a slow reader.
// Owns: what waits for a slow reader, the progress in the inbox and its acks.   Used by: connection.
// Threads: confined to the io thread.
// Fails: never; what may be dropped is.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "confab/v1/edge_link.pb.h"

#include "edge/connection/awaited_acks.h"
#include "edge/connection/inbox_progress.h"
#include "edge/connection/push_queue.h"
#include "edge/transport/shared_frame.h"

namespace confab::edge {

class Connection;
class ConnectionHost;

class NotificationOutlet {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  // Notifications pass into the outbox while less than this waits there: so the next flush takes all
  // of them, and one that is urgent waits for no more than that.
  static constexpr std::size_t kOutboxBytes = 16 * 1024;

  // Both outlive this object.
  NotificationOutlet(ConnectionHost& host, Connection& connection)
      : host_(host), connection_(connection) {}

  // Whether it asked that, for its inbox, not the client.
  static bool Asked(const v1::Command& command) {
    return command.is_automatic() && (command.has_read_inbox() || command.has_ack_inbox());
  }

  // How far the user's inbox has come.
  void OnState(const v1::InboxState& state);
  // A live one, as the connection's encoder wrote it.
  void Offer(const v1::PushedNotification& pushed, const SharedFrame& frame, SteadyTime now);
  // A signal of which only the newest of its kind matters, for which the reader was too slow.
  void Keep(const v1::Signal& signal, const SharedFrame& frame, SteadyTime now);
  // True: what is only live has to wait behind what waits already.
  bool has_waiting() const { return !waiting_.empty(); }
  // The inbox was dropped from there on, unsent.
  void OnDropped(std::int64_t first_seq) {
    inbox_.GoBack(first_seq);
    if (awaited_ != nullptr) awaited_->GoBack(first_seq);
  }
  // The client's ack of what asked for one. False: nothing did by that id, or it is acked already.
  bool OnAck(std::uint64_t id);
  // The connection ends: what its client said last is passed on, though an answer is still awaited.
  void OnLeaving();
  // The answer to what was asked for the inbox.
  void OnAnswer(const v1::Command& command, const v1::Result& result);
  // None came.
  void OnNoAnswer(const v1::Command& command);
  // There may be room now.
  void GoOn(SteadyTime now);
  // The window in which low ones are gathered is over.
  void OnTick(SteadyTime now);

 private:
  // Another one of the inbox, as far as acks go.
  bool MayTellInbox() const { return awaited_ == nullptr || awaited_->has_room(); }
  void TellInbox(const SharedFrame& frame, std::int64_t inbox_seq);
  std::uint64_t NumberNow() const;
  void HandOverPages();
  void CountDropped();
  void AskPage();
  std::int64_t DealtWithSeq() const;
  void Acknowledge();
  bool ForwardAck(std::int64_t inbox_seq);
  bool Forward(v1::Command&& command);

  ConnectionHost& host_;
  Connection& connection_;
  InboxProgress inbox_;
  PushQueue waiting_;
  std::unique_ptr<AwaitedAcks> awaited_;  // While acks that were asked for are to come.
  std::int64_t acked_seq_ = 0;  // Said by us: for clients that cannot, or do it by such acks.
  bool is_acking_ = false;
  bool is_awaiting_tick_ = false;
};

}  // namespace confab::edge
