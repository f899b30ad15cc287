#include "control/dispatch/edge_reads.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "control/dispatch/dispatcher.h"
#include "control/dispatch/edge_answer.h"
#include "control/dispatch/presence_calls.h"
#include "control/presence/presence_rounds.h"
#include "control/room/content_rules.h"
#include "control/room/event_message.h"
#include "control/status_reason.h"

namespace confab::control {

using storage::MemberRecord;
using storage::MembershipRecord;
using storage::RoomId;
using storage::UserId;

namespace {

constexpr uint32_t kPageDefault = 100;
constexpr uint32_t kPageLimit = 500;  // As for pages of history: at most some 220 KB.

size_t PageSize(uint32_t asked) { return std::min(asked == 0 ? kPageDefault : asked, kPageLimit); }

// `records` holds one more than the page if there are more.
template <typename Record, typename Add>
bool FillPage(const std::vector<Record>& records, size_t size, Add add) {
  for (size_t i = 0; i < std::min(size, records.size()); ++i) add(ToMessage(records[i]));
  return records.size() > size;
}

void GetRoom(Dispatcher& dispatcher, const std::shared_ptr<Attachment>& edge,
             const EdgeCommand& asked) {
  dispatcher.GetRoom(RoomId(asked.command.get_room().room_id()), asked.actor->id,
                     Answer<RoomWithCount>(
                         edge, asked.command, [](const RoomWithCount& found, v1::Result& result) {
                           *result.mutable_room() = ToMessage(found.room);
                           result.mutable_room()->set_member_count(found.member_count);
                         }));
}

void ListRooms(Dispatcher& dispatcher, const std::shared_ptr<Attachment>& edge,
               const EdgeCommand& asked) {
  const v1::ListRooms& list = asked.command.list_rooms();
  const size_t size = PageSize(list.page_size());
  dispatcher.ListMemberships(
      asked.actor->id, RoomId(list.page_token()), static_cast<int32_t>(size + 1),
      Answer<std::vector<MembershipRecord>>(
          edge, asked.command,
          [size](const std::vector<MembershipRecord>& rooms, v1::Result& result) {
            v1::RoomPage& page = *result.mutable_rooms();
            const bool has_more =
                FillPage(rooms, size, [&](v1::Room room) { *page.add_rooms() = std::move(room); });
            if (has_more) page.set_next_page_token(rooms[size - 1].room.id.value);
          }));
}

void ListMembers(Dispatcher& dispatcher, const std::shared_ptr<Attachment>& edge,
                 const EdgeCommand& asked) {
  const v1::ListMembers& list = asked.command.list_members();
  const size_t size = PageSize(list.page_size());
  dispatcher.ListMembers(
      RoomId(list.room_id()),
      list.is_of_banned() ? storage::MemberFilter::kBanned : storage::MemberFilter::kMembers,
      asked.actor->id, UserId(list.page_token()), static_cast<int32_t>(size + 1),
      Answer<std::vector<MemberRecord>>(
          edge, asked.command,
          [size, room = list.room_id()](const std::vector<MemberRecord>& members,
                                        v1::Result& result) {
            v1::MemberPage& page = *result.mutable_members();
            page.set_room_id(room);
            const bool has_more = FillPage(
                members, size, [&](v1::Member member) { *page.add_members() = std::move(member); });
            if (has_more) page.set_next_page_token(members[size - 1].user.value);
          }));
}

void GetPresence(Dispatcher& dispatcher, const std::shared_ptr<Attachment>& edge,
                 const EdgeCommand& asked) {
  const v1::GetPresence& list = asked.command.get_presence();
  PresenceCalls(dispatcher)
      .List(RoomId(list.room_id()), asked.actor->id, UserId(list.page_token()),
            PageSize(list.page_size()),
            Answer<RoomLook>(edge, asked.command,
                             [room = list.room_id()](const RoomLook& look, v1::Result& result) {
                               v1::PresencePage& page = *result.mutable_presence();
                               page.set_room_id(room);
                               page.set_online_count(look.online_count);
                               page.set_member_count(look.member_count);
                               for (const SharedView& view : look.online) {
                                 *page.add_users() = ToMessage(*view);
                                 page.add_user_ids(view->user.value);
                               }
                               if (look.has_more)
                                 page.set_next_page_token(page.user_ids().rbegin()[0]);
                             }));
}

}  // namespace

bool AnswerRead(Dispatcher& dispatcher, const std::shared_ptr<Attachment>& edge,
                const EdgeCommand& asked) {
  const v1::Command& command = asked.command;
  if (!command.has_get_room() && !command.has_list_rooms() && !command.has_list_members() &&
      !command.has_get_presence()) {
    return false;
  }
  // An empty id would be the system.
  if (auto refusal = CheckId(asked.actor->id.value, "the user's id")) {
    Answer<RoomWithCount>(edge, command, [](const RoomWithCount&, v1::Result&) {})(
        RefusalStatus(refusal->reason, refusal->message));
  } else if (command.has_get_room()) {
    GetRoom(dispatcher, edge, asked);
  } else if (command.has_list_rooms()) {
    ListRooms(dispatcher, edge, asked);
  } else if (command.has_get_presence()) {
    GetPresence(dispatcher, edge, asked);
  } else {
    ListMembers(dispatcher, edge, asked);
  }
  return true;
}

}  // namespace confab::control
