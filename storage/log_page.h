// log_page.h: where a page of a room's log ends.
#pragma once

#include <algorithm>
#include <cstdint>

#include "storage/records.h"

namespace confab::storage {

// The seqs a room's log holds: first_seq to last_seq, none if first_seq > last_seq.
struct LogBounds {
  int64_t first_seq = 1;
  int64_t last_seq = 0;
};

inline bool IsForward(const EventQuery& query) {
  return query.after_seq >= 0 || query.since.has_value();
}

// The time that the query is bounded by; nullptr: none.
inline const absl::Time* TimeBound(const EventQuery& query) {
  if (query.since) return &*query.since;
  return query.until ? &*query.until : nullptr;
}

// The same query by seq. `seq` is that of the first event of the bound's time or later, or the one
// behind the newest.
inline EventQuery BoundBySeq(EventQuery query, int64_t seq) {
  if (query.since) {
    query.after_seq = seq - 1;
  } else {
    query.before_seq = seq;
  }
  query.since.reset();
  query.until.reset();
  return query;
}

// The seq behind the newest event that a backward page may hold.
inline int64_t BackwardBound(const EventQuery& query, int64_t last_seq) {
  return query.before_seq < 0 ? last_seq + 1 : std::min(query.before_seq, last_seq + 1);
}

// Whether further events lie in the direction read, behind the page's events.
inline bool HasMore(const EventQuery& query, const EventPage& page, const LogBounds& log) {
  if (IsForward(query)) {
    // What lies before the log's beginning is gone.
    const int64_t reached =
        page.events.empty() ? std::max(query.after_seq, log.first_seq - 1) : page.events.back().seq;
    return reached < log.last_seq;
  }
  const int64_t reached =
      page.events.empty() ? BackwardBound(query, log.last_seq) : page.events.front().seq;
  return reached > log.first_seq;
}

}  // namespace confab::storage
