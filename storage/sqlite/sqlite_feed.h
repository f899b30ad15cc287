// sqlite_feed.h: the feed of a SQLite file and the cursors of its consumers.
// Owns: its statements.   Used by: sqlite_writer, sqlite_reader.
// Threads: caller serialises.
// Fails: as store.h says.
#pragma once

#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "storage/feed.h"
#include "storage/sqlite/sqlite_connection.h"

namespace confab::storage {

class SqliteFeedWriter {
 public:
  absl::Status Prepare(SqliteConnection& connection);
  absl::Status SetCursor(const FeedCursor& cursor);
  absl::Status DeleteCursor(const std::string& consumer);

 private:
  SqliteStatement set_;
  SqliteStatement delete_;
};

class SqliteFeedReader {
 public:
  absl::Status Prepare(SqliteConnection& connection);
  absl::StatusOr<FeedPage> Read(const FeedPosition& after, int32_t limit);
  absl::StatusOr<FeedPosition> ReadEnd();
  absl::StatusOr<std::vector<FeedCursor>> ListCursors();

 private:
  SqliteStatement page_;
  SqliteStatement end_;
  SqliteStatement cursors_;
};

}  // namespace confab::storage
