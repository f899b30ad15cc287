#include "edge/io_thread.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "edge/connection/engineio_session.h"
#include "edge/connection/native_session.h"
#include "edge/connection/socketio_talk.h"
#include "edge/hello.h"

namespace confab::edge {

namespace {

constexpr std::uint32_t kLeaseMs = 45'000;  // Of a control that names none.

}  // namespace

IoThread::IoThread(std::uint8_t index, const IoSettings& settings, SharedTables& tables,
                   ControlLink& link, Distributor& distributor, EdgeMetrics& metrics)
    : settings_(settings),
      tables_(tables),
      link_(link),
      distributor_(distributor),
      metrics_(metrics),
      figures_(metrics),
      index_(index),
      tokens_(settings.tokens),
      connection_limits_(settings.limits.connection),
      heartbeat_limits_(settings.limits.heartbeat),
      stamp_(settings.offset_beginning),
      loop_(std::make_unique<EventLoop>(settings.tick)),
      encoders_(settings.dialects, settings.namespaces,
                {.dialects = &settings.recovering_dialects, .stamp = &stamp_}),
      transports_{.loop = *loop_,
                  .sessions = *this,
                  .list = {},
                  .limits = settings.limits.transport,
                  .sid_place = {.thread = index, .edge = settings.sid_edge},
                  .closes = metrics.closes,
                  .slow = metrics.slow},
      http_{.transports = transports_,
            .origins = settings.origins,
            .routes = settings.routes,
            .proxies = settings.proxies,
            .addresses = tables.addresses,
            .peers = *this,
            .limits = settings.limits.http,
            .figures = metrics.http,
            .tls = settings.tls,
            .service = &http_api_,
            .proxied = settings.reads_proxy_headers ? std::optional<ProxiedAccepts>(std::in_place)
                                                    : std::nullopt},
      http_api_(settings.origins,
                {.host = *this,
                 .loop = *loop_,
                 .encoder = encoders_.Native(NativeForm::kJson),
                 .wait_limit = settings.command_deadline,
                 .addresses = &tables.addresses},
                [this] { return is_attached_; }),
      sessions_{.host = *this,
                .wheel = loop_->wheel(),
                .heartbeat = heartbeat_limits_,
                .dialects = settings.dialects,
                .default_dialect = settings.default_dialect,
                .namespaces = settings.namespaces,
                .encoders = encoders_,
                .recovery = {.dialects = &settings.recovering_dialects, .stamp = &stamp_},
                .message_bytes_limit =
                    static_cast<std::uint32_t>(settings.limits.transport.message_bytes),
                .message_time = settings.limits.transport.message_time},
      listener_(std::make_unique<Listener>(http_)),
      end_(*listener_, http_),
      hub_(encoders_.size()),
      pending_(index),
      questions_(index) {
  loop_->SetTurnEnd([this] { OnTurnEnd(); });
  loop_->wheel().Arm(*this, loop_->wheel().tick());
}

IoThread::~IoThread() {
  is_down_ = true;
  TimerWheel::Entry::Cancel();
  listener_.reset();
  EndHttpTalks(http_);
  transports_.sids.Clear();
  loop_.reset();
}

absl::StatusOr<std::uint16_t> IoThread::Open(const std::string& host, std::uint16_t port,
                                             bool is_first) {
  return listener_->Open(host, port, is_first);
}

void IoThread::Start() {
  thread_ = std::thread([this] { loop_->Run(); });
}

void IoThread::Join() {
  loop_->Stop();
  if (thread_.joinable()) thread_.join();
}

void IoThread::PostTokens(std::shared_ptr<const TokenVerifier> tokens) {
  loop_->Post([this, tokens = std::move(tokens)]() mutable { tokens_ = std::move(tokens); });
}

void IoThread::PostTls(std::shared_ptr<const TlsKeys> tls) {
  loop_->Post([this, tls = std::move(tls)]() mutable { http_.tls = std::move(tls); });
}

void IoThread::PostLimits(std::shared_ptr<const IoLimits> limits) {
  loop_->Post([this, limits = std::move(limits)] {
    connection_limits_ = limits->connection;
    const HeartbeatLimits before = std::exchange(heartbeat_limits_, limits->heartbeat);
    heartbeat_limits_.ping_interval = before.ping_interval;
    heartbeat_limits_.ping_timeout = before.ping_timeout;
    transports_.limits = limits->transport;
    http_.limits = limits->http;
    sessions_.message_bytes_limit = static_cast<std::uint32_t>(limits->transport.message_bytes);
    sessions_.message_time = limits->transport.message_time;
  });
}

void IoThread::PostReplaced(std::uint64_t connection) {
  loop_->Post([this, connection] {
    Connection* found = Find(connection);
    for (Connection* waiting : waiting_) {
      if (waiting->id() == connection) found = waiting;
    }
    if (found != nullptr) found->Close(CloseReason::kReplaced);
  });
}

void IoThread::BeginDrain(absl::Duration time) {
  loop_->Post([this, time] { end_.Drain(time, pending_.size()); });
}

std::future<void> IoThread::BeginStop() {
  loop_->Post([this] { end_.Stop(); });
  return end_.stopped();
}

std::unique_ptr<Session> IoThread::OpenSession(OpenRequest request, Transport& transport) {
  if (request.protocol == OpenRequest::Protocol::kSocketIo) {
    auto session = std::make_unique<EngineIoSession>(sessions_, request, transport);
    session->SetApp(
        std::make_unique<SocketIoTalk>(*session, std::move(request), settings_.make_namespace));
    return session;
  }
  if (settings_.make_session != nullptr && (request.protocol == OpenRequest::Protocol::kEngineIo ||
                                            request.protocol == OpenRequest::Protocol::kPlain)) {
    return settings_.make_session(sessions_, std::move(request), transport);
  }
  return std::make_unique<NativeSession>(sessions_, std::move(request), transport);
}

void IoThread::HandOver(std::uint8_t thread, absl::AnyInvocable<void(HttpHome&)> resume) {
  IoThread& peer = *peers_[thread];
  peer.loop_->Post([&peer, resume = std::move(resume)]() mutable { resume(peer.http_); });
}

// --- what connections ask of their thread

Connection* IoThread::Find(std::uint64_t id) const {
  const auto it = connections_.find(id);
  return it == connections_.end() ? nullptr : it->second;
}

v1::EdgeItem& IoThread::NewItem() {
  loop_->MarkDirty(*this);
  return outgoing_.emplace_back();
}

void IoThread::Enter(Connection& connection) {
  const bool is_socket = connection.kind() == Connection::Kind::kSocket;
  if (is_socket) metrics_.connections.Add(1);
  const std::uint64_t id = ++last_connection_ << 8 | index_;
  if (connection.user_id().empty()) {
    connection.OnEntered(id, nullptr);
  } else {
    const bool counts = is_socket && !IsSeeking(connection);
    const UserTable::Entered entered = tables_.users.Enter(connection.user_id(), counts ? id : 0);
    connection.OnEntered(id, entered.share);
    Replace(entered.replaced);
  }
  if (connection.recovery() != nullptr) return FindSession(connection);
  LetIn(connection);
}

// The oldest connection of a user who has one too many.
void IoThread::Replace(std::uint64_t connection) {
  if (connection != 0) peers_[connection & 0xff]->PostReplaced(connection);
}

void IoThread::LetIn(Connection& connection) {
  if (is_attached_) {
    Admit(connection);
  } else {
    waiting_.insert(&connection);
  }
}

void IoThread::Admit(Connection& connection) {
  const std::uint64_t id = connection.id();
  connections_.emplace(id, &connection);
  // First: the connection may ask at once.
  v1::ConnectionOpened& opened = *NewItem().mutable_connection_opened();
  opened = connection.Describe();
  opened.set_connection(id);
  if (!opened.is_http_request()) SubscribeOwn(connection);
  connection.Admit(id, fmt::format("{}-{:x}", settings_.epoch_name, id));
}

// Before control hears of the connection: what it then tells these topics finds the way.
void IoThread::SubscribeOwn(Connection& connection) {
  for (const std::string& topic : OwnTopics(connection.user_id(), connection.role_context())) {
    if (!hub_.Has(topic)) distributor_.Want(index_, topic);
    hub_.SubscribeOwn(topic, connection);
  }
}

void IoThread::AdmitWaiting() {
  for (Connection* connection : std::exchange(waiting_, {})) Admit(*connection);
}

void IoThread::Leave(Connection& connection) {
  if (connection.kind() == Connection::Kind::kSocket) metrics_.connections.Add(-1);
  if (connection.share() != nullptr) {
    tables_.users.Leave(*connection.share(), connection.id(), std::chrono::steady_clock::now());
  }
  if (!is_down_ && connection.recovery() != nullptr) EndSession(connection);
  if (is_down_ || waiting_.erase(&connection) > 0 || !connection.is_admitted()) return;
  connections_.erase(connection.id());
  hub_.Remove(connection);
  pending_.Drop(connection.id());
  turns_.Forget(connection.id());
  if (stream_ != 0) NewItem().mutable_connection_closed()->set_connection(connection.id());
  loop_->MarkDirty(*this);
}

std::optional<std::int64_t> IoThread::PositionOf(const Connection& connection,
                                                 std::string_view room) {
  return hub_.PositionOf(TopicOfRoom(room), connection);
}

void IoThread::GoLive(Connection& connection, std::string_view room, std::int64_t after_seq) {
  hub_.GoLive(TopicOfRoom(room), connection, after_seq);
}

void IoThread::Unsubscribe(Connection& connection, std::string_view room) {
  hub_.Unsubscribe(TopicOfRoom(room), connection);
  loop_->MarkDirty(*this);
}

// --- what control says

void IoThread::PostAnnounce(std::uint64_t stream) {
  loop_->Post([this, stream] { Announce(stream); });
}

void IoThread::PostItems(ItemBatch items) {
  loop_->Post([this, items = std::move(items)] { Distribute(items); });
}

void IoThread::PostClosed(std::uint64_t stream) {
  loop_->Post([this, stream] {
    if (stream != stream_) return;
    stream_ = 0;
    is_attached_ = false;
    outgoing_.clear();
  });
}

void IoThread::Announce(std::uint64_t stream) {
  stream_ = stream;
  is_attached_ = false;
  outgoing_.clear();
  std::vector<v1::AnnouncedConnection> announced;
  announced.reserve(connections_.size());
  for (const auto& [id, connection] : connections_) {
    v1::AnnouncedConnection& entry = announced.emplace_back();
    *entry.mutable_opened() = connection->Describe();
    for (std::string& room : RoomsOf(*connection)) entry.add_room_ids(std::move(room));
  }
  std::vector<std::uint64_t> numbers;
  for (const v1::Command* command : pending_.Unanswered(std::chrono::steady_clock::now())) {
    *NewItem().mutable_command() = *command;
    numbers.push_back(command->request());
  }
  for (const std::uint64_t number : numbers) pending_.MarkSent(number);
  distributor_.OnAnnounced(stream, std::move(announced));
}

void IoThread::On(const v1::ControlItem& item) {
  switch (item.item_case()) {
    case v1::ControlItem::kWelcome:
      On(item.welcome());
      break;
    case v1::ControlItem::kSubscribe:
      On(item.subscribe());
      break;
    case v1::ControlItem::kUnsubscribe:
      On(item.unsubscribe());
      break;
    case v1::ControlItem::kBroadcast:
      On(item.broadcast());
      break;
    case v1::ControlItem::kResult:
      On(item.result());
      break;
    case v1::ControlItem::kCloseConnection:
      if (Connection* connection = Find(item.close_connection().connection())) {
        connection->Close(ReasonOfCode(item.close_connection().code()));
      }
      break;
    case v1::ControlItem::kDirect:
      On(item.direct());
      break;
    case v1::ControlItem::kInboxState:
      if (Connection* connection = Find(item.inbox_state().connection())) {
        connection->outlet().OnState(item.inbox_state());
      }
      break;
    case v1::ControlItem::kRecoveryAnswer:
      On(item.recovery_answer());
      break;
    case v1::ControlItem::kRecoveryQuestion:  // Of the whole edge.
    case v1::ControlItem::kDrain:
    case v1::ControlItem::ITEM_NOT_SET:
      break;
  }
}

void IoThread::On(const v1::Welcome& welcome) {
  is_attached_ = stream_ != 0;
  const std::uint32_t lease_ms = welcome.lease_ms() == 0 ? kLeaseMs : welcome.lease_ms();
  lease_pause_ = std::chrono::milliseconds(lease_ms / 3);
  next_lease_ = std::chrono::steady_clock::now() + lease_pause_;
  for (const auto& [id, connection] : connections_) connection->OnAttached();
  AdmitWaiting();
}

// The edge is alive as long as its first thread is.
void IoThread::RefreshLease() {
  if (index_ != 0 || !is_attached_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_lease_) return;
  next_lease_ = now + lease_pause_;
  NewItem().mutable_lease_refreshed();
}

void IoThread::On(const v1::Subscribe& subscribe) {
  Connection* connection = Find(subscribe.connection());
  const std::string_view room = RoomOfTopic(subscribe.topic());
  // A client whose JoinRoom has expired knows nothing of this subscription: events of it would be
  // taken for a position up to which it has everything.
  if (connection == nullptr ||
      (!connection->IsJoining(room) && !hub_.PositionOf(subscribe.topic(), *connection))) {
    released_.push_back(subscribe.topic());
    return;
  }
  const Hub::Joined joined = hub_.Subscribe(subscribe.topic(), *connection, subscribe.from_seq());
  if (const auto since = connection->OnSubscribed(room, joined.since, joined.is_new)) {
    hub_.Hold(subscribe.topic(), *connection, *since);
  }
}

void IoThread::On(const v1::Unsubscribe& unsubscribe) {
  const std::string_view room = RoomOfTopic(unsubscribe.topic());
  std::vector<Hub::Ended> all;
  switch (unsubscribe.target_case()) {
    case v1::Unsubscribe::kConnection:
      if (Connection* connection = Find(unsubscribe.connection())) {
        const auto since = hub_.Unsubscribe(unsubscribe.topic(), *connection);
        all.push_back({.connection = connection, .since = since.value_or(0)});
      }
      break;
    case v1::Unsubscribe::kUserId:
      all = hub_.UnsubscribeUser(unsubscribe.topic(), unsubscribe.user_id());
      for (const Hub::Ended& one : all) one.connection->OnRemoved();
      break;
    case v1::Unsubscribe::kEverybody:
      for (Connection* connection : hub_.UnsubscribeAll(unsubscribe.topic())) {
        connection->OnRoomLost(room, unsubscribe.end_seq());
      }
      break;
    case v1::Unsubscribe::TARGET_NOT_SET:
      break;
  }
  for (const Hub::Ended& one : all) {
    one.connection->OnUnsubscribed(room, unsubscribe.end_seq(), one.since);
  }
}

void IoThread::On(const v1::Broadcast& broadcast) {
  if (broadcast.has_signal()) {
    metrics_.signals.Add(hub_.Deliver(AudienceOf(broadcast.topics()), broadcast.except_connection(),
                                      broadcast.signal()));
  }
  if (broadcast.has_membership()) {
    for (Connection* connection : hub_.AudienceOf(broadcast.topics())) {
      connection->OnAddedTo(broadcast.membership().room_id(), broadcast.membership().seq());
    }
  }
  if (broadcast.has_notification()) {
    Tell(AudienceOf(broadcast.topics()), broadcast.notification());
  }
  if (!broadcast.has_event()) return;
  figures_.OnDelivered(
      hub_.Deliver(broadcast.topics(0), broadcast.except_connection(), broadcast.event()),
      broadcast.event().event().created_at());
}

std::vector<Connection*> IoThread::AudienceOf(const Hub::Topics& topics) const {
  const bool is_all = std::find(topics.begin(), topics.end(), kTopicOfAll) != topics.end();
  if (!is_all) return hub_.AudienceOf(topics);
  std::vector<Connection*> sockets;
  for (const auto& [id, connection] : connections_) {
    if (connection->kind() == Connection::Kind::kSocket) sockets.push_back(connection);
  }
  return sockets;
}

void IoThread::On(const v1::Direct& direct) {
  std::vector<Connection*> audience;
  if (Connection* connection = Find(direct.connection())) audience.push_back(connection);
  if (direct.has_signal()) metrics_.signals.Add(hub_.Deliver(audience, 0, direct.signal()));
  if (direct.has_notification()) Tell(audience, direct.notification());
}

void IoThread::Tell(const std::vector<Connection*>& audience, const v1::PushedNotification& what) {
  const std::size_t count = hub_.Deliver(audience, what);
  if (!what.notification().event().empty()) metrics_.notifications.Add(count);
  if (what.report() != 0) distributor_.OnHandedOver(what.report(), count);
}

void IoThread::On(const v1::Result& result) {
  const std::optional<PendingRequest> request = pending_.Complete(result.request());
  if (!request) return;  // Answered already, expired, or of a connection that is gone.
  EndTurn(request->command);
  if (!request->command.has_replay_page() && !request->command.is_automatic()) {
    metrics_.CountCommand(result.has_error() ? result.error().reason() : v1::REASON_UNSPECIFIED);
    metrics_.command_seconds.Observe(
        std::chrono::duration<double>(loop_->now() - request->sent_at).count());
  }
  if (Connection* connection = Find(request->command.connection())) {
    connection->OnResult(request->command, request->reply_id, result);
  }
}

// --- turns and ticks

void IoThread::Flush() {
  CallTurns();
  if (!outgoing_.empty() && stream_ != 0) link_.Send(stream_, outgoing_);
  outgoing_.clear();
  for (std::string& topic : hub_.TakeEmptied()) released_.push_back(std::move(topic));
  if (released_.empty()) return;
  std::erase_if(released_, [&](const std::string& topic) { return hub_.Has(topic); });
  distributor_.Release(index_, released_, subscribes_seen_);
  released_.clear();
}

void IoThread::OnTurnEnd() { figures_.OnTurnEnd(loop_->queued_bytes()); }

void IoThread::OnTimer() {
  loop_->wheel().Arm(*this, loop_->wheel().tick());
  ExpireCommands();
  ExpireQuestions();
  RefreshLease();
  KeepOutboxBudget(transports_);
  AskAgain();
  ShowLostSessions();
  figures_.Show(hub_.subscriptions(), pending_.size());
  OnTurnEnd();
  end_.OnTick(pending_.size());
}

}  // namespace confab::edge
