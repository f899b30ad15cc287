#include "edge/connection/auto_subscription.h"

#include <initializer_list>
#include <string>

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

v1::Result Rooms(std::initializer_list<const char*> rooms, const std::string& next = "") {
  v1::Result result;
  for (const char* room : rooms) result.mutable_rooms()->add_rooms()->set_id(room);
  result.mutable_rooms()->set_next_page_token(next);
  return result;
}

v1::Result Joined(const std::string& room) {
  v1::Result result;
  result.mutable_join_room()->set_room_id(room);
  return result;
}

// What is asked next: "list TOKEN", "join ROOM", "nothing".
std::string Asked(AutoSubscription& rooms) {
  const std::optional<v1::Command> command = rooms.Next();
  if (!command) return "nothing";
  EXPECT_TRUE(command->is_automatic());
  if (command->has_list_rooms()) return "list " + command->list_rooms().page_token();
  return "join " + command->join_room().room_id();
}

TEST(AutoSubscription, JoinsTheUsersMatchingRoomsOneAfterTheOther) {
  AutoSubscription rooms("game_*");
  EXPECT_EQ(Asked(rooms), "nothing") << "before it was started";
  rooms.Restart();

  EXPECT_EQ(Asked(rooms), "list game") << "rooms come by id: no earlier one matches";
  EXPECT_EQ(Asked(rooms), "nothing") << "the answer is awaited";
  rooms.OnResult(Rooms({"den", "game_1", "game_2"}, "game_2"));
  EXPECT_EQ(Asked(rooms), "join game_1");
  rooms.OnResult(Joined("game_1"));
  EXPECT_EQ(Asked(rooms), "join game_2");
  rooms.OnResult(Joined("game_2"));
  EXPECT_EQ(Asked(rooms), "list game_2");
  rooms.OnResult(Rooms({"gamers"}));
  EXPECT_EQ(Asked(rooms), "nothing");
}

TEST(AutoSubscription, AsksForNothingBehindTheLastThatCanMatch) {
  AutoSubscription rooms("game_*");
  rooms.Restart();
  Asked(rooms);

  rooms.OnResult(Rooms({"game_1", "gamma"}, "gamma"));

  EXPECT_EQ(Asked(rooms), "join game_1");
  rooms.OnResult(Joined("game_1"));
  EXPECT_EQ(Asked(rooms), "nothing");
}

TEST(AutoSubscription, JoinsARoomThatTheUserBecomesAMemberOf) {
  AutoSubscription rooms("game_*");
  rooms.OnMember("den");
  EXPECT_EQ(Asked(rooms), "nothing");

  rooms.OnMember("game_7");
  rooms.OnMember("game_7");

  EXPECT_EQ(Asked(rooms), "join game_7");
  rooms.OnResult(Joined("game_7"));
  EXPECT_EQ(Asked(rooms), "nothing");
}

TEST(AutoSubscription, AsksForOneRoomByItsName) {
  AutoSubscription rooms("lobby");
  rooms.Restart();

  EXPECT_EQ(Asked(rooms), "join lobby");
  rooms.OnRefused(false);

  EXPECT_EQ(Asked(rooms), "nothing") << "who is no member is not asked about again";
}

TEST(AutoSubscription, TriesAgainWhatMaySucceedLater) {
  AutoSubscription rooms("game_*");
  rooms.Restart();
  Asked(rooms);

  rooms.OnRefused(true);
  EXPECT_EQ(Asked(rooms), "list game");
  rooms.OnResult(Rooms({"game_1", "game_2"}));
  Asked(rooms);
  rooms.OnRefused(true);
  EXPECT_EQ(Asked(rooms), "join game_1");
  rooms.OnRefused(false);

  EXPECT_EQ(Asked(rooms), "join game_2");
}

}  // namespace
}  // namespace confab::edge
