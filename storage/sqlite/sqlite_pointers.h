// sqlite_pointers.h: writes read pointers; a part of SqliteWriter.
// Owns: its statements on the writer's connection.   Used by: sqlite_writer.
// Threads: caller serialises.
// Fails: as store.h says.
#pragma once

#include <cstdint>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <absl/types/span.h>

#include "storage/read_pointer.h"
#include "storage/sqlite/sqlite_connection.h"

namespace confab::storage {

class SqlitePointers {
 public:
  explicit SqlitePointers(SqliteConnection& connection) : connection_(connection) {}
  absl::Status Prepare();

  // StoreWriter::MovePointers and RepairPointers.
  absl::StatusOr<std::vector<PointerOutcome>> Move(absl::Span<const PointerMove> moves);
  absl::StatusOr<PointerRepair> Repair(absl::Duration window, const PointerRepair& from,
                                       int32_t rooms);

 private:
  absl::Status MoveOne(const PointerMove& move, int64_t now, PointerOutcome& outcome);
  absl::Status ReadOutcome(const PointerMove& move, PointerOutcome& outcome);
  absl::Status RepairRoom(const RoomId& room, int64_t since, int64_t now);

  SqliteConnection& connection_;
  SqliteStatement room_;
  SqliteStatement move_;
  SqliteStatement position_;
  SqliteStatement newest_event_;
  SqliteStatement next_rooms_;
  SqliteStatement recent_posts_;
};

}  // namespace confab::storage
