#include "edge/connection/socketio_talk.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "proto/reason.h"

namespace confab::edge {

namespace {

// Nobody wanted the end: the client may have its sessions back.
bool IsLoss(CloseReason reason) {
  return reason == CloseReason::kNormal || reason == CloseReason::kPingTimeout ||
         reason == CloseReason::kControlUnavailable || reason == CloseReason::kDraining ||
         reason == CloseReason::kServerStopping;
}

}  // namespace

// A BINARY_EVENT or BINARY_ACK that waits for its attachments: they and the header together are
// bounded like one message, in bytes and time.
class SocketIoTalk::BinaryPacket final : private TimerWheel::Entry {
 public:
  BinaryPacket(SocketIoTalk& talk, std::string_view header, std::size_t attachments)
      : talk_(talk), header_(header), due_(attachments), bytes_(header.size()) {
    const SessionHome& home = talk.engine_.home();
    if (home.message_time > absl::ZeroDuration()) home.wheel.Arm(*this, home.message_time);
  }

  // False: too large.
  bool Add(std::string_view bytes) {
    bytes_ += bytes.size();
    if (bytes_ > talk_.engine_.home().message_bytes_limit) return false;
    attachments_.emplace_back(bytes);
    return true;
  }

  bool is_whole() const { return attachments_.size() == due_; }
  const std::string& header() const { return header_; }
  const std::vector<std::string>& attachments() const { return attachments_; }

 private:
  void OnTimer() override { talk_.Close(CloseReason::kBadPacket); }

  SocketIoTalk& talk_;
  const std::string header_;
  const std::size_t due_;
  std::vector<std::string> attachments_;
  std::size_t bytes_;
};

SocketIoTalk::SocketIoTalk(EngineIoSession& engine, OpenRequest request,
                           SocketIoNamespaceMaker make)
    : engine_(engine), request_(std::move(request)), make_(make) {}

SocketIoTalk::~SocketIoTalk() = default;

SocketIoTalk::Joined* SocketIoTalk::Find(std::string_view nsp) {
  for (Joined& one : namespaces_) {
    if (one.nsp == nsp) return &one;
  }
  return nullptr;
}

bool SocketIoTalk::HasLive() const {
  return std::any_of(namespaces_.begin(), namespaces_.end(),
                     [](const Joined& one) { return !one.is_over; });
}

void SocketIoTalk::OnMessage(bool is_binary, std::string_view body) {
  if (is_over_) return;
  if (is_binary) return OnAttachment(body);
  if (incomplete_ != nullptr) return Close(CloseReason::kBadPacket);
  SocketIoPacket packet;
  if (!DecodeSocketIo(body, engine_.home().json, packet).ok()) {
    return Close(CloseReason::kBadPacket);
  }
  if (packet.attachments == 0) return OnPacket(packet, {});
  if (Find(packet.nsp) == nullptr) return Close(CloseReason::kBadPacket);
  incomplete_ = std::make_unique<BinaryPacket>(*this, body, packet.attachments);
}

void SocketIoTalk::OnAttachment(std::string_view bytes) {
  if (incomplete_ == nullptr) return Close(CloseReason::kBadPacket);
  if (!incomplete_->Add(bytes)) return Close(CloseReason::kMessageTooBig);
  if (!incomplete_->is_whole()) return;
  const std::unique_ptr<BinaryPacket> whole = std::move(incomplete_);
  SocketIoPacket packet;
  // It was good when it came.
  if (!DecodeSocketIo(whole->header(), engine_.home().json, packet).ok()) return;
  OnPacket(packet, whole->attachments());
}

void SocketIoTalk::OnPacket(const SocketIoPacket& packet,
                            std::span<const std::string> attachments) {
  if (packet.type == SocketIoType::kConnect) return OnConnect(packet);
  Joined* joined = Find(packet.nsp);
  if (joined == nullptr) return Close(CloseReason::kBadPacket);
  if (packet.type == SocketIoType::kDisconnect) return Drop(joined);
  if (joined->is_over) return engine_.CountIdlePacket();
  const bool is_event =
      packet.type == SocketIoType::kEvent || packet.type == SocketIoType::kBinaryEvent;
  if (!joined->behind->is_joined()) {
    // The stock client sends the acks of its connection before as soon as it has a transport again.
    return is_event ? Close(CloseReason::kBadPacket) : engine_.CountIdlePacket();
  }
  if (!is_event) {
    // That it came counts, not what it holds.
    if (packet.ack_id && joined->behind->OnAck(*packet.ack_id)) return;
    return engine_.CountIdlePacket();
  }
  // Without a name it is none.
  if (packet.json == nullptr && packet.unreadable.empty()) return engine_.CountIdlePacket();
  joined->behind->OnEvent(packet, attachments);
}

void SocketIoTalk::OnConnect(const SocketIoPacket& packet) {
  // The stock client comes back by itself then.
  if (engine_.is_draining() && !HasLive()) return engine_.Shut(CloseReason::kDraining);
  // Each costs the check of a signature, and control hears of it.
  if (connects_.Take(engine_.home().host.limits().joins, std::chrono::steady_clock::now()) != 0) {
    return engine_.Shut(CloseReason::kRateLimited);
  }
  const std::vector<std::string>& known = engine_.home().namespaces;
  const auto name = std::find(known.begin(), known.end(), packet.nsp);
  if (name == known.end()) {
    return engine_.SendText(
        [&](std::string& out) { AppendSocketIoInvalidNamespace(packet.nsp, out); });
  }
  if (Joined* before = Find(*name)) {
    if (!before->is_over) return Close(CloseReason::kBadPacket);
    Drop(before);
  }
  SocketIoNamespace& added =
      *namespaces_
           .emplace_back(
               Joined{.nsp = *name,
                      .behind = make_(*this, static_cast<std::size_t>(name - known.begin()))})
           .behind;
  const std::optional<v1::Error> refusal = added.Connect(packet);
  if (!refusal) return UpdatePhase();
  namespaces_.pop_back();
  Refuse(*name, *refusal);
}

void SocketIoTalk::Refuse(std::string_view nsp, const v1::Error& error) {
  // The stock client never comes back by itself after CONNECT_ERROR.
  if (error.retryable()) {
    return engine_.Shut(error.reason() == v1::REASON_RATE_LIMITED
                            ? CloseReason::kRateLimited
                            : CloseReason::kControlUnavailable);
  }
  engine_.SendText([&](std::string& out) { AppendSocketIoConnectError(nsp, error, out); });
  if (HasLive()) return;
  Close(error.reason() == v1::REASON_BAD_REQUEST ? CloseReason::kForbidden
                                                 : CloseReason::kTokenInvalid);
}

// Of a namespace that its client leaves, or that we have ended.
void SocketIoTalk::Drop(Joined* joined) {
  joined->behind->ForgetSession();
  namespaces_.erase(namespaces_.begin() + (joined - namespaces_.data()));
  UpdatePhase();
  engine_.GoOnEnding();  // Its answers are not awaited any more.
}

void SocketIoTalk::Shut(const SocketIoNamespace& ended, CloseReason reason) {
  const auto others = std::count_if(namespaces_.begin(), namespaces_.end(), [&](const Joined& one) {
    return one.behind.get() != &ended && !one.is_over;
  });
  if (TraitsOf(reason).may_return || others == 0) return engine_.Shut(reason);
  for (Joined& one : namespaces_) {
    if (one.behind.get() != &ended || one.is_over) continue;
    one.is_over = true;
    SayEnd(one, reason);
    one.behind->ForgetSession();
    one.behind->Leave();
  }
  UpdatePhase();
}

void SocketIoTalk::OnClosing(CloseReason reason) {
  if (IsLoss(reason)) return;
  for (const Joined& one : namespaces_) one.behind->ForgetSession();
}

void SocketIoTalk::Close(CloseReason reason) {
  is_over_ = true;
  OnClosing(reason);
  for (Joined& one : namespaces_) {
    if (!std::exchange(one.is_over, true)) one.behind->Leave();
  }
  engine_.Close(reason);
}

// The session is as far as the furthest of its namespaces.
void SocketIoTalk::UpdatePhase() {
  bool is_waiting = false;
  for (const Joined& one : namespaces_) {
    if (one.is_over) continue;
    if (one.behind->is_joined()) return engine_.OnAdmitted();
    is_waiting = true;
  }
  is_waiting ? engine_.OnAuthenticated() : engine_.OnLeft();
}

void SocketIoTalk::OnDrained() {
  for (const Joined& one : namespaces_) {
    if (!one.is_over) one.behind->OnDrained();
  }
}

void SocketIoTalk::OnDegraded(std::span<const Dropped> dropped) {
  for (const Joined& one : namespaces_) {
    if (!one.is_over) one.behind->OnDegraded(dropped);
  }
}

void SocketIoTalk::OnMoved(Transport& transport) {
  for (const Joined& one : namespaces_) {
    if (!one.is_over) one.behind->OnMoved(transport);
  }
}

void SocketIoTalk::SayClosing(CloseReason reason) {
  is_over_ = true;
  for (const Joined& one : namespaces_) {
    if (one.is_over) continue;
    SayEnd(one, reason);
    if (reason == CloseReason::kDraining) one.behind->HandOver();
  }
}

// Who is not connected yet would keep the event, as below.
void SocketIoTalk::SayDraining(absl::Duration delay) {
  const auto delay_ms = static_cast<std::uint32_t>(absl::ToInt64Milliseconds(delay));
  for (const Joined& one : namespaces_) {
    if (one.is_over || !one.behind->is_joined()) continue;
    one.behind->SayClosing(CloseReason::kDraining, delay_ms);
  }
}

bool SocketIoTalk::EndCommands() {
  bool is_idle = true;
  for (const Joined& one : namespaces_) {
    if (!one.is_over && !one.behind->EndCommands()) is_idle = false;
  }
  return is_idle;
}

// Without DISCONNECT or CONNECT_ERROR the stock client comes back by itself. What is said before
// the CONNECT was answered it would keep, and take for news of its next connection.
void SocketIoTalk::SayEnd(const Joined& one, CloseReason reason) {
  const CloseTraits& traits = TraitsOf(reason);
  const bool is_joined = one.behind->is_joined();
  if (is_joined) one.behind->SayClosing(reason, traits.retry_after_ms);
  if (traits.may_return) return;
  engine_.SendText([&](std::string& out) {
    if (is_joined) return AppendSocketIoDisconnect(one.nsp, out);
    v1::Error error = MakeError(v1::REASON_LIMIT_REACHED, std::string(traits.text));
    if (reason != CloseReason::kReplaced) error.set_reason(v1::REASON_FORBIDDEN);
    AppendSocketIoConnectError(one.nsp, error, out);
  });
}

Heartbeat::SteadyTime SocketIoTalk::CheckTokens(Heartbeat::SteadyTime now) {
  auto next = Heartbeat::SteadyTime::max();
  for (Joined& one : namespaces_) {
    if (is_over_) break;  // By the one before.
    if (!one.is_over) next = std::min(next, one.behind->CheckToken(now));
  }
  return next;
}

}  // namespace confab::edge
