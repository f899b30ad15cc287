#include "tools/loadgen/chat_client.h"

#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "edge/protocol/engineio_codec.h"
#include "edge/protocol/socketio_codec.h"
#include "tools/loadgen/loop.h"

namespace confab::loadgen {
namespace {

using boost::system::error_code;
using tcp = boost::asio::ip::tcp;

constexpr size_t kReadBytes = 256 * 1024;  // A burst of a thousand messages in one call.
constexpr uint64_t kJoinAckId = 0;         // Messages have their number and 1.

}  // namespace

ClientHome::ClientHome(boost::asio::io_context& io_context, ClientEvents& client_events)
    : io(io_context), events(client_events), read_buffer(kReadBytes) {}

ChatClient::ChatClient(ClientHome& home, uint32_t member)
    : home_(home), member_(member), socket_(home.io) {}

void ChatClient::Open(Visit visit) {
  visit_ = std::move(visit);
  times_ = {.begun = NowNs()};
  stage_ = Stage::kConnecting;
  const uint32_t generation = ++generation_;
  error_code error;
  socket_.open(visit_.endpoint.protocol(), error);
  if (error) return EndWith(fmt::format("no socket: {}", error.message()));
  socket_.set_option(tcp::no_delay(true), error);
  socket_.set_option(boost::asio::socket_base::linger(true, 0), error);
  if (!visit_.source.is_unspecified()) socket_.bind(tcp::endpoint(visit_.source, 0), error);
  if (error) return EndWith(fmt::format("--source: {}", error.message()));
  socket_.async_connect(visit_.endpoint, [this, generation](const error_code& failure) {
    if (generation != generation_) return;
    if (failure) return EndWith(failure.message());
    OnConnected();
  });
}

void ChatClient::Close() {
  ++generation_;
  stage_ = Stage::kClosed;
  awaits_write_ = false;
  error_code ignored;
  socket_.close(ignored);
  upgrade_.reset();
  in_ = std::string();
  fragments_ = std::string();
  out_ = std::string();
  farewell_.clear();
}

void ChatClient::End(Ending ending) {
  if (stage_ == Stage::kClosed) return;
  if (!farewell_.empty()) {
    ending.what = farewell_;
    if (ending.reason.empty()) ending.reason = ReasonIn(farewell_);
  }
  Close();
  home_.events.OnEnded(*this, ending);
}

void ChatClient::OnConnected() {
  times_.connected = NowNs();
  stage_ = Stage::kUpgrading;
  error_code ignored;
  socket_.non_blocking(true, ignored);
  upgrade_ = std::make_unique<HttpAnswerReader>();
  AppendUpgradeRequest(visit_.host_header, visit_.socket_path, out_);
  Flush();
  if (stage_ != Stage::kClosed) AwaitRead();
}

void ChatClient::AwaitRead() {
  socket_.async_wait(tcp::socket::wait_read,
                     [this, generation = generation_](const error_code& error) {
                       if (generation != generation_) return;
                       if (error) return EndWith(error.message());
                       OnReadable();
                     });
}

void ChatClient::OnReadable() {
  error_code error;
  const size_t size = socket_.read_some(boost::asio::buffer(home_.read_buffer), error);
  if (error == boost::asio::error::would_block) return AwaitRead();
  if (error) {
    return EndWith(error == boost::asio::error::eof ? "the server ended the stream"
                                                    : error.message());
  }
  const uint32_t generation = generation_;
  std::string_view bytes(home_.read_buffer.data(), size);
  if (stage_ != Stage::kUpgrading || ReadUpgrade(bytes)) ReadFrames(bytes);
  if (generation != generation_) return;
  Flush();
  if (generation == generation_) AwaitRead();
}

// True: what is left are frames.
bool ChatClient::ReadUpgrade(std::string_view& bytes) {
  if (!upgrade_->Read(bytes)) {
    EndWith("what answers there speaks no HTTP");
    return false;
  }
  if (!upgrade_->is_whole()) return false;
  const HttpAnswer answer = upgrade_->Take();
  upgrade_.reset();
  if (answer.status == 101) {
    times_.upgraded = NowNs();
    stage_ = Stage::kOpening;
    return true;
  }
  HttpRefusal refusal = RefusalOf(answer);
  End({.stage = stage_,
       .status = answer.status,
       .reason = std::move(refusal.reason),
       .what =
           fmt::format("the upgrade was answered with {} {}", answer.status,
                       refusal.message.empty() ? answer.body.substr(0, 200) : refusal.message)});
  return false;
}

void ChatClient::ReadFrames(std::string_view bytes) {
  const uint32_t generation = generation_;
  std::string held;
  if (!in_.empty()) {
    held = std::move(in_);
    held.append(bytes);
    in_.clear();
    bytes = held;
  }
  ServerFrame frame;
  FrameCut cut = FrameCut::kIncomplete;
  while ((cut = CutServerFrame(bytes, frame)) == FrameCut::kWhole) {
    OnFrame(frame);
    if (generation != generation_) return;
  }
  if (cut == FrameCut::kBroken) return EndWith("what answers there speaks no WebSocket");
  in_.assign(bytes);
}

void ChatClient::OnFrame(const ServerFrame& frame) {
  switch (frame.kind) {
    case FrameKind::kPing:
      return AppendFrame(FrameKind::kPong, frame.payload);
    case FrameKind::kClose:
      return EndWith(CloseText(frame.payload), CloseReasonIn(frame.payload));
    case FrameKind::kText:
      if (frame.is_final) return OnText(frame.payload);
      fragments_.assign(frame.payload);
      return;
    case FrameKind::kContinuation: {
      fragments_.append(frame.payload);
      if (!frame.is_final) return;
      const std::string whole = std::exchange(fragments_, std::string());
      return OnText(whole);
    }
    case FrameKind::kBinary:
    case FrameKind::kPong:
      return;
  }
}

void ChatClient::OnText(std::string_view text) {
  const auto packet = edge::DecodeEngineIo(text);
  if (!packet.ok()) return EndWith("what answers there speaks no Engine.IO");
  switch (packet->type) {
    case edge::EngineIoType::kOpen:
      return SendConnect();
    case edge::EngineIoType::kPing:
      return AppendText(edge::kEngineIoPong);
    case edge::EngineIoType::kClose:
      return EndWith("the server closed the session");
    case edge::EngineIoType::kMessage:
      return OnPacket(packet->body);
    case edge::EngineIoType::kPong:
    case edge::EngineIoType::kUpgrade:
    case edge::EngineIoType::kNoop:
      return;
  }
}

void ChatClient::OnPacket(std::string_view body) {
  if (body.empty()) return;
  const std::string_view rest = body.substr(1);
  switch (static_cast<edge::SocketIoType>(body.front())) {
    case edge::SocketIoType::kConnect:
      if (stage_ == Stage::kAdmitting) SendJoin();
      return;
    case edge::SocketIoType::kConnectError:
      return OnConnectError(rest);
    case edge::SocketIoType::kDisconnect:
      return EndWith("the server sent DISCONNECT");
    case edge::SocketIoType::kEvent:
      return OnEventPacket(rest);
    case edge::SocketIoType::kAck:
      return OnAck(body);
    case edge::SocketIoType::kBinaryEvent:
    case edge::SocketIoType::kBinaryAck:
      return;
  }
}

void ChatClient::OnConnectError(std::string_view json) {
  const auto parsed = home_.json.Parse(json);
  Ending ending{.stage = stage_, .status = 0, .reason = {}, .what = "the token was refused"};
  if (parsed.ok()) ReadConnectError(**parsed, ending.reason, ending.what);
  End(std::move(ending));
}

void ChatClient::OnEventPacket(std::string_view arguments) {
  RoomEvent event;
  if (!ReadRoomEvent(arguments, event)) return EndWith("what answers there speaks no Socket.IO");
  if (event.name == "server:closing") farewell_ = fmt::format("the server closes: {}", arguments);
  if (stage_ == Stage::kReady) home_.events.OnEvent(*this, event, NowNs());
}

void ChatClient::OnAck(std::string_view body) {
  edge::SocketIoPacket packet;
  if (!edge::DecodeSocketIo(body, home_.json, packet).ok() || !packet.ack_id) {
    return EndWith("an acknowledgement that cannot be read");
  }
  const Answer answer = ReadAnswer(packet.json);
  if (*packet.ack_id != kJoinAckId) {
    if (is_ready()) home_.events.OnAnswer(*this, *packet.ack_id - 1, answer, NowNs());
    return;
  }
  if (stage_ != Stage::kJoining) return;
  if (!answer.is_ok) {
    return EndWith(fmt::format("joinRoom was refused: {} {}", answer.reason, answer.message),
                   answer.reason);
  }
  times_.joined = NowNs();
  stage_ = Stage::kReady;
  home_.events.OnReady(*this, answer.last_seq);
}

void ChatClient::SendConnect() {
  if (stage_ != Stage::kOpening) return;
  stage_ = Stage::kAdmitting;
  home_.scratch.clear();
  AppendConnectPacket(visit_.token, home_.scratch);
  AppendText(home_.scratch);
  visit_.token = std::string();  // Thousands of them would be much of what a client takes.
}

void ChatClient::SendJoin() {
  times_.admitted = NowNs();
  stage_ = Stage::kJoining;
  home_.scratch.clear();
  AppendJoinPacket(visit_.room, kJoinAckId, home_.scratch);
  AppendText(home_.scratch);
}

void ChatClient::Send(uint64_t number, std::string_view key, std::string_view content) {
  home_.scratch.clear();
  AppendMessagePacket({.room = visit_.room, .key = key, .content = content}, number + 1,
                      home_.scratch);
  AppendText(home_.scratch);
}

void ChatClient::AppendFrame(FrameKind kind, std::string_view payload) {
  home_.mask = home_.mask * 1'664'525 + 1'013'904'223;
  AppendClientFrame(kind, payload, home_.mask, out_);
}

void ChatClient::Flush() {
  if (awaits_write_ || out_.empty()) return;
  error_code error;
  size_t written = 0;
  while (written < out_.size() && !error) {
    written += socket_.write_some(boost::asio::buffer(out_.data() + written, out_.size() - written),
                                  error);
  }
  out_.erase(0, written);
  if (error && error != boost::asio::error::would_block) return EndWith(error.message());
  if (out_.empty()) {
    if (!is_ready()) out_.shrink_to_fit();
    return;
  }
  awaits_write_ = true;
  socket_.async_wait(tcp::socket::wait_write,
                     [this, generation = generation_](const error_code& failure) {
                       if (generation != generation_) return;
                       awaits_write_ = false;
                       if (failure) return EndWith(failure.message());
                       Flush();
                     });
}

}  // namespace confab::loadgen
