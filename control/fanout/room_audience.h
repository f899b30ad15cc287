// room_audience.h: who follows one room's log live (edges and tails), and how far each has come.
// Owns: one seat for each.
// Used by: live_room.
// Threads: confined to the room's lane.
// Fails: never; who cannot be served without a gap is told that the subscription has ended.
//
// Every seat gets every event behind its position once and in order. A seat is live (its position
// is the room's) or catches up: pages of the log are read and sent until they meet the room's
// window, which has what was published since the reading began.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <absl/functional/any_invocable.h>
#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "confab/v1/edge_link.pb.h"

#include "control/fanout/edge_outbox.h"
#include "control/fanout/edge_registry.h"
#include "control/fanout/log_window.h"
#include "control/fanout/shared_page.h"
#include "control/fanout/tail_sink.h"

namespace confab::control {

// One that follows the log.
struct Seat {
  virtual ~Seat() = default;
  int64_t position = 0;  // Last event it was given.
  bool is_live = false;
  bool is_gone = false;        // Not in the audience any more; late answers pass it over.
  absl::Duration retry_after;  // Grows while the log cannot be read.
};

struct EdgeSeat : Seat {
  std::shared_ptr<Attachment> edge;
  uint64_t last_subscribe = 0;  // Number of the stream's last Subscribe for this topic.
};

// Made by the dispatcher, which keeps it for the Tail it gave out.
struct TailSeat : Seat {
  std::shared_ptr<TailSink> sink;
  bool is_paused = false;                 // Waits for Resume.
  std::atomic<bool> is_cancelled{false};  // Any thread.
};

class RoomAudience {
 public:
  // What the audience needs of its room; live_room is it.
  class Room {
   public:
    virtual int64_t published_seq() const = 0;
    // Answers on the lane with events behind `after_seq`. NOT_FOUND has been dealt with (EndAll).
    virtual void ReadLog(int64_t after_seq,
                         absl::AnyInvocable<void(absl::StatusOr<SharedPage>)> done) = 0;
    // The newest events, while somebody reads the log; or null.
    virtual const LogWindow* window() const = 0;
    virtual void Later(absl::Duration delay, absl::AnyInvocable<void()> task) = 0;
    // The edge has come to the published position, or has left.
    virtual void OnEdgeSettled(const Attachment& edge) = 0;

   protected:
    ~Room() = default;
  };

  // Reading the log for an edge pauses above this, far below the limit of its stream.
  static constexpr size_t kCongestedBytes = 8 * 1024 * 1024;
  static constexpr absl::Duration kCongestedDelay = absl::Milliseconds(20);
  static constexpr absl::Duration kRetryMin = absl::Milliseconds(20);
  static constexpr absl::Duration kRetryMax = absl::Seconds(1);

  RoomAudience(std::string topic, Room& room, EdgeOutbox& outbox);
  RoomAudience(const RoomAudience&) = delete;
  RoomAudience& operator=(const RoomAudience&) = delete;

  bool empty() const { return edges_.empty() && tails_.empty(); }
  // Those with subscribers.
  std::vector<std::shared_ptr<Attachment>> edges() const;

  // The next event of the log. `fill` is called once, and makes it where an edge's items stand; it adds
  // no items itself. REQUIRES: the room's published_seq() is its seq already.
  void Publish(absl::FunctionRef<void(v1::RoomEvent&)> fill);

  // Something live, to every edge, and there to whoever has the other topic, unless that is empty.
  // One connection of one of them is spared; null: none is.
  void Signal(const v1::Signal& signal, const Attachment* spared_edge, uint64_t spared_connection,
              const std::string& other_topic = {});
  std::vector<std::shared_ptr<Attachment>> Edges() const;

  // --- Edges.
  // True: the edge is not here, or is here and live: Subscribe may be called.
  bool CanSubscribe(const Attachment& edge) const;
  // The connection gets what is published from now on. REQUIRES: CanSubscribe.
  void Subscribe(const std::shared_ptr<Attachment>& edge, uint64_t connection);
  // The edge has subscribers already and has distributed the log up to `position`.
  // REQUIRES: position <= published_seq().
  void Resume(const std::shared_ptr<Attachment>& edge, int64_t position);
  // False: void, a later Subscribe is on its way.
  bool Release(const Attachment& edge, uint64_t subscribes_seen);
  void Detach(const Attachment& edge);
  // End one connection's, one user's or everybody's subscription on that edge.
  void UnsubscribeConnection(const std::shared_ptr<Attachment>& edge, uint64_t connection,
                             int64_t end_seq);
  void UnsubscribeUser(const std::shared_ptr<Attachment>& edge, const std::string& user,
                       int64_t end_seq);
  // `end_seq` 0: they have missed events that are not to be had. Else the room has gone before their
  // eyes.
  void UnsubscribeEverybody(const std::shared_ptr<Attachment>& edge, int64_t end_seq);

  // --- Tails. `seat->position` is where it starts. REQUIRES: position <= published_seq().
  void AddTail(std::shared_ptr<TailSeat> seat);
  void ResumeTail(const std::shared_ptr<TailSeat>& seat);
  void RemoveTail(const std::shared_ptr<TailSeat>& seat);

  void EndTails(const absl::Status& why);

  // The room is gone: every subscription ends at `end_seq`, every tail with `why`.
  void EndAll(int64_t end_seq, const absl::Status& why);

 private:
  void Start(const std::shared_ptr<Seat>& seat);
  void Read(const std::shared_ptr<Seat>& seat);
  void OnPage(const std::shared_ptr<Seat>& seat, const absl::StatusOr<SharedPage>& page);
  void RetryLater(const std::shared_ptr<Seat>& seat);
  bool TakePage(const std::shared_ptr<Seat>& seat, const SharedPage& page);
  bool TakeWindow(const std::shared_ptr<Seat>& seat);
  void BecomeLive(const std::shared_ptr<Seat>& seat);
  void EndAtHole(const std::shared_ptr<Seat>& seat);

  // False: a tail that has no room; it is paused.
  bool Give(Seat& seat, const v1::RoomEvent& event);
  void Broadcast(EdgeSeat& seat, const v1::RoomEvent& event);
  // Where the seat's edge is told the next event; then that it stands there.
  v1::RoomEvent& AddEvent(const EdgeSeat& seat);
  void OnAdded(EdgeSeat& seat, const v1::RoomEvent& event);
  bool Offer(TailSeat& seat, const v1::RoomEvent& event);
  v1::Unsubscribe& AddUnsubscribe(const std::shared_ptr<Attachment>& edge, int64_t end_seq);
  EdgeSeat* Find(const Attachment& edge) const;
  void Erase(const std::shared_ptr<Seat>& seat);

  const std::string topic_;
  Room& room_;
  EdgeOutbox& outbox_;
  std::vector<std::shared_ptr<EdgeSeat>> edges_;
  std::vector<std::shared_ptr<TailSeat>> tails_;
};

}  // namespace confab::control
