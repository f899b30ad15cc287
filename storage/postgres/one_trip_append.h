// one_trip_append.h: the commit shape for a handful of messages: one statement that is the whole
// transaction, so one round trip. It stores the batch whole or changes nothing; what is out of the
// ordinary (a retry, an older member list, a room that is gone) is left to append_statements.
// Threads: pure; caller serialises.
#pragma once

#include <vector>

#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include "storage/append_batch.h"
#include "storage/postgres/postgres_connection.h"

namespace confab::storage {

// To be prepared on a connection that AppendInOneTrip is used with.
absl::Span<const PreparedStatement> OneTripStatements();

// True: messages alone that answer none, each request one, each with a key of its own.
bool FitsOneTrip(AppendBatch batch);

// All requests stored, answered in order; or empty: nothing was changed, and the batch is to be
// committed in the other shape. UNKNOWN: the answer was lost, as with a COMMIT.
// REQUIRES: FitsOneTrip(batch), and CheckBatch(batch) is OK.
absl::StatusOr<std::vector<AppendOutcome>> AppendInOneTrip(PostgresConnection& connection,
                                                           AppendBatch batch);

}  // namespace confab::storage
