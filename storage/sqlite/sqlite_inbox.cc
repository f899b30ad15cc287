#include "storage/sqlite/sqlite_inbox.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace confab::storage {
namespace {

constexpr std::string_view kFindHead = "SELECT acked_seq, last_seq FROM inboxes WHERE user_id = ?1";
constexpr std::string_view kFindKey =
    "SELECT seq, notification_id, created_at FROM inbox_keys WHERE user_id = ?1 AND dedup_key = ?2"
    " AND created_at >= ?3";
// Both by an index alone: rows hold payloads of up to 32 KiB before their last columns.
constexpr std::string_view kWaiting =
    "SELECT seq FROM notifications WHERE user_id = ?1 AND seq > ?2 ORDER BY seq";
constexpr std::string_view kRemoveExpiredOf =
    "DELETE FROM notifications INDEXED BY inboxes_to_expire"
    " WHERE user_id = ?1 AND expires_at <= ?2";
constexpr std::string_view kInsert =
    "INSERT INTO notifications (user_id, seq, notification_id, event, is_binary, payload,"
    " created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
constexpr std::string_view kInsertKey =
    "INSERT INTO inbox_keys (user_id, dedup_key, seq, notification_id, created_at) "
    "VALUES (?1, ?2, ?3, ?4, ?5) "
    "ON CONFLICT (user_id, dedup_key) DO UPDATE SET seq = excluded.seq,"
    " notification_id = excluded.notification_id, created_at = excluded.created_at";
constexpr std::string_view kSetHead =
    "INSERT INTO inboxes (user_id, acked_seq, last_seq) VALUES (?1, ?2, ?3) "
    "ON CONFLICT (user_id) DO UPDATE SET acked_seq = excluded.acked_seq,"
    " last_seq = excluded.last_seq";
constexpr std::string_view kRemoveAcked =
    "DELETE FROM notifications WHERE user_id = ?1 AND seq <= ?2";
constexpr std::string_view kRemoveExpired =
    "DELETE FROM notifications WHERE rowid IN"
    " (SELECT rowid FROM notifications WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";
constexpr std::string_view kForgetKeys =
    "DELETE FROM inbox_keys WHERE (user_id, dedup_key) IN"
    " (SELECT user_id, dedup_key FROM inbox_keys WHERE created_at < ?1 ORDER BY created_at LIMIT "
    "?2)";
constexpr std::string_view kPage =
    "SELECT seq, notification_id, event, is_binary, payload, created_at, expires_at "
    "FROM notifications WHERE user_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";

absl::Status PrepareEach(
    SqliteConnection& connection,
    absl::Span<const std::pair<SqliteStatement*, std::string_view>> statements) {
  for (const auto& [statement, sql] : statements) {
    auto prepared = connection.Prepare(sql);
    if (!prepared.ok()) return prepared.status();
    *statement = *std::move(prepared);
  }
  return absl::OkStatus();
}

absl::StatusOr<InboxHead> FindHead(SqliteStatement& find, const UserId& user) {
  find.Bind(user.value);
  const auto has_row = find.Step();
  if (!has_row.ok()) return has_row.status();
  if (!*has_row) return InboxHead{};
  const InboxHead head{find.Int(0), find.Int(1)};
  find.Reset();
  return head;
}

absl::StatusOr<InboxOutcome> FindKey(SqliteStatement& find, const UserId& user,
                                     const std::string& key, absl::Time since) {
  find.Bind(user.value, key, absl::ToUnixMicros(since));
  const auto has_row = find.Step();
  if (!has_row.ok()) return has_row.status();
  InboxOutcome first;
  if (!*has_row) return first;
  first.is_duplicate = true;
  first.seq = find.Int(0);
  first.notification_id = find.Text(1);
  first.created_at = absl::FromUnixMicros(find.Int(2));
  find.Reset();
  return first;
}

}  // namespace

absl::Status SqliteInboxWriter::Prepare(SqliteConnection& connection) {
  return PrepareEach(connection, {{&find_head_, kFindHead},
                                  {&find_key_, kFindKey},
                                  {&waiting_, kWaiting},
                                  {&remove_expired_of_, kRemoveExpiredOf},
                                  {&insert_, kInsert},
                                  {&insert_key_, kInsertKey},
                                  {&set_head_, kSetHead},
                                  {&remove_acked_, kRemoveAcked},
                                  {&remove_expired_, kRemoveExpired},
                                  {&forget_keys_, kForgetKeys}});
}

absl::StatusOr<std::vector<InboxOutcome>> SqliteInboxWriter::Write(
    absl::Span<const InboxWrite> batch) {
  InboxPlanner planner(batch);
  if (auto status = LookUp(batch, planner); !status.ok()) return status;
  if (auto status = Count(planner); !status.ok()) return status;
  InboxPlan plan = planner.Plan();
  for (const InboxPlan::Row& row : plan.rows) {
    if (auto status = Insert(row); !status.ok()) return status;
  }
  for (const InboxPlan::Head& head : plan.heads) {
    auto status = set_head_.Run(head.user->value, head.after.acked_seq, head.after.last_seq);
    if (status.ok() && head.is_acked) {
      status = remove_acked_.Run(head.user->value, head.after.acked_seq);
    }
    if (!status.ok()) return status;
  }
  if (!plan.rows.empty()) {
    if (auto status = Tidy(plan.now); !status.ok()) return status;
  }
  return std::move(plan.outcomes);
}

absl::Status SqliteInboxWriter::LookUp(absl::Span<const InboxWrite> batch, InboxPlanner& planner) {
  for (const UserId* user : planner.users()) {
    const auto head = FindHead(find_head_, *user);
    if (!head.ok()) return head.status();
    planner.SetHead(*user, *head);
  }
  for (size_t i = 0; i < batch.size(); ++i) {
    if (!batch[i].notification || batch[i].notification->dedup_key.empty()) continue;
    auto first = FindKey(find_key_, batch[i].user, batch[i].notification->dedup_key,
                         batch[i].notification->created_at - kInboxKeyAge);
    if (!first.ok()) return first.status();
    if (first->is_duplicate) planner.SetStored(i, *std::move(first));
  }
  return absl::OkStatus();
}

absl::Status SqliteInboxWriter::Count(InboxPlanner& planner) {
  for (const UserId* user : planner.Crowded()) {
    auto status = remove_expired_of_.Run(user->value, absl::ToUnixMicros(planner.now()));
    if (!status.ok()) return status;
    std::vector<int64_t> seqs;
    waiting_.Bind(user->value, planner.HeadOf(*user).acked_seq);
    while (true) {
      const auto has_row = waiting_.Step();
      if (!has_row.ok()) return has_row.status();
      if (!*has_row) break;
      seqs.push_back(waiting_.Int(0));
    }
    planner.SetWaiting(*user, std::move(seqs));
  }
  return absl::OkStatus();
}

absl::Status SqliteInboxWriter::Insert(const InboxPlan::Row& row) {
  const NewNotification& notification = *row.notification;
  const std::string payload = PayloadColumn(notification);
  auto status = insert_.Run(row.user->value, row.seq, notification.notification_id,
                            notification.event, static_cast<int64_t>(notification.is_binary),
                            payload, absl::ToUnixMicros(notification.created_at),
                            absl::ToUnixMicros(notification.expires_at));
  if (!status.ok() || notification.dedup_key.empty()) return status;
  return insert_key_.Run(row.user->value, notification.dedup_key, row.seq,
                         notification.notification_id, absl::ToUnixMicros(notification.created_at));
}

absl::Status SqliteInboxWriter::Tidy(absl::Time now) {
  auto status = remove_expired_.Run(absl::ToUnixMicros(now), kInboxTidyRows);
  if (!status.ok()) return status;
  return forget_keys_.Run(absl::ToUnixMicros(now - kInboxKeyAge), kInboxTidyRows);
}

absl::Status SqliteInboxReader::Prepare(SqliteConnection& connection) {
  return PrepareEach(connection, {{&head_, kFindHead}, {&find_key_, kFindKey}, {&page_, kPage}});
}

absl::StatusOr<std::vector<InboxHead>> SqliteInboxReader::ReadHeads(
    absl::Span<const UserId> users) {
  std::vector<InboxHead> heads;
  heads.reserve(users.size());
  for (const UserId& user : users) {
    const auto head = FindHead(head_, user);
    if (!head.ok()) return head.status();
    heads.push_back(*head);
  }
  return heads;
}

absl::StatusOr<InboxOutcome> SqliteInboxReader::FindKey(const UserId& user, const std::string& key,
                                                        absl::Time since) {
  return storage::FindKey(find_key_, user, key, since);
}

absl::StatusOr<InboxPage> SqliteInboxReader::Read(const InboxQuery& query) {
  const auto head = FindHead(head_, query.user);
  if (!head.ok()) return head.status();
  InboxPageCutter cutter(query, *head);
  page_.Bind(query.user.value, cutter.after_seq(), cutter.rows_limit());
  while (true) {
    const auto has_row = page_.Step();
    if (!has_row.ok()) return has_row.status();
    if (!*has_row) break;
    InboxEntry entry;
    entry.seq = page_.Int(0);
    entry.notification.notification_id = page_.Text(1);
    entry.notification.event = page_.Text(2);
    entry.notification.is_binary = page_.Int(3) != 0;
    entry.notification.payload = PayloadOfColumn(page_.Text(4), entry.notification.is_binary);
    entry.notification.created_at = absl::FromUnixMicros(page_.Int(5));
    entry.notification.expires_at = absl::FromUnixMicros(page_.Int(6));
    if (!cutter.Add(std::move(entry))) {
      page_.Reset();
      break;
    }
  }
  return cutter.Finish();
}

}  // namespace confab::storage
