#include "control/lane/read_pool.h"

#include <future>
#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

namespace confab::control {
namespace {

// A pool of one thread, which is busy until Release.
class ReadPoolTest : public testing::Test {
 protected:
  ReadPoolTest() {
    EXPECT_TRUE(pool_.Run(
        [this](bool) {
          started_.set_value();
          release_.get_future().wait();
        },
        ReadShare::kNeeded));
    started_.get_future().wait();
  }
  ~ReadPoolTest() override { Release(); }

  void Release() {
    if (!std::exchange(is_released_, true)) release_.set_value();
  }
  // A read that notes its name when it is done.
  bool Run(ReadShare share, char name = '.') {
    return pool_.Run([this, name](bool) { order_ += name; }, share);
  }
  size_t Fill(ReadShare share) {
    size_t taken = 0;
    while (Run(share)) ++taken;
    return taken;
  }
  // Returns once that read, and what goes before it, is done. REQUIRES: called once.
  void ReleaseAndAwait(ReadShare share) {
    EXPECT_TRUE(pool_.Run([this](bool) { done_.set_value(); }, share));
    Release();
    done_.get_future().wait();
  }

  std::promise<void> started_;
  std::promise<void> release_;
  std::promise<void> done_;
  bool is_released_ = false;
  std::string order_;
  ReadPool pool_{1, 8};
};

TEST_F(ReadPoolTest, RefusesBeyondItsLimit) {
  EXPECT_EQ(Fill(ReadShare::kNeeded), 8u);
  EXPECT_FALSE(Run(ReadShare::kCalls));
  EXPECT_FALSE(Run(ReadShare::kPages));

  Release();
}

TEST_F(ReadPoolTest, GivesPagesHalfOfItsQueue) {
  EXPECT_EQ(Fill(ReadShare::kPages), 4u);
  EXPECT_TRUE(Run(ReadShare::kCalls));
  EXPECT_EQ(Fill(ReadShare::kNeeded), 3u);

  Release();
}

TEST_F(ReadPoolTest, KeepsAQuarterForWhatIsNeeded) {
  EXPECT_EQ(Fill(ReadShare::kCalls), 6u);
  EXPECT_FALSE(Run(ReadShare::kPages));
  EXPECT_EQ(Fill(ReadShare::kNeeded), 2u);

  Release();
}

TEST_F(ReadPoolTest, HasRoomAgainWhenPagesAreRead) {
  EXPECT_EQ(Fill(ReadShare::kPages), 4u);

  ReleaseAndAwait(ReadShare::kCalls);

  EXPECT_TRUE(Run(ReadShare::kPages));
}

TEST_F(ReadPoolTest, DoesWhatIsNeededFirst) {
  EXPECT_TRUE(Run(ReadShare::kPages, 'p'));
  EXPECT_TRUE(Run(ReadShare::kCalls, 'c'));
  EXPECT_TRUE(Run(ReadShare::kNeeded, 'n'));

  ReleaseAndAwait(ReadShare::kCalls);

  EXPECT_EQ(order_, "npc");
}

TEST(ReadPool, TellsWaitingTasksThatItStops) {
  std::promise<void> started;
  std::promise<void> release;
  std::string told;
  ReadPool pool(1, size_t{1} << 30);
  ASSERT_TRUE(pool.Run(
      [&](bool) {
        started.set_value();
        release.get_future().wait();
      },
      ReadShare::kNeeded));
  started.get_future().wait();
  for (const ReadShare share : {ReadShare::kNeeded, ReadShare::kCalls, ReadShare::kPages}) {
    ASSERT_TRUE(pool.Run([&](bool is_stopping) { told += is_stopping ? 's' : '-'; }, share));
  }

  std::thread stopper([&] { pool.Stop(); });
  while (pool.Run([](bool) {}, ReadShare::kNeeded)) std::this_thread::yield();
  release.set_value();
  stopper.join();

  EXPECT_EQ(told, "sss");
}

}  // namespace
}  // namespace confab::control
