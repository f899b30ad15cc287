#include "control/notification/recent_keys.h"

#include <gtest/gtest.h>

namespace confab::control {
namespace {

v1::NotificationOutcome Answer(const std::string& id) {
  v1::NotificationOutcome outcome;
  outcome.set_notification_id(id);
  return outcome;
}

const RecentKeys::Time kStart{};

TEST(RecentKeys, GiveTheAnswerOfTheFirstTime) {
  RecentKeys keys;
  EXPECT_EQ(keys.Find("k", kStart), nullptr);

  keys.Set("k", Answer("1"), kStart);

  ASSERT_NE(keys.Find("k", kStart), nullptr);
  EXPECT_EQ(keys.Find("k", kStart)->notification_id(), "1");
  EXPECT_EQ(keys.Find("other", kStart), nullptr);
}

TEST(RecentKeys, ForgetTheOldestBeyondTheirNumber) {
  RecentKeys keys(2);
  for (const char* key : {"a", "b", "c"}) keys.Set(key, Answer(key), kStart);

  EXPECT_EQ(keys.Find("a", kStart), nullptr);
  EXPECT_NE(keys.Find("b", kStart), nullptr);
  EXPECT_NE(keys.Find("c", kStart), nullptr);
}

TEST(RecentKeys, KnowAKeyForADayHoweverFewCome) {
  RecentKeys keys;
  keys.Set("k", Answer("1"), kStart);
  keys.Set("l", Answer("2"), kStart + std::chrono::hours(1));

  EXPECT_NE(keys.Find("k", kStart + std::chrono::hours(24)), nullptr);
  const auto later = kStart + std::chrono::hours(24) + std::chrono::seconds(1);
  EXPECT_EQ(keys.Find("k", later), nullptr);
  EXPECT_NE(keys.Find("l", later), nullptr);
  keys.Set("k", Answer("3"), later);
  EXPECT_EQ(keys.Find("k", later + std::chrono::hours(24))->notification_id(), "3");
}

}  // namespace
}  // namespace confab::control
