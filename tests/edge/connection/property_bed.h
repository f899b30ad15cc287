// property_bed.h: one connection with its hub, its turns and a small control, as an edge's distributor
// and io thread have them: what the schedules of property tests drive. What the client makes of what it
// is told is theirs.
// Threads: caller serialises.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "edge/connection/connection.h"
#include "edge/connection/turn_queue.h"
#include "edge/hub/hub.h"
#include "edge/recovery/offset.h"
#include "tests/edge/connection/small_control.h"

namespace confab::edge {

// Seeds of schedules, each the next: as many as asked for from one of chance on, which is printed, or
// CONFAB_TEST_SEED alone.
struct Seeds {
  unsigned first = 0;
  int count = 0;
};
Seeds SeedsOf(int schedules);

// The frame of an event is its room, its seq, and the number of its offset.
class StampedEncoder final : public EventEncoder {
 public:
  StampedEncoder(std::size_t index, const OffsetStamp& stamp)
      : EventEncoder(index), stamp_(stamp) {}
  SharedFrame Encode(const v1::Event& event, std::string_view actor_email,
                     std::string& scratch) const override;
  SharedFrame Encode(const v1::Signal&, std::string&) const override { return {}; }
  SharedFrame Encode(const v1::Notification&, std::string&) const override { return {}; }
  bool can_notify() const override { return false; }
  bool can_ack_inbox() const override { return false; }

 private:
  const OffsetStamp& stamp_;
};

class PropertyBed : protected ConnectionHost, protected ClientWire, protected Transport {
 protected:
  struct Pending {
    v1::Command command;
    std::optional<std::uint64_t> reply_id;
  };

  explicit PropertyBed(unsigned seed) : random_(seed) {}

  int Below(int limit) { return control_.Below(limit); }
  // The first of them counts.
  void Fault(std::string what);

  // A connection that knows nothing yet.
  void MakeConnection();
  void Authenticate();
  // Nobody refers to the connection, and what it asked is answered by nobody.
  void DropConnection();

  // --- what happens

  // Control says the next of what it has to say.
  void Hear();
  void Tick();
  // The client reads so much, or nothing for now.
  void ReadSome();
  // The command is answered by now.
  std::optional<Pending> Take(std::uint64_t request);
  // Whose turn it is goes on.
  void CallTurns();

  // --- what a schedule makes of it

  virtual void OnEvent(const std::string& room, std::int64_t seq, std::uint64_t number) = 0;
  // A result that is no refusal.
  virtual void OnDone(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                      const v1::Result& result) = 0;
  // Before the hub has it.
  virtual void OnBroadcast(const std::string& /*topic*/, std::int64_t /*seq*/) {}
  // The client is in the room, and is given what is behind `has`; not new: it was before.
  virtual void OnSubscribed(const std::string& /*room*/, std::int64_t /*has*/, bool /*is_new*/) {}
  virtual void OnUnsubscribed(const std::string& /*room*/) {}

  // ConnectionHost
  const ConnectionLimits& limits() const override { return limits_; }
  const TokenVerifier& tokens() const override { return verifier_; }
  void Enter(Connection& connection) override;
  void Leave(Connection&) override {}
  void OnMoved(Connection&) override {}
  bool Forward(v1::Command&& command, std::optional<std::uint64_t> reply_id) override;
  std::optional<std::int64_t> PositionOf(const Connection& connection,
                                         std::string_view room) override;
  void GoLive(Connection& connection, std::string_view room, std::int64_t after_seq) override;
  // Nothing is dropped here: slow_reader_property_test does that.
  std::optional<std::int64_t> Hold(Connection&, std::string_view) override { return {}; }
  std::vector<std::string> RoomsOf(const Connection&) override { return {}; }
  void Unsubscribe(Connection& connection, std::string_view room) override;
  void ReplayLater(Connection&, std::chrono::milliseconds) override { wants_tick_ = true; }
  void CountRefusal(v1::Reason) override {}
  void CountDropped(const PushQueue::Dropped&) override {}

  // Transport
  bool Send(const SharedFrame& frame, DeliveryClass) override;
  void SendBytes(std::string_view, DeliveryClass) override {}
  void Close(CloseReason) override { Fault("closed"); }
  bool HasRoom() override { return room_for_ > 0; }
  bool HasRoomBelow(std::size_t) override { return room_for_ > 0; }

  // ClientWire; refusals and resyncs are the schedule's.
  void SayConnected(std::string_view, const v1::User&) override {}
  void SayResult(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                 const v1::Result& result) override;
  void Shut(CloseReason) override { Fault("shut"); }

  std::mt19937 random_;
  SmallControl control_{random_};
  std::string fault_;  // What went wrong; empty: nothing.
  const std::string beginning_ = "e.1.";
  OffsetStamp stamp_{beginning_};
  Hub hub_{1};
  TurnQueue turns_;
  std::unique_ptr<Connection> connection_;
  std::uint64_t last_connection_ = 0;
  std::map<std::uint64_t, Pending> pending_;
  int room_for_ = 100;  // Events that the client reads before it rests.
  bool wants_tick_ = false;

 private:
  void OnSubscribe(const v1::Subscribe& subscribe);
  void OnUnsubscribe(const v1::Unsubscribe& unsubscribe);

  const ConnectionLimits limits_;
  const TokenVerifier verifier_{
      process::JwtKeySet(*process::JwtKey::FromSecret(std::string(32, 's')))};
  const StampedEncoder encoder_{0, stamp_};
  std::uint64_t last_request_ = 0;
};

}  // namespace confab::edge
