// session.h: what stands above a transport: takes its messages (seam).
// Owns: nothing.   Used by: transports. Filled by engineio_session and native_session.
// Threads: confined to the io thread.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <absl/time/time.h>

#include "edge/connection/address_table.h"
#include "edge/protocol/native_codec.h"
#include "edge/transport/transport.h"

namespace confab::edge {

class Session {
 public:
  virtual ~Session() = default;

  // The upgrade was answered; frames can be sent.
  virtual void OnOpen() = 0;
  // One whole message. Text is valid UTF-8.
  virtual void OnMessage(bool is_binary, std::string_view message) = 0;
  // The peer answered a WebSocket ping.
  virtual void OnPong() = 0;
  // The outbox is below half again, after Transport::HasRoom said it was not.
  virtual void OnDrained() = 0;
  // Of these logs all frames from there on were dropped unsent: they are to be read again. Told in a
  // turn in which nothing is delivered at the moment.
  virtual void OnDegraded(std::span<const Dropped> /*dropped*/) {}
  // The client has come for what there is: what is due by now is done now, not at the next tick.
  virtual void CheckTime() {}
  // The client has to go: it is told so, is served as ever for so long, and then closed with
  // kDraining as soon as the commands under way are answered. Called once.
  virtual void BeginDrain(absl::Duration /*delay*/) {}
  // Tells the client why, then closes the transport.
  virtual void Shut(CloseReason reason) = 0;
  // The last call, however the transport ended.
  virtual void OnClosed() = 0;

  // Goes on over `transport`; the caller has moved the queue.
  virtual void MoveTo(Transport&) {}
  // The secret that names an Engine.IO session; empty for others.
  virtual std::string_view sid() const { return {}; }
};

// What an upgrade request said.
struct OpenRequest {
  enum class Protocol {
    kSocketIo,
    kNativeJson,
    kNativeBinary,
    kEngineIo,  // Without Socket.IO on it, and a WebSocket with nothing on it: for tests.
    kPlain,
  };
  Protocol protocol = Protocol::kSocketIo;
  std::string sid;            // Made for the session; empty for native ones.
  bool is_probe = false;      // A WebSocket for the polling session of that sid.
  bool is_polling = false;    // Begins by HTTP polling.
  bool wants_base64 = false;  // No binary frames, please (`b64` of the query).
  std::string token;          // Authorization header, else `token` of the query; may be empty.
  // Of the query, as the client wrote them; may be empty.
  std::string dialect;
  std::string device_id;
  std::chrono::steady_clock::time_point accepted_at;
  AddressSlot address;  // Kept as long as the session lasts.
};

class SessionFactory {
 public:
  virtual ~SessionFactory() = default;
  // `transport` outlives the session.
  virtual std::unique_ptr<Session> OpenSession(OpenRequest request, Transport& transport) = 0;
};

}  // namespace confab::edge
