// append_statements.h: the statements of a batch and how its values travel.
// Values go as arrays, so the number of statements does not depend on the size of the batch.
// Threads: pure; caller serialises.
#pragma once

#include <absl/time/time.h>
#include <absl/types/span.h>

#include "storage/append_plan.h"
#include "storage/postgres/postgres_connection.h"

// The events' column `tx`. A subquery of its own is worked out once a statement; the column's default
// writes and reads a number for every row. Measured by bench_append.
#define CONFAB_THIS_TRANSACTION "(SELECT pg_current_xact_id()::text::bigint)"

namespace confab::storage {

// To be prepared on a connection that the functions below are used with.
absl::Span<const PreparedStatement> AppendStatements();

// Statement 1: locks the planner's rooms in the order of their ids, and tells it what it found.
void LockRooms(PostgresTransaction& transaction, AppendPlanner& planner);

// Statement 2: looks the requests' keys up, in a snapshot taken after the locks. Returns the
// server's clock.
absl::Time LookUpKeys(PostgresTransaction& transaction, AppendBatch batch, AppendPlanner& planner);

// Between 2 and 3, if requests name messages: finds these.
void LookUpTargets(PostgresTransaction& transaction, AppendBatch batch, AppendPlanner& planner);

// Statement 3, and further ones if messages, members or rooms change.
void WritePlan(PostgresTransaction& transaction, const AppendPlan& plan);

void WriteSettings(PostgresTransaction& transaction, const RoomId& room,
                   const RoomSettings& settings);

}  // namespace confab::storage
