#include "process/ops_server.h"

#include <atomic>
#include <map>
#include <pthread.h>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "process/listen_address.h"
#include "process/log.h"
#include "process/mutex.h"

namespace confab::process {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

// A probe's request is a few hundred bytes.
constexpr uint32_t kRequestBytesLimit = 4096;
// After accept failed (no descriptors left): long enough not to spin.
constexpr std::chrono::milliseconds kAcceptPause{100};

using Answer = http::response<http::string_body>;

Answer MakeAnswer(http::status status, std::string body,
                  std::string_view type = "text/plain; charset=utf-8") {
  Answer answer(status, 11);
  answer.set(http::field::content_type, boost::beast::string_view(type.data(), type.size()));
  answer.set(http::field::cache_control, "no-store");
  answer.keep_alive(false);
  answer.body() = std::move(body);
  answer.prepare_payload();
  return answer;
}

}  // namespace

class OpsServer::Listener {
 public:
  Listener(const Metrics& metrics, OpsLimits limits) : metrics_(metrics), limits_(limits) {}

  ~Listener() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Listen(const ListenAddress& address) {
    error_code error;
    const tcp::endpoint endpoint(asio::ip::make_address(address.host), address.port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(limits_.connections, error);
    if (error) {
      return absl::UnavailableError(fmt::format(
          "cannot listen on {}: {}", ShowAddress(address.host, address.port), error.message()));
    }
    const tcp::endpoint bound = acceptor_.local_endpoint(error);
    address_ = ShowAddress(bound.address().to_string(), bound.port());
    Accept();
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "ops");
      context_.run();
    });
    return absl::OkStatus();
  }

  void AddCheck(std::string_view name, std::function<absl::Status()> check) {
    const MutexLock lock(mu_);
    checks_.insert_or_assign(std::string(name), std::move(check));
  }

  void RemoveCheck(std::string_view name) {
    const MutexLock lock(mu_);
    checks_.erase(std::string(name));
  }

  void SetStarted() { is_started_ = true; }

  void SetStopping() {
    const MutexLock lock(mu_);
    checks_.clear();
    checks_.insert_or_assign("stopping", [] { return absl::UnavailableError("not for long"); });
  }

  const std::string& address() const { return address_; }

  Answer Respond(const http::request<http::empty_body>& request) const;

 private:
  class Exchange;

  void Accept();
  Answer Readiness(bool is_verbose) const;

  const Metrics& metrics_;
  const OpsLimits limits_;
  std::string address_;
  std::atomic<bool> is_started_{false};

  mutable Mutex mu_;  // Held while checks run, so that a removed check is never called.
  std::map<std::string, std::function<absl::Status()>> checks_ ABSL_GUARDED_BY(mu_);

  // Confined to the thread.
  int connections_ = 0;
  bool is_accepting_ = false;

  asio::io_context context_{1};
  tcp::acceptor acceptor_{context_};
  asio::steady_timer pause_{context_};
  std::thread thread_;
};

// One connection: one request, one answer, closed. Kept alive by its pending operation.
class OpsServer::Listener::Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(Listener& listener, tcp::socket socket)
      : listener_(listener), stream_(std::move(socket)), buffer_(kRequestBytesLimit) {
    ++listener_.connections_;
    parser_.header_limit(kRequestBytesLimit);
    parser_.body_limit(0);
  }

  void Read() {
    stream_.expires_after(absl::ToChronoNanoseconds(listener_.limits_.wait));
    http::async_read(stream_, buffer_, parser_,
                     [self = shared_from_this()](error_code error, size_t) {
                       if (!error) return self->Write(self->listener_.Respond(self->parser_.get()));
                       const bool is_malformed =
                           error.category() == make_error_code(http::error::bad_method).category();
                       if (!is_malformed || error == http::error::end_of_stream)
                         return self->Finish();
                       self->Write(MakeAnswer(http::status::bad_request, error.message() + "\n"));
                     });
  }

 private:
  void Write(Answer answer) {
    answer_ = std::move(answer);
    stream_.expires_after(absl::ToChronoNanoseconds(listener_.limits_.wait));
    http::async_write(stream_, answer_, [self = shared_from_this()](error_code error, size_t) {
      if (!error) self->stream_.socket().shutdown(tcp::socket::shutdown_send, error);
      self->Finish();
    });
  }

  // Its place is free for another; the socket closes as the last handler goes.
  void Finish() {
    --listener_.connections_;
    listener_.Accept();
  }

  Listener& listener_;
  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  http::request_parser<http::empty_body> parser_;
  Answer answer_;
};

void OpsServer::Listener::Accept() {
  if (is_accepting_ || connections_ >= limits_.connections) return;
  is_accepting_ = true;
  acceptor_.async_accept([this](error_code error, tcp::socket socket) {
    is_accepting_ = false;
    if (!error) {
      std::make_shared<Exchange>(*this, std::move(socket))->Read();
      return Accept();
    }
    LogWarn("the ops listener cannot accept", {{"error", error.message()}});
    is_accepting_ = true;
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([this](error_code) {
      is_accepting_ = false;
      Accept();
    });
  });
}

Answer OpsServer::Listener::Readiness(bool is_verbose) const {
  std::string all;
  std::string failed;
  const auto note = [&](const std::string& name, const absl::Status& status) {
    all += status.ok() ? fmt::format("[+] {} ok\n", name)
                       : fmt::format("[-] {}: {}\n", name, std::string(status.message()));
    if (!status.ok()) failed += (failed.empty() ? "" : ", ") + name;
  };
  note("started", is_started_ ? absl::OkStatus() : absl::UnavailableError("still starting"));
  {
    const MutexLock lock(mu_);
    for (const auto& [name, check] : checks_) note(name, check());
  }
  const bool is_ready = failed.empty();
  std::string body = is_ready ? "ready\n" : fmt::format("not ready: {}\n", failed);
  return MakeAnswer(is_ready ? http::status::ok : http::status::service_unavailable,
                    is_verbose ? all + body : body);
}

Answer OpsServer::Listener::Respond(const http::request<http::empty_body>& request) const {
  const std::string_view target(request.target().data(), request.target().size());
  const std::string_view path = target.substr(0, target.find('?'));
  const std::string_view query = target.substr(std::min(path.size() + 1, target.size()));
  Answer answer;
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    answer = MakeAnswer(http::status::method_not_allowed, "only GET and HEAD\n");
    answer.set(http::field::allow, "GET, HEAD");
  } else if (path == "/livez") {
    answer = MakeAnswer(http::status::ok, "alive\n");
  } else if (path == "/readyz") {
    answer = Readiness(query == "verbose" || query.starts_with("verbose="));
  } else if (path == "/metrics") {
    answer =
        MakeAnswer(http::status::ok, metrics_.Render(), "text/plain; version=0.0.4; charset=utf-8");
  } else {
    answer = MakeAnswer(path == "/" ? http::status::ok : http::status::not_found,
                        "/livez /readyz /readyz?verbose /metrics\n");
  }
  if (request.method() == http::verb::head) answer.body().clear();  // Content-Length stays.
  return answer;
}

OpsServer::OpsServer(std::unique_ptr<Listener> listener) : listener_(std::move(listener)) {}
OpsServer::~OpsServer() = default;

absl::StatusOr<std::unique_ptr<OpsServer>> OpsServer::Start(const std::string& listen,
                                                            const Metrics& metrics,
                                                            OpsLimits limits) {
  const absl::StatusOr<ListenAddress> address = ParseListenAddress(listen);
  if (!address.ok()) return address.status();
  auto listener = std::make_unique<Listener>(metrics, limits);
  if (absl::Status status = listener->Listen(*address); !status.ok()) return status;
  return std::unique_ptr<OpsServer>(new OpsServer(std::move(listener)));
}

void OpsServer::AddCheck(std::string_view name, std::function<absl::Status()> check) {
  listener_->AddCheck(name, std::move(check));
}
void OpsServer::RemoveCheck(std::string_view name) { listener_->RemoveCheck(name); }
void OpsServer::SetStarted() { listener_->SetStarted(); }
void OpsServer::SetStopping() { listener_->SetStopping(); }
std::string OpsServer::address() const { return listener_->address(); }

}  // namespace confab::process
