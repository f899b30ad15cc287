// audit.h: what is recorded of administrative acts: who, what, where, whom, and how it went; never a
// content, never a token.
// Threads: values.
#pragma once

#include <cstdint>
#include <string>

#include <absl/time/time.h>

#include "storage/records.h"

namespace confab::storage {

// One row of the table audit.
struct AuditRecord {
  int64_t id = 0;  // Given by the store; grows.
  absl::Time at;   // Likewise, the clock of its commit.
  UserId actor;    // Empty: a service asked by itself.
  AuditNote note;
  RoomId room;
  UserId subject;  // Whom it concerns; may be empty.
  std::string result = "OK";
  int64_t seq = 0;  // The event it became; 0: none.
};

// Newest first.
struct AuditQuery {
  int64_t before_id = 0;  // 0: from the newest.
  RoomId room = {};       // Each of these restricts unless it is empty.
  UserId actor = {};
  UserId subject = {};
  int32_t limit = 100;
};

}  // namespace confab::storage
