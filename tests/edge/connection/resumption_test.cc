#include "edge/connection/resumption.h"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "proto/reason.h"

namespace confab::edge {
namespace {

using SteadyTime = Resumption::SteadyTime;

v1::Command Resume(const std::map<std::string, std::int64_t>& rooms) {
  v1::Command command;
  command.mutable_resume();
  for (const auto& [room, seq] : rooms) (*command.mutable_resume()->mutable_rooms())[room] = seq;
  return command;
}

v1::Result Joined(const std::string& room, std::int64_t last_seq) {
  v1::Result result;
  result.mutable_join_room()->set_room_id(room);
  result.mutable_join_room()->set_last_seq(last_seq);
  return result;
}

v1::Result Refused(v1::Reason reason) {
  v1::Result result;
  *result.mutable_error() = MakeError(reason, "no");
  return result;
}

class ResumptionTest : public testing::Test {
 protected:
  // "ROOM behind SEQ", or "nothing".
  static std::string Asked(Resumption& rooms) {
    const std::optional<v1::Command> command = rooms.Next();
    if (!command) return "nothing";
    EXPECT_TRUE(command->is_automatic()) << "it makes nobody a member";
    return command->join_room().room_id() + " behind " +
           std::to_string(command->join_room().after_seq());
  }

  // "ROOM ok SEQ" or "ROOM REASON", each.
  static std::string Answer(Resumption& rooms) {
    std::string text;
    const v1::Result answer = rooms.TakeAnswer();
    for (const v1::ResumedRoom& room : answer.resume().rooms()) {
      text += text.empty() ? "" : ", ";
      text += room.room_id() + " ";
      text += room.has_joined() ? "ok " + std::to_string(room.joined().last_seq())
                                : std::string(TraitsOf(room.error().reason()).word);
    }
    return text;
  }

  const SteadyTime start_{std::chrono::hours(1)};
};

TEST_F(ResumptionTest, AsksForEachRoomOnceAndTellsWhatBecameOfIt) {
  Resumption rooms(Resume({{"a", 3}, {"b", 0}, {"c", 9}}), 5, start_);
  EXPECT_EQ(rooms.reply_id(), 5u);
  EXPECT_EQ(Asked(rooms), "a behind 3");
  EXPECT_EQ(Asked(rooms), "b behind 0");
  EXPECT_EQ(Asked(rooms), "c behind 9");
  EXPECT_EQ(Asked(rooms), "nothing");

  EXPECT_TRUE(rooms.OnResult("b", Refused(v1::REASON_NOT_A_MEMBER), start_));
  EXPECT_FALSE(rooms.OnResult("a", Joined("a", 7), start_)) << "no refusal";
  EXPECT_FALSE(rooms.IsDone());
  EXPECT_TRUE(rooms.OnResult("c", Refused(v1::REASON_RESYNC), start_));

  EXPECT_TRUE(rooms.IsDone());
  EXPECT_EQ(Answer(rooms), "b NOT_A_MEMBER, a ok 7, c RESYNC");
}

TEST_F(ResumptionTest, IsDoneAtOnceWithoutRooms) {
  Resumption rooms(Resume({}), 5, start_);

  EXPECT_TRUE(rooms.IsDone());
  EXPECT_TRUE(rooms.TakeAnswer().has_resume());
}

TEST_F(ResumptionTest, AsksForSoManyAtOnce) {
  std::map<std::string, std::int64_t> many;
  for (int i = 0; i < 30; ++i) many["r" + std::to_string(i)] = i;
  Resumption rooms(Resume(many), 5, start_);

  for (std::size_t i = 0; i < Resumption::kAtOnce; ++i) EXPECT_NE(Asked(rooms), "nothing");
  EXPECT_EQ(Asked(rooms), "nothing");
  rooms.OnResult("r0", Joined("r0", 1), start_);
  EXPECT_NE(Asked(rooms), "nothing");
  EXPECT_EQ(Asked(rooms), "nothing");
}

TEST_F(ResumptionTest, GivesAgainWhatCouldNotBeAsked) {
  Resumption rooms(Resume({{"a", 3}, {"b", 0}}), 5, start_);
  Asked(rooms);

  rooms.OnNotAsked("a");

  EXPECT_EQ(Asked(rooms), "a behind 3");
  EXPECT_EQ(Asked(rooms), "b behind 0");
}

TEST_F(ResumptionTest, TriesAgainWhatMaySucceedLaterButNotForEver) {
  Resumption rooms(Resume({{"a", 3}}), 5, start_);
  for (const auto after : {std::chrono::seconds(0), Resumption::kPatience / 2}) {
    EXPECT_EQ(Asked(rooms), "a behind 3");
    EXPECT_FALSE(rooms.OnResult("a", Refused(v1::REASON_UNAVAILABLE), start_ + after));
    EXPECT_FALSE(rooms.IsDone());
  }
  EXPECT_EQ(Asked(rooms), "a behind 3");

  EXPECT_TRUE(rooms.OnResult("a", Refused(v1::REASON_UNAVAILABLE), start_ + Resumption::kPatience));
  EXPECT_EQ(Answer(rooms), "a UNAVAILABLE");
}

TEST_F(ResumptionTest, JoinsNoRoomThatTheClientLeavesMeanwhile) {
  Resumption rooms(Resume({{"a", 3}, {"b", 4}, {"c", 5}}), 5, start_);
  Asked(rooms);
  Asked(rooms);

  rooms.OnLeft("a");
  rooms.OnLeft("c");
  rooms.OnLeft("unknown");

  EXPECT_EQ(Asked(rooms), "nothing");
  EXPECT_FALSE(rooms.OnResult("a", Refused(v1::REASON_UNAVAILABLE), start_)) << "no news";
  EXPECT_EQ(Asked(rooms), "nothing") << "not once more";
  rooms.OnResult("b", Joined("b", 4), start_);
  EXPECT_TRUE(rooms.IsDone());
  EXPECT_EQ(Answer(rooms), "c BAD_REQUEST, a BAD_REQUEST, b ok 4");
}

TEST_F(ResumptionTest, RefusesWhatIsNotDecidedWhenItIsGivenUp) {
  Resumption rooms(Resume({{"a", 3}, {"b", 4}}), 5, start_);
  Asked(rooms);

  rooms.GiveUp(MakeError(v1::REASON_UNAVAILABLE, "no"));

  EXPECT_TRUE(rooms.IsDone());
  EXPECT_FALSE(rooms.OnResult("a", Joined("a", 7), start_)) << "too late";
  EXPECT_EQ(Answer(rooms), "a UNAVAILABLE, b UNAVAILABLE");
}

TEST_F(ResumptionTest, KnowsWhatTheClientHasOfRoomsThatAreNotDecided) {
  Resumption rooms(Resume({{"a", 3}, {"b", 4}}), 5, start_);
  EXPECT_EQ(rooms.PositionOf("a"), 3);
  Asked(rooms);
  EXPECT_EQ(rooms.PositionOf("a"), 3);
  EXPECT_EQ(rooms.PositionOf("b"), 4);

  rooms.OnResult("a", Joined("a", 7), start_);

  EXPECT_EQ(rooms.PositionOf("a"), std::nullopt);
}

}  // namespace
}  // namespace confab::edge
