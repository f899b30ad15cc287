// protocol_server: what the public Engine.IO and Socket.IO protocol suites run against.
// Times in milliseconds; the suites' own by default.
#include <array>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string_view>
#include <system_error>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "tests/edge/socketio_echo.h"

namespace {

constexpr char kUsage[] =
    R"(Usage: confab-protocol-server [PORT [PING_INTERVAL PING_TIMEOUT OPEN]]
       confab-protocol-server --help

What the public protocol suites of Engine.IO and Socket.IO run against: sessions at /engine.io/, the
namespaces / and /custom at /socket.io/, and plain WebSockets at /echo send back what they are told.
No tokens, no rooms, no control; for tests alone. Says on its first line where it listens, always on
127.0.0.1, and goes on until TERM or INT.

  PORT           0 to 65535; default 0: any that is free
  PING_INTERVAL  from one ping to the next; default 300
  PING_TIMEOUT   for the answer to a ping; default 200
  OPEN           from the opening of a session to its first CONNECT; default 1500
All three in milliseconds, 1 to 3600000.

Exit code: 0 ended by a signal, 1 the port is taken, 2 the command line is wrong.

Example: confab-protocol-server 3000
)";

// Exit codes, as scripts see them.
constexpr int kEnded = 0;
constexpr int kPortTaken = 1;
constexpr int kWrongUsage = 2;

constexpr int kTimeLimit = 3'600'000;  // An hour: nobody waits longer for a suite.

// What stands on the command line, with defaults for what does not.
struct Options {
  int port = 0;
  // Three pings have to fit into the time for the first CONNECT.
  int ping_interval = 300;
  int ping_timeout = 200;
  int open = 1500;
};

bool ReadNumber(std::string_view text, int least, int most, int& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= least &&
         number <= most;
}

// False: what is wrong was printed.
bool ReadOptions(int argc, char** argv, Options& options) {
  struct Place {
    const char* name;
    int least;
    int most;
    int* value;
  };
  const std::array<Place, 4> places = {{
      {"PORT", 0, std::numeric_limits<std::uint16_t>::max(), &options.port},
      {"PING_INTERVAL", 1, kTimeLimit, &options.ping_interval},
      {"PING_TIMEOUT", 1, kTimeLimit, &options.ping_timeout},
      {"OPEN", 1, kTimeLimit, &options.open},
  }};
  const auto count = static_cast<std::size_t>(argc - 1);
  if (count > places.size()) {
    std::fprintf(stderr, "confab-protocol-server: unexpected argument %s; see --help\n",
                 argv[places.size() + 1]);
    return false;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const Place& place = places[i];
    if (ReadNumber(argv[i + 1], place.least, place.most, *place.value)) continue;
    std::fprintf(stderr,
                 "confab-protocol-server: %s is a number from %d to %d, not %s; see --help\n",
                 place.name, place.least, place.most, argv[i + 1]);
    return false;
  }
  return true;
}

int Serve(const Options& options) {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  confab::tests::SocketIoEcho echo;
  echo.settings().limits.heartbeat = {.open = absl::Milliseconds(options.open),
                                      .ping_interval = absl::Milliseconds(options.ping_interval),
                                      .ping_timeout = absl::Milliseconds(options.ping_timeout)};
  // One test waits for interval and time-out exactly before it expects the session gone.
  echo.settings().tick = absl::Milliseconds(2);
  echo.settings().limits.transport.message_bytes = 1'000'000;
  try {
    std::printf("127.0.0.1:%d\n", echo.Start(static_cast<std::uint16_t>(options.port)));
  } catch (const absl::BadStatusOrAccess& refused) {
    std::fprintf(stderr, "confab-protocol-server: %s\n", refused.what());
    return kPortTaken;
  }
  std::fflush(stdout);

  int signal = 0;
  ::sigwait(&signals, &signal);
  return kEnded;
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument != "--help" && argument != "-h") continue;
    std::fputs(kUsage, stdout);
    return kEnded;
  }
  Options options;
  return ReadOptions(argc, argv, options) ? Serve(options) : kWrongUsage;
}
