// edge_peers.h: what stands around a connection, and costs next to nothing: host, wire, transport.
// Threads: caller serialises.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "edge/connection/connection.h"
#include "process/jwt.h"
#include "tests/bench/edge_samples.h"

namespace confab::edge {

class CountingTransport final : public Transport {
 public:
  bool Send(const SharedFrame& frame, DeliveryClass /*delivery*/) override {
    bytes += frame.size();
    return true;
  }
  void SendBytes(std::string_view frame, DeliveryClass /*delivery*/) override {
    bytes += frame.size();
  }
  void Close(CloseReason /*reason*/) override {}
  bool HasRoom() override { return true; }
  bool HasRoomBelow(std::size_t /*bytes*/) override { return true; }

  std::size_t bytes = 0;
};

class SilentWire final : public ClientWire {
 public:
  void SayConnected(std::string_view /*connection_id*/, const v1::User& /*user*/) override {}
  void SayResult(const v1::Command& /*command*/, std::optional<std::uint64_t> /*reply_id*/,
                 const v1::Result& /*result*/) override {}
  void SayRefusal(const v1::Command& /*command*/, std::optional<std::uint64_t> /*reply_id*/,
                  const v1::Error& /*error*/) override {}
  void Shut(CloseReason /*reason*/) override {}
};

// Admits whoever enters, and takes every command. Rates are counted, but never reached.
class AmpleHost final : public ConnectionHost {
 public:
  AmpleHost() { limits_.frames = limits_.sends = {.per_period = 500'000'000, .burst = 1'000'000}; }

  // As a loop has it, without a look at the clock for each message.
  std::chrono::steady_clock::time_point now() override {
    return now_ += std::chrono::microseconds(1);
  }
  const ConnectionLimits& limits() const override { return limits_; }
  const TokenVerifier& tokens() const override { return verifier_; }
  void Enter(Connection& connection) override {
    entered = &connection;
    connection.OnEntered(kSampleConnection,
                         users_.Enter(connection.user_id(), kSampleConnection).share);
    connection.Admit(kSampleConnection, "bench-101");
  }
  void Leave(Connection& connection) override {
    entered = nullptr;
    users_.Leave(*connection.share(), connection.id(), std::chrono::steady_clock::now());
  }
  void OnMoved(Connection& /*connection*/) override {}
  bool Forward(v1::Command&& command, std::optional<std::uint64_t> /*reply_id*/) override {
    last = std::move(command);
    ++forwarded;
    return true;
  }
  std::optional<std::int64_t> PositionOf(const Connection& /*connection*/,
                                         std::string_view /*room*/) override {
    return std::nullopt;
  }
  void GoLive(Connection& /*connection*/, std::string_view /*room*/,
              std::int64_t /*after_seq*/) override {}
  std::optional<std::int64_t> Hold(Connection& /*connection*/, std::string_view /*room*/) override {
    return std::nullopt;
  }
  std::vector<std::string> RoomsOf(const Connection& /*connection*/) override { return {}; }
  void Unsubscribe(Connection& /*connection*/, std::string_view /*room*/) override {}
  void ReplayLater(Connection& /*connection*/, std::chrono::milliseconds /*wait*/) override {}
  void CountRefusal(v1::Reason /*reason*/) override { ++refused; }
  void CountDropped(const PushQueue::Dropped& /*dropped*/) override {}

  static const process::JwtKey& Key() {
    static const process::JwtKey key = *process::JwtKey::FromSecret(std::string(32, 's'));
    return key;
  }

  Connection* entered = nullptr;
  v1::Command last;
  std::int64_t forwarded = 0;
  std::int64_t refused = 0;

 private:
  std::chrono::steady_clock::time_point now_ = std::chrono::steady_clock::now();
  ConnectionLimits limits_;
  UserTable users_{0};
  TokenVerifier verifier_{process::JwtKeySet(Key())};
};

}  // namespace confab::edge
