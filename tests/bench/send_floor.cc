// What the kernel alone takes for fan-out: one process sends, another takes, over TCP on this host,
// one send() for each message and socket. No server that tells each reader by itself can take less.
// Built with the tests; tools/performance runs it in turn with Confab.
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <string>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <absl/strings/numbers.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>

namespace confab {
namespace {

constexpr char kUsage[] = R"(Usage: send_floor [--sockets N] [--messages N] [--bytes N]

Sends messages to many sockets of another process of this host, one send() for each message and
socket, and prints what CPU that took the sender, as one JSON object: the least that a server can
take which tells each reader by itself. The other process takes what comes, and counts it.

  --sockets N    readers, 1 to 500,000; default 1000
  --messages N   messages that each of them gets, 1 to 10,000,000; default 500
  --bytes N      of a message on the wire, 1 to 1,000,000; default 364, which is what Socket.IO
                 makes of a chat message of 200

Exit code: 0 done, 1 the system refused something or not all bytes came, 2 the command line is wrong

Examples:
  send_floor --sockets 100 --messages 5000
  send_floor --sockets 5000 --messages 100 --bytes 1000
)";

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

// Before the first send: whoever woke for the last connection sleeps again.
constexpr absl::Duration kSettle = absl::Milliseconds(200);
// A sender that stands still for so long sends no more.
constexpr int kPatienceMs = 30'000;

struct Options {
  int sockets = 1'000;
  int messages = 500;
  int bytes = 364;
};

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "send_floor: %s: %s\n", what, std::strerror(errno));
  std::exit(kExitFailed);
}

int Checked(int result, const char* what) {
  if (result < 0) Fail(what);
  return result;
}

// nullopt: the command line is wrong, and it was said how.
std::optional<Options> Parse(const std::vector<std::string>& args) {
  Options options;
  const struct {
    const char* name;
    int& value;
    int limit;
  } known[] = {{"--sockets", options.sockets, 500'000},
               {"--messages", options.messages, 10'000'000},
               {"--bytes", options.bytes, 1'000'000}};
  for (size_t i = 0; i < args.size(); i += 2) {
    const auto option = std::find_if(std::begin(known), std::end(known),
                                     [&](const auto& one) { return one.name == args[i]; });
    if (option == std::end(known)) {
      std::fprintf(stderr, "send_floor: there is no %s; see send_floor --help\n", args[i].c_str());
      return std::nullopt;
    }
    if (i + 1 == args.size() || !absl::SimpleAtoi(args[i + 1], &option->value) ||
        option->value < 1 || option->value > option->limit) {
      std::fprintf(stderr, "send_floor: %s: give a number from 1 to %d\n", option->name,
                   option->limit);
      return std::nullopt;
    }
  }
  return options;
}

void RaiseDescriptors(int sockets) {
  rlimit limit{};
  Checked(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  Checked(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
  constexpr rlim_t kOthers = 16;
  if (static_cast<rlim_t>(sockets) + kOthers <= limit.rlim_max) return;
  std::fprintf(stderr, "send_floor: --sockets %d: there may be %llu file descriptors only\n",
               sockets, static_cast<unsigned long long>(limit.rlim_max));
  std::exit(kExitFailed);
}

// The other process: connects, takes what comes until all sockets are closed. True: not a byte is
// missing.
bool Drain(const sockaddr_in& address, const Options& options) {
  const int epoll = Checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  for (int i = 0; i < options.sockets; ++i) {
    const int fd = Checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    Checked(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "connect");
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.fd = fd;
    Checked(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wanted), "epoll_ctl");
  }
  std::vector<char> buffer(256 * 1024);
  std::array<epoll_event, 512> ready{};
  int64_t taken = 0;
  for (int open = options.sockets; open > 0;) {
    const int count = epoll_wait(epoll, ready.data(), static_cast<int>(ready.size()), kPatienceMs);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    for (int i = 0; i < count; ++i) {
      const int fd = ready[static_cast<size_t>(i)].data.fd;
      const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
      if (got > 0) {
        taken += got;
      } else {
        close(fd);
        --open;
      }
    }
  }
  return taken == int64_t{options.sockets} * options.messages * options.bytes;
}

void SendWhole(int fd, const std::string& message) {
  for (size_t sent = 0; sent < message.size();) {
    const ssize_t count = send(fd, message.data() + sent, message.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) Fail("send");
    sent += static_cast<size_t>(count);
  }
}

struct CpuTime {
  double user_s = 0;
  double system_s = 0;
};

CpuTime OwnCpu() {
  rusage usage{};
  Checked(getrusage(RUSAGE_SELF, &usage), "getrusage");
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return {seconds(usage.ru_utime), seconds(usage.ru_stime)};
}

int Measure(const Options& options) {
  RaiseDescriptors(options.sockets);
  const int listener = Checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  Checked(bind(listener, reinterpret_cast<const sockaddr*>(&address), size), "bind");
  Checked(listen(listener, SOMAXCONN), "listen");
  Checked(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  const pid_t child = Checked(fork(), "fork");
  if (child == 0) {
    close(listener);
    _exit(Drain(address, options) ? 0 : kExitFailed);
  }

  std::vector<int> sockets;
  const int on = 1;
  for (int i = 0; i < options.sockets; ++i) {
    sockets.push_back(Checked(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC), "accept"));
    Checked(setsockopt(sockets.back(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
  }
  absl::SleepFor(kSettle);
  const std::string message(static_cast<size_t>(options.bytes), 'x');
  const CpuTime before = OwnCpu();
  const absl::Time began = absl::Now();
  for (int i = 0; i < options.messages; ++i) {
    for (const int fd : sockets) SendWhole(fd, message);
  }
  const double elapsed_s = absl::ToDoubleSeconds(absl::Now() - began);
  const CpuTime after = OwnCpu();
  for (const int fd : sockets) close(fd);

  int status = 0;
  Checked(waitpid(child, &status, 0), "waitpid");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    std::fprintf(stderr, "send_floor: the other process did not get all that was sent\n");
    return kExitFailed;
  }
  const double user_s = after.user_s - before.user_s;
  const double system_s = after.system_s - before.system_s;
  const double sends = static_cast<double>(options.sockets) * options.messages;
  std::printf(
      "{\"sockets\":%d,\"messages\":%d,\"bytes\":%d,\"elapsedSeconds\":%.3f,\"userSeconds\":%.3f,"
      "\"systemSeconds\":%.3f,\"cpuSecondsPerMillion\":%.4f}\n",
      options.sockets, options.messages, options.bytes, elapsed_s, user_s, system_s,
      (user_s + system_s) * 1e6 / sends);
  return 0;
}

}  // namespace
}  // namespace confab

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (!args.empty() && (args[0] == "--help" || args[0] == "-h")) {
    std::fputs(confab::kUsage, stdout);
    return 0;
  }
  const auto options = confab::Parse(args);
  return options.has_value() ? confab::Measure(*options) : confab::kExitUsage;
}
