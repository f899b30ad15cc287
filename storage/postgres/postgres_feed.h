// postgres_feed.h: the feed of a PostgreSQL database and the cursors of its consumers.
// Threads: pure; caller serialises.
#pragma once

#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include "storage/feed.h"
#include "storage/postgres/postgres_connection.h"

namespace confab::storage {

// To be prepared on a connection that the functions below are used with.
absl::Span<const PreparedStatement> FeedWriteStatements();
absl::Span<const PreparedStatement> FeedReadStatements();

// FAILED_PRECONDITION: events or cursors have numbers of transactions that this server has not come
// to, as after a restore of a dump of another one: the feed would be silent, without an error. A
// schema that is older than the feed is OK.
absl::Status CheckPostgresFeed(PostgresConnection& connection);

absl::Status SetPostgresFeedCursor(PostgresConnection& connection, const FeedCursor& cursor);
absl::Status DeletePostgresFeedCursor(PostgresConnection& connection, const std::string& consumer);

absl::StatusOr<FeedPage> ReadPostgresFeed(PostgresConnection& connection, const FeedPosition& after,
                                          int32_t limit);
absl::StatusOr<FeedPosition> ReadPostgresFeedEnd(PostgresConnection& connection);
absl::StatusOr<std::vector<FeedCursor>> ListPostgresFeedCursors(PostgresConnection& connection);

}  // namespace confab::storage
