// distributor.h: splits what control says among the io threads, gathers what they have for it.
// Owns: the topic table.   Used by: edge (wires it), the control link (as its sink).
// Threads: any thread (guarded by `mu_`; nothing is called while it is held).
// Fails: an order of items that cannot be makes it give the stream up; re-attaching heals it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/functional/any_invocable.h>
#include <absl/time/time.h>

#include "confab/v1/edge_link.pb.h"

#include "edge/control_link/control_link.h"
#include "edge/edge_metrics.h"
#include "edge/hello.h"
#include "edge/hub/topic_table.h"
#include "edge/recovery/broadcast_ring.h"
#include "process/mutex.h"

namespace confab::edge {

// An io thread's part of a stream batch, in order.
struct ItemBatch {
  struct Item {
    int place = 0;                 // In batch->items().
    std::uint32_t broadcasts = 0;  // Of the batch, up to this item, to whichever thread they go.
  };

  std::shared_ptr<const v1::AttachResponse> batch;
  std::vector<Item> items;
  std::uint64_t broadcasts_before = 0;  // Of this edge's life, before the batch.
  std::uint64_t subscribes_seen = 0;    // Number of the last Subscribe of any thread up to its end.
};

class Distributor final : public ControlLinkSink {
 public:
  // An io thread. The calls come in the order in which they are to take effect.
  class Recipient {
   public:
    virtual ~Recipient() = default;
    // Answers with OnAnnounced; what it sends from then on belongs to that stream.
    virtual void PostAnnounce(std::uint64_t stream) = 0;
    virtual void PostItems(ItemBatch items) = 0;
    virtual void PostClosed(std::uint64_t stream) = 0;
  };

  // `link` and `metrics` outlive this object.
  Distributor(ControlLink& link, EdgeMetrics& metrics) : link_(link), metrics_(metrics) {}

  // Before the link starts; the recipients outlive its stop.
  void Prepare(EdgeIdentity identity, std::vector<Recipient*> recipients) {
    identity_ = std::move(identity);
    recipients_ = std::move(recipients);
  }

  // Before the link starts: `drain` is called, by the link's thread, when control wants the edge to
  // drain; zero: for as long as it is configured.
  void SetDrain(std::function<void(absl::Duration)> drain) { drain_ = std::move(drain); }

  // What another edge may have back: the session, which is gone here then. Called by the link's
  // thread; the question is about this edge and epoch. The second is to be called once, within the
  // call or later, by any thread, and not when this object is gone.
  using SessionFound = absl::AnyInvocable<void(std::optional<v1::LostSession>)>;
  using FindSession = std::function<void(const v1::RecoveryQuestion&, SessionFound)>;
  // Before the link starts. Without it there is nothing to be had back.
  void SetRecovery(FindSession find_session) { find_session_ = std::move(find_session); }

  // Before the link starts: which events its broadcasts were is kept in mind, for FirstBehind.
  void KeepBroadcasts();
  // The first event of each room behind the n-th broadcast; INT64_MAX where there was none. nullopt:
  // it is still to come, or too far back. REQUIRES: KeepBroadcasts.
  std::optional<std::vector<std::int64_t>> FirstBehind(std::uint64_t n,
                                                       std::span<const std::string_view> rooms);

  // The edge drains: control is told now, and on each later stream.
  void OnDraining(absl::Duration time);

  void OnStreamOpened(std::uint64_t stream) override;
  void OnItems(std::uint64_t stream, std::shared_ptr<const v1::AttachResponse> batch) override;
  void OnStreamClosed(std::uint64_t stream) override;

  // By an io thread: its connections and what they are subscribed to, as of now.
  void OnAnnounced(std::uint64_t stream, std::vector<v1::AnnouncedConnection> connections);

  // By an io thread: its first connection that has this topic by itself has come.
  void Want(std::size_t thread, std::string_view topic);

  // By an io thread: topics without a subscriber there, as of its last batch.
  void Release(std::size_t thread, const std::vector<std::string>& topics,
               std::uint64_t subscribes_seen);

  // By an io thread: to how many of its connections it has handed what is to be reported.
  void OnHandedOver(std::uint64_t report, std::size_t connections);

  bool is_attached() const { return is_attached_.load(std::memory_order_relaxed); }

 private:
  TopicTable::ThreadMask AllThreads() const;
  // The threads an item goes to, as bits. False: the item cannot be.
  bool Route(const v1::ControlItem& item, TopicTable::ThreadMask& threads)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool RouteBroadcast(const v1::Broadcast& broadcast, TopicTable::ThreadMask& threads)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AnswerQuestions(std::uint64_t stream, const v1::AttachResponse& batch);
  void AnswerQuestion(std::uint64_t stream, std::uint64_t ticket,
                      std::optional<v1::LostSession> session);
  // What control is told of a drain; nothing while there is none.
  std::vector<v1::EdgeItem> DrainItems() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  EdgeIdentity identity_;
  std::function<void(absl::Duration)> drain_;
  FindSession find_session_;
  ControlLink& link_;
  EdgeMetrics& metrics_;
  std::vector<Recipient*> recipients_;
  std::atomic<bool> is_attached_{false};

  // A NotificationReport that io threads still add to.
  struct Report {
    int missing = 0;
    std::size_t connections = 0;
  };
  TopicTable::ThreadMask ThreadsOf(const std::string& topic) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  process::Mutex mu_;
  absl::flat_hash_map<std::uint64_t, Report> reports_ ABSL_GUARDED_BY(mu_);
  TopicTable topics_ ABSL_GUARDED_BY(mu_);
  // What was to be handed on, logged or not, to whomever: so what comes behind a frame that must not
  // be the last is told from it by its number, also where it is only a signal.
  std::uint64_t broadcasts_ ABSL_GUARDED_BY(mu_) = 0;
  std::unique_ptr<BroadcastRing> ring_ ABSL_GUARDED_BY(mu_);  // Null: recovery is off.
  std::uint64_t stream_ ABSL_GUARDED_BY(mu_) = 0;             // The present one; 0: none.
  // Control counts from the stream's beginning.
  std::uint64_t subscribes_at_opening_ ABSL_GUARDED_BY(mu_) = 0;
  std::optional<std::chrono::steady_clock::time_point> drained_at_ ABSL_GUARDED_BY(mu_);
  std::size_t announcing_ ABSL_GUARDED_BY(mu_) = 0;  // Threads that have not answered yet.
  std::vector<v1::AnnouncedConnection> announced_ ABSL_GUARDED_BY(mu_);
  std::vector<std::pair<std::string, std::int64_t>> positions_ ABSL_GUARDED_BY(mu_);
};

}  // namespace confab::edge
