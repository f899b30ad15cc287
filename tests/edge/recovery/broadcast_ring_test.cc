#include "edge/recovery/broadcast_ring.h"

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace confab::edge {
namespace {

TEST(BroadcastRing, FindsTheFirstEventOfARoomBehindABroadcast) {
  BroadcastRing ring(16);
  ring.Add(1, "den", 41);
  ring.Add(3, "hall", 7);
  ring.Add(4, "den", 42);
  ring.Add(9, "den", 43);

  EXPECT_EQ(ring.FirstBehind("den", 0), 41);
  EXPECT_EQ(ring.FirstBehind("den", 1), 42);
  EXPECT_EQ(ring.FirstBehind("den", 3), 42);
  EXPECT_EQ(ring.FirstBehind("den", 8), 43);
  EXPECT_EQ(ring.FirstBehind("den", 9), std::nullopt);
  EXPECT_EQ(ring.FirstBehind("hall", 2), 7);
  EXPECT_EQ(ring.FirstBehind("hall", 3), std::nullopt);
  EXPECT_EQ(ring.FirstBehind("yard", 0), std::nullopt);
}

TEST(BroadcastRing, SaysHowFarBackItReaches) {
  BroadcastRing ring(2);
  EXPECT_TRUE(ring.ReachesBackTo(0));

  ring.Add(5, "den", 1);
  ring.Add(6, "den", 2);
  EXPECT_TRUE(ring.ReachesBackTo(0));

  ring.Add(9, "hall", 1);
  EXPECT_FALSE(ring.ReachesBackTo(4));
  EXPECT_TRUE(ring.ReachesBackTo(5));
  EXPECT_EQ(ring.FirstBehind("den", 5), 2);
}

TEST(BroadcastRing, ForgetsARoomWithItsLastEvent) {
  BroadcastRing ring(2);
  ring.Add(1, "den", 1);
  ring.Add(2, "hall", 1);
  ring.Add(3, "hall", 2);

  EXPECT_EQ(ring.FirstBehind("den", 1), std::nullopt);
  EXPECT_EQ(ring.FirstBehind("hall", 1), 1);
}

// Against a list that is looked through from its end.
TEST(BroadcastRing, AgreesWithASimpleList) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  const auto below = [&](std::uint64_t limit) { return random() % limit; };
  constexpr std::size_t kSize = 200;
  BroadcastRing ring(kSize);
  struct Told {
    std::uint64_t n = 0;
    std::string room;
    std::int64_t seq = 0;
  };
  std::vector<Told> all;
  std::map<std::string, std::int64_t> seqs;
  std::uint64_t n = 0;
  for (int step = 0; step < 5'000; ++step) {
    n += 1 + below(3);
    // One room has nearly everything, and there are times without it.
    const bool is_busy = step % 1'000 < 800 && below(4) > 0;
    const std::string room = is_busy ? "busy" : fmt::format("room-{}", below(5));
    all.push_back({.n = n, .room = room, .seq = ++seqs[room]});
    ring.Add(n, room, all.back().seq);

    const std::uint64_t since = n - std::min<std::uint64_t>(n, below(500));
    const std::uint64_t forgotten = all.size() > kSize ? all[all.size() - kSize - 1].n : 0;
    ASSERT_EQ(ring.ReachesBackTo(since), since >= forgotten) << step;
    if (since < forgotten) continue;
    for (const std::string& asked : {std::string("busy"), fmt::format("room-{}", below(5))}) {
      std::optional<std::int64_t> first;
      for (auto told = all.rbegin(); told != all.rend() && told->n > since; ++told) {
        if (told->room == asked) first = told->seq;
      }
      ASSERT_EQ(ring.FirstBehind(asked, since), first) << asked << " at " << step;
    }
  }
}

}  // namespace
}  // namespace confab::edge
