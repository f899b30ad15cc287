#include "tests/support/postgres_proxy.h"

#include <cstring>
#include <filesystem>
#include <poll.h>
#include <stdexcept>
#include <stdlib.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace confab::testing_support {
namespace {

constexpr int kPollMs = 50;  // How soon a forwarder sees that it has to stop.
// A simple query "COMMIT": type, length, text, NUL.
constexpr std::string_view kCommit(
    "Q\0\0\0\x0B"
    "COMMIT\0",
    12);

// Of each message: type, length without the type, the rest; of a Bind: the portal's empty name, the
// statement's.
constexpr size_t kHeaderBytes = 5;
constexpr std::string_view kBindAppend("\0append_", 8);  // A transaction of its own.
constexpr std::string_view kBindCommit("\0commit\0", 8);

bool IsCommitMessage(std::string_view message) {
  const std::string_view rest = message.substr(kHeaderBytes);
  return message == kCommit ||
         (message[0] == 'B' && (rest.starts_with(kBindAppend) || rest.starts_with(kBindCommit)));
}

// Whether one of the messages commits; several may travel together.
bool HasCommit(std::string_view request) {
  while (request.size() >= kHeaderBytes) {
    size_t length = 0;
    for (size_t i = 1; i < kHeaderBytes; ++i) {
      length = length << 8 | static_cast<unsigned char>(request[i]);
    }
    const size_t size = 1 + length;
    if (size < kHeaderBytes || size > request.size()) return false;
    if (IsCommitMessage(request.substr(0, size))) return true;
    request.remove_prefix(size);
  }
  return false;
}

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  return address;
}

const sockaddr* Generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

bool SendAll(int socket, const char* bytes, ssize_t size) {
  while (size > 0) {
    const ssize_t sent = send(socket, bytes, static_cast<size_t>(size), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes += sent;
    size -= sent;
  }
  return true;
}

// False at the end of the stream.
bool Pass(int from, int to) {
  char buffer[65536];
  const ssize_t size = recv(from, buffer, sizeof(buffer), 0);
  return size > 0 && SendAll(to, buffer, size);
}

}  // namespace

PostgresProxy::PostgresProxy(const std::string& server_socket_dir)
    : server_path_(server_socket_dir + "/.s.PGSQL.5432"), dir_("/tmp/confab-proxy-XXXXXX") {
  if (mkdtemp(dir_.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = AddressOf(dir_ + "/.s.PGSQL.5432");
  if (bind(listener_, Generic(address), sizeof(address)) != 0 || listen(listener_, 16) != 0) {
    throw std::runtime_error("cannot listen in " + dir_);
  }
  accepter_ = std::thread(&PostgresProxy::Accept, this);
}

PostgresProxy::~PostgresProxy() {
  is_stopping_ = true;
  accepter_.join();
  for (std::thread& forwarder : forwarders_) forwarder.join();
  close(listener_);
  std::filesystem::remove_all(dir_);
}

void PostgresProxy::Accept() {
  while (!is_stopping_) {
    pollfd ready{listener_, POLLIN, 0};
    if (poll(&ready, 1, kPollMs) <= 0) continue;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    const std::lock_guard lock(mu_);
    forwarders_.emplace_back(&PostgresProxy::Forward, this, client);
  }
}

void PostgresProxy::Forward(int client) {
  const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = AddressOf(server_path_);
  bool is_open = connect(server, Generic(address), sizeof(address)) == 0;
  while (is_open && !is_stopping_) {
    pollfd ready[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    if (poll(ready, 2, kPollMs) <= 0) continue;
    if (ready[0].revents != 0) is_open = PassToServer(client, server);
    if (is_open && ready[1].revents != 0) is_open = Pass(server, client);
  }
  close(server);
  close(client);
}

bool PostgresProxy::PassToServer(int client, int server) {
  char buffer[65536];
  const ssize_t size = recv(client, buffer, sizeof(buffer), 0);
  if (size <= 0) return false;
  ++requests_;
  // libpq sends a short request in one piece when nothing else is waiting.
  const bool is_commit = HasCommit(std::string_view(buffer, static_cast<size_t>(size)));
  const Fault fault = is_commit ? fault_.load() : Fault::kNone;
  if (fault == Fault::kNone) return SendAll(server, buffer, size);
  if (fault == Fault::kLoseAnswer) {
    SendAll(server, buffer, size);
    recv(server, buffer, sizeof(buffer), 0);  // Answered: it is durable. Nobody will know.
  }
  fault_ = Fault::kNone;
  return false;
}

}  // namespace confab::testing_support
