#include "edge/connection/user_table.h"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

using std::chrono::seconds;

constexpr std::chrono::steady_clock::time_point kStart{seconds(1'000)};
constexpr RateLimit kSends{.per_period = 1, .burst = 2};

TEST(UserTable, ReplacesTheOldestConnectionOfTheUser) {
  UserTable users(2);

  EXPECT_EQ(users.Enter("ann", 1).replaced, 0u);
  EXPECT_EQ(users.Enter("ann", 2).replaced, 0u);
  EXPECT_EQ(users.Enter("bob", 3).replaced, 0u);
  EXPECT_EQ(users.Enter("ann", 4).replaced, 1u);
  EXPECT_EQ(users.Enter("ann", 5).replaced, 2u);
}

TEST(UserTable, CountsNoConnectionThatHasGone) {
  UserTable users(2);
  UserShare* share = users.Enter("ann", 1).share;
  users.Enter("ann", 2);

  users.Leave(*share, 1, kStart);

  EXPECT_EQ(users.Enter("ann", 3).replaced, 0u);
  EXPECT_EQ(users.Enter("ann", 4).replaced, 2u);
}

TEST(UserTable, TakesTheEndOfAReplacedConnectionAsNoMore) {
  UserTable users(1);
  UserShare* share = users.Enter("ann", 1).share;
  EXPECT_EQ(users.Enter("ann", 2).replaced, 1u);

  users.Leave(*share, 1, kStart);

  EXPECT_EQ(users.Enter("ann", 3).replaced, 2u);
}

TEST(UserTable, CountsNoRequestOverHttp) {
  UserTable users(1);

  users.Enter("ann", 1);
  EXPECT_EQ(users.Enter("ann", 0).replaced, 0u);
  EXPECT_EQ(users.Enter("ann", 0).replaced, 0u);
}

TEST(UserTable, CountsLaterWhoEnteredUncounted) {
  UserTable users(1);
  UserShare* share = users.Enter("ann", 1).share;
  users.Enter("ann", 0);
  users.Enter("ann", 0);

  users.Leave(*share, 1, kStart);
  EXPECT_EQ(users.Count(*share, 2), 0u) << "in place of the one that has gone";
  EXPECT_EQ(users.Count(*share, 3), 2u);
}

TEST(UserTable, MayBeWithoutALimitAndGetOne) {
  UserTable users(0);
  for (std::uint64_t i = 1; i <= 50; ++i) EXPECT_EQ(users.Enter("ann", i).replaced, 0u);

  users.SetLimit(50);

  EXPECT_EQ(users.Enter("ann", 51).replaced, 1u);
}

TEST(UserTable, SharesTheRateOfAUser) {
  UserTable users(0);
  UserShare* first = users.Enter("ann", 1).share;
  UserShare* second = users.Enter("ann", 2).share;
  UserShare* other = users.Enter("bob", 3).share;

  EXPECT_EQ(first->TakeSend(kSends, kStart), 0u);
  EXPECT_EQ(second->TakeSend(kSends, kStart), 0u);
  EXPECT_EQ(second->TakeSend(kSends, kStart), 1'000u);
  EXPECT_EQ(other->TakeSend(kSends, kStart), 0u);
}

TEST(UserTable, RemembersTheRateOfWhoComesBack) {
  UserTable users(0);
  UserShare* share = users.Enter("ann", 1).share;
  EXPECT_EQ(share->TakeSend(kSends, kStart), 0u);
  EXPECT_EQ(share->TakeSend(kSends, kStart), 0u);

  users.Leave(*share, 1, kStart);
  EXPECT_EQ(users.size(), 1u);

  share = users.Enter("ann", 2).share;
  EXPECT_GT(share->TakeSend(kSends, kStart), 0u);
  users.Leave(*share, 2, kStart + seconds(10));
  EXPECT_EQ(users.size(), 0u) << "there is nothing to remember";
}

TEST(UserTable, ForgetsBeyondItsLimit) {
  UserTable users(0, 3);
  UserShare* stays = users.Enter("stays", 1).share;
  const auto come_and_go = [&](const std::string& user, auto when) {
    UserShare* share = users.Enter(user, 2).share;
    static_cast<void>(share->TakeSend(kSends, when));
    users.Leave(*share, 2, when);
  };
  for (const char* user : {"a", "b", "c"}) come_and_go(user, kStart);
  EXPECT_EQ(users.size(), 4u);

  come_and_go("d", kStart + seconds(10));
  EXPECT_EQ(users.size(), 2u) << "who has a full bucket again";
  for (const char* user : {"e", "f", "g"}) come_and_go(user, kStart + seconds(10));

  EXPECT_EQ(users.size(), 1u) << "and everybody where nobody has";
  users.Leave(*stays, 1, kStart);
}

TEST(UserTable, IsShared) {
  UserTable users(0);
  UserShare* share = users.Enter("ann", 1).share;
  std::vector<std::thread> threads;
  std::atomic<int> taken = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (std::uint64_t round = 0; round < 500; ++round) {
        const std::uint64_t connection = 2 + 4 * round + static_cast<std::uint64_t>(i);
        UserShare* mine = users.Enter("ann", connection).share;
        if (mine->TakeSend({.per_period = 1, .burst = 100}, kStart) == 0) ++taken;
        users.Leave(*mine, connection, kStart);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(taken, 100);
  users.Leave(*share, 1, kStart + seconds(1'000));
  EXPECT_EQ(users.size(), 0u);
}

}  // namespace
}  // namespace confab::edge
