// postgres_inbox.h: the inboxes of a PostgreSQL database: the statements that write and read them.
// Values go as arrays, so the number of statements does not depend on the size of the batch.
// Threads: pure; caller serialises.
#pragma once

#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include "storage/inbox.h"
#include "storage/inbox_plan.h"
#include "storage/postgres/postgres_connection.h"

namespace confab::storage {

// To be prepared on a connection that the functions below are used with.
absl::Span<const PreparedStatement> InboxWriteStatements();
absl::Span<const PreparedStatement> InboxReadStatements();

// Locks the inboxes in the order of their users, then writes.
std::vector<InboxOutcome> WritePostgresInboxes(PostgresTransaction& transaction,
                                               absl::Span<const InboxWrite> batch);

absl::StatusOr<std::vector<InboxHead>> ReadPostgresInboxHeads(PostgresConnection& connection,
                                                              absl::Span<const UserId> users);
absl::StatusOr<InboxOutcome> FindPostgresInboxKey(PostgresConnection& connection,
                                                  const UserId& user, const std::string& key,
                                                  absl::Time since);
absl::StatusOr<InboxPage> ReadPostgresInbox(PostgresConnection& connection,
                                            const InboxQuery& query);

}  // namespace confab::storage
