#include "edge/transport/polling_transport.h"

#include <algorithm>
#include <utility>

#include "edge/protocol/engineio_codec.h"
#include "edge/protocol/engineio_payload.h"
#include "edge/protocol/utf8.h"
#include "edge/transport/engineio_answers.h"
#include "edge/transport/upgrade_probe.h"

namespace confab::edge {

namespace {

// For the GET that fetches the last words, as the reference has it.
constexpr absl::Duration kLastGetTimeLimit = absl::Seconds(30);
// The same when the client closed: its GET may have been on its way already.
constexpr absl::Duration kClosedGetTimeLimit = absl::Seconds(2);
// The same when this process ends: only connections that are still open can bring it.
constexpr absl::Duration kStoppingGetTimeLimit = absl::Seconds(1);
// The same when the edge is emptied: a client that has gone without a word holds its end up so long.
constexpr absl::Duration kDrainedGetTimeLimit = absl::Seconds(10);

// Who broke the protocol or went silent is not waited for.
absl::Duration WaitAfter(CloseReason reason) {
  switch (reason) {
    case CloseReason::kNormal:
      return kClosedGetTimeLimit;
    case CloseReason::kServerStopping:
      return kStoppingGetTimeLimit;
    case CloseReason::kDraining:
      return kDrainedGetTimeLimit;
    case CloseReason::kPingTimeout:
    case CloseReason::kHandshakeTimeout:
    case CloseReason::kBadPacket:
    case CloseReason::kInvalidUtf8:
    case CloseReason::kMessageTooBig:
      return absl::ZeroDuration();
    case CloseReason::kInternal:
    case CloseReason::kTokenExpired:
    case CloseReason::kControlUnavailable:
    case CloseReason::kRateLimited:
    case CloseReason::kSlowReader:
    case CloseReason::kTokenInvalid:
    case CloseReason::kForbidden:
    case CloseReason::kReplaced:
      return kLastGetTimeLimit;
  }
  return kLastGetTimeLimit;
}

}  // namespace

std::shared_ptr<PollingTransport> PollingTransport::Open(TransportHome& home, OpenRequest request) {
  auto transport = std::make_shared<PollingTransport>(home, request.sid);
  home.sids.AddPolling(transport->sid_, transport);
  transport->session_ = home.sessions.OpenSession(std::move(request), *transport);
  if (!transport->is_closing_) transport->session_->OnOpen();
  return transport;
}

PollingTransport::PollingTransport(TransportHome& home, std::string sid)
    : home_(home), sid_(std::move(sid)), queue_(static_cast<Backlog::Reader&>(*this), home) {
  Join(home.list);
}

// --- down

bool PollingTransport::Send(const SharedFrame& frame, DeliveryClass delivery) {
  return is_closing_ || Append(frame, delivery) != SendQueue::Taken::kPassed;
}

void PollingTransport::SendBytes(std::string_view frame, DeliveryClass delivery) {
  if (!is_closing_) Append(SharedFrame::Copy(frame), delivery);
}

SendQueue::Taken PollingTransport::Append(const SharedFrame& frame, DeliveryClass delivery) {
  const SendQueue::Taken taken = queue_.Append(frame, delivery);
  if (taken == SendQueue::Taken::kTooMuch) Overflow();
  if (held_ || queue_.has_dropped()) home_.loop.MarkDirty(*this);
  return taken;
}

void PollingTransport::Degrade() {
  queue_.Degrade();
  home_.loop.MarkDirty(*this);
}

void PollingTransport::OnStalled() {
  if (is_closing_ || is_over_) return;
  if (home_.slow.stalled != nullptr) home_.slow.stalled->Add();
  Overflow();
}

// Who does not fetch will not fetch what waits either: room is made for the words to come back.
void PollingTransport::Overflow() {
  if (is_overflowing_) return;
  is_overflowing_ = true;
  queue_.DropUnsent();
  session_->Shut(CloseReason::kSlowReader);
}

// Whole packets, as many as one message limit holds, one at least. The close packet of a session
// that waits for it stands alone: the stock client throws away what comes with it. Who closed is
// told that this GET brings nothing.
std::string PollingTransport::TakePayload() {
  std::string payload;
  while (!queue_.empty()) {
    const std::string_view frame = queue_.outbox().Front();
    if (!payload.empty() && payload.size() + 1 + PolledBytes(frame) > home_.limits.message_bytes) {
      return payload;
    }
    AppendPolled(frame, payload);
    queue_.TakeFront();
  }
  if (!is_closing_) return payload.empty() ? std::string(kEngineIoNoop) : payload;
  if (!payload.empty() && wait_ > absl::ZeroDuration()) return payload;
  is_end_said_ = true;
  if (reason_ == CloseReason::kNormal && payload.empty()) return std::string(kEngineIoNoop);
  if (!payload.empty()) payload += kPayloadSeparator;
  return payload.append(kEngineIoClose);
}

void PollingTransport::AnswerHeld() {
  HttpService::Done done = std::exchange(held_, nullptr);
  done(AnswerPayload(TakePayload()));
  if (!is_closing_ && queue_.HasRoomAgain()) session_->OnDrained();
}

// At the end of the loop's turn, when something was queued or the session was closed.
void PollingTransport::Flush() {
  const auto self = shared_from_this();
  if (queue_.has_dropped()) {
    const std::vector<Dropped> dropped = queue_.TakeDropped();
    // While it closes too: what follows the gap may still reach the client.
    if (session_ != nullptr) session_->OnDegraded(dropped);
  }
  if (held_ != nullptr) AnswerHeld();
  if (!is_closing_ || is_over_) return;
  if (wait_ == absl::ZeroDuration() || is_end_said_) return Forget();
  home_.loop.wheel().Arm(*this, wait_);
}

// --- GET

void PollingTransport::OnGet(HttpService::Done done) {
  if (is_over_) return done(RefuseEngineIo(EngineIoRefusal::kSessionUnknown));
  if (held_) {
    EndWith(CloseReason::kBadPacket, absl::ZeroDuration());
    return done(RefuseEngineIo(EngineIoRefusal::kBadRequest));
  }
  if (!is_closing_) session_->CheckTime();
  if (is_closing_ && wait_ == absl::ZeroDuration()) {
    return done(RefuseEngineIo(EngineIoRefusal::kSessionUnknown));
  }
  held_ = std::move(done);
  if (is_closing_) return home_.loop.MarkDirty(*this);
  // It may have come for what was dropped before it could be fetched.
  queue_.OnReady();
  if (queue_.HasRoomAgain()) session_->OnDrained();
  if (held_ && !is_closing_ && (!queue_.empty() || is_probed_)) AnswerHeld();
}

void PollingTransport::OnGetGone() {
  if (is_closing_) return;
  held_ = nullptr;
  EndWith(CloseReason::kNormal, absl::ZeroDuration());
}

// --- POST

bool PollingTransport::BeginPost() {
  if (is_posting_) {
    EndWith(CloseReason::kBadPacket, absl::ZeroDuration());
    return false;
  }
  is_posting_ = true;
  return true;
}

void PollingTransport::OnPostGone() {
  is_posting_ = false;
  EndWith(CloseReason::kNormal, absl::ZeroDuration());
}

HttpAnswer PollingTransport::EndPost(std::string_view payload) {
  is_posting_ = false;
  if (session_ == nullptr && !is_closing_) return RefuseEngineIo(EngineIoRefusal::kBadRequest);
  if (is_over_) return RefuseEngineIo(EngineIoRefusal::kSessionUnknown);
  if (is_closing_) return AnswerOk();  // What a closed session is told does not matter any more.
  TakePackets(payload);
  const bool is_refused =
      is_closing_ && (reason_ == CloseReason::kBadPacket || reason_ == CloseReason::kInvalidUtf8);
  return is_refused ? RefuseEngineIo(EngineIoRefusal::kBadRequest) : AnswerOk();
}

void PollingTransport::TakePackets(std::string_view payload) {
  if (!IsUtf8(payload)) return EndWith(CloseReason::kInvalidUtf8, absl::ZeroDuration());
  PayloadReader reader(payload);
  // The session stays where it is during the loop, closed or not.
  while (const std::optional<std::string_view> packet = reader.Next()) {
    session_->OnMessage(false, *packet);
    if (is_closing_) return;
  }
}

// --- the upgrade

bool PollingTransport::BeginProbe(UpgradeProbe& probe) {
  if (is_closing_ || is_over_ || probe_ != nullptr) return false;
  probe_ = &probe;
  return true;
}

void PollingTransport::OnProbed() {
  is_probed_ = true;
  if (held_) AnswerHeld();
}

void PollingTransport::EndProbe() {
  probe_ = nullptr;
  is_probed_ = false;
}

PollingTransport::Leavings PollingTransport::GiveUp() {
  EndProbe();
  is_over_ = true;
  // What waits goes over the WebSocket: nobody reads this GET in time.
  if (held_) std::exchange(held_, nullptr)(AnswerPayload(std::string(kEngineIoNoop)));
  Leavings leavings{.session = std::move(session_),
                    .queue = {},
                    .dropped = queue_.TakeDropped(),
                    .wants_room = queue_.wants_room()};
  leavings.queue.reserve(queue_.outbox().frames());
  while (!queue_.empty()) leavings.queue.push_back(queue_.TakeFront());
  Leave();
  home_.sids.RemovePolling(sid_);
  return leavings;
}

// --- the end

void PollingTransport::Close(CloseReason reason) { EndWith(reason, WaitAfter(reason)); }

void PollingTransport::EndWith(CloseReason reason, absl::Duration wait) {
  if (is_closing_ || is_over_) return;
  is_closing_ = true;
  reason_ = reason;
  wait_ = wait;
  if (auto* count = home_.closes[static_cast<std::size_t>(reason)]) count->Add();
  home_.loop.MarkDirty(*this);
  if (probe_ != nullptr) std::exchange(probe_, nullptr)->OnSessionOver();
  // By a turn of the loop: the caller may be the session.
  home_.loop.Post([self = shared_from_this()] {
    self->session_->OnClosed();
    self->session_.reset();
  });
}

void PollingTransport::OnServerStopping() {
  if (!is_closing_) return session_->Shut(CloseReason::kServerStopping);
  home_.loop.wheel().Arm(*this, std::min(wait_, kStoppingGetTimeLimit));
}

// Nobody knows the sid any more.
void PollingTransport::Forget() {
  if (is_over_) return;
  is_over_ = true;
  TimerWheel::Entry::Cancel();
  const auto self = shared_from_this();
  if (held_) AnswerHeld();
  Leave();
  home_.sids.RemovePolling(sid_);
}

}  // namespace confab::edge
