#include <algorithm>

#include <absl/time/clock.h>

#include "storage/inbox_plan.h"
#include "storage/restriction.h"
#include "tests/fakes/memory_store.h"

namespace confab::storage {
namespace {

void ClearContent(NewEvent& event) {
  event.content.clear();
  event.body.clear();
  event.mentions.clear();
}

}  // namespace

void MemoryDatabase::CopyContent(const NewEvent& from, NewEvent& to) {
  to.content = from.content;
  to.body = from.body;
  to.mentions = from.mentions;
}

std::tuple<std::string, char, std::string> MemoryDatabase::KeyOf(const NewEvent& event) {
  return {event.actor.id.value, static_cast<char>(event.dedup.space), event.dedup.key};
}

EventRecord* MemoryDatabase::Room::FindEvent(int64_t seq) {
  const auto at = std::lower_bound(events.begin(), events.end(), seq,
                                   [](const EventRecord& e, int64_t s) { return e.seq < s; });
  return at == events.end() || at->seq != seq ? nullptr : &*at;
}

const EventRecord* MemoryDatabase::Room::FindMessage(const std::string& message_id) const {
  const auto at = std::find_if(events.begin(), events.end(), [&](const EventRecord& candidate) {
    return candidate.event.kind == EventKind::kMessagePosted &&
           candidate.event.message_id == message_id;
  });
  return at == events.end() ? nullptr : &*at;
}

LockedRoom MemoryDatabase::Room::Locked() const {
  return {record.last_seq, record.member_seq, last_at, ordinal, first_seq};
}

bool MemoryDatabase::Room::MovePointer(const UserId& user, int64_t seq) {
  int64_t& pointer = pointers[user];
  if (pointer >= std::min(seq, record.last_seq)) return false;
  pointer = std::min(seq, record.last_seq);
  return true;
}

ReadPosition MemoryDatabase::Room::PositionAt(int64_t seq) const {
  const auto unread = std::count_if(events.begin(), events.end(), [&](const EventRecord& event) {
    return event.seq > seq && event.seq >= first_seq && !event.marks.is_deleted &&
           event.event.kind == EventKind::kMessagePosted;
  });
  return {std::min(seq, record.last_seq), unread};
}

// Keeps stubs for ever: nobody reads them.
TrimStep MemoryDatabase::Room::Trim(absl::Time now, int32_t rows) {
  int64_t messages = 0;
  for (const EventRecord& event : events) {
    if (event.seq >= first_seq && event.event.kind == EventKind::kMessagePosted) ++messages;
  }
  TrimStep step;
  while (step.rows < rows) {
    EventRecord* event = FindEvent(first_seq);
    if (event == nullptr) return step;
    const bool is_message = event->event.kind == EventKind::kMessagePosted;
    const bool is_old =
        retention.max_age > absl::ZeroDuration() && event->created_at < now - retention.max_age;
    // What stands before the oldest message that is kept goes with the others.
    const bool is_surplus =
        retention.max_messages > 0 && messages - (is_message ? 1 : 0) >= retention.max_messages;
    if (!is_old && !is_surplus) return step;
    ClearContent(event->event);
    event->event.actor.name.clear();
    event->event.actor.email.clear();
    if (is_message) --messages;
    ++first_seq;
    ++step.rows;
  }
  step.is_done = false;
  return step;
}

EraseStep MemoryDatabase::Room::Erase(const UserId& user, int64_t after_seq, int32_t rows) {
  EraseStep step{0, std::min(after_seq + rows, record.last_seq),
                 after_seq + rows >= record.last_seq};
  for (EventRecord& event : events) {
    if (event.seq <= after_seq || event.seq > step.next_seq) continue;
    if (event.event.actor.id != user) continue;
    event.event.actor.name.clear();
    event.event.actor.email.clear();
    if (event.event.kind != EventKind::kMessagePosted) continue;
    ClearContent(event.event);
    event.marks.is_deleted = true;
    ++step.messages;
  }
  return step;
}

int64_t MemoryDatabase::Room::CountMembers() const {
  return std::count_if(members.begin(), members.end(),
                       [](const auto& entry) { return entry.second.role != Role::kNone; });
}

MemoryDatabase::Room* MemoryDatabase::Find(const RoomId& id) {
  const auto it = rooms_.find(id);
  return it == rooms_.end() || it->second.is_deleted ? nullptr : &it->second;
}

absl::Status MemoryDatabase::Apply(const AppendPlan& plan) {
  for (const PlannedEvent& planned : plan.events) {
    if (rooms_.at(*planned.room).keys.contains(KeyOf(*planned.event))) {
      return absl::InvalidArgumentError("a dedup key is taken");
    }
  }
  for (const PlannedEvent& planned : plan.events) {
    Room& room = rooms_.at(*planned.room);
    room.keys.emplace(KeyOf(*planned.event), room.events.size());
    EventRecord& record = room.events.emplace_back(
        EventRecord{*planned.room, planned.seq, planned.created_at, *planned.event});
    record.event.target_seq = planned.target_seq;
    if (record.event.kind == EventKind::kMessageEdited) ClearContent(record.event);
    feed_.push_back({static_cast<int64_t>(feed_.size()) + 1, *planned.room, planned.seq});
  }
  for (const PlannedTarget& planned : plan.targets) {
    EventRecord& record = *rooms_.at(*planned.room).FindEvent(planned.seq);
    ClearContent(record.event);
    if (planned.edited_seq > 0) record.marks.edited_seq = planned.edited_seq;
    record.marks.is_deleted = planned.deleted_seq > 0;
    if (!record.marks.is_deleted) CopyContent(*planned.event, record.event);
  }
  for (const PlannedRoom& planned : plan.rooms) {
    Room& room = rooms_.at(*planned.id);
    room.record.last_seq = planned.after.last_seq;
    room.record.member_seq = planned.after.member_seq;
    room.last_at = planned.after.last_at;
    room.ordinal = planned.after.ordinal;
    if (planned.settings) static_cast<RoomSettings&>(room.record) = *planned.settings;
  }
  for (const PlannedMember& planned : plan.members) {
    MemberRecord& member = rooms_.at(*planned.room).members[*planned.user];
    member.user = *planned.user;
    if (planned.changed_seq > 0) {
      member.role = planned.role;
      member.changed_seq = planned.changed_seq;
      member.changed_at = planned.changed_at;
    }
    if (planned.banned_until != PlannedMember::kStays) {
      member.banned_until = RestrictionEnd(planned.banned_until);
    }
    if (planned.muted_until != PlannedMember::kStays) {
      member.muted_until = RestrictionEnd(planned.muted_until);
    }
    if (planned.joined_seq > 0) {
      rooms_.at(*planned.room).MovePointer(*planned.user, planned.joined_seq);
    }
  }
  if (!plan.audits.empty()) Record(plan.audits, plan.audits.front().at);
  return absl::OkStatus();
}

std::vector<InboxOutcome> MemoryDatabase::Write(absl::Span<const InboxWrite> batch) {
  InboxPlanner planner(batch);
  for (const UserId* user : planner.users()) planner.SetHead(*user, inboxes_[*user].head);
  for (size_t i = 0; i < batch.size(); ++i) {
    if (!batch[i].notification) continue;
    const auto& keys = inboxes_[batch[i].user].keys;
    const auto key = keys.find(batch[i].notification->dedup_key);
    if (key == keys.end()) continue;
    const bool is_old = key->second.created_at < batch[i].notification->created_at - kInboxKeyAge;
    if (!is_old) planner.SetStored(i, key->second);
  }
  for (const UserId* user : planner.Crowded()) {
    auto& entries = inboxes_[*user].entries;
    std::erase_if(entries,
                  [&](const auto& entry) { return entry.second.expires_at <= planner.now(); });
    std::vector<int64_t> seqs;
    for (const auto& [seq, notification] : entries) seqs.push_back(seq);
    planner.SetWaiting(*user, std::move(seqs));
  }
  InboxPlan plan = planner.Plan();
  for (const InboxPlan::Row& row : plan.rows) {
    Inbox& inbox = inboxes_[*row.user];
    inbox.entries.emplace(row.seq, *row.notification);
    if (row.notification->dedup_key.empty()) continue;
    InboxOutcome& first = inbox.keys[row.notification->dedup_key];
    first.seq = row.seq;
    first.notification_id = row.notification->notification_id;
    first.created_at = row.notification->created_at;
  }
  for (const InboxPlan::Head& head : plan.heads) {
    Inbox& inbox = inboxes_[*head.user];
    inbox.head = head.after;
    inbox.entries.erase(inbox.entries.begin(), inbox.entries.upper_bound(head.after.acked_seq));
  }
  for (auto& [user, inbox] : inboxes_) {
    std::erase_if(inbox.keys, [&](const auto& entry) {
      return entry.second.created_at < plan.now - kInboxKeyAge;
    });
    std::erase_if(inbox.entries,
                  [&](const auto& entry) { return entry.second.expires_at <= plan.now; });
  }
  return std::move(plan.outcomes);
}

void MemoryDatabase::Record(absl::Span<const AuditRecord> records, absl::Time now) {
  for (const AuditRecord& record : records) {
    audit_.push_back(record);
    audit_.back().id = static_cast<int64_t>(audit_.size());
    audit_.back().at = now;
  }
}

}  // namespace confab::storage
