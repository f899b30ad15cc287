// audit_statements.h: the table audit: rows in, pages out.
// Threads: caller serialises, as the connection asks.
#pragma once

#include <vector>

#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include "storage/audit.h"
#include "storage/postgres/postgres_connection.h"
#include "storage/postgres/pq_transaction.h"

namespace confab::storage {

// To be prepared by who writes, and by who reads.
absl::Span<const PreparedStatement> AuditWriteStatements();
absl::Span<const PreparedStatement> AuditReadStatements();

// May throw what libpqxx throws.
void WriteAuditRecords(PostgresTransaction& transaction, absl::Span<const AuditRecord> records);
// For the trip to come.
void WriteAuditRecords(PqTransaction& transaction, absl::Span<const AuditRecord> records);

absl::StatusOr<std::vector<AuditRecord>> ListAuditRecords(PostgresConnection& connection,
                                                          const AuditQuery& query);

}  // namespace confab::storage
