// small_control.h: a control in memory for schedules: rooms with logs, whose commands are done in an
// order that chance gives, those of a room in theirs; what it says comes in one order.
// Threads: caller serialises.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "confab/v1/edge_link.pb.h"

#include "proto/reason.h"

namespace confab::edge {

inline std::string TopicOfRoom(std::string_view room) { return fmt::format("room:{}", room); }
inline std::string RoomOfTopic(const std::string& topic) { return topic.substr(5); }

class SmallControl {
 public:
  static constexpr int kPageEvents = 3;

  struct Room {
    bool is_member = true;
    std::int64_t first = 1;
    std::int64_t last = 0;
  };

  // Rooms r0 to r5; of the last one the user is no member.
  explicit SmallControl(std::mt19937& random) : random_(random) {
    for (int i = 0; i < 6; ++i) {
      Room& room = rooms[fmt::format("r{}", i)];
      room.is_member = i != 5;
      room.last = Below(5);
    }
  }

  int Below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }
  std::string AnyRoom() { return fmt::format("r{}", Below(static_cast<int>(rooms.size()))); }

  // An event in one of the rooms. The edge gets those of all.
  void Post() {
    const std::string name = AnyRoom();
    v1::Broadcast& broadcast = *to_edge.emplace_back().mutable_broadcast();
    broadcast.add_topics(TopicOfRoom(name));
    v1::Event& event = *broadcast.mutable_event()->mutable_event();
    event.set_room_id(name);
    event.set_seq(++rooms[name].last);
  }

  // Retention takes the beginning of a log.
  void Trim() {
    Room& room = rooms[AnyRoom()];
    room.first = std::max(room.first, room.last - Below(4));
  }

  // Does the oldest command of one of the rooms.
  void Work() {
    if (to_control.empty()) return;
    auto chosen = to_control.begin() + Below(static_cast<int>(to_control.size()));
    const std::string room = RoomOf(*chosen);
    chosen = std::find_if(to_control.begin(), to_control.end(),
                          [&](const v1::Command& command) { return RoomOf(command) == room; });
    const v1::Command command = *chosen;
    to_control.erase(chosen);
    v1::ControlItem item;
    v1::Result& result = *item.mutable_result();
    result.set_request(command.request());
    if (command.has_leave_room()) {
      EndSubscription(command);
      result.mutable_leave_room()->set_room_id(room);
    } else if (!is_helpful && Below(12) == 0) {
      *result.mutable_error() = MakeError(v1::REASON_UNAVAILABLE, "busy");
    } else if (command.has_join_room()) {
      Subscribe(command, result);
    } else {
      ReadPage(command.replay_page(), *result.mutable_history());
    }
    to_edge.push_back(std::move(item));
  }

  std::map<std::string, Room> rooms;
  std::deque<v1::Command> to_control;
  std::deque<v1::ControlItem> to_edge;
  bool is_helpful = false;  // Refuses nothing for now.

 private:
  static std::string RoomOf(const v1::Command& command) {
    if (command.has_join_room()) return command.join_room().room_id();
    if (command.has_leave_room()) return command.leave_room().room_id();
    return command.replay_page().room_id();
  }

  void EndSubscription(const v1::Command& command) {
    const std::string& room = command.leave_room().room_id();
    v1::Unsubscribe& end = *to_edge.emplace_back().mutable_unsubscribe();
    end.set_topic(TopicOfRoom(room));
    end.set_connection(command.connection());
    end.set_end_seq(rooms[room].last);
  }

  void Subscribe(const v1::Command& command, v1::Result& result) {
    const std::string& name = command.join_room().room_id();
    const Room& room = rooms[name];
    if (!room.is_member) {
      *result.mutable_error() = MakeError(v1::REASON_NOT_A_MEMBER, "no");
      return;
    }
    if (command.join_room().after_seq() > room.last) {
      *result.mutable_error() = MakeError(v1::REASON_RESYNC, "from the future");
      return;
    }
    v1::Subscribe& subscribe = *to_edge.emplace_back().mutable_subscribe();
    subscribe.set_connection(command.connection());
    subscribe.set_topic(TopicOfRoom(name));
    subscribe.set_from_seq(room.last);
    result.mutable_join_room()->set_room_id(name);
    result.mutable_join_room()->set_last_seq(room.last);
  }

  void ReadPage(const v1::ReplayPage& page, v1::HistoryPage& history) {
    const Room& room = rooms[page.room_id()];
    std::int64_t seq = std::max(page.after_seq() + 1, room.first);
    for (; seq <= room.last && history.events_size() < kPageEvents; ++seq) {
      v1::Event& event = *history.add_events();
      event.set_room_id(page.room_id());
      event.set_seq(seq);
    }
    history.set_more(seq <= room.last);
  }

  std::mt19937& random_;
};

}  // namespace confab::edge
