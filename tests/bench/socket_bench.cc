// A client's message from the kernel to its session, through Beast and our layer: over a socket of this
// machine, whose system calls count in times and not in instructions.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>

#include "edge/transport/event_loop.h"
#include "edge/transport/transport_home.h"
#include "edge/transport/websocket_transport.h"
#include "tests/bench/edge_benches.h"

namespace confab::edge {

namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;
using benchmark::State;
using net::ip::tcp;
using tests::Require;

class CountingSession final : public Session {
 public:
  explicit CountingSession(std::size_t& bytes) : bytes_(bytes) {}
  void OnOpen() override {}
  void OnMessage(bool /*is_binary*/, std::string_view message) override {
    bytes_ += message.size();
  }
  void OnPong() override {}
  void OnDrained() override {}
  void Shut(CloseReason /*reason*/) override {}
  void OnClosed() override {}

 private:
  std::size_t& bytes_;
};

class CountingSessions final : public SessionFactory {
 public:
  std::unique_ptr<Session> OpenSession(OpenRequest /*request*/, Transport& /*transport*/) override {
    return std::make_unique<CountingSession>(bytes);
  }

  std::size_t bytes = 0;
};

// One WebSocket and its client, which is a plain socket.
class Wire {
 public:
  Wire() {
    tcp::acceptor acceptor(client_context_, {net::ip::address_v4::loopback(), 0});
    client_.connect(acceptor.local_endpoint());
    EdgeStream::Socket served(loop_->context().get_executor());
    acceptor.accept(served);
    served.non_blocking(true);
    UpgradeRequest request;
    request.version(11);
    request.method(http::verb::get);
    request.target("/");
    request.set(http::field::host, "localhost");
    request.set(http::field::upgrade, "websocket");
    request.set(http::field::connection, "Upgrade");
    request.set(http::field::sec_websocket_version, "13");
    request.set(http::field::sec_websocket_key, "AAAAAAAAAAAAAAAAAAAAAA==");
    AcceptWebSocket(home_, EdgeStream(std::move(served)), request, {}, OpenRequest(), {});
    while (client_.available() == 0) loop_->context().poll();
    std::string answer;
    net::read_until(client_, net::dynamic_buffer(answer), "\r\n\r\n");
    Require(answer.starts_with("HTTP/1.1 101"), "the upgrade was refused");
  }

  ~Wire() { loop_.reset(); }  // First, with the transport, which uses the rest.

  void Say(std::string_view frame, std::size_t message_bytes) {
    net::write(client_, net::buffer(frame.data(), frame.size()));
    const std::size_t awaited = sessions_.bytes + message_bytes;
    while (sessions_.bytes < awaited) loop_->context().poll();
  }

 private:
  std::unique_ptr<EventLoop> loop_ = std::make_unique<EventLoop>();
  CountingSessions sessions_;
  TransportHome home_{
      .loop = *loop_, .sessions = sessions_, .list = {}, .limits = {}, .sid_place = {}};
  net::io_context client_context_;
  tcp::socket client_{client_context_};
};

// A masked text frame; the mask is 0, so the payload stands there as it is.
std::string FrameOf(std::size_t bytes) {
  std::string frame = "\x81";
  frame += static_cast<char>(0x80 | 126);
  frame += static_cast<char>(bytes >> 8);
  frame += static_cast<char>(bytes & 0xff);
  frame.append(4, '\0');
  return frame.append(bytes, 'x');
}

void ReadMessage(State& state, std::size_t bytes) {
  Wire wire;
  const std::string frame = FrameOf(bytes);
  for (auto _ : state) wire.Say(frame, bytes);
}

}  // namespace

void AddSocketBenches(tests::BenchList& list) {
  // A heartbeat's neighbour, a usual message, a long one.
  for (const int bytes : {200, 313, 4'000}) {
    list.Add({"transport/read_message/" + std::to_string(bytes), "message", 1, 500,
              [bytes](State& state) { ReadMessage(state, static_cast<std::size_t>(bytes)); }});
  }
}

}  // namespace confab::edge
