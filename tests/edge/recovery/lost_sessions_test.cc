#include "edge/recovery/lost_sessions.h"

#include <chrono>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "edge/recovery/offset.h"

namespace confab::edge {
namespace {

constexpr std::uint64_t kConnection = 5 << 8;

LostSession SessionOf(std::uint64_t low, const std::string& user = "ann") {
  LostSession session;
  session.pid = {.high = 1, .low = low};
  session.sid = "e-1";
  session.user_id = user;
  session.dialect = "confab";
  session.nsp = "/";
  session.rooms.push_back({.id = "den", .since = 3, .position = 9});
  return session;
}

LostSessions::Seeker SeekerOf(std::uint64_t low, std::string_view user = "ann") {
  return {.pid = {.high = 1, .low = low}, .user_id = user, .dialect = "confab", .nsp = "/"};
}

class LostSessionsTest : public testing::Test {
 protected:
  void Lose(std::uint64_t low, LostSessions& sessions) {
    sessions.OnLive({.high = 1, .low = low}, kConnection + low);
    sessions.Keep(kConnection + low, SessionOf(low), now_);
  }

  LostSessions sessions_{{}};
  LostSessions::SteadyTime now_ = std::chrono::steady_clock::now();
};

TEST_F(LostSessionsTest, GivesALostSessionOnce) {
  Lose(1, sessions_);

  const LostSessions::Found found = sessions_.Take(SeekerOf(1), now_);

  EXPECT_EQ(found.result, RecoveryResult::kRecovered);
  ASSERT_TRUE(found.session.has_value());
  EXPECT_EQ(found.session->rooms.at(0).position, 9);
  EXPECT_EQ(sessions_.Take(SeekerOf(1), now_).result, RecoveryResult::kUnknown);
  EXPECT_EQ(sessions_.Expire(now_), 0U);
}

TEST_F(LostSessionsTest, SaysWhoHasOneThatIsNotLost) {
  sessions_.OnLive({.high = 1, .low = 1}, kConnection);

  const LostSessions::Found found = sessions_.Take(SeekerOf(1), now_);

  EXPECT_FALSE(found.session.has_value());
  EXPECT_EQ(found.connection, kConnection);
}

TEST_F(LostSessionsTest, KeepsWhatIsAnotherUsersDialectsOrNamespaces) {
  Lose(1, sessions_);
  LostSessions::Seeker other_dialect = SeekerOf(1);
  other_dialect.dialect = "rooms";
  LostSessions::Seeker other_namespace = SeekerOf(1);
  other_namespace.nsp = "/chat";

  EXPECT_EQ(sessions_.Take(SeekerOf(1, "eve"), now_).result, RecoveryResult::kForeign);
  EXPECT_EQ(sessions_.Take(other_dialect, now_).result, RecoveryResult::kForeign);
  EXPECT_EQ(sessions_.Take(other_namespace, now_).result, RecoveryResult::kForeign);
  EXPECT_EQ(sessions_.Take(SeekerOf(1), now_).result, RecoveryResult::kRecovered);
}

TEST_F(LostSessionsTest, KeepsNothingOfWhatEndedForGood) {
  sessions_.OnLive({.high = 1, .low = 1}, kConnection);

  sessions_.OnOver({.high = 1, .low = 1}, kConnection);
  sessions_.Keep(kConnection, SessionOf(1), now_);

  EXPECT_EQ(sessions_.Take(SeekerOf(1), now_).result, RecoveryResult::kUnknown);
}

TEST_F(LostSessionsTest, BelongsToTheConnectionThatHasItNow) {
  sessions_.OnLive({.high = 1, .low = 1}, kConnection);
  sessions_.OnLive({.high = 1, .low = 1}, kConnection + 1);

  sessions_.OnOver({.high = 1, .low = 1}, kConnection);
  sessions_.Keep(kConnection, SessionOf(1), now_);

  EXPECT_EQ(sessions_.Take(SeekerOf(1), now_).connection, kConnection + 1);
}

TEST_F(LostSessionsTest, ForgetsAfterTheTime) {
  Lose(1, sessions_);
  now_ += std::chrono::seconds(60);
  Lose(2, sessions_);

  now_ += std::chrono::seconds(60);
  EXPECT_EQ(sessions_.Expire(now_), 1U);

  EXPECT_EQ(sessions_.Take(SeekerOf(1), now_).result, RecoveryResult::kUnknown);
  EXPECT_EQ(sessions_.Take(SeekerOf(2), now_).result, RecoveryResult::kRecovered);
}

TEST_F(LostSessionsTest, ForgetsTheOldestOverTheCount) {
  LostSessions sessions({.count = 2});
  for (const std::uint64_t low : {1U, 2U, 3U}) Lose(low, sessions);

  EXPECT_EQ(sessions.Expire(now_), 2U);
  EXPECT_EQ(sessions.Take(SeekerOf(1), now_).result, RecoveryResult::kUnknown);
  EXPECT_EQ(sessions.Take(SeekerOf(2), now_).result, RecoveryResult::kRecovered);
}

TEST_F(LostSessionsTest, ForgetsTheOldestOverTheBytes) {
  LostSessions sessions({.bytes = 10'000});
  Lose(1, sessions);
  sessions.OnLive({.high = 1, .low = 2}, kConnection);
  LostSession large = SessionOf(2);
  large.rooms[0].id.assign(9'500, 'x');
  sessions.Keep(kConnection, std::move(large), now_);

  EXPECT_EQ(sessions.Take(SeekerOf(1), now_).result, RecoveryResult::kUnknown);
  EXPECT_EQ(sessions.Take(SeekerOf(2), now_).result, RecoveryResult::kRecovered);
}

TEST_F(LostSessionsTest, HasNoSecondLifeForOneThatIsLive) {
  Lose(1, sessions_);

  sessions_.OnLive({.high = 1, .low = 1}, kConnection);
  sessions_.PutBack(SessionOf(1), now_);

  EXPECT_EQ(sessions_.Take(SeekerOf(1), now_).connection, kConnection);
  EXPECT_EQ(sessions_.Expire(now_), 0U);
}

TEST_F(LostSessionsTest, TakesBackWhatWasForNobody) {
  Lose(1, sessions_);
  LostSession session = *sessions_.Take(SeekerOf(1), now_).session;

  sessions_.PutBack(std::move(session), now_);

  EXPECT_EQ(sessions_.Take(SeekerOf(1), now_).result, RecoveryResult::kRecovered);
}

TEST(LostSession, StandsStillWhereEveryRoomDoes) {
  LostSession session = SessionOf(1);
  EXPECT_FALSE(session.stands_still());

  session.rooms.at(0).since = session.rooms.at(0).position;
  EXPECT_TRUE(session.stands_still());
  EXPECT_EQ(session.rooms.at(0).Before(0), session.rooms.at(0).position);
  session.rooms.push_back({.id = "hall", .since = 1, .position = 2});
  EXPECT_FALSE(session.stands_still());

  session.rooms.clear();
  EXPECT_TRUE(session.stands_still());
}

TEST(GoodOffsets, BeginAtABroadcastOrAtAFrameOfItsOwn) {
  const GoodOffsets offsets{.from_broadcast = 10, .from_alone = 4};

  EXPECT_TRUE(offsets.Has(NumberOf(10)));
  EXPECT_TRUE(offsets.Has(NumberOf(11, 1)));
  EXPECT_TRUE(offsets.Has(NumberOf(3, 4)));
  EXPECT_TRUE(offsets.Has(NumberOf(3, 5)));
  EXPECT_FALSE(offsets.Has(NumberOf(9)));
  EXPECT_FALSE(offsets.Has(NumberOf(9, 3)));
  EXPECT_TRUE(GoodOffsets().Has(0));
  EXPECT_FALSE(GoodOffsets{.is_none = true}.Has(NumberOf(99)));
}

TEST(RecoveryResult, HasAWordEach) {
  EXPECT_EQ(WordOf(RecoveryResult::kRecovered), "recovered");
  EXPECT_EQ(WordOf(RecoveryResult::kIncomplete), "incomplete");
}

}  // namespace
}  // namespace confab::edge
