// notification_rules.h: what a service may tell, and to whom.
// Threads: pure.
#pragma once

#include <cstddef>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "confab/v1/types.pb.h"

namespace confab::control {

inline constexpr size_t kEventNameBytesLimit = 64;            // As of events from clients.
inline constexpr size_t kNotificationBytesLimit = 32 * 1024;  // DESIGN 7.
// How long an inbox keeps what names no time of its own, and the longest there is.
inline constexpr absl::Duration kNotificationAge = absl::Hours(24 * 30);

// BAD_REQUEST or CONTENT_SIZE, naming the field.
absl::Status CheckNotification(const v1::OutgoingNotification& notification);

}  // namespace confab::control
