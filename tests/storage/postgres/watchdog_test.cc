#include "storage/postgres/watchdog.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

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
  const Watchdog::Guard guard(watchdog, socket.end(), milliseconds(30));

  EXPECT_EQ(socket.Read(), 0);
  EXPECT_TRUE(guard.has_fired());
}

TEST(Watchdog, LeavesAloneWhatEndsInTime) {
  Watchdog watchdog;
  SocketPair quick;
  SocketPair slow;
  for (int i = 0; i < 1000; ++i) {
    const Watchdog::Guard guard(watchdog, quick.end(), milliseconds(500));
    EXPECT_FALSE(guard.has_fired());
  }
  // By the time this one fires, the others would have.
  const Watchdog::Guard guard(watchdog, slow.end(), milliseconds(600));

  EXPECT_EQ(slow.Read(), 0);
  EXPECT_TRUE(quick.IsOpen());
}

TEST(Watchdog, AShortWaitIsNotHeldUpByALongOne) {
  Watchdog watchdog;
  SocketPair patient;
  SocketPair hasty;
  const Watchdog::Guard longer(watchdog, patient.end(), seconds(60));
  const Watchdog::Guard shorter(watchdog, hasty.end(), milliseconds(30));

  EXPECT_EQ(hasty.Read(), 0);
  EXPECT_TRUE(shorter.has_fired());
  EXPECT_FALSE(longer.has_fired());
  EXPECT_TRUE(patient.IsOpen());
}

TEST(Watchdog, ARestartCountsFromThenOn) {
  Watchdog watchdog;
  SocketPair restarted;
  SocketPair other;
  Watchdog::Guard guard(watchdog, restarted.end(), seconds(3));
  {
    const Watchdog::Guard first(watchdog, other.end(), milliseconds(1500));
    other.Read();
  }
  guard.Restart();
  SocketPair third;
  const Watchdog::Guard later(watchdog, third.end(), seconds(2));
  third.Read();

  // 3.5 s after its start, 2 s after its restart.
  EXPECT_FALSE(guard.has_fired());
  EXPECT_EQ(restarted.Read(), 0);
}

}  // namespace
}  // namespace confab::storage
