#include "edge/transport/edge_stream.h"

#include <array>
#include <memory>
#include <string>
#include <thread>

#include <boost/asio/connect.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "tests/support/tls_files.h"

namespace confab::edge {
namespace {

namespace net = boost::asio;
using tests::MakeTlsFiles;
using tests::TlsFiles;

std::string Folder() { return testing::TempDir(); }

// Serves one socket: sends back what it reads, through Send as the output layer does.
class EchoServer {
 public:
  explicit EchoServer(std::shared_ptr<const TlsKeys> keys)
      : acceptor_(context_, {net::ip::address_v4::loopback(), 0}),
        stream_(EdgeStream::Socket(context_.get_executor()),
                keys ? std::make_unique<TlsSession>(*keys) : nullptr) {
    acceptor_.async_accept(stream_.socket(), [this](boost::system::error_code error) {
      EXPECT_FALSE(error);
      stream_.async_handshake([this](boost::system::error_code done) {
        handshake_error_ = done;
        if (!done) Read();
      });
    });
    thread_ = std::thread([this] { context_.run(); });
  }
  ~EchoServer() { Join(); }

  void Join() {
    if (thread_.joinable()) thread_.join();
  }
  net::ip::tcp::endpoint address() const { return acceptor_.local_endpoint(); }

  boost::system::error_code handshake_error_;
  boost::system::error_code read_error_;

 private:
  void Read() {
    stream_.async_read_some(net::buffer(buffer_),
                            [this](boost::system::error_code error, std::size_t n) {
                              read_error_ = error;
                              if (error) return stream_.ShutDownSending();
                              waiting_.append(buffer_.data(), n);
                              Write();
                            });
  }

  void Write() {
    while (!waiting_.empty()) {
      const ssize_t n = stream_.Send(waiting_);
      if (n < 0) break;
      waiting_.erase(0, static_cast<std::size_t>(n));
    }
    if (waiting_.empty() && !stream_.FlushPending()) return Read();
    stream_.socket().async_wait(EdgeStream::Socket::wait_write,
                                [this](boost::system::error_code) { Write(); });
  }

  net::io_context context_{1};
  net::basic_socket_acceptor<net::ip::tcp, EdgeStream::executor_type> acceptor_;
  EdgeStream stream_;
  std::array<char, 3'000> buffer_{};
  std::string waiting_;
  std::thread thread_;
};

std::shared_ptr<const TlsKeys> LoadKeys(const TlsFiles& files) {
  auto keys = TlsKeys::Load(files.cert_file, files.key_file);
  EXPECT_TRUE(keys.ok()) << keys.status();
  return *keys;
}

// More than the socket's buffers hold in both directions.
std::string Much() {
  std::string text;
  for (int i = 0; text.size() < 3'000'000; ++i) text += std::to_string(i) + ' ';
  return text;
}

// Writes `text` while it reads it back.
template <typename Stream>
std::string Exchange(net::io_context& context, Stream& stream, const std::string& text) {
  std::string back(text.size(), '\0');
  net::async_write(stream, net::buffer(text),
                   [](boost::system::error_code error, std::size_t) { EXPECT_FALSE(error); });
  net::async_read(stream, net::buffer(back),
                  [](boost::system::error_code error, std::size_t) { EXPECT_FALSE(error); });
  context.run();
  return back;
}

TEST(EdgeStream, CarriesMuchBothWaysOverTls) {
  const TlsFiles files = MakeTlsFiles(Folder(), "much");
  EchoServer server(LoadKeys(files));
  net::io_context context;
  net::ssl::context trust(net::ssl::context::tls_client);
  trust.load_verify_file(files.cert_file);
  net::ssl::stream<net::ip::tcp::socket> client(context, trust);
  client.set_verify_mode(net::ssl::verify_peer);
  client.next_layer().connect(server.address());
  client.handshake(net::ssl::stream_base::client);
  const std::string text = Much();

  EXPECT_TRUE(Exchange(context, client, text) == text);

  boost::system::error_code error;
  client.shutdown(error);
  server.Join();
  EXPECT_EQ(server.read_error_, net::error::eof);
}

TEST(EdgeStream, CarriesMuchBothWaysWithoutTls) {
  EchoServer server(nullptr);
  net::io_context context;
  net::ip::tcp::socket client(context);
  client.connect(server.address());
  const std::string text = Much();

  EXPECT_TRUE(Exchange(context, client, text) == text);

  client.close();
  server.Join();
  EXPECT_EQ(server.read_error_, net::error::eof);
}

TEST(EdgeStream, RefusesWhatIsNoTls) {
  EchoServer server(LoadKeys(MakeTlsFiles(Folder(), "plain")));
  net::io_context context;
  net::ip::tcp::socket client(context);
  client.connect(server.address());

  net::write(client, net::buffer(std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
  server.Join();

  EXPECT_EQ(server.handshake_error_, net::error::operation_not_supported);
}

TEST(EdgeStream, EndsWhereThePeerHangsUpDuringTheHandshake) {
  EchoServer server(LoadKeys(MakeTlsFiles(Folder(), "hangup")));
  net::io_context context;
  net::ip::tcp::socket client(context);
  client.connect(server.address());

  client.close();
  server.Join();

  EXPECT_EQ(server.handshake_error_, net::error::eof);
}

}  // namespace
}  // namespace confab::edge
