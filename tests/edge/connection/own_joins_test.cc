#include "edge/connection/own_joins.h"

#include <string>

#include <gtest/gtest.h>

#include "proto/reason.h"

namespace confab::edge {
namespace {

using std::chrono::milliseconds;

class OwnJoinsTest : public testing::Test {
 protected:
  Resumption Rooms(std::initializer_list<const char*> rooms) const {
    v1::Command command;
    command.mutable_resume();
    for (const char* room : rooms) (*command.mutable_resume()->mutable_rooms())[room] = 1;
    return {std::move(command), std::nullopt, now_};
  }

  // "list", a room, or "nothing".
  std::string Asked(OwnJoins& joins) {
    const std::optional<v1::Command> command = joins.Next();
    if (!command) return "nothing";
    asked_ = *command;
    return command->has_list_rooms() ? "list" : command->join_room().room_id();
  }

  static v1::Command Join(const std::string& room) {
    v1::Command command;
    command.set_is_automatic(true);
    command.mutable_join_room()->set_room_id(room);
    return command;
  }

  static v1::Result Joined() {
    v1::Result result;
    result.mutable_join_room();
    return result;
  }

  static v1::Result Refused(v1::Reason reason, std::uint32_t retry_after_ms = 0) {
    v1::Result result;
    *result.mutable_error() = MakeError(reason, "no", retry_after_ms);
    return result;
  }

  const OwnJoins::SteadyTime now_{std::chrono::hours(1)};
  v1::Command asked_;
};

TEST_F(OwnJoinsTest, JoinsWhatTheClientResumesBeforeWhatTheDialectWants) {
  OwnJoins joins("game_*");
  joins.Restart();
  joins.Resume(Rooms({"a", "b"}));

  EXPECT_EQ(Asked(joins), "a");
  EXPECT_EQ(Asked(joins), "b");
  EXPECT_EQ(Asked(joins), "nothing") << "the rooms of the dialect come when these are decided";
  EXPECT_TRUE(joins.IsResumed(Join("a")));
  joins.OnResult(Join("a"), Joined(), now_);
  EXPECT_EQ(joins.TakeDone().has_value(), false);
  joins.OnResult(Join("b"), Joined(), now_);

  EXPECT_TRUE(joins.TakeDone().has_value());
  EXPECT_EQ(joins.resumption(), nullptr);
  EXPECT_EQ(Asked(joins), "list");
  EXPECT_FALSE(joins.IsIdle());
}

TEST_F(OwnJoinsTest, AwaitsTheDialectsAnswerBeforeItResumes) {
  OwnJoins joins("lobby");
  joins.Restart();
  ASSERT_EQ(Asked(joins), "lobby");
  joins.Resume(Rooms({"lobby"}));

  EXPECT_EQ(Asked(joins), "nothing");
  EXPECT_FALSE(joins.IsResumed(asked_)) << "the answer is not the resumption's";
  joins.OnResult(asked_, Joined(), now_);

  EXPECT_EQ(Asked(joins), "lobby");
  EXPECT_TRUE(joins.IsResumed(asked_));
}

TEST_F(OwnJoinsTest, PausesWhenItIsRefusedForNow) {
  OwnJoins joins("");
  joins.Resume(Rooms({"a", "b"}));
  Asked(joins);
  EXPECT_EQ(joins.PauseAt(now_), std::nullopt);

  EXPECT_FALSE(joins.OnResult(Join("a"), Refused(v1::REASON_UNAVAILABLE, 400), now_));

  EXPECT_EQ(Asked(joins), "nothing");
  EXPECT_EQ(joins.PauseAt(now_ + milliseconds(100)), milliseconds(300));
  joins.OnTick(now_ + milliseconds(399));
  EXPECT_EQ(Asked(joins), "nothing");
  joins.OnTick(now_ + milliseconds(400));
  EXPECT_EQ(joins.PauseAt(now_ + milliseconds(400)), std::nullopt);
  EXPECT_EQ(Asked(joins), "b");
  EXPECT_EQ(Asked(joins), "a");
}

TEST_F(OwnJoinsTest, PausesUntilTheNextTickWhereNoTimeIsTold) {
  OwnJoins joins("lobby");
  joins.Restart();
  Asked(joins);

  EXPECT_FALSE(joins.OnResult(asked_, Refused(v1::REASON_UNAVAILABLE), now_));
  EXPECT_EQ(joins.PauseAt(now_), milliseconds(0));
  EXPECT_EQ(Asked(joins), "nothing");
  joins.OnTick(now_);

  EXPECT_EQ(Asked(joins), "lobby");
}

TEST_F(OwnJoinsTest, GivesAgainWhatCouldNotBeAsked) {
  OwnJoins joins("lobby");
  joins.Restart();
  joins.Resume(Rooms({"a"}));
  Asked(joins);
  joins.OnNotAsked(asked_);
  EXPECT_EQ(Asked(joins), "a");
  joins.OnResult(asked_, Refused(v1::REASON_NOT_A_MEMBER), now_);
  ASSERT_TRUE(joins.TakeDone());

  Asked(joins);
  joins.OnNotAsked(asked_);
  EXPECT_EQ(Asked(joins), "lobby");
}

TEST_F(OwnJoinsTest, HasNothingToDoWithoutADialectThatSubscribes) {
  OwnJoins joins("");
  joins.Restart();
  joins.OnMember("r", 4);
  EXPECT_EQ(Asked(joins), "nothing");
  EXPECT_TRUE(joins.IsIdle());

  joins.Resume(Rooms({}));
  EXPECT_FALSE(joins.IsIdle());
  EXPECT_TRUE(joins.TakeDone());
  EXPECT_TRUE(joins.IsIdle());
}

}  // namespace
}  // namespace confab::edge
