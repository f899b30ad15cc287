#include "edge/connection/heartbeat.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace confab::edge {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using SteadyTime = Heartbeat::SteadyTime;

SteadyTime g_now{seconds(1'000)};

class HeartbeatTest : public testing::Test, protected Heartbeat::Owner {
 protected:
  HeartbeatTest() {
    limits_.now = [] { return g_now; };
    heartbeat_.emplace(static_cast<Heartbeat::Owner&>(*this), wheel_, limits_, g_now);
  }

  void SendPing() override {
    done_.push_back("ping");
    if (answers_) heartbeat_->OnPong();
  }
  void OnTimeUp(CloseReason reason) override { done_.emplace_back(TraitsOf(reason).word); }
  SteadyTime CheckTokens(SteadyTime now) override {
    if (now < token_check_) return token_check_;
    done_.push_back("token");
    token_check_ = SteadyTime::max();
    if (ends_) heartbeat_->Stop();
    return token_check_;
  }
  void OnEndDue() override { done_.push_back("end"); }

  void Pass(milliseconds time) {
    for (const SteadyTime until = g_now + time; g_now < until;) {
      g_now += absl::ToChronoMilliseconds(TimerWheel::kTick);
      wheel_.Tick();
    }
  }
  std::vector<std::string> Take() { return std::exchange(done_, {}); }

  TimerWheel wheel_;
  HeartbeatLimits limits_;
  std::optional<Heartbeat> heartbeat_;
  std::vector<std::string> done_;
  SteadyTime token_check_ = SteadyTime::max();
  bool answers_ = true;
  bool ends_ = false;
};

TEST_F(HeartbeatTest, EndsWhoShowsNoToken) {
  Pass(seconds(9));
  EXPECT_THAT(Take(), IsEmpty());

  Pass(seconds(2));

  EXPECT_THAT(Take(), ElementsAre("HANDSHAKE_TIMEOUT"));
}

TEST_F(HeartbeatTest, EndsWhoWaitsForControlInVain) {
  heartbeat_->OnAuthenticated();

  Pass(seconds(11));

  EXPECT_THAT(Take(), ElementsAre("UNAVAILABLE"));
}

TEST_F(HeartbeatTest, PingsAnIntervalAfterThePong) {
  heartbeat_->OnAdmitted();

  Pass(seconds(52));

  EXPECT_THAT(Take(), ElementsAre("ping", "ping"));
}

TEST_F(HeartbeatTest, SaysOnceWhenTheSessionHasToGoAndPingsOn) {
  heartbeat_->OnAdmitted();
  heartbeat_->EndIn(absl::Seconds(10));

  Pass(seconds(9));
  EXPECT_THAT(Take(), IsEmpty());
  Pass(seconds(20));

  EXPECT_THAT(Take(), ElementsAre("end", "ping"));
}

TEST_F(HeartbeatTest, SaysNothingOfAnEndThatHasComeOtherwise) {
  heartbeat_->EndIn(absl::Seconds(5));
  heartbeat_->Stop();

  Pass(seconds(20));

  EXPECT_THAT(Take(), IsEmpty());
}

TEST_F(HeartbeatTest, EndsWhoDoesNotAnswer) {
  answers_ = false;
  heartbeat_->OnAdmitted();

  Pass(seconds(44));
  EXPECT_THAT(Take(), ElementsAre("ping"));
  Pass(seconds(2));

  EXPECT_THAT(Take(), ElementsAre("PING_TIMEOUT"));
}

TEST_F(HeartbeatTest, ChecksATokenWhenItIsDueWhateverIsPinged) {
  token_check_ = g_now + seconds(40);
  heartbeat_->OnAdmitted();

  Pass(milliseconds(39'750));
  EXPECT_THAT(Take(), ElementsAre("ping"));
  Pass(milliseconds(750));

  EXPECT_THAT(Take(), ElementsAre("token"));
}

TEST_F(HeartbeatTest, ChecksATokenWhileAPongIsAwaited) {
  answers_ = false;
  token_check_ = g_now + seconds(30);
  heartbeat_->OnAdmitted();

  Pass(seconds(31));

  EXPECT_THAT(Take(), ElementsAre("ping", "token"));
}

TEST_F(HeartbeatTest, LooksAnewWhenATokenWasRenewed) {
  token_check_ = g_now + seconds(40);
  heartbeat_->OnAdmitted();
  Pass(seconds(10));

  token_check_ = g_now + seconds(5);
  heartbeat_->OnTokens();
  Pass(seconds(6));

  EXPECT_THAT(Take(), ElementsAre("token"));
}

TEST_F(HeartbeatTest, IsOverWhenATokenEndsIt) {
  token_check_ = g_now + seconds(5);
  ends_ = true;
  heartbeat_->OnAdmitted();

  Pass(seconds(60));

  EXPECT_THAT(Take(), ElementsAre("token"));
}

TEST_F(HeartbeatTest, DoesWhatIsDueWhenItIsAsked) {
  token_check_ = g_now + seconds(5);
  heartbeat_->OnAdmitted();
  Pass(seconds(1));

  g_now += seconds(5);
  heartbeat_->Check();

  EXPECT_THAT(Take(), ElementsAre("token"));
}

}  // namespace
}  // namespace confab::edge
