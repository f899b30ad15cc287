#include "control/api/tail_stream.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include "confab/v1/message_service.grpc.pb.h"

#include "control/api/grpc_server.h"
#include "control/status_reason.h"

namespace confab::control {
namespace {

constexpr int kEvents = 400;  // Of 16 KiB: far more than gRPC and the stream take in for a reader.

v1::Event EventOf(int64_t seq, size_t bytes = 10) {
  v1::Event event;
  event.set_seq(seq);
  event.mutable_message_posted()->set_content(std::string(bytes, 'x'));
  return event;
}

// A tail as the dispatcher makes it: offers events 1…kEvents on a lane of its own and pauses when
// there is no room.
class FakeTail {
 public:
  void Begin(std::shared_ptr<TailSink> sink, size_t bytes) {
    lane_ = std::thread([this, sink = std::move(sink), bytes] { Run(*sink, bytes); });
  }
  void Join() {
    Set([this] { is_gone_ = true; });
    lane_.join();
  }

  // The part that the stream holds.
  class Handle final : public Tail {
   public:
    explicit Handle(FakeTail& tail) : tail_(tail) {}
    ~Handle() override {
      tail_.Set([this] { tail_.is_gone_ = true; });
    }
    void Resume() override {
      tail_.Set([this] { tail_.is_resumed_ = true; });
    }

   private:
    FakeTail& tail_;
  };

  template <typename Change>
  void Set(Change change) {
    const std::lock_guard lock(mu_);
    change();
    changed_.notify_all();
  }
  template <typename Condition>
  bool Await(Condition condition) {
    std::unique_lock lock(mu_);
    return changed_.wait_for(lock, std::chrono::seconds(10), condition);
  }

  bool is_gone_ = false;
  bool is_resumed_ = false;
  int pauses_ = 0;

 private:
  void Run(TailSink& sink, size_t bytes) {
    for (int seq = 1; seq <= kEvents; ++seq) {
      while (!sink.Offer(EventOf(seq, bytes))) {
        Set([this] { ++pauses_; });
        bool is_over = true;
        Await([this] { return is_resumed_ || is_gone_; });
        Set([&] {
          is_over = is_gone_ || !is_resumed_;
          is_resumed_ = false;
        });
        if (is_over) return;
      }
    }
    sink.End(RefusalStatus(v1::REASON_ROOM_NOT_FOUND, "the room was deleted"));
  }

  std::mutex mu_;
  std::condition_variable changed_;
  std::thread lane_;
};

class TailService final : public v1::MessageService::CallbackService {
 public:
  grpc::ServerWriteReactor<v1::TailEventsResponse>* TailEvents(
      grpc::CallbackServerContext* /*context*/, const v1::TailEventsRequest* request) override {
    auto* stream = new TailStream([this](const absl::Status& status) {
      const std::lock_guard lock(mu);
      ended = status;
    });
    if (request->room_id() == "refused") {
      stream->Refuse(RefusalStatus(v1::REASON_SCOPE_MISSING, "no"));
      return stream;
    }
    tail.Begin(stream->sink(), static_cast<size_t>(request->after_seq()));
    stream->Follow(std::make_unique<FakeTail::Handle>(tail));
    return stream;
  }

  FakeTail tail;
  std::mutex mu;
  absl::Status ended;
};

class TailStreamTest : public testing::Test {
 protected:
  void SetUp() override {
    ControlConfig config;
    config.control_listen = "127.0.0.1:0";
    auto server = GrpcServer::Start(config, {&service_});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    stub_ = v1::MessageService::NewStub(
        grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials()));
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  }

  std::unique_ptr<grpc::ClientReader<v1::TailEventsResponse>> Call(const std::string& room,
                                                                   int64_t event_bytes) {
    v1::TailEventsRequest request;
    request.set_room_id(room);
    request.set_after_seq(event_bytes);
    return stub_->TailEvents(&context_, request);
  }

  TailService service_;
  std::unique_ptr<GrpcServer> server_;
  std::unique_ptr<v1::MessageService::Stub> stub_;
  grpc::ClientContext context_;
};

TEST_F(TailStreamTest, WritesEveryEventInOrderAndThenTheEnd) {
  const auto stream = Call("room", 10);

  int64_t seq = 0;
  v1::TailEventsResponse batch;
  while (stream->Read(&batch)) {
    for (const v1::Event& event : batch.events()) EXPECT_EQ(event.seq(), ++seq);
  }

  EXPECT_EQ(seq, kEvents);
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
  service_.tail.Join();
  const std::lock_guard lock(service_.mu);
  EXPECT_EQ(ReasonOf(service_.ended), v1::REASON_ROOM_NOT_FOUND);
}

TEST_F(TailStreamTest, PausesTheTailForASlowReaderAndLosesNothing) {
  const auto stream = Call("room", 16 * 1024);
  ASSERT_TRUE(service_.tail.Await([this] { return service_.tail.pauses_ > 0; }));

  int64_t seq = 0;
  v1::TailEventsResponse batch;
  while (stream->Read(&batch)) {
    EXPECT_LE(batch.ByteSizeLong(), TailStream::kWaitingBytesLimit + 20 * 1024);
    for (const v1::Event& event : batch.events()) EXPECT_EQ(event.seq(), ++seq);
  }

  EXPECT_EQ(seq, kEvents);
  service_.tail.Join();
}

TEST_F(TailStreamTest, EndsTheTailWhenTheCallerGoes) {
  const auto stream = Call("room", 16 * 1024);
  ASSERT_TRUE(service_.tail.Await([this] { return service_.tail.pauses_ > 0; }));

  context_.TryCancel();

  EXPECT_TRUE(service_.tail.Await([this] { return service_.tail.is_gone_; }));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  service_.tail.Join();
}

TEST_F(TailStreamTest, RefusesWithTheReason) {
  const auto stream = Call("refused", 0);
  v1::TailEventsResponse batch;

  EXPECT_FALSE(stream->Read(&batch));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

}  // namespace
}  // namespace confab::control
