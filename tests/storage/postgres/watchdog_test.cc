#include "storage/postgres/watchdog.h"

#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

namespace confab::storage {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SocketPair {
 public:
  SocketPair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_), 0); }
  ~SocketPair() {
    close(ends_[0]);
    close(ends_[1]);
  }
  int end() const { return ends_[0]; }
  // Blocks until the peer or the watchdog ends the stream; 0 bytes then.
  ssize_t Read() const {
    char byte = 0;
    return recv(ends_[0], &byte, 1, 0);
  }
  bool IsOpen() const {
    pollfd state{ends_[0], POLLIN, 0};
    return poll(&state, 1, 0) == 0;
  }

 private:
  int ends_[2] = {-1, -1};
};

TEST(Watchdog, EndsAWaitThatPassesItsLimit) {
  Watchdog watchdog;
  SocketPair socket;
  Watchdog::Session session(watchdog, socket.end());
  const Watchdog::Guard guard(session, milliseconds(30));

  EXPECT_EQ(socket.Read(), 0);
  EXPECT_TRUE(guard.has_fired());
}

TEST(Watchdog, LeavesAloneWhatEndsInTime) {
  Watchdog watchdog;
  SocketPair quick;
  SocketPair slow;
  Watchdog::Session quick_session(watchdog, quick.end());
  Watchdog::Session slow_session(watchdog, slow.end());
  for (int i = 0; i < 1000; ++i) {
    const Watchdog::Guard guard(quick_session, milliseconds(500));
    EXPECT_FALSE(guard.has_fired());
  }
  // By the time this one fires, the others would have.
  const Watchdog::Guard guard(slow_session, milliseconds(600));

  EXPECT_EQ(slow.Read(), 0);
  EXPECT_TRUE(quick.IsOpen());
}

TEST(Watchdog, AShortWaitIsNotHeldUpByALongOne) {
  Watchdog watchdog;
  SocketPair patient;
  SocketPair hasty;
  Watchdog::Session patient_session(watchdog, patient.end());
  Watchdog::Session hasty_session(watchdog, hasty.end());
  const Watchdog::Guard longer(patient_session, seconds(60));
  const Watchdog::Guard shorter(hasty_session, milliseconds(30));

  EXPECT_EQ(hasty.Read(), 0);
  EXPECT_TRUE(shorter.has_fired());
  EXPECT_FALSE(longer.has_fired());
  EXPECT_TRUE(patient.IsOpen());
}

TEST(Watchdog, ARestartCountsFromThenOn) {
  Watchdog watchdog;
  SocketPair restarted;
  SocketPair other;
  SocketPair third;
  Watchdog::Session session(watchdog, restarted.end());
  Watchdog::Session other_session(watchdog, other.end());
  Watchdog::Session third_session(watchdog, third.end());
  Watchdog::Guard guard(session, seconds(3));
  {
    const Watchdog::Guard first(other_session, milliseconds(1500));
    other.Read();
  }
  guard.Restart();
  const Watchdog::Guard later(third_session, seconds(2));
  third.Read();

  // 3.5 s after its start, 2 s after its restart.
  EXPECT_FALSE(guard.has_fired());
  EXPECT_EQ(restarted.Read(), 0);
}

// It slept for ever, then until something that was over by then.
TEST(Watchdog, NoticesAWaitThatBeginsWhileNothingElseIsUnderWay) {
  Watchdog watchdog;
  for (const auto limit : {milliseconds(1), milliseconds(30), milliseconds(1)}) {
    SocketPair socket;
    Watchdog::Session session(watchdog, socket.end());
    { const Watchdog::Guard over(session, milliseconds(60)); }
    const Watchdog::Guard guard(session, limit);

    EXPECT_EQ(socket.Read(), 0);
    EXPECT_TRUE(guard.has_fired());
  }
}

TEST(Watchdog, WhatHasFiredStaysSoWhenRestarted) {
  Watchdog watchdog;
  SocketPair socket;
  Watchdog::Session session(watchdog, socket.end());
  Watchdog::Guard guard(session, milliseconds(1));
  ASSERT_EQ(socket.Read(), 0);

  guard.Restart();

  EXPECT_TRUE(guard.has_fired());
}

// The next socket has the number of the one before: a late shutdown would end the wrong one.
TEST(Watchdog, TouchesNoSocketOnceItsSessionHasEnded) {
  Watchdog watchdog;
  std::vector<std::thread> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.emplace_back([&] {
      for (int round = 0; round < 300; ++round) {
        SocketPair socket;
        ASSERT_TRUE(socket.IsOpen());
        Watchdog::Session session(watchdog, socket.end());
        ASSERT_TRUE(socket.IsOpen());
        Watchdog::Guard guard(session, std::chrono::microseconds(100));
        // Some end just when it fires.
        for (int n = 0; n < round && !guard.has_fired(); ++n) guard.Restart();
        if (round % 2 == 0) {
          ASSERT_EQ(socket.Read(), 0);
        }
      }
    });
  }
  for (std::thread& thread : waiting) thread.join();
}

}  // namespace
}  // namespace confab::storage
