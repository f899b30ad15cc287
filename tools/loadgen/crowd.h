// crowd.h: all clients of a run: opens them, a few at a time, and tells what becomes of them.
// Owns: the clients.   Used by: load_run, traffic, handshake_run.
// Threads: confined to the loop. Lives until the loop has ended.
// Fails: the first client that cannot be opened ends opening all.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "tools/loadgen/chat_client.h"
#include "tools/loadgen/failure.h"
#include "tools/loadgen/loop.h"
#include "tools/loadgen/plan.h"
#include "tools/loadgen/target.h"
#include "tools/loadgen/token_source.h"

namespace confab::loadgen {

// An edge, looked up.
struct Place {
  Target target;
  boost::asio::ip::tcp::endpoint endpoint;
};

class Crowd final : public ClientEvents {
 public:
  struct Home {
    Loop& loop;
    const Plan& plan;
    const TokenSource& tokens;
    const std::string& run;
    const std::vector<Place>& places;  // Members take them in turn.
    const std::vector<boost::asio::ip::address>& sources;
  };
  explicit Crowd(const Home& home);

  // Where the events of clients go; null: nowhere.
  void SetListener(ClientEvents* listener) { listener_ = listener; }

  // No failure: all are in their rooms; or the run was interrupted.
  Failure OpenAll(uint32_t at_once, absl::Duration at_most);

  void Open(uint32_t member);  // REQUIRES: closed.
  ChatClient& client(uint32_t member) { return *clients_[member]; }
  uint32_t ready() const { return ready_; }
  std::string WhereIs(uint32_t member) const;

  void OnReady(ChatClient& client, int64_t last_seq) override;
  void OnAnswer(ChatClient& client, uint64_t number, const Answer& answer, int64_t now) override;
  void OnEvent(ChatClient& client, const RoomEvent& event, int64_t now) override;
  void OnEnded(ChatClient& client, const Ending& ending) override;

  // A ready one was closed by us.
  void NoteClosed() { --ready_; }

 private:
  const Home home_;
  ClientHome client_home_;
  std::vector<std::unique_ptr<ChatClient>> clients_;
  ClientEvents* listener_ = nullptr;
  uint32_t opened_ = 0;
  uint32_t ready_ = 0;
  bool is_opening_ = false;
  Failure failure_;
};

}  // namespace confab::loadgen
