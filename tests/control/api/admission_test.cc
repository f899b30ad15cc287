#include "control/api/admission.h"

#include <cstdlib>
#include <filesystem>

#include <absl/time/clock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include "confab/v1/room_service.grpc.pb.h"

#include "control/api/grpc_server.h"
#include "control/api/grpc_status.h"

namespace confab::control {
namespace {

constexpr char kSecret[] = "0123456789abcdef0123456789abcdef";

process::JwtKey Key() { return *process::JwtKey::FromSecret(kSecret); }

// Answers how it would admit the caller: as an edge if asked for room "edge".
class AskingService final : public v1::RoomService::CallbackService {
 public:
  explicit AskingService(bool is_private_socket)
      : admission_(ServiceTokenVerifier(Key()), is_private_socket) {}

  grpc::ServerUnaryReactor* GetRoom(grpc::CallbackServerContext* context,
                                    const v1::GetRoomRequest* request,
                                    v1::GetRoomResponse* response) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    if (request->room_id() == "edge") {
      reactor->Finish(ToGrpc(admission_.AdmitEdge(*context)));
      return reactor;
    }
    const auto caller = admission_.Admit(*context, "/confab.v1.RoomService/GetRoom");
    if (caller.ok()) response->mutable_room()->set_id(caller->name);
    reactor->Finish(ToGrpc(caller.status()));
    return reactor;
  }

  const Admission& admission() const { return admission_; }

 private:
  const Admission admission_;
};

class AdmissionTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "confab_admission_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(directory_);
  }

  std::shared_ptr<grpc::Channel> Serve(const std::string& listen) {
    service_ = std::make_unique<AskingService>(listen.starts_with("unix:"));
    ControlConfig config;
    config.control_listen = listen;
    auto server = GrpcServer::Start(config, {service_.get()});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    return grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials());
  }

  static std::string Token(std::vector<Scope> scopes) {
    return MintServiceToken(Key(), "billing", scopes, absl::Now(), absl::Minutes(1));
  }

  grpc::StatusCode Ask(const std::shared_ptr<grpc::Channel>& channel, const std::string& room,
                       const std::vector<std::string>& values) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    for (const std::string& value : values) context.AddMetadata("authorization", value);
    v1::GetRoomRequest request;
    request.set_room_id(room);
    v1::GetRoomResponse response;
    const grpc::Status status =
        v1::RoomService::NewStub(channel)->GetRoom(&context, request, &response);
    name_ = response.room().id();
    return status.error_code();
  }

  std::string directory_;
  std::unique_ptr<AskingService> service_;
  std::unique_ptr<GrpcServer> server_;
  std::string name_;
};

TEST_F(AdmissionTest, AsksForATokenWithTheScope) {
  const auto channel = Serve("127.0.0.1:0");
  const std::string token = Token({Scope::kRoomsRead});

  EXPECT_EQ(Ask(channel, "r", {}), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Ask(channel, "r", {"Bearer "}), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Ask(channel, "r", {"Basic YTpi"}), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Ask(channel, "r", {"Bearer " + token, "Bearer " + token}),
            grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Ask(channel, "r", {"Bearer " + Token({Scope::kEdge})}),
            grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Ask(channel, "r", {"bearer " + token}), grpc::StatusCode::OK);
  EXPECT_EQ(name_, "billing");
  EXPECT_EQ(Ask(channel, "r", {token}), grpc::StatusCode::OK);
}

TEST_F(AdmissionTest, AnEdgeOverTcpNeedsItsScope) {
  const auto channel = Serve("127.0.0.1:0");

  EXPECT_EQ(Ask(channel, "edge", {}), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Ask(channel, "edge", {"Bearer " + Token({Scope::kAdmin, Scope::kRoomsRead})}),
            grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Ask(channel, "edge", {"Bearer " + Token({Scope::kEdge})}), grpc::StatusCode::OK);
}

TEST_F(AdmissionTest, AnEdgeOverThePrivateSocketNeedsNoTokenAServiceDoes) {
  const auto channel = Serve("unix:" + directory_ + "/control.sock");

  EXPECT_EQ(Ask(channel, "edge", {}), grpc::StatusCode::OK);
  EXPECT_EQ(Ask(channel, "r", {}), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(AdmissionTest, AnEdgeWithinTheProcessNeedsNoTokenAServiceDoes) {
  Serve("127.0.0.1:0");
  const auto channel = server_->InProcessChannel(service_->admission().in_process_key());

  EXPECT_EQ(Ask(channel, "edge", {}), grpc::StatusCode::OK);
  EXPECT_EQ(Ask(channel, "r", {}), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Ask(server_->InProcessChannel("guessed"), "edge", {}),
            grpc::StatusCode::UNAUTHENTICATED);
}

}  // namespace
}  // namespace confab::control
