#include "edge/dialect/dialect_loader.h"

#include <fstream>
#include <random>
#include <sstream>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "edge/dialect/builtin_dialects.h"
#include "proto/reason.h"

namespace confab::edge {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// The smallest dialect, with `more` in its second line.
std::string With(const std::string& more) {
  return "{\"dialect\": \"x\", \"refusals\": {\"default\": {}}" +
         (more.empty() ? "" : ",\n" + more) + "}";
}

std::string FaultOf(const std::string& text) {
  return std::string(ParseDialect("x.json", text).status().message());
}

TEST(DialectLoader, LoadsTheSmallestDialect) {
  const auto dialect = ParseDialect("x.json", With(""));

  ASSERT_TRUE(dialect.ok()) << dialect.status();
  EXPECT_EQ((*dialect)->name(), "x");
  v1::Command command;
  EXPECT_TRUE((*dialect)->Translate("joinRoom", {}, "", command));
  std::string out;
  v1::Result result;
  result.mutable_join_room();
  EXPECT_TRUE((*dialect)->EncodeAck(command, result, out));
  EXPECT_EQ(out, "[]");
  EXPECT_FALSE((*dialect)->EncodeConfirmation(command, result, out));
}

TEST(DialectLoader, NamesFileLineAndReason) {
  EXPECT_EQ(FaultOf("{}"),
            "x.json:1: \"dialect\", its name, is missing\n"
            "x.json:1: \"refusals\" needs a \"default\": what an ack of a refused event holds");
  EXPECT_EQ(FaultOf("[]"), "x.json:1: a dialect is an object");
  EXPECT_EQ(FaultOf("{\n\n\"dialect\" 1}"), "x.json:3: not JSON: syntax error");
  EXPECT_EQ(FaultOf(With("\"recieves\": {}")).substr(0, 33), "x.json:2: \"recieves\" is unknown; ");
  EXPECT_EQ(FaultOf(With("\"receives\": []")), "x.json:2: \"receives\" must be an object");
  EXPECT_EQ(FaultOf("{\"dialect\": \"X y\", \"refusals\": {\"default\": {}}}"),
            "x.json:1: a dialect's name is made of a to z, 0 to 9 and -");
  EXPECT_EQ(
      FaultOf("{\"dialect\": \"" + std::string(65, 'x') + "\", \"refusals\": {\"default\": {}}}"),
      "x.json:1: \"dialect\" has 1 to 64 bytes");
}

TEST(DialectLoader, FindsEveryFaultOfAFile) {
  EXPECT_THAT(
      FaultOf(With("\"receives\": {\n\"a\": {\"command\": \"fly\"},\n\"b\": {}}")),
      AllOf(StartsWith("x.json:3: no command is named \"fly\"; there is: joinRoom, leaveRoom, "),
            EndsWith("\nx.json:4: \"command\" is missing")));
}

TEST(DialectLoader, GivesClientsNoCommandOfTheStreamItself) {
  for (const std::string name : {"replayPage", "publish", "createRoom", "connect", "request"}) {
    EXPECT_THAT(FaultOf(With(R"("receives": {"a": {"command": ")" + name + R"("}})")),
                HasSubstr("x.json:2: no command is named \"" + name + "\""));
  }
}

TEST(DialectLoader, ChecksFields) {
  const auto fault = [](const std::string& fields) {
    return FaultOf(With(R"("receives": {"a": {"command": "joinRoom", "fields": )" + fields + "}}"));
  };
  EXPECT_EQ(fault(R"({"roomId": {"from": "r", "type": "id"}})"), "");
  EXPECT_EQ(fault(R"({"room": {"from": "r"}})"),
            "x.json:2: JoinRoom has no field \"room\" that an event can fill; there is: roomId, "
            "afterSeq");
  EXPECT_EQ(fault(R"({"roomId": "r"})"), "x.json:2: a field is an object");
  EXPECT_EQ(fault(R"({"roomId": {}})"), "x.json:2: \"roomId\" has either \"from\" or \"value\"");
  EXPECT_EQ(fault(R"({"roomId": {"from": "r", "value": "v"}})"),
            "x.json:2: \"roomId\" has either \"from\" or \"value\"");
  EXPECT_EQ(fault(R"({"roomId": {"from": "r", "type": "integer"}})"),
            "x.json:2: \"roomId\" takes text or id");
  EXPECT_EQ(fault(R"({"afterSeq": {"from": "r", "type": "id"}})"),
            "x.json:2: \"afterSeq\" takes integer");
  EXPECT_EQ(fault(R"({"afterSeq": {"from": "r", "default": "1"}})"),
            "x.json:2: \"afterSeq\" takes integer");
  EXPECT_EQ(fault(R"({"afterSeq": {"from": "r", "default": -1}})"),
            "x.json:2: \"afterSeq\" takes integer");
  EXPECT_EQ(fault(R"({"roomId": {"from": "r", "required": true, "default": "d"}})"),
            "x.json:2: \"default\" is for what is neither required nor fixed");
  EXPECT_EQ(fault(R"({"roomId": {"from": "r", "required": 1}})"),
            "x.json:2: \"required\" must be true or false");
  EXPECT_EQ(fault(R"({"roomId": {"from": ")" + std::string(65, 'r') + R"("}})"),
            "x.json:2: \"from\" has 1 to 64 bytes");
}

TEST(DialectLoader, ChecksNamesOfEvents) {
  EXPECT_EQ(FaultOf(With(R"("receives": {"disconnecting": {"command": "heartbeat"}})")),
            "x.json:2: \"disconnecting\" is reserved by Socket.IO");
  EXPECT_EQ(FaultOf(With(R"("error": {"name": "connect_error"})")),
            "x.json:2: \"connect_error\" is reserved by Socket.IO");
  EXPECT_EQ(FaultOf(With(R"("error": {"name": "$reason"})")),
            "x.json:2: an event's name is no slot");
  EXPECT_EQ(FaultOf(With(R"("receives": {"": {"command": "heartbeat"}})")),
            "x.json:2: an event's name has 1 to 64 bytes");
  EXPECT_EQ(FaultOf(With(R"("receives": {")" + std::string(65, 'n') + R"(": {"refused": "no"}})")),
            "x.json:2: an event's name has 1 to 64 bytes");
  EXPECT_EQ(FaultOf(With(R"("error": {})")), "x.json:2: \"name\" is missing");
}

TEST(DialectLoader, ChecksWhatIsTold) {
  EXPECT_THAT(FaultOf(With(R"("events": {"messageBurnt": {"name": "e", "payload": {}}})")),
              HasSubstr("x.json:2: no event of a room is named \"messageBurnt\"; there is: "
                        "messagePosted, "));
  EXPECT_EQ(FaultOf(With(R"("events": {"messagePosted": {"name": "m"}})")),
            "x.json:2: an event of a room needs a \"payload\", an object");
  EXPECT_THAT(
      FaultOf(With("\"acks\": {\"joinRoom\": {\n\"x\": \"$content\"}}")),
      HasSubstr("x.json:3: \"$content\" names nothing here; there is: roomId, role, lastSeq, "
                "command.roomId, command.afterSeq"));
  EXPECT_THAT(FaultOf(With(R"("signals": {"presence": {"name": "p"}})")),
              HasSubstr("no signal is named \"presence\""));
  EXPECT_EQ(FaultOf(With(R"("error": {"name": "error", "always": "yes"})")),
            "x.json:2: \"always\" must be true or false");
  EXPECT_THAT(FaultOf(With(R"("confirmations": {"fly": {"name": "f"}})")),
              HasSubstr("no command is named \"fly\""));
}

TEST(DialectLoader, AsksForAcksOfTheInboxWhereAFileSaysSo) {
  const std::string name = R"("name": "$event", "payload": "$payload")";
  const auto asks = [&](const std::string& more) {
    const auto dialect = ParseDialect("x.json", With("\"notification\": {" + name + more + "}"));
    EXPECT_TRUE(dialect.ok()) << dialect.status();
    return dialect.ok() && (*dialect)->asks_inbox_acks();
  };
  EXPECT_FALSE(asks(""));
  EXPECT_FALSE(asks(R"(, "ack": false)"));
  EXPECT_TRUE(asks(R"(, "ack": true)"));

  const auto dialect =
      ParseDialect("x.json", With("\"notification\": {" + name + R"(, "ack": true})"));
  ASSERT_TRUE(dialect.ok()) << dialect.status();
  EXPECT_FALSE((*dialect)->can_ack_inbox());
  EXPECT_THAT((*dialect)->description(),
              testing::Contains("asks for an ack of: each notification of the inbox"));
}

TEST(DialectLoader, SaysWhatIsWrongWithAnAckOfTheInbox) {
  EXPECT_EQ(FaultOf(With("\"notification\": {\"name\": \"n\",\n\"ack\": 1}")),
            "x.json:3: \"ack\" must be true or false");
  EXPECT_THAT(FaultOf(With("\"connected\": {\"name\": \"c\",\n\"ack\": true}")),
              StartsWith("x.json:3: \"ack\" is unknown; "));
  EXPECT_EQ(FaultOf(With("\"receives\": {\"read\": {\"command\": \"ackInbox\"}},\n"
                         "\"notification\": {\"name\": \"n\",\n\"ack\": true}")),
            "x.json:4: \"ack\" and an event for ackInbox say the same in two ways: have one of "
            "them");
  EXPECT_EQ(FaultOf(With("\"notification\": {\"ack\": true}")), "x.json:2: \"name\" is missing");
}

TEST(DialectLoader, ChecksConnecting) {
  const auto fault = [](const std::string& connect) {
    return FaultOf(With("\"connect\": " + connect));
  };
  EXPECT_EQ(fault(R"({"topics": ["user", "role"], "autoSubscribe": "g_*", "heartbeat": true})"),
            "");
  EXPECT_EQ(fault(R"({"topics": ["room"]})"), "x.json:2: a topic is \"user\" or \"role\"");
  EXPECT_EQ(fault(R"({"topics": "user"})"), "x.json:2: \"topics\" must be an array");
  EXPECT_THAT(fault(R"({"autoSubscribe": "*_g"})"), HasSubstr("a * at the end"));
  EXPECT_THAT(fault(R"({"autoSubscribe": ""})"), HasSubstr("1 to 128 bytes"));
  EXPECT_THAT(fault(R"({"autoSubscribe": ")" + std::string(129, 'g') + "\"}"),
              HasSubstr("1 to 128 bytes"));
}

TEST(DialectLoader, FillsConstantsAndDefaults) {
  const auto dialect = ParseDialect("x.json", With(R"("receives": {
      "say": {"command": "postMessage", "fields": {
        "roomId": {"value": "lobby"}, "content": {"from": "text", "required": true},
        "type": {"from": "kind", "default": "note"}}},
      "page": {"command": "getHistory", "fields": {
        "roomId": {"value": "lobby"}, "limit": {"from": "n", "default": 20}}},
      "type": {"command": "setTyping", "fields": {"isTyping": {"value": true}}},
      "fly": {"refused": "nobody flies here"}})"));
  ASSERT_TRUE(dialect.ok()) << dialect.status();
  const std::vector<boost::json::value> args = {boost::json::parse(R"({"text":"hi","kind":null})")};
  v1::Command command;

  ASSERT_FALSE((*dialect)->Translate("say", args, "", command));
  EXPECT_EQ(command.post_message().room_id(), "lobby");
  EXPECT_EQ(command.post_message().content(), "hi");
  EXPECT_EQ(command.post_message().type(), "note");
  ASSERT_FALSE((*dialect)->Translate("page", args, "", command));
  EXPECT_EQ(command.get_history().limit(), 20u);
  ASSERT_FALSE((*dialect)->Translate("type", {}, "", command));  // Reads nothing of an argument.
  EXPECT_TRUE(command.set_typing().is_typing());
  const auto refusal = (*dialect)->Translate("fly", args, "", command);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason(), v1::REASON_UNKNOWN_COMMAND);
  EXPECT_EQ(refusal->message(), "fly: nobody flies here");
}

TEST(DialectLoader, DescribesWhatEachEventMapsTo) {
  for (const BuiltinDialect& builtin : BuiltinDialects()) {
    const auto dialect = ParseDialect(builtin.file, builtin.text);
    ASSERT_TRUE(dialect.ok()) << dialect.status();
    if ((*dialect)->name() != "rooms") continue;
    EXPECT_THAT((*dialect)->description(),
                testing::IsSupersetOf(std::vector<std::string>{
                    "receives sendMessage: postMessage {roomId <- roomId (id, required), "
                    "content <- content (text, required)}",
                    "tells messagePosted: messageCreated",
                    "tells memberAdded: nothing: it is skipped", "confirms joinRoom: roomJoined"}));
  }
}

TEST(DialectLoader, RefusesAFileThatIsTooLong) {
  EXPECT_EQ(FaultOf(std::string(kDialectFileBytesLimit + 1, ' ')),
            "x.json:1: a dialect has at most 65536 bytes");
}

TEST(DialectLoader, RefusesTooManyEvents) {
  std::string events;
  for (size_t i = 0; i <= kInboundEventsLimit; ++i) {
    events += (i == 0 ? "\"e" : ",\"e") + std::to_string(i) + R"(": {"command": "heartbeat"})";
  }
  EXPECT_EQ(FaultOf(With("\"receives\": {" + events + "}")), "x.json:2: at most 64 events");
}

TEST(DialectLoader, SaysThatAFileCannotBeRead) {
  EXPECT_EQ(LoadDialectFile("/no/such/dialect.json").status().message(),
            "/no/such/dialect.json: cannot be read");
  EXPECT_FALSE(LoadDialectFile("/").ok());
}

// Built-in files with bytes struck out, doubled and swapped: a fault or a dialect, never harm.
TEST(DialectLoader, StandsMalformedFiles) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const auto below = [&random](size_t n) { return static_cast<size_t>(random() % n); };
  for (const BuiltinDialect& builtin : BuiltinDialects()) {
    for (int i = 0; i < 300; ++i) {
      std::string text(builtin.text);
      for (auto n = 1 + below(4); n > 0; --n) {
        const size_t at = below(text.size());
        switch (below(4)) {
          case 0:
            text.erase(at, 1 + below(8));
            break;
          case 1:
            text.insert(at, text.substr(below(text.size()), below(40)));
            break;
          case 2:
            text[at] = "{}[]\",:$?.0\n"[below(12)];
            break;
          default:
            text[at] = static_cast<char>(random());
        }
      }
      const auto dialect = ParseDialect("x.json", text);
      if (dialect.ok()) continue;
      ASSERT_THAT(std::string(dialect.status().message()),
                  testing::ContainsRegex("^x\\.json:[0-9]+: "));
    }
  }
}

std::string Read(const char* path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(DialectsPage, ShowsDialectsThatLoad) {
  const std::string page = Read(CONFAB_DIALECTS_PAGE);
  std::vector<std::string> names;
  for (size_t at = page.find("```json\n"); at != std::string::npos;
       at = page.find("```json\n", at)) {
    at += 8;
    const auto dialect = ParseDialect("page", page.substr(at, page.find("```", at) - at));
    ASSERT_TRUE(dialect.ok()) << dialect.status();
    names.emplace_back((*dialect)->name());
  }

  EXPECT_THAT(names, testing::ElementsAre("lobby", "tasks"));
}

TEST(DialectSchema, KnowsEverySection) {
  const auto schema = boost::json::parse(Read(CONFAB_DIALECT_SCHEMA));
  std::string sections;
  for (const auto& section : schema.at("properties").as_object()) {
    sections += (sections.empty() ? "" : ", ") + std::string(section.key());
  }

  EXPECT_EQ(FaultOf(With("\"nothing\": 1")),
            "x.json:2: \"nothing\" is unknown; a dialect has: " + sections);
}

}  // namespace
}  // namespace confab::edge
