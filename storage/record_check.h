// record_check.h: refuses what no backend could keep, before a database sees it.
// Threads: pure functions; any thread.
#pragma once

#include <cstddef>
#include <string_view>

#include <absl/status/status.h>
#include <absl/types/span.h>

#include "storage/append_batch.h"
#include "storage/audit.h"
#include "storage/read_pointer.h"
#include "storage/records.h"

namespace confab::storage {

// Room and user ids are index keys; PostgreSQL cannot index a row above 2.7 KB.
inline constexpr size_t kIdBytesLimit = 128;
inline constexpr size_t kDedupKeyBytesLimit = 300;
// One transaction; bounds the time a room's lock is held and the memory of one statement.
inline constexpr size_t kBatchEventsLimit = 4096;
// One CreateRoom is one transaction too.
inline constexpr size_t kNewRoomMembersLimit = 4096;
// One statement; refused acts that gathered while the last batch was written.
inline constexpr size_t kAuditBatchLimit = 1024;

// Valid UTF-8 without U+0000: what a text column of every backend takes.
bool IsStorableText(std::string_view text);

// INVALID_ARGUMENT with the field's name unless the id is 1 to 128 bytes of storable text.
absl::Status CheckId(std::string_view id, std::string_view field);

// INVALID_ARGUMENT if any request could not be stored whatever the database holds.
absl::Status CheckBatch(AppendBatch batch);
absl::Status CheckMoves(absl::Span<const PointerMove> moves);
absl::Status CheckNewRoom(const NewRoom& room);
absl::Status CheckAudit(absl::Span<const AuditRecord> records);

}  // namespace confab::storage
