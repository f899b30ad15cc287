#include "control/lane/lane.h"

#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "control/lane/lane_set.h"

namespace confab::control {
namespace {

TEST(Lane, RunsTasksInTheOrderOfEachPoster) {
  Lane lane;
  std::vector<std::pair<int, int>> seen;
  lane.Start(nullptr);

  std::vector<std::thread> posters;
  for (int poster = 0; poster < 4; ++poster) {
    posters.emplace_back([&, poster] {
      for (int i = 0; i < 1000; ++i)
        lane.Post([&seen, poster, i] { seen.emplace_back(poster, i); });
    });
  }
  for (std::thread& poster : posters) poster.join();
  lane.Stop();

  ASSERT_EQ(seen.size(), 4000u);
  std::vector<int> next(4, 0);
  for (const auto& [poster, i] : seen) EXPECT_EQ(i, next[static_cast<size_t>(poster)]++);
}

TEST(Lane, EndsATurnAfterAllThatWasQueued) {
  Lane lane;
  std::string log;
  lane.Post([&] { log += 'a'; });
  lane.Post([&] { log += 'b'; });

  lane.Start([&] { log += '|'; });
  lane.Stop();

  EXPECT_EQ(log, "ab|");
}

TEST(Lane, RunsWhatATaskPostsBeforeItStops) {
  Lane lane;
  bool has_run = false;
  lane.Start(nullptr);

  lane.Post([&] { lane.Post([&] { has_run = true; }); });
  lane.Stop();

  EXPECT_TRUE(has_run);
}

TEST(Lane, RunsDelayedTasksByTime) {
  Lane lane;
  std::string log;
  std::promise<void> done;
  lane.Start(nullptr);

  lane.Post([&] {
    lane.Delay(absl::Milliseconds(20), [&] {
      log += 'b';
      done.set_value();
    });
    lane.Delay(absl::Milliseconds(5), [&] { log += 'a'; });
  });
  done.get_future().wait();
  lane.Stop();

  EXPECT_EQ(log, "ab");
}

TEST(Lane, ForgetsDelayedTasksWhenItStops) {
  Lane lane;
  bool has_run = false;
  lane.Start(nullptr);

  lane.Post([&] { lane.Delay(absl::Hours(1), [&] { has_run = true; }); });
  lane.Stop();
  lane.Post([&] { has_run = true; });

  EXPECT_FALSE(has_run);
}

TEST(LaneSet, SendsAnIdAlwaysToTheSameLane) {
  LaneSet lanes(4);
  std::set<size_t> used;
  for (int i = 0; i < 200; ++i) {
    const std::string id = "room-" + std::to_string(i);
    const size_t index = lanes.IndexOf(id);
    EXPECT_EQ(index, lanes.IndexOf(id));
    used.insert(index);
  }
  EXPECT_EQ(used.size(), 4u);
}

}  // namespace
}  // namespace confab::control
