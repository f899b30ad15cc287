#include "control/store_lease.h"

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/fakes/failing_store.h"
#include "tests/fakes/memory_store.h"

namespace confab::control {
namespace {

using storage::FailingStore;
using storage::MemoryDatabase;
using storage::MemoryStore;
using storage::StoreCall;

// Runs a lease on a memory database and lets a test wait for what it says.
class StoreLeaseTest : public testing::Test {
 protected:
  StoreLeaseOptions Options() {
    StoreLeaseOptions options;
    options.store_name = "memory";
    options.open = [this]() -> absl::StatusOr<std::unique_ptr<storage::Store>> {
      Note("open");
      if (!open_answer_.ok()) return std::exchange(open_answer_, open_answer_after_);
      auto memory = std::make_unique<MemoryStore>(database_);
      memory_ = memory.get();
      auto store = std::make_unique<FailingStore>(std::move(memory));
      store_ = store.get();
      return store;
    };
    options.on_active = [this](storage::Store&) { Note("active"); };
    options.on_serving = [this](bool serving) { Note(serving ? "serving" : "not serving"); };
    options.on_fatal = [this](const absl::Status& why) {
      Note("fatal: " + std::string(why.message()));
    };
    options.lock_interval = absl::Milliseconds(1);
    options.ping_interval = absl::Milliseconds(1);
    options.retry_min = absl::Milliseconds(1);
    options.retry_max = absl::Milliseconds(2);
    return options;
  }

  void Note(const std::string& what) {
    const std::lock_guard lock(mu_);
    notes_.push_back(what);
    changed_.notify_all();
  }

  // The first note that starts with `what` and was not awaited before.
  bool Await(const std::string& what) {
    std::unique_lock lock(mu_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] {
      for (; seen_ < notes_.size(); ++seen_) {
        if (notes_[seen_].starts_with(what)) return ++seen_, true;
      }
      return false;
    });
  }

  bool AwaitReadiness(const StoreLease& lease, const std::string& text) {
    const absl::Time until = absl::Now() + absl::Seconds(10);
    while (absl::Now() < until) {
      const absl::Status status = lease.Readiness();
      if (text.empty() ? status.ok() : status.message().find(text) != absl::string_view::npos) {
        return true;
      }
      std::this_thread::yield();
    }
    return false;
  }

  std::shared_ptr<MemoryDatabase> database_ = std::make_shared<MemoryDatabase>();
  absl::Status open_answer_;
  absl::Status open_answer_after_;
  FailingStore* store_ = nullptr;
  MemoryStore* memory_ = nullptr;
  std::mutex mu_;
  std::condition_variable changed_;
  std::vector<std::string> notes_;
  size_t seen_ = 0;
};

TEST_F(StoreLeaseTest, BecomesActiveAndReady) {
  StoreLease lease(Options());
  EXPECT_FALSE(lease.Readiness().ok());

  lease.Start();

  ASSERT_TRUE(Await("active"));
  ASSERT_TRUE(Await("serving"));
  EXPECT_TRUE(AwaitReadiness(lease, ""));
  EXPECT_TRUE(lease.is_active());
  lease.Stop();
  EXPECT_FALSE(lease.is_active());
}

TEST_F(StoreLeaseTest, TriesAgainWhileTheStoreCannotBeReached) {
  open_answer_ = absl::UnavailableError("connection refused");
  open_answer_after_ = absl::OkStatus();
  StoreLease lease(Options());

  lease.Start();

  ASSERT_TRUE(Await("open"));
  ASSERT_TRUE(Await("open"));
  EXPECT_TRUE(Await("active"));
}

TEST_F(StoreLeaseTest, GivesUpOnAStoreThatMustNotBeUsed) {
  open_answer_ = absl::FailedPreconditionError("fsync is off");
  StoreLease lease(Options());

  lease.Start();

  ASSERT_TRUE(Await("fatal: the store memory cannot be used: fsync is off"));
  EXPECT_FALSE(lease.is_active());
}

TEST_F(StoreLeaseTest, StandsByUntilTheLockIsFree) {
  auto other = std::make_unique<MemoryStore>(database_);
  ASSERT_TRUE(*other->TryBecomeActive());
  StoreLease lease(Options());

  lease.Start();
  ASSERT_TRUE(AwaitReadiness(lease, "standby"));
  EXPECT_FALSE(lease.is_active());
  other.reset();

  EXPECT_TRUE(Await("active"));
  EXPECT_TRUE(AwaitReadiness(lease, ""));
}

TEST_F(StoreLeaseTest, GivesUpAsAStandbyWhenTheSchemaHasBecomeTooNew) {
  auto other = std::make_unique<MemoryStore>(database_);
  ASSERT_TRUE(*other->TryBecomeActive());
  StoreLease lease(Options());
  lease.Start();
  ASSERT_TRUE(AwaitReadiness(lease, "standby"));

  store_->FailAlways(StoreCall::kTryBecomeActive, absl::FailedPreconditionError("version 99"));

  EXPECT_TRUE(Await("fatal: the store memory cannot be used: version 99"));
  EXPECT_FALSE(lease.is_active());
}

TEST_F(StoreLeaseTest, EndsWhenItHasLostTheLock) {
  StoreLease lease(Options());
  lease.Start();
  ASSERT_TRUE(Await("serving"));

  memory_->LoseLockForTest();

  EXPECT_TRUE(Await("fatal: the lock of the store memory was lost"));
  EXPECT_FALSE(lease.Readiness().ok());
}

TEST_F(StoreLeaseTest, StaysActiveWhileTheStoreCannotBeAsked) {
  StoreLease lease(Options());
  lease.Start();
  ASSERT_TRUE(Await("serving"));

  store_->Fail(StoreCall::kIsActive, absl::UnavailableError("gone fishing"), 1, 3);
  store_->Fail(StoreCall::kPing, absl::UnavailableError("gone fishing"));

  ASSERT_TRUE(Await("not serving"));
  ASSERT_TRUE(Await("serving"));
  EXPECT_TRUE(lease.is_active());
}

TEST_F(StoreLeaseTest, SaysWhenTheStoreStopsAnswering) {
  StoreLease lease(Options());
  lease.Start();
  ASSERT_TRUE(Await("serving"));

  store_->FailAlways(StoreCall::kPing, absl::UnavailableError("gone fishing"));

  ASSERT_TRUE(Await("not serving"));
  EXPECT_TRUE(AwaitReadiness(lease, "gone fishing"));
  EXPECT_TRUE(lease.is_active());
  store_->Heal();
  EXPECT_TRUE(Await("serving"));
}

}  // namespace
}  // namespace confab::control
