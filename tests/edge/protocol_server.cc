// protocol_server: what the public Engine.IO and Socket.IO protocol suites run against.
// Usage: confab-protocol-server [PORT]    listens on 127.0.0.1 until it is told to end
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "tests/edge/socketio_echo.h"

int main(int argc, char** argv) {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  // The suites' own figures; three pings have to fit into the time for the first CONNECT.
  confab::tests::SocketIoEcho echo;
  echo.settings().heartbeat = {.open = absl::Milliseconds(1500),
                               .ping_interval = absl::Milliseconds(300),
                               .ping_timeout = absl::Milliseconds(200)};
  // One test waits for interval and time-out exactly before it expects the session gone.
  echo.settings().tick = absl::Milliseconds(2);
  echo.settings().transport.message_bytes = 1'000'000;
  const auto port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0);
  std::printf("127.0.0.1:%d\n", echo.Start(port));
  std::fflush(stdout);

  int signal = 0;
  ::sigwait(&signals, &signal);
  return 0;
}
