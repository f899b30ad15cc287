#include "edge/dialect/json_template.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "confab/v1/edge_link.pb.h"

#include "edge/protocol/json_text.h"

namespace confab::edge {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::StartsWith;

TemplateScope EventScope() {
  return {{{"", v1::MessagePosted::descriptor()}, {"", v1::Event::descriptor()}},
          {{"actorEmail", TemplateScope::ExtraKind::kText}}};
}

class JsonTemplateTest : public testing::Test {
 protected:
  JsonTemplate Compile(std::string_view text) {
    FileFaults faults("t");
    const auto value = LocatedJson::Parse(text, faults);
    EXPECT_TRUE(value) << text;
    JsonTemplate made = JsonTemplate::Compile(*value, EventScope(), faults);
    fault_ = std::string(faults.ToStatus().message());
    return made;
  }

  std::string Write(std::string_view text) {
    const JsonTemplate made = Compile(text);
    EXPECT_EQ(fault_, "");
    return Append(made);
  }

  std::string Append(const JsonTemplate& made) {
    std::string out;
    made.Append({.roots = {&event_.message_posted(), &event_}, .extras = {{{email_, 0}}}}, out);
    return out;
  }

  std::string FaultOf(std::string_view text) {
    Compile(text);
    return fault_;
  }

  v1::MessagePosted& message() { return *event_.mutable_message_posted(); }

  v1::Event event_;
  std::string email_;
  std::string fault_;
};

TEST_F(JsonTemplateTest, WritesLiteralsAsTheyAre) {
  EXPECT_EQ(Write(R"({"a": [1, -2.5, true, null, "x\"y", {}], "b": {"c": []}})"),
            R"({"a":[1,-2.5E0,true,null,"x\"y",{}],"b":{"c":[]}})");
}

TEST_F(JsonTemplateTest, BeginsAPlainStringWithTwoDollars) {
  EXPECT_EQ(Write(R"(["$$seq", "a$seq", "$$"])"), R"(["$seq","a$seq","$"])");
}

TEST_F(JsonTemplateTest, FillsSlotsOfEveryKind) {
  event_.set_room_id("r");
  event_.set_seq(7);
  event_.mutable_actor()->set_id("ann");
  message().set_content("hi");
  email_ = "a@b";

  EXPECT_EQ(Write(R"({"r":"$roomId","s":"$seq","a":["$actor.id"],"c":"$content",)"
                  R"("t":"$createdAt","e":"$actorEmail"})"),
            R"({"r":"r","s":7,"a":["ann"],"c":"hi","t":"1970-01-01T00:00:00.000Z","e":"a@b"})");
}

TEST_F(JsonTemplateTest, WritesCanonicalDecimalsBare) {
  const JsonTemplate made = Compile(R"("$roomId:number")");
  for (const std::string id : {"0", "1", "42", "9007199254740991", "1000000000000000"}) {
    event_.set_room_id(id);
    EXPECT_EQ(Append(made), id);
  }
  for (const std::string id :
       {"", "00", "01", "-1", "+1", "1.0", "1e3", " 1", "1 ", "9007199254740992",
        "9999999999999999", "10000000000000000", "٣", "x"}) {
    event_.set_room_id(id);
    EXPECT_EQ(Append(made), "\"" + id + "\"");
  }
}

TEST_F(JsonTemplateTest, WritesNullWhereNothingIs) {
  EXPECT_EQ(Write(R"(["$clientMsgId:null","$seq:null"])"), "[null,null]");
  message().set_client_msg_id("c");
  event_.set_seq(1);
  EXPECT_EQ(Write(R"(["$clientMsgId:null","$seq:null"])"), R"(["c",1])");
}

TEST_F(JsonTemplateTest, LeavesOutEmptyMembersWithTheirCommas) {
  const std::string all_optional = R"({"a":"$type?","b":"$replyTo?","c":"$clientMsgId?"})";
  const std::string mixed = R"({"a":"$type?","n":1,"b":"$replyTo?","m":{"x":"$actorEmail?"}})";
  EXPECT_EQ(Write(all_optional), "{}");
  EXPECT_EQ(Write(mixed), R"({"n":1,"m":{}})");
  message().set_reply_to("m");
  EXPECT_EQ(Write(all_optional), R"({"b":"m"})");
  EXPECT_EQ(Write(mixed), R"({"n":1,"b":"m","m":{}})");
  message().set_type("t");
  message().set_client_msg_id("{");
  EXPECT_EQ(Write(all_optional), R"({"a":"t","b":"m","c":"{"})");
  EXPECT_EQ(Write(mixed), R"({"a":"t","n":1,"b":"m","m":{}})");
}

TEST_F(JsonTemplateTest, SaysWhichSlotNamesNothing) {
  EXPECT_THAT(FaultOf("{\"a\": 1,\n\"b\": \"$colour\"}"),
              AllOf(StartsWith("t:2: \"$colour\" names nothing here; there is: actorEmail, "),
                    EndsWith(", roomId, seq, createdAt, actor")));
  EXPECT_EQ(FaultOf("\"$actor.colour\""), "t:1: \"$actor.colour\": User has no field colour");
  EXPECT_EQ(FaultOf("\"$actor\""), "t:1: \"$actor\" is no single value");
  EXPECT_EQ(FaultOf("\"$content.x\""), "t:1: \"$content.x\": content has no fields");
  EXPECT_EQ(FaultOf("\"$createdAt.seconds\""),
            "t:1: \"$createdAt.seconds\": createdAt has no fields");
  for (const std::string slot : {"$", "$.", "$actor.", "$?", "$:number", "$room_id", "$roomId.."}) {
    EXPECT_NE(FaultOf("\"" + slot + "\""), "") << slot;
  }
}

TEST_F(JsonTemplateTest, RefusesFormsThatDoNotFit) {
  EXPECT_NE(FaultOf(R"("$seq:number")"), "");
  EXPECT_NE(FaultOf(R"("$roomId:text")"), "");
  EXPECT_NE(FaultOf(R"("$roomId:")"), "");
  EXPECT_NE(FaultOf(R"({"a":"$roomId:null?"})"), "");
  EXPECT_EQ(FaultOf(R"(["$roomId?"])"), "t:1: \"$roomId?\": only a member can be left out");
  EXPECT_EQ(FaultOf(R"({"a":"$roomId:number?"})"), "");
}

TEST_F(JsonTemplateTest, RefusesATemplateThatNestsTooDeep) {
  const std::string open(kTemplateDepthLimit + 1, '[');
  const std::string shut(kTemplateDepthLimit + 1, ']');
  EXPECT_EQ(FaultOf(open + "1" + shut), "t:1: a template nests at most 8 deep");
  EXPECT_EQ(FaultOf(open.substr(1) + "1" + shut.substr(1)), "");
}

// Whatever stands in the texts, what is written is JSON and says the same.
TEST_F(JsonTemplateTest, WritesJsonWhateverTheTexts) {
  const JsonTemplate made =
      Compile(R"({"a":"$type?","b":"$content","c":"$replyTo?","d":{"e":"$clientMsgId:null"},)"
              R"("f":["$roomId:number","$actor.name"],"g":"$actorEmail"})");
  ASSERT_EQ(fault_, "");
  const std::vector<std::string> pieces = {
      "\"",          "\\",     "{",       "}",    ",",
      ":",           "[",      "]",       "$",    "\n",
      "\r",          "\t",     "\b",      "\f",   std::string(1, '\0'),
      "\x01",        "\x1f",   "\x7f",    "/",    "</script>",
      "\u2028",      "\u2029", "é",       "😀",    "0",
      "42",          "x",      "\\u0000", "null", "\"}]",
      "\xEF\xBF\xBF"};
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const auto text = [&] {
    std::string made_up;
    for (auto n = random() % 5; n > 0; --n) made_up += pieces[random() % pieces.size()];
    return made_up;
  };
  JsonParser parser;
  for (int i = 0; i < 5'000; ++i) {
    message().set_type(text());
    message().set_content(text());
    message().set_reply_to(text());
    message().set_client_msg_id(text());
    event_.set_room_id(text());
    event_.mutable_actor()->set_name(text());
    email_ = text();

    const std::string out = Append(made);

    const auto parsed = parser.Parse(out);
    ASSERT_TRUE(parsed.ok()) << out;
    const auto& object = (*parsed)->as_object();
    ASSERT_EQ(object.at("b").as_string(), message().content());
    ASSERT_EQ(object.at("g").as_string(), email_);
    ASSERT_EQ(object.at("f").as_array()[1].as_string(), event_.actor().name());
    ASSERT_EQ(object.contains("a"), !message().type().empty());
    ASSERT_EQ(object.at("d").at("e").is_null(), message().client_msg_id().empty());
  }
}

}  // namespace
}  // namespace confab::edge
