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

// Whoever asks for the time, marks or flushes: a turn ends once, and the flush of one begins no other
// but to be done with its time.
TEST(EventLoop, EndsATurnOnce) {
  EventLoop loop;
  Dirty first(loop);
  Dirty second(loop);
  std::vector<int> flushed_at_end;
  loop.SetTurnEnd([&] {
    flushed_at_end.push_back(first.flushed + second.flushed);
    if (flushed_at_end.size() == 2) loop.Stop();
  });

  loop.Post([&] {
    loop.now();
    loop.MarkDirty(first);
    loop.MarkDirty(second);
    loop.MarkDirty(first);
  });
  loop.Run();

  EXPECT_THAT(flushed_at_end, ElementsAre(2, 2));
}

}  // namespace
}  // namespace confab::edge
