// socketio_namespace.h: what stands behind one namespace of a Socket.IO talk (seam).
// Owns: nothing.   Used by: socketio_talk. Filled by socketio_connection; by an echo in tests.
// Threads: confined to the io thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "edge/connection/heartbeat.h"
#include "edge/protocol/socketio_codec.h"
#include "edge/transport/transport.h"

namespace confab::edge {

class SocketIoNamespace {
 public:
  virtual ~SocketIoNamespace() = default;

  // The client's CONNECT. nullopt: it is answered, or will be. A value: refused, and the talk tells
  // so; nothing else is called then.
  virtual std::optional<v1::Error> Connect(const SocketIoPacket& packet) = 0;
  // The CONNECT was answered: packets may come.
  virtual bool is_joined() const = 0;
  // An event. REQUIRES: is_joined(). `attachments` are those its placeholders name.
  virtual void OnEvent(const SocketIoPacket& packet, std::span<const std::string> attachments) = 0;
  // The client's ack of an event of ours. REQUIRES: is_joined(). False: none asked for it, or it is
  // acked already.
  virtual bool OnAck(std::uint64_t /*id*/) { return false; }
  // The outbox is below half again, after Transport::HasRoom said it was not.
  virtual void OnDrained() = 0;
  // As Session has it.
  virtual void OnDegraded(std::span<const Dropped> /*dropped*/) {}
  virtual void OnMoved(Transport& transport) = 0;
  // An end is near that the client did not ask for: right behind this event or, where the reason is
  // kDraining, in so many milliseconds; for other reasons the client may come back after them.
  virtual void SayClosing(CloseReason reason, std::uint32_t retry_after_ms) = 0;
  // The socket is closed for the client to go to another edge: behind the last SayClosing.
  virtual void HandOver() {}
  // As EngineIoApp has it; the talk is told of the last answer.
  virtual bool EndCommands() { return true; }
  // Does what is due of its token, which may be to end the session. Gives when to ask again.
  virtual Heartbeat::SteadyTime CheckToken(Heartbeat::SteadyTime now) = 0;
  // It ends for good, and is not to be had back when it has left.
  virtual void ForgetSession() {}
  // It is over, as if destroyed; may be called from within a call of its own.
  virtual void Leave() = 0;
};

class SocketIoTalk;

// Makes what stands behind SessionHome::namespaces[nsp]. `talk` outlives it.
using SocketIoNamespaceMaker = std::unique_ptr<SocketIoNamespace> (*)(SocketIoTalk& talk,
                                                                      std::size_t nsp);

}  // namespace confab::edge
