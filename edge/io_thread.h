// io_thread.h: one loop and everything that lives on it. A connection never leaves its thread.
// Owns: loop, listener, transports, connections, hub, pending requests.
// Used by: edge (lifetime), distributor (Post…), connections (as their host).
// Threads: confined to its own thread, except Open, Start, Post…, Begin…, drain_figures and Join (any thread).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "edge/auth/client_address.h"
#include "edge/auth/origin_policy.h"
#include "edge/auth/token_verifier.h"
#include "edge/connection/address_table.h"
#include "edge/connection/connection.h"
#include "edge/connection/session.h"
#include "edge/connection/session_home.h"
#include "edge/connection/socketio_connection.h"
#include "edge/connection/turn_queue.h"
#include "edge/connection/user_table.h"
#include "edge/control_link/control_link.h"
#include "edge/control_link/pending_requests.h"
#include "edge/control_link/recovery_questions.h"
#include "edge/dialect/dialect_set.h"
#include "edge/distributor.h"
#include "edge/edge_figures.h"
#include "edge/edge_metrics.h"
#include "edge/edge_recovery.h"
#include "edge/event_run_finder.h"
#include "edge/hello.h"
#include "edge/http_api/http_api_service.h"
#include "edge/hub/hub.h"
#include "edge/recovery/offset.h"
#include "edge/transport/event_loop.h"
#include "edge/transport/http_talk.h"
#include "edge/transport/listener.h"
#include "edge/transport/thread_end.h"

namespace confab::edge {

// Makes sessions of the protocols that are for tests alone.
using SessionMaker = std::function<std::unique_ptr<Session>(SessionHome& home, OpenRequest request,
                                                            Transport& transport)>;

// What a reload changes beside keys; the rest of IoSettings stays.
struct IoLimits {
  ConnectionLimits connection;
  HeartbeatLimits heartbeat;  // But its pings: clients were told when to expect them.
  TransportLimits transport;
  HttpLimits http;
};

// What all io threads share; immutable once they run.
struct IoSettings {
  std::shared_ptr<const TokenVerifier> tokens;  // At the start; see PostTokens.
  OriginPolicy origins;
  ProxyTrust proxies = {};
  bool reads_proxy_headers = false;  // Of those proxies.
  DialectSet dialects;
  std::size_t default_dialect = 0;      // Its place in `dialects`, for who names none.
  std::vector<std::string> namespaces;  // What Socket.IO clients may join.
  // What stands behind them; tests put an echo there.
  SocketIoNamespaceMaker make_namespace = SocketIoConnection::Make;
  SessionMaker make_session = {};  // Of kEngineIo and kPlain; no route leads to them otherwise.
  std::string epoch_name;          // Prefix of connection names.
  // Whose clients may have their sessions back, by place in `dialects`; empty: nobody's.
  std::vector<bool> recovering_dialects = {};
  // Set before the threads start: the edge as offsets name it.
  EdgeIdentity identity = {};
  std::string offset_beginning = {};  // In them, as JSON.
  IoLimits limits;                    // At the start; see PostLimits.
  HttpRoutes routes;
  // At the start, see PostTls; null: clients come without TLS.
  std::shared_ptr<const TlsKeys> tls = nullptr;
  std::uint16_t sid_edge = 0;  // SidPlace::edge.
  absl::Duration command_deadline = absl::Seconds(3);
  absl::Duration tick = TimerWheel::kTick;  // How fine all timers are.
};

// What the io threads count together. Asked when sessions and connections come and go.
struct SharedTables {
  SharedTables() : SharedTables({}, {}, 0) {}
  SharedTables(const AddressLimits& limits, AddressTable::Counters refusals,
               std::size_t user_connections)
      : addresses(limits, refusals), users(user_connections) {}

  AddressTable addresses;
  UserTable users;
};

class IoThread final : public Distributor::Recipient,
                       private SessionFactory,
                       private ConnectionHost,
                       private HttpPeers,
                       private EventLoop::Flushable,
                       private TimerWheel::Entry {
 public:
  // All of them outlive this object. `index` is the low byte of the numbers it gives.
  IoThread(std::uint8_t index, const IoSettings& settings, SharedTables& tables, ControlLink& link,
           Distributor& distributor, EdgeMetrics& metrics);
  ~IoThread() override;  // REQUIRES: Join was called if Start was.

  // All io threads of the edge, this one too, by index. REQUIRES: before Start.
  void SetPeers(std::vector<IoThread*> peers);
  // The same: where sessions are found. It outlives this object.
  void SetRecovery(EdgeRecovery& recovery) { recovery_ = &recovery; }

  absl::StatusOr<std::uint16_t> Open(const std::string& host, std::uint16_t port, bool is_first);
  void Start();

  void PostAnnounce(std::uint64_t stream) override;
  void PostItems(ItemBatch items) override;
  void PostClosed(std::uint64_t stream) override;

  // From now on tokens are checked with these; who is connected stays.
  void PostTokens(std::shared_ptr<const TokenVerifier> tokens);
  // The same for the certificate that new connections are shown.
  void PostTls(std::shared_ptr<const TlsKeys> tls);

  // From now on these hold: rates, counts and times for who is connected too, sizes for what opens
  // from now on.
  void PostLimits(std::shared_ptr<const IoLimits> limits);
  // The user of this connection has one too many: it goes.
  void PostReplaced(std::uint64_t connection);
  // As EdgeRecovery::EndSocket has it.
  void PostEndSocket(std::uint64_t connection, const Pid& pid, std::string user_id,
                     absl::AnyInvocable<void()> done);

  // Takes no new clients; those there are go one after the other, within `time`.
  void BeginDrain(absl::Duration time);
  // How far that is.
  ThreadEnd::Figures drain_figures() const { return end_.figures(); }
  // Accepts no more and tells every client to come back. The future is ready when all are gone and
  // what was asked over HTTP is answered.
  std::future<void> BeginStop();
  void Join();

 private:
  std::unique_ptr<Session> OpenSession(OpenRequest request, Transport& transport) override;

  bool HasThread(std::uint8_t thread) const override { return thread < peers_.size(); }
  void HandOver(std::uint8_t thread, absl::AnyInvocable<void(HttpHome&)> resume) override;

  std::chrono::steady_clock::time_point now() override { return loop_->now(); }
  const ConnectionLimits& limits() const override { return connection_limits_; }
  const TokenVerifier& tokens() const override { return *tokens_; }
  void Enter(Connection& connection) override;
  void Leave(Connection& connection) override;
  void OnMoved(Connection& connection) override { hub_.OnMoved(connection); }
  bool Forward(v1::Command&& command, std::optional<std::uint64_t> reply_id) override;
  std::optional<std::int64_t> PositionOf(const Connection& connection,
                                         std::string_view room) override;
  void GoLive(Connection& connection, std::string_view room, std::int64_t after_seq) override;
  std::optional<std::int64_t> Hold(Connection& connection, std::string_view room) override {
    return hub_.Hold(TopicOfRoom(room), connection);
  }
  std::vector<std::string> RoomsOf(const Connection& connection) override {
    return RoomsAmong(Hub::TopicsOf(connection));
  }
  void Unsubscribe(Connection& connection, std::string_view room) override;
  void ReplayLater(Connection& connection, std::chrono::milliseconds wait) override;
  void CountRefusal(v1::Reason reason) override { metrics_.CountCommand(reason); }
  void CountDropped(const PushQueue::Dropped& dropped) override {
    metrics_.notifications_over_limit.Add(dropped.over_limit);
    metrics_.notifications_expired.Add(dropped.expired);
  }

  std::int64_t LiveBehind(const Connection& connection, std::string_view room) override {
    return hub_.LiveBehind(TopicOfRoom(room), connection);
  }
  bool HandOverSession(v1::SessionHandedOver&& handed) override;

  void Flush() override;    // What gathered for control in this turn of the loop.
  void OnTimer() override;  // Each tick of the wheel.
  void OnTurnEnd();

  void Announce(std::uint64_t stream);
  // How the items of a batch are told: io_thread_runs.cc.
  void Distribute(const ItemBatch& items);
  void DistributeRun(const ItemBatch& items, std::size_t from, const FoundRun& found);
  // Of the stamp, for what is told by that item.
  static std::uint64_t NumberAt(const ItemBatch& items, std::size_t index);
  void On(const v1::ControlItem& item);
  void On(const v1::Welcome& welcome);
  void On(const v1::Subscribe& subscribe);
  void On(const v1::Unsubscribe& unsubscribe);
  void On(const v1::Broadcast& broadcast);
  void On(const v1::Result& result);
  void On(const v1::Direct& direct);
  void On(const v1::RecoveryAnswer& answer);
  // For those of the topics, or for one connection.
  void Tell(const std::vector<Connection*>& audience, const v1::PushedNotification& what);
  // The connections that a broadcast without seq is for.
  std::vector<Connection*> AudienceOf(const Hub::Topics& topics) const;
  void Replace(std::uint64_t connection);
  void LetIn(Connection& connection);
  void Admit(Connection& connection);
  void SubscribeOwn(Connection& connection);
  void AdmitWaiting();
  // What connections ask, and when they may: io_thread_turns.cc.
  bool Submit(v1::Command&& command, std::optional<std::uint64_t> reply_id);
  void EndTurn(const v1::Command& command);
  void CallTurns();
  void AskAgain();
  void ExpireCommands();
  // Asks the edge that the question names for the session; its ticket is filled in here. Ends in
  // OnSessionAnswered, not within the call, unless the question is forgotten before. False: it cannot
  // be asked now. This and what ends it: io_thread_recovery.cc.
  bool AskForSession(std::uint64_t connection, v1::RecoveryQuestion&& question);
  void ForgetQuestion(std::uint64_t connection) { questions_.Drop(connection); }
  void ExpireQuestions();
  // Sessions that clients want back: io_thread_sessions.cc.
  // It counts among its user's connections when the search is over: what it finds may be one of them.
  static bool IsSeeking(const Connection& connection);
  void FindSession(Connection& connection);
  void OnSearched(std::uint64_t id, const EdgeRecovery::Answer& answer);
  void EndSearch(std::uint64_t id, const EdgeRecovery::Answer& answer);
  bool IsOurs(const Offset& offset) const;
  bool AskElsewhere(const Connection& connection);
  // What another edge had for the connection; nullptr: nothing.
  void OnSessionAnswered(std::uint64_t connection, const v1::LostSession* session);
  void BeginSession(Connection& connection, const v1::LostSession* session);
  void EndSession(Connection& connection);
  LostSession DescribeSession(const Connection& connection) const;
  void ShowLostSessions();
  void RefreshLease();
  v1::EdgeItem& NewItem();
  Connection* Find(std::uint64_t id) const;

  const IoSettings& settings_;
  SharedTables& tables_;
  ControlLink& link_;
  Distributor& distributor_;
  EdgeMetrics& metrics_;
  EdgeFigures figures_;
  const std::uint8_t index_;
  std::shared_ptr<const TokenVerifier> tokens_;
  ConnectionLimits connection_limits_;
  HeartbeatLimits heartbeat_limits_;
  std::vector<IoThread*> peers_;

  EdgeRecovery* recovery_ = nullptr;  // Null: recovery is off.
  OffsetStamp stamp_;

  std::unique_ptr<EventLoop> loop_;  // Goes first, with all transports and connections.
  const EncoderTable encoders_;
  TransportHome transports_;
  HttpHome http_;
  HttpApiService http_api_;
  SessionHome sessions_;
  std::unique_ptr<Listener> listener_;
  ThreadEnd end_;
  Hub hub_;
  PendingRequests pending_;
  RecoveryQuestions questions_;
  absl::flat_hash_map<std::uint64_t, Connection*> connections_;
  absl::flat_hash_set<Connection*> waiting_;                 // Verified while control is away.
  absl::flat_hash_map<std::uint64_t, Connection*> finding_;  // Whose session is being looked for.
  std::uint64_t last_connection_ = 0;

  std::uint64_t stream_ = 0;  // The one our state was announced on; 0: none.
  bool is_attached_ = false;
  std::chrono::steady_clock::duration lease_pause_{};  // Between refreshes, by one thread alone.
  std::chrono::steady_clock::time_point next_lease_;
  std::vector<v1::EdgeItem> outgoing_;
  std::uint64_t subscribes_seen_ = 0;
  std::vector<std::string> released_;  // Topics that were subscribed for nobody.
  TurnQueue turns_;
  // Connections to be asked at a tick, not before that.
  absl::flat_hash_map<std::uint64_t, std::chrono::steady_clock::time_point> replaying_;

  bool is_down_ = false;
  std::thread thread_;
};

}  // namespace confab::edge
