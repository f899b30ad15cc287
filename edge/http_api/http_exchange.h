// http_exchange.h: one HTTP request that is asked of control: a connection that lives for one
// command.
// Owns: the connection.   Used by: io_thread, which hands it to the HTTP talk as its HttpCall.
// Threads: confined to the io thread.
// Fails: with an answer: the token is refused, control is away, no Result in time.
#pragma once

#include <optional>
#include <string_view>

#include <absl/time/time.h>

#include "edge/connection/connection.h"
#include "edge/http_api/http_api.h"
#include "edge/http_api/user_rates.h"
#include "edge/transport/event_loop.h"
#include "edge/transport/http_service.h"

namespace confab::edge {

// What all exchanges of one io thread share. Outlives them.
struct HttpExchangeHome {
  ConnectionHost& host;
  EventLoop& loop;
  const EventEncoder& encoder;  // Never used: the connection subscribes nothing.
  absl::Duration wait_limit;  // For control to be attached; then the command has its own deadline.
  AddressTable* addresses = nullptr;  // Null: no limits of addresses.
  UserRates rates{};
};

class HttpExchange final : public HttpCall,
                           private ClientWire,
                           private EventLoop::Flushable,
                           private TimerWheel::Entry {
 public:
  // `done` is called in a turn of its own.
  HttpExchange(HttpExchangeHome& home, HttpAsk ask, HttpService::Done done,
               AddressTicket address = {});
  ~HttpExchange() override = default;

 private:
  // Takes nothing: what is said to the connection beside its Result has no place in an answer.
  class NoTransport final : public Transport {
   public:
    bool Send(const SharedFrame& /*frame*/, DeliveryClass /*delivery*/) override { return true; }
    void SendBytes(std::string_view /*frame*/, DeliveryClass /*delivery*/) override {}
    void Close(CloseReason /*reason*/) override {}
    bool HasRoom() override { return true; }
    bool HasRoomBelow(std::size_t /*bytes*/) override { return true; }
  };

  void SayConnected(std::string_view connection_id, const v1::User& user) override;
  void SayResult(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                 const v1::Result& result) override;
  void SayRefusal(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                  const v1::Error& error) override;
  AddressTicket address() const override { return address_; }
  void Shut(CloseReason reason) override;

  std::optional<v1::Error> CheckRates();
  void OnTimer() override;
  void Flush() override;
  void Refuse(const v1::Error& error);
  void Finish(const v1::Result& result);

  HttpExchangeHome& home_;
  HttpAsk ask_;
  HttpService::Done done_;
  std::optional<HttpAnswer> answer_;
  const AddressTicket address_;
  NoTransport transport_;
  Connection connection_;  // Goes first.
};

}  // namespace confab::edge
