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

inline bool IsForward(const EventQuery& query) { return query.after_seq >= 0; }

// The seq behind the newest event that a backward page may hold.
inline int64_t BackwardBound(const EventQuery& query, int64_t last_seq) {
  return query.before_seq < 0 ? last_seq + 1 : std::min(query.before_seq, last_seq + 1);
}

// Whether further events lie in the direction read, behind the page's events.
inline bool HasMore(const EventQuery& query, const EventPage& page, const LogBounds& log) {
  if (IsForward(query)) {
    return (page.events.empty() ? query.after_seq : page.events.back().seq) < log.last_seq;
  }
  const int64_t reached =
      page.events.empty() ? BackwardBound(query, log.last_seq) : page.events.front().seq;
  return reached > log.first_seq;
}

}  // namespace confab::storage
