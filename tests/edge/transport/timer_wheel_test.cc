#include "edge/transport/timer_wheel.h"

#include <functional>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

class TestEntry : public TimerWheel::Entry {
 public:
  explicit TestEntry(std::function<void()> on_timer = nullptr) : on_timer_(std::move(on_timer)) {}

  int fired() const { return fired_; }

 private:
  void OnTimer() override {
    ++fired_;
    if (on_timer_) on_timer_();
  }

  std::function<void()> on_timer_;
  int fired_ = 0;
};

void TickTimes(TimerWheel& wheel, int ticks) {
  for (int i = 0; i < ticks; ++i) wheel.Tick();
}

// How many ticks pass until the entry fires.
int TicksUntilFired(TimerWheel& wheel, const TestEntry& entry) {
  int ticks = 0;
  while (entry.fired() == 0 && ticks < 10'000) {
    wheel.Tick();
    ++ticks;
  }
  return ticks;
}

TEST(TimerWheel, NeverFiresEarlyAndAtMostOneTickLate) {
  const std::pair<absl::Duration, int> cases[] = {
      // The first tick may come right after arming and counts for nothing.
      {absl::Milliseconds(1), 2},   {absl::Milliseconds(250), 2}, {absl::Milliseconds(251), 3},
      {absl::Milliseconds(500), 3}, {absl::Seconds(25), 101},
  };
  for (const auto& [delay, ticks] : cases) {
    TimerWheel wheel;
    TestEntry entry;

    wheel.Arm(entry, delay);

    EXPECT_EQ(TicksUntilFired(wheel, entry), ticks) << delay;
  }
}

TEST(TimerWheel, FiresAtTheNextTickWithoutDelay) {
  TimerWheel wheel;
  TestEntry zero;
  TestEntry negative;

  wheel.Arm(zero, absl::ZeroDuration());
  wheel.Arm(negative, absl::Seconds(-5));
  wheel.Tick();

  EXPECT_EQ(zero.fired(), 1);
  EXPECT_EQ(negative.fired(), 1);
}

TEST(TimerWheel, WaitsLongerThanOneTurn) {
  TimerWheel wheel;
  TestEntry entry;

  wheel.Arm(entry, absl::Minutes(5));

  EXPECT_EQ(TicksUntilFired(wheel, entry), 1'201);
}

TEST(TimerWheel, FiresOncePerArming) {
  TimerWheel wheel;
  TestEntry entry;
  wheel.Arm(entry, absl::Seconds(1));

  TickTimes(wheel, 2'000);

  EXPECT_EQ(entry.fired(), 1);
  EXPECT_FALSE(entry.is_armed());
}

TEST(TimerWheel, DoesNotFireWhatWasCancelled) {
  TimerWheel wheel;
  TestEntry entry;
  wheel.Arm(entry, absl::Seconds(1));

  entry.Cancel();
  entry.Cancel();
  TickTimes(wheel, 100);

  EXPECT_EQ(entry.fired(), 0);
  EXPECT_FALSE(entry.is_armed());
}

TEST(TimerWheel, CountsAnewWhenArmedAgain) {
  TimerWheel wheel;
  TestEntry entry;
  wheel.Arm(entry, absl::Seconds(1));
  TickTimes(wheel, 4);

  wheel.Arm(entry, absl::Seconds(1));

  EXPECT_EQ(TicksUntilFired(wheel, entry), 5);
}

TEST(TimerWheel, FiresInTheOrderOfArming) {
  TimerWheel wheel;
  std::vector<int> order;
  TestEntry first([&] { order.push_back(1); });
  TestEntry second([&] { order.push_back(2); });
  TestEntry third([&] { order.push_back(3); });

  wheel.Arm(second, absl::Seconds(1));
  wheel.Arm(first, absl::Milliseconds(500));
  wheel.Arm(third, absl::Seconds(1));
  TickTimes(wheel, 10);

  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(TimerWheel, LetsAnEntryArmItselfAgain) {
  TimerWheel wheel;
  TestEntry* self = nullptr;
  TestEntry entry([&] { wheel.Arm(*self, absl::Milliseconds(250)); });
  self = &entry;
  wheel.Arm(entry, absl::Milliseconds(250));

  TickTimes(wheel, 20);

  EXPECT_EQ(entry.fired(), 10);
  EXPECT_TRUE(entry.is_armed());
}

TEST(TimerWheel, FiresNoneTwiceInATickThatArmsForTheNext) {
  TimerWheel wheel;
  TestEntry* self = nullptr;
  TestEntry entry([&] { wheel.Arm(*self, absl::ZeroDuration()); });
  self = &entry;
  wheel.Arm(entry, absl::ZeroDuration());

  wheel.Tick();

  EXPECT_EQ(entry.fired(), 1);
}

TEST(TimerWheel, LetsAnEntryDestroyItselfAndOthersDueInTheSameTick) {
  TimerWheel wheel;
  std::unique_ptr<TestEntry> first;
  std::unique_ptr<TestEntry> second = std::make_unique<TestEntry>();
  TestEntry third;
  first = std::make_unique<TestEntry>([&] {
    second.reset();
    first.reset();
  });
  wheel.Arm(*first, absl::Seconds(1));
  wheel.Arm(*second, absl::Seconds(1));
  wheel.Arm(third, absl::Seconds(1));

  TickTimes(wheel, 10);

  EXPECT_EQ(first, nullptr);
  EXPECT_EQ(second, nullptr);
  EXPECT_EQ(third.fired(), 1);
}

TEST(TimerWheel, DisarmsItsEntriesWhenItGoes) {
  TestEntry entry;
  {
    TimerWheel wheel;
    wheel.Arm(entry, absl::Seconds(1));
  }

  EXPECT_FALSE(entry.is_armed());
}

TEST(TimerWheel, ForgetsAnEntryThatIsGone) {
  TimerWheel wheel;
  TestEntry other;
  {
    TestEntry entry;
    wheel.Arm(entry, absl::Seconds(1));
    wheel.Arm(other, absl::Seconds(1));
  }

  TickTimes(wheel, 10);

  EXPECT_EQ(other.fired(), 1);
}

TEST(TimerWheel, KeepsItsOwnPace) {
  TimerWheel wheel(absl::Seconds(1));
  TestEntry entry;

  wheel.Arm(entry, absl::Seconds(3));

  EXPECT_EQ(TicksUntilFired(wheel, entry), 4);
}

}  // namespace
}  // namespace confab::edge
