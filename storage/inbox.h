// inbox.h: what waits for a user, as plain values: one inbox a user, its entries numbered 1, 2, 3 …
// Threads: immutable values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <absl/time/time.h>

#include "storage/records.h"

namespace confab::storage {

// What one user can have waiting: beyond it the oldest goes. A page of 32 KiB each is 32 MB.
inline constexpr int64_t kInboxLimit = 1000;
// How long a key is known behind its notification's creation, acknowledged or not; also where
// nothing has removed it yet.
inline constexpr absl::Duration kInboxKeyAge = absl::Hours(24);
// Expired entries and old keys removed by one batch of writes: less than its own work.
inline constexpr int64_t kInboxTidyRows = 200;

struct NewNotification {
  std::string notification_id;
  std::string event;
  std::string payload;  // JSON text, or any bytes if is_binary.
  bool is_binary = false;
  absl::Time created_at;
  absl::Time expires_at;  // Behind it nobody reads it, and it may be removed.
  // Makes a retry recognisable, within the user's inbox; at most 300 bytes, empty: nothing does.
  std::string dedup_key;
};

// One change of one inbox: an entry more, or an acknowledgement.
struct InboxWrite {
  UserId user;
  std::optional<NewNotification> notification;
  int64_t ack_seq = 0;  // Without a notification: everything up to here is removed.
};

struct InboxOutcome {
  bool is_duplicate = false;  // The key was known: what follows is of the first time.
  bool is_oldest_dropped = false;
  int64_t seq = 0;  // Of the notification.
  std::string notification_id;
  absl::Time created_at;
  int64_t acked_seq = 0;  // Of the inbox, afterwards.
};

// How far an inbox has come. Entries behind acked_seq wait; {0, 0} if there never was one.
struct InboxHead {
  int64_t acked_seq = 0;
  int64_t last_seq = 0;
  friend bool operator==(const InboxHead&, const InboxHead&) = default;
};

struct InboxEntry {
  int64_t seq = 0;
  NewNotification notification;  // Without its key.
};

struct InboxQuery {
  UserId user;
  int64_t after_seq = 0;
  absl::Time now;  // What has expired by then is left out.
  int32_t limit = 100;
  int32_t bytes_limit = 256 * 1024;  // Of payload; a page holds at least one entry.
};

struct InboxPage {
  std::vector<InboxEntry> entries;  // Ascending seq.
  int64_t through_seq = 0;  // Everything up to here stands in the page, was before it, or is gone.
  bool more = false;        // Entries may follow behind through_seq.
};

}  // namespace confab::storage
