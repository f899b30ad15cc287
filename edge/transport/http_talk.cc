#include "edge/transport/http_talk.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include "edge/transport/edge_stream.h"
#include "edge/transport/engineio_answers.h"
#include "edge/transport/event_loop.h"
#include "edge/transport/http_answer.h"
#include "edge/transport/http_target.h"
#include "edge/transport/polling_calls.h"
#include "edge/transport/proxied_accept.h"
#include "edge/transport/session_gate.h"
#include "edge/transport/websocket_transport.h"

namespace confab::edge {

namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

// Headers of a request; a browser sends some 15.
constexpr int kFieldsLimit = 100;
// For an answer of one message limit to be taken, by a phone too.
constexpr absl::Duration kAnswerTimeLimit = absl::Seconds(15);
// For the peer to hang up after the last answer.
constexpr absl::Duration kLingerTimeLimit = absl::Seconds(2);
// What it may still send meanwhile: about what both kernels had taken of a body that was refused.
constexpr std::size_t kLingerBytesLimit = 1024 * 1024;
// Read at once: an idle connection keeps the small one, a body comes in the large ones.
constexpr std::size_t kIdleReadBytes = 512;
constexpr std::size_t kBodyReadBytes = 8 * 1024;
// Room behind the headers for a body, or for frames, that come in the same segment.
constexpr std::size_t kBufferBytesBehindHeaders = 8 * 1024;

std::string_view View(boost::beast::string_view text) { return {text.data(), text.size()}; }

bool IsEngineIo(OpenRequest::Protocol protocol) {
  return protocol == OpenRequest::Protocol::kSocketIo ||
         protocol == OpenRequest::Protocol::kEngineIo;
}

HttpAnswer Plain(int status, std::string body) {
  return {.status = status, .content_type = "text/plain", .body = std::move(body)};
}

}  // namespace

class HttpTalk final : private TimerWheel::Entry, public std::enable_shared_from_this<HttpTalk> {
 public:
  using Parser = http::request_parser<http::string_body>;

  HttpTalk(HttpHome& home, EdgeStream&& stream)
      : home_(home),
        stream_(std::move(stream)),
        buffer_(home.limits.header_bytes + kBufferBytesBehindHeaders) {}

  void Begin() {
    started_at_ = std::chrono::steady_clock::now();
    home_.talks.insert(shared_from_this());
    if (!stream_.is_tls()) return Listen();
    phase_ = Phase::kShaking;
    Arm(home_.limits.handshake_time);
    stream_.async_handshake(
        [self = shared_from_this()](error_code error) { self->OnHandshake(error); });
  }

  // What goes to another thread: the request whose headers were read, and what came behind it.
  struct Moved {
    EdgeStream::Detached stream;
    std::unique_ptr<Parser> parser;
    std::string rest;
    std::chrono::steady_clock::time_point started_at;
  };

  void Resume(Moved moved) {
    started_at_ = moved.started_at;
    parser_ = std::move(moved.parser);
    net::buffer_copy(buffer_.prepare(moved.rest.size()), net::buffer(moved.rest));
    buffer_.commit(moved.rest.size());
    home_.talks.insert(shared_from_this());
    requests_ = 1;
    phase_ = Phase::kHeaders;
    OnHeaders();
    if (phase_ != Phase::kEnded) Advance();
  }

  // No further request is taken. Whoever calls it holds a reference.
  void Stop() {
    keeps_alive_ = false;
    if (phase_ == Phase::kShaking) return Close();
    if (phase_ == Phase::kIdle) End();
  }

  // Ends the talk and the connection. Whoever calls it holds a reference.
  void Close() {
    TimerWheel::Entry::Cancel();
    if (stream_.is_tls() && phase_ != Phase::kShaking) stream_.ShutDownSending();
    phase_ = Phase::kEnded;
    call_.reset();
    error_code ignored;
    stream_.socket().close(ignored);
    home_.talks.erase(shared_from_this());
  }

 private:
  enum class Phase : char {
    kIdle,     // No byte of a request yet.
    kHeaders,  // In its headers.
    kBody,     // In its body.
    kWaiting,  // It is whole; its answer is awaited.
    kWriting,  // The answer is.
    kEnding,   // The last answer is written; waits for the peer to hang up.
    kEnded,
    kShaking,  // TLS is not agreed on yet.
  };

  void Arm(absl::Duration limit) { home_.transports.loop.wheel().Arm(*this, limit); }

  void OnTimer() override {
    const auto self = shared_from_this();
    if (phase_ == Phase::kShaking) Count(TlsOutcome::kTimeout);
    Close();
  }

  // --- TLS

  void OnHandshake(error_code error) {
    if (phase_ == Phase::kEnded) return;
    if (!error) {
      Count(TlsOutcome::kDone);
      return Listen();
    }
    if (error == net::error::operation_not_supported) {
      Count(TlsOutcome::kNoTls);
    } else {
      Count(error == net::error::connection_aborted ? TlsOutcome::kFailed : TlsOutcome::kLeft);
    }
    Close();
  }

  void Count(TlsOutcome outcome) {
    if (auto* count = home_.figures.handshakes[static_cast<std::size_t>(outcome)]) count->Add();
  }

  void Listen() {
    phase_ = Phase::kIdle;
    Arm(home_.limits.header_time);
    Read();
  }

  // --- reading

  // Always at most one read is under way, also while an answer is awaited: so it is seen when the
  // client goes. None is under way while bytes wait in the buffer and the talk looks at them.
  void Read() {
    const std::size_t room = buffer_.max_size() - buffer_.size();
    const bool is_much = phase_ == Phase::kBody || phase_ == Phase::kEnding;
    const std::size_t wanted = is_much ? kBodyReadBytes : kIdleReadBytes;
    is_reading_ = true;
    stream_.async_read_some(
        buffer_.prepare(std::min(room, std::max(wanted, buffer_.size()))),
        [self = shared_from_this()](error_code error, std::size_t n) { self->OnRead(error, n); });
  }

  void OnRead(error_code error, std::size_t n) {
    is_reading_ = false;
    if (phase_ == Phase::kEnded) return;
    if (error) {
      // Whoever has said all may still listen to an answer that is being written.
      if (error != net::error::eof || phase_ != Phase::kWriting) return Close();
      keeps_alive_ = false;
      return;
    }
    if (phase_ == Phase::kEnding) {
      buffer_.clear();
      lingered_ += n;
      return lingered_ > kLingerBytesLimit ? Close() : Read();
    }
    buffer_.commit(n);
    Advance();
  }

  // Goes on with what is in the buffer. REQUIRES: no read is under way.
  void Advance() {
    const auto self = shared_from_this();
    while (IsReadingRequest() && buffer_.size() > 0) {
      if (phase_ == Phase::kIdle) BeginRequest();
      error_code error;
      const std::size_t n = parser_->put(buffer_.data(), error);
      buffer_.consume(n);
      if (error == http::error::need_more) {
        if (n > 0 && phase_ == Phase::kBody) continue;
        if (buffer_.size() == buffer_.max_size()) error = http::error::header_limit;
      }
      if (error == http::error::need_more) break;
      if (error) {
        RefuseBroken(error);
      } else if (phase_ == Phase::kHeaders) {
        OnHeaders();
      } else if (parser_->is_done()) {
        OnRequest();
      }
    }
    if (!is_reading_ && (IsReadingRequest() || (IsAnswering() && buffer_.size() == 0))) Read();
  }

  bool IsReadingRequest() const { return phase_ <= Phase::kBody; }
  bool IsAnswering() const { return phase_ == Phase::kWaiting || phase_ == Phase::kWriting; }

  void BeginRequest() {
    if (requests_++ > 0) {
      started_at_ = std::chrono::steady_clock::now();
      Arm(home_.limits.header_time);
    }
    phase_ = Phase::kHeaders;
    parser_ = std::make_unique<Parser>();
    parser_->header_limit(home_.limits.header_bytes);
    parser_->body_limit(home_.transports.limits.message_bytes);
  }

  void OnHeaders() {
    const auto& request = parser_->get();
    keeps_alive_ = request.version() == 11 && parser_->keep_alive();
    if (std::distance(request.begin(), request.end()) > kFieldsLimit) {
      return Refuse(Plain(431, "too many headers\n"));
    }
    const HttpRequestView view = ViewOfRequest();
    const HttpTarget target = ParseHttpTarget(view.target);
    SidState state = SidState::kUnknown;
    if (home_.routes.FindEngineIo(target.path) != nullptr) {
      const std::string_view sid = target.Get("sid");
      if (MoveToThreadOf(sid)) return;
      state = home_.transports.sids.StateOf(sid);
    }
    route_ =
        std::make_unique<HttpRoute>(RouteRequest(view, target, home_.routes, home_.origins, state));
    if (route_->kind == HttpRoute::Kind::kWebSocket || route_->kind == HttpRoute::Kind::kProbe) {
      return Upgrade();
    }
    // An upgrade that is not taken: whatever follows it is no HTTP.
    if (view.is_upgrade && route_->kind == HttpRoute::Kind::kAnswer) {
      return Refuse(std::move(route_->answer));
    }
    if (route_->kind == HttpRoute::Kind::kPost) {
      call_ = BeginPollingPost(home_.transports, route_->sid);
      if (call_ == nullptr) return Refuse(RefuseEngineIo(EngineIoRefusal::kBadRequest));
    }
    if (parser_->is_done()) return OnRequest();
    phase_ = Phase::kBody;
    parser_->eager(true);
    Arm(home_.limits.body_time);
    if (http::token_list(request[http::field::expect]).exists("100-continue")) SayContinue();
  }

  // True: the session of that name lives elsewhere, and the talk goes on there with this request.
  bool MoveToThreadOf(std::string_view sid) {
    const SidPlace& here = home_.transports.sid_place;
    const std::optional<SidPlace> place = PlaceOfSid(sid);
    if (!place || place->edge != here.edge || place->thread == here.thread) return false;
    if (!home_.peers.HasThread(place->thread)) return false;
    TimerWheel::Entry::Cancel();
    if (home_.figures.handovers != nullptr) home_.figures.handovers->Add();
    phase_ = Phase::kEnded;
    const auto rest = buffer_.data();
    auto moved = std::make_unique<Moved>(
        Moved{.stream = stream_.Detach(),
              .parser = std::move(parser_),
              .rest = std::string(static_cast<const char*>(rest.data()), rest.size()),
              .started_at = started_at_});
    home_.talks.erase(shared_from_this());
    home_.peers.HandOver(place->thread, [moved = std::move(moved)](HttpHome& home) mutable {
      std::make_shared<HttpTalk>(
          home, EdgeStream(home.transports.loop.context().get_executor(), std::move(moved->stream)))
          ->Resume(std::move(*moved));
    });
    return true;
  }

  // The client waits for this word before it sends the body. It is short and the first thing on
  // its way, so the kernel takes it whole.
  void SayContinue() { stream_.Send("HTTP/1.1 100 Continue\r\n\r\n"); }

  void OnRequest() {
    TimerWheel::Entry::Cancel();
    phase_ = Phase::kWaiting;
    switch (route_->kind) {
      case HttpRoute::Kind::kService:
        if (home_.service != nullptr) return Serve();
        return Answer(std::move(route_->answer));
      case HttpRoute::Kind::kOpenPolling:
        if (std::optional<HttpAnswer> refusal = RefuseSession()) return Answer(*std::move(refusal));
        route_->sid = NewSid(home_.transports.sid_place);
        route_->open.sid = route_->sid;
        route_->open.accepted_at = started_at_;
        PollingTransport::Open(home_.transports, std::move(route_->open));
        return Poll();
      case HttpRoute::Kind::kPoll:
        return Poll();
      case HttpRoute::Kind::kPost:
        return Answer(static_cast<PollingPost&>(*call_).End(parser_->get().body()));
      case HttpRoute::Kind::kAnswer:
      case HttpRoute::Kind::kWebSocket:
      case HttpRoute::Kind::kProbe:
        return Answer(std::move(route_->answer));
    }
  }

  HttpService::Done WhenDone() {
    return [weak = weak_from_this()](HttpAnswer answer) {
      if (const auto self = weak.lock()) self->Answer(std::move(answer));
    };
  }

  // nullopt: a session may open.
  std::optional<HttpAnswer> RefuseSession() { return CheckSession(home_, Client(), route_->open); }

  ClientAddress Client() { return ClientOfRequest(home_.proxies, stream_.peer(), parser_->get()); }

  // The answer may come at once, before the call is there.
  void Serve() {
    HttpRequestView view = ViewOfRequest();
    view.client = Client();
    auto call = home_.service->Serve(view, parser_->get().body(), WhenDone());
    if (phase_ == Phase::kWaiting) call_ = std::move(call);
  }

  void Poll() {
    call_ = std::make_unique<PollingGet>(home_.transports.sids.FindPolling(route_->sid));
    static_cast<PollingGet&>(*call_).Begin(WhenDone());
  }

  HttpRequestView ViewOfRequest() const {
    const auto& request = parser_->get();
    HttpRequestView view;
    view.method = View(request.method_string());
    view.is_http11 = request.version() == 11;
    view.target = View(request.target());
    view.host = View(request[http::field::host]);
    if (const auto it = request.find(http::field::origin); it != request.end()) {
      view.origin = View(it->value());
    }
    view.authorization = View(request[http::field::authorization]);
    view.content_type = View(request[http::field::content_type]);
    view.idempotency_key = View(request["Idempotency-Key"]);
    view.subprotocols = View(request[http::field::sec_websocket_protocol]);
    view.websocket_key = View(request[http::field::sec_websocket_key]);
    view.websocket_version = View(request[http::field::sec_websocket_version]);
    view.requested_method = View(request[http::field::access_control_request_method]);
    view.requested_headers = View(request[http::field::access_control_request_headers]);
    view.is_upgrade = boost::beast::websocket::is_upgrade(request);
    return view;
  }

  // --- becoming a WebSocket

  void Upgrade() {
    if (route_->kind == HttpRoute::Kind::kWebSocket) {
      if (std::optional<HttpAnswer> refusal = RefuseSession()) return Refuse(*std::move(refusal));
    }
    TimerWheel::Entry::Cancel();
    OpenRequest& open = route_->open;
    open.accepted_at = started_at_;
    open.is_probe = route_->kind == HttpRoute::Kind::kProbe;
    if (open.is_probe) {
      open.sid = route_->sid;
    } else if (IsEngineIo(open.protocol)) {
      open.sid = NewSid(home_.transports.sid_place);
    }
    const auto rest = buffer_.data();
    std::string early(static_cast<const char*>(rest.data()), rest.size());
    phase_ = Phase::kEnded;
    AcceptWebSocket(home_.transports, std::move(stream_), parser_->get(), std::move(early),
                    std::move(open), route_->subprotocol);
    home_.talks.erase(shared_from_this());
  }

  // --- answering

  // What cannot be read on: the answer is the last one.
  void RefuseBroken(error_code error) {
    if (error == http::error::body_limit) {
      return Refuse({.status = 413,
                     .body = R"({"error":{"reason":"CONTENT_SIZE","message":)"
                             R"("the body exceeds the limit of one message","retryable":false}})"});
    }
    if (error == http::error::header_limit) return Refuse(Plain(431, "headers too large\n"));
    Refuse(Plain(400, "not HTTP\n"));
  }

  void Refuse(HttpAnswer answer) {
    keeps_alive_ = false;
    phase_ = Phase::kWaiting;
    // Before the client can know: its next request may be on its way when the write is done here.
    if (call_ != nullptr) std::exchange(call_, nullptr)->OnAnswered();
    answer.allows_origin |= IsOriginAllowed();
    Answer(std::move(answer));
  }

  // The server ends, and the client is to make its next connection elsewhere.
  bool IsLast() const {
    const auto kind = route_ == nullptr ? HttpRoute::Kind::kAnswer : route_->kind;
    const bool is_polling = kind == HttpRoute::Kind::kPoll || kind == HttpRoute::Kind::kPost;
    return home_.is_stopping || (home_.is_draining && !is_polling);
  }

  bool IsOriginAllowed() const {
    const HttpRequestView request = ViewOfRequest();
    return request.origin && home_.origins.Allows(request.origin, request.host);
  }

  void Answer(HttpAnswer answer) {
    if (phase_ != Phase::kWaiting) return;
    phase_ = Phase::kWriting;
    Arm(kAnswerTimeLimit);
    const auto& request = parser_->get();
    keeps_alive_ = keeps_alive_ && !IsLast();
    if (route_ != nullptr && route_->kind != HttpRoute::Kind::kService) {
      answer.allows_origin = route_->is_origin_allowed;
    }
    out_ = FormatHttpAnswer(answer, {.origin = View(request[http::field::origin]),
                                     .is_head = request.method() == http::verb::head,
                                     .keeps_alive = keeps_alive_});
    net::async_write(
        stream_, net::buffer(out_),
        [self = shared_from_this()](error_code error, std::size_t) { self->OnWritten(error); });
  }

  void OnWritten(error_code error) {
    if (phase_ == Phase::kEnded) return;
    if (error) return Close();
    if (call_ != nullptr) call_->OnAnswered();
    call_.reset();
    if (!keeps_alive_) return End();
    // An idle connection keeps little.
    std::exchange(out_, std::string());
    parser_.reset();
    route_.reset();
    if (buffer_.size() == 0 && !is_reading_) buffer_.shrink_to_fit();
    phase_ = Phase::kIdle;
    Arm(home_.limits.idle_time);
    if (!is_reading_) Advance();
  }

  // Closing with unread bytes would send a reset that can overtake the answer.
  void End() {
    phase_ = Phase::kEnding;
    Arm(kLingerTimeLimit);
    stream_.ShutDownSending();
    if (is_reading_) return;
    buffer_.clear();
    Read();
  }

  HttpHome& home_;
  EdgeStream stream_;
  boost::beast::flat_buffer buffer_;
  std::unique_ptr<Parser> parser_;    // Of the request; null while there is none.
  std::unique_ptr<HttpRoute> route_;  // The same, once its headers are there.
  std::unique_ptr<HttpCall> call_;
  std::string out_;
  std::chrono::steady_clock::time_point started_at_;  // Of the request, or the connection.
  std::uint64_t requests_ = 0;
  std::size_t lingered_ = 0;  // Bytes read behind the last answer.
  Phase phase_ = Phase::kIdle;
  bool is_reading_ = false;
  bool keeps_alive_ = true;
};

void BeginHttpTalk(HttpHome& home, EdgeStream stream) {
  std::make_shared<HttpTalk>(home, std::move(stream))->Begin();
}

void StopHttpTalks(HttpHome& home) {
  home.is_stopping = true;
  EndProxiedAccepts(home);
  const auto talks = home.talks;  // Some leave it meanwhile.
  for (const auto& talk : talks) talk->Stop();
}

void EndHttpTalks(HttpHome& home) {
  EndProxiedAccepts(home);
  const auto talks = std::move(home.talks);
  home.talks.clear();
  for (const auto& talk : talks) talk->Close();
}

}  // namespace confab::edge
