// feed_page.h: a page of the feed as services get it, and positions as they give them back.
// Threads: pure; ReadFeedPage blocks on the store (a reader thread).
#pragma once

#include <string>
#include <string_view>

#include <absl/status/statusor.h>

#include "confab/v1/event_feed_service.pb.h"

#include "storage/feed.h"
#include "storage/store.h"

namespace confab::control {

// Opaque to callers: "<number>/<seq>/<room>".
std::string ToText(const storage::FeedPosition& position);
// BAD_REQUEST for what was not made by ToText. Empty: the beginning.
absl::StatusOr<storage::FeedPosition> FeedPositionOf(std::string_view text);

// Events behind `after`, at most 500 or 1 MiB of content. What has gone meanwhile is left out, so a
// page may be empty without being the last.
absl::StatusOr<v1::ReadFeedResponse> ReadFeedPage(storage::Store& store,
                                                  const storage::FeedPosition& after);

}  // namespace confab::control
