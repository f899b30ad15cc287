// Codecs: bytes to frames and back.
#include <cstddef>
#include <string>
#include <string_view>

#include "edge/protocol/engineio_codec.h"
#include "edge/protocol/json_text.h"
#include "edge/protocol/native_codec.h"
#include "edge/protocol/socketio_codec.h"
#include "edge/protocol/websocket_frame.h"
#include "edge/transport/shared_frame.h"
#include "tests/bench/edge_benches.h"
#include "tests/bench/edge_samples.h"

namespace confab::edge {

namespace {

using benchmark::DoNotOptimize;
using benchmark::State;
using tests::Require;

constexpr std::size_t kFrameBytes = 360;  // Of a message as it is delivered.

void DecodeEngine(State& state) {
  const std::string text = SampleSend();
  for (auto _ : state) DoNotOptimize(DecodeEngineIo(text));
}

void EncodeOpen(State& state) {
  const EngineIoOpen open{.sid = "0123456789abcdefghij", .offers_websocket = true};
  for (auto _ : state) DoNotOptimize(EncodeEngineIoOpen(open));
}

void DecodeEvent(State& state) {
  const std::string text = SampleSend().substr(1);
  JsonParser parser;
  SocketIoPacket packet;
  Require(DecodeSocketIo(text, parser, packet).ok() && packet.event == "sendMessage",
          "the packet cannot be read");
  for (auto _ : state) DoNotOptimize(DecodeSocketIo(text, parser, packet).ok());
}

void DecodeBinaryEvent(State& state) {
  const std::string text = R"(51-["upload",{"name":"a.png","data":{"_placeholder":true,"num":0}}])";
  JsonParser parser;
  SocketIoPacket packet;
  Require(DecodeSocketIo(text, parser, packet).ok() && packet.attachments == 1,
          "the packet cannot be read");
  for (auto _ : state) DoNotOptimize(DecodeSocketIo(text, parser, packet).ok());
}

void EncodeAckPrefix(State& state) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    AppendSocketIoAckPrefix("/", kSampleReply, out);
    DoNotOptimize(out.data());
  }
}

void EncodeErrorObject(State& state) {
  v1::Error error;
  error.set_reason(v1::REASON_NOT_A_MEMBER);
  error.set_message("you are not a member of this room");
  std::string out;
  for (auto _ : state) {
    out.clear();
    AppendErrorObject(error, out);
    DoNotOptimize(out.data());
  }
}

// Building a frame in place and sharing it.
void FrameOfWebSocket(State& state) {
  const std::string payload(kFrameBytes, 'x');
  std::string scratch;
  for (auto _ : state) {
    BeginWebSocketFrame(scratch);
    scratch += payload;
    DoNotOptimize(SharedFrame::Copy(FinishWebSocketFrame(WebSocketOpcode::kText, scratch)));
  }
}

void EscapeText(State& state) {
  const std::string text = std::string(100, 'x') + "\"quoted\"\n" + std::string(100, 'y');
  std::string out;
  for (auto _ : state) {
    out.clear();
    AppendJsonString(text, out);
    DoNotOptimize(out.data());
  }
}

void DecodeNative(State& state, NativeForm form, const std::string& bytes) {
  v1::ClientFrame frame;
  Require(DecodeClientFrame(form, bytes, frame).ok() && frame.has_post_message(),
          "the frame cannot be read");
  for (auto _ : state) DoNotOptimize(DecodeClientFrame(form, bytes, frame).ok());
}

void EncodeNative(State& state, NativeForm form) {
  v1::ServerFrame frame;
  *frame.mutable_event() = SampleEvent().event();
  std::string out;
  for (auto _ : state) {
    out.clear();
    AppendServerFrame(form, frame, out);
    DoNotOptimize(out.data());
  }
}

constexpr std::string_view kNativeSend =
    R"({"request":"17","postMessage":{"roomId":"room-1","clientMsgId":"c-1234567890","content":")";

}  // namespace

void AddProtocolBenches(tests::BenchList& list) {
  list.Add({"engineio/decode", "packet", 1, 2'000, DecodeEngine});
  list.Add({"engineio/encode_open", "packet", 1, 500, EncodeOpen});
  list.Add({"socketio/decode_event", "packet", 1, 500, DecodeEvent});
  list.Add({"socketio/decode_binary_event", "packet", 1, 500, DecodeBinaryEvent});
  list.Add({"socketio/encode_ack_prefix", "packet", 1, 2'000, EncodeAckPrefix});
  list.Add({"socketio/encode_error", "packet", 1, 1'000, EncodeErrorObject});
  list.Add({"websocket/frame", "frame", 1, 1'000, FrameOfWebSocket});
  list.Add({"json/escape_text", "text", 1, 1'000, EscapeText});
  list.Add({"native/decode_json", "frame", 1, 100, [](State& state) {
              DecodeNative(state, NativeForm::kJson,
                           std::string(kNativeSend) + std::string(200, 'x') + R"("}})");
            }});
  list.Add({"native/decode_binary", "frame", 1, 500, [](State& state) {
              DecodeNative(state, NativeForm::kBinary, SampleClientFrame().SerializeAsString());
            }});
  list.Add({"native/encode_json", "frame", 1, 100,
            [](State& state) { EncodeNative(state, NativeForm::kJson); }});
  list.Add({"native/encode_binary", "frame", 1, 500,
            [](State& state) { EncodeNative(state, NativeForm::kBinary); }});
}

}  // namespace confab::edge
