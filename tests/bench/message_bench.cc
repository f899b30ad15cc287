// A client's message from its WebSocket text to the host, and the ack on its way back.
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <absl/time/clock.h>

#include "edge/connection/engineio_session.h"
#include "edge/connection/native_session.h"
#include "edge/connection/socketio_connection.h"
#include "edge/connection/socketio_talk.h"
#include "edge/control_link/pending_requests.h"
#include "edge/transport/timer_wheel.h"
#include "tests/bench/edge_benches.h"
#include "tests/bench/edge_peers.h"

namespace confab::edge {

namespace {

using benchmark::DoNotOptimize;
using benchmark::State;
using tests::Require;

std::string Token() {
  return process::SignJwt(
      {{"sub", "ann"}, {"name", "Ann Example"}, {"exp", absl::ToUnixSeconds(absl::Now()) + 3'600}},
      AmpleHost::Key());
}

// One Socket.IO client that is connected, with nothing behind its host.
class Client {
 public:
  Client() {
    OpenRequest request;
    request.sid = "0123456789abcdefghij";
    request.accepted_at = std::chrono::steady_clock::now();
    session_ = std::make_unique<EngineIoSession>(home_, request, transport_);
    session_->SetApp(
        std::make_unique<SocketIoTalk>(*session_, std::move(request), SocketIoConnection::Make));
    session_->OnOpen();
    session_->OnMessage(false, R"(40{"token":")" + Token() + R"("})");
    Require(host_.entered != nullptr, "the client was not admitted");
  }
  ~Client() { session_->OnClosed(); }

  void Say(const std::string& text) { session_->OnMessage(false, text); }
  Connection& connection() { return *host_.entered; }
  const AmpleHost& host() const { return host_; }
  const CountingTransport& transport() const { return transport_; }

 private:
  AmpleHost host_;
  TimerWheel wheel_;
  HeartbeatLimits heartbeat_;
  const DialectSet dialects_ = *DialectSet::Load("");
  const std::vector<std::string> namespaces_ = {"/"};
  const EncoderTable encoders_{dialects_, namespaces_};
  SessionHome home_{.host = host_,
                    .wheel = wheel_,
                    .heartbeat = heartbeat_,
                    .dialects = dialects_,
                    .default_dialect = *dialects_.IndexOf("confab"),
                    .namespaces = namespaces_,
                    .encoders = encoders_};
  CountingTransport transport_;
  std::unique_ptr<EngineIoSession> session_;
};

void MessageIn(State& state) {
  Client client;
  const std::string text = SampleSend();
  client.Say(text);
  Require(client.host().forwarded == 1 && client.host().last.has_post_message(),
          "the message was not forwarded");
  for (auto _ : state) client.Say(text);
  Require(client.host().refused == 0, "messages were refused");
}

void AckOut(State& state) {
  Client client;
  const v1::Command command = SampleCommand();
  const v1::Result result = SampleResult();
  const std::size_t before = client.transport().bytes;
  client.connection().OnResult(command, kSampleReply, result);
  Require(client.transport().bytes > before, "nothing was answered");
  for (auto _ : state) client.connection().OnResult(command, kSampleReply, result);
}

// As IoThread::Submit does it: kept for its Result, a copy for the stream, then the Result comes.
void AwaitResult(State& state) {
  PendingRequests pending(0);
  std::vector<v1::EdgeItem> outgoing;
  const v1::Command sample = SampleCommand();
  const auto now = std::chrono::steady_clock::now();
  for (auto _ : state) {
    v1::Command command = sample;
    const PendingRequest* added =
        pending.Add(std::move(command), kSampleReply, now, now + std::chrono::seconds(3));
    const std::uint64_t request = added->command.request();
    *outgoing.emplace_back().mutable_command() = added->command;
    pending.MarkSent(request);
    outgoing.clear();
    DoNotOptimize(pending.Complete(request).has_value());
  }
}

}  // namespace

void AddMessageBenches(tests::BenchList& list) {
  list.Add({"connection/message_in", "message", 1, 500, MessageIn});
  list.Add({"connection/ack_out", "ack", 1, 500, AckOut});
  list.Add({"connection/await_result", "command", 1, 500, AwaitResult});
}

}  // namespace confab::edge
