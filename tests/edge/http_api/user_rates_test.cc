#include "edge/http_api/user_rates.h"

#include <chrono>

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

using std::chrono::seconds;

class UserRatesTest : public testing::Test {
 protected:
  UserRatesTest() {
    limits_.frames = {.per_period = 10, .burst = 5};
    limits_.joins = {.per_period = 1, .burst = 1};
    post_.mutable_post_message();
    join_.mutable_become_member();
    list_.mutable_list_rooms();
  }
  bool Takes(const std::string& user, const v1::Command& command) {
    return !rates_.Take(user, command, limits_, now_);
  }

  UserRates rates_{3};
  ConnectionLimits limits_;
  v1::Command post_;
  v1::Command join_;
  v1::Command list_;
  std::chrono::steady_clock::time_point now_{seconds(1000)};
};

TEST_F(UserRatesTest, CountsTheRequestsOfOneUserTogether) {
  EXPECT_TRUE(Takes("ann", join_));
  EXPECT_FALSE(Takes("ann", join_));
  EXPECT_TRUE(Takes("bob", join_));
  EXPECT_TRUE(Takes("ann", post_));
  EXPECT_TRUE(Takes("ann", list_));
  EXPECT_TRUE(Takes("ann", list_));
  EXPECT_FALSE(Takes("ann", list_));  // The sixth request, whatever they were.
  now_ += seconds(1);
  EXPECT_TRUE(Takes("ann", post_));
}

TEST_F(UserRatesTest, SaysHowLongToWait) {
  ASSERT_TRUE(Takes("ann", join_));
  const auto error = rates_.Take("ann", join_, limits_, now_);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->reason(), v1::REASON_RATE_LIMITED);
  EXPECT_EQ(error->retry_after_ms(), 1000u);
}

TEST_F(UserRatesTest, KeepsABoundedNumberOfUsers) {
  for (const char* user : {"a", "b", "c"}) EXPECT_TRUE(Takes(user, join_));
  now_ += seconds(1);  // Their buckets are full again.
  EXPECT_TRUE(Takes("d", join_));
  EXPECT_EQ(rates_.size(), 1u);
  EXPECT_TRUE(Takes("e", join_));
  EXPECT_TRUE(Takes("f", join_));
  EXPECT_TRUE(Takes("g", join_));  // Nobody's are.
  EXPECT_LE(rates_.size(), 3u);
}

}  // namespace
}  // namespace confab::edge
