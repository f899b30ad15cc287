#include "edge/connection/event_encoder.h"

#include <absl/hash/hash.h>
#include <absl/strings/string_view.h>

#include "edge/protocol/json_text.h"
#include "edge/protocol/socketio_codec.h"
#include "edge/protocol/websocket_frame.h"

namespace confab::edge {

namespace {
// What stands where the first attachment belongs.
constexpr std::string_view kAttachmentPlace = R"({"_placeholder":true,"num":0})";
// The finalizer of splitmix64: every bit of the result depends on every bit of both.
std::uint64_t Mix(std::uint64_t hash, std::size_t index) {
  hash += (index + 1) * 0x9e3779b97f4a7c15ULL;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9ULL;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebULL;
  hash ^= hash >> 31;
  return hash == 0 ? 1 : hash;
}

constexpr std::uint64_t kInbox = 0x1f0e;  // Any number will do.

}  // namespace

// Seeded anew by each process: nobody can make up rooms that share a key.
std::uint64_t EventEncoder::KeyOfRoom(std::string_view room) const {
  return Mix(absl::Hash<absl::string_view>()(absl::string_view(room.data(), room.size())), index_);
}

std::uint64_t EventEncoder::KeyOfInbox() const { return Mix(kInbox, index_); }

SharedFrame EventEncoder::EncodeLogged(const v1::Event& event, std::string_view actor_email,
                                       std::string& scratch) const {
  SharedFrame frame = Encode(event, actor_email, scratch);
  if (frame) frame.SetPlace({.key = KeyOfRoom(event.room_id()), .seq = event.seq()});
  return frame;
}

SharedFrame EventEncoder::EncodeLogged(const v1::Notification& notification,
                                       std::string& scratch) const {
  SharedFrame frame = Encode(notification, scratch);
  if (frame && notification.inbox_seq() > 0) {
    frame.SetPlace({.key = KeyOfInbox(), .seq = notification.inbox_seq()});
  }
  return frame;
}

SocketIoEventEncoder::SocketIoEventEncoder(std::size_t index, const Dialect& dialect,
                                           std::string_view nsp, const OffsetStamp* stamp)
    : EventEncoder(index), dialect_(dialect), stamp_(stamp) {
  AppendSocketIoEventPrefix(nsp, prefix_);
  AppendSocketIoBinaryEventPrefix(nsp, 1, binary_prefix_);
}

SharedFrame SocketIoEventEncoder::FrameOf(std::string& scratch) const {
  AppendOffset(scratch);
  return SharedFrame::Copy(FinishWebSocketFrame(WebSocketOpcode::kText, scratch));
}

SharedFrame SocketIoEventEncoder::Encode(const v1::Event& event, std::string_view actor_email,
                                         std::string& scratch) const {
  BeginWebSocketFrame(scratch);
  scratch += prefix_;
  if (!dialect_.EncodeEvent(event, actor_email, scratch)) return {};
  return FrameOf(scratch);
}

SharedFrame SocketIoEventEncoder::Encode(const v1::Signal& signal, std::string& scratch) const {
  BeginWebSocketFrame(scratch);
  scratch += prefix_;
  if (!dialect_.EncodeSignal(signal, scratch)) return {};
  return FrameOf(scratch);
}

SharedFrame SocketIoEventEncoder::Encode(const v1::Notification& notification,
                                         std::string& scratch) const {
  BeginWebSocketFrame(scratch);
  if (!notification.has_binary()) {
    scratch += prefix_;
    AppendAckId(notification, scratch);
    if (!dialect_.EncodeNotification(notification, notification.json(), scratch)) return {};
    if (!AsksAck(notification)) AppendOffset(scratch);
    return SharedFrame::Copy(FinishWebSocketFrame(WebSocketOpcode::kText, scratch));
  }
  scratch += binary_prefix_;
  AppendAckId(notification, scratch);
  if (!dialect_.EncodeNotification(notification, kAttachmentPlace, scratch)) return {};
  if (!AsksAck(notification)) AppendOffset(scratch);
  std::string both(FinishWebSocketFrame(WebSocketOpcode::kText, scratch));
  BeginWebSocketFrame(scratch);
  scratch += notification.binary();
  both += FinishWebSocketFrame(WebSocketOpcode::kBinary, scratch);
  return SharedFrame::Copy(both);
}

// The same for all devices of the user, so that they share the frame.
void SocketIoEventEncoder::AppendAckId(const v1::Notification& notification,
                                       std::string& out) const {
  if (AsksAck(notification)) AppendJsonNumber(notification.inbox_seq(), out);
}

SharedFrame NativeEventEncoder::Encode(const v1::Notification& notification,
                                       std::string& scratch) const {
  v1::ServerFrame frame;
  *frame.mutable_notification() = notification;
  return FrameOf(frame, scratch);
}

SharedFrame NativeEventEncoder::Encode(const v1::Event& event, std::string_view,
                                       std::string& scratch) const {
  if (event.body_case() == v1::Event::BODY_NOT_SET) return {};
  v1::ServerFrame frame;
  *frame.mutable_event() = event;
  return FrameOf(frame, scratch);
}

SharedFrame NativeEventEncoder::Encode(const v1::Signal& signal, std::string& scratch) const {
  if (signal.body_case() == v1::Signal::BODY_NOT_SET) return {};
  v1::ServerFrame frame;
  *frame.mutable_signal() = signal;
  return FrameOf(frame, scratch);
}

SharedFrame NativeEventEncoder::FrameOf(const v1::ServerFrame& frame, std::string& scratch) const {
  BeginWebSocketFrame(scratch);
  AppendServerFrame(form_, frame, scratch);
  return SharedFrame::Copy(FinishWebSocketFrame(
      form_ == NativeForm::kJson ? WebSocketOpcode::kText : WebSocketOpcode::kBinary, scratch));
}

}  // namespace confab::edge
