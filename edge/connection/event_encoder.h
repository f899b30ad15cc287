// event_encoder.h: a room event, a signal or a notification -> the wire-ready frame of one protocol and dialect.
// Owns: nothing.   Used by: hub (once per event and encoder), connection (replays).
// Threads: immutable, but confined to its io thread where it has that one's stamp. The frames are confined
// to the io thread that asked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "confab/v1/client.pb.h"
#include "confab/v1/types.pb.h"

#include "edge/dialect/dialect.h"
#include "edge/protocol/native_codec.h"
#include "edge/recovery/offset.h"
#include "edge/transport/shared_frame.h"

namespace confab::edge {

class EventEncoder {
 public:
  // `index` is the encoder's place in an array of all that are in use.
  explicit EventEncoder(std::size_t index) : index_(index) {}
  virtual ~EventEncoder() = default;

  // An empty frame: this kind of event has no name there, it is skipped. `scratch` is memory to
  // work in.
  virtual SharedFrame Encode(const v1::Event& event, std::string_view actor_email,
                             std::string& scratch) const = 0;
  // The same for something live.
  virtual SharedFrame Encode(const v1::Signal& signal, std::string& scratch) const = 0;
  // The same for what a service tells. One with bytes is an event and its attachment in one frame.
  virtual SharedFrame Encode(const v1::Notification& notification, std::string& scratch) const = 0;

  // What is logged, and with its place: so that it can be dropped for a slow reader and read again.
  SharedFrame EncodeLogged(const v1::Event& event, std::string_view actor_email,
                           std::string& scratch) const;
  // Without a place where it stands in no inbox.
  SharedFrame EncodeLogged(const v1::Notification& notification, std::string& scratch) const;

  // Names a room's log, and the inbox of a connection's user, as this encoder writes them: several
  // connections of one transport differ by their encoders. Never 0.
  std::uint64_t KeyOfRoom(std::string_view room) const;
  std::uint64_t KeyOfInbox() const;

  // False: no notification has a name there.
  virtual bool can_notify() const = 0;
  // True: the client can say that it has dealt with its inbox.
  virtual bool can_ack_inbox() const = 0;
  // True: it is asked for an ack of each notification of its inbox; the ack's id is the inbox_seq.
  virtual bool asks_inbox_acks() const { return false; }

  std::size_t index() const { return index_; }

 private:
  const std::size_t index_;
};

class SocketIoEventEncoder final : public EventEncoder {
 public:
  // Both outlive this object. `stamp` may be null: then events have no offset.
  SocketIoEventEncoder(std::size_t index, const Dialect& dialect, std::string_view nsp,
                       const OffsetStamp* stamp = nullptr);
  SharedFrame Encode(const v1::Event& event, std::string_view actor_email,
                     std::string& scratch) const override;
  SharedFrame Encode(const v1::Signal& signal, std::string& scratch) const override;
  SharedFrame Encode(const v1::Notification& notification, std::string& scratch) const override;
  bool can_notify() const override { return dialect_.has_notifications(); }
  bool can_ack_inbox() const override { return dialect_.can_ack_inbox(); }
  bool asks_inbox_acks() const override { return dialect_.asks_inbox_acks(); }

 private:
  // What does has no offset: the client's callback is the last argument, and the inbox tells it again.
  bool AsksAck(const v1::Notification& notification) const {
    return notification.inbox_seq() > 0 && asks_inbox_acks();
  }
  void AppendAckId(const v1::Notification& notification, std::string& out) const;
  // An event as it goes out; what was appended to `scratch` is its JSON.
  SharedFrame FrameOf(std::string& scratch) const;
  void AppendOffset(std::string& scratch) const {
    if (stamp_ != nullptr) stamp_->Append(scratch);
  }

  const Dialect& dialect_;
  const OffsetStamp* const stamp_;
  std::string prefix_;         // "42" or "42/nsp,".
  std::string binary_prefix_;  // "451-" or "451-/nsp,".
};

class NativeEventEncoder final : public EventEncoder {
 public:
  NativeEventEncoder(std::size_t index, NativeForm form) : EventEncoder(index), form_(form) {}
  SharedFrame Encode(const v1::Event& event, std::string_view actor_email,
                     std::string& scratch) const override;
  SharedFrame Encode(const v1::Signal& signal, std::string& scratch) const override;
  SharedFrame Encode(const v1::Notification& notification, std::string& scratch) const override;
  bool can_notify() const override { return true; }
  bool can_ack_inbox() const override { return true; }

 private:
  SharedFrame FrameOf(const v1::ServerFrame& frame, std::string& scratch) const;

  const NativeForm form_;
};

}  // namespace confab::edge
