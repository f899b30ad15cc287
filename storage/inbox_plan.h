// inbox_plan.h: what a batch of changes does to the inboxes it touches; the same for every backend.
// Owns: the heads and keys found so far.   Used by: the backends' writers.
// Threads: caller serialises.
// Fails: INVALID_ARGUMENT for what no backend could keep.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <absl/types/span.h>

#include "storage/inbox.h"

namespace confab::storage {

// INVALID_ARGUMENT with what is wrong with the first write that cannot be kept.
absl::Status CheckInboxWrites(absl::Span<const InboxWrite> batch);

// As the payload stands in a column of text: JSON as it is, bytes as base64url.
std::string PayloadColumn(const NewNotification& notification);
std::string PayloadOfColumn(std::string column, bool is_binary);

struct InboxPlan {
  struct Head {
    const UserId* user = nullptr;
    InboxHead after;
    bool is_acked = false;  // Entries up to after.acked_seq are to be removed.
  };
  struct Row {
    const UserId* user = nullptr;
    const NewNotification* notification = nullptr;
    int64_t seq = 0;
  };
  std::vector<InboxOutcome> outcomes;  // One for each write.
  std::vector<Head> heads;             // Of inboxes that change.
  std::vector<Row> rows;               // To be inserted, with their keys; none is behind its head.
  absl::Time now;                      // Newest created_at of the batch.
};

class InboxPlanner {
 public:
  // A batch that outlives this object.
  explicit InboxPlanner(absl::Span<const InboxWrite> batch);

  // The inboxes touched, in order of their users; each is to be locked in that order.
  const std::vector<const UserId*>& users() const { return users_; }
  // What was found under the lock; an inbox that is not told is new.
  void SetHead(const UserId& user, InboxHead head);
  // The write's key is known; looked up under the lock.
  void SetStored(size_t write, InboxOutcome first);
  // REQUIRES: heads and keys are set. The inboxes whose entries have to be counted: by the numbers
  // alone they may be full, but those number what has expired too. Of these the backend removes what
  // has expired by now() and sets what is left.
  std::vector<const UserId*> Crowded() const;
  absl::Time now() const { return now_; }  // Newest created_at of the batch.
  const InboxHead& HeadOf(const UserId& user) const { return heads_[IndexOf(user)]; }
  // Ascending seqs behind the inbox's acked_seq.
  void SetWaiting(const UserId& user, std::vector<int64_t> seqs);

  InboxPlan Plan() const;

 private:
  size_t IndexOf(const UserId& user) const;

  const absl::Span<const InboxWrite> batch_;
  std::vector<const UserId*> users_;
  std::vector<InboxHead> heads_;               // By users_.
  std::vector<std::vector<int64_t>> waiting_;  // By users_; empty of those that are not crowded.
  absl::Time now_ = absl::InfinitePast();
  std::vector<std::optional<InboxOutcome>> stored_;
};

// Puts a page together from rows in ascending seq.
class InboxPageCutter {
 public:
  // `head` of the same snapshot as the rows.
  InboxPageCutter(const InboxQuery& query, const InboxHead& head);
  // Rows behind it are to be added, at most rows_limit().
  int64_t after_seq() const { return after_seq_; }
  int64_t rows_limit() const { return std::max(query_.limit, 1); }
  // False: the page is full without it.
  bool Add(InboxEntry entry);
  InboxPage Finish();

 private:
  const InboxQuery& query_;
  const InboxHead head_;
  const int64_t after_seq_;
  InboxPage page_;
  int64_t rows_ = 0;
  size_t bytes_ = 0;
  bool is_full_ = false;
};

}  // namespace confab::storage
