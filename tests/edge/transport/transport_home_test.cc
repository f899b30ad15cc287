#include "edge/transport/transport_home.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "edge/transport/event_loop.h"

namespace confab::edge {
namespace {

class NoSessions final : public SessionFactory {
 public:
  std::unique_ptr<Session> OpenSession(OpenRequest, Transport&) override { return nullptr; }
};

// A transport as the list sees it.
class Waiting final : public TransportList::Node {
 public:
  Waiting(TransportList& list, std::size_t bytes, std::vector<std::size_t>& degraded)
      : degraded_(degraded), frame_(SharedFrame::Copy(std::string(bytes, 'x'))) {
    Join(list);
  }

 private:
  void OnServerDraining(absl::Duration) override {}
  void OnServerStopping() override {}
  std::size_t WaitingBytes() const override { return frame_.size(); }
  void Degrade() override {
    degraded_.push_back(frame_.size());
    frame_ = SharedFrame();
  }

  std::vector<std::size_t>& degraded_;
  SharedFrame frame_;
};

class OutboxBudget : public testing::Test {
 protected:
  OutboxBudget() {
    for (const std::size_t bytes : {300'000u, 100'000u, 400'000u, 200'000u}) {
      waiting_.push_back(std::make_unique<Waiting>(home_.list, bytes, degraded_));
    }
  }

  EventLoop loop_;
  NoSessions sessions_;
  TransportHome home_{
      .loop = loop_, .sessions = sessions_, .list = {}, .limits = {}, .sid_place = {}};
  std::vector<std::size_t> degraded_;
  std::vector<std::unique_ptr<Waiting>> waiting_;
};

TEST_F(OutboxBudget, LeavesEverybodyAloneBelowIt) {
  home_.limits.outbox_budget = 2'000'000;
  KeepOutboxBudget(home_);
  EXPECT_FALSE(home_.is_pressed);

  home_.limits.outbox_budget = 1'100'000;
  KeepOutboxBudget(home_);
  EXPECT_TRUE(home_.is_pressed) << "near it";

  EXPECT_TRUE(degraded_.empty());
}

TEST_F(OutboxBudget, DegradesTheLargestUntilItIsKept) {
  home_.limits.outbox_budget = 500'000;

  KeepOutboxBudget(home_);

  EXPECT_EQ(degraded_, (std::vector<std::size_t>{400'000, 300'000}));
  KeepOutboxBudget(home_);
  EXPECT_EQ(degraded_.size(), 2u);
}

TEST_F(OutboxBudget, IsNoneWhenOff) {
  home_.limits.outbox_budget = 0;

  KeepOutboxBudget(home_);

  EXPECT_FALSE(home_.is_pressed);
  EXPECT_TRUE(degraded_.empty());
}

}  // namespace
}  // namespace confab::edge
