#include "storage/connection_pool.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

namespace confab::storage {
namespace {

using Pool = ConnectionPool<int>;

TEST(ConnectionPool, OpensWhenFirstNeededAndLendsTheSameAgain) {
  int opened = 0;
  Pool pool(2, absl::Milliseconds(1), [&] { return std::make_unique<int>(++opened); });

  for (int i = 0; i < 5; ++i) EXPECT_EQ(**pool.Acquire(), 1);
  {
    const auto one = pool.Acquire();
    const auto two = pool.Acquire();
    EXPECT_EQ(**two, 2);
  }

  EXPECT_EQ(opened, 2);
}

TEST(ConnectionPool, RefusesWhenNoneIsFreeInTime) {
  Pool pool(1, absl::Milliseconds(1), [] { return std::make_unique<int>(0); });
  const auto lent = pool.Acquire();

  EXPECT_TRUE(absl::IsResourceExhausted(pool.Acquire().status()));
}

TEST(ConnectionPool, LendsToWhoWaitsAsSoonAsOneComesBack) {
  Pool pool(1, absl::Seconds(10), [] { return std::make_unique<int>(0); });
  std::atomic<bool> has_waited = false;
  std::thread waiting;
  {
    const auto lent = pool.Acquire();
    waiting = std::thread([&] { has_waited = pool.Acquire().ok(); });
  }
  waiting.join();

  EXPECT_TRUE(has_waited);
}

TEST(ConnectionPool, ReplacesWhatWasDiscardedOrDropped) {
  int opened = 0;
  Pool pool(1, absl::Milliseconds(1), [&] { return std::make_unique<int>(++opened); });

  pool.Acquire()->Discard();
  EXPECT_EQ(**pool.Acquire(), 2);
  pool.DropAll();
  EXPECT_EQ(**pool.Acquire(), 3);
}

TEST(ConnectionPool, KeepsNoneThatWasLentWhenAllWereDropped) {
  int opened = 0;
  Pool pool(2, absl::Milliseconds(1), [&] { return std::make_unique<int>(++opened); });
  {
    const auto of_before = pool.Acquire();
    pool.DropAll();
    const auto fresh = pool.Acquire();
    EXPECT_EQ(**fresh, 2);
  }

  const auto kept = pool.Acquire();
  EXPECT_EQ(**kept, 2);
  EXPECT_EQ(**pool.Acquire(), 3) << "the first is gone";
}

TEST(ConnectionPool, AFailureToOpenTakesNoPlace) {
  int calls = 0;
  Pool pool(1, absl::Milliseconds(1), [&]() -> absl::StatusOr<std::unique_ptr<int>> {
    if (++calls < 3) return absl::UnavailableError("not yet");
    return std::make_unique<int>(calls);
  });

  EXPECT_TRUE(absl::IsUnavailable(pool.Acquire().status()));
  EXPECT_TRUE(absl::IsUnavailable(pool.Acquire().status()));
  EXPECT_EQ(**pool.Acquire(), 3);
}

}  // namespace
}  // namespace confab::storage
