// model_edge.h: an edge reduced to what it owes control and its connections: positions,
// subscriptions, releases, unanswered commands. Keeps a ledger of what each connection received.
// Pages of the log are held against what was known when they were asked for.
// Threads: the test's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "control/dispatch/dispatcher.h"
#include "tests/fakes/recording_edge_stream.h"

namespace confab::control {

class ModelEdge {
 public:
  // One connection's subscription to a room, ended or not.
  struct Subscription {
    uint64_t connection = 0;
    std::string user;
    std::string room;
    int64_t from_seq = 0;
    std::vector<int64_t> received;
    bool has_ended_by_user = false;  // By Unsubscribe{user}.
    int64_t ended_at = -1;           // Position of the room when it ended; -1: it has not.
  };
  struct Posted {
    std::string user;
    std::string room;
    std::string client_msg_id;  // Empty: none.
    std::string message_id;
    std::string content;
    int64_t seq = 0;  // As acked.
  };
  // By room and seq of messages: the newest edit that was acked.
  using Edits = std::map<std::pair<std::string, int64_t>, int64_t>;
  // What a page of the log has given a user.
  struct Page {
    std::string user;
    std::string room;
    int64_t last_seq = 0;
  };

  explicit ModelEdge(std::string id) : id_(std::move(id)) {}

  bool is_attached() const { return attachment_ != nullptr; }
  // Announces what it has, then sends its unanswered commands again.
  void Attach(Dispatcher& dispatcher);
  // The stream breaks: what was not processed is lost. `is_told`: control notices.
  void Break(Dispatcher& dispatcher, bool is_told);

  void Join(Dispatcher& dispatcher, uint64_t connection, const std::string& user,
            const std::string& room);
  void Leave(Dispatcher& dispatcher, uint64_t connection, const std::string& user,
             const std::string& room);
  void Post(Dispatcher& dispatcher, uint64_t connection, const std::string& user,
            const std::string& room, const std::string& content, const std::string& key);
  // Its content is the message's with a suffix "/…".
  void Edit(Dispatcher& dispatcher, uint64_t connection, const Posted& message,
            const std::string& suffix);
  // A page must not show a message as it was before one of `edits`.
  void Replay(Dispatcher& dispatcher, uint64_t connection, const std::string& user,
              const std::string& room, int64_t after_seq, Edits edits);

  // Takes at most `limit` of the items that have come.
  void Process(Dispatcher& dispatcher, size_t limit);
  // Waits until there is something to process.
  bool AwaitMore() { return stream_->AwaitSize(cursor_ + 1); }

  bool has_unanswered() const { return !unanswered_.empty(); }
  // Position of every room it holds.
  std::map<std::string, int64_t> positions() const;
  const std::vector<std::unique_ptr<Subscription>>& ledger() const { return ledger_; }
  const std::vector<Posted>& acked() const { return acked_; }
  const Edits& edits() const { return edits_; }
  const std::vector<Page>& pages() const { return pages_; }

 private:
  struct Topic {
    int64_t position = 0;
    std::map<uint64_t, Subscription*> subscribers;
  };
  struct Unanswered {
    std::shared_ptr<const storage::Actor> actor;
    v1::Command command;
    int64_t message_seq = 0;  // Of an edit.
    Edits edits;              // Of a page: what it has to show.
  };

  v1::Command& NewCommand(uint64_t connection, const std::string& user);
  void Send(Dispatcher& dispatcher);
  void SendNewest(Dispatcher& dispatcher);
  void Take(Dispatcher& dispatcher, const v1::ControlItem& item);
  void TakeSubscribe(const v1::Subscribe& subscribe);
  void TakeUnsubscribe(Dispatcher& dispatcher, const v1::Unsubscribe& unsubscribe);
  void TakeEvent(const v1::Event& event);
  void TakeResult(const v1::Result& result);
  void TakePage(const Unanswered& asked, const v1::HistoryPage& page);
  void End(Topic& topic, Subscription& subscription, bool is_by_user);
  void ReleaseIfUnused(Dispatcher& dispatcher, const std::string& room);

  const std::string id_;
  std::shared_ptr<RecordingEdgeStream> stream_;
  std::shared_ptr<Attachment> attachment_;
  size_t cursor_ = 0;
  uint64_t subscribes_seen_ = 0;
  uint64_t requests_ = 0;
  std::map<std::string, Topic> topics_;  // By room.
  std::map<uint64_t, std::string> users_;
  std::map<uint64_t, Unanswered> unanswered_;
  std::vector<std::unique_ptr<Subscription>> ledger_;
  std::vector<Posted> acked_;
  Edits edits_;
  std::vector<Page> pages_;
};

}  // namespace confab::control
