// connection.h: one authenticated talk with a client, whatever its protocol: commands in, results
// and replays out. Knows no sockets and decides nothing about rooms.
// Owns: who the user is, frame rates, what is still to be replayed.
// Used by: sessions (Ask), io_thread (results), hub (subscriptions).
// Threads: confined to the io thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/inlined_vector.h>

#include "confab/v1/edge_link.pb.h"

#include "edge/auth/token_verifier.h"
#include "edge/connection/address_table.h"
#include "edge/connection/event_encoder.h"
#include "edge/connection/notification_outlet.h"
#include "edge/connection/own_joins.h"
#include "edge/connection/rate_limit.h"
#include "edge/connection/replay.h"
#include "edge/connection/token_life.h"
#include "edge/connection/user_table.h"
#include "edge/dialect/dialect.h"
#include "edge/recovery/recoverable.h"
#include "edge/transport/transport.h"

namespace confab::edge {

class Connection;
class HubTopic;

struct ConnectionLimits {
  RateLimit frames;
  RateLimit sends;
  RateLimit joins;
  std::size_t rooms = 128;  // 0: no limit.
  TokenLimits token;
};

// How a connection speaks to its client: the protocol's half, filled by the sessions.
class ClientWire {
 public:
  virtual ~ClientWire() = default;
  // Control knows the connection: commands may follow.
  virtual void SayConnected(std::string_view connection_id, const v1::User& user) = 0;
  virtual void SayResult(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                         const v1::Result& result) = 0;
  virtual void SayRefusal(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                          const v1::Error& error) = 0;
  // Where the client is.
  virtual AddressTicket address() const { return {}; }
  // The token is about to expire. One request over HTTP is not told, and renews nothing.
  virtual void SayTokenExpiring(const v1::TokenExpiring& /*expiring*/) {}
  // CheckToken is to be asked anew when it is due.
  virtual void OnTokenRenewed() {}
  // The subscription has ended, and what the client lacks of the room is not to be had: it is to
  // load its history anew. False: it has no word for that.
  virtual bool SayResync(std::string_view /*room*/) { return false; }
  // Closes because of that.
  virtual void ShutForResync(std::string_view /*room*/) { Shut(CloseReason::kSlowReader); }
  // After Connection::EndCommands: the last answer is out.
  virtual void OnAllAnswered() {}
  // Says why, then closes the transport.
  virtual void Shut(CloseReason reason) = 0;
};

// What a connection needs of its io thread.
class ConnectionHost {
 public:
  virtual ~ConnectionHost() = default;
  // For limits, which need it no finer than the turns of the thread's loop.
  virtual std::chrono::steady_clock::time_point now() { return std::chrono::steady_clock::now(); }
  virtual const ConnectionLimits& limits() const = 0;
  virtual const TokenVerifier& tokens() const = 0;
  // The user is known. Calls OnEntered; Connection::Admit follows, at once or when control is
  // attached.
  virtual void Enter(Connection& connection) = 0;
  // REQUIRES: Enter was called. Nothing of the host refers to the connection any more.
  virtual void Leave(Connection& connection) = 0;
  // The connection goes on over another transport.
  virtual void OnMoved(Connection& connection) = 0;
  // Takes a command to control. False: too much is waiting, the command was not touched. Where it is
  // one that takes turns (TurnQueue), connection.Replay() is called when it may be tried again.
  virtual bool Forward(v1::Command&& command, std::optional<std::uint64_t> reply_id) = 0;
  // Last event of the room that passed this thread's hub; nullopt: the connection is no subscriber.
  virtual std::optional<std::int64_t> PositionOf(const Connection& connection,
                                                 std::string_view room) = 0;
  // Live events of the room reach the connection from behind `after_seq` on.
  virtual void GoLive(Connection& connection, std::string_view room, std::int64_t after_seq) = 0;
  // Live events of the room pass the connection until GoLive. From where on it was to get everything;
  // nullopt: it is no subscriber.
  virtual std::optional<std::int64_t> Hold(Connection& connection, std::string_view room) = 0;
  virtual std::vector<std::string> RoomsOf(const Connection& connection) = 0;
  virtual void Unsubscribe(Connection& connection, std::string_view room) = 0;
  // Calls connection.OnTick() in a moment, and not before `wait` is over.
  virtual void ReplayLater(Connection& connection, std::chrono::milliseconds wait) = 0;
  void ReplayLater(Connection& connection) { ReplayLater(connection, {}); }
  virtual void CountRefusal(v1::Reason reason) = 0;
  virtual void CountDropped(const PushQueue::Dropped& dropped) = 0;
  // Where live events of the room begin for the connection: a page that was replayed may have held what
  // has not passed the hub yet.
  virtual std::int64_t LiveBehind(const Connection& /*connection*/, std::string_view /*room*/) {
    return 0;
  }
  // The session of a socket that was closed because this edge drains, for control to keep. False: it
  // cannot be had by control now.
  virtual bool HandOverSession(v1::SessionHandedOver&& /*handed*/) { return false; }
};

class Connection {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  enum class Kind {
    kSocket,
    kHttpRequest,  // Lives for one command, never subscribes: nobody is online by it.
  };

  // All of them outlive this object.
  Connection(ConnectionHost& host, ClientWire& wire, Transport& transport,
             const EventEncoder& encoder, Kind kind = Kind::kSocket);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // What the client calls its device; before Authenticate.
  void SetDevice(std::string_view device_id);
  // What its dialect says of connecting; before Authenticate. It outlives this object.
  void SetConnect(const DialectConnect& connect) { connect_ = &connect; }
  // Rooms to be resumed as soon as it is admitted; before Authenticate. `reply_id` as for Ask; without
  // one a RESYNC is told as SayResync, what else is refused as a refusal.
  void ResumeOnConnect(v1::Resume&& resume, std::optional<std::uint64_t> reply_id);
  // Its client may have the session back once this connection is lost; before Authenticate.
  void MakeRecoverable(OffsetStamp& stamp, std::string_view dialect, std::string_view nsp,
                       Recoverable::Wish wish);
  // Null: it is not.
  Recoverable* recovery() const { return recovery_.get(); }
  // By the host, before Admit: what MakeRecoverable wished is found (null: not).
  void OnSession(const v1::LostSession* session);
  // Events of a log are still on their way to the client, which those that pass them do not tell of.
  bool is_owed() const;
  // nullopt: accepted, the host was entered. Else the refusal.
  std::optional<v1::Error> Authenticate(std::string_view token);
  // The host was entered for nobody: a service's command follows, which control verifies.
  void EnterWithoutUser();
  bool is_authenticated() const { return is_authenticated_; }
  Kind kind() const { return kind_; }
  // Tells that the token is about to expire, or ends the connection, when it is time. Gives when to
  // check again.
  SteadyTime CheckToken(SteadyTime now);

  // By the host, within Enter: the connection's number, and what it shares with others of its user
  // until Leave; may be null.
  void OnEntered(std::uint64_t id, UserShare* share);
  UserShare* share() const { return share_; }
  // By the host: control is there.
  void Admit(std::uint64_t id, std::string_view name);
  bool is_admitted() const { return is_admitted_; }

  // It is over, before it is destroyed: the host knows nothing of it any more.
  void Leave();

  // Names the rooms that it is subscribed to, each with the last event that was handed to its
  // transport, and the user. False: what the client has of its rooms cannot be said so.
  bool DescribeLost(v1::LostSession& session) const;

  // A command of the client. It gets exactly one answer.
  void Ask(v1::Command&& command, std::optional<std::uint64_t> reply_id);

  // Takes no further commands: they are refused, for the client to repeat them elsewhere. False: some
  // are under way; the wire hears of the last answer.
  bool EndCommands() {
    is_ending_ = true;
    GiveUpResume();
    return under_way_ == 0;
  }

  // Answers a frame that never became a command. It counts as one all the same: over the rate
  // the client is told that instead, and over twice the rate it is closed.
  void RefuseFrame(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                   const v1::Error& error);

  // Answers a command that may not go on.
  void Refuse(const v1::Command& command, std::optional<std::uint64_t> reply_id,
              const v1::Error& error);

  // Its Result, or what stands in for it when none came.
  void OnResult(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                const v1::Result& result);
  void OnExpired(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                 const v1::Error& error);

  // True: a JoinRoom of that room waits for its Result. A Subscribe that nobody waits for comes too
  // late: the client was told that it has not joined.
  bool IsJoining(std::string_view room) { return FindJoin(room) != nullptr; }

  // By the host: control is attached again, and may have said in between what nobody heard.
  void OnAttached();
  // The user has become a member of a room by the event `seq`.
  void OnAddedTo(std::string_view room, std::int64_t seq);

  // By the hub's owner: the connection has become a subscriber, or already was one and has all
  // events behind `since`. A value: live events are to be held back until GoLive, for what is behind
  // it is replayed first.
  std::optional<std::int64_t> OnSubscribed(std::string_view room, std::int64_t since, bool is_new);
  // `end_seq` 0: nothing of the room may follow. The subscription had begun behind `since`.
  void OnUnsubscribed(std::string_view room, std::int64_t end_seq, std::int64_t since = 0);
  // The same with everybody. `end_seq` 0: what this edge has missed of the log is gone; else the room
  // is.
  void OnRoomLost(std::string_view room, std::int64_t end_seq);
  // The host has ended a subscription that the client did not give up.
  void OnRemoved() {
    if (recovery_ != nullptr) recovery_->InvalidateBefore();
  }

  // Goes on with what is to be replayed.
  void Replay();

  // The transport has dropped logged frames: what of them is this connection's is read again, at the
  // pace of the reader.
  void OnDegraded(std::span<const Dropped> dropped);

  // Something live, as the connection's encoder wrote it.
  void Tell(const v1::Signal& signal, const SharedFrame& frame, DeliveryClass delivery) {
    const bool is_latest = delivery == DeliveryClass::kLatest;
    const bool has_to_wait = is_latest && outlet_ != nullptr && outlet_->has_waiting();
    if (!has_to_wait && transport_->Send(frame, delivery)) return;
    if (is_latest) outlet().Keep(signal, frame, std::chrono::steady_clock::now());
  }

  // What services tell goes there.
  NotificationOutlet& outlet() {
    if (outlet_ == nullptr) outlet_ = std::make_unique<NotificationOutlet>(host_, *this);
    return *outlet_;
  }
  // The client's ack of what it was told and asked to acknowledge. False: nobody asked, or it has
  // said so before.
  bool OnAck(std::uint64_t id) { return is_admitted_ && outlet_ != nullptr && outlet_->OnAck(id); }
  // The transport has room again.
  void OnDrained() {
    Replay();
    if (outlet_ != nullptr) outlet_->GoOn(std::chrono::steady_clock::now());
  }
  // It was asked for by ReplayLater.
  void OnTick() {
    const SteadyTime now = std::chrono::steady_clock::now();
    if (own_joins_ != nullptr) own_joins_->OnTick(now);
    Replay();
    if (outlet_ != nullptr) outlet_->OnTick(now);
  }

  void Close(CloseReason reason) { wire_.Shut(reason); }

  std::uint64_t id() const { return id_; }
  const std::string& user_id() const { return user_id_; }
  // What the token names as the user's role outside of rooms; may be empty.
  std::string_view role_context() const {
    return circumstances_ == nullptr ? std::string_view() : circumstances_->role_context;
  }
  v1::ConnectionOpened Describe() const;
  Transport& transport() const { return *transport_; }
  // Goes on over `transport`, which outlives this object.
  void MoveTo(Transport& transport);
  const EventEncoder& encoder() const { return encoder_; }

  // The hub's: where this connection stands in each of its topics.
  struct Subscription {
    HubTopic* topic = nullptr;
    std::uint32_t index = 0;
  };
  absl::InlinedVector<Subscription, 2> subscriptions;
  // How many of them are no rooms: what a connection has by itself.
  std::uint32_t own_topics = 0;

 private:
  // Rare states; an idle connection has none of them.
  struct Catchup {
    std::vector<PendingJoin> joins;
    std::vector<RoomReplay> replays;
    std::vector<EndedRoom> ended;  // Until the outbox is empty.
    SteadyTime pages_at;           // Control said to ask for none before.
  };
  // Of a connection, on their way or in memory at once; of 256 KiB each at most.
  static constexpr std::size_t kPagesAtOnce = 4;
  // One for each room; a connection can be in no more of them by default.
  static constexpr std::size_t kEndedLimit = 128;

  // What few clients have.
  struct Circumstances {
    std::string device_id;
    std::string role_context;
    std::unique_ptr<v1::Command> resume;  // Until it is admitted.
    std::optional<std::uint64_t> resume_reply_id;
  };
  Circumstances& circumstances();

  void OnAnswered() {
    if (under_way_ > 0 && --under_way_ == 0 && is_ending_) wire_.OnAllAnswered();
  }
  // What it asks by itself: connection_own_joins.cc.
  void BeginOwnJoins();
  OwnJoins& own_joins();
  std::optional<v1::Error> CheckResume(const v1::Resume& resume);
  void Resume(v1::Command&& command, std::optional<std::uint64_t> reply_id);
  void EndResume();
  void GiveUpResume();
  bool IsQuiet(const v1::Command& command) const;
  void SayNotResumed(const std::string& room, const v1::Error& error);
  void HeedResume(v1::Command& command);
  void AskByItself();
  bool AskOne(v1::Command&& command);
  void OnAutomatic(const v1::Command& command, const v1::Result& result);
  void Renew(const v1::Command& command, std::optional<std::uint64_t> reply_id);
  std::optional<v1::Error> TakeToken(std::string_view token);
  std::optional<v1::Error> Verify(std::string_view token, absl::Time now, VerifiedUser& user);
  static std::optional<v1::Error> Take(RateBucket& bucket, const RateLimit& limit,
                                       std::string_view what, SteadyTime now);
  std::optional<v1::Error> TakeFrame(SteadyTime now);
  std::optional<v1::Error> CheckLimits(const v1::Command& command);
  std::optional<v1::Error> TakeSend(SteadyTime now);
  void RememberJoin(const v1::JoinRoom& join);
  PendingJoin* FindJoin(std::string_view room);
  std::optional<PendingJoin> TakeJoin(std::string_view room);
  void EndJoin(const std::string& room, bool is_joined);
  void OnJoinFailed(const PendingJoin& join);
  RoomReplay* FindReplay(std::string_view room);
  void DropReplay(std::string_view room);
  bool IsReplayDone(RoomReplay& replay);
  bool AskPage(RoomReplay& replay);
  bool MayAskPages();
  void OnPage(const v1::ReplayPage& asked, const v1::Result& result);
  // What was dropped for a slow reader, and how subscriptions end: connection_healing.cc.
  void Heal(const std::string& room, std::int64_t first_seq);
  void HealEnded(std::span<const Dropped> dropped);
  void RememberEnd(EndedRoom ended);
  void ForgetEnd(std::string_view room);
  void ForgetEndsSent();
  void Resync(const std::string& room);
  void Tidy();

  ConnectionHost& host_;
  ClientWire& wire_;
  Transport* transport_;
  const EventEncoder& encoder_;
  const Kind kind_;
  std::uint64_t id_ = 0;
  std::string user_id_;
  std::string user_name_;
  std::string email_;
  std::unique_ptr<Circumstances> circumstances_;
  const DialectConnect* connect_ = nullptr;  // Null: nothing in particular.
  std::unique_ptr<OwnJoins> own_joins_;      // Of few dialects, and while rooms are resumed.
  TokenLife token_;
  RateBucket frames_;
  RateBucket refused_frames_;
  UserShare* share_ = nullptr;
  RateBucket joins_;
  std::unique_ptr<Catchup> catchup_;
  std::unique_ptr<NotificationOutlet> outlet_;  // From the first thing that a service told.
  std::unique_ptr<Recoverable> recovery_;       // Of dialects with recovery.
  bool is_authenticated_ = false;
  bool is_admitted_ = false;
  bool is_ending_ = false;
  bool has_given_up_ = false;    // A resume, for the end is near.
  std::uint32_t under_way_ = 0;  // Commands of the client that wait for control.
};

}  // namespace confab::edge
