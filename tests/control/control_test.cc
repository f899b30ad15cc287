// Control as a whole on SQLite: who is served, what is refused, what health says.
#include "control/control.h"

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>

#include <absl/time/clock.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include "confab/v1/admin_service.grpc.pb.h"
#include "confab/v1/connection_service.grpc.pb.h"
#include "confab/v1/edge_link.grpc.pb.h"
#include "confab/v1/edge_service.grpc.pb.h"
#include "confab/v1/message_service.grpc.pb.h"
#include "confab/v1/presence_service.grpc.pb.h"
#include "confab/v1/room_service.grpc.pb.h"

#include "control/auth/service_token.h"
#include "google/rpc/status.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "process/metrics.h"

namespace confab::control {
namespace {

using grpc::health::v1::HealthCheckResponse;

constexpr char kSecret[] = "0123456789abcdef0123456789abcdef";

struct Running {
  process::Metrics metrics;
  std::mutex mu;
  std::condition_variable changed;
  bool is_active = false;
  std::unique_ptr<Control> control;

  bool AwaitActive() {
    std::unique_lock lock(mu);
    return changed.wait_for(lock, std::chrono::seconds(20), [this] { return is_active; });
  }
};

class ControlTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "confab_control_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    std::ofstream(directory_ + "/secret") << kSecret;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  ControlConfig Config() {
    ControlConfig config;
    config.control_listen = "127.0.0.1:0";
    config.store = "sqlite:" + directory_ + "/data/confab.db";
    config.service_secret_file = directory_ + "/secret";
    config.lanes = 2;
    config.lock_interval = absl::Milliseconds(20);
    return config;
  }

  std::unique_ptr<Running> Start(const ControlConfig& config) {
    auto running = std::make_unique<Running>();
    ControlHooks hooks;
    hooks.on_active = [self = running.get()] {
      const std::lock_guard lock(self->mu);
      self->is_active = true;
      self->changed.notify_all();
    };
    running->control = std::make_unique<Control>(config, running->metrics, hooks);
    const absl::Status started = running->control->Start();
    EXPECT_TRUE(started.ok()) << started;
    return running;
  }

  static std::string Token(const std::vector<Scope>& scopes) {
    return MintServiceToken(*process::JwtKey::FromSecret(kSecret), "tests", scopes, absl::Now(),
                            absl::Minutes(1));
  }

  static std::shared_ptr<grpc::Channel> Dial(const Running& running) {
    return grpc::CreateChannel(running.control->address(), grpc::InsecureChannelCredentials());
  }

  static void Limit(grpc::ClientContext& context, const std::string& token = "") {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
  }

  static HealthCheckResponse::ServingStatus HealthOf(const Running& running) {
    grpc::ClientContext context;
    Limit(context);
    HealthCheckResponse response;
    const auto status =
        grpc::health::v1::Health::NewStub(Dial(running))->Check(&context, {}, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.status();
  }

  std::string directory_;
};

std::string ReasonOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (!details.ParseFromString(status.error_details()) || details.details_size() == 0) return "";
  return details.details(0).UnpackTo(&info) ? info.reason() : "";
}

// Calls any method with an empty message.
grpc::Status CallEmpty(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                       const std::string& token) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
  grpc::CompletionQueue queue;
  auto stream = stub.PrepareCall(&context, method, &queue);
  grpc::Status status;
  void* tag = nullptr;
  bool ok = false;
  stream->StartCall(nullptr);
  queue.Next(&tag, &ok);
  const grpc::Slice empty;
  stream->WriteLast(grpc::ByteBuffer(&empty, 1), grpc::WriteOptions(), nullptr);
  queue.Next(&tag, &ok);
  stream->Finish(&status, nullptr);
  queue.Next(&tag, &ok);
  return status;
}

TEST_F(ControlTest, EveryMethodRefusesWhoMayNotCallIt) {
  const auto running = Start(Config());
  ASSERT_TRUE(running->AwaitActive());
  const auto channel = Dial(*running);
  const std::string useless = Token({Scope::kNotify});

  int methods = 0;
  for (const auto* file :
       {v1::ListAuditRequest::descriptor()->file(), v1::AttachRequest::descriptor()->file(),
        v1::ListConnectionsRequest::descriptor()->file(),
        v1::ListEdgesRequest::descriptor()->file(), v1::PostMessageRequest::descriptor()->file(),
        v1::GetPresenceRequest::descriptor()->file(),
        v1::CreateRoomRequest::descriptor()->file()}) {
    const auto* service = file->service(0);
    for (int i = 0; i < service->method_count(); ++i, ++methods) {
      const std::string method = "/" + service->full_name() + "/" + service->method(i)->name();
      EXPECT_EQ(ReasonOf(CallEmpty(channel, method, "")), "TOKEN_MISSING") << method;
      EXPECT_EQ(ReasonOf(CallEmpty(channel, method, "x.y.z")), "TOKEN_INVALID") << method;
      EXPECT_EQ(ReasonOf(CallEmpty(channel, method, useless)), "SCOPE_MISSING") << method;
    }
  }
  EXPECT_EQ(methods, 30);
}

TEST_F(ControlTest, AStandbyRefusesAndTakesOver) {
  auto first = Start(Config());
  ASSERT_TRUE(first->AwaitActive());
  EXPECT_EQ(HealthOf(*first), HealthCheckResponse::SERVING);
  const auto second = Start(Config());
  EXPECT_EQ(HealthOf(*second), HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(second->control->Readiness().ok());

  grpc::ClientContext context;
  Limit(context, Token({Scope::kRoomsRead}));
  v1::GetRoomRequest request;
  request.set_room_id("r");
  v1::GetRoomResponse response;
  const grpc::Status refused =
      v1::RoomService::NewStub(Dial(*second))->GetRoom(&context, request, &response);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(refused), "UNAVAILABLE");

  first.reset();
  ASSERT_TRUE(second->AwaitActive());
  EXPECT_EQ(HealthOf(*second), HealthCheckResponse::SERVING);
}

TEST_F(ControlTest, StopEndsTailsAndIsQuick) {
  const auto running = Start(Config());
  ASSERT_TRUE(running->AwaitActive());
  const auto channel = Dial(*running);
  const std::string token = Token({Scope::kRoomsWrite, Scope::kMessagesRead});
  grpc::ClientContext create_context;
  Limit(create_context, token);
  v1::CreateRoomRequest create;
  create.set_room_id("r");
  create.add_members()->set_user_id("ann");
  v1::CreateRoomResponse created;
  ASSERT_TRUE(
      v1::RoomService::NewStub(channel)->CreateRoom(&create_context, create, &created).ok());
  grpc::ClientContext tail_context;
  Limit(tail_context, token);
  v1::TailEventsRequest tail;
  tail.set_room_id("r");
  tail.set_after_seq(0);
  const auto stub = v1::MessageService::NewStub(channel);
  const auto stream = stub->TailEvents(&tail_context, tail);
  v1::TailEventsResponse batch;
  ASSERT_TRUE(stream->Read(&batch));
  ASSERT_EQ(batch.events_size(), 1);

  const absl::Time start = absl::Now();
  running->control->Stop(absl::Seconds(10));

  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
  while (stream->Read(&batch)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ControlTest, MakesTheDirectoryOfItsStoreForOneUserOnly) {
  const auto running = Start(Config());
  ASSERT_TRUE(running->AwaitActive());

  EXPECT_EQ(std::filesystem::status(directory_ + "/data").permissions(),
            std::filesystem::perms::owner_all);
}

TEST_F(ControlTest, SaysWhatIsWrongWithItsOptions) {
  process::Metrics metrics;
  const auto refusal = [&](const ControlConfig& config) {
    return std::string(Control(config, metrics, {}).Start().message());
  };
  ControlConfig config = Config();
  config.control_listen = "0.0.0.0:8081";
  EXPECT_NE(refusal(config).find("without TLS"), std::string::npos);
  config = Config();
  config.service_secret_file = "";
  EXPECT_NE(refusal(config).find("service-secret-file"), std::string::npos);
  config = Config();
  config.service_secret_file = directory_ + "/nothing";
  EXPECT_NE(refusal(config).find(directory_ + "/nothing"), std::string::npos);
}

}  // namespace
}  // namespace confab::control
