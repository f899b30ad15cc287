// sqlite_upkeep.h: retention and erasing; a part of SqliteWriter. Each step is one transaction.
// Owns: its statements on the writer's connection.   Used by: sqlite_writer.
// Threads: caller serialises.
// Fails: as store.h says.
#pragma once

#include <cstdint>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "storage/records.h"
#include "storage/sqlite/sqlite_connection.h"
#include "storage/upkeep.h"

namespace confab::storage {

class SqliteUpkeep {
 public:
  explicit SqliteUpkeep(SqliteConnection& connection) : connection_(connection) {}
  absl::Status Prepare();

  // REQUIRES: a transaction is open.
  absl::Status SetRetention(const RoomId& room, const Retention& retention);
  absl::StatusOr<TrimStep> Trim(const RoomId& room, int32_t rows);
  absl::StatusOr<EraseStep> Erase(const RoomId& room, const UserId& user, int64_t after_seq,
                                  int32_t rows);

 private:
  struct RoomRow;
  absl::StatusOr<RoomRow> FindRoom(const RoomId& room);
  // Removes what retention no longer keeps of the next rows; how many that were.
  absl::StatusOr<int64_t> Cut(const RoomId& room, const RoomRow& row, int64_t now, int32_t rows);
  // Removes stubs that are old enough; how many.
  absl::StatusOr<int64_t> DropStubs(const RoomId& room, int64_t now, int32_t rows);

  SqliteConnection& connection_;
  SqliteStatement set_;
  SqliteStatement room_;
  SqliteStatement last_to_cut_;
  SqliteStatement empty_;
  SqliteStatement drop_;
  SqliteStatement advance_;
  SqliteStatement erase_;
};

}  // namespace confab::storage
