// connection_fakes.h: what stands around a connection, recorded: transport, wire, host, encoder.
// Threads: caller serialises.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "edge/connection/connection.h"
#include "edge/connection/turn_queue.h"
#include "proto/reason.h"

namespace confab::tests {

class RecordingTransport final : public edge::Transport {
 public:
  bool Send(const edge::SharedFrame& frame, edge::DeliveryClass delivery) override {
    if (is_slow && delivery != edge::DeliveryClass::kLogged) return false;
    SendBytes(frame.bytes(), edge::DeliveryClass::kLogged);
    places.push_back(frame.place());
    return true;
  }
  void SendBytes(std::string_view frame, edge::DeliveryClass) override {
    sent.emplace_back(frame);
    if (room_for > 0) --room_for;
    is_empty = false;
  }
  void Close(edge::CloseReason reason) override { closed = reason; }
  bool HasRoom() override { return room_for > 0; }
  bool HasRoomBelow(std::size_t bytes) override { return bytes == 1 ? is_empty : room_for > 0; }

  std::vector<std::string> sent;
  std::vector<edge::FramePlace> places;  // Of those that were shared frames.
  std::optional<edge::CloseReason> closed;
  bool is_slow = false;      // Takes nothing that is only live.
  int room_for = 1'000'000;  // Frames.
  bool is_empty = true;      // Until something is sent.
};

// Writes down in words what the client is told.
class RecordingWire final : public edge::ClientWire {
 public:
  void SayConnected(std::string_view connection_id, const v1::User& user) override {
    said.push_back(fmt::format("connected {} {}", connection_id, user.id()));
  }
  void SayResult(const v1::Command&, std::optional<uint64_t> reply_id,
                 const v1::Result& result) override {
    said.push_back(result.has_error() ? Refusal(reply_id, result.error())
                                      : fmt::format("result {}", reply_id.value_or(0)));
    last_result = result;
  }
  void SayRefusal(const v1::Command&, std::optional<uint64_t> reply_id,
                  const v1::Error& error) override {
    said.push_back(Refusal(reply_id, error));
    last_error = error;
  }
  void SayTokenExpiring(const v1::TokenExpiring& expiring) override {
    said.push_back("expiring");
    last_expiring = expiring;
  }
  void OnTokenRenewed() override { said.push_back("renewed"); }
  bool SayResync(std::string_view room) override {
    if (knows_resync) said.push_back(fmt::format("resync {}", room));
    return knows_resync;
  }
  void Shut(edge::CloseReason reason) override { shut = reason; }
  void OnAllAnswered() override { said.push_back("all answered"); }

  bool knows_resync = false;
  std::vector<std::string> said;
  v1::TokenExpiring last_expiring;
  v1::Error last_error;
  v1::Result last_result;
  std::optional<edge::CloseReason> shut;

 private:
  static std::string Refusal(std::optional<uint64_t> reply_id, const v1::Error& error) {
    return fmt::format("refusal {} {}", reply_id.value_or(0), TraitsOf(error.reason()).word);
  }
};

class RecordingHost final : public edge::ConnectionHost {
 public:
  const edge::ConnectionLimits& limits() const override { return connection_limits; }
  const edge::TokenVerifier& tokens() const override { return verifier; }
  void Enter(edge::Connection& connection) override {
    ++entered;
    connection.OnEntered(0, users.Enter(connection.user_id(), 0).share);
  }
  void Leave(edge::Connection&) override { ++left; }
  void OnMoved(edge::Connection&) override {}
  bool Forward(v1::Command&& command, std::optional<uint64_t> reply_id) override {
    if (is_full) {
      waits_for_turn = edge::TurnQueue::KindOf(command).has_value();
      return false;
    }
    forwarded.emplace_back(std::move(command), reply_id);
    return true;
  }
  std::optional<int64_t> PositionOf(const edge::Connection&, std::string_view room) override {
    return not_in.contains(std::string(room)) ? std::nullopt : position;
  }
  void GoLive(edge::Connection&, std::string_view room, int64_t after_seq) override {
    live.push_back(fmt::format("{} behind {}", room, after_seq));
  }
  std::optional<int64_t> Hold(edge::Connection&, std::string_view room) override {
    held.emplace_back(room);
    return rooms.count(std::string(room)) > 0 ? std::optional(since) : std::nullopt;
  }
  std::vector<std::string> RoomsOf(const edge::Connection&) override {
    return {rooms.begin(), rooms.end()};
  }
  void Unsubscribe(edge::Connection&, std::string_view room) override {
    unsubscribed.emplace_back(room);
  }
  void ReplayLater(edge::Connection&, std::chrono::milliseconds wait) override {
    ++later;
    longest_wait = std::max(longest_wait, wait);
  }
  void CountRefusal(v1::Reason reason) override { refusals.push_back(reason); }
  void CountDropped(const edge::PushQueue::Dropped& dropped) override {
    dropped_over_limit += dropped.over_limit;
    dropped_expired += dropped.expired;
  }

  edge::ConnectionLimits connection_limits;
  edge::UserTable users{0};
  edge::TokenVerifier verifier{
      process::JwtKeySet(*process::JwtKey::FromSecret(std::string(32, 's')))};
  bool is_full = false;
  bool waits_for_turn = false;   // What was not taken is of those that take turns.
  std::set<std::string> not_in;  // Rooms of which the connection is no subscriber.
  std::chrono::milliseconds longest_wait{0};
  std::optional<int64_t> position;  // Of every room.
  std::set<std::string> rooms;      // That the connection is a subscriber of, by what Hold says.
  int64_t since = 0;                // Of every such subscription.

  int entered = 0;
  int left = 0;
  int later = 0;
  std::vector<std::pair<v1::Command, std::optional<uint64_t>>> forwarded;
  std::vector<std::string> held;
  std::vector<std::string> live;
  std::vector<std::string> unsubscribed;
  std::vector<v1::Reason> refusals;
  size_t dropped_over_limit = 0;
  size_t dropped_expired = 0;
};

// The frame of an event is "<index>:<seq>"; an event of room "unnamed" has none.
class NumberEncoder final : public edge::EventEncoder {
 public:
  using EventEncoder::EventEncoder;
  edge::SharedFrame Encode(const v1::Event& event, std::string_view,
                           std::string& scratch) const override {
    ++encoded;
    if (event.room_id() == "unnamed") return {};
    scratch = fmt::format("{}:{}", index(), event.seq());
    return edge::SharedFrame::Copy(scratch);
  }
  // That of a signal is "<index>:<who types>"; any other has none.
  edge::SharedFrame Encode(const v1::Signal& signal, std::string& scratch) const override {
    ++encoded;
    if (!signal.has_typing()) return {};
    scratch = fmt::format("{}:{}", index(), signal.typing().user_id());
    return edge::SharedFrame::Copy(scratch);
  }

  // That of a notification is "<index>:<its event>#<inbox_seq>"; of "unnamed" there is none.
  edge::SharedFrame Encode(const v1::Notification& notification,
                           std::string& scratch) const override {
    ++encoded;
    if (notification.event() == "unnamed") return {};
    scratch = fmt::format("{}:{}#{}", index(), notification.event(), notification.inbox_seq());
    return edge::SharedFrame::Copy(scratch);
  }
  bool can_notify() const override { return true; }
  bool can_ack_inbox() const override { return can_ack; }
  bool asks_inbox_acks() const override { return asks_acks; }

  mutable int encoded = 0;
  bool can_ack = true;
  bool asks_acks = false;
};

}  // namespace confab::tests
