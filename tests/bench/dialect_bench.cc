// Dialects: what a client says becomes a typed command, an event becomes its JSON.
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "edge/connection/event_encoder.h"
#include "edge/dialect/dialect_set.h"
#include "edge/protocol/engineio_codec.h"
#include "edge/protocol/json_text.h"
#include "edge/protocol/socketio_codec.h"
#include "tests/bench/edge_benches.h"
#include "tests/bench/edge_samples.h"

namespace confab::edge {

namespace {

using benchmark::DoNotOptimize;
using benchmark::State;
using tests::Require;

const DialectSet& Dialects() {
  static const absl::StatusOr<DialectSet> set = DialectSet::Load("");
  Require(set.ok(), "the built-in dialects cannot be read");
  return *set;
}

const Dialect& Default() { return *Dialects().Find("confab"); }

// The packet, parsed already: the dialect's part alone.
void TranslateSend(State& state) {
  const std::string text = SampleSend().substr(1);
  JsonParser parser;
  SocketIoPacket packet;
  Require(DecodeSocketIo(text, parser, packet).ok(), "the packet cannot be read");
  const boost::json::array& array = packet.json->get_array();
  const std::span<const boost::json::value> args(array.data() + 1, array.size() - 1);
  for (auto _ : state) {
    v1::Command command;
    DoNotOptimize(Default().Translate(packet.event, args, packet.payload, command).has_value());
    DoNotOptimize(command);
  }
}

// A client's bytes straight into the typed command.
void ReadSend(State& state) {
  const std::string text = SampleSend();
  JsonParser parser;
  SocketIoPacket packet;
  for (auto _ : state) {
    const auto message = DecodeEngineIo(text);
    const bool is_read = DecodeSocketIo(message->body, parser, packet).ok();
    const boost::json::array& array = packet.json->get_array();
    v1::Command command;
    const bool is_refused =
        Default()
            .Translate(packet.event, {array.data() + 1, array.size() - 1}, packet.payload, command)
            .has_value();
    Require(is_read && !is_refused, "the message was not understood");
    DoNotOptimize(command);
  }
}

void EncodeBroadcast(State& state, const Dialect& dialect) {
  const v1::RoomEvent told = SampleEvent();
  std::string out;
  Require(dialect.EncodeEvent(told.event(), told.actor_email(), out), "the event has no name");
  for (auto _ : state) {
    out.clear();
    dialect.EncodeEvent(told.event(), told.actor_email(), out);
    DoNotOptimize(out.data());
  }
}

void AppendText(std::string_view key, std::string_view value, std::string& out) {
  out.append(key);
  AppendJsonString(value, out);
}

// newMessage of the default dialect as a program would write it: the yardstick for the templates.
void EncodeByHand(const v1::Event& event, std::string& out) {
  const v1::MessagePosted& message = event.message_posted();
  out.append(R"(["newMessage",{)");
  AppendText(R"("roomId":)", event.room_id(), out);
  out.append(R"(,"seq":)");
  AppendJsonNumber(event.seq(), out);
  AppendText(R"(,"messageId":)", message.message_id(), out);
  AppendText(R"(,"senderId":)", event.actor().id(), out);
  AppendText(R"(,"sender":{"id":)", event.actor().id(), out);
  AppendText(R"(,"name":)", event.actor().name(), out);
  AppendText(R"(},"clientMsgId":)", message.client_msg_id(), out);
  AppendText(R"(,"type":)", message.type(), out);
  AppendText(R"(,"content":)", message.content(), out);
  out.append(R"(,"createdAt":)");
  AppendJsonTime(event.created_at().seconds(), event.created_at().nanos(), out);
  out.append("}]");
}

void EncodeBroadcastByHand(State& state) {
  const v1::RoomEvent told = SampleEvent();
  std::string out, by_template;
  EncodeByHand(told.event(), out);
  Default().EncodeEvent(told.event(), told.actor_email(), by_template);
  Require(out == by_template, "what is written by hand differs: " + out + " " + by_template);
  for (auto _ : state) {
    out.clear();
    EncodeByHand(told.event(), out);
    DoNotOptimize(out.data());
  }
}

// What goes to all readers of the dialect: a whole WebSocket frame with its place in the log.
void EncodeFrame(State& state, const EventEncoder& encoder) {
  const v1::RoomEvent told = SampleEvent();
  std::string scratch;
  for (auto _ : state) {
    DoNotOptimize(encoder.EncodeLogged(told.event(), told.actor_email(), scratch));
  }
}

void EncodeAck(State& state) {
  const v1::Command command = SampleCommand();
  const v1::Result result = SampleResult();
  std::string out;
  Require(Default().EncodeAck(command, result, out), "the ack has no form");
  for (auto _ : state) {
    out.clear();
    Default().EncodeAck(command, result, out);
    DoNotOptimize(out.data());
  }
}

}  // namespace

void AddDialectBenches(tests::BenchList& list) {
  list.Add({"dialect/translate_send", "message", 1, 500, TranslateSend});
  list.Add({"dialect/read_send", "message", 1, 500, ReadSend});
  for (std::size_t i = 0; i < Dialects().size(); ++i) {
    const Dialect& dialect = Dialects().at(i);
    const v1::RoomEvent told = SampleEvent();
    std::string out;  // A dialect may have no name for messages: `events` has none.
    if (!dialect.EncodeEvent(told.event(), told.actor_email(), out)) continue;
    list.Add({"dialect/broadcast/" + std::string(dialect.name()), "event", 1,
              &dialect == &Default() ? 500 : 0,
              [&dialect](State& state) { EncodeBroadcast(state, dialect); }});
  }
  list.Add({"dialect/broadcast_by_hand", "event", 1, 0, EncodeBroadcastByHand});
  list.Add({"dialect/frame", "event", 1, 500,
            [](State& state) { EncodeFrame(state, SocketIoEventEncoder(0, Default(), "/")); }});
  list.Add({"dialect/frame_native_json", "event", 1, 100,
            [](State& state) { EncodeFrame(state, NativeEventEncoder(0, NativeForm::kJson)); }});
  list.Add({"dialect/frame_native_binary", "event", 1, 500,
            [](State& state) { EncodeFrame(state, NativeEventEncoder(0, NativeForm::kBinary)); }});
  list.Add({"dialect/ack", "ack", 1, 500, EncodeAck});
}

}  // namespace confab::edge
