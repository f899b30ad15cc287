#include "control/presence/presence_tracker.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace confab::control {
namespace {

using storage::UserId;
using testing::ElementsAre;
using testing::IsEmpty;

class PresenceTrackerTest : public testing::Test {
 protected:
  PresenceTrackerTest() { Attach("e1"); }

  static absl::Time At(double seconds) {
    return absl::FromUnixSeconds(1'000'000) + absl::Seconds(seconds);
  }
  static OpenedConnection Opened(uint64_t connection, const std::string& user, bool beats = false,
                                 const std::string& device = "") {
    OpenedConnection opened;
    opened.connection = connection;
    opened.user = UserId(user);
    opened.device_id = device;
    opened.awaits_heartbeat = beats;
    return opened;
  }
  void Attach(const std::string& edge, std::vector<OpenedConnection> connections = {},
              double at = 0, uint64_t epoch = 1) {
    tracker_.Attach(edge, epoch, connections, At(at));
  }
  void Open(uint64_t connection, const std::string& user, double at, const std::string& edge = "e1",
            bool beats = false, const std::string& device = "") {
    tracker_.Open(edge, Opened(connection, user, beats, device), At(at));
  }
  void Close(uint64_t connection, const std::string& user, double at,
             const std::string& edge = "e1") {
    ClosedConnection closed;
    closed.connection = connection;
    closed.user = UserId(user);
    tracker_.Close(edge, closed, At(at));
  }
  // Refreshes the lease of e1 by the way, as an edge does.
  std::vector<std::string> ChangedAt(double at) {
    tracker_.Refresh("e1", At(at));
    return Lapsing(at);
  }
  std::vector<std::string> Lapsing(double at) {
    std::vector<std::string> changed;
    for (const UserId& user : tracker_.Advance(At(at)).changed) {
      changed.push_back(user.value + (IsOnline(user.value) ? "+" : "-"));
    }
    return changed;
  }
  bool IsOnline(const std::string& user) const { return View(user).is_online; }
  PresenceView View(const std::string& user) const { return tracker_.ViewOf(UserId(user)); }

  PresenceTracker tracker_{PresenceTimes{}};
};

TEST_F(PresenceTrackerTest, IsOnlineAtOnceAndOfflineAfterTheDebounce) {
  Open(1, "ann", 1);
  EXPECT_THAT(ChangedAt(1), ElementsAre("ann+"));
  Close(1, "ann", 10);

  EXPECT_THAT(ChangedAt(14.9), IsEmpty());
  EXPECT_THAT(ChangedAt(15), ElementsAre("ann-"));
  EXPECT_EQ(View("ann").last_seen, At(10)) << "not when the debounce was over";
}

TEST_F(PresenceTrackerTest, TakesAReloadForNothing) {
  Open(1, "ann", 0);
  ChangedAt(0);

  Close(1, "ann", 10);
  Open(2, "ann", 14.9);

  EXPECT_THAT(ChangedAt(30), IsEmpty());
  EXPECT_TRUE(IsOnline("ann"));
}

TEST_F(PresenceTrackerTest, CountsEveryDevice) {
  Open(1, "ann", 0, "e1", false, "phone");
  Open(2, "ann", 0, "e1", false, "desk");
  ChangedAt(0);

  Close(1, "ann", 1);

  EXPECT_THAT(ChangedAt(40), IsEmpty());
  const auto connections = tracker_.ConnectionsOf(UserId("ann"));
  ASSERT_EQ(connections.size(), 1u);
  EXPECT_EQ(connections[0].device_id, "desk");
}

TEST_F(PresenceTrackerTest, EndsWithTheLeaseOfTheEdge) {
  Attach("e2", {Opened(1, "bob"), Opened(2, "eve")});
  Open(9, "eve", 0);
  tracker_.Refresh("e2", At(15));
  ChangedAt(15);

  ChangedAt(59.9);
  EXPECT_TRUE(IsOnline("bob"));
  const PresenceTracker::Outcome outcome = tracker_.Advance(At(60));

  EXPECT_THAT(outcome.lapsed_edges, ElementsAre("e2"));
  EXPECT_THAT(ChangedAt(65), ElementsAre("bob-")) << "eve has another edge";
  EXPECT_EQ(View("bob").last_seen, At(15)) << "when the edge was last heard";
  EXPECT_THAT(tracker_.ConnectionsOf(UserId("bob")), IsEmpty());
}

TEST_F(PresenceTrackerTest, KeepsWhatAnEdgeStillHasWhenItComesBack) {
  Attach("e2", {Opened(1, "bob"), Opened(2, "eve")});
  ChangedAt(0);
  tracker_.Detach("e2");

  Attach("e2", {Opened(1, "bob")}, 40);

  EXPECT_THAT(ChangedAt(44.9), IsEmpty());
  EXPECT_THAT(ChangedAt(45), ElementsAre("eve-"));
  EXPECT_TRUE(IsOnline("bob"));
  EXPECT_EQ(tracker_.ConnectionsOf(UserId("bob"))[0].since, At(0));
}

TEST_F(PresenceTrackerTest, TakesAnEdgesNewStartForOther) {
  Attach("e2", {Opened(1, "bob")});
  ChangedAt(0);

  Attach("e2", {Opened(1, "eve")}, 10, 2);

  EXPECT_THAT(ChangedAt(10), ElementsAre("eve+"));
  EXPECT_THAT(ChangedAt(15), ElementsAre("bob-"));
}

TEST_F(PresenceTrackerTest, TakesAReturnOnAnotherEdgeForNothing) {
  Attach("e2", {Opened(1, "bob")});
  ChangedAt(0);
  Open(5, "bob", 44);

  EXPECT_THAT(ChangedAt(50), IsEmpty());
  EXPECT_THAT(ChangedAt(100), IsEmpty());
  EXPECT_TRUE(IsOnline("bob"));
}

TEST_F(PresenceTrackerTest, ArmsAHeartbeatByItsFirst) {
  Open(1, "ann", 0);
  ChangedAt(0);
  EXPECT_THAT(ChangedAt(40), IsEmpty());
  ChangedAt(80);
  tracker_.Heartbeat("e1", 1, At(90));
  for (int at = 90; at < 150; at += 10) EXPECT_THAT(ChangedAt(at), IsEmpty());

  EXPECT_THAT(ChangedAt(150), IsEmpty()) << "missing, the debounce begins";
  EXPECT_THAT(ChangedAt(155), ElementsAre("ann-"));

  EXPECT_EQ(View("ann").last_seen, At(90));
  EXPECT_EQ(tracker_.ConnectionsOf(UserId("ann")).size(), 1u) << "the socket is not closed";
  EXPECT_FALSE(tracker_.ConnectionsOf(UserId("ann"))[0].is_live);
}

TEST_F(PresenceTrackerTest, ComesBackWithAHeartbeat) {
  Open(1, "ann", 0, "e1", true);
  for (int at = 0; at <= 70; at += 10) ChangedAt(at);
  ASSERT_FALSE(IsOnline("ann"));

  tracker_.Heartbeat("e1", 1, At(80));

  EXPECT_THAT(ChangedAt(80), ElementsAre("ann+"));
  for (int at = 90; at < 140; at += 10) EXPECT_THAT(ChangedAt(at), IsEmpty());
  ChangedAt(140);
  EXPECT_THAT(ChangedAt(145), ElementsAre("ann-")) << "and is awaited again";
}

TEST_F(PresenceTrackerTest, BlamesNoClientForHeartbeatsWhileItsEdgeIsAway) {
  Open(1, "ann", 0, "e1", true);
  ChangedAt(0);
  tracker_.Heartbeat("e1", 1, At(20));
  tracker_.Refresh("e1", At(30));
  tracker_.Detach("e1");

  EXPECT_THAT(Lapsing(74), IsEmpty());
  Attach("e1", {Opened(1, "ann", true)}, 74);
  EXPECT_THAT(ChangedAt(100), IsEmpty()) << "80 s after the last one that came";
  tracker_.Heartbeat("e1", 1, At(110));

  EXPECT_THAT(ChangedAt(140), IsEmpty());
  EXPECT_THAT(ChangedAt(169), IsEmpty());
}

TEST_F(PresenceTrackerTest, ShowsAStatusWhileTheUserIsOnline) {
  Open(1, "ann", 0);
  ChangedAt(0);

  tracker_.Choose(UserId("ann"), UserStatus::kDnd, "in a talk");
  EXPECT_THAT(ChangedAt(1), ElementsAre("ann+"));
  EXPECT_EQ(View("ann").status, UserStatus::kDnd);
  EXPECT_EQ(View("ann").text, "in a talk");
  Close(1, "ann", 2);
  ChangedAt(10);
  EXPECT_EQ(View("ann").text, "");

  Open(2, "ann", 20);
  EXPECT_EQ(View("ann").text, "in a talk") << "kept over her absence";
}

TEST_F(PresenceTrackerTest, ForgetsTheLongestUnseen) {
  PresenceTracker tracker(PresenceTimes{}, 2);
  tracker.Attach("e1", 1, {}, At(0));
  for (uint64_t i = 1; i <= 4; ++i) {
    tracker.Open("e1", Opened(i, "u" + std::to_string(i)), At(0));
  }
  for (uint64_t i = 1; i <= 3; ++i) {
    ClosedConnection closed;
    closed.connection = i;
    closed.user = UserId("u" + std::to_string(i));
    tracker.Close("e1", closed, At(static_cast<double>(i)));
  }

  tracker.Advance(At(20));

  EXPECT_EQ(tracker.users(), 3u);
  EXPECT_EQ(tracker.ViewOf(UserId("u1")).last_seen, absl::InfinitePast());
  EXPECT_EQ(tracker.ViewOf(UserId("u2")).last_seen, At(2));
  EXPECT_THAT(tracker.UsersWithConnections(UserId(""), 10), ElementsAre(UserId("u4")));
}

TEST_F(PresenceTrackerTest, PassesOverWhatNobodyKnows) {
  Close(7, "ann", 0);
  Open(1, "ann", 0, "e9");
  tracker_.Heartbeat("e1", 9, At(0));
  tracker_.Heartbeat("e9", 1, At(0));
  tracker_.Choose(UserId("ann"), UserStatus::kAway, "");
  tracker_.Refresh("e9", At(0));
  tracker_.Detach("e9");

  EXPECT_THAT(ChangedAt(30), IsEmpty());
  EXPECT_EQ(tracker_.users(), 0u);
}

}  // namespace
}  // namespace confab::control
