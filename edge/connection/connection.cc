#include "edge/connection/connection.h"

#include <algorithm>
#include <utility>

#include <absl/time/clock.h>
#include <fmt/format.h>

#include "proto/reason.h"

namespace confab::edge {

namespace {

google::protobuf::Timestamp TimestampOf(absl::Time time) {
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(absl::ToUnixSeconds(time));
  timestamp.set_nanos(static_cast<std::int32_t>(
      (time - absl::FromUnixSeconds(timestamp.seconds())) / absl::Nanoseconds(1)));
  return timestamp;
}

v1::Error TooMany(const RateLimit& limit, std::string_view what, std::uint32_t wait_ms) {
  return MakeError(
      v1::REASON_RATE_LIMITED,
      fmt::format("more than {} {} a second, or {} at once", limit.per_period, what, limit.burst),
      wait_ms);
}

}  // namespace

Connection::Connection(ConnectionHost& host, ClientWire& wire, Transport& transport,
                       const EventEncoder& encoder, Kind kind)
    : host_(host), wire_(wire), transport_(&transport), encoder_(encoder), kind_(kind) {}

Connection::~Connection() { Leave(); }

void Connection::Leave() {
  if (!std::exchange(is_authenticated_, false)) return;
  if (outlet_ != nullptr) outlet_->OnLeaving();
  host_.Leave(*this);
  is_admitted_ = false;
  share_ = nullptr;
}

Connection::Circumstances& Connection::circumstances() {
  if (circumstances_ == nullptr) circumstances_ = std::make_unique<Circumstances>();
  return *circumstances_;
}

void Connection::SetDevice(std::string_view device_id) {
  if (!device_id.empty()) circumstances().device_id = device_id;
}

std::optional<v1::Error> Connection::Authenticate(std::string_view token) {
  VerifiedUser verified;
  const absl::Time now = absl::Now();
  if (std::optional<v1::Error> refusal = Verify(token, now, verified)) {
    host_.CountRefusal(refusal->reason());
    return refusal;
  }
  user_id_ = std::move(*verified.user.mutable_id());
  user_name_ = std::move(*verified.user.mutable_name());
  email_ = std::move(verified.email);
  if (!verified.role_context.empty()) {
    circumstances().role_context = std::move(verified.role_context);
  }
  token_.Begin(verified.expires_at, now, std::chrono::steady_clock::now());
  is_authenticated_ = true;
  host_.Enter(*this);
  return std::nullopt;
}

// Who guesses tokens is not let guess on; to show none is no guess.
std::optional<v1::Error> Connection::Verify(std::string_view token, absl::Time now,
                                            VerifiedUser& user) {
  const AddressTicket from = wire_.address();
  const SteadyTime steady_now = std::chrono::steady_clock::now();
  if (std::optional<v1::Error> refusal = from.CheckLogin(steady_now)) return refusal;
  std::optional<v1::Error> refusal = host_.tokens().Verify(token, now, user);
  if (refusal && refusal->reason() != v1::REASON_TOKEN_MISSING) from.CountFailedLogin(steady_now);
  return refusal;
}

Connection::SteadyTime Connection::CheckToken(SteadyTime now) {
  const TokenLimits& limits = host_.limits().token;
  // Who waits for control has not been answered yet, and is told first that it is connected.
  if (!is_admitted() && now < token_.OverAt(limits)) return token_.OverAt(limits);
  switch (token_.Check(limits, now)) {
    case TokenLife::Step::kNone:
      break;
    case TokenLife::Step::kWarn: {
      v1::TokenExpiring expiring;
      *expiring.mutable_expires_at() = TimestampOf(token_.expires_at());
      wire_.SayTokenExpiring(expiring);
      break;
    }
    case TokenLife::Step::kEnd:
      Close(CloseReason::kTokenExpired);
      return SteadyTime::max();
  }
  return token_.NextAt(limits);
}

std::optional<v1::Error> Connection::TakeToken(std::string_view token) {
  VerifiedUser verified;
  const absl::Time now = absl::Now();
  if (std::optional<v1::Error> refusal = Verify(token, now, verified)) return refusal;
  if (verified.user.id() != user_id_) {
    return MakeError(v1::REASON_TOKEN_INVALID,
                     "the token is another user's: open another connection with it");
  }
  if (verified.role_context != role_context()) {
    return MakeError(v1::REASON_TOKEN_INVALID,
                     "the token is for another role: open another connection with it");
  }
  token_.Begin(verified.expires_at, now, std::chrono::steady_clock::now());
  return std::nullopt;
}

void Connection::Renew(const v1::Command& command, std::optional<std::uint64_t> reply_id) {
  if (const std::optional<v1::Error> refusal = TakeToken(command.refresh_token().token())) {
    return Refuse(command, reply_id, *refusal);
  }
  wire_.OnTokenRenewed();
  v1::Result result;
  *result.mutable_refresh_token()->mutable_expires_at() = TimestampOf(token_.expires_at());
  wire_.SayResult(command, reply_id, result);
}

void Connection::MoveTo(Transport& transport) {
  transport_ = &transport;
  host_.OnMoved(*this);
}

void Connection::EnterWithoutUser() {
  is_authenticated_ = true;
  host_.Enter(*this);
}

void Connection::OnEntered(std::uint64_t id, UserShare* share) {
  id_ = id;
  share_ = share;
}

void Connection::Admit(std::uint64_t id, std::string_view name) {
  id_ = id;
  is_admitted_ = true;
  v1::User user;
  user.set_id(user_id_);
  user.set_name(user_name_);
  wire_.SayConnected(name, user);
  if (recovery_ != nullptr) recovery_->OnAdmitted();
  BeginOwnJoins();
}

v1::ConnectionOpened Connection::Describe() const {
  v1::ConnectionOpened opened;
  opened.set_connection(id_);
  opened.mutable_user()->set_id(user_id_);
  opened.mutable_user()->set_name(user_name_);
  opened.set_email(email_);
  opened.set_is_http_request(kind_ == Kind::kHttpRequest);
  opened.set_awaits_heartbeat(connect_ != nullptr && connect_->awaits_heartbeat);
  if (circumstances_ != nullptr) {
    opened.set_device_id(circumstances_->device_id);
    opened.set_role_context(circumstances_->role_context);
  }
  return opened;
}

void Connection::Refuse(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                        const v1::Error& error) {
  host_.CountRefusal(error.reason());
  wire_.SayRefusal(command, reply_id, error);
}

void Connection::RefuseFrame(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                             const v1::Error& error) {
  const auto too_many = TakeFrame(host_.now());
  Refuse(command, reply_id, too_many ? *too_many : error);
}

std::optional<v1::Error> Connection::Take(RateBucket& bucket, const RateLimit& limit,
                                          std::string_view what, SteadyTime now) {
  const std::uint32_t wait_ms = bucket.Take(limit, now);
  if (wait_ms == 0) return std::nullopt;
  return TooMany(limit, what, wait_ms);
}

// All connections of a user together.
std::optional<v1::Error> Connection::TakeSend(SteadyTime now) {
  const RateLimit& limit = host_.limits().sends;
  const std::uint32_t wait_ms = share_ == nullptr ? 0 : share_->TakeSend(limit, now);
  if (wait_ms == 0) return std::nullopt;
  return TooMany(limit, "messages of a user", wait_ms);
}

// Who does not heed refusals, which cost as much as what they refuse, is closed.
std::optional<v1::Error> Connection::TakeFrame(SteadyTime now) {
  const RateLimit& limit = host_.limits().frames;
  std::optional<v1::Error> error = Take(frames_, limit, "commands", now);
  if (error && refused_frames_.Take(limit, now) != 0) Close(CloseReason::kRateLimited);
  return error;
}

std::optional<v1::Error> Connection::CheckLimits(const v1::Command& command) {
  const auto now = host_.now();
  const ConnectionLimits& limits = host_.limits();
  if (auto error = TakeFrame(now)) return error;
  if (command.has_post_message()) return TakeSend(now);
  if (command.has_resume()) return Take(joins_, limits.joins, "joins", now);
  if (!command.has_join_room()) return std::nullopt;
  if (auto error = Take(joins_, limits.joins, "joins", now)) return error;
  if (limits.rooms > 0 && subscriptions.size() - own_topics >= limits.rooms) {
    return MakeError(v1::REASON_LIMIT_REACHED,
                     fmt::format("a connection can be in {} rooms", limits.rooms));
  }
  return std::nullopt;
}

void Connection::Ask(v1::Command&& command, std::optional<std::uint64_t> reply_id) {
  if (is_ending_) {
    return RefuseFrame(command, reply_id,
                       MakeError(v1::REASON_UNAVAILABLE, "this server is being emptied"));
  }
  if (std::optional<v1::Error> error = CheckLimits(command)) {
    return Refuse(command, reply_id, *error);
  }
  if (command.has_refresh_token()) return Renew(command, reply_id);
  if (command.has_resume()) return Resume(std::move(command), reply_id);
  HeedResume(command);
  command.set_connection(id_);
  if (command.has_join_room()) RememberJoin(command.join_room());
  ++under_way_;
  if (host_.Forward(std::move(command), reply_id)) return;
  --under_way_;
  // It was not taken, so it is whole. NOLINTNEXTLINE(bugprone-use-after-move)
  if (command.has_join_room()) {
    TakeJoin(command.join_room().room_id());
    Tidy();
  }
  Refuse(command, reply_id,
         MakeError(v1::REASON_UNAVAILABLE, "too many commands are waiting for control", 200));
}

void Connection::OnResult(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                          const v1::Result& result) {
  if (command.has_replay_page()) return OnPage(command.replay_page(), result);
  if (NotificationOutlet::Asked(command)) return outlet().OnAnswer(command, result);
  if (command.is_automatic()) return OnAutomatic(command, result);
  // Control ended the subscription with an end to read up to, but who left wants nothing more.
  if (result.has_leave_room() && catchup_ != nullptr) {
    DropReplay(command.leave_room().room_id());
    ForgetEnd(command.leave_room().room_id());
  }
  // The answer first: what is replayed follows it.
  wire_.SayResult(command, reply_id, result);
  OnAnswered();
  if (!command.has_join_room()) return Tidy();
  EndJoin(command.join_room().room_id(), !result.has_error());
}

void Connection::OnExpired(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                           const v1::Error& error) {
  if (command.has_replay_page()) {
    RoomReplay* replay = FindReplay(command.replay_page().room_id());
    if (replay != nullptr && replay->Awaits(command.replay_page().after_seq())) replay->OnNoPage();
    return host_.ReplayLater(*this);
  }
  if (NotificationOutlet::Asked(command)) return outlet().OnNoAnswer(command);
  if (command.is_automatic()) {
    v1::Result result;
    *result.mutable_error() = error;
    return OnAutomatic(command, result);
  }
  if (command.has_join_room()) EndJoin(command.join_room().room_id(), false);
  Tidy();
  Refuse(command, reply_id, error);
  OnAnswered();
}

void Connection::EndJoin(const std::string& room, bool is_joined) {
  const std::optional<PendingJoin> join = TakeJoin(room);
  if (!is_joined) {
    if (join) OnJoinFailed(*join);
  } else if (RoomReplay* replay = FindReplay(room)) {
    replay->Begin();
    Replay();
  }
  Tidy();
}

// The client is told that it has not joined: what the join began is undone, or is left to another
// join of the room that is still under way.
void Connection::OnJoinFailed(const PendingJoin& join) {
  if (PendingJoin* other = FindJoin(join.room)) {
    other->has_subscribed |= join.has_subscribed;
    if (!other->held_at) other->held_at = join.held_at;
    return;
  }
  if (join.has_subscribed) {
    if (FindReplay(join.room) != nullptr) DropReplay(join.room);
    return host_.Unsubscribe(*this, join.room);
  }
  if (!join.held_at || FindReplay(join.room) == nullptr) return;
  // It was live before: on from where live events were held back.
  DropReplay(join.room);
  catchup_->replays.emplace_back(join.room, *join.held_at).Begin();
  Replay();
}

void Connection::RememberJoin(const v1::JoinRoom& join) {
  if (catchup_ == nullptr) catchup_ = std::make_unique<Catchup>();
  PendingJoin& pending = catchup_->joins.emplace_back();
  pending.room = join.room_id();
  if (join.has_after_seq()) pending.after_seq = join.after_seq();
}

PendingJoin* Connection::FindJoin(std::string_view room) {
  if (catchup_ == nullptr) return nullptr;
  for (PendingJoin& join : catchup_->joins) {
    if (join.room == room) return &join;
  }
  return nullptr;
}

std::optional<PendingJoin> Connection::TakeJoin(std::string_view room) {
  PendingJoin* join = FindJoin(room);
  if (join == nullptr) return std::nullopt;
  PendingJoin taken = std::move(*join);
  catchup_->joins.erase(catchup_->joins.begin() + (join - catchup_->joins.data()));
  return taken;
}

std::optional<std::int64_t> Connection::OnSubscribed(std::string_view room, std::int64_t since,
                                                     bool is_new) {
  PendingJoin* join = FindJoin(room);
  if (join != nullptr && is_new) join->has_subscribed = true;
  RoomReplay* replay = FindReplay(room);
  if (replay != nullptr && (is_new || replay->is_ending())) {
    // Of an earlier subscription that has ended; the client has asked for a new beginning.
    DropReplay(room);
    replay = nullptr;
  }
  if (is_new) ForgetEnd(room);
  if (replay != nullptr) {
    if (join == nullptr || !join->after_seq || *join->after_seq >= since) return since;
    join->held_at = replay->after_seq();
    replay->GoBack(*join->after_seq);
    replay->Pause();
    return join->after_seq;
  }
  if (join == nullptr || !join->after_seq) return std::nullopt;
  // A subscriber that joins again has got, or will get, everything behind `since`.
  if (!is_new && *join->after_seq >= since) return std::nullopt;
  if (!is_new) join->held_at = host_.PositionOf(*this, room);
  RoomReplay& begun = catchup_->replays.emplace_back(std::string(room), *join->after_seq);
  if (join->is_resumed) begun.MarkResumed();
  return join->after_seq;
}

// Who has no word for it need not know of a room that is gone, but may not wait for events of one
// that goes on.
void Connection::OnRoomLost(std::string_view room, std::int64_t end_seq) {
  if (FindReplay(room) != nullptr) DropReplay(room);
  Tidy();
  if (recovery_ != nullptr) recovery_->Invalidate();
  if (!wire_.SayResync(room) && end_seq == 0) wire_.ShutForResync(room);
}

RoomReplay* Connection::FindReplay(std::string_view room) {
  if (catchup_ == nullptr) return nullptr;
  for (RoomReplay& replay : catchup_->replays) {
    if (replay.room() == room) return &replay;
  }
  return nullptr;
}

void Connection::DropReplay(std::string_view room) {
  std::erase_if(catchup_->replays, [&](const RoomReplay& replay) { return replay.room() == room; });
}

void Connection::Tidy() {
  if (catchup_ == nullptr || !catchup_->joins.empty() || !catchup_->replays.empty()) return;
  if (catchup_->ended.empty()) catchup_.reset();
}

void Connection::OnPage(const v1::ReplayPage& asked, const v1::Result& result) {
  const std::string& room = asked.room_id();
  RoomReplay* replay = FindReplay(room);
  // Of an earlier subscription. Another room may have its page now.
  if (replay == nullptr || !replay->Awaits(asked.after_seq())) return Replay();
  if (result.has_history()) {
    replay->OnPage(result.history());
    if (replay->has_hole() && !replay->IsDone(host_.PositionOf(*this, room))) {
      return Resync(room);
    }
    return Replay();
  }
  replay->OnNoPage();
  if (result.error().retryable()) {
    const std::chrono::milliseconds wait(result.error().retry_after_ms());
    catchup_->pages_at = std::chrono::steady_clock::now() + wait;
    return host_.ReplayLater(*this, wait);
  }
  if (result.error().reason() == v1::REASON_RESYNC) return Resync(room);
  // Nothing of this room is for the client any more.
  DropReplay(room);
  host_.Unsubscribe(*this, room);
  Replay();
}

// The log does not go back to what the client has: it begins anew, by a join of its own, so that no
// event comes before it knows that there is a hole.
void Connection::Resync(const std::string& room) {
  const RoomReplay* replay = FindReplay(room);
  const bool was_resumed = replay != nullptr && replay->is_resumed();
  DropReplay(room);
  host_.Unsubscribe(*this, room);
  if (recovery_ != nullptr) recovery_->Invalidate();
  if (was_resumed) {
    SayNotResumed(room, MakeError(v1::REASON_RESYNC, "the log does not reach back to it"));
  } else if (!wire_.SayResync(room)) {
    return wire_.ShutForResync(room);
  }
  Replay();
}

// Hands over what is at hand. True: the replay has come to its end.
bool Connection::IsReplayDone(RoomReplay& replay) {
  std::string scratch;
  while (const v1::Event* event = replay.Next()) {
    if (!transport_->HasRoom()) return false;
    Recoverable::Alone alone(recovery_.get());
    const SharedFrame frame = encoder_.EncodeLogged(*event, {}, scratch);
    if (frame) {
      transport_->Send(frame, DeliveryClass::kLogged);
      alone.OnReplayed();
    }
    replay.Take();
  }
  const std::optional<std::int64_t> position = host_.PositionOf(*this, replay.room());
  if (!replay.IsDone(position)) return false;
  if (position && !replay.is_ending()) host_.GoLive(*this, replay.room(), replay.after_seq());
  return true;
}

bool Connection::AskPage(RoomReplay& replay) {
  v1::Command command;
  command.set_connection(id_);
  command.mutable_replay_page()->set_room_id(replay.room());
  command.mutable_replay_page()->set_after_seq(replay.after_seq());
  if (!host_.Forward(std::move(command), std::nullopt)) return false;
  replay.OnAsked();
  return true;
}

void Connection::Replay() {
  AskByItself();
  if (catchup_ == nullptr) return;
  std::vector<RoomReplay>& replays = catchup_->replays;
  auto busy = std::count_if(replays.begin(), replays.end(),
                            [](const RoomReplay& replay) { return replay.is_busy(); });
  bool may_ask = true;
  for (std::size_t i = 0; i < replays.size();) {
    busy -= replays[i].is_busy() ? 1 : 0;
    if (IsReplayDone(replays[i])) {
      const RoomReplay done = std::move(replays[i]);
      replays.erase(replays.begin() + static_cast<std::ptrdiff_t>(i));
      if (recovery_ != nullptr) recovery_->OnReplayDone(replays.empty());
      if (done.is_ending()) RememberEnd({done.room(), done.since(), done.after_seq()});
      continue;
    }
    if (may_ask && replays[i].WantsPage() && busy < static_cast<std::ptrdiff_t>(kPagesAtOnce)) {
      may_ask = transport_->HasRoom() && MayAskPages() && AskPage(replays[i]);
    }
    busy += replays[i].is_busy() ? 1 : 0;
    ++i;
  }
  ForgetEndsSent();
  Tidy();
}

// When it may not yet, it is called again.
bool Connection::MayAskPages() {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (now >= catchup_->pages_at) return true;
  host_.ReplayLater(*this, std::chrono::ceil<std::chrono::milliseconds>(catchup_->pages_at - now));
  return false;
}

}  // namespace confab::edge
