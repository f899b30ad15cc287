#include "storage/postgres/postgres_inbox.h"

#include <string>
#include <utility>

#include <absl/container/flat_hash_map.h>

#include "storage/postgres/text_array.h"

namespace confab::storage {
namespace {

constexpr PreparedStatement kWrites[] = {
    {"make_inboxes",
     "INSERT INTO inboxes (user_id, acked_seq, last_seq) "
     "SELECT id, 0, 0 FROM unnest($1::text[]) AS u (id) ORDER BY id COLLATE \"C\" "
     "ON CONFLICT (user_id) DO NOTHING"},
    {"lock_inboxes",
     "SELECT user_id, acked_seq, last_seq FROM inboxes "
     "WHERE user_id = ANY($1::text[]) ORDER BY user_id FOR NO KEY UPDATE"},
    // A scalar subquery a key, as for the keys of events (append_statements).
    {"find_inbox_keys",
     "SELECT k.ord, k.hit FROM ("
     "  SELECT u.ord, (SELECT i.seq || ' ' || i.created_at || ' ' || i.notification_id"
     "                 FROM inbox_keys i"
     "                 WHERE i.user_id = u.user_id AND i.dedup_key = u.dedup_key"
     "                 AND i.created_at >= u.since) AS hit"
     "  FROM unnest($1::text[], $2::text[], $3::bigint[])"
     "    WITH ORDINALITY AS u (user_id, dedup_key, since, ord)"
     "  OFFSET 0) k "
     "WHERE k.hit IS NOT NULL"},
    {"remove_expired_of",
     "DELETE FROM notifications WHERE expires_at <= $2 AND user_id = ANY($1::text[])"},
    {"waiting_of",
     "SELECT n.user_id, n.seq FROM unnest($1::text[], $2::bigint[]) AS c (user_id, acked_seq) "
     "JOIN notifications n ON n.user_id = c.user_id AND n.seq > c.acked_seq "
     "ORDER BY n.user_id, n.seq"},
    {"write_notifications",
     "INSERT INTO notifications (user_id, seq, notification_id, event, is_binary, payload,"
     " created_at, expires_at) "
     "SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::boolean[],"
     " $6::text[], $7::bigint[], $8::bigint[])"},
    {"write_inbox_keys",
     "INSERT INTO inbox_keys (user_id, dedup_key, seq, notification_id, created_at) "
     "SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[]) "
     "ON CONFLICT (user_id, dedup_key) DO UPDATE SET seq = excluded.seq,"
     " notification_id = excluded.notification_id, created_at = excluded.created_at"},
    {"set_inboxes",
     "UPDATE inboxes i SET acked_seq = c.acked_seq, last_seq = c.last_seq "
     "FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS c (user_id, acked_seq, last_seq) "
     "WHERE i.user_id = c.user_id"},
    {"remove_acked",
     "DELETE FROM notifications n USING unnest($1::text[], $2::bigint[]) AS c (user_id, acked_seq)"
     " WHERE n.user_id = c.user_id AND n.seq <= c.acked_seq"},
    {"remove_expired",
     "DELETE FROM notifications WHERE (user_id, seq) IN"
     " (SELECT user_id, seq FROM notifications WHERE expires_at <= $1"
     "  ORDER BY expires_at LIMIT $2)"},
    {"forget_inbox_keys",
     "DELETE FROM inbox_keys WHERE (user_id, dedup_key) IN"
     " (SELECT user_id, dedup_key FROM inbox_keys WHERE created_at < $1"
     "  ORDER BY created_at LIMIT $2)"},
};

constexpr PreparedStatement kReads[] = {
    {"inbox_heads",
     "SELECT user_id, acked_seq, last_seq FROM inboxes WHERE user_id = ANY($1::text[])"},
    {"inbox_key",
     "SELECT seq, notification_id, created_at FROM inbox_keys"
     " WHERE user_id = $1 AND dedup_key = $2 AND created_at >= $3"},
    // The head and the rows of one snapshot.
    {"inbox_page",
     "SELECT i.acked_seq, i.last_seq, n.seq, n.notification_id, n.event, n.is_binary, n.payload,"
     " n.created_at, n.expires_at "
     "FROM inboxes i LEFT JOIN LATERAL ("
     "  SELECT * FROM notifications WHERE user_id = $1 AND seq > $2 ORDER BY seq LIMIT $3) n"
     " ON true "
     "WHERE i.user_id = $1 ORDER BY n.seq"},
};

std::string TextOf(const pqxx::field& field) { return {field.c_str(), field.size()}; }

int64_t IntOf(const pqxx::field& field) { return field.as<int64_t>(); }

void LookUp(PostgresTransaction& transaction, absl::Span<const InboxWrite> batch,
            InboxPlanner& planner) {
  TextArray users;
  for (const UserId* user : planner.users()) users.Add(user->value);
  transaction.Run("make_inboxes", users.Finish());
  TextArray locked;
  for (const UserId* user : planner.users()) locked.Add(user->value);
  for (const pqxx::row& row : transaction.Run("lock_inboxes", locked.Finish())) {
    planner.SetHead(UserId(TextOf(row[0])), {IntOf(row[1]), IntOf(row[2])});
  }
  TextArray owners, keys, since;
  std::vector<size_t> write_of;
  for (size_t i = 0; i < batch.size(); ++i) {
    if (!batch[i].notification || batch[i].notification->dedup_key.empty()) continue;
    owners.Add(batch[i].user.value);
    keys.Add(batch[i].notification->dedup_key);
    since.Add(absl::ToUnixMicros(batch[i].notification->created_at - kInboxKeyAge));
    write_of.push_back(i);
  }
  if (write_of.empty()) return;
  for (const pqxx::row& row :
       transaction.Run("find_inbox_keys", owners.Finish(), keys.Finish(), since.Finish())) {
    const std::string hit = TextOf(row[1]);
    const size_t first_blank = hit.find(' ');
    const size_t second_blank = hit.find(' ', first_blank + 1);
    InboxOutcome first;
    first.seq = std::stoll(hit.substr(0, first_blank));
    first.created_at = absl::FromUnixMicros(
        std::stoll(hit.substr(first_blank + 1, second_blank - first_blank - 1)));
    first.notification_id = hit.substr(second_blank + 1);
    planner.SetStored(write_of.at(static_cast<size_t>(IntOf(row[0]) - 1)), std::move(first));
  }
}

void Count(PostgresTransaction& transaction, InboxPlanner& planner) {
  const std::vector<const UserId*> crowded = planner.Crowded();
  if (crowded.empty()) return;
  TextArray expired_of, users, acked;
  for (const UserId* user : crowded) {
    expired_of.Add(user->value);
    users.Add(user->value);
    acked.Add(planner.HeadOf(*user).acked_seq);
  }
  transaction.Run("remove_expired_of", expired_of.Finish(), absl::ToUnixMicros(planner.now()));
  absl::flat_hash_map<UserId, std::vector<int64_t>> waiting;
  for (const pqxx::row& row : transaction.Run("waiting_of", users.Finish(), acked.Finish())) {
    waiting[UserId(TextOf(row[0]))].push_back(IntOf(row[1]));
  }
  for (const UserId* user : crowded) planner.SetWaiting(*user, std::move(waiting[*user]));
}

void WriteRows(PostgresTransaction& transaction, const InboxPlan& plan) {
  TextArray users, seqs, ids, events, kinds, payloads, created, expires;
  TextArray key_users, keys, key_seqs, key_ids, key_times;
  bool has_keys = false;
  for (const InboxPlan::Row& row : plan.rows) {
    const NewNotification& notification = *row.notification;
    const int64_t created_at = absl::ToUnixMicros(notification.created_at);
    users.Add(row.user->value);
    seqs.Add(row.seq);
    ids.Add(notification.notification_id);
    events.Add(notification.event);
    kinds.Add(std::string_view(notification.is_binary ? "t" : "f"));
    payloads.Add(PayloadColumn(notification));
    created.Add(created_at);
    expires.Add(absl::ToUnixMicros(notification.expires_at));
    if (notification.dedup_key.empty()) continue;
    has_keys = true;
    key_users.Add(row.user->value);
    keys.Add(notification.dedup_key);
    key_seqs.Add(row.seq);
    key_ids.Add(notification.notification_id);
    key_times.Add(created_at);
  }
  transaction.Run("write_notifications", users.Finish(), seqs.Finish(), ids.Finish(),
                  events.Finish(), kinds.Finish(), payloads.Finish(), created.Finish(),
                  expires.Finish());
  if (has_keys) {
    transaction.Run("write_inbox_keys", key_users.Finish(), keys.Finish(), key_seqs.Finish(),
                    key_ids.Finish(), key_times.Finish());
  }
}

void WriteHeads(PostgresTransaction& transaction, const InboxPlan& plan) {
  TextArray users, acked, last, acked_users, removed;
  bool has_acked = false;
  for (const InboxPlan::Head& head : plan.heads) {
    users.Add(head.user->value);
    acked.Add(head.after.acked_seq);
    last.Add(head.after.last_seq);
    if (!head.is_acked) continue;
    has_acked = true;
    acked_users.Add(head.user->value);
    removed.Add(head.after.acked_seq);
  }
  transaction.Run("set_inboxes", users.Finish(), acked.Finish(), last.Finish());
  if (has_acked) transaction.Run("remove_acked", acked_users.Finish(), removed.Finish());
}

}  // namespace

absl::Span<const PreparedStatement> InboxWriteStatements() { return kWrites; }
absl::Span<const PreparedStatement> InboxReadStatements() { return kReads; }

std::vector<InboxOutcome> WritePostgresInboxes(PostgresTransaction& transaction,
                                               absl::Span<const InboxWrite> batch) {
  if (batch.empty()) return {};
  InboxPlanner planner(batch);
  LookUp(transaction, batch, planner);
  Count(transaction, planner);
  InboxPlan plan = planner.Plan();
  if (!plan.rows.empty()) WriteRows(transaction, plan);
  if (!plan.heads.empty()) WriteHeads(transaction, plan);
  if (!plan.rows.empty()) {
    transaction.Run("remove_expired", absl::ToUnixMicros(plan.now), kInboxTidyRows);
    transaction.Run("forget_inbox_keys", absl::ToUnixMicros(plan.now - kInboxKeyAge),
                    kInboxTidyRows);
  }
  return std::move(plan.outcomes);
}

absl::StatusOr<std::vector<InboxHead>> ReadPostgresInboxHeads(PostgresConnection& connection,
                                                              absl::Span<const UserId> users) {
  TextArray asked;
  for (const UserId& user : users) asked.Add(user.value);
  const auto rows = connection.Query("inbox_heads", asked.Finish());
  if (!rows.ok()) return rows.status();
  absl::flat_hash_map<UserId, InboxHead> found;
  for (const pqxx::row& row : *rows) {
    found[UserId(TextOf(row[0]))] = {IntOf(row[1]), IntOf(row[2])};
  }
  std::vector<InboxHead> heads;
  heads.reserve(users.size());
  for (const UserId& user : users) heads.push_back(found[user]);
  return heads;
}

absl::StatusOr<InboxOutcome> FindPostgresInboxKey(PostgresConnection& connection,
                                                  const UserId& user, const std::string& key,
                                                  absl::Time since) {
  const auto rows = connection.Query("inbox_key", user.value, key, absl::ToUnixMicros(since));
  if (!rows.ok()) return rows.status();
  InboxOutcome first;
  if (rows->empty()) return first;
  first.is_duplicate = true;
  first.seq = IntOf((*rows)[0][0]);
  first.notification_id = TextOf((*rows)[0][1]);
  first.created_at = absl::FromUnixMicros(IntOf((*rows)[0][2]));
  return first;
}

absl::StatusOr<InboxPage> ReadPostgresInbox(PostgresConnection& connection,
                                            const InboxQuery& query) {
  const auto rows = connection.Query("inbox_page", query.user.value, query.after_seq,
                                     InboxPageCutter(query, {}).rows_limit());
  if (!rows.ok()) return rows.status();
  const InboxHead head =
      rows->empty() ? InboxHead{} : InboxHead{IntOf((*rows)[0][0]), IntOf((*rows)[0][1])};
  InboxPageCutter cutter(query, head);
  for (const pqxx::row& row : *rows) {
    if (row[2].is_null()) break;
    InboxEntry entry;
    entry.seq = IntOf(row[2]);
    entry.notification.notification_id = TextOf(row[3]);
    entry.notification.event = TextOf(row[4]);
    entry.notification.is_binary = row[5].as<bool>();
    entry.notification.payload = PayloadOfColumn(TextOf(row[6]), entry.notification.is_binary);
    entry.notification.created_at = absl::FromUnixMicros(IntOf(row[7]));
    entry.notification.expires_at = absl::FromUnixMicros(IntOf(row[8]));
    if (!cutter.Add(std::move(entry))) break;
  }
  return cutter.Finish();
}

}  // namespace confab::storage
