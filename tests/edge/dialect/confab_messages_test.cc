// What the default dialect reads and tells of messages beside posting them: bodies, edits, deletions,
// read pointers, pages without events.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "edge/dialect/dialect_set.h"
#include "tests/edge/dialect/dialect_fixture.h"

namespace confab::edge {
namespace {

class ConfabMessagesTest : public DialectTest {
 protected:
  ConfabMessagesTest() : DialectTest(Builtin().Find("confab")) {}

  void ExpectBad(const std::string& payload, const std::string& message) {
    const auto refusal = Translate(payload);
    ASSERT_TRUE(refusal) << payload;
    EXPECT_EQ(refusal->reason(), v1::REASON_BAD_REQUEST) << payload;
    EXPECT_EQ(refusal->message(), message);
  }

 private:
  static const DialectSet& Builtin() {
    static const DialectSet set = *DialectSet::Load("");
    return set;
  }
};

TEST_F(ConfabMessagesTest, AcksAnEmptyHistory) {
  v1::Result result;
  result.mutable_history();

  EXPECT_EQ(Ack(result), R"([{"ok":true,"events":[],"more":false}])");
}

TEST_F(ConfabMessagesTest, PassesABodyOnByteForByte) {
  const std::string body = R"({ "n" : 1.50,"x":[ "\u00e9" , {}] })";
  ASSERT_FALSE(Translate(R"( ["sendMessage", {"roomId":"r", "body": )" + body +
                         R"( ,"mentions":["bob",7]}])"));
  const v1::PostMessage& post = command_.post_message();
  EXPECT_EQ(post.body_json(), body);
  EXPECT_EQ(post.content(), "");
  EXPECT_EQ(post.mentions_size(), 2);
  EXPECT_EQ(post.mentions(1), "7");
  ExpectBad(R"(["sendMessage",{"roomId":"r","mentions":"bob"}])",
            "sendMessage: mentions must be an array");
  ExpectBad(R"(["sendMessage",{"roomId":"r","\u0062ody":1}])",
            "sendMessage: body must be named without escapes");

  v1::Event event;
  event.mutable_message_posted()->set_body_json(body);
  EXPECT_NE(Encode(event).find(R"("body":)" + body + ","), std::string::npos) << Encode(event);
}

TEST_F(ConfabMessagesTest, ReadsEditsDeletionsAndReadPointers) {
  ASSERT_FALSE(Translate(R"(["editMessage",{"roomId":7,"messageId":"m","content":"x"}])"));
  EXPECT_EQ(command_.edit_message().room_id(), "7");
  EXPECT_EQ(command_.edit_message().content(), "x");
  ASSERT_FALSE(Translate(R"(["deleteMessage",{"roomId":"r","messageId":"m"}])"));
  EXPECT_EQ(command_.delete_message().message_id(), "m");
  ASSERT_FALSE(Translate(R"(["markRead",{"roomId":"r","seq":12}])"));
  EXPECT_EQ(command_.mark_read().seq(), 12);
  ASSERT_FALSE(Translate(R"(["getHistory",{"roomId":"r","since":"2026-11-21T07:35:00Z"}])"));
  EXPECT_EQ(command_.get_history().since().seconds(), 1795246500);
  ExpectBad(R"(["getHistory",{"roomId":"r","until":"soon"}])",
            "getHistory: until must be a time as in 2026-11-21T07:35:00Z");
}

TEST_F(ConfabMessagesTest, TellsHowFarSomebodyHasRead) {
  v1::Signal signal;
  signal.mutable_read_pointer()->set_room_id("7");
  signal.mutable_read_pointer()->set_user_id("ann");
  signal.mutable_read_pointer()->set_seq(12);
  EXPECT_EQ(Signal(signal), R"(["messageRead",{"roomId":"7","userId":"ann","readSeq":12}])");
}

TEST_F(ConfabMessagesTest, TellsThatARoomIsToBeLoadedAnew) {
  std::string text;
  ASSERT_TRUE(dialect_->EncodeResync("7", text));
  EXPECT_EQ(text, R"(["resync",{"roomId":"7"}])");
}

TEST_F(ConfabMessagesTest, ReadsWhichRoomsAreResumedFromWhere) {
  ASSERT_FALSE(Translate(R"(["resume",{"rooms":{"den":4,"7":0}}])"));
  EXPECT_EQ(command_.resume().rooms_size(), 2);
  EXPECT_EQ(command_.resume().rooms().at("den"), 4);
  EXPECT_EQ(command_.resume().rooms().at("7"), 0);
  ASSERT_FALSE(Translate(R"(["resume",{"rooms":{}}])"));
  EXPECT_TRUE(command_.has_resume());
  ExpectBad(R"(["resume",{}])", "resume: rooms is missing");
  ExpectBad(R"(["resume",{"rooms":["den"]}])", "resume: rooms must be an object");
  for (const char* seq : {R"("4")", "-1", "1.5", "null", "9007199254740992"}) {
    ExpectBad(fmt::format(R"(["resume",{{"rooms":{{"den":{}}}}}])", seq),
              "resume: rooms must hold whole numbers from 0 to 9007199254740991");
  }
}

TEST_F(ConfabMessagesTest, AcksWhatBecameOfEachResumedRoom) {
  v1::Result result;
  EXPECT_EQ(result.mutable_resume()->rooms_size(), 0);
  EXPECT_EQ(Ack(result), R"([{"ok":true,"rooms":{}}])");

  v1::ResumedRoom& den = *result.mutable_resume()->add_rooms();
  den.set_room_id("den\"");
  *den.mutable_joined() = Joined("den\"").join_room();
  den.mutable_joined()->set_last_seq(9);
  v1::ResumedRoom& hall = *result.mutable_resume()->add_rooms();
  hall.set_room_id("hall");
  *hall.mutable_error() = MakeError(v1::REASON_RESYNC, "gone");

  EXPECT_EQ(
      Ack(result),
      R"([{"ok":true,"rooms":{"den\"":{"ok":true,"roomId":"den\"","role":"member","lastSeq":9},)"
      R"("hall":{"ok":false,"error":{"reason":"RESYNC","message":"gone","retryable":false}}}}])");
}

TEST_F(ConfabMessagesTest, TellsOfEditsAndDeletions) {
  v1::Event event;
  event.set_room_id("r");
  event.set_seq(9);
  event.mutable_actor()->set_id("mo");
  event.mutable_message_edited()->set_message_id("m");
  event.mutable_message_edited()->set_message_seq(4);
  event.mutable_message_edited()->set_content("after");
  EXPECT_EQ(Encode(event),
            R"(["messageEdited",{"roomId":"r","seq":9,"messageId":"m","messageSeq":4,)"
            R"("content":"after","createdAt":"1970-01-01T00:00:00.000Z","by":"mo"}])");
  event.mutable_message_deleted()->set_message_id("m");
  event.mutable_message_deleted()->set_message_seq(4);
  EXPECT_EQ(Encode(event),
            R"(["messageDeleted",{"roomId":"r","seq":9,"messageId":"m","messageSeq":4,)"
            R"("createdAt":"1970-01-01T00:00:00.000Z","by":"mo"}])");
}

}  // namespace
}  // namespace confab::edge
