#include "tests/edge/socketio_echo.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "edge/connection/socketio_talk.h"
#include "proto/reason.h"
#include "tests/edge/engineio_echo.h"

namespace confab::tests {

namespace {

using edge::SocketIoNamespace;
using edge::SocketIoPacket;
using edge::SocketIoTalk;

struct RawEvent {
  std::string_view name;       // As written, between the quotes.
  std::string_view arguments;  // What is behind the name: `,1,2]`.
};

// Takes the text apart without reading it, so that every byte can go back as it came.
std::optional<RawEvent> TakeApart(std::string_view payload) {
  const std::size_t quote = payload.find('"');
  if (quote == std::string_view::npos) return std::nullopt;
  for (std::size_t i = quote + 1; i < payload.size(); ++i) {
    if (payload[i] == '\\') {
      ++i;
    } else if (payload[i] == '"') {
      return RawEvent{.name = payload.substr(quote + 1, i - quote - 1),
                      .arguments = payload.substr(i + 1)};
    }
  }
  return std::nullopt;
}

class EchoNamespace final : public SocketIoNamespace {
 public:
  EchoNamespace(SocketIoTalk& talk, std::size_t nsp) : talk_(talk), nsp_(nsp) {}

  std::optional<v1::Error> Connect(const SocketIoPacket& packet) override {
    if (packet.json != nullptr) {
      if (const auto* word = packet.json->get_object().if_contains("refuse")) {
        const boost::json::string& text = word->as_string();
        return MakeError(ReasonOfWord({text.data(), text.size()}), "as asked for");
      }
    }
    is_joined_ = true;
    talk_.engine().SendText(
        [&](std::string& out) { edge::AppendSocketIoConnect(nsp(), "echo-sid", {}, out); });
    talk_.engine().SendText([&](std::string& out) {
      edge::AppendSocketIoEventPrefix(nsp(), out);
      out += "[\"auth\",";
      out += packet.has_payload() ? packet.payload : "{}";
      out += "]";
    });
    return std::nullopt;
  }

  bool is_joined() const override { return is_joined_; }

  void OnEvent(const SocketIoPacket& packet, std::span<const std::string> attachments) override {
    const std::optional<RawEvent> event = TakeApart(packet.payload);
    if (!event || nsp() != "/") return;
    const std::size_t count = attachments.size();
    const auto answer = [&](std::string& out) {
      if (event->name == "message") {
        count == 0 ? edge::AppendSocketIoEventPrefix(nsp(), out)
                   : edge::AppendSocketIoBinaryEventPrefix(nsp(), count, out);
        out.append("[\"message-back\"").append(event->arguments);
        return;
      }
      count == 0 ? edge::AppendSocketIoAckPrefix(nsp(), *packet.ack_id, out)
                 : edge::AppendSocketIoBinaryAckPrefix(nsp(), count, *packet.ack_id, out);
      const std::size_t comma = event->arguments.find(',');
      out += "[";
      out +=
          comma == std::string_view::npos ? event->arguments : event->arguments.substr(comma + 1);
    };
    if (event->name == "message" || (event->name == "message-with-ack" && packet.ack_id)) {
      talk_.SendBinary(answer, attachments);
    }
  }

  void OnDrained() override {}
  void OnMoved(edge::Transport&) override {}
  void SayClosing(edge::CloseReason, std::uint32_t) override {}
  edge::Heartbeat::SteadyTime CheckToken(edge::Heartbeat::SteadyTime) override {
    return edge::Heartbeat::SteadyTime::max();
  }
  void Leave() override {}

 private:
  const std::string& nsp() const { return talk_.engine().home().namespaces[nsp_]; }

  SocketIoTalk& talk_;
  const std::size_t nsp_;
  bool is_joined_ = false;
};

std::unique_ptr<SocketIoNamespace> MakeEcho(SocketIoTalk& talk, std::size_t nsp) {
  return std::make_unique<EchoNamespace>(talk, nsp);
}

}  // namespace

SocketIoEcho::SocketIoEcho()
    : settings_{.tokens = nullptr,
                .origins = *edge::OriginPolicy::Create({"*"}, true),
                .dialects = *edge::DialectSet::Load(""),
                .namespaces = {"/", "/custom"},
                .make_namespace = MakeEcho,
                .epoch_name = "echo",
                .limits = {},
                .routes = {}} {
  AddEngineIoEcho(settings_);
}

std::uint16_t SocketIoEcho::Start(std::uint16_t port) {
  thread_ = std::make_unique<edge::IoThread>(0, settings_, tables_, link_, distributor_, metrics_);
  thread_->SetPeers({thread_.get()});
  const std::uint16_t bound = thread_->Open("127.0.0.1", port, true).value();
  thread_->Start();
  return bound;
}

SocketIoEcho::~SocketIoEcho() {
  if (thread_ != nullptr) thread_->Join();
}

}  // namespace confab::tests
