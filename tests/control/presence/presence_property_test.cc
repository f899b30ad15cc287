// 10^5 random schedules of connects, losses, heartbeats, leases and returns, against a model that
// looks at everything every time: nobody unseen, no ghost, no flap.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "control/presence/presence_tracker.h"

namespace confab::control {
namespace {

using storage::UserId;

constexpr int kSchedules = 100'000;
constexpr int kSteps = 30;
constexpr size_t kUsers = 3;
constexpr size_t kEdges = 2;

// Tenths of a second.
using Tick = int64_t;
constexpr Tick kLease = 450;
constexpr Tick kHeartbeat = 600;
constexpr Tick kDebounce = 50;

absl::Time At(Tick tick) {
  return absl::FromUnixSeconds(1'000'000) + tick * absl::Milliseconds(100);
}
UserId UserOf(size_t user) { return UserId(fmt::format("u{}", user)); }
std::string EdgeOf(size_t edge) { return fmt::format("e{}", edge); }

struct ModelConnection {
  size_t user = 0;
  Tick beat = -1;  // The client's newest heartbeat; -1: it has none.
  bool is_missing = false;
};
using Connections = std::map<uint64_t, ModelConnection>;

struct ModelEdge {
  Connections has;     // What it really carries.
  Connections counts;  // What control may count on.
  bool is_attached = false;
  bool is_known = false;  // Its lease holds.
  uint64_t epoch = 1;
  Tick heard = 0;
};

class Schedule {
 public:
  explicit Schedule(uint64_t seed) : random_(seed) {}

  // What went wrong; empty: nothing.
  std::string Run() {
    for (int step = 0; step < kSteps && fault_.empty(); ++step) {
      now_ += static_cast<Tick>(Pick(Pick(4) == 0 ? 700 : 40));
      Act(Pick(kEdges));
      See();
      if (Pick(3) != 0) Look();
    }
    for (const Tick pause : {kLease + kHeartbeat, kDebounce}) {
      now_ += pause;
      Look();
    }
    for (size_t user = 0; user < kUsers; ++user) {
      if (shown_[user]) Fault(user, "is a ghost at the end");
    }
    return fault_;
  }

 private:
  size_t Pick(size_t below) { return random_() % below; }
  void Fault(size_t user, const std::string& what) {
    if (fault_.empty()) fault_ = fmt::format("user {} {}, at {}", user, what, now_);
  }
  static OpenedConnection Opened(uint64_t number, const ModelConnection& connection) {
    OpenedConnection opened;
    opened.connection = number;
    opened.user = UserOf(connection.user);
    return opened;
  }
  Connections::iterator Any(Connections& connections) {
    return std::next(connections.begin(), static_cast<std::ptrdiff_t>(Pick(connections.size())));
  }

  // --- What happens.
  void Act(size_t index) {
    ModelEdge& edge = edges_[index];
    const size_t what = Pick(10);
    if (!edge.is_attached || what == 0) return Attach(EdgeOf(index), edge);
    if (what == 1) return Detach(EdgeOf(index), edge);
    if (what == 2) return Refresh(EdgeOf(index), edge);
    if (what <= 5 || edge.has.empty()) return Connect(EdgeOf(index), edge);
    if (what <= 8) return Disconnect(EdgeOf(index), edge);
    Beat(EdgeOf(index), edge);
  }

  // The first time, back from an absence in which clients came and went, or started anew.
  void Attach(const std::string& id, ModelEdge& edge) {
    const bool is_new = Pick(4) == 0;
    if (is_new) {
      ++edge.epoch;
      edge.has.clear();
      edge.counts.clear();
    }
    while (!edge.has.empty() && Pick(3) == 0) edge.has.erase(Any(edge.has));
    if (Pick(2) == 0) edge.has[++numbers_].user = Pick(kUsers);
    std::vector<OpenedConnection> announced;
    for (const auto& [number, connection] : edge.has) {
      announced.push_back(Opened(number, connection));
    }
    tracker_.Attach(id, edge.epoch, announced, At(now_));
    std::erase_if(edge.counts, [&](const auto& entry) { return !edge.has.contains(entry.first); });
    for (auto& [number, connection] : edge.counts) {
      if (connection.beat >= 0) connection.beat = now_;
    }
    edge.counts.insert(edge.has.begin(), edge.has.end());
    edge.is_attached = edge.is_known = true;
    edge.heard = now_;
  }

  void Detach(const std::string& id, ModelEdge& edge) {
    tracker_.Detach(id);
    edge.is_attached = false;
  }

  void Refresh(const std::string& id, ModelEdge& edge) {
    tracker_.Refresh(id, At(now_));
    edge.heard = now_;
  }

  void Connect(const std::string& id, ModelEdge& edge) {
    ModelConnection connection;
    connection.user = Pick(kUsers);
    edge.has[++numbers_] = connection;
    if (edge.is_known) edge.counts[numbers_] = connection;
    tracker_.Open(id, Opened(numbers_, connection), At(now_));
  }

  void Disconnect(const std::string& id, ModelEdge& edge) {
    const auto gone = Any(edge.has);
    ClosedConnection closed;
    closed.connection = gone->first;
    closed.user = UserOf(gone->second.user);
    tracker_.Close(id, closed, At(now_));
    edge.counts.erase(gone->first);
    edge.has.erase(gone);
  }

  void Beat(const std::string& id, ModelEdge& edge) {
    const uint64_t number = Any(edge.has)->first;
    tracker_.Heartbeat(id, number, At(now_));
    const auto counted = edge.counts.find(number);
    if (counted == edge.counts.end()) return;
    counted->second.beat = now_;
    counted->second.is_missing = false;
  }

  // --- What should be seen.
  bool IsLive(size_t user) const {
    for (const ModelEdge& edge : edges_) {
      for (const auto& [number, connection] : edge.counts) {
        if (connection.user == user && !connection.is_missing) return true;
      }
    }
    return false;
  }

  // Remembers since when each user is gone.
  void See() {
    for (size_t user = 0; user < kUsers; ++user) {
      if (IsLive(user)) {
        gone_since_[user].reset();
      } else if (!gone_since_[user]) {
        gone_since_[user] = now_;
      }
    }
  }

  // Leases end and heartbeats miss where somebody looks.
  void Look() {
    for (ModelEdge& edge : edges_) {
      if (edge.is_known && edge.heard + kLease <= now_) {
        edge.is_known = false;
        edge.counts.clear();
      }
      for (auto& [number, connection] : edge.counts) {
        connection.is_missing |=
            edge.is_attached && connection.beat >= 0 && connection.beat + kHeartbeat <= now_;
      }
    }
    See();
    const PresenceTracker::Outcome outcome = tracker_.Advance(At(now_));
    for (size_t user = 0; user < kUsers; ++user) Compare(user, outcome.changed);
  }

  void Compare(size_t user, const std::vector<UserId>& changed) {
    const bool is_shown = tracker_.ViewOf(UserOf(user)).is_online;
    const bool is_told = std::find(changed.begin(), changed.end(), UserOf(user)) != changed.end();
    const bool was_shown = std::exchange(shown_[user], is_shown);
    if (is_shown != was_shown && !is_told) Fault(user, "has changed untold");
    if (!gone_since_[user]) {
      if (!is_shown) Fault(user, "is there and unseen");
      return;
    }
    const Tick gone_for = now_ - *gone_since_[user];
    if (gone_for >= kDebounce && is_shown) Fault(user, "is a ghost");
    if (gone_for < kDebounce && was_shown && !is_shown) Fault(user, "flaps");
  }

  std::mt19937_64 random_;
  PresenceTracker tracker_{PresenceTimes{}};
  std::array<ModelEdge, kEdges> edges_;
  uint64_t numbers_ = 0;
  Tick now_ = 0;
  std::array<bool, kUsers> shown_{};
  std::array<std::optional<Tick>, kUsers> gone_since_{};
  std::string fault_;
};

TEST(PresenceProperty, HasNoGhostAndNoFlapInAnyOrder) {
  const char* given = std::getenv("CONFAB_TEST_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));

  for (uint64_t i = 0; i < kSchedules; ++i) {
    ASSERT_EQ(Schedule(seed + i).Run(), "") << "CONFAB_TEST_SEED=" << seed + i;
  }
}

}  // namespace
}  // namespace confab::control
