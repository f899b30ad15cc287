#include "edge/connection/native_session.h"

#include <utility>

#include "edge/protocol/websocket_frame.h"
#include "proto/reason.h"

namespace confab::edge {

namespace {

// Moves what is asked; the frame types are those of Command. False: no command of ours.
bool MoveCommand(v1::ClientFrame& frame, v1::Command& command) {
  switch (frame.frame_case()) {
    case v1::ClientFrame::kJoinRoom:
      command.mutable_join_room()->Swap(frame.mutable_join_room());
      return true;
    case v1::ClientFrame::kLeaveRoom:
      command.mutable_leave_room()->Swap(frame.mutable_leave_room());
      return true;
    case v1::ClientFrame::kPostMessage:
      command.mutable_post_message()->Swap(frame.mutable_post_message());
      return true;
    case v1::ClientFrame::kGetHistory:
      command.mutable_get_history()->Swap(frame.mutable_get_history());
      return true;
    case v1::ClientFrame::kHeartbeat:
      command.mutable_heartbeat();
      return true;
    case v1::ClientFrame::kSetTyping:
      command.mutable_set_typing()->Swap(frame.mutable_set_typing());
      return true;
    case v1::ClientFrame::kRefreshToken:
      command.mutable_refresh_token()->Swap(frame.mutable_refresh_token());
      return true;
    case v1::ClientFrame::kEditMessage:
      command.mutable_edit_message()->Swap(frame.mutable_edit_message());
      return true;
    case v1::ClientFrame::kDeleteMessage:
      command.mutable_delete_message()->Swap(frame.mutable_delete_message());
      return true;
    case v1::ClientFrame::kMarkRead:
      command.mutable_mark_read()->Swap(frame.mutable_mark_read());
      return true;
    case v1::ClientFrame::kSetStatus:
      command.mutable_set_status()->Swap(frame.mutable_set_status());
      return true;
    case v1::ClientFrame::kGetPresence:
      command.mutable_get_presence()->Swap(frame.mutable_get_presence());
      return true;
    case v1::ClientFrame::kAckInbox:
      command.mutable_ack_inbox()->Swap(frame.mutable_ack_inbox());
      return true;
    case v1::ClientFrame::kResume:
      command.mutable_resume()->Swap(frame.mutable_resume());
      return true;
    case v1::ClientFrame::kConnect:
    case v1::ClientFrame::FRAME_NOT_SET:
      return false;
  }
  return false;
}

void CopyResult(const v1::Result& result, v1::Reply& reply) {
  switch (result.result_case()) {
    case v1::Result::kError:
      *reply.mutable_error() = result.error();
      return;
    case v1::Result::kJoinRoom:
      *reply.mutable_join_room() = result.join_room();
      return;
    case v1::Result::kLeaveRoom:
      *reply.mutable_leave_room() = result.leave_room();
      return;
    case v1::Result::kPostMessage:
      *reply.mutable_post_message() = result.post_message();
      return;
    case v1::Result::kHistory:
      *reply.mutable_history() = result.history();
      return;
    case v1::Result::kHeartbeat:
      reply.mutable_heartbeat();
      return;
    case v1::Result::kSetTyping:
      reply.mutable_set_typing();
      return;
    case v1::Result::kRefreshToken:
      *reply.mutable_refresh_token() = result.refresh_token();
      return;
    case v1::Result::kEditMessage:
      *reply.mutable_edit_message() = result.edit_message();
      return;
    case v1::Result::kDeleteMessage:
      *reply.mutable_delete_message() = result.delete_message();
      return;
    case v1::Result::kMarkRead:
      *reply.mutable_mark_read() = result.mark_read();
      return;
    case v1::Result::kSetStatus:
      reply.mutable_set_status();
      return;
    case v1::Result::kPresence:
      *reply.mutable_presence() = result.presence();
      return;
    case v1::Result::kAckInbox:
      *reply.mutable_ack_inbox() = result.ack_inbox();
      return;
    case v1::Result::kResume:
      *reply.mutable_resume() = result.resume();
      return;
    case v1::Result::kRoom:  // Only HTTP asks for these.
    case v1::Result::kRooms:
    case v1::Result::kMembers:
    case v1::Result::kBecomeMember:
    case v1::Result::kQuitRoom:
    case v1::Result::kChangeMember:
    case v1::Result::kInboxPage:
    case v1::Result::kNotify:
    case v1::Result::RESULT_NOT_SET:
      return;
  }
}

// What a Closing says beside its code.
v1::Reason ReasonOf(CloseReason reason) {
  switch (reason) {
    case CloseReason::kTokenExpired:
      return v1::REASON_TOKEN_EXPIRED;
    case CloseReason::kHandshakeTimeout:
      return v1::REASON_TOKEN_MISSING;
    case CloseReason::kTokenInvalid:
      return v1::REASON_TOKEN_INVALID;
    case CloseReason::kRateLimited:
      return v1::REASON_RATE_LIMITED;
    case CloseReason::kReplaced:
      return v1::REASON_LIMIT_REACHED;
    case CloseReason::kForbidden:
      return v1::REASON_FORBIDDEN;
    case CloseReason::kBadPacket:
    case CloseReason::kInvalidUtf8:
    case CloseReason::kMessageTooBig:
      return v1::REASON_BAD_REQUEST;
    case CloseReason::kInternal:
      return v1::REASON_INTERNAL;
    case CloseReason::kNormal:
    case CloseReason::kServerStopping:
    case CloseReason::kPingTimeout:
    case CloseReason::kControlUnavailable:
    case CloseReason::kSlowReader:
    case CloseReason::kDraining:
      break;
  }
  return v1::REASON_UNAVAILABLE;
}

v1::Error ErrorOf(CloseReason reason) {
  const CloseTraits& traits = TraitsOf(reason);
  v1::Error error = MakeError(ReasonOf(reason), std::string(traits.text), traits.retry_after_ms);
  error.set_retryable(traits.may_return);
  return error;
}

NativeForm FormOf(const OpenRequest& request) {
  return request.protocol == OpenRequest::Protocol::kNativeJson ? NativeForm::kJson
                                                                : NativeForm::kBinary;
}

std::optional<std::uint64_t> ReplyIdOf(const v1::ClientFrame& frame) {
  if (frame.request() == 0) return std::nullopt;
  return frame.request();
}

}  // namespace

NativeSession::NativeSession(SessionHome& home, OpenRequest request, Transport& transport)
    : home_(home),
      transport_(transport),
      address_(std::move(request.address)),
      connection_(home.host, *this, transport, home.encoders.Native(FormOf(request))),
      heartbeat_(*this, home.wheel, home.heartbeat, request.accepted_at),
      upgrade_token_(std::move(request.token)),
      form_(FormOf(request)) {}

void NativeSession::Send(const v1::ServerFrame& frame) {
  BeginWebSocketFrame(home_.scratch);
  AppendServerFrame(form_, frame, home_.scratch);
  transport_.SendBytes(FinishWebSocketFrame(form_ == NativeForm::kJson ? WebSocketOpcode::kText
                                                                       : WebSocketOpcode::kBinary,
                                            home_.scratch),
                       DeliveryClass::kControl);
}

void NativeSession::OnOpen() {
  if (upgrade_token_.empty()) return;  // Connect will bring one.
  const std::string token = std::exchange(upgrade_token_, std::string());
  Authenticate(token);
}

void NativeSession::Authenticate(std::string_view token) {
  heartbeat_.OnAuthenticated();
  if (std::optional<v1::Error> refusal = connection_.Authenticate(token)) {
    const CloseReason reason = refusal->reason() == v1::REASON_RATE_LIMITED
                                   ? CloseReason::kRateLimited
                                   : CloseReason::kTokenInvalid;
    Close(reason, std::move(*refusal));
  }
}

void NativeSession::OnMessage(bool is_binary, std::string_view message) {
  if (is_binary != (form_ == NativeForm::kBinary)) return Shut(CloseReason::kBadPacket);
  v1::ClientFrame frame;
  v1::Command command;
  const absl::Status status = DecodeClientFrame(form_, message, frame);
  if (!status.ok()) {
    return connection_.RefuseFrame(
        command, frame.request(),
        MakeError(v1::REASON_BAD_REQUEST,
                  std::string(status.message().data(), status.message().size())));
  }
  if (frame.has_connect()) {
    if (connection_.is_authenticated()) return Shut(CloseReason::kBadPacket);
    if (is_draining_) return Shut(CloseReason::kDraining);
    if (frame.connect().has_resume()) {
      connection_.ResumeOnConnect(std::move(*frame.mutable_connect()->mutable_resume()), 0);
    }
    return Authenticate(frame.connect().token());
  }
  if (!connection_.is_authenticated()) {
    return Close(CloseReason::kTokenInvalid,
                 MakeError(v1::REASON_TOKEN_MISSING, "the first frame has to be connect"));
  }
  if (!MoveCommand(frame, command)) {
    return connection_.RefuseFrame(command, frame.request(),
                                   MakeError(v1::REASON_UNKNOWN_COMMAND, "no such command"));
  }
  if (!connection_.is_admitted()) {
    return connection_.RefuseFrame(command, ReplyIdOf(frame),
                                   MakeError(v1::REASON_UNAVAILABLE, "wait for connected", 200));
  }
  connection_.Ask(std::move(command), ReplyIdOf(frame));
}

void NativeSession::SayConnected(std::string_view connection_id, const v1::User& user) {
  heartbeat_.OnAdmitted();
  v1::ServerFrame frame;
  frame.mutable_connected()->set_connection_id(std::string(connection_id));
  *frame.mutable_connected()->mutable_user() = user;
  Send(frame);
}

void NativeSession::SayResult(const v1::Command&, std::optional<std::uint64_t> reply_id,
                              const v1::Result& result) {
  if (!reply_id && !result.has_error()) return;
  v1::ServerFrame frame;
  frame.mutable_reply()->set_request(reply_id.value_or(0));
  CopyResult(result, *frame.mutable_reply());
  Send(frame);
}

void NativeSession::SayRefusal(const v1::Command&, std::optional<std::uint64_t> reply_id,
                               const v1::Error& error) {
  v1::ServerFrame frame;
  frame.mutable_reply()->set_request(reply_id.value_or(0));
  *frame.mutable_reply()->mutable_error() = error;
  Send(frame);
}

void NativeSession::SayTokenExpiring(const v1::TokenExpiring& expiring) {
  v1::ServerFrame frame;
  *frame.mutable_token_expiring() = expiring;
  Send(frame);
}

void NativeSession::Shut(CloseReason reason) { Close(reason, ErrorOf(reason)); }

void NativeSession::Close(CloseReason reason, v1::Error error) {
  SayClosing(reason, std::move(error));
  heartbeat_.Stop();
  transport_.Close(reason);
}

void NativeSession::BeginDrain(absl::Duration delay) {
  is_draining_ = true;
  heartbeat_.EndIn(delay);
  if (!connection_.is_admitted()) return;
  v1::Error error = ErrorOf(CloseReason::kDraining);
  error.set_retry_after_ms(static_cast<std::uint32_t>(absl::ToInt64Milliseconds(delay)));
  SayClosing(CloseReason::kDraining, std::move(error));
}

bool NativeSession::SayResync(std::string_view room) {
  v1::ServerFrame frame;
  frame.mutable_resync()->set_room_id(std::string(room));
  Send(frame);
  return true;
}

void NativeSession::SayClosing(CloseReason reason, v1::Error error) {
  v1::ServerFrame frame;
  frame.mutable_closing()->set_code(TraitsOf(reason).code);
  *frame.mutable_closing()->mutable_error() = std::move(error);
  Send(frame);
}

void NativeSession::SendPing() {
  BeginWebSocketFrame(home_.scratch);
  transport_.SendBytes(FinishWebSocketFrame(WebSocketOpcode::kPing, home_.scratch),
                       DeliveryClass::kControl);
}

}  // namespace confab::edge
