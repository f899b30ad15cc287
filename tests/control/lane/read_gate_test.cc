#include "control/lane/read_gate.h"

#include <future>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace confab::control {
namespace {

// A gate of six reads at a time, of which four may be pages, before a pool whose only thread is
// busy until Release.
class ReadGateTest : public testing::Test {
 protected:
  ReadGateTest() {
    EXPECT_TRUE(pool_.Run(
        [this](bool) {
          started_.set_value();
          release_.get_future().wait();
        },
        ReadShare::kNeeded));
    started_.get_future().wait();
    lane_.Start(nullptr);
  }
  ~ReadGateTest() override {
    Release();
    pool_.Stop();
    lane_.Stop();
  }

  void Release() {
    if (!std::exchange(is_released_, true)) release_.set_value();
  }
  // On the lane. The name stands in `order_` once the read is answered there.
  void Read(char name, ReadShare share) {
    gate_.Read(
        [this, name](bool is_stopping) -> Lane::Task {
          return [this, name, is_stopping] {
            order_ += is_stopping ? '!' : name;
            if (name == kLast) done_.set_value();
          };
        },
        share);
  }
  // Runs `task` on the lane and waits for it.
  template <typename Task>
  void OnLane(Task task) {
    std::promise<void> done;
    auto future = done.get_future();
    lane_.Post([task = std::move(task), done = std::move(done)]() mutable {
      task();
      done.set_value();
    });
    future.wait();
  }

  static constexpr char kLast = '.';

  std::promise<void> started_;
  std::promise<void> release_;
  std::promise<void> done_;
  bool is_released_ = false;
  std::string order_;  // Confined to the lane.
  Lane lane_;
  ReadPool pool_{1};
  ReadGate gate_{lane_, pool_, 6};
};

TEST_F(ReadGateTest, LetsPagesBehindWhatIsNeeded) {
  OnLane([this] {
    for (const char name : {'1', '2', '3', '4', '5', '6'}) Read(name, ReadShare::kPages);
    Read('a', ReadShare::kNeeded);
    Read('b', ReadShare::kNeeded);
    Read('c', ReadShare::kNeeded);
    Read(kLast, ReadShare::kPages);
  });

  Release();
  done_.get_future().wait();

  // Four pages were with the pool, and two of the three: they go first there, and the third follows
  // as soon as the lane knows of one that is done.
  OnLane([this] {
    EXPECT_EQ(order_.substr(0, 2), "ab");
    EXPECT_LT(order_.find('c'), order_.find('5'));
    EXPECT_EQ(order_.size(), 10u);
  });
}

TEST_F(ReadGateTest, AsksAgainWhenThePoolWasFull) {
  while (pool_.Run([](bool) {}, ReadShare::kNeeded)) {
  }
  OnLane([this] {
    Read('1', ReadShare::kPages);
    Read(kLast, ReadShare::kNeeded);
  });

  Release();
  done_.get_future().wait();
  OnLane([this] { EXPECT_EQ(order_.find(kLast), 0u); });
}

TEST_F(ReadGateTest, AnswersWhatWaitsWhenItStops) {
  OnLane([this] {
    for (const char name : {'1', '2', '3', '4', '5'}) Read(name, ReadShare::kPages);
  });
  Release();
  pool_.Stop();
  OnLane([this] {
    gate_.Stop();
    Read('6', ReadShare::kPages);
  });
  lane_.Stop();

  EXPECT_EQ(order_.size(), 6u);
}

}  // namespace
}  // namespace confab::control
