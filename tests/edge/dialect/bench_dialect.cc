// Measures what a dialect costs: nanoseconds to encode one message event and to read one command,
// for every built-in dialect; and, as the yardstick, the same event of the default one written by
// hand. Built with the tests, run by hand: bench_dialect [rounds]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <span>
#include <string>

#include "edge/dialect/dialect_set.h"
#include "edge/protocol/json_text.h"

namespace confab::edge {
namespace {

v1::Event Message() {
  v1::Event event;
  event.set_room_id("room-1");
  event.set_seq(123'456);
  event.mutable_created_at()->set_seconds(1'795'244'645);
  event.mutable_actor()->set_id("0199f3c1-aaaa-7bbb-8ccc-000000000001");
  event.mutable_actor()->set_name("Ann Example");
  v1::MessagePosted& message = *event.mutable_message_posted();
  message.set_message_id("0199f3c1-aaaa-7bbb-8ccc-dddddddddddd");
  message.set_client_msg_id("c-1234567890");
  message.set_type("text");
  message.set_content(std::string(200, 'x'));
  return event;
}

void AppendText(std::string_view key, std::string_view value, std::string& out) {
  out.append(key);
  AppendJsonString(value, out);
}

// newMessage of the default dialect, as it was written before dialects were data.
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
  out.append(R"(},"clientMsgId":)");
  if (message.client_msg_id().empty()) {
    out.append("null");
  } else {
    AppendJsonString(message.client_msg_id(), out);
  }
  AppendText(R"(,"type":)", message.type(), out);
  AppendText(R"(,"content":)", message.content(), out);
  if (!message.reply_to().empty()) AppendText(R"(,"replyTo":)", message.reply_to(), out);
  out.append(R"(,"createdAt":)");
  AppendJsonTime(event.created_at().seconds(), event.created_at().nanos(), out);
  out.append("}]");
}

// The best of five runs, in nanoseconds a round.
double Measure(int rounds, const std::function<void()>& once) {
  double best = 1e12;
  for (int run = 0; run < 5; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < rounds; ++i) once();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    best = std::min(best, took.count() / rounds);
  }
  return best;
}

int Main(int rounds) {
  const absl::StatusOr<DialectSet> set = DialectSet::Load("");
  if (!set.ok()) return 1;
  const v1::Event event = Message();
  std::string by_hand;
  EncodeByHand(event, by_hand);
  std::string out;
  set->Find("confab")->EncodeEvent(event, "", out);
  if (out != by_hand) return std::fprintf(stderr, "they differ:\n%s\n", out.c_str()), 1;

  const auto encode = [&](const auto& append) {
    return Measure(rounds, [&] {
      out.clear();
      append();
    });
  };
  std::printf("%-14s %8.1f ns an event\n", "by hand", encode([&] { EncodeByHand(event, out); }));
  for (std::size_t i = 0; i < set->size(); ++i) {
    const Dialect& dialect = set->at(i);
    std::printf("%-14.*s %8.1f ns an event\n", static_cast<int>(dialect.name().size()),
                dialect.name().data(),
                encode([&] { dialect.EncodeEvent(event, "ann@example.org", out); }));
  }
  JsonParser parser;
  const auto args =
      parser.Parse(R"([{"roomId":"room-1","content":"hello there","clientMsgId":"c"}])");
  const boost::json::array& array = (*args)->as_array();
  const double read = Measure(rounds, [&] {
    v1::Command command;
    set->Find("confab")->Translate("sendMessage", {array.data(), array.size()}, "", command);
  });
  std::printf("%-14s %8.1f ns a sendMessage read\n", "confab", read);
  return 0;
}

}  // namespace
}  // namespace confab::edge

int main(int argc, char** argv) {
  return confab::edge::Main(argc > 1 ? std::atoi(argv[1]) : 200'000);
}
