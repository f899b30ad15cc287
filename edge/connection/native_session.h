// native_session.h: the native protocols: ClientFrame in, ServerFrame out, in JSON or binary.
// Owns: the heartbeat (WebSocket pings), the connection.   Used by: io_thread (makes), transport.
// Threads: confined to the io thread.
// Fails: a frame that cannot be read is refused as BAD_REQUEST; the connection stays.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "confab/v1/client.pb.h"

#include "edge/connection/connection.h"
#include "edge/connection/heartbeat.h"
#include "edge/connection/session.h"
#include "edge/connection/session_home.h"
#include "edge/protocol/native_codec.h"

namespace confab::edge {

class NativeSession final : public Session, private ClientWire, private Heartbeat::Owner {
 public:
  // `home` and `transport` outlive this object.
  NativeSession(SessionHome& home, OpenRequest request, Transport& transport);

  void OnOpen() override;
  void OnMessage(bool is_binary, std::string_view message) override;
  void OnPong() override { heartbeat_.OnPong(); }
  void OnDrained() override { connection_.OnDrained(); }
  void OnDegraded(std::span<const Dropped> dropped) override { connection_.OnDegraded(dropped); }
  void Shut(CloseReason reason) override;  // Also the wire's.
  void OnClosed() override { heartbeat_.Stop(); }
  void BeginDrain(absl::Duration delay) override;

 private:
  void SayConnected(std::string_view connection_id, const v1::User& user) override;
  void SayResult(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                 const v1::Result& result) override;
  void SayRefusal(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                  const v1::Error& error) override;
  AddressTicket address() const override { return address_.ticket(); }
  void SayTokenExpiring(const v1::TokenExpiring& expiring) override;
  void OnTokenRenewed() override { heartbeat_.OnTokens(); }
  bool SayResync(std::string_view room) override;
  void OnAllAnswered() override { Shut(CloseReason::kDraining); }

  void SendPing() override;
  void OnTimeUp(CloseReason reason) override { Shut(reason); }
  void OnEndDue() override {
    if (connection_.EndCommands()) Shut(CloseReason::kDraining);
  }
  Heartbeat::SteadyTime CheckTokens(Heartbeat::SteadyTime now) override {
    return connection_.CheckToken(now);
  }

  void Authenticate(std::string_view token);
  // Tells it, and closes.
  void Close(CloseReason reason, v1::Error error);
  void SayClosing(CloseReason reason, v1::Error error);
  void Send(const v1::ServerFrame& frame);

  SessionHome& home_;
  Transport& transport_;
  const AddressSlot address_;
  Connection connection_;
  Heartbeat heartbeat_;
  std::string upgrade_token_;
  const NativeForm form_;
  bool is_draining_ = false;
};

}  // namespace confab::edge
