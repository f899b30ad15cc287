#include "tests/edge/engineio_echo.h"

#include <memory>
#include <string>
#include <utility>

#include "edge/connection/engineio_session.h"
#include "edge/protocol/websocket_frame.h"

namespace confab::tests {

namespace {

using edge::OpenRequest;

class EngineIoEcho final : public edge::EngineIoApp {
 public:
  // Nobody has to show a token here.
  explicit EngineIoEcho(edge::EngineIoSession& engine) : engine_(engine) {
    engine.OnAuthenticated();
    engine.OnAdmitted();
  }

  void OnMessage(bool is_binary, std::string_view body) override {
    if (is_binary) return engine_.SendBinary(body);
    engine_.SendText([&](std::string& out) { out.append("4").append(body); });
  }
  void OnDrained() override {}
  void OnMoved(edge::Transport&) override {}
  void SayClosing(edge::CloseReason) override {}
  edge::Heartbeat::SteadyTime CheckTokens(edge::Heartbeat::SteadyTime) override {
    return edge::Heartbeat::SteadyTime::max();
  }

 private:
  edge::EngineIoSession& engine_;
};

class PlainEcho final : public edge::Session {
 public:
  explicit PlainEcho(edge::Transport& transport) : transport_(transport) {}

  void OnOpen() override {}
  void OnMessage(bool is_binary, std::string_view message) override {
    std::string frame;
    edge::BeginWebSocketFrame(frame);
    frame += message;
    transport_.SendBytes(
        edge::FinishWebSocketFrame(
            is_binary ? edge::WebSocketOpcode::kBinary : edge::WebSocketOpcode::kText, frame),
        edge::DeliveryClass::kControl);
  }
  void OnPong() override {}
  void OnDrained() override {}
  void Shut(edge::CloseReason reason) override { transport_.Close(reason); }
  void OnClosed() override {}

 private:
  edge::Transport& transport_;
};

std::unique_ptr<edge::Session> MakeEcho(edge::SessionHome& home, OpenRequest request,
                                        edge::Transport& transport) {
  if (request.protocol == OpenRequest::Protocol::kPlain) {
    return std::make_unique<PlainEcho>(transport);
  }
  auto session = std::make_unique<edge::EngineIoSession>(home, request, transport);
  session->SetApp(std::make_unique<EngineIoEcho>(*session));
  return session;
}

}  // namespace

void AddEngineIoEcho(edge::IoSettings& settings) {
  settings.routes.engineio.push_back(
      {.prefix = "/engine.io/", .protocol = OpenRequest::Protocol::kEngineIo});
  settings.routes.plain_path = "/echo";
  settings.make_session = MakeEcho;
}

}  // namespace confab::tests
