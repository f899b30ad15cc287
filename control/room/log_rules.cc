#include "control/room/log_rules.h"

#include <algorithm>
#include <string>

#include "storage/log_page.h"

namespace confab::control {

using storage::EventKind;
using storage::EventPage;
using storage::EventRecord;

namespace {

// Of mutes it cannot be told whether the user is a member.
bool ShowsMembership(EventKind kind) {
  return ChangesRules(kind) && kind != EventKind::kRoomUpdated && kind != EventKind::kMemberMuted &&
         kind != EventKind::kMemberUnmuted;
}

// Before the event.
bool WasMember(const storage::NewEvent& event) {
  if (event.kind == EventKind::kMemberBanned) return event.role != storage::Role::kNone;
  return event.kind == EventKind::kMemberRemoved || event.kind == EventKind::kMemberRoleChanged;
}

int64_t SeqOf(const EventRecord& event) { return event.seq; }
int64_t SeqOf(const SharedEvent& event) { return event.seq(); }

template <typename Page>
std::optional<Refusal> Cut(const storage::EventQuery& query, int64_t published_seq, int64_t end_seq,
                           Page& page) {
  const bool is_forward = storage::IsForward(query);
  const int64_t first = page.events.empty() ? page.last_seq + 1 : SeqOf(page.events.front());
  // Behind 0 means from the beginning, wherever that is.
  if (query.after_seq > 0 && first > query.after_seq + 1) {
    return Refusal{v1::REASON_RESYNC, "the log does not reach back to this position"};
  }
  const int64_t last = std::min(end_seq, published_seq);
  while (!page.events.empty() && SeqOf(page.events.back()) > last) {
    page.events.pop_back();
    if (is_forward) page.more = false;
  }
  if (is_forward && !page.events.empty() && SeqOf(page.events.back()) >= last) page.more = false;
  page.last_seq = std::min(page.last_seq, published_seq);
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> CutPage(const storage::EventQuery& query, int64_t published_seq,
                               int64_t end_seq, EventPage& page) {
  return Cut(query, published_seq, end_seq, page);
}

std::optional<Refusal> CutPage(const storage::EventQuery& query, int64_t published_seq,
                               int64_t end_seq, SharedPage& page) {
  return Cut(query, published_seq, end_seq, page);
}

bool CheckUsers(Room& room, AnnounceRequest& announce) {
  if (announce.version != room.member_seq()) {
    announce.version = room.member_seq();
    announce.checked = 0;
    announce.ended.clear();
    announce.suspects.clear();
    announce.scanned_seq = announce.delivered_seq;
  }
  for (; announce.checked < announce.users.size(); ++announce.checked) {
    const storage::UserId& user = announce.users[announce.checked];
    const Membership* membership = room.Find(user);
    if (membership == nullptr) return false;
    if (membership->changed_seq > announce.delivered_seq) {
      announce.suspects.push_back(user);
    } else if (membership->role == storage::Role::kNone) {
      announce.ended.emplace_back(user, membership->changed_seq);
    }
  }
  return true;
}

bool ScanForSuspects(const EventPage& page, int64_t published_seq, AnnounceRequest& announce) {
  for (const EventRecord& record : page.events) {
    if (record.seq > published_seq) break;
    announce.scanned_seq = record.seq;
    if (!ShowsMembership(record.event.kind)) continue;
    const auto suspect =
        std::find(announce.suspects.begin(), announce.suspects.end(), record.event.subject);
    if (suspect == announce.suspects.end()) continue;
    // His membership ended at or before delivered_seq, nobody knows where any more: nothing
    // that a replay has not shown yet is his.
    if (!WasMember(record.event)) announce.ended.emplace_back(*suspect, 0);
    announce.suspects.erase(suspect);
  }
  if (page.events.empty() || announce.scanned_seq >= published_seq) announce.suspects.clear();
  return announce.suspects.empty();
}

}  // namespace confab::control
