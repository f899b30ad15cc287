// dialect.h: seam: how one family of Socket.IO clients names events and shapes payloads.
// Translate turns what a client said into a typed command; the encoders turn what it is told into
// that client's JSON. No state, no decisions about rooms.
// Owns: nothing of its callers.   Used by: connection (Translate, acks), hub (EncodeEvent).
// Threads: immutable; any thread.
//
// Encoders append to `out` and return false, with nothing appended, where the dialect has no name
// for it: the client is told nothing then. Texts are the JSON array that follows the Socket.IO
// prefix.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "confab/v1/edge_link.pb.h"
#include "confab/v1/types.pb.h"

namespace confab::edge {

// What a dialect says of connecting, beside names and payloads.
struct DialectConnect {
  // Rooms of the user that a connection is subscribed to by itself: an id, or its beginning and a
  // '*' for the rest ("game_*"). Empty: none.
  std::string auto_subscribe;
  // Topics joined on connecting: "user:<id>" and, if the token names a role, "role:<role>".
  bool has_user_topic = false;
  bool has_role_topic = false;
  // The client's own heartbeat is awaited from the start, not only after the first one.
  bool awaits_heartbeat = false;
};

class Dialect {
 public:
  virtual ~Dialect() = default;

  // The word of --dialect; also the key of shared frames.
  virtual std::string_view name() const = 0;

  virtual const DialectConnect& connect() const = 0;

  // True: a refusal is told as an error event (EncodeError) even where an ack tells it too.
  virtual bool tells_every_refusal() const = 0;

  // `args` is what stands behind the event's name, `text` the JSON array that it was read from, name
  // included. Sets the command's oneof and nothing else of it;
  // REQUIRES: `command` is clear. A value is a refusal to be sent to the client (UNKNOWN_COMMAND,
  // BAD_REQUEST naming the field); `command` then holds what could be read and is not to be
  // forwarded.
  virtual std::optional<v1::Error> Translate(std::string_view event,
                                             std::span<const boost::json::value> args,
                                             std::string_view text, v1::Command& command) const = 0;

  // A room event, live or replayed: ["newMessage",{…}]. Called once per io thread and event.
  virtual bool EncodeEvent(const v1::Event& event, std::string_view actor_email,
                           std::string& out) const = 0;

  // The arguments of an ack: [{"ok":true,…}], or the refusal if the result is an error. `command`
  // is what the result answers.
  virtual bool EncodeAck(const v1::Command& command, const v1::Result& result,
                         std::string& out) const = 0;

  // The arguments of an ack that refuses: [{"ok":false,"error":{…}}]. `command` may be partly
  // filled.
  virtual bool EncodeRefusal(const v1::Command& command, const v1::Error& error,
                             std::string& out) const = 0;

  // What the asking connection is told of a success beside the ack, which comes first, and even
  // if it wanted none: ["roomJoined",{…}]. Nothing for a result that is an error.
  virtual bool EncodeConfirmation(const v1::Command& command, const v1::Result& result,
                                  std::string& out) const = 0;

  // ["error",{…}]: a refusal of an event that wanted no ack (see tells_every_refusal).
  virtual bool EncodeError(const v1::Error& error, std::string& out) const = 0;

  // ["connected",{…}]: the first event of a connection. `connection_id` is for logs and support.
  virtual bool EncodeConnected(std::string_view connection_id, const v1::User& user,
                               std::string& out) const = 0;

  // ["server:closing",{…}]: the last event before the transport is closed with `code`. `reason` is
  // a word; retry_after_ms 0: the client decides.
  virtual bool EncodeClosing(uint32_t code, std::string_view reason, uint32_t retry_after_ms,
                             std::string& out) const = 0;

  // ["token:expiring",{…}]: the connection's token is about to end.
  virtual bool EncodeExpiring(const v1::TokenExpiring& expiring, std::string& out) const = 0;

  // ["resync",{…}]: the subscription has ended because of a hole in what the client has of the room.
  virtual bool EncodeResync(std::string_view room_id, std::string& out) const = 0;

  // Typing, presence, read pointers.
  virtual bool EncodeSignal(const v1::Signal& signal, std::string& out) const = 0;

  // An event that a service pushes under a name of its own. `payload` is one JSON value, passed on
  // as it is: the notification's own, or what stands for its attachment.
  virtual bool EncodeNotification(const v1::Notification& notification, std::string_view payload,
                                  std::string& out) const = 0;

  // False: EncodeNotification is, always.
  virtual bool has_notifications() const = 0;

  // True: clients have an event that acknowledges the inbox.
  virtual bool can_ack_inbox() const = 0;

  // True: they do it by acks, for which each notification of the inbox asks.
  virtual bool asks_inbox_acks() const = 0;
};

}  // namespace confab::edge
