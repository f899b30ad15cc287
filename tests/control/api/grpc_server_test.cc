#include "control/api/grpc_server.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include "confab/v1/room_service.grpc.pb.h"

#include "grpc/health/v1/health.grpc.pb.h"

namespace confab::control {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckResponse;

class GrpcServerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "confab_grpc_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  ControlConfig Config(const std::string& listen) {
    ControlConfig config;
    config.control_listen = listen;
    return config;
  }
  std::string Socket() const { return "unix:" + directory_ + "/control.sock"; }

  static HealthCheckResponse::ServingStatus HealthOf(std::shared_ptr<grpc::Channel> channel) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    HealthCheckResponse response;
    const grpc::Status status = Health::NewStub(channel)->Check(
        &context, grpc::health::v1::HealthCheckRequest(), &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.status();
  }

  static std::shared_ptr<grpc::Channel> Dial(const std::string& address) {
    return grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  }

  std::string directory_;
  v1::RoomService::CallbackService service_;  // gRPC wants one.
};

TEST_F(GrpcServerTest, TakesAnyFreePortAndSaysWhich) {
  const auto server = GrpcServer::Start(Config("127.0.0.1:0"), {&service_});

  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_TRUE((*server)->address().starts_with("127.0.0.1:"));
  EXPECT_FALSE((*server)->address().ends_with(":0"));
  EXPECT_EQ(HealthOf(Dial((*server)->address())), HealthCheckResponse::NOT_SERVING);
  (*server)->SetServing(true);
  EXPECT_EQ(HealthOf(Dial((*server)->address())), HealthCheckResponse::SERVING);
}

TEST_F(GrpcServerTest, ServesAChannelWithoutSockets) {
  const auto server = GrpcServer::Start(Config("127.0.0.1:0"), {&service_});
  ASSERT_TRUE(server.ok()) << server.status();

  EXPECT_EQ(HealthOf((*server)->InProcessChannel("key")), HealthCheckResponse::NOT_SERVING);
}

TEST_F(GrpcServerTest, MakesItsSocketForOneUserOnly) {
  const mode_t before = umask(0);
  const auto server = GrpcServer::Start(Config(Socket()), {&service_});
  umask(before);

  ASSERT_TRUE(server.ok()) << server.status();
  struct stat made {};
  ASSERT_EQ(stat((directory_ + "/control.sock").c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 0777, 0600U);
  EXPECT_EQ(HealthOf(Dial((*server)->address())), HealthCheckResponse::NOT_SERVING);
}

TEST_F(GrpcServerTest, RefusesAnAddressThatIsTaken) {
  const auto first = GrpcServer::Start(Config("127.0.0.1:0"), {&service_});
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(GrpcServer::Start(Config((*first)->address()), {&service_}).status().code(),
            absl::StatusCode::kFailedPrecondition);

  const auto third = GrpcServer::Start(Config(Socket()), {&service_});
  ASSERT_TRUE(third.ok());
  const auto fourth = GrpcServer::Start(Config(Socket()), {&service_});
  EXPECT_EQ(fourth.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(fourth.status().message().find("another process"), absl::string_view::npos);
  // And the first owner still serves.
  EXPECT_EQ(HealthOf(Dial(Socket())), HealthCheckResponse::NOT_SERVING);
}

TEST_F(GrpcServerTest, TakesOverTheSocketOfADeadProcess) {
  const std::string path = directory_ + "/control.sock";
  const int left = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::strncpy(name.sun_path, path.c_str(), sizeof name.sun_path - 1);
  ASSERT_EQ(bind(left, reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
  close(left);

  const auto server = GrpcServer::Start(Config(Socket()), {&service_});

  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(HealthOf(Dial(Socket())), HealthCheckResponse::NOT_SERVING);
}

TEST_F(GrpcServerTest, LeavesAFileAloneThatIsNoSocket) {
  std::ofstream(directory_ + "/control.sock") << "precious";

  EXPECT_EQ(GrpcServer::Start(Config(Socket()), {&service_}).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(std::filesystem::is_regular_file(directory_ + "/control.sock"));
}

// Calls a method of no body and tells how it ended.
grpc::StatusCode CodeOf(const std::shared_ptr<grpc::Channel>& channel, const std::string& method) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  grpc::CompletionQueue queue;
  auto stream = stub.PrepareCall(&context, method, &queue);
  grpc::Status status;
  void* tag = nullptr;
  bool ok = false;
  stream->StartCall(nullptr);
  queue.Next(&tag, &ok);
  stream->WritesDone(nullptr);
  queue.Next(&tag, &ok);
  stream->Finish(&status, nullptr);
  queue.Next(&tag, &ok);
  return status.error_code();
}

TEST_F(GrpcServerTest, ReflectsOnlyWhenSwitchedOn) {
  constexpr char kReflection[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
  const auto without = GrpcServer::Start(Config("127.0.0.1:0"), {&service_});
  ControlConfig config = Config("127.0.0.1:0");
  config.grpc_reflection = true;
  const auto with = GrpcServer::Start(config, {&service_});
  ASSERT_TRUE(without.ok() && with.ok());

  EXPECT_EQ(CodeOf(Dial((*without)->address()), kReflection), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(CodeOf(Dial((*with)->address()), kReflection), grpc::StatusCode::OK);
}

}  // namespace
}  // namespace confab::control
