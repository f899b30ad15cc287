#include "edge/transport/event_loop.h"

#include <chrono>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace confab::edge {
namespace {

using testing::ElementsAre;
using SteadyClock = std::chrono::steady_clock;

class Dirty final : public EventLoop::Flushable {
 public:
  explicit Dirty(EventLoop& loop) : loop_(loop) {}

  int flushed = 0;

 private:
  void Flush() override {
    ++flushed;
    loop_.now();
  }

  EventLoop& loop_;
};

TEST(EventLoop, LooksAtTheClockOnceATurn) {
  EventLoop loop;
  std::vector<SteadyClock::time_point> seen;
  const SteadyClock::time_point before = SteadyClock::now();

  loop.Post([&] {
    seen.push_back(loop.now());
    while (SteadyClock::now() == seen[0]) {
    }
    seen.push_back(loop.now());
    loop.Post([&] {
      seen.push_back(loop.now());
      loop.Stop();
    });
  });
  loop.Run();

  ASSERT_EQ(seen.size(), 3u);
  EXPECT_GE(seen[0], before);
  EXPECT_EQ(seen[1], seen[0]);
  EXPECT_GT(seen[2], seen[0]) << "another turn";
}

// Whoever asks for the time or marks: a turn ends once, and a flush that asks begins one more, no others.
TEST(EventLoop, EndsATurnOnce) {
  EventLoop loop;
  Dirty first(loop);
  Dirty second(loop);
  int ended = 0;
  loop.SetTurnEnd([&ended] { ++ended; });
  std::vector<int> ended_before;

  loop.Post([&] {
    loop.now();
    loop.MarkDirty(first);
    loop.MarkDirty(second);
    loop.MarkDirty(first);
    // What is posted stands behind the end of the turn in which it is.
    loop.Post([&] {
      ended_before.push_back(ended);
      loop.Post([&] {
        ended_before.push_back(ended);
        loop.Post([&] {
          ended_before.push_back(ended);
          loop.Stop();
        });
      });
    });
  });
  loop.Run();

  EXPECT_THAT(ended_before, ElementsAre(1, 2, 2));
  EXPECT_EQ(first.flushed, 1);
  EXPECT_EQ(second.flushed, 1);
}

}  // namespace
}  // namespace confab::edge
