#include "edge/transport/websocket_transport.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <gtest/gtest.h>

#include "edge/transport/event_loop.h"
#include "edge/transport/transport_home.h"

namespace confab::edge {
namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;
using net::ip::tcp;

struct Seen {
  Transport* transport = nullptr;
  std::vector<std::string> messages;
  bool is_closed = false;
};

class SeeingSession final : public Session {
 public:
  explicit SeeingSession(Seen& seen) : seen_(seen) {}
  void OnOpen() override {}
  void OnMessage(bool, std::string_view message) override { seen_.messages.emplace_back(message); }
  void OnPong() override {}
  void OnDrained() override {}
  void Shut(CloseReason reason) override { seen_.transport->Close(reason); }
  void OnClosed() override { seen_.is_closed = true; }

 private:
  Seen& seen_;
};

class SeeingSessions final : public SessionFactory {
 public:
  std::unique_ptr<Session> OpenSession(OpenRequest, Transport& transport) override {
    seen.transport = &transport;
    return std::make_unique<SeeingSession>(seen);
  }

  Seen seen;
};

// One WebSocket, whose loop turns when the test says so, and its client, a plain socket. Neither kernel
// takes much of what the client does not read.
class WebSocketTransportTest : public testing::Test {
 protected:
  WebSocketTransportTest() {
    home_.limits.outbox_bytes = 4'096;
    tcp::acceptor acceptor(client_context_, {net::ip::address_v4::loopback(), 0});
    client_.open(tcp::v4());
    client_.set_option(net::socket_base::receive_buffer_size(4'096));
    client_.connect(acceptor.local_endpoint());
    EdgeStream::Socket served(loop_->context().get_executor());
    acceptor.accept(served);
    served.set_option(net::socket_base::send_buffer_size(64 * 1024));
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
    while (client_.available() == 0) Turn();
    std::string answer;
    net::read_until(client_, net::dynamic_buffer(answer), "\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 101")) << answer;
  }
  // The loop first, with the transport, which uses the rest.
  ~WebSocketTransportTest() override { loop_.reset(); }

  // Until nothing is left that can be done now.
  void Turn() {
    while (loop_->context().poll() > 0) {
    }
  }

  void Write(std::string_view bytes) {
    net::write(client_, net::buffer(bytes.data(), bytes.size()));
    Turn();
  }

  // A masked text frame; the mask is 0, so the payload stands there as it is.
  static std::string FrameOf(std::size_t bytes) {
    std::string frame = "\x81\xfe";
    frame += static_cast<char>(bytes >> 8);
    frame += static_cast<char>(bytes & 0xff);
    frame.append(4, '\0');
    return frame.append(bytes, 'x');
  }

  std::unique_ptr<EventLoop> loop_ = std::make_unique<EventLoop>();
  SeeingSessions sessions_;
  Seen& seen_ = sessions_.seen;
  TransportHome home_{
      .loop = *loop_, .sessions = sessions_, .list = {}, .limits = {}, .sid_place = {}};
  net::io_context client_context_;
  tcp::socket client_{client_context_};
};

TEST_F(WebSocketTransportTest, ReadsMessagesOfEveryLength) {
  const std::vector<std::size_t> lengths = {300, 1'024, 1'025, 60'000, 65'535, 200};
  std::vector<std::string> expected;
  for (const std::size_t length : lengths) {
    const std::string frame = FrameOf(length);
    Write(frame.substr(0, length / 2));
    Write(frame.substr(length / 2));
    expected.emplace_back(length, 'x');
  }
  while (seen_.messages.size() < expected.size()) Turn();

  EXPECT_EQ(seen_.messages, expected);
}

// Whose reader takes nothing, so that there is no room for its close frame: that ends it amid the read
// of a long message, whose memory is still written to. It is the address sanitizer that sees it.
TEST_F(WebSocketTransportTest, KeepsTheRoomOfAReadThatOutlastsItsEnd) {
  const std::string frame = FrameOf(60'000);
  Write(frame.substr(0, 30'000));
  seen_.transport->SendBytes(std::string(8 * 1024 * 1024, 'x'), DeliveryClass::kControl);
  Turn();
  seen_.transport->Close(CloseReason::kNormal);
  Turn();
  ASSERT_TRUE(seen_.is_closed);
  ASSERT_EQ(home_.list.size(), 0u) << "it waits for its peer";

  Write(frame.substr(30'000));

  EXPECT_TRUE(seen_.messages.empty());
}

}  // namespace
}  // namespace confab::edge
