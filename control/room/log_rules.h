// log_rules.h: what of the log may be shown to whom: pages cut at the published position, and the
// subscriptions of an edge that was away held against what happened meanwhile.
// Threads: pure.
#pragma once

#include <cstdint>
#include <optional>

#include "control/fanout/shared_page.h"
#include "control/room/content_rules.h"
#include "control/room/room.h"
#include "control/room/room_command.h"
#include "storage/records.h"

namespace confab::control {

// Cuts a page that was read for `query` at `published_seq` (so that no page runs ahead of what
// live subscribers have) and at `end_seq`, the last event its reader may see. A refusal: the log
// does not reach back to the position asked for.
std::optional<Refusal> CutPage(const storage::EventQuery& query, int64_t published_seq,
                               int64_t end_seq, storage::EventPage& page);
std::optional<Refusal> CutPage(const storage::EventQuery& query, int64_t published_seq,
                               int64_t end_seq, SharedPage& page);

// Looks at the announced users: who is no member has `ended`; who changed behind delivered_seq
// is a suspect: only the log can tell whether he was a member at delivered_seq. Starts anew when
// the member list has another version than before. False: a pair must be loaded first.
bool CheckUsers(Room& room, AnnounceRequest& announce);

// Looks for the first membership event of each suspect in the next page of the log: one who was
// added there was no member before, so his subscription has ended. False: more must be read.
bool ScanForSuspects(const storage::EventPage& page, int64_t published_seq,
                     AnnounceRequest& announce);

}  // namespace confab::control
