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

v1::Error Refusal(v1::Reason reason, bool is_retryable = false) {
  v1::Error error;
  error.set_reason(reason);
  error.set_retryable(is_retryable);
  return error;
}

// What is asked next: "list TOKEN", "join ROOM", "join ROOM behind SEQ", "nothing".
std::string Asked(AutoSubscription& rooms) {
  const std::optional<v1::Command> command = rooms.Next();
  if (!command) return "nothing";
  EXPECT_TRUE(command->is_automatic());
  if (command->has_list_rooms()) return "list " + command->list_rooms().page_token();
  const v1::JoinRoom& join = command->join_room();
  if (!join.has_after_seq()) return "join " + join.room_id();
  return "join " + join.room_id() + " behind " + std::to_string(join.after_seq());
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
  rooms.OnMember("den", 3);
  EXPECT_EQ(Asked(rooms), "nothing");

  rooms.OnMember("game_7", 5);
  rooms.OnMember("game_7", 9);

  EXPECT_EQ(Asked(rooms), "join game_7 behind 4") << "it starts with what made him a member";
  rooms.OnResult(Joined("game_7"));
  EXPECT_EQ(Asked(rooms), "nothing");
}

TEST(AutoSubscription, JoinsFromNowOnWhereTheBeginningIsGoneAlready) {
  AutoSubscription rooms("game_*");
  rooms.OnMember("game_7", 5);
  EXPECT_EQ(Asked(rooms), "join game_7 behind 4");

  rooms.OnRefused(Refusal(v1::REASON_RESYNC));
  EXPECT_EQ(Asked(rooms), "join game_7");
  rooms.OnRefused(Refusal(v1::REASON_RESYNC));

  EXPECT_EQ(Asked(rooms), "nothing") << "once";
}

TEST(AutoSubscription, AsksForOneRoomByItsName) {
  AutoSubscription rooms("lobby");
  rooms.Restart();

  EXPECT_EQ(Asked(rooms), "join lobby");
  rooms.OnRefused(Refusal(v1::REASON_NOT_A_MEMBER));

  EXPECT_EQ(Asked(rooms), "nothing") << "who is no member is not asked about again";
}

TEST(AutoSubscription, TriesAgainWhatMaySucceedLater) {
  AutoSubscription rooms("game_*");
  rooms.Restart();
  Asked(rooms);

  rooms.OnRefused(Refusal(v1::REASON_UNAVAILABLE, true));
  EXPECT_EQ(Asked(rooms), "list game");
  rooms.OnResult(Rooms({"game_1", "game_2"}));
  Asked(rooms);
  rooms.OnRefused(Refusal(v1::REASON_UNAVAILABLE, true));
  EXPECT_EQ(Asked(rooms), "join game_1");
  rooms.OnRefused(Refusal(v1::REASON_NOT_A_MEMBER));

  EXPECT_EQ(Asked(rooms), "join game_2");
}

}  // namespace
}  // namespace confab::edge
