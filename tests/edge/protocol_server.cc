// protocol_server: what the public Engine.IO and Socket.IO protocol suites run against.
// Usage: confab-protocol-server [PORT [PING_INTERVAL PING_TIMEOUT OPEN]]
// Listens on 127.0.0.1 until it is told to end. Times in milliseconds; the suites' own by default.
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "tests/edge/socketio_echo.h"

namespace {

absl::Duration MillisecondsOf(int argc, char** argv, int place, int otherwise) {
  return absl::Milliseconds(argc > place ? std::atoi(argv[place]) : otherwise);
}

}  // namespace

int main(int argc, char** argv) {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  // Three pings have to fit into the time for the first CONNECT.
  confab::tests::SocketIoEcho echo;
  echo.settings().limits.heartbeat = {.open = MillisecondsOf(argc, argv, 4, 1500),
                                      .ping_interval = MillisecondsOf(argc, argv, 2, 300),
                                      .ping_timeout = MillisecondsOf(argc, argv, 3, 200)};
  // One test waits for interval and time-out exactly before it expects the session gone.
  echo.settings().tick = absl::Milliseconds(2);
  echo.settings().limits.transport.message_bytes = 1'000'000;
  const auto port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0);
  std::printf("127.0.0.1:%d\n", echo.Start(port));
  std::fflush(stdout);

  int signal = 0;
  ::sigwait(&signals, &signal);
  return 0;
}
