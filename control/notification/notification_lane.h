// notification_lane.h: notifications to the users, roles and rooms of one lane, and the inboxes of
// its users: what is stored is told when it is committed, in the order of the inbox.
// Owns: what waits to be committed, counted, read or looked up.   Used by: dispatch.
// Threads: confined to the lane, except the constructor (before the lane runs).
// Fails: each call is answered exactly once, with the reason of what refused it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/functional/any_invocable.h>

#include "confab/v1/edge_link.pb.h"
#include "confab/v1/types.pb.h"

#include "control/fanout/edge_outbox.h"
#include "control/fanout/edge_registry.h"
#include "control/lane/lane.h"
#include "control/lane/read_gate.h"
#include "control/notification/edge_reports.h"
#include "control/notification/key_lookup.h"
#include "control/notification/notification_counters.h"
#include "control/notification/notify_call.h"
#include "control/notification/recent_keys.h"
#include "control/presence/user_lane.h"
#include "control/room/commit_queue.h"
#include "control/room/room_calls.h"
#include "control/room/room_lane.h"
#include "storage/store.h"

namespace confab::control {

class NotificationLane final : public ConnectionWatch {
 public:
  // Users whose inboxes are looked up by one read when many connect.
  static constexpr size_t kHeadsLimit = 512;
  // Retries that wait with one call: a service tries a few times within the deadline of the first.
  static constexpr size_t kRetriesLimit = 16;

  struct Parts {
    size_t index = 0;
    size_t lanes = 1;
    Lane* lane = nullptr;
    ReadPool* readers = nullptr;
    storage::Store* store = nullptr;
    UserLane* users = nullptr;
    RoomLane* rooms = nullptr;
    EdgeRegistry* edges = nullptr;
    process::Metrics* metrics = nullptr;
  };
  explicit NotificationLane(const Parts& parts);
  NotificationLane(const NotificationLane&) = delete;
  NotificationLane& operator=(const NotificationLane&) = delete;

  // REQUIRES: LaneOfTarget is this lane.
  void Notify(std::unique_ptr<NotifyCall> call);
  void Acknowledge(std::unique_ptr<AckCall> call);
  void OnReport(const Attachment& edge, const v1::NotificationReport& report) {
    reports_.OnReport(edge, report);
  }
  void Detach(const Attachment& edge) { reports_.Detach(edge); }

  // ConnectionWatch: it is told how far its user's inbox has come.
  void OnOpened(const std::shared_ptr<Attachment>& edge, const OpenedConnection& opened) override;

  // The lane's turn end: hands over what the turn gathered. REQUIRES: rooms and users have.
  void EndTurn();
  // REQUIRES: commit queue and read pool have stopped. Answers everything.
  void Stop();

 private:
  struct StoreJob;
  struct AckJob;
  struct Opened {
    std::shared_ptr<Attachment> edge;
    uint64_t connection = 0;
    storage::UserId user;
  };

  void NotifyUser(std::unique_ptr<NotifyCall> call);
  void OnLookedUp(std::unique_ptr<NotifyCall> call, const storage::InboxOutcome& first);
  void TellUser(std::unique_ptr<NotifyCall> call);
  void TellOrStore(std::unique_ptr<NotifyCall> call, const EdgeReports::Edges& edges,
                   const v1::ControlItem& item);
  void NotifyRoom(std::unique_ptr<NotifyCall> call);
  void NotifyConnection(std::unique_ptr<NotifyCall> call);
  void NotifyAll(std::unique_ptr<NotifyCall> call);
  void Post(std::unique_ptr<NotifyCall> call);
  void Store(std::unique_ptr<NotifyCall> call);
  void OnStored(StoreJob& job);
  // Answers the call when the edges have said how many connections got `item`.
  void Send(std::unique_ptr<NotifyCall> call, const EdgeReports::Edges& edges,
            const v1::ControlItem& item, v1::NotificationOutcome outcome);
  bool AnswerRetry(std::unique_ptr<NotifyCall>& call);
  std::vector<std::unique_ptr<NotifyCall>> TakeRetries(const NotifyCall& call);
  void Give(NotifyCall& call, absl::StatusOr<v1::NotificationOutcome> answer);
  void Answer(NotifyCall& call, v1::NotificationOutcome outcome);
  void Refuse(NotifyCall& call, const absl::Status& why);
  void ReadHeads();
  void OnHeads(const std::vector<Opened>& opened,
               const absl::StatusOr<std::vector<storage::InboxHead>>& heads);
  void AwaitReports();
  EdgeReports::Edges EdgeOf(const std::string& connection_id, uint64_t& connection) const;

  const Parts parts_;
  NotificationCounters counters_;
  EdgeOutbox outbox_;
  EdgeReports reports_;
  ReadGate reads_;
  RecentKeys keys_;
  KeyLookup key_lookup_;
  // Keys of what is not answered yet, with the retries that wait for that.
  absl::flat_hash_map<std::string, std::vector<std::unique_ptr<NotifyCall>>> under_way_;
  std::vector<Opened> opened_;                       // Their users' inboxes are to be looked up.
  std::vector<absl::AnyInvocable<void()>> answers_;  // Given when edges have what caused them.
  bool is_reading_heads_ = false;
  bool is_awaiting_reports_ = false;
  bool is_stopped_ = false;
};

}  // namespace confab::control
