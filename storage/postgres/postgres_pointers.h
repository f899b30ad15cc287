// postgres_pointers.h: writes read pointers; what PostgresWriter does with them.
// Threads: pure; caller serialises.
#pragma once

#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <absl/types/span.h>

#include "storage/postgres/postgres_connection.h"
#include "storage/read_pointer.h"

namespace confab::storage {

// To be prepared, beside AppendStatements, on a connection that the functions below are used with.
absl::Span<const PreparedStatement> PointerStatements();

// StoreWriter::MovePointers within a transaction. REQUIRES: CheckMoves(moves) is OK.
std::vector<PointerOutcome> MovePointers(PostgresTransaction& transaction,
                                         absl::Span<const PointerMove> moves);

// StoreWriter::RepairPointers.
absl::StatusOr<PointerRepair> RepairPointers(PostgresConnection& connection, absl::Duration window,
                                             const PointerRepair& from, int32_t rooms);

}  // namespace confab::storage
