// append_statements.h: the statements of a batch and how its values travel: as arrays, so that the
// number of statements does not depend on the size of the batch, and in two trips.
// Threads: pure; caller serialises.
#pragma once

#include <cstdint>

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <absl/types/span.h>

#include "storage/append_plan.h"
#include "storage/postgres/binary_values.h"
#include "storage/postgres/postgres_connection.h"
#include "storage/postgres/pq_transaction.h"

namespace confab::storage {

// When a batch is written, and by which transaction, as the feed counts them.
struct AppendMoment {
  absl::Time now;  // The server's clock behind the locks.
  int64_t transaction = 0;
};

// To be prepared on a connection that the functions below are used with.
absl::Span<const PreparedStatement> AppendStatements();

// The number of the type of the events' rows. FAILED_PRECONDITION: the table's columns are not those
// that rows are written with, or stand in another order; values of two texts would change places.
absl::StatusOr<PostgresType> FindEventType(PostgresConnection& connection);

// The first trip: locks the planner's rooms in the order of their ids; then looks up, in snapshots
// taken after the locks, the requests' keys and the messages that some of them name; and tells the
// planner what it found.
absl::StatusOr<AppendMoment> LockAndLookUp(PqTransaction& transaction, AppendBatch batch,
                                           AppendPlanner& planner);

// For the second trip: one statement, and further ones if messages, members or rooms change.
// `event_type`: FindEventType's.
void WritePlan(PqTransaction& transaction, const AppendPlan& plan, const AppendMoment& moment,
               PostgresType event_type);

void WriteSettings(PqTransaction& transaction, const RoomId& room, const RoomSettings& settings);

}  // namespace confab::storage
