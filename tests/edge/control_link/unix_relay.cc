#include "tests/edge/control_link/unix_relay.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

// How soon it notices that it is to go on, or to end.
constexpr std::chrono::milliseconds kLookEvery(5);

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  EXPECT_LT(path.size(), sizeof(address.sun_path));
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

int NewSocket() { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); }

int Listen(const std::string& path) {
  const int listener = NewSocket();
  const sockaddr_un address = AddressOf(path);
  EXPECT_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0)
      << std::strerror(errno);
  EXPECT_EQ(::listen(listener, 16), 0);
  ::fcntl(listener, F_SETFL, O_NONBLOCK);
  return listener;
}

}  // namespace

UnixRelay::UnixRelay(std::string front, std::string back)
    : front_(std::move(front)),
      back_(std::move(back)),
      listener_(Listen(front_)),
      thread_([this] { Run(); }) {}

UnixRelay::~UnixRelay() {
  is_stopping_ = true;
  thread_.join();
  for (const Pair& pair : pairs_) {
    ::close(pair.up.from);
    ::close(pair.up.to);
  }
  ::close(listener_);
  ::unlink(front_.c_str());
}

void UnixRelay::Accept() {
  const int near = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (near < 0) return;
  const int far = NewSocket();
  const sockaddr_un address = AddressOf(back_);
  EXPECT_EQ(::connect(far, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ::fcntl(far, F_SETFL, O_NONBLOCK);
  pairs_.push_back({.up = {.from = near, .to = far}, .down = {.from = far, .to = near}});
}

void UnixRelay::Way::PassOn() {
  std::array<char, 65536> bytes;
  if (waiting.empty() && !has_ended) {
    const ssize_t size = ::recv(from, bytes.data(), bytes.size(), 0);
    if (size > 0) waiting.assign(bytes.data(), static_cast<std::size_t>(size));
    has_ended = size == 0;
    if (has_ended) ::shutdown(to, SHUT_WR);
  }
  if (waiting.empty()) return;
  const ssize_t size = ::send(to, waiting.data(), waiting.size(), MSG_NOSIGNAL);
  if (size > 0) waiting.erase(0, static_cast<std::size_t>(size));
}

void UnixRelay::Run() {
  while (!is_stopping_) {
    std::vector<pollfd> polled = {{listener_, POLLIN, 0}};
    for (const Pair& pair : pairs_) {
      for (const Way* way : {&pair.up, &pair.down}) {
        if (!way->waiting.empty()) {
          polled.push_back({way->to, POLLOUT, 0});
        } else if (!way->has_ended) {
          polled.push_back({way->from, POLLIN, 0});
        }
      }
    }
    if (is_stalled_) polled.clear();
    ::poll(polled.data(), polled.size(), static_cast<int>(kLookEvery.count()));
    if (is_stalled_) continue;
    Accept();
    for (Pair& pair : pairs_) {
      pair.up.PassOn();
      pair.down.PassOn();
    }
  }
}

}  // namespace confab::edge
