// postgres_upkeep.h: retention and erasing; what PostgresWriter does of it. Each step is one
// transaction.
// Threads: pure; caller serialises.
#pragma once

#include <cstdint>

#include <absl/status/status.h>
#include <absl/types/span.h>

#include "storage/postgres/postgres_connection.h"
#include "storage/records.h"
#include "storage/upkeep.h"

namespace confab::storage {

// To be prepared on a connection that the functions below are used with.
absl::Span<const PreparedStatement> UpkeepStatements();

// As StoreWriter's.
absl::Status SetRetention(PostgresTransaction& transaction, const RoomId& room,
                          const Retention& retention);
absl::Status Trim(PostgresTransaction& transaction, const RoomId& room, int32_t rows,
                  TrimStep& step);
absl::Status Erase(PostgresTransaction& transaction, const RoomId& room, const UserId& user,
                   int64_t after_seq, int32_t rows, EraseStep& step);

}  // namespace confab::storage
