#include "edge/control_link/control_connection.h"

#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/create_channel_posix.h>

#include "edge/control_link/control_dial.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace confab::edge {

namespace {

constexpr std::string_view kUnix = "unix:";
// What gRPC takes for the same; an absolute path follows.
constexpr std::string_view kUnixAuthority = "unix://";

// gRPC connects by itself, and again.
class DialledConnection final : public ControlConnection {
 public:
  explicit DialledConnection(std::shared_ptr<grpc::Channel> channel)
      : channel_(std::move(channel)) {}

  std::shared_ptr<grpc::Channel> Connect(std::chrono::milliseconds limit) override {
    return channel_->WaitForConnected(std::chrono::system_clock::now() + limit) ? channel_
                                                                                : nullptr;
  }
  void Cut() override {}

 private:
  const std::shared_ptr<grpc::Channel> channel_;
};

class InProcessConnection final : public ControlConnection {
 public:
  explicit InProcessConnection(std::shared_ptr<grpc::Channel> channel)
      : channel_(std::move(channel)) {}

  std::shared_ptr<grpc::Channel> Connect(std::chrono::milliseconds /*limit*/) override {
    return channel_;
  }
  void Cut() override {}

 private:
  const std::shared_ptr<grpc::Channel> channel_;
};

// Whoever is asked for its health is there if it answers, whatever it answers. That it took the
// connection says nothing: the kernel does so for a process that stands still.
bool Answers(const std::shared_ptr<grpc::Channel>& channel, std::chrono::milliseconds limit) {
  namespace health = grpc::health::v1;
  const auto stub = health::Health::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + limit);
  health::HealthCheckResponse response;
  const auto code = stub->Check(&context, health::HealthCheckRequest(), &response).error_code();
  return code != grpc::StatusCode::DEADLINE_EXCEEDED && code != grpc::StatusCode::UNAVAILABLE;
}

class UnixConnection final : public ControlConnection {
 public:
  UnixConnection(std::string path, const grpc::ChannelArguments& arguments)
      : path_(std::move(path)), arguments_(arguments) {}
  ~UnixConnection() override { Cut(); }
  UnixConnection(const UnixConnection&) = delete;
  UnixConnection& operator=(const UnixConnection&) = delete;

  std::shared_ptr<grpc::Channel> Connect(std::chrono::milliseconds limit) override {
    Cut();
    const int socket = Dial();
    if (socket < 0) return nullptr;
    // gRPC closes its own; ours must not become somebody else's number meanwhile.
    socket_ = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (socket_ < 0) {
      ::close(socket);
      return nullptr;
    }
    auto channel = grpc::CreateCustomInsecureChannelFromFd("localhost", socket, arguments_);
    if (Answers(channel, limit)) return channel;
    Cut();
    return nullptr;
  }

  void Cut() override {
    if (socket_ < 0) return;
    ::shutdown(socket_, SHUT_RDWR);
    ::close(std::exchange(socket_, -1));
  }

 private:
  // A connected socket, or -1. Waits for nothing: a full backlog is nobody who answers.
  int Dial() const {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (path_.size() >= sizeof(address.sun_path)) return -1;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0) return -1;
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
      return socket;
    }
    ::close(socket);
    return -1;
  }

  const std::string path_;
  const grpc::ChannelArguments arguments_;
  int socket_ = -1;  // The connection's, a second descriptor of it.
};

}  // namespace

std::unique_ptr<ControlConnection> ConnectionTo(const std::string& target,
                                                const process::TlsMaterial* tls,
                                                const grpc::ChannelArguments& arguments) {
  if (target.starts_with(kUnixAuthority)) {
    return std::make_unique<UnixConnection>(target.substr(kUnixAuthority.size()), arguments);
  }
  if (target.starts_with(kUnix)) {
    return std::make_unique<UnixConnection>(target.substr(kUnix.size()), arguments);
  }
  return std::make_unique<DialledConnection>(
      grpc::CreateCustomChannel(target, ControlCredentials(target, tls), arguments));
}

std::unique_ptr<ControlConnection> ConnectionInProcess(std::shared_ptr<grpc::Channel> channel) {
  return std::make_unique<InProcessConnection>(std::move(channel));
}

}  // namespace confab::edge
