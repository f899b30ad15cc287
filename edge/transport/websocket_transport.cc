#include "edge/transport/websocket_transport.h"

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "edge/connection/rate_limit.h"
#include "edge/protocol/websocket_frame.h"
#include "edge/transport/event_loop.h"
#include "edge/transport/message_buffer.h"
#include "edge/transport/output_layer.h"
#include "edge/transport/polling_transport.h"
#include "edge/transport/upgrade_probe.h"

namespace confab::edge {

namespace {

namespace net = boost::asio;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;

// From our close frame to the peer's; and from our end of the TCP stream to the peer's.
constexpr absl::Duration kCloseTimeLimit = absl::Seconds(3);
constexpr absl::Duration kLingerTimeLimit = absl::Seconds(2);
// What it may still send meanwhile: some messages that were on their way.
constexpr std::size_t kLingerBytesLimit = 256 * 1024;

// Pings of a client: browsers send none, libraries one in many seconds.
constexpr RateLimit kControlFrameRate{.per_period = 10, .burst = 50};

class WebSocketTransport final : public Transport,
                                 private OutputLayer::Owner,
                                 private TimerWheel::Entry,
                                 private TransportList::Node,
                                 public std::enable_shared_from_this<WebSocketTransport> {
 public:
  WebSocketTransport(TransportHome& home, EdgeStream&& stream, std::string early)
      : home_(home),
        stream_(static_cast<OutputLayer::Owner&>(*this), home, std::move(stream), std::move(early)),
        layer_(stream_.next_layer()) {
    stream_.auto_fragment(false);
    stream_.read_message_max(home.limits.message_bytes);
    stream_.control_callback(
        [this](websocket::frame_type kind, boost::beast::string_view) { OnControlFrame(kind); });
    Join(home.list);
  }

  void Accept(const UpgradeRequest& request, OpenRequest open, const std::string& subprotocol) {
    stream_.set_option(
        websocket::stream_base::decorator([subprotocol](websocket::response_type& response) {
          response.set(boost::beast::http::field::server, "confab-edge");
          if (subprotocol.empty()) return;
          response.set(boost::beast::http::field::sec_websocket_protocol, subprotocol);
        }));
    home_.loop.wheel().Arm(*this, kCloseTimeLimit);
    stream_.async_accept(
        request, [self = shared_from_this(), open = std::move(open)](error_code error) mutable {
          self->OnAccepted(error, std::move(open));
        });
  }

  bool Send(const SharedFrame& frame, DeliveryClass delivery) override {
    if (is_closing_) return true;
    const SendQueue::Taken taken = layer_.Append(frame, delivery);
    if (taken == SendQueue::Taken::kTooMuch) Overflow();
    return taken != SendQueue::Taken::kPassed;
  }

  void SendBytes(std::string_view frame, DeliveryClass delivery) override {
    if (is_closing_) return;
    if (layer_.AppendBytes(frame, delivery) == SendQueue::Taken::kTooMuch) Overflow();
  }

  void PrefetchSend() const override {
    __builtin_prefetch(&is_closing_);
    layer_.Prefetch();
  }

  bool HasRoom() override { return !is_closing_ && layer_.HasRoom(); }
  bool HasRoomBelow(std::size_t bytes) override {
    return !is_closing_ && layer_.HasRoomBelow(bytes);
  }

  void Close(CloseReason reason) override {
    if (is_closing_ || is_finished_) return;
    is_closing_ = true;
    if (auto* count = home_.closes[static_cast<std::size_t>(reason)]) count->Add();
    home_.loop.wheel().Arm(*this, kCloseTimeLimit);
    const CloseTraits& traits = TraitsOf(reason);
    const websocket::close_reason closing(
        static_cast<websocket::close_code>(traits.code),
        boost::beast::string_view(traits.text.data(), traits.text.size()));
    // By a turn of the loop: the caller may stand within a read that Beast has not finished.
    net::post(stream_.get_executor(), [self = shared_from_this(), closing] {
      if (self->is_finished_) return;
      // Now: a peer that has gone does not answer, and nobody is online by it any more.
      self->EndSession();
      self->stream_.async_close(closing, [self](error_code) { self->Finish(); });
    });
  }

 private:
  std::shared_ptr<void> KeepAlive() override { return shared_from_this(); }
  void OnWriteFailed() override { HardClose(); }
  void OnHasRoom() override {
    if (session_ != nullptr && !is_closing_) session_->OnDrained();
  }
  void OnDropped(std::vector<Dropped> dropped) override {
    // While it closes too: what follows the gap may still reach the client.
    if (session_ != nullptr) session_->OnDegraded(dropped);
  }
  void OnPeerStalled() override {
    if (is_closing_ || is_finished_) return;
    if (home_.slow.stalled != nullptr) home_.slow.stalled->Add();
    Overflow();
  }
  void OnEmptied() override {
    if (is_finished_) layer_.ShutDownSending();
  }
  void OnServerDraining(absl::Duration delay) override {
    if (is_closing_) return;
    if (session_ == nullptr) return HardClose();
    session_->BeginDrain(delay);
  }
  void OnServerStopping() override {
    if (is_closing_) return;
    if (session_ == nullptr) return HardClose();
    session_->Shut(CloseReason::kServerStopping);
  }
  std::size_t WaitingBytes() const override { return is_closing_ ? 0 : layer_.waiting_bytes(); }
  void Degrade() override { layer_.Degrade(); }

  // Who does not read will not read what waits either: room is made for the words to come back.
  void Overflow() {
    if (is_overflowing_) return;
    is_overflowing_ = true;
    layer_.DropUnsent();
    if (session_ == nullptr) return HardClose();
    session_->Shut(CloseReason::kSlowReader);
  }

  // Handshake, a message, closing or lingering took too long.
  void OnTimer() override {
    if (is_finished_ || is_closing_ || session_ == nullptr) {
      HardClose();
    } else {
      Close(CloseReason::kBadPacket);
    }
  }

  void OnAccepted(error_code error, OpenRequest open) {
    if (error) return Finish();
    TimerWheel::Entry::Cancel();
    stream_.set_option(websocket::stream_base::decorator([](websocket::response_type&) {}));
    if (open.is_probe) {
      session_ = std::make_unique<UpgradeProbe>(home_, std::move(open.sid), *this,
                                                [this](PollingTransport& from) { TakeOver(from); });
    } else {
      session_ = home_.sessions.OpenSession(std::move(open), *this);
      EnterSid();
    }
    if (!is_closing_) session_->OnOpen();
    Read();
  }

  void EnterSid() {
    if (!session_->sid().empty()) home_.sids.AddWebSocket(session_->sid());
  }

  // A session goes on here, with what it has queued; then come its next frames.
  void TakeOver(PollingTransport& from) {
    // The probe, which stands below us on the stack.
    net::post(stream_.get_executor(), [self = shared_from_this(), probe = std::move(session_)] {});
    PollingTransport::Leavings leavings = from.GiveUp();
    session_ = std::move(leavings.session);
    EnterSid();
    session_->MoveTo(*this);
    for (const Outbox::Item& item : leavings.queue) Requeue(item);
    if (!is_closing_ && !leavings.dropped.empty()) session_->OnDegraded(leavings.dropped);
    if (leavings.wants_room && !is_closing_ && layer_.HasRoom()) session_->OnDrained();
  }

  // What waits already is not passed over for moving.
  void Requeue(const Outbox::Item& item) {
    const bool is_logged = item.delivery == DeliveryClass::kLogged;
    Send(item.frame, is_logged ? DeliveryClass::kLogged : DeliveryClass::kControl);
  }

  void OnControlFrame(websocket::frame_type kind) {
    layer_.ResetReads();
    message_.OnHeartbeat();
    if (kind == websocket::frame_type::close) return;
    if (kind == websocket::frame_type::pong && session_ != nullptr && !is_closing_) {
      session_->OnPong();
    }
    if (control_frames_.Take(kControlFrameRate, std::chrono::steady_clock::now()) == 0) return;
    if (session_ == nullptr) return Close(CloseReason::kRateLimited);
    session_->Shut(CloseReason::kRateLimited);
  }

  void Read() {
    if (is_closing_) return;
    is_reading_ = true;
    const std::span<char> space = message_.Space();
    stream_.async_read_some(
        net::buffer(space.data(), space.size()),
        [self = shared_from_this()](error_code error, std::size_t n) { self->OnRead(error, n); });
  }

  void OnRead(error_code error, std::size_t n) {
    is_reading_ = false;
    // While our close is under way its own handler tells how that ended.
    if (is_closing_) return;
    if (error == net::error::message_size) SayTooManyReads();
    // Where the peer broke the protocol Beast has sent the close code already.
    if (error) return Finish();
    if (stream_.is_message_done()) {
      if (message_.is_assembling()) TimerWheel::Entry::Cancel();
      Deliver(message_.Finish(n));
    } else {
      Assemble(n);
    }
    Read();
  }

  // Beast takes the layer's error for a broken socket and says nothing more on it.
  void SayTooManyReads() {
    const CloseTraits& traits = TraitsOf(CloseReason::kBadPacket);
    std::string frame;
    BeginWebSocketFrame(frame);
    frame += {static_cast<char>(traits.code >> 8), static_cast<char>(traits.code & 0xff)};
    frame += traits.text;
    layer_.AppendBytes(FinishWebSocketFrame(WebSocketOpcode::kClose, frame),
                       DeliveryClass::kControl);
    if (auto* count = home_.closes[static_cast<std::size_t>(CloseReason::kBadPacket)]) {
      count->Add();
    }
  }

  void Deliver(std::string_view message) {
    layer_.ResetReads();
    fragments_ = 0;
    session_->OnMessage(stream_.got_binary(), message);
  }

  void Assemble(std::size_t n) {
    if (!message_.is_assembling() && home_.limits.message_time > absl::ZeroDuration()) {
      home_.loop.wheel().Arm(*this, home_.limits.message_time);
    }
    if (message_.Add(n, home_.limits.message_bytes)) return;
    const int limit = kReadsPerFragment * home_.limits.fragments;
    if (++fragments_ > limit && limit > 0) Close(CloseReason::kBadPacket);
  }

  void EndSession() {
    if (session_ == nullptr) return;
    if (!session_->sid().empty()) home_.sids.RemoveWebSocket(session_->sid());
    session_->OnClosed();
    session_.reset();
  }

  // The end of the talk: the socket is closed as soon as the peer knows.
  void Finish() {
    if (is_finished_) return;
    is_finished_ = true;
    TimerWheel::Entry::Cancel();
    Leave();
    EndSession();
    // Where not even our close frame had room a read is under way still, which writes there.
    if (!is_reading_) message_.Clear();
    if (!layer_.socket().is_open()) return;
    home_.loop.wheel().Arm(*this, kLingerTimeLimit);
    if (layer_.empty()) {
      layer_.ShutDownSending();
    } else {
      layer_.Flush();
    }
    Linger();
  }

  // Closing a socket with unread bytes sends a reset, which may overtake our close frame.
  void Linger() {
    if (!layer_.socket().is_open()) return;
    const std::span<char> space = message_.Space();
    layer_.socket().async_read_some(net::buffer(space.data(), space.size()),
                                    [self = shared_from_this()](error_code error, std::size_t n) {
                                      self->lingered_ += n;
                                      const bool is_enough = self->lingered_ > kLingerBytesLimit;
                                      if (error || is_enough) return self->HardClose();
                                      self->Linger();
                                    });
  }

  void HardClose() {
    TimerWheel::Entry::Cancel();
    if (layer_.is_tls() && layer_.empty()) layer_.ShutDownSending();
    error_code ignored;
    layer_.socket().close(ignored);
  }

  // A fragment may arrive in pieces.
  static constexpr int kReadsPerFragment = 2;

  TransportHome& home_;
  websocket::stream<OutputLayer, false> stream_;
  OutputLayer& layer_;
  std::unique_ptr<Session> session_;  // Null before the upgrade, and once the close has begun.
  std::size_t lingered_ = 0;          // Bytes read after the end of the talk.
  int fragments_ = 0;
  RateBucket control_frames_;
  bool is_reading_ = false;  // To message_.
  bool is_overflowing_ = false;
  bool is_closing_ = false;   // Our close frame is queued; nothing goes up or down any more.
  bool is_finished_ = false;  // The session is gone.
  MessageBuffer message_;
};

}  // namespace

void AcceptWebSocket(TransportHome& home, EdgeStream stream, const UpgradeRequest& request,
                     std::string early, OpenRequest open, const std::string& subprotocol) {
  const auto transport =
      std::make_shared<WebSocketTransport>(home, std::move(stream), std::move(early));
  transport->Accept(request, std::move(open), subprotocol);
}

}  // namespace confab::edge
