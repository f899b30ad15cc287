#include "edge/connection/event_encoder.h"

#include "edge/protocol/socketio_codec.h"
#include "edge/protocol/websocket_frame.h"

namespace confab::edge {

namespace {
// What stands where the first attachment belongs.
constexpr std::string_view kAttachmentPlace = R"({"_placeholder":true,"num":0})";
}  // namespace

SocketIoEventEncoder::SocketIoEventEncoder(std::size_t index, const Dialect& dialect,
                                           std::string_view nsp)
    : EventEncoder(index), dialect_(dialect) {
  AppendSocketIoEventPrefix(nsp, prefix_);
  AppendSocketIoBinaryEventPrefix(nsp, 1, binary_prefix_);
}

SharedFrame SocketIoEventEncoder::Encode(const v1::Event& event, std::string_view actor_email,
                                         std::string& scratch) const {
  BeginWebSocketFrame(scratch);
  scratch += prefix_;
  if (!dialect_.EncodeEvent(event, actor_email, scratch)) return {};
  return SharedFrame::Copy(FinishWebSocketFrame(WebSocketOpcode::kText, scratch));
}

SharedFrame SocketIoEventEncoder::Encode(const v1::Signal& signal, std::string& scratch) const {
  BeginWebSocketFrame(scratch);
  scratch += prefix_;
  if (!dialect_.EncodeSignal(signal, scratch)) return {};
  return SharedFrame::Copy(FinishWebSocketFrame(WebSocketOpcode::kText, scratch));
}

SharedFrame SocketIoEventEncoder::Encode(const v1::Notification& notification,
                                         std::string& scratch) const {
  BeginWebSocketFrame(scratch);
  if (!notification.has_binary()) {
    scratch += prefix_;
    if (!dialect_.EncodeNotification(notification, notification.json(), scratch)) return {};
    return SharedFrame::Copy(FinishWebSocketFrame(WebSocketOpcode::kText, scratch));
  }
  scratch += binary_prefix_;
  if (!dialect_.EncodeNotification(notification, kAttachmentPlace, scratch)) return {};
  std::string both(FinishWebSocketFrame(WebSocketOpcode::kText, scratch));
  BeginWebSocketFrame(scratch);
  scratch += notification.binary();
  both += FinishWebSocketFrame(WebSocketOpcode::kBinary, scratch);
  return SharedFrame::Copy(both);
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
