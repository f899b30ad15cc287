#include "edge/control_link/grpc_control_link.h"

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "confab/v1/edge_link.grpc.pb.h"

#include "tests/edge/control_link/unix_relay.h"

namespace confab::edge {
namespace {

// A control that welcomes every edge and keeps what it was sent. Synchronous: one thread a stream.
class PlainControl final : public v1::EdgeLinkService::Service {
 public:
  grpc::Status Attach(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::AttachResponse, v1::AttachRequest>* stream) override {
    {
      const std::lock_guard lock(mu_);
      ++streams_;
      const auto token = context->client_metadata().find("authorization");
      token_ = token == context->client_metadata().end()
                   ? std::string()
                   : std::string(token->second.data(), token->second.size());
      changed_.notify_all();
      if (is_standby_) return {grpc::StatusCode::UNAVAILABLE, "standby"};
    }
    v1::AttachRequest request;
    while (stream->Read(&request)) {
      const std::lock_guard lock(mu_);
      for (const v1::EdgeItem& item : request.items()) {
        items_.push_back(item);
        if (!item.hello().last()) continue;
        v1::AttachResponse welcome;
        welcome.add_items()->mutable_welcome()->set_control_id("plain");
        stream->Write(welcome);
      }
      largest_ = std::max(largest_, request.ByteSizeLong());
      changed_.notify_all();
      if (is_to_hang_up_) {
        is_to_hang_up_ = false;
        return grpc::Status::OK;
      }
    }
    return grpc::Status::OK;
  }

  bool WaitUntil(const std::function<bool()>& holds,
                 std::chrono::seconds time = std::chrono::seconds(10)) {
    std::unique_lock lock(mu_);
    return changed_.wait_for(lock, time, holds);
  }

  std::mutex mu_;
  std::condition_variable changed_;
  std::vector<v1::EdgeItem> items_;
  std::string token_;
  std::size_t largest_ = 0;
  int streams_ = 0;
  bool is_standby_ = false;
  bool is_to_hang_up_ = false;
};

class RecordingSink final : public ControlLinkSink {
 public:
  void OnStreamOpened(std::uint64_t stream) override { Note(stream, "opened"); }
  void OnItems(std::uint64_t stream, std::shared_ptr<const v1::AttachResponse> batch) override {
    if (batch->items_size() > 0 && batch->items(0).has_welcome()) Note(stream, "welcome");
  }
  void OnStreamClosed(std::uint64_t stream) override { Note(stream, "closed"); }

  bool WaitFor(std::uint64_t stream, const std::string& what) {
    std::unique_lock lock(mu_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] {
      const auto& notes = notes_[stream];
      return std::find(notes.begin(), notes.end(), what) != notes.end();
    });
  }

  std::map<std::uint64_t, std::vector<std::string>> Notes() {
    const std::lock_guard lock(mu_);
    return notes_;
  }

 private:
  void Note(std::uint64_t stream, const std::string& what) {
    const std::lock_guard lock(mu_);
    notes_[stream].push_back(what);
    changed_.notify_all();
  }

  std::mutex mu_;
  std::condition_variable changed_;
  std::map<std::uint64_t, std::vector<std::string>> notes_;
};

class GrpcControlLink : public testing::Test {
 protected:
  GrpcControlLink() {
    std::string pattern = testing::TempDir() + "confab_link_XXXXXX";
    ::close(::mkstemp(pattern.data()));
    secret_file_ = pattern;
    std::ofstream(secret_file_) << "a secret of services, more than 32 bytes long";
  }
  ~GrpcControlLink() override {
    link_.reset();
    relay_.reset();
    std::remove(secret_file_.c_str());
  }

  void Serve(int port = 0) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials(),
                             &port_);
    builder.RegisterService(&control_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
  }

  // On a Unix socket, which takes as much as its buffer has room for: no window of gRPC's is in the
  // way.
  void ServeBehindRelay() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix:" + back_socket(), grpc::InsecureServerCredentials());
    builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 16 * 1024 * 1024);
    builder.RegisterService(&control_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    relay_ = std::make_unique<UnixRelay>(front_socket(), back_socket());
  }
  std::string front_socket() const { return secret_file_ + ".front"; }
  std::string back_socket() const { return secret_file_ + ".back"; }

  // The relay takes nothing any more, and far more than any buffer has room for is under way.
  void StallWhileMuchIsSent() {
    ASSERT_TRUE(sink_.WaitFor(1, "opened"));
    link_->Announce(1, LastHello());
    ASSERT_TRUE(sink_.WaitFor(1, "welcome"));
    relay_->Stall();
    std::vector<v1::EdgeItem> items(500);
    for (v1::EdgeItem& item : items) {
      item.mutable_command()->mutable_post_message()->set_content(std::string(16'000, 'x'));
    }
    link_->Send(1, items);
  }

  void Dial(std::vector<std::string> targets,
            std::chrono::milliseconds stall_time = std::chrono::hours(1)) {
    auto link = DialControl({.targets = std::move(targets),
                             .service_secret_file = secret_file_,
                             .stall_time = stall_time},
                            nullptr);
    ASSERT_TRUE(link.ok()) << link.status();
    link_ = std::move(*link);
    link_->Start(sink_);
  }

  std::string Address() const { return "127.0.0.1:" + std::to_string(port_); }

  static std::vector<v1::Hello> LastHello() {
    std::vector<v1::Hello> chunks(1);
    chunks[0].set_last(true);
    return chunks;
  }

  std::string secret_file_;
  PlainControl control_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<UnixRelay> relay_;
  RecordingSink sink_;
  std::unique_ptr<ControlLink> link_;
};

TEST_F(GrpcControlLink, SendsTheAnnouncementBeforeEverythingElse) {
  Serve();
  Dial({Address()});
  ASSERT_TRUE(sink_.WaitFor(1, "opened"));

  std::vector<v1::EdgeItem> early(1);
  early[0].mutable_command()->set_request(7);
  link_->Send(1, early);
  link_->Announce(1, LastHello());

  ASSERT_TRUE(sink_.WaitFor(1, "welcome"));
  ASSERT_TRUE(control_.WaitUntil([&] { return control_.items_.size() == 2; }));
  EXPECT_TRUE(control_.items_[0].has_hello());
  EXPECT_EQ(control_.items_[1].command().request(), 7u);
  EXPECT_THAT(control_.token_, testing::StartsWith("Bearer ey"));
}

TEST_F(GrpcControlLink, OpensAnotherStreamWhenOneIsLost) {
  Serve();
  control_.is_to_hang_up_ = true;
  Dial({Address()});
  ASSERT_TRUE(sink_.WaitFor(1, "opened"));

  link_->Announce(1, LastHello());

  ASSERT_TRUE(sink_.WaitFor(2, "opened"));
  EXPECT_EQ(sink_.Notes()[1].back(), "closed");
  std::vector<v1::EdgeItem> late(1);
  late[0].mutable_command()->set_request(8);
  link_->Send(1, late);  // Of the lost stream: dropped.
  link_->Announce(2, LastHello());
  ASSERT_TRUE(sink_.WaitFor(2, "welcome"));
  EXPECT_TRUE(control_.WaitUntil([&] { return control_.items_.size() == 2; }));
}

TEST_F(GrpcControlLink, GoesOnToTheNextTargetWhenOneRefuses) {
  Serve();
  PlainControl standby;
  standby.is_standby_ = true;
  int standby_port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &standby_port);
  builder.RegisterService(&standby);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();

  Dial({"127.0.0.1:" + std::to_string(standby_port), Address()});

  EXPECT_TRUE(control_.WaitUntil([&] { return control_.streams_ > 0; }));
  link_->Stop();
  server->Shutdown(std::chrono::system_clock::now());
}

TEST_F(GrpcControlLink, CutsWhatItSendsIntoBatches) {
  Serve();
  Dial({Address()});
  ASSERT_TRUE(sink_.WaitFor(1, "opened"));
  std::vector<v1::EdgeItem> items(200);
  for (v1::EdgeItem& item : items) {
    item.mutable_command()->mutable_post_message()->set_content(std::string(16'000, 'x'));
  }

  link_->Send(1, items);
  link_->Announce(1, LastHello());

  EXPECT_TRUE(control_.WaitUntil([&] { return control_.items_.size() == 201; }));
  EXPECT_LE(control_.largest_, 600u * 1024);
}

TEST_F(GrpcControlLink, StopsWhileControlCannotBeReached) {
  Dial({"127.0.0.1:1"});

  link_->Stop();

  EXPECT_TRUE(sink_.Notes().empty());
}

TEST_F(GrpcControlLink, GoesOverUnixSockets) {
  ServeBehindRelay();
  control_.is_to_hang_up_ = true;
  Dial({"unix:" + front_socket()});
  ASSERT_TRUE(sink_.WaitFor(1, "opened"));
  link_->Announce(1, LastHello());

  ASSERT_TRUE(sink_.WaitFor(2, "opened"));
  link_->Announce(2, LastHello());
  ASSERT_TRUE(sink_.WaitFor(2, "welcome"));
  link_->Stop();
  EXPECT_EQ(sink_.Notes()[2].back(), "closed");
}

TEST_F(GrpcControlLink, TakesAnAbsolutePathWithTwoSlashesToo) {
  ServeBehindRelay();
  Dial({"unix://" + front_socket()});

  EXPECT_TRUE(sink_.WaitFor(1, "opened"));
}

TEST_F(GrpcControlLink, StopsWhileNobodyListensOnAUnixSocket) {
  Dial({"unix:" + front_socket(), "unix:" + std::string(200, 'x')});

  link_->Stop();

  EXPECT_TRUE(sink_.Notes().empty());
}

TEST_F(GrpcControlLink, OpensNoStreamToWhoDoesNotAnswer) {
  ServeBehindRelay();
  relay_->Stall();
  Dial({"unix:" + front_socket()});
  EXPECT_FALSE(control_.WaitUntil([&] { return control_.streams_ > 0; }, std::chrono::seconds(2)));
  EXPECT_TRUE(sink_.Notes().empty());

  relay_->GoOn();

  EXPECT_TRUE(sink_.WaitFor(1, "opened"));
}

// gRPC's keepalive says nothing of it: the ping waits behind what is not taken.
TEST_F(GrpcControlLink, GivesUpAControlThatTakesNothing) {
  ServeBehindRelay();
  Dial({"unix:" + front_socket()}, std::chrono::milliseconds(300));
  StallWhileMuchIsSent();

  ASSERT_TRUE(sink_.WaitFor(1, "closed"));

  relay_->GoOn();
  ASSERT_TRUE(sink_.WaitFor(2, "opened"));
  link_->Announce(2, LastHello());
  EXPECT_TRUE(sink_.WaitFor(2, "welcome"));
}

TEST_F(GrpcControlLink, StopsWhileControlTakesNothing) {
  ServeBehindRelay();
  Dial({"unix:" + front_socket()});
  StallWhileMuchIsSent();
  const auto began = std::chrono::steady_clock::now();

  link_->Stop();

  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(8));
  EXPECT_EQ(sink_.Notes()[1].back(), "closed");
}

TEST_F(GrpcControlLink, RefusesTargetsThatAreNotOfThisHost) {
  const auto link =
      DialControl({.targets = {"10.0.0.1:8081"}, .service_secret_file = secret_file_}, nullptr);

  EXPECT_EQ(link.status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace confab::edge
