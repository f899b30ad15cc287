#include "storage/inbox_plan.h"

#include <algorithm>
#include <utility>

#include <absl/container/flat_hash_map.h>
#include <fmt/format.h>

#include "process/base64url.h"
#include "storage/record_check.h"

namespace confab::storage {
namespace {

absl::Status CheckNotification(const NewNotification& notification) {
  if (notification.dedup_key.size() > kDedupKeyBytesLimit) {
    return absl::InvalidArgumentError(
        fmt::format("a dedup key has at most {} bytes", kDedupKeyBytesLimit));
  }
  const bool is_text = IsStorableText(notification.event) &&
                       IsStorableText(notification.notification_id) &&
                       IsStorableText(notification.dedup_key) &&
                       (notification.is_binary || IsStorableText(notification.payload));
  if (is_text) return absl::OkStatus();
  return absl::InvalidArgumentError("a notification is not valid UTF-8 or contains U+0000");
}

}  // namespace

absl::Status CheckInboxWrites(absl::Span<const InboxWrite> batch) {
  if (batch.size() > kBatchEventsLimit) {
    return absl::InvalidArgumentError(
        fmt::format("a batch has at most {} writes", kBatchEventsLimit));
  }
  for (const InboxWrite& write : batch) {
    if (auto status = CheckId(write.user.value, "user id"); !status.ok()) return status;
    if (!write.notification) continue;
    if (auto status = CheckNotification(*write.notification); !status.ok()) return status;
  }
  return absl::OkStatus();
}

std::string PayloadColumn(const NewNotification& notification) {
  return notification.is_binary ? process::EncodeBase64Url(notification.payload)
                                : notification.payload;
}

std::string PayloadOfColumn(std::string column, bool is_binary) {
  if (!is_binary) return column;
  return process::DecodeBase64Url(column).value_or("");
}

InboxPlanner::InboxPlanner(absl::Span<const InboxWrite> batch)
    : batch_(batch), stored_(batch.size()) {
  for (const InboxWrite& write : batch) users_.push_back(&write.user);
  std::sort(users_.begin(), users_.end(), [](const UserId* a, const UserId* b) { return *a < *b; });
  users_.erase(std::unique(users_.begin(), users_.end(),
                           [](const UserId* a, const UserId* b) { return *a == *b; }),
               users_.end());
  heads_.resize(users_.size());
  waiting_.resize(users_.size());
  for (const InboxWrite& write : batch) {
    if (write.notification) now_ = std::max(now_, write.notification->created_at);
  }
}

size_t InboxPlanner::IndexOf(const UserId& user) const {
  const auto it = std::lower_bound(users_.begin(), users_.end(), user,
                                   [](const UserId* a, const UserId& b) { return *a < b; });
  return static_cast<size_t>(it - users_.begin());
}

void InboxPlanner::SetHead(const UserId& user, InboxHead head) {
  const size_t index = IndexOf(user);
  if (index < users_.size() && *users_[index] == user) heads_[index] = head;
}

void InboxPlanner::SetStored(size_t write, InboxOutcome first) {
  first.is_duplicate = true;
  stored_[write] = std::move(first);
}

std::vector<const UserId*> InboxPlanner::Crowded() const {
  std::vector<int64_t> numbers;
  numbers.reserve(heads_.size());
  for (const InboxHead& head : heads_) numbers.push_back(head.last_seq - head.acked_seq);
  for (size_t i = 0; i < batch_.size(); ++i) {
    if (batch_[i].notification && !stored_[i]) ++numbers[IndexOf(batch_[i].user)];
  }
  std::vector<const UserId*> crowded;
  for (size_t i = 0; i < users_.size(); ++i) {
    if (numbers[i] > kInboxLimit) crowded.push_back(users_[i]);
  }
  return crowded;
}

void InboxPlanner::SetWaiting(const UserId& user, std::vector<int64_t> seqs) {
  waiting_[IndexOf(user)] = std::move(seqs);
}

namespace {

// What is left of an inbox that may be full, as a batch goes on.
class Fullness {
 public:
  explicit Fullness(std::vector<int64_t> waiting) : waiting_(std::move(waiting)) {}

  // One more waits. Returns the seq of the oldest if that has to go for it.
  std::optional<int64_t> Add(int64_t seq, int64_t acked_seq) {
    waiting_.push_back(seq);
    while (waiting_[first_] <= acked_seq) ++first_;
    if (static_cast<int64_t>(waiting_.size() - first_) <= kInboxLimit) return std::nullopt;
    return waiting_[first_++];
  }

 private:
  std::vector<int64_t> waiting_;
  size_t first_ = 0;
};

}  // namespace

InboxPlan InboxPlanner::Plan() const {
  InboxPlan plan;
  std::vector<Fullness> fullness(waiting_.begin(), waiting_.end());
  plan.now = absl::InfinitePast();
  std::vector<InboxHead> heads = heads_;
  absl::flat_hash_map<std::pair<size_t, std::string>, size_t> keys;  // -> index of its outcome
  for (size_t i = 0; i < batch_.size(); ++i) {
    const InboxWrite& write = batch_[i];
    const size_t user = IndexOf(write.user);
    InboxHead& head = heads[user];
    InboxOutcome outcome;
    if (!write.notification) {
      head.acked_seq = std::max(head.acked_seq, std::min(write.ack_seq, head.last_seq));
    } else if (stored_[i]) {
      outcome = *stored_[i];
    } else {
      const NewNotification& notification = *write.notification;
      plan.now = std::max(plan.now, notification.created_at);
      const auto key = std::make_pair(user, notification.dedup_key);
      const auto twin = notification.dedup_key.empty() ? keys.end() : keys.find(key);
      if (twin != keys.end()) {
        outcome = plan.outcomes[twin->second];
        outcome.is_duplicate = true;
      } else {
        outcome.seq = ++head.last_seq;
        outcome.notification_id = notification.notification_id;
        outcome.created_at = notification.created_at;
        const auto oldest = fullness[user].Add(outcome.seq, head.acked_seq);
        outcome.is_oldest_dropped = oldest.has_value();
        if (oldest) head.acked_seq = *oldest;
        plan.rows.push_back({&write.user, &notification, outcome.seq});
        if (!notification.dedup_key.empty()) keys.emplace(key, i);
      }
    }
    outcome.acked_seq = head.acked_seq;
    plan.outcomes.push_back(std::move(outcome));
  }
  for (size_t i = 0; i < users_.size(); ++i) {
    if (heads[i] == heads_[i]) continue;
    plan.heads.push_back({users_[i], heads[i], heads[i].acked_seq != heads_[i].acked_seq});
  }
  return plan;
}

InboxPageCutter::InboxPageCutter(const InboxQuery& query, const InboxHead& head)
    : query_(query), head_(head), after_seq_(std::max(query.after_seq, head.acked_seq)) {
  page_.through_seq = after_seq_;
}

bool InboxPageCutter::Add(InboxEntry entry) {
  ++rows_;
  if (entry.notification.expires_at > query_.now) {
    bytes_ += entry.notification.payload.size();
    is_full_ =
        !page_.entries.empty() && bytes_ > static_cast<size_t>(std::max(query_.bytes_limit, 0));
    if (is_full_) return false;
    page_.through_seq = entry.seq;
    page_.entries.push_back(std::move(entry));
    return true;
  }
  page_.through_seq = entry.seq;
  return true;
}

InboxPage InboxPageCutter::Finish() {
  // Fewer rows than asked for: the rest up to the head is gone.
  if (!is_full_ && rows_ < rows_limit()) {
    page_.through_seq = std::max(page_.through_seq, head_.last_seq);
  }
  page_.more = page_.through_seq < head_.last_seq;
  return std::move(page_);
}

}  // namespace confab::storage
