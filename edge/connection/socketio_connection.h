// socketio_connection.h: one namespace of a Socket.IO talk: its connection, and how that one speaks.
// Owns: the connection, once its dialect is chosen.   Used by: socketio_talk.
// Threads: confined to the io thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "edge/connection/connection.h"
#include "edge/connection/socketio_namespace.h"
#include "edge/connection/socketio_talk.h"
#include "edge/protocol/socketio_codec.h"

namespace confab::edge {

class SocketIoConnection final : public SocketIoNamespace, private ClientWire {
 public:
  // `nsp` is its place in the home's list.
  SocketIoConnection(SocketIoTalk& talk, std::size_t nsp);

  static std::unique_ptr<SocketIoNamespace> Make(SocketIoTalk& talk, std::size_t nsp) {
    return std::make_unique<SocketIoConnection>(talk, nsp);
  }

  // Chooses the dialect: `dialect` of the payload, else of the query, else the server's. The token:
  // `token` of the payload, else what the request brought. `resume` of the payload is the argument of
  // the event of that name. `pid` and `offset` name the session that it wants back.
  std::optional<v1::Error> Connect(const SocketIoPacket& packet) override;
  bool is_joined() const override { return connection_ && connection_->is_admitted(); }
  void OnEvent(const SocketIoPacket& packet, std::span<const std::string> attachments) override;
  bool OnAck(std::uint64_t id) override { return connection_->OnAck(id); }
  void OnDrained() override { connection_->OnDrained(); }
  void OnDegraded(std::span<const Dropped> dropped) override { connection_->OnDegraded(dropped); }
  void OnMoved(Transport& transport) override { connection_->MoveTo(transport); }
  void SayClosing(CloseReason reason, std::uint32_t retry_after_ms) override;
  bool EndCommands() override { return connection_->EndCommands(); }
  Heartbeat::SteadyTime CheckToken(Heartbeat::SteadyTime now) override {
    return connection_->CheckToken(now);
  }
  void HandOver() override;
  void ForgetSession() override {
    if (connection_ && connection_->recovery() != nullptr) connection_->recovery()->Forget();
  }
  void Leave() override { connection_->Leave(); }

 private:
  void SayConnected(std::string_view connection_id, const v1::User& user) override;
  void SayResult(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                 const v1::Result& result) override;
  void SayRefusal(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                  const v1::Error& error) override;
  AddressTicket address() const override { return talk_.request().address.ticket(); }
  void SayTokenExpiring(const v1::TokenExpiring& expiring) override;
  bool SayResync(std::string_view room) override;
  void OnTokenRenewed() override { talk_.engine().OnTokens(); }
  void OnAllAnswered() override { talk_.engine().GoOnEnding(); }
  void Shut(CloseReason reason) override { talk_.Shut(*this, reason); }

  std::optional<v1::Error> ChooseDialect(const SocketIoPacket& packet, std::size_t& chosen) const;
  std::string_view nsp() const { return talk_.engine().home().namespaces[nsp_]; }
  // Sends the event that `encode(dialect, out)` appends. False: it has no name, nothing was sent.
  template <typename Encode>
  bool SayEvent(Encode&& encode);

  SocketIoTalk& talk_;
  const std::size_t nsp_;
  const Dialect* dialect_ = nullptr;  // Set with the connection.
  // Of the offset of the last event that was said to it alone, and of the last words; nothing else has
  // them. 0: it had none, or none were said.
  std::uint64_t said_number_ = 0;
  std::uint64_t closing_number_ = 0;
  std::optional<Connection> connection_;
};

}  // namespace confab::edge
