#include "edge/transport/send_queue.h"

#include <map>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "edge/transport/event_loop.h"

namespace confab::edge {
namespace {

using Taken = SendQueue::Taken;

class NoSessions final : public SessionFactory {
 public:
  std::unique_ptr<Session> OpenSession(OpenRequest, Transport&) override { return nullptr; }
};

// A queue of at most 1,000 bytes; frames of 100.
class SendQueueTest : public testing::Test, protected Backlog::Reader {
 protected:
  SendQueueTest() {
    home_.limits.outbox_bytes = 1'000;
    home_.slow.degraded = &degraded_;
    home_.slow.dropped[static_cast<std::size_t>(DeliveryClass::kLogged)] = &dropped_;
    queue_.emplace(static_cast<Backlog::Reader&>(*this), home_);
  }

  Taken Log(std::uint64_t key, std::int64_t seq, std::size_t size = 100) {
    SharedFrame frame = SharedFrame::Copy(std::string(size, 'l'));
    frame.SetPlace({.key = key, .seq = seq});
    return queue_->Append(frame, DeliveryClass::kLogged);
  }
  Taken Say(DeliveryClass delivery, std::size_t size = 100) {
    return queue_->Append(SharedFrame::Copy(std::string(size, 'c')), delivery);
  }
  void Fill(std::uint64_t key, std::int64_t first, std::int64_t last) {
    for (std::int64_t seq = first; seq <= last; ++seq) ASSERT_EQ(Log(key, seq), Taken::kQueued);
  }
  // "key:first ..." of what was dropped since the last call, by key.
  std::string Dropped() {
    std::map<std::uint64_t, std::int64_t> sorted;
    for (const edge::Dropped& one : queue_->TakeDropped()) sorted[one.key] = one.first_seq;
    std::string text;
    for (const auto& [key, first] : sorted) {
      text += std::to_string(key) + ":" + std::to_string(first) + " ";
    }
    return text;
  }
  void Pass(absl::Duration time) {
    TimerWheel& wheel = loop_.wheel();
    for (absl::Duration passed; passed < time; passed += wheel.tick()) wheel.Tick();
  }
  void OnStalled() override { ++stalled_; }

  EventLoop loop_;
  NoSessions sessions_;
  TransportHome home_{
      .loop = loop_, .sessions = sessions_, .list = {}, .limits = {}, .sid_place = {}};
  process::Counter degraded_;
  process::Counter dropped_;
  std::optional<SendQueue> queue_;
  int stalled_ = 0;
};

TEST_F(SendQueueTest, QueuesEverythingForAReaderThatKeepsUp) {
  EXPECT_EQ(Log(1, 1), Taken::kQueued);
  EXPECT_EQ(Say(DeliveryClass::kDroppable), Taken::kQueued);
  EXPECT_EQ(Say(DeliveryClass::kLatest), Taken::kQueued);
  EXPECT_EQ(Say(DeliveryClass::kControl), Taken::kQueued);

  EXPECT_EQ(queue_->bytes(), 400u);
  EXPECT_EQ(loop_.queued_bytes(), 400);
}

TEST_F(SendQueueTest, PassesOverWhatIsOnlyLiveFromHalfOfTheLimitToAQuarter) {
  Fill(1, 1, 5);

  EXPECT_EQ(Say(DeliveryClass::kDroppable), Taken::kPassed);
  EXPECT_EQ(Say(DeliveryClass::kLatest), Taken::kPassed);
  EXPECT_EQ(Say(DeliveryClass::kControl), Taken::kQueued);
  queue_->Consume(300);
  EXPECT_EQ(Say(DeliveryClass::kDroppable), Taken::kPassed) << "300 bytes wait";
  queue_->Consume(100);
  EXPECT_EQ(Say(DeliveryClass::kDroppable), Taken::kQueued);
}

TEST_F(SendQueueTest, DropsAndNotesWhatIsLoggedWhereSomethingDoesNotFit) {
  Fill(1, 3, 7);
  Fill(2, 20, 24);
  ASSERT_FALSE(queue_->has_dropped());

  EXPECT_EQ(Log(1, 8), Taken::kNoted);

  EXPECT_TRUE(queue_->has_dropped());
  EXPECT_EQ(queue_->bytes(), 0u);
  EXPECT_EQ(loop_.queued_bytes(), 0);
  EXPECT_EQ(Log(3, 40), Taken::kNoted) << "until it is told nothing of any log is queued";
  EXPECT_EQ(Say(DeliveryClass::kControl), Taken::kQueued);
  EXPECT_EQ(Dropped(), "1:3 2:20 3:40 ");
  EXPECT_EQ(Log(4, 1), Taken::kQueued) << "of a room of which nothing was dropped";
  EXPECT_EQ(degraded_.value(), 1u);
  EXPECT_EQ(dropped_.value(), 12u);
}

TEST_F(SendQueueTest, LeavesWhatIsHalfSent) {
  Fill(1, 1, 10);
  queue_->Consume(130);

  ASSERT_EQ(Log(1, 11, 200), Taken::kNoted);

  EXPECT_EQ(Dropped(), "1:3 ");
  EXPECT_EQ(queue_->bytes(), 70u);
}

TEST_F(SendQueueTest, CountsOnlyWhereSomethingOfALogWasDropped) {
  ASSERT_EQ(Say(DeliveryClass::kControl), Taken::kQueued);
  queue_->Degrade();
  EXPECT_EQ(degraded_.value(), 0u);
  queue_->OnReady();

  Fill(1, 1, 4);
  queue_->Degrade();
  queue_->Degrade();

  EXPECT_EQ(degraded_.value(), 1u);
  EXPECT_EQ(dropped_.value(), 4u);
  EXPECT_EQ(queue_->bytes(), 100u);
}

TEST_F(SendQueueTest, MakesRoomForWhatMayNotBeDropped) {
  Fill(1, 1, 10);

  EXPECT_EQ(Say(DeliveryClass::kControl, 300), Taken::kQueued);

  EXPECT_EQ(Dropped(), "1:1 ");
  EXPECT_EQ(queue_->bytes(), 300u);
}

TEST_F(SendQueueTest, GivesUpWhereWhatMayNotBeDroppedDoesNotFit) {
  for (int i = 0; i < 10; ++i) ASSERT_EQ(Say(DeliveryClass::kControl), Taken::kQueued);

  EXPECT_EQ(Say(DeliveryClass::kControl), Taken::kTooMuch);
  EXPECT_EQ(Log(1, 1), Taken::kNoted);

  EXPECT_EQ(queue_->bytes(), 1'000u);
}

TEST_F(SendQueueTest, DropsNothingThatCannotBeReadAgain) {
  for (int i = 0; i < 10; ++i) ASSERT_EQ(Log(0, 0), Taken::kQueued);

  EXPECT_EQ(Log(0, 0), Taken::kTooMuch);
}

TEST_F(SendQueueTest, HasNoRoomForWhatIsReadAgainBeforeTheReaderHasTakenSomething) {
  Fill(1, 1, 10);
  queue_->Consume(50);
  ASSERT_EQ(Log(1, 11), Taken::kNoted);
  EXPECT_FALSE(queue_->HasRoom());
  EXPECT_EQ(Dropped(), "1:2 ");
  EXPECT_FALSE(queue_->HasRoom());
  EXPECT_FALSE(queue_->HasRoomBelow(1));
  EXPECT_FALSE(queue_->HasRoomAgain());

  queue_->Consume(10);

  EXPECT_TRUE(queue_->HasRoomAgain());
  EXPECT_FALSE(queue_->HasRoomAgain()) << "told once";
  EXPECT_TRUE(queue_->HasRoom());
  EXPECT_FALSE(queue_->HasRoomBelow(1)) << "40 bytes of a frame wait";
}

TEST_F(SendQueueTest, TakesAReaderThatComesForAlive) {
  Fill(1, 1, 10);
  ASSERT_EQ(Log(1, 11), Taken::kNoted);
  EXPECT_FALSE(queue_->HasRoom());
  queue_->OnReady();
  EXPECT_FALSE(queue_->HasRoomAgain()) << "nobody knows yet what to read again";
  EXPECT_EQ(Dropped(), "1:1 ");

  EXPECT_TRUE(queue_->HasRoomAgain());
  queue_->OnReady();
  EXPECT_EQ(Say(DeliveryClass::kDroppable), Taken::kQueued) << "it keeps up again";
}

TEST_F(SendQueueTest, TellsOfAReaderThatTakesNothingOnlyWhereMuchWaits) {
  Fill(1, 1, 4);
  Pass(absl::Seconds(60));
  EXPECT_EQ(stalled_, 0);

  Fill(1, 5, 6);
  Pass(absl::Seconds(9));
  EXPECT_EQ(stalled_, 0);
  Pass(absl::Seconds(2));

  EXPECT_EQ(stalled_, 1);
}

TEST_F(SendQueueTest, CountsTheStallOnWhenItDegrades) {
  Fill(1, 1, 10);
  Pass(absl::Seconds(8));
  ASSERT_EQ(Log(1, 11), Taken::kNoted);
  EXPECT_EQ(Dropped(), "1:1 ");

  Pass(absl::Seconds(3));

  EXPECT_EQ(stalled_, 1);
}

TEST_F(SendQueueTest, ForgetsAReaderThatHasCaughtUp) {
  Fill(1, 1, 5);
  queue_->Consume(300);

  Pass(absl::Seconds(60));

  EXPECT_EQ(stalled_, 0);
}

TEST_F(SendQueueTest, AsksForAPageUnderPressureWhereAsGoodAsNothingWaits) {
  home_.limits.outbox_bytes = 1024 * 1024;
  SendQueue large(static_cast<Backlog::Reader&>(*this), home_);
  ASSERT_EQ(large.Append(SharedFrame::Copy(std::string(20'000, 'x')), DeliveryClass::kControl),
            Taken::kQueued);
  EXPECT_TRUE(large.HasRoom());

  home_.is_pressed = true;

  EXPECT_FALSE(large.HasRoom());
  large.Consume(19'000);
  EXPECT_TRUE(large.HasRoomAgain());
  EXPECT_TRUE(large.HasRoom());
}

}  // namespace
}  // namespace confab::edge
