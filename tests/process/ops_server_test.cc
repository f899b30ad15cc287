#include "process/ops_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "process/listen_address.h"

namespace confab::process {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// A plain socket: what it sends is exactly what the test says.
class RawPeer {
 public:
  explicit RawPeer(const std::string& address) {
    const ListenAddress to = ParseListenAddress(address).value();
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    peer.sin_port = htons(to.port);
    inet_pton(AF_INET, to.host.c_str(), &peer.sin_addr);
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API.
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&peer), sizeof peer), 0);
  }
  ~RawPeer() { ::close(fd_); }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  void Send(std::string_view text) const { ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }

  // Until the server closes, at most 20 s.
  std::string ReadAll() const {
    std::string all;
    char part[4096];
    pollfd ready{fd_, POLLIN, 0};
    while (::poll(&ready, 1, 20'000) > 0) {
      const ssize_t size = ::recv(fd_, part, sizeof part, 0);
      if (size <= 0) return all;
      all.append(part, static_cast<size_t>(size));
    }
    ADD_FAILURE() << "the server left the connection open";
    return all;
  }

 private:
  int fd_ = -1;
};

class OpsServerTest : public ::testing::Test {
 protected:
  std::string Ask(std::string_view request) const {
    const RawPeer peer(server_->address());
    peer.Send(request);
    return peer.ReadAll();
  }
  std::string Get(std::string_view target) const {
    return Ask("GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n");
  }

  Metrics metrics_;
  std::unique_ptr<OpsServer> server_ = OpsServer::Start("127.0.0.1:0", metrics_).value();
};

TEST_F(OpsServerTest, IsAliveAtOnce) {
  EXPECT_THAT(server_->address(), StartsWith("127.0.0.1:"));
  EXPECT_THAT(server_->address(), Not(EndsWith(":0")));
  EXPECT_THAT(Get("/livez"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(OpsServerTest, IsReadyOnceStartedAndEveryCheckIsOk) {
  absl::Status store;
  server_->AddCheck("store", [&store] { return store; });

  EXPECT_THAT(Get("/readyz"), StartsWith("HTTP/1.1 503 "));
  server_->SetStarted();
  EXPECT_THAT(Get("/readyz"), StartsWith("HTTP/1.1 200 "));
  store = absl::UnavailableError("no connection");
  EXPECT_THAT(Get("/readyz"), EndsWith("\r\n\r\nnot ready: store\n"));
  server_->RemoveCheck("store");
  EXPECT_THAT(Get("/readyz"), EndsWith("\r\n\r\nready\n"));
}

TEST_F(OpsServerTest, IsNotReadyWhileStoppingAndAsksNoCheck) {
  server_->SetStarted();
  server_->AddCheck("store", [] {
    ADD_FAILURE() << "its owner may be half gone";
    return absl::OkStatus();
  });

  server_->SetStopping();

  EXPECT_THAT(Get("/readyz"), EndsWith("\r\n\r\nnot ready: stopping\n"));
  EXPECT_THAT(Get("/livez"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(OpsServerTest, TellsEveryCheckWhenAsked) {
  server_->SetStarted();
  server_->AddCheck("lock", [] { return absl::FailedPreconditionError("standby"); });
  server_->AddCheck("store", [] { return absl::OkStatus(); });

  EXPECT_THAT(
      Get("/readyz?verbose"),
      EndsWith("\r\n\r\n[+] started ok\n[-] lock: standby\n[+] store ok\nnot ready: lock\n"));
}

TEST_F(OpsServerTest, ShowsMetrics) {
  metrics_.AddCounter("confab_test_total", "Test.").Add(5);

  const std::string answer = Get("/metrics");

  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(answer, HasSubstr("\nconfab_test_total 5\n"));
}

TEST_F(OpsServerTest, AnswersHeadWithoutABody) {
  const std::string answer = Ask("HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n");

  EXPECT_THAT(answer, HasSubstr("Content-Length: 6\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(OpsServerTest, RefusesOtherPathsAndMethods) {
  EXPECT_THAT(Get("/secret"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Get("/livez/x"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Ask("POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"),
              StartsWith("HTTP/1.1 405 "));
}

TEST_F(OpsServerTest, RefusesWhatIsNoRequestAndGoesOn) {
  EXPECT_THAT(Ask("\x16\x03\x01 hello\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(Ask("GET /livez HTTP/1.1\r\nX: " + std::string(5000, 'x') + "\r\n\r\n"),
              Not(HasSubstr("200 OK")));
  EXPECT_THAT(Ask("POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n"),
              Not(HasSubstr("200 OK")));
  EXPECT_THAT(Get("/livez"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(OpsServerTest, LetsSilentPeersGoSoThatOthersGetTheirTurn) {
  const OpsLimits limits{.connections = 2, .wait = absl::Milliseconds(50)};
  server_ = OpsServer::Start("127.0.0.1:0", metrics_, limits).value();
  std::vector<std::unique_ptr<RawPeer>> silent;
  for (int i = 0; i < 3; ++i) silent.push_back(std::make_unique<RawPeer>(server_->address()));

  EXPECT_THAT(Get("/livez"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(silent.front()->ReadAll(), IsEmpty());
}

TEST_F(OpsServerTest, StopsWithPeersConnected) {
  const RawPeer peer(server_->address());
  peer.Send("GET /li");

  server_.reset();

  EXPECT_THAT(peer.ReadAll(), IsEmpty());
}

TEST_F(OpsServerTest, SaysWhichPortIsTaken) {
  const absl::Status status = OpsServer::Start(server_->address(), metrics_).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr(server_->address()));
  EXPECT_EQ(OpsServer::Start("nowhere", metrics_).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace confab::process
